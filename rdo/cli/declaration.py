"""Commands of `rdoctl` declared without click, which takes longer to load than they take to run. Pure.

A declared command parses a plain command line itself. All other command lines, errors and help are left to click, for
which command_group.py builds the same command.
"""

from __future__ import annotations

TYPE_CHECKING = False  # like typing.TYPE_CHECKING, without the cost of importing typing
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Offers = Callable[[], Sequence[tuple[str, str]]]
    """Finds the values that are possible at the moment: each word with its help."""

HELP_WORDS = ("-h", "--help")
"""The options by which every command with options shows its help."""


class LeftToClick(Exception):
    """Raised by a command before it has done anything, to let click show the help."""


class Option:
    """A flag or, with a metavar, an option with a value."""

    def __init__(
        self, name: str, words: tuple[str, ...], help: str, metavar: str = "", offers: Offers | None = None
    ) -> None:
        self.name = name
        self.words = words
        self.help = help
        self.metavar = metavar
        self.offers = offers


class Choice:
    """An argument that is one of these words, and may be left out. With a metavar instead of words, any word."""

    def __init__(self, name: str, words: tuple[str, ...] = (), metavar: str = "", offers: Offers | None = None) -> None:
        self.name = name
        self.words = words
        self.metavar = metavar
        self.offers = offers


class Command:
    """A command: `run` is called with the value of each parameter by its name, and its docstring is the help."""

    def __init__(
        self,
        name: str,
        run: Callable[..., None],
        parameters: tuple[Option | Choice, ...] = (),
        rest: str = "",
        metavar: str = "",
    ) -> None:
        """`rest` is the only parameter, which gets all words unparsed; the help shows `metavar` for them."""
        self.name = name
        self.run = run
        self.parameters = parameters
        self.rest = rest
        self.metavar = metavar

    def read(self, words: Sequence[str]) -> dict[str, object] | None:
        """The values in a plain command line; None if the command line is not plain enough."""
        if self.rest:
            return {self.rest: tuple(words)}
        values: dict[str, object] = {}
        left = iter(words)
        for word in left:
            found = next((each for each in self.parameters if word in each.words or _is_any(word, each)), None)
            if found is None or found.name in values:
                return None
            values[found.name] = word if isinstance(found, Choice) else True
            if isinstance(found, Option) and found.metavar:
                value = next(left, "-")
                if value.startswith("-"):
                    return None
                values[found.name] = value
        for each in self.parameters:
            values.setdefault(each.name, False if isinstance(each, Option) and not each.metavar else None)
        return values

    def offers(self, before: Sequence[str], last: str) -> list[tuple[str, str]]:
        """What may replace the last word, as far as that is known after the words before: each word with its help."""
        options = [each for each in self.parameters if isinstance(each, Option)]
        expected = [each for each in options if each.metavar and before and before[-1] in each.words]
        if self.rest:
            return []
        if expected:
            found = [offer for each in expected if each.offers for offer in each.offers()]
            return [(word, help) for word, help in found if word.startswith(last)]
        if last.startswith("-"):
            left = [each for each in options if each.help and not set(before) & set(each.words)]
            found = [(word, each.help) for each in left for word in each.words]
            found += [(word, "Show this message and exit.") for word in HELP_WORDS]
        else:
            choices = [each for each in self.parameters if isinstance(each, Choice)]
            found = [(word, "") for each in choices for word in each.words]
            found += [offer for each in choices if each.offers and not before for offer in each.offers()]
        return [(word, help) for word, help in found if word.startswith(last)]


def _is_any(word: str, declared: Option | Choice) -> bool:
    return isinstance(declared, Choice) and not declared.words and word[:1] not in ("", "-")
