"""Pulling an image that the engine does not have, or a newer one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from rdo.drivers.base import Caller, show_step
from rdo.drivers.docker import answer, credentials
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.errors import ConnectError

CREATE = "/images/create"
QUESTION = f"POST {CREATE}"

PULL_TIMEOUT = 300.0
"""Seconds without progress until a pull is given up."""

ADVICE = "check the name, or `docker login`"
"""To a stranger, a registry says of a private image that it does not exist."""

LINE_LIMIT = 1024 * 1024
"""Bytes of a message of the engine; one has some hundreds."""

LAYER_LIMIT = 1000
"""Layers whose progress is counted: an image has 127 at most."""

PROGRESS_INTERVAL = 3.0
"""Seconds between two lines about the progress."""


def ensure_pulled(engine: Engine, image: str, pull: str, caller: Caller) -> None:
    """Have the image there, as `pull` (missing, never, always) says. Raises ConnectError."""
    if pull != "always" and has_image(engine, image):
        return
    if pull == "never":
        raise ConnectError(f"there is no image `{image}`", "", f"`docker pull {image}`, or set `pull`")
    show_step(caller, f"pulling `{image}`")
    try:
        _follow(_messages(engine, image, caller.environment), image, caller)
    except EngineError as error:
        raise ConnectError(f"cannot pull the image `{image}`", error.message, ADVICE) from None
    except TimeoutError:
        raise ConnectError(f"cannot pull the image `{image}`", f"no progress for {PULL_TIMEOUT:.0f} s") from None


def has_image(engine: Engine, image: str) -> bool:
    """Whether the engine has the image. Raises ConnectError."""
    try:
        engine.ask("GET", f"/images/{image}/json")
    except EngineError as error:
        if error.status != 404:
            raise ConnectError(f"cannot use the image `{image}`", error.message) from None
        return False
    return True


def _messages(engine: Engine, image: str, environment: Mapping[str, str]) -> Iterator[EngineAnswer]:
    fields = {"X-Registry-Auth": header} if (header := credentials.header_for_image(image, environment)) else {}
    reference = image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"
    return messages(engine.stream(CREATE, {"fromImage": reference}, fields, PULL_TIMEOUT), QUESTION)


def messages(chunks: Iterable[bytes], of: str) -> Iterator[EngineAnswer]:
    """The messages of an answer that comes bit by bit, a line each; `of` is the question. Raises ConnectError."""
    rest = b""
    for data in chunks:
        *lines, rest = (rest + data).split(b"\n")
        yield from (answer.decode(line, of).table() for line in lines if line.strip())
        if len(rest) > LINE_LIMIT:
            raise answer.invalid_answer(of, "a line does not end")


def _follow(messages: Iterable[EngineAnswer], image: str, caller: Caller) -> None:
    """Show the progress now and then. Raises EngineError."""
    layers: dict[str, tuple[int, int]] = {}
    shown = time.monotonic()
    for message in messages:
        if failure := message.text("error", ""):
            raise EngineError(200, answer.one_line(failure))
        update_layers(layers, message)
        what = f"pulling `{image}`: {progress(layers)}"
        if not caller.progress(what) and time.monotonic() - shown > PROGRESS_INTERVAL:
            shown = time.monotonic()
            caller.report(f"rdo: {what}")


def update_layers(layers: dict[str, tuple[int, int]], message: EngineAnswer) -> None:
    """Note what a message says of its layer: bytes received, and bytes in all."""
    detail, layer, status = message.maybe("progressDetail"), message.text("id", ""), message.text("status", "")
    if layer not in layers and len(layers) >= LAYER_LIMIT:
        return
    total = detail.number("total", 0) if detail else 0
    if status == "Downloading" and detail and total > 0:
        layers[layer] = (min(max(0, detail.number("current", 0)), total), total)
    elif status in ("Download complete", "Pull complete") and layer in layers:
        size = max(layers[layer][1], 1)  # of a small one nothing was said before
        layers[layer] = (size, size)
    elif status in ("Pulling fs layer", "Waiting"):
        layers.setdefault(layer, (0, 0))


def progress(layers: Mapping[str, tuple[int, int]]) -> str:
    """The progress for people, such as `2 of 5 layers, 31 of 120 MB, 26 %`."""
    done = sum(0 < total == current for current, total in layers.values())
    current, total = (sum(pair[index] for pair in layers.values()) / 1e6 for index in (0, 1))
    share = f", {100 * current / total:.0f} %" if total else ""
    return f"{done} of {len(layers)} layers, {current:.0f} of {total:.0f} MB{share}"
