"""Translates the keys of the first rdo: ident, flags, ssh, name, exec; and `pull = "never"`, which is now `pull_image`.

Pure. A translated entry keeps the old key as its label, so that errors name what is in the file.
"""

import shlex
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from rdo.config.document import ConfigDocument, ConfigEntry
from rdo.config.schema import DEFAULT_PROFILE, KEYS, PULLS
from rdo.config.types import FLAG
from rdo.util.phrases import literal, shortened, shown

FLAGS = {"-p": "port", "-l": "user", "-i": "identity", "-J": "jump"}
"""Options of ssh(1) that have a key."""

REFUSED_FLAGS = {
    "-A": "set `ForwardAgent yes` for the host in ~/.ssh/config",
    "-C": "set `Compression yes` for the host in ~/.ssh/config",
    "-F": "set `ssh_config` in the user file",
    "-o": "set the option for the host in ~/.ssh/config",
    "-T": "use `rdo -T`",
    "-t": "use `rdo -t`",
    "-v": "use `rdo -v`",
}
"""Other options of ssh(1), and what to do instead."""

OLD_KEYS = {
    "ident": "the old name of `identity`, from the first rdo",
    "flags": "ssh options -p -l -i -J, from the first rdo; use `port`, `user`, `identity`, `jump` instead",
    "ssh": "the ssh program, from the first rdo; no longer needed",
    "name": "a container or an image, from the first rdo; use `container` or `image` instead",
    "exec": "whether `name` is a container, from the first rdo; use `container` or `image` instead",
}
"""What each old key was, and what to write now."""

CONTAINER_HINT = "write `container = NAME` for a running container, `image = NAME` for a new one"

ELSEWHERE = "set its meaning in ~/.ssh/config"


class Translation(NamedTuple):
    """A document without old keys, and what to tell the user about those it had."""

    document: ConfigDocument
    notes: tuple[str, ...]


def translate(document: ConfigDocument) -> Translation:
    """Translate a document. Raises ConfigError for an old key whose meaning no current key can express."""
    entries = tuple(chain.from_iterable(map(_Translator(document).translate, document.entries)))
    programs = [entry for entry in document.entries if entry.key == "ssh"]
    notes = tuple(
        f"{each.origin}: `ssh = {each.value}` is ignored: rdo no longer needs that program" for each in programs
    )
    return Translation(document._replace(entries=entries), notes)


class _Translator:
    """Translates one entry at a time, given the document's `name` and `exec` by section."""

    def __init__(self, document: ConfigDocument) -> None:
        self._names = {entry.origin.section: entry for entry in document.entries if entry.key == "name"}
        self._switches = {entry.origin.section: entry for entry in document.entries if entry.key == "exec"}

    def translate(self, old: ConfigEntry) -> Iterator[ConfigEntry]:
        match old.key:
            case "ident":
                yield old._replace(key="identity", label="ident")
            case "flags":
                yield from _from_flags(old)
            case "name":
                yield _from_name(old, self._switches.get(old.origin.section) or self._switches.get(DEFAULT_PROFILE))
            case "exec":
                yield from self._from_exec(old)
            case "ssh":
                _text(old)
            case "pull" if old.value in PULLS:
                yield old._replace(key="pull_image", label="pull")
            case _:
                yield old

    def _from_exec(self, switch: ConfigEntry) -> Iterator[ConfigEntry]:
        """Translate `exec`. A profile may only say how to use the container that the default profile names."""
        _is_on(switch)
        if not self._names:
            why = "`exec` describes the container in `name`, which is missing"
            raise switch.origin.error(why, CONTAINER_HINT)
        name = self._names.get(DEFAULT_PROFILE)
        if name and switch.origin.section not in self._names:
            yield _from_name(name, switch)._replace(origin=switch.origin)


def _from_name(name: ConfigEntry, switch: ConfigEntry | None) -> ConfigEntry:
    return name._replace(key="container" if switch and _is_on(switch) else "image", label="name")


def _is_on(switch: ConfigEntry) -> bool:
    value = FLAG.from_bare(switch.value) if isinstance(switch.value, str) else switch.value
    if not isinstance(value, bool):
        raise switch.origin.error(f"`exec` must be true or false, not {shown(value)}", CONTAINER_HINT)
    return value


def _from_flags(flags: ConfigEntry) -> Iterator[ConfigEntry]:
    try:
        words = iter(shlex.split(_text(flags)))
    except ValueError:
        raise flags.origin.error("`flags` has an unclosed quote", "close it") from None
    for word in words:
        option, value = word[:2], word[2:]
        if option not in FLAGS:
            raise flags.origin.error(f"`flags` contains `{shortened(word)}`, which rdo does not support", _hint(word))
        bare = value or next(words, None)
        if bare is None:
            raise flags.origin.error(f"`flags` ends with `{option}`, which needs a value", f"or set `{FLAGS[option]}`")
        written = KEYS[FLAGS[option]].value_type.from_bare(bare)
        yield ConfigEntry(FLAGS[option], written, flags.origin, label=f"flags {option}")


def _hint(word: str) -> str:
    if word.startswith("-"):
        return REFUSED_FLAGS.get(word[:2], ELSEWHERE)
    return f"write `host = {literal(word)}`" if literal(word) else "the host has its own key"


def _text(entry: ConfigEntry) -> str:
    if not isinstance(entry.value, str):
        raise entry.origin.error(f"`{entry.key}` must be a string, not {shown(entry.value)}", "quote it")
    return entry.value
