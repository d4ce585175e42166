"""The state of one operation: what :mod:`dockerkit.progress` feeds and shows."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from dockerkit.progress_steps import LOG_LINES, Event, Kind, Part, Renderer, Step

__all__ = ["LOG_LINES", "Event", "Part", "Progress", "Renderer", "Step"]

_BUILD_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
_LAYER_DONE = frozenset({"Pull complete", "Already exists", "Pushed", "Layer already exists"})
_LAYER_CACHED = frozenset({"Already exists", "Layer already exists"})


class Progress:
    """The state of one operation.

    Args:
        title: what it is: "Pulling alpine:3".
        renderer: who is told of changes.
        clock: seconds, ever growing.

    Attributes:
        steps: layers, steps and transfers by id, in order of appearance.
        messages: what was said about the whole.
        warnings: warnings so far.
        error: why it failed; None while it has not.
        expected: how many steps there will be, where known.
        started, ended: on the clock.
        event: what changed last.
        lock: held while the state changes.
    """

    def __init__(
        self, title: str = "", renderer: Renderer | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.title = title
        self.renderer = renderer
        self.clock = clock
        self.steps: dict[str, Step] = {}
        self.messages: list[str] = []
        self.warnings: list[str] = []
        self.error: str | None = None
        self.expected: int | None = None
        self.started: float = clock()
        self.ended: float | None = None
        self.event: Event = Event("message")
        self.lock: threading.RLock = threading.RLock()
        self._numbers = 0
        self._highest = 0.0
        self._samples: deque[tuple[float, float]] = deque(maxlen=64)
        self._build_step: str | None = None
        self._text = ""

    # --- told by the Engine's records ---

    def feed(self, record: Mapping[str, Any]) -> None:
        """Take one decoded record of a pull, push, load, import or classic build. Unknown ones are passed over."""
        detail = record.get("errorDetail")
        if detail or record.get("error"):
            message = detail.get("message") if isinstance(detail, Mapping) else None
            self.failed(str(message or record.get("error")))
        elif isinstance(record.get("stream"), str):
            self._feed_text(record["stream"])
        elif isinstance(record.get("status"), str):
            self._feed_status(record["status"], str(record.get("id") or ""), record.get("progressDetail"))

    def _feed_status(self, status: str, id: str, detail: object) -> None:
        amounts = detail if isinstance(detail, Mapping) else {}
        current, total = amounts.get("current"), amounts.get("total")
        if status.startswith("Pulling from") or not (id or current):
            self.message(f"{id}: {status}" if id else status)
            return
        self.layer(id or status, status, current, total)

    def _feed_text(self, text: str) -> None:
        """Text of a classic build or a load: whole lines, whatever the pieces."""
        *lines, self._text = (self._text + text).split("\n")
        for line in lines:
            self._feed_line(line)

    def _feed_line(self, line: str) -> None:
        begun = _BUILD_STEP.match(line)
        if begun:
            number, count, instruction = begun.groups()
            self._end_build_step()
            self.expected = int(count)
            self._build_step = number
            self.step_started(number, f"[{number}/{count}] {instruction}")
        elif self._build_step is None or line.startswith(("Successfully ", "Loaded image")):
            self._end_build_step()
            if line.strip():
                self.message(line.rstrip())
        elif line.strip() == "---> Using cache":
            self.steps[self._build_step].cached = True
        else:
            self.step_log(self._build_step, line + "\n")

    def _end_build_step(self) -> None:
        if self._build_step is not None:
            self.step_done(self._build_step, cached=self.steps[self._build_step].cached)
            self._build_step = None

    # --- told in words ---

    def step_started(self, id: str, name: str, at: float | None = None) -> None:
        """A step began, or began once more after an end.

        Args:
            id: the step.
            name: what to show.
            at: when, in seconds by the engine's clock; only used against ``at`` of :meth:`step_done`.
        """
        with self.lock:
            step = self._step(id, name)
            step.name = name
            if step.started is None or step.done:
                step.started, step.ended, step._engine_start = self.clock(), None, at
                self._tell("started", step, name)

    def step_status(
        self,
        id: str,
        part: str,
        name: str,
        current: int | None = None,
        total: int | None = None,
        done: bool = False,
    ) -> None:
        """A part of a step has come so far: ``current`` of ``total`` bytes."""
        with self.lock:
            step = self._step(id, id)
            known = step.parts.get(part)
            now = self.clock()
            step.parts[part] = Part(part, name, current, total, done, now if known is None else known.started)
            if known is None or known.done != done:
                long = known is not None and now - known.started >= 1
                self._tell("status" if known is None or long else "amount", step, f"{name} done" if long else name)
            else:
                self._tell("amount", step, name)

    def step_log(self, id: str, text: str | bytes, stream: int = 1) -> None:
        """A step wrote ``text``; ``stream`` is 1 for its output, 2 for its errors."""
        with self.lock:
            step = self._step(id, id)
            data = text.encode() if isinstance(text, str) else text
            *lines, rest = (step._pending.get(stream, b"") + data).split(b"\n")
            step._pending[stream] = rest
            for line in lines:
                self._log(step, line, stream)

    def step_done(self, id: str, cached: bool = False, error: str | None = None, at: float | None = None) -> None:
        """A step came to its end: found in the cache, failed with ``error``, or done."""
        with self.lock:
            step = self._step(id, id)
            if step.done and error is None:
                return
            for stream, rest in step._pending.items():
                if rest:
                    self._log(step, rest, stream)
            step._pending.clear()
            now = self.clock()
            if at is not None and step._engine_start is not None:
                step._before += max(0.0, at - step._engine_start)
            elif step.started is not None:
                step._before += now - step.started
            step.ended, step.cached, step.error = now, cached, error
            self._tell("done", step, error or ("CACHED" if cached else step.name))

    def layer(self, id: str, status: str, current: int | None = None, total: int | None = None) -> None:
        """The Engine's word about a layer, with bytes where it gave some."""
        with self.lock:
            step = self._step(id, id, "layer")
            changed = step.status != status
            step.status = status
            step.current = current if current is not None else (None if changed else step.current)
            step.total = total or (None if changed else step.total)
            step._weight = max(step._weight, step.total or 0)
            if step.started is None:
                step.started = self.clock()
            finished = status in _LAYER_DONE or status.startswith("Mounted from")
            if status == "Loading layer" and total and current is not None and current >= total:
                finished = True
            if finished and not step.done:
                step.cached = status in _LAYER_CACHED
                step.ended = self.clock()
                step._before = step.ended - step.started
            elif not finished:
                step.ended = None
            self._tell("done" if finished else "status" if changed else "amount", step, status)

    def amount(self, id: str, current: int, total: int | None = None, name: str | None = None) -> None:
        """A transfer has done ``current`` bytes of ``total``."""
        with self.lock:
            step = self._step(id, name or id, "transfer")
            first = step.started is None
            step.started = self.clock() if step.started is None else step.started
            step.current = current
            step.total = total or step.total
            step._weight = step.total or 0
            self._tell("started" if first else "amount", step, step.name)

    def message(self, text: str) -> None:
        """Something about the whole."""
        with self.lock:
            self.messages.append(text)
            self._tell("message", None, text)

    def warning(self, text: str) -> None:
        """Something the user should know."""
        with self.lock:
            self.warnings.append(text)
            self._tell("warning", None, text)

    def failed(self, text: str) -> None:
        """It failed; the step that was at work is the one that failed."""
        with self.lock:
            self.error = text
            if self._build_step is not None:
                self.step_done(self._build_step, error=text)
                self._build_step = None

    def finish(self) -> None:
        """The end. Steps still at work are done, if nothing failed. More than once is once."""
        with self.lock:
            if self.ended is not None:
                return
            if self._text:
                self._feed_line(self._text)
                self._text = ""
            self._end_build_step()
            for step in self.steps.values():
                if not step.done and step.started is not None and self.error is None:
                    step.ended = self.clock()
                    step._before += step.ended - step.started
            self.ended = self.clock()
            self._tell("finished", None, self.error or "")
        if self.renderer is not None:  # without the lock: a display may have to wait for its thread, which wants it
            self.renderer.finish(self)

    # --- asked ---

    @property
    def current(self) -> int:
        """Bytes done by layers and transfers."""
        return sum(round(step.fraction * step._weight) for step in self._weighed())

    @property
    def total(self) -> int | None:
        """Bytes to do by layers and transfers, as far as known; None where nothing is."""
        return sum(step._weight for step in self._weighed()) or None

    @property
    def percent(self) -> float | None:
        """How much is done of all, 0 to 100, never going down; None where one can't know."""
        with self.lock:
            fraction = self._fraction()
            if fraction is None:
                return None
            self._highest = max(self._highest, fraction)
            return self._highest * 100

    @property
    def eta(self) -> float | None:
        """Seconds that it will still take at the speed of the last while; None where one can't know."""
        with self.lock:
            percent = self.percent
            if percent is None or self.ended is not None:
                return None
            now, done = self.clock(), percent / 100
            while self._samples and now - self._samples[0][0] > 20 and len(self._samples) > 2:
                self._samples.popleft()
            if not self._samples or done <= self._samples[0][1] or now <= self._samples[0][0]:
                return None
            then, before = self._samples[0]
            return (1 - done) * (now - then) / (done - before)

    @property
    def seconds(self) -> float:
        """How long it has taken so far, or took."""
        return (self.clock() if self.ended is None else self.ended) - self.started

    @property
    def done_steps(self) -> int:
        """How many steps, layers and transfers came to their end."""
        return sum(step.done for step in self.steps.values())

    def __repr__(self) -> str:
        percent = self.percent
        share = f", {percent:.0f} %" if percent is not None else ""
        return f"<Progress: {self.title}, {self.done_steps}/{len(self.steps)} done{share}>"

    def _repr_html_(self) -> str:
        from dockerkit.progress_html import to_html

        return to_html(self)

    # --- inside ---

    def _weighed(self) -> list[Step]:
        return [step for step in self.steps.values() if step.kind != "step" and not step.cached]

    def _fraction(self) -> float | None:
        moving = self._weighed()
        known = [step._weight for step in moving if step._weight]
        if self.expected:
            building = [step for step in self.steps.values() if step.kind == "step"]
            return min(sum(step.fraction for step in building) / self.expected, 1.0)
        if known:
            # A layer whose size has not been told counts as one of middle size.
            middle = sum(known) / len(known)
            done = sum(step.fraction * (step._weight or middle) for step in moving)
            return done / sum(step._weight or middle for step in moving)
        if self.ended is not None and self.error is None:
            return 1.0
        return None

    def _step(self, id: str, name: str, kind: str = "step") -> Step:
        step = self.steps.get(id)
        if step is None:
            step = self.steps[id] = Step(id, name, kind)
        return step

    def _log(self, step: Step, line: bytes, stream: int) -> None:
        # What a program overwrote with \r was not meant to stay.
        text = line.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]
        step.log.append(text)
        self._tell("log", step, text, stream)

    def _tell(self, kind: Kind, step: Step | None, text: str, stream: int = 1) -> None:
        if step is not None and not step.number:
            self._numbers += 1
            step.number = self._numbers
        if kind in ("amount", "status", "done"):
            now = self.clock()
            if not self._samples or now - self._samples[-1][0] >= 0.5:
                percent = self.percent
                if percent is not None:
                    self._samples.append((now, percent / 100))
        self.event = Event(kind, step, text, stream)
        if self.renderer is not None:
            self.renderer.update(self, self.event)
