"""What in a Dockerfile only BuildKit understands."""

from __future__ import annotations

import pytest

from rdo.drivers.docker.dockerfile import buildkit_feature


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", ""),
        ("FROM a\nRUN make --mount\nCOPY --chown=a --from=b /x /y\nADD --chown=a x y\n", ""),
        ("FROM --platform=linux/amd64 a AS b\n# RUN --mount=x\nLABEL a=--mount\n", ""),
        ("FROM a\nCOPY --from=b", ""),
        ("# syntax=docker/dockerfile:1\nFROM a\nRUN cat <<<x; echo $((1 << 2))", ""),
        ("FROM a\nRUN --mount=type=cache,target=/x true", "RUN --mount"),
        ("FROM a\r\nrun \\\r\n  # why\r\n  --network=none \\\r\n  true\r\n", "RUN --network"),
        ("FROM a\nCOPY --from=b --link x y", "COPY --link"),
        ("FROM a\n  ADD --checksum=sha256:0 http://x y", "ADD --checksum"),
        ("FROM a\nONBUILD RUN --mount=type=secret,id=x true", "RUN --mount"),
        ("FROM --platform=$BUILDPLATFORM a", "$BUILDPLATFORM"),
        ("FROM a:${TARGETARCH}", "$TARGETARCH"),
        ("FROM a\nRUN <<EOF\nset -e\nEOF", "RUN <<"),
        ("FROM a\nCOPY <<-'EOF' /x\nEOF", "COPY <<"),
    ],
)
def test_the_first_word_that_the_engine_s_own_builder_lacks_is_found(text: str, word: str) -> None:
    assert buildkit_feature(text) == word
