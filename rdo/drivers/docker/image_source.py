"""Provides the image of a profile: pulled from a registry, or built by the engine from a directory of the project.

build_context.py decides which files of that directory are used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from rdo.config.schema import Settings
from rdo.drivers.caller import Caller, show_step
from rdo.drivers.docker import answer, build_context, build_files, credentials, dockerfile, http
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.dockerfile import BuildContext
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.errors import ConnectError
from rdo.fscodec import fsencode

CREATE = "/images/create"

PULL_TIMEOUT = 300.0
"""Seconds without progress after which a pull is given up."""

BUILD_TIMEOUT = 3600.0
"""Seconds without output after which a build is given up. A compiler may be silent for long."""

ADVICE = "check the name, or `docker login`"
"""A registry reports to strangers that a private image does not exist."""

MESSAGE_LIMIT = 1024 * 1024
"""Bytes of a message of the engine, which usually has some hundreds."""

LAYER_LIMIT = 1000
"""Layers whose progress is counted. An image has at most 127."""

PROGRESS_INTERVAL = 5.0
"""Seconds between two lines of progress, where one cannot replace the other."""

TAIL_LINES = 12
"""Lines of its output that are shown for a failed build."""

LINE_LIMIT = 400
"""Characters of a line that are shown."""

LABEL = "rdo.build"
"""The label of an image that rdo built, which says what it was built from."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

STEP = re.compile(r"Step (\d+/\d+) ?: (.*)", re.IGNORECASE)


def ensure_pulled(engine: Engine, image: str, pull: str, caller: Caller) -> None:
    """Make sure that the image exists, according to `pull` (missing, never, always). Raises ConnectError."""
    if pull != "always" and _has_image(engine, image):
        return
    if pull == "never":
        raise ConnectError(f"there is no image `{image}`", "", f"`docker pull {image}`, or set `pull_image`")
    what = f"pulling `{image}`"
    show_step(caller, what)
    header = credentials.header_for_image(image, caller.environment)
    fields = {"X-Registry-Auth": header} if header else {}
    reference = image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"
    chunks = engine.stream(CREATE, {"fromImage": reference}, fields, PULL_TIMEOUT)
    try:
        _follow(messages(chunks, f"POST {CREATE}"), what, caller, deque(maxlen=0))
    except EngineError as error:
        raise ConnectError(f"cannot pull the image `{image}`", error.message, ADVICE) from None
    except TimeoutError:
        why = f"no progress for {PULL_TIMEOUT:.0f} s"
        raise ConnectError(f"cannot pull the image `{image}`", why, f"try `docker pull {image}`") from None


def _has_image(engine: Engine, image: str) -> bool:
    """Whether the engine has the image. Raises ConnectError."""
    try:
        engine.ask("GET", f"/images/{image}/json")
    except EngineError as error:
        if error.status != 404:
            hint = f"try `docker inspect {image}`"
            raise ConnectError(f"cannot use the image `{image}`", error.message, hint) from None
        return False
    return True


def ensure_built(engine: Engine, settings: Settings, root: str, caller: Caller) -> str:
    """The name of the image for the current context, which is built if it does not exist. Raises RdoError."""
    build = settings.build or "."
    context = dockerfile.locate(root, build, settings.dockerfile)
    arguments = sorted(settings.build_args.items())
    digest = build_context.digest(context, [context.dockerfile, repr(arguments), settings.build_target or ""])
    name = repository_name(root, [build, context.dockerfile, settings.build_target or ""])
    image = f"{name}:{digest[:16]}"
    if _has_image(engine, image):
        return image
    query = {
        **{"t": image, "dockerfile": context.dockerfile, "rm": 1, "forcerm": 1},
        "labels": json.dumps({LABEL: digest}),
        "buildargs": json.dumps(dict(arguments)),
        **({"target": settings.build_target} if settings.build_target else {}),
        **({"pull": 1} if settings.pull_image == "always" else {}),
    }
    _build(engine, build, context, query, caller)
    _remove_older(engine, name, image)
    return image


def repository_name(root: str, settings: Iterable[str]) -> str:
    """The repository name for a profile's images: the name of the project's directory, and a digest that is unique to
    the profile."""
    word = re.sub("[^a-z0-9]+", "-", os.path.basename(root).lower()).strip("-")[:40] or "project"
    return f"rdo-{word}-{hashlib.sha256(fsencode(repr([root, *settings]))).hexdigest()[:8]}"


