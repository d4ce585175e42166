"""Result of ``ensure()``, for all collections that have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeGuard

from dockerkit import errors

__all__ = ["Difference", "Ensured", "differences", "raise_if_different"]

Action = Literal["unchanged", "created", "started", "updated", "replaced"]


@dataclass(frozen=True)
class Difference:
    """A setting that was not as requested.

    Attributes:
        name: dotted name of the setting, as in the Engine API.
        current: value before; None if it was not set.
        expected: requested value; None if it is no longer requested.
    """

    name: str
    current: object
    expected: object

    def __str__(self) -> str:
        if self.current == self.expected:
            return f"{self.name} was different"
        if self.current is None or self.expected is None:
            return f"{self.name} was {'not set' if self.current is None else 'set'}"
        return f"{self.name}: {self.current!r} instead of {self.expected!r}"


@dataclass(frozen=True)
class Ensured:
    """The result of ``ensure()``.

    Attributes:
        action: "unchanged", "created", "started" (a stopped container), "updated" (in place) or "replaced".
        differences: settings that differed before; empty if the object did not exist.
    """

    action: Action
    differences: tuple[Difference, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the engine was changed."""
        return self.action != "unchanged"

    def __str__(self) -> str:
        return self.action + (f" ({'; '.join(map(str, self.differences))})" if self.differences else "")


def differences(current: object, expected: object, name: str = "") -> tuple[Difference, ...]:
    """Compare settings with the requested ones, leaf by leaf. Settings that are not requested, or None, are ignored."""
    return tuple(_differences(current, expected, name))


def _differences(current: object, expected: object, name: str) -> Iterator[Difference]:
    if expected is None or current == expected:
        return
    if isinstance(expected, Mapping):
        present: Mapping[object, object] = current if isinstance(current, Mapping) else {}
        for key, value in expected.items():
            yield from _differences(present.get(key), value, f"{name}.{key}" if name else str(key))
    elif _is_list(expected) and _is_list(current) and len(expected) == len(current):
        for index, (item, required) in enumerate(zip(current, expected, strict=True)):
            yield from _differences(item, required, f"{name}[{index}]")
    elif current or expected:  # the engine does not distinguish unset and empty
        yield Difference(name, current, expected)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def raise_if_different(kind: str, name: str, found: Sequence[Difference], advice: str) -> None:
    """Raise Conflict with the differences, if there are any."""
    if found:
        raise errors.Conflict(f"{kind} {name!r} exists with different settings: {'; '.join(map(str, found))}; {advice}")
