"""Tuples with named fields: the same as those of `typing`."""

from __future__ import annotations

import pickle
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from rdo.util import named_tuple

PACKAGE = Path(named_tuple.__file__).parents[1]


class Own(named_tuple.NamedTuple):
    a: int
    b: str = "b"
    c: tuple[int, ...] = ()

    @property
    def both(self) -> str:
        return f"{self.a}{self.b}"


class Usual(typing.NamedTuple):
    a: int
    b: str = "b"
    c: tuple[int, ...] = ()


GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1, "x", (3,)), {}),
    ((1,), {}),
    ((1,), {"c": (3,)}),
    ((), {"b": "x", "a": 1}),
]

REFUSED: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((), {"b": "x"}),
    ((1, "x", (3,), 4), {}),
    ((1,), {"a": 1}),
    ((1, "x", (3,)), {"a": 1}),
    ((1,), {"d": 1}),
]


@pytest.mark.parametrize(("values", "named"), GIVEN)
def test_it_holds_what_it_is_made_of(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    own, usual = Own(*values, **named), Usual(*values, **named)
    assert tuple(own) == tuple(usual)
    assert (own.a, own.b, own.c) == (usual.a, usual.b, usual.c)
    assert own._asdict() == usual._asdict()
    assert repr(own) == repr(usual).replace("Usual", "Own")
    assert hash(own) == hash(usual)


@pytest.mark.parametrize(("values", "named"), REFUSED)
def test_it_is_not_made_of_anything_else(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (Own, Usual):
        with pytest.raises(TypeError):
            kind(*values, **named)


def test_its_class_says_the_same_of_its_fields() -> None:
    assert Own._fields == Usual._fields == ("a", "b", "c")
    assert Own._field_defaults == Usual._field_defaults
    match Own(1):
        case Own(a, b):
            assert (a, b) == (1, "b")


def test_it_has_methods_of_its_own() -> None:
    assert Own(1).both == "1b"


def test_it_is_replaced_and_never_changed() -> None:
    first = Own(1)
    unknown: dict[str, Any] = {"d": 4}
    assert first._replace(a=2, c=(5,)) == (2, "b", (5,))
    assert isinstance(first._replace(a=2), Own)
    assert tuple(first) == (1, "b", ())
    for name in ("a", "other"):
        with pytest.raises(AttributeError):
            setattr(first, name, 2)
    with pytest.raises(TypeError):
        first._replace(**unknown)


def test_it_is_copied_as_it_is() -> None:
    found = pickle.loads(pickle.dumps(Own(1, "x")))
    assert (type(found), found) == (Own, (1, "x", ()))


def test_rdo_defines_no_other_named_tuples() -> None:
    usual = re.compile(r"from typing import .*\bNamedTuple\b|\bnamedtuple\(")
    sources = (path for path in PACKAGE.rglob("*.py") if path != Path(named_tuple.__file__))
    assert [str(path) for path in sources if usual.search(path.read_text())] == []