def _build(engine: Engine, build: str, context: BuildContext, query: Mapping[str, object], caller: Caller) -> None:
    what = f"building `{build}`"
    show_step(caller, what)
    fields = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
    fields |= {"X-Registry-Config": header} if (header := credentials.header_for_all(caller.environment)) else {}
    chunks = engine.stream("/build", query, fields, BUILD_TIMEOUT, http.chunked(build_context.pack(context)))
    output: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        _follow(messages(chunks, "POST /build"), what, caller, output)
    except EngineError as error:
        for line in output:
            caller.report(line)
        raise ConnectError(f"cannot build `{build}`", error.message, _advice(context, build)) from None
    except TimeoutError:
        why = f"no output from the engine for {BUILD_TIMEOUT:.0f} s"
        raise ConnectError(f"cannot build `{build}`", why, f"try `docker build {build}`") from None


def _advice(context: BuildContext, build: str) -> str:
    """Advice based on the Dockerfile, since the messages of engines differ."""
    word = build_files.buildkit_feature(build_context.instructions(context))
    if not word:
        return f"try `docker build {build}`"
    instead = f'`DOCKER_BUILDKIT=1 docker build -t NAME {build}`, and write `image = "NAME"` in place of `build`'
    return f"if BuildKit is missing, which `{word}` needs: {instead}"


def messages(chunks: Iterable[bytes], of: str) -> Iterator[EngineAnswer]:
    """The messages of an answer as they arrive, one per line; `of` is the request. Raises ConnectError."""
    rest = b""
    for data in chunks:
        *lines, rest = (rest + data).split(b"\n")
        yield from (answer.decode(line, of).table() for line in lines if line.strip())
        if len(rest) > MESSAGE_LIMIT:
            raise answer.invalid_answer(of, "a line does not end")


def _follow(messages: Iterable[EngineAnswer], what: str, caller: Caller, output: deque[str]) -> None:
    """Show the progress, and keep the last lines of a build in `output`. Raises EngineError if it failed."""
    layers: dict[str, tuple[int, int]] = {}
    step, shown = "", time.monotonic()
    for message in messages:
        if failure := message.text("error", ""):
            raise EngineError(200, answer.brief(failure))
        for line in _lines(message.text("stream", "")):
            output.append(line)
            caller.trace(f"build: {line}")
            if found := STEP.match(line):
                step, layers = f"step {found[1]}: {found[2]}", {}
        update_layers(layers, message)
        now = ", ".join(filter(None, [step, progress(layers) if layers else ""]))
        line = f"{what}: {now}" if now else what
        if not caller.progress(line) and time.monotonic() - shown > PROGRESS_INTERVAL:
            shown = time.monotonic()
            caller.report(f"rdo: {line}")


def _lines(text: str) -> Iterator[str]:
    """The non-empty lines of a piece of output, without the colour that the engine gives to errors."""
    for line in COLOUR.sub("", text).split("\n"):
        if line.strip():
            yield line.rstrip()[:LINE_LIMIT]


def update_layers(layers: dict[str, tuple[int, int]], message: EngineAnswer) -> None:
    """Note what a message reports about its layer: bytes received, and total bytes."""
    detail, layer, status = message.maybe("progressDetail"), message.text("id", ""), message.text("status", "")
    if layer not in layers and len(layers) >= LAYER_LIMIT:
        return
    total = detail.number("total", 0) if detail else 0
    if status == "Downloading" and detail and total > 0:
        layers[layer] = (min(max(0, detail.number("current", 0)), total), total)
    elif status in ("Download complete", "Pull complete") and layer in layers:
        size = max(layers[layer][1], 1)  # a small layer is not reported before it is complete
        layers[layer] = (size, size)
    elif status in ("Pulling fs layer", "Waiting"):
        layers.setdefault(layer, (0, 0))


def progress(layers: Mapping[str, tuple[int, int]]) -> str:
    """The progress for people, such as `2 of 5 layers, 31 of 120 MB, 26 %`."""
    done = sum(0 < total == current for current, total in layers.values())
    current, total = (sum(pair[index] for pair in layers.values()) / 1e6 for index in (0, 1))
    share = f", {100 * current / total:.0f} %" if total else ""
    return f"{done} of {len(layers)} layers, {current:.0f} of {total:.0f} MB{share}"


def _remove_older(engine: Engine, name: str, image: str) -> None:
    """Remove the profile's images of earlier contexts. One that a container still uses stays until the next build."""
    filters = json.dumps({"label": [LABEL], "reference": [name]})
    try:
        listing = engine.ask("GET", "/images/json", query={"filters": filters})
        tags = [tag for each in listing.tables() for tag in each.texts("RepoTags")]
    except EngineError:
        return
    for tag in tags:
        if tag.startswith(f"{name}:") and tag != image:
            with contextlib.suppress(EngineError, ConnectError):
                engine.ask("DELETE", f"/images/{tag}")
