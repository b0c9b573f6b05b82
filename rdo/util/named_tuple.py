"""NamedTuple, as `typing` has it, and defined in a fifth of the time. Pure.

That one compiles a constructor for each class. rdo has more than a hundred of them, and most of its processes are
short.
"""

from __future__ import annotations

from operator import itemgetter

TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:

    class _Fields(type):
        """Makes the annotations of a class its fields, each with the default that the class gives it, if any."""

        def __new__(meta, name, bases, body):
            cls = super().__new__(meta, name, bases, {"__slots__": (), **body})
            cls._fields = cls.__match_args__ = tuple(cls.__annotations__)
            cls._field_defaults = {field: body[field] for field in cls._fields if field in body}
            for place, field in enumerate(cls._fields):
                setattr(cls, field, property(itemgetter(place)))
            return cls

    class NamedTuple(tuple, metaclass=_Fields):
        """A tuple of the values of its fields."""

        def __new__(cls, *values, **named):
            left = cls._fields[len(values) :]
            if left:
                known = cls._field_defaults | named
                values += tuple([known[field] for field in left if field in known])
            if len(values) != len(cls._fields) or not named.keys() <= set(left):
                raise TypeError(f"{cls.__name__} takes the fields {', '.join(cls._fields)}")
            return tuple.__new__(cls, values)

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **named):
            return type(self)(**self._asdict() | named)
