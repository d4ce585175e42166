"""How one waits: conditions are asked, told and combined with ``&`` and ``|``. They look, and never wait themselves.

A condition sees a :class:`Situation`, which :mod:`dockerkit.models.waiting` keeps up to date from events and one log
stream; those that nobody announces (a port, a file, a function) are asked now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    from dockerkit.models.containers import Container
    from dockerkit.models.log_lines import LogEntry

__all__ = ["AllOf", "AnyOf", "Asked", "Check", "Condition", "Situation", "condition"]

GONE = "the container has stopped"


@dataclass
class Situation:
    """What is known of the container.

    Attributes:
        container: the container.
        state: its ``State``, as the engine gave it last.
        gone: whether it was removed.
        log_ended: whether its log has come to an end.
    """

    container: Container
    state: Mapping[str, Any] = field(default_factory=dict)
    gone: bool = False
    log_ended: bool = False

    @property
    def stopped(self) -> bool:
        """Whether it ran and does no longer."""
        return self.gone or self.state.get("Status") in ("exited", "dead", "removing")

    @property
    def health(self) -> str | None:
        """What its health check says: "starting", "healthy", "unhealthy"; None where there is none."""
        status = (self.state.get("Health") or {}).get("Status")
        return None if status in (None, "", "none") else str(status)


class Condition:
    """Something to wait for. ``a & b`` waits for both, ``a | b`` for one of them; functions may stand in for conditions."""

    def met(self, situation: Situation) -> bool:
        """Whether it has come."""
        raise NotImplementedError

    def hopeless(self, situation: Situation) -> str | None:
        """Why it can't come any more; None while it can."""
        return GONE if situation.stopped else None

    def ask(self, situation: Situation) -> None:
        """Look for what nobody announces."""

    def read(self, entry: LogEntry) -> None:
        """A line of the container's log."""

    def begin(self) -> None:
        """Forget what was seen: a new wait begins."""

    def parts(self) -> Iterator[Condition]:
        """Those that it is made of; itself, if it is simple."""
        yield self

    def __and__(self, other: Condition | Callable[[Container], object]) -> AllOf:
        return AllOf(self, condition(other))

    def __rand__(self, other: Callable[[Container], object]) -> AllOf:
        return AllOf(condition(other), self)

    def __or__(self, other: Condition | Callable[[Container], object]) -> AnyOf:
        return AnyOf(self, condition(other))

    def __ror__(self, other: Callable[[Container], object]) -> AnyOf:
        return AnyOf(condition(other), self)


class _Several(Condition):
    def __init__(self, *conditions: Condition) -> None:
        self.conditions = conditions

    def ask(self, situation: Situation) -> None:
        for one in self.conditions:
            if not one.met(situation):
                one.ask(situation)

    def read(self, entry: LogEntry) -> None:
        for one in self.conditions:
            one.read(entry)

    def parts(self) -> Iterator[Condition]:
        for one in self.conditions:
            yield from one.parts()


class AllOf(_Several):
    """All of them."""

    def met(self, situation: Situation) -> bool:
        return all(one.met(situation) for one in self.conditions)

    def hopeless(self, situation: Situation) -> str | None:
        for one in self.conditions:
            if not one.met(situation) and (why := one.hopeless(situation)):
                return why
        return None

    def __repr__(self) -> str:
        return "(" + " & ".join(map(repr, self.conditions)) + ")"


class AnyOf(_Several):
    """One of them, whichever comes first."""

    def met(self, situation: Situation) -> bool:
        return any(one.met(situation) for one in self.conditions)

    def hopeless(self, situation: Situation) -> str | None:
        reasons = [one.hopeless(situation) for one in self.conditions]
        return None if None in reasons else "; ".join(dict.fromkeys(why for why in reasons if why))

    def __repr__(self) -> str:
        return "(" + " | ".join(map(repr, self.conditions)) + ")"


class Asked(Condition):
    """A condition that nobody announces: once met, it stays so."""

    _met = False

    def begin(self) -> None:
        self._met = False

    def met(self, situation: Situation) -> bool:
        return self._met

    def ask(self, situation: Situation) -> None:
        if situation.state.get("Status") == "running" and not self._met:
            self._met = self._look(situation.container)

    def _look(self, container: Container) -> bool:
        raise NotImplementedError


class Check(Asked):
    """A function of yours answers something true.

    Args:
        function: called with the container now and then; what it raises ends the wait.
    """

    def __init__(self, function: Callable[[Container], object]) -> None:
        self.function = function

    def _look(self, container: Container) -> bool:
        return bool(self.function(container))

    def __repr__(self) -> str:
        return f"Check({getattr(self.function, '__name__', self.function)})"


def condition(wanted: Condition | Callable[[Container], object]) -> Condition:
    """A condition; a function becomes a :class:`Check`.

    Raises:
        InvalidArgument: it is neither.
    """
    if isinstance(wanted, Condition):
        return wanted
    if isinstance(wanted, type) or not callable(wanted):
        raise InvalidArgument(
            f"condition: {wanted!r} is none; Healthy(), Running(), Exited(), Log(...), Port(...), Http(...), File(...) "
            "or a function is needed"
        )
    return Check(wanted)
