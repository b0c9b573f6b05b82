"""Building the image of a profile that has `build`: by the engine, of a directory of the project, when the directory
has changed. What the directory holds is for build_context.py."""

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
from rdo.drivers.base import Caller, show_step
from rdo.drivers.docker import answer, build_context, build_files, credentials, http, pull
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.build_context import BuildContext
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.errors import ConnectError
from rdo.fscodec import fsencode

BUILD_TIMEOUT = 3600.0
"""Seconds without output until a build is given up: a compiler may be silent for long."""

PROGRESS_INTERVAL = 5.0
"""Seconds between two lines about the progress, where one cannot replace the other."""

TAIL_LINES = 12
"""Lines of its output that are shown of a build that failed."""

LINE_LIMIT = 400
"""Characters of a line that are shown."""

LABEL = "rdo.build"
"""Of an image that rdo built: what it was built of."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

STEP = re.compile(r"Step (\d+/\d+) ?: (.*)", re.IGNORECASE)


def ensure_built(engine: Engine, settings: Settings, root: str, caller: Caller) -> str:
    """The name of the image for what the context is now; built where there is none. Raises RdoError."""
    build = settings.build or "."
    context = build_context.locate(root, build, settings.dockerfile)
    arguments = sorted(settings.build_args.items())
    digest = build_context.digest(context, [context.dockerfile, repr(arguments), settings.build_target or ""])
    name = repository_name(root, [build, context.dockerfile, settings.build_target or ""])
    image = f"{name}:{digest[:16]}"
    if pull.has_image(engine, image):
        return image
    query = {
        **{"t": image, "dockerfile": context.dockerfile, "rm": 1, "forcerm": 1},
        "labels": json.dumps({LABEL: digest}),
        "buildargs": json.dumps(dict(arguments)),
        **({"target": settings.build_target} if settings.build_target else {}),
        **({"pull": 1} if settings.pull == "always" else {}),
    }
    _build(engine, build, context, query, caller)
    _remove_older(engine, name, image)
    return image


def repository_name(root: str, settings: Iterable[str]) -> str:
    """The name of a profile's images: that of the project's directory, and a digest that no other profile has."""
    word = re.sub("[^a-z0-9]+", "-", os.path.basename(root).lower()).strip("-")[:40] or "project"
    return f"rdo-{word}-{hashlib.sha256(fsencode(repr([root, *settings]))).hexdigest()[:8]}"


def _build(engine: Engine, build: str, context: BuildContext, query: Mapping[str, object], caller: Caller) -> None:
    what = f"building `{build}`"
    show_step(caller, what)
    output: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        _follow(_messages(engine, query, context, caller), what, output, caller)
    except EngineError as error:
        for line in output:
            caller.report(line)
        raise ConnectError(f"cannot build `{build}`", error.message, _advice(context, build)) from None
    except TimeoutError:
        raise ConnectError(f"cannot build `{build}`", f"no output from the engine for {BUILD_TIMEOUT:.0f} s") from None


def _advice(context: BuildContext, build: str) -> str:
    """By the Dockerfile, since the messages of engines differ."""
    word = build_files.buildkit_feature(build_context.instructions(context))
    if not word:
        return ""
    instead = f'`DOCKER_BUILDKIT=1 docker build -t NAME {build}`, and write `image = "NAME"` in place of `build`'
    return f"if BuildKit is missing, which `{word}` needs: {instead}"


def _messages(
    engine: Engine, query: Mapping[str, object], context: BuildContext, caller: Caller
) -> Iterator[EngineAnswer]:
    fields = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
    fields |= {"X-Registry-Config": header} if (header := credentials.header_for_all(caller.environment)) else {}
    pieces = http.chunked(build_context.pack(context))
    return pull.messages(engine.stream("/build", query, fields, BUILD_TIMEOUT, pieces), "POST /build")


def _follow(messages: Iterable[EngineAnswer], what: str, output: deque[str], caller: Caller) -> None:
    """Show the progress, and keep the last lines. Raises EngineError where the build failed."""
    layers: dict[str, tuple[int, int]] = {}
    step, shown = "", time.monotonic()
    for message in messages:
        if failure := message.text("error", ""):
            raise EngineError(200, answer.one_line(failure))
        for line in _lines(message.text("stream", "")):
            output.append(line)
            caller.trace(f"build: {line}")
            if found := STEP.match(line):
                step, layers = f"step {found[1]}: {found[2]}", {}
        pull.update_layers(layers, message)
        now = ", ".join(filter(None, [step, pull.progress(layers) if layers else ""]))
        if not caller.progress(f"{what}: {now}" if now else what) and time.monotonic() - shown > PROGRESS_INTERVAL:
            shown = time.monotonic()
            caller.report(f"rdo: {what}: {now}")


def _lines(text: str) -> Iterator[str]:
    """The lines of a piece of output that hold something, without the colour that the engine gives to errors."""
    for line in COLOUR.sub("", text).split("\n"):
        if line.strip():
            yield line.rstrip()[:LINE_LIMIT]


def _remove_older(engine: Engine, name: str, image: str) -> None:
    """The profile's images of earlier contexts; one that a container still uses stays until the next build."""
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
