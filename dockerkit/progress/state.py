"""The progress state of one operation; see :mod:`dockerkit.progress`."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from dockerkit.progress.steps import LOG_LINES, Event, Kind, Part, Renderer, Step, clip
from dockerkit.progress.text import size_text
from dockerkit.streams.lines import LineSplitter

__all__ = ["LOG_LINES", "Event", "Part", "Progress", "Renderer", "Step"]

_NUMBERED = re.compile(r"\[(?:([^\]]*) )?\d+/(\d+)\] ")
_BUILD_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
_LAYER_DONE = frozenset({"Pull complete", "Already exists", "Pushed", "Layer already exists"})
_LAYER_CACHED = frozenset({"Already exists", "Layer already exists"})


class Progress:
    """The progress state of one operation.

    Args:
        title: title, such as "Pulling alpine:3".
        renderer: display to notify of changes.
        clock: monotonic clock in seconds.

    Attributes:
        steps: layers, steps and transfers by ID, in order of appearance.
        messages: messages about the whole operation.
        warnings: warnings so far.
        error: error message; None if it has not failed.
        expected: expected number of steps, if known.
        started, ended: start and end on the clock.
        event: last change.
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
        self._planned: set[str] = set()
        self._stages: dict[str, int] = {}
        self._highest = 0.0
        self._samples: deque[tuple[float, float]] = deque(maxlen=64)
        self._build_step: str | None = None
        self._lines = LineSplitter()

    # --- updates from the Engine's records ---

    def feed(self, record: Mapping[str, Any]) -> None:
        """Process one decoded record of a pull, push, load, import or classic build. Unknown records are ignored."""
        detail = record.get("errorDetail")
        if detail or record.get("error"):
            message = detail.get("message") if isinstance(detail, Mapping) else None
            self.failed(str(message or record.get("error")))
        elif isinstance(record.get("stream"), str):
            for line in self._lines.feed(record["stream"].encode("utf-8", "replace")):
                self._feed_line(line.decode())
        elif isinstance(record.get("status"), str):
            self._feed_status(record["status"], str(record.get("id") or ""), record.get("progressDetail"))

    def _feed_status(self, status: str, id: str, detail: object) -> None:
        amounts = detail if isinstance(detail, Mapping) else {}
        current, total, units = amounts.get("current"), amounts.get("total"), amounts.get("units")
        if status.startswith("Pulling from") or not (id or current):
            self.message(f"{id}: {status}" if id else status)
            return
        if units:  # seconds, while containerd's store unpacks a layer
            amount = f"{current}/{total} {units}" if total else f"{current} {units}"
            self.layer(id or status, status, detail=amount if current is not None else "")
        else:
            self.layer(id or status, status, current, total)

    def _feed_line(self, line: str) -> None:
        """Process a line of a classic build or a load."""
        match = _BUILD_STEP.match(line)
        if match:
            number, count, instruction = match.groups()
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

    # --- updates by method calls ---

    def step_planned(self, id: str, name: str) -> None:
        """Announce a step. The percentage counts the numbered steps of names such as ``[stage 2/3] RUN make``."""
        with self.lock:
            self._planned.add(id)
            if numbered := _NUMBERED.match(name):
                self._stages[numbered[1] or ""] = int(numbered[2])

    def step_started(self, id: str, name: str, at: float | None = None) -> None:
        """Record that a step started or restarted.

        Args:
            id: ID of the step.
            name: displayed name.
            at: start time in seconds on the engine's clock; only compared with ``at`` of :meth:`step_done`.
        """
        with self.lock:
            self.step_planned(id, name)
            step = self._step(id, name)
            step.name = name
            if step.started is None or step.done:
                step.started, step.ended, step._engine_start = self.clock(), None, at
                self._notify("started", step, name)

    def step_status(
        self,
        id: str,
        part: str,
        name: str,
        current: int | None = None,
        total: int | None = None,
        done: bool = False,
    ) -> None:
        """Record the progress of a part of a step: ``current`` of ``total`` bytes."""
        with self.lock:
            step = self._step(id, id)
            previous = step.parts.get(part)
            now = self.clock()
            step.parts[part] = Part(part, name, current, total, done, now if previous is None else previous.started)
            if name.endswith(":"):  # "transferring context:", which is only useful with its amount
                started = bool(current) and not (previous and previous.current)
                changed = started or (done and not (previous and previous.done))
                amount = f" {size_text(current)}" if current else ""
                self._notify("status" if changed else "amount", step, f"{name}{amount}{' done' * done}")
            elif previous is None or previous.done != done:
                long = previous is not None and now - previous.started >= 1
                self._notify("status" if previous is None or long else "amount", step, f"{name} done" if long else name)
            else:
                self._notify("amount", step, name)

    def step_log(self, id: str, text: str | bytes, stream: int = 1) -> None:
        """Record output of a step; ``stream`` is 1 for stdout, 2 for stderr."""
        with self.lock:
            step = self._step(id, id)
            data = text.encode() if isinstance(text, str) else text
            for line in step._pending.setdefault(stream, LineSplitter()).feed(data):
                self._log(step, line, stream)

    def step_done(self, id: str, cached: bool = False, error: str | None = None, at: float | None = None) -> None:
        """Record that a step ended: found in the cache, failed with ``error``, or done."""
        with self.lock:
            step = self._step(id, id)
            if step.done and error is None:
                return
            for stream, pending in step._pending.items():
                if rest := pending.close():
                    self._log(step, rest, stream)
            step._pending.clear()
            now = self.clock()
            if at is not None and step._engine_start is not None:
                step._previous_seconds += max(0.0, at - step._engine_start)
            elif step.started is not None:
                step._previous_seconds += now - step.started
            step.ended, step.cached, step.error = now, cached, error
            self._notify("done", step, error or ("CACHED" if cached else step.name))

    def layer(
        self, id: str, status: str, current: int | None = None, total: int | None = None, detail: str = ""
    ) -> None:
        """Record the Engine's status of a layer, with bytes if reported; ``detail`` is an amount in another unit."""
        with self.lock:
            step = self._step(id, id, "layer")
            changed = step.status != status
            step.status, step.detail = status, detail
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
                step._previous_seconds = step.ended - step.started
            elif not finished:
                step.ended = None
            self._notify("done" if finished else "status" if changed else "amount", step, status)

    def amount(self, id: str, current: int, total: int | None = None, name: str | None = None) -> None:
        """Record that a transfer has completed ``current`` of ``total`` bytes."""
        with self.lock:
            step = self._step(id, name or id, "transfer")
            first = step.started is None
            step.started = self.clock() if step.started is None else step.started
            step.current = current
            step.total = total or step.total
            step._weight = step.total or 0
            self._notify("started" if first else "amount", step, step.name)

    def message(self, text: str) -> None:
        """Add a message about the whole operation."""
        with self.lock:
            self.messages.append(text)
            self._notify("message", None, text)

    def warning(self, text: str) -> None:
        """Add a warning."""
        with self.lock:
            self.warnings.append(text)
            self._notify("warning", None, text)

    def failed(self, text: str) -> None:
        """Record that the operation failed, and with it the current step."""
        with self.lock:
            self.error = text
            if self._build_step is not None:
                self.step_done(self._build_step, error=text)
                self._build_step = None

    def finish(self) -> None:
        """Record the end. Running steps are marked as done unless the operation failed. Further calls do nothing."""
        with self.lock:
            if self.ended is not None:
                return
            if rest := self._lines.close():
                self._feed_line(rest.decode())
            self._end_build_step()
            for step in self.steps.values():
                if not step.done and step.started is not None and self.error is None:
                    step.ended = self.clock()
                    step._previous_seconds += step.ended - step.started
            self.ended = self.clock()
            self._notify("finished", None, self.error or "")
        if self.renderer is not None:  # without the lock: a display may wait for its thread, which needs the lock
            self.renderer.finish(self)

    # --- queries ---

    @property
    def current(self) -> int:
        """Bytes transferred by layers and transfers."""
        return sum(round(step.fraction * step._weight) for step in self._transfers())

    @property
    def total(self) -> int | None:
        """Total bytes of layers and transfers, as far as known; None if nothing is known."""
        return sum(step._weight for step in self._transfers()) or None

    @property
    def percent(self) -> float | None:
        """Overall progress from 0 to 100, never decreasing; None if unknown."""
        with self.lock:
            fraction = self._fraction()
            if fraction is None:
                return None
            self._highest = max(self._highest, fraction)
            return self._highest * 100

    @property
    def eta(self) -> float | None:
        """Estimated remaining seconds at the recent speed; None if unknown."""
        with self.lock:
            percent = self.percent
            if percent is None or self.ended is not None:
                return None
            now, done = self.clock(), percent / 100
            while self._samples and now - self._samples[0][0] > 20 and len(self._samples) > 2:
                self._samples.popleft()
            if not self._samples or done <= self._samples[0][1] or now <= self._samples[0][0]:
                return None
            earlier, done_earlier = self._samples[0]
            return (1 - done) * (now - earlier) / (done - done_earlier)

    @property
    def seconds(self) -> float:
        """Elapsed seconds."""
        return (self.clock() if self.ended is None else self.ended) - self.started

    @property
    def step_count(self) -> int:
        """Number of steps, layers and transfers known so far."""
        return max(len(self.steps.keys() | self._planned), self.expected or 0)

    @property
    def done_steps(self) -> int:
        """Number of finished steps, layers and transfers."""
        return sum(step.done for step in self.steps.values())

    def __repr__(self) -> str:
        percent = self.percent
        share = f", {percent:.0f} %" if percent is not None else ""
        return f"<Progress: {self.title}, {self.done_steps}/{self.step_count} done{share}>"

    def _repr_html_(self) -> str:
        from dockerkit.progress.html import to_html

        return to_html(self)

    # --- internals ---

    def _transfers(self) -> list[Step]:
        return [step for step in self.steps.values() if step.kind != "step" and not step.cached]

    def _fraction(self) -> float | None:
        transfers = self._transfers()
        weights = [step._weight for step in transfers if step._weight]
        if self.ended is not None and self.error is None:
            return 1.0
        if expected := sum(self._stages.values()) or self.expected:
            building = [step for step in self.steps.values() if step.kind == "step"]
            counted = [step for step in building if not self._stages or _NUMBERED.match(step.name)]
            return min(sum(step.fraction for step in counted if step.error is None) / expected, 1.0)
        if weights:
            # A layer of unknown size counts as average.
            average = sum(weights) / len(weights)
            done = sum(step.fraction * (step._weight or average) for step in transfers)
            return done / sum(step._weight or average for step in transfers)
        return None

    def _step(self, id: str, name: str, kind: str = "step") -> Step:
        step = self.steps.get(id)
        if step is None:
            step = self.steps[id] = Step(id, name, kind)
        return step

    def _log(self, step: Step, line: bytes, stream: int) -> None:
        # Keep only what a program wrote after its last \r.
        text = line.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]
        step.log.append(clip(text))
        self._notify("log", step, text, stream)

    def _notify(self, kind: Kind, step: Step | None, text: str, stream: int = 1) -> None:
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
