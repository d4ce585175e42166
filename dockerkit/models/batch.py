"""Apply an operation to many objects concurrently."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty
from typing import TYPE_CHECKING, Generic, TypeVar

from dockerkit import runtime
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.errors.caller import argument_name
from dockerkit.parsing.values import raise_invalid, sequence
from dockerkit.transport.scope import Scope

if TYPE_CHECKING:
    import queue
    import threading
    from typing import Self

__all__ = ["BatchReport", "map_ordered", "run_batch", "with_method"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class BatchReport(Generic[R]):
    """Results of an operation on many objects.

    Attributes:
        done: results, by name or ID as passed.
        failed: errors, by name or ID as passed.
    """

    done: dict[str, R] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    def check(self) -> None:
        """Raise if anything failed.

        Raises:
            ExceptionGroup: with the error of each object that failed; its note names the object.
        """
        if self.failed:
            for name, error in self.failed.items():
                error.add_note(f"for {name!r}")
            raise ExceptionGroup(
                f"{len(self.failed)} of {len(self.failed) + len(self.done)} failed", list(self.failed.values())
            )

    def __str__(self) -> str:
        lines = [f"{len(self.done)} done, {len(self.failed)} failed"]
        return "\n".join([*lines, *(f"  {name}: {error}" for name, error in self.failed.items())])


def run_batch(function: Callable[[T], R], items: Iterable[T], workers: int) -> BatchReport[R]:
    """Call a function for each item concurrently. Errors of the engine and its registries go into the report."""
    _check(workers)
    labelled: dict[str, T] = {_label(item): item for item in sequence(items, argument_name(items, "items"))}
    report: BatchReport[R] = BatchReport()
    with _Pool(function, workers, "dockerkit-batch") as pool:
        for label, job in {label: pool.submit(item) for label, item in labelled.items()}.items():
            try:
                report.done[label] = job.result()
            except DockerException as error:
                report.failed[label] = error
    return report


def map_ordered(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield the results of a function in the order of the items, which are consumed as workers become free."""
    _check(workers)
    pending: deque[_Job[R]] = deque()
    with _Pool(function, workers, "dockerkit-map") as pool:
        for item in items:
            pending.append(pool.submit(item))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


class _Job(Generic[R]):
    """One call of a pool's function."""

    def __init__(self, call: Callable[[], R]) -> None:
        self._call = call
        self._ended = runtime.Event()
        self._error: BaseException | None = None
        self._value: R

    def run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    def result(self) -> R:
        self._ended.wait()
        if self._error is not None:
            try:
                raise self._error
            finally:
                del self  # the error's traceback refers to this frame
        return self._value


class _Pool(Generic[T, R]):
    """Threads that call a function: like ThreadPoolExecutor, but an event loop runs them as greenlets.

    Leaving the block drops the calls that have not begun and waits for the others. If the caller was interrupted, those
    are cancelled.
    """

    def __init__(self, function: Callable[[T], R], workers: int, name: str) -> None:
        self._function, self._workers, self._name = function, workers, name
        self._jobs: queue.Queue[_Job[R] | None] = runtime.Queue()
        self._threads: list[threading.Thread] = []
        self._running: set[Scope] = set()

    def submit(self, item: T) -> _Job[R]:
        job = _Job(partial(self._run, item))
        self._jobs.put(job)
        if len(self._threads) < self._workers:
            self._threads.append(runtime.Thread(self._work, name=self._name))
            self._threads[-1].start()
        return job

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()

    def _run(self, item: T) -> R:
        scope = Scope()
        self._running.add(scope)
        try:
            return scope.run(self._function, item)
        finally:
            self._running.discard(scope)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with suppress(Empty):
            while True:
                self._jobs.get_nowait()
        for _thread in self._threads:
            self._jobs.put(None)
        if kind is not None and not issubclass(kind, (Exception, GeneratorExit)):
            for scope in list(self._running):
                scope.cancel()
        for thread in self._threads:
            thread.join()


def with_method(items: Iterable[T], method: str) -> list[T]:
    """Return the containers that a function was called with; refuse objects without a method that it calls."""
    containers = sequence(items, "containers")
    for container in containers:
        if not callable(getattr(container, method, None)):
            raise_invalid("containers", "a list of containers", container)
    return containers


def _check(workers: int) -> None:
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InvalidArgument(f"workers: must be a number above 0, got {workers!r}")


def _label(item: object) -> str:
    if isinstance(item, str):
        return item
    name = getattr(item, "name", None) or getattr(item, "id", None)
    if not name:
        raise InvalidArgument(f"{argument_name(item, 'items')}: must be names, ids or objects, got {item!r}")
    return str(name)
