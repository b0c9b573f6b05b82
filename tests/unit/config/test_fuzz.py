"""Fuzzes the loading of config files: any content gives a Config, or a ConfigError of one line."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rdo.config.load import load
from rdo.config.schema import KEYS
from rdo.errors import ConfigError
from tests.soak import tries

OLD_KEYS = ["ident", "flags", "ssh", "name", "exec"]
VALUES = st.sampled_from(
    ["", "a", '"a"', "'", "1", "-1", "true", "yes", "[]", '["a", 1]', "{}", "{ A = 1 }", "1979-05-27", "inf", "-p 1"]
)
KEY_LINES = st.builds("{} = {}".format, st.sampled_from([*KEYS, *OLD_KEYS, "env.A", "x", '"y z"']), VALUES | st.text())
HEADERS = st.builds("[{}]".format, st.sampled_from(["default", "box", "env", "box.env", "[box]", "", '"a.b"']))
FILES = st.lists(KEY_LINES | HEADERS | st.text(), max_size=12).map("\n".join)


def check_load(content: bytes, profile: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / ".rdo.conf"
        path.write_bytes(content)
        try:
            line = f"{path}: {load(str(path), profile, None).settings.driver}"
        except ConfigError as error:
            line = str(error)
        assert line.startswith(f"{path}:")
        assert line.isprintable()


@settings(max_examples=tries(100, 2000))
@given(FILES, st.none() | st.sampled_from(["default", "box"]) | st.text())
def test_any_text_loads_or_gives_one_line(text: str, profile: str | None) -> None:
    check_load(text.encode(errors="surrogatepass"), profile)


@given(st.binary())
def test_any_bytes_load_or_give_one_line(content: bytes) -> None:
    check_load(content)
