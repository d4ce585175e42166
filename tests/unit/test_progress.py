"""Progress: states fed by recorded streams with a fake clock, and their displays."""

from __future__ import annotations

import io
import re
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit import errors
from dockerkit.progress import Event, Progress, Renderer, renderer, track_operation, watch, watch_bytes
from dockerkit.progress.display import Plain, Terminal, display
from dockerkit.progress.html import Notebook, to_html
from dockerkit.progress.text import clean, clip, size_text, time_text, width_of

PULL: list[dict[str, Any]] = [
    {"status": "Pulling from library/app", "id": "3"},
    {"status": "Already exists", "progressDetail": {}, "id": "aaa"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "bbb"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "ccc"},
    {"status": "Downloading", "progressDetail": {"current": 500, "total": 1000}, "progress": "[=>]", "id": "bbb"},
    {"status": "Downloading", "progressDetail": {"current": 3000, "total": 3000}, "progress": "[=>]", "id": "ccc"},
    {"status": "Download complete", "progressDetail": {}, "id": "ccc"},
    {"status": "Downloading", "progressDetail": {"current": 1000, "total": 1000}, "progress": "[=>]", "id": "bbb"},
    {"status": "Extracting", "progressDetail": {"current": 1000, "total": 1000}, "progress": "[=>]", "id": "bbb"},
    {"status": "Pull complete", "progressDetail": {}, "id": "bbb"},
    {"status": "Extracting", "progressDetail": {"current": 1500, "total": 3000}, "progress": "[=>]", "id": "ccc"},
    {"status": "Pull complete", "progressDetail": {}, "id": "ccc"},
    {"status": "Digest: sha256:1234"},
    {"status": "Status: Downloaded newer image for app:3"},
]
PUSH: list[dict[str, Any]] = [
    {"status": "The push refers to repository [127.0.0.1:5000/app]"},
    {"status": "Preparing", "progressDetail": {}, "id": "aaa"},
    {"status": "Preparing", "progressDetail": {}, "id": "bbb"},
    {"status": "Layer already exists", "progressDetail": {}, "id": "bbb"},
    {"status": "Pushing", "progressDetail": {"current": 250, "total": 1000}, "progress": "[=>]", "id": "aaa"},
    {"status": "Pushed", "progressDetail": {}, "id": "aaa"},
    {"status": "3: digest: sha256:1234 size: 527"},
    {"progressDetail": {}, "aux": {"Tag": "3", "Digest": "sha256:1234", "Size": 527}},
]
BUILD: list[dict[str, Any]] = [
    {"stream": "Step 1/3 : FROM app"},
    {"stream": "\n"},
    {"stream": " ---> 0123456789ab\n"},
    {"stream": "Step 2/3 : RUN make\n ---> Using "},
    {"stream": "cache\n ---> 1123456789ab\n"},
    {"stream": "Step 3/3 : RUN test\n"},
    {"stream": " ---> Running in 2123456789ab\n"},
    {"stream": "one\ntwo\n"},
    {"aux": {"ID": "sha256:abc"}},
    {"stream": "Successfully built 3123456789ab\n"},
    {"stream": "Successfully tagged app:3\n"},
]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Recorder:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.finished = 0

    def update(self, progress: Progress, event: Event) -> None:
        self.events.append(event)

    def finish(self, progress: Progress) -> None:
        self.finished += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> Progress:
    return Progress("Working", clock=clock)


def test_pull(state: Progress) -> None:
    percents = []
    for record in PULL:
        state.feed(record)
        percents.append(state.percent)
    assert list(state.steps) == ["aaa", "bbb", "ccc"]
    assert state.steps["aaa"].cached
    assert percents[:4] == [None, None, None, None]
    assert percents[4] == pytest.approx(12.5)  # the other layer counts, although its size is unknown
    assert percents[5] == pytest.approx((250 + 1500) / 4000 * 100)
    assert percents[-1] == 100.0
    assert percents[4:] == sorted(percents[4:])  # type: ignore[type-var]
    assert state.messages[0] == "3: Pulling from library/app"
    assert (state.current, state.total, state.done_steps) == (4000, 4000, 3)
    state.finish()
    assert state.error is None
    assert repr(state) == "<Progress: Working, 3/3 done, 100 %>"


def test_push(state: Progress) -> None:
    for record in PUSH[:5]:
        state.feed(record)
    assert state.percent == pytest.approx(25.0)
    for record in PUSH[5:]:
        state.feed(record)
    assert state.percent == 100.0
    assert state.steps["bbb"].cached
    assert state.messages[-1] == "3: digest: sha256:1234 size: 527"


def test_load(state: Progress) -> None:
    state.feed({"status": "Loading layer", "progressDetail": {"current": 10, "total": 40}, "id": "aaa"})
    assert state.percent == 25.0
    state.feed({"status": "Loading layer", "progressDetail": {"current": 40, "total": 40}, "id": "aaa"})
    assert state.steps["aaa"].done
    state.feed({"stream": "Loaded image: app:3\n"})
    assert state.messages == ["Loaded image: app:3"]


def test_classic_build(state: Progress) -> None:
    for record in BUILD[:7]:
        state.feed(record)
    assert state.percent == pytest.approx(200 / 3)
    for record in BUILD[7:]:
        state.feed(record)
    state.finish()
    assert [step.name for step in state.steps.values()] == ["[1/3] FROM app", "[2/3] RUN make", "[3/3] RUN test"]
    assert [step.cached for step in state.steps.values()] == [False, True, False]
    assert list(state.steps["3"].log)[-2:] == ["one", "two"]
    assert state.messages == ["Successfully built 3123456789ab", "Successfully tagged app:3"]
    assert state.percent == 100.0


def test_failed_build_names_its_step(state: Progress) -> None:
    for record in BUILD[:8]:
        state.feed(record)
    state.feed({"errorDetail": {"code": 1, "message": "returned a non-zero code: 1"}, "error": "x"})
    state.finish()
    assert state.error == "returned a non-zero code: 1"
    assert state.steps["3"].error == state.error
    assert [step.error for step in state.steps.values()] == [None, None, state.error]
    assert state.percent is not None


def test_buildkit_words_and_times(state: Progress, clock: Clock) -> None:
    state.step_started("sha256:1", "[1/2] RUN sleep", at=5000.0)
    clock.now += 2
    assert state.steps["sha256:1"].seconds(clock.now) == 2.0
    state.step_done("sha256:1", at=5001.5)  # the engine's clock takes precedence
    state.step_started("sha256:1", "[1/2] RUN sleep", at=5003.0)
    clock.now += 1
    state.step_done("sha256:1", at=5003.5)
    assert state.steps["sha256:1"].seconds(clock.now) == 2.0
    state.step_started("sha256:2", "[2/2] COPY")
    state.step_status("sha256:2", "p", "transferring", 10, 100)
    state.step_status("sha256:2", "p", "transferring", 100, 100, done=True)
    assert state.steps["sha256:2"].parts["p"].done
    state.step_done("sha256:2", error="no such file")
    assert [step.number for step in state.steps.values()] == [1, 2]
    assert state.steps["sha256:2"].error == "no such file"


@given(st.text(alphabet="ab\nü漢", max_size=60), st.lists(st.integers(0, 100), max_size=8))
def test_log_lines_do_not_depend_on_block_boundaries(text: str, cuts: list[int]) -> None:
    state = Progress()
    data = text.encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for start, end in zip(places, places[1:], strict=False):
        state.step_log("s", data[start:end])
    state.step_done("s")
    expected = text.split("\n")
    assert list(state.steps["s"].log) == (expected if expected[-1] else expected[:-1])


def test_log_is_bounded_and_keeps_what_was_not_overwritten(state: Progress) -> None:
    state.step_log("s", "".join(f"{number}\n" for number in range(1000)))
    assert len(state.steps["s"].log) == 100
    state.step_log("s", "10%\r20%\r30%\r\n")
    assert state.steps["s"].log[-1] == "30%"


def test_eta_uses_the_recent_speed(state: Progress, clock: Clock) -> None:
    assert state.eta is None
    for second in range(11):
        state.amount("file", second * 10, 1000)
        clock.now += 1
    assert state.eta == pytest.approx(90 / 10 * 1.1 * 10, rel=0.05)
    state.amount("file", 1000, 1000)
    assert state.eta == pytest.approx(0)
    state.finish()
    assert state.eta is None


def test_percent_never_goes_down(state: Progress) -> None:
    state.layer("a", "Downloading", 50, 100)
    high = state.percent
    state.layer("b", "Downloading", 0, 1000)
    assert state.percent == high
    state.layer("a", "Retrying in 5 seconds")
    assert state.percent == high


@given(st.lists(st.dictionaries(st.sampled_from(["status", "id", "stream", "progressDetail", "error", "errorDetail", "aux"]),
       st.one_of(st.none(), st.text(max_size=5), st.integers(), st.dictionaries(st.sampled_from(["current", "total", "message"]), st.integers(0, 9))))))  # fmt: skip
def test_odd_records_are_tolerated(records: list[dict[str, Any]]) -> None:
    state = Progress("x", Plain(io.StringIO()))
    for record in records:
        state.feed(record)
        assert state.percent is None or 0 <= state.percent <= 100
    state.finish()
    to_html(state)


# --- connecting --------------------------------------------------------------------------------------------------


def test_watch_yields_all_records_and_ends_the_display() -> None:
    recorder = Recorder()
    assert list(watch(PULL, recorder)) == PULL
    assert recorder.finished == 1
    assert recorder.events[-1].kind == "finished"
    assert list(watch(PULL, None)) == PULL


def test_watch_closed_early_or_failing_ends_the_display() -> None:
    recorder = Recorder()
    passing = watch(PULL, recorder)
    next(passing)
    passing.close()  # type: ignore[attr-defined]
    assert recorder.finished == 1
    assert recorder.events[-1].text == ""

    def cut() -> Iterator[dict[str, Any]]:
        yield PULL[0]
        raise errors.StreamTruncated("cut short")

    recorder = Recorder()
    with pytest.raises(errors.StreamTruncated):
        list(watch(cut(), recorder))
    assert (recorder.finished, recorder.events[-1].text) == (1, "cut short")


def test_watch_bytes() -> None:
    percents: list[float | None] = []
    assert list(watch_bytes([b"aa", b"bb"], lambda state: percents.append(state.percent), "copy", 4)) == [b"aa", b"bb"]
    assert percents == [0.0, 50.0, 100.0, 100.0]
    assert list(watch_bytes([b"a"], None)) == [b"a"]


def test_callback_gets_every_event() -> None:
    kinds: list[str] = []
    with track_operation(lambda state: kinds.append(state.event.kind), "x") as state:
        state.step_started("1", "one")
        state.step_log("1", "text\n")
        state.warning("careful")
    assert kinds == ["started", "log", "warning", "finished"]


@pytest.mark.parametrize("spec", [None, False, "quiet"])
def test_no_display_without_progress(spec: Any) -> None:
    assert renderer(spec) is None


@pytest.mark.parametrize("spec", ["fancy", 3, object()])
def test_rejects_invalid_progress_values(spec: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match="progress"):
        renderer(spec)


def test_auto_is_plain_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(renderer(True), Plain)
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(renderer("auto"), Terminal)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(renderer("auto"), Plain)


# --- plain -------------------------------------------------------------------------------------------------------


def test_plain_pull(clock: Clock) -> None:
    out = io.StringIO()
    state = Progress("Pulling app:3", Plain(out), clock)
    for record in PULL:
        state.feed(record)
    state.finish()
    assert out.getvalue().splitlines() == [
        "3: Pulling from library/app",
        "aaa: Already exists",
        "bbb: Pulling fs layer",
        "ccc: Pulling fs layer",
        "bbb: Downloading",
        "ccc: Downloading",
        "ccc: Download complete",
        "bbb: Extracting",
        "bbb: Pull complete",
        "ccc: Extracting",
        "ccc: Pull complete",
        "Digest: sha256:1234",
        "Status: Downloaded newer image for app:3",
        "Pulling app:3 0.0s (3/3) done 4.0kB/4.0kB",
    ]


def test_plain_build(clock: Clock) -> None:
    out = io.StringIO()
    state = Progress("Building", Plain(out), clock)
    state.step_started("a", "[1/2] RUN one")
    state.step_started("b", "[2/2] RUN two")
    clock.now += 0.5
    state.step_log("a", b"hel\x1b[2Jlo\n")
    state.step_done("a")
    state.step_log("b", "part")
    clock.now += 1
    state.step_done("b", error="exit code: 1")
    state.failed("exit code: 1")
    state.finish()
    assert out.getvalue().splitlines() == [
        "#1 [1/2] RUN one",
        "#1 ...",
        "#2 [2/2] RUN two",
        "#2 ...",
        "#1 0.500 hello",
        "#1 DONE 0.5s",
        "#2 1.500 part",
        "#2 ERROR: exit code: 1",
        *TAIL,
        "ERROR: exit code: 1",
    ]


def test_plain_writes_nothing_below_a_steps_end(clock: Clock) -> None:
    """BuildKit starts and ends loading the context several times, and reports amounts after its end."""
    out = io.StringIO()
    state = Progress("Building", Plain(out), clock)
    state.step_started("c", "[internal] load build context")
    state.step_done("c")
    state.step_status("c", "p", "transferring context:", 2)
    state.step_started("c", "[internal] load build context")
    state.step_done("c")
    state.step_started("r", "[1/1] RUN make")
    state.step_started("c", "[internal] load build context")
    state.step_done("c")  # nothing has changed
    state.step_log("c", "late\n")
    state.step_done("r")
    state.finish()
    assert out.getvalue().splitlines() == [
        "#1 [internal] load build context",
        "#1 transferring context: 2B",
        "#1 DONE 0.0s",
        "#2 [1/1] RUN make",
        "#2 ...",
        "#1 [internal] load build context",
        "#1 0.000 late",
        "#1 DONE 0.0s",
        "#2 DONE 0.0s",
        "Building 0.0s (2/2) done",
    ]


def test_plain_tells_how_much_was_transferred(clock: Clock) -> None:
    out = io.StringIO()
    state = Progress("Building", Plain(out), clock)
    state.step_started("c", "[internal] load build context")
    for current in (0, 1_200_000, 2_000_000):
        state.step_status("c", "p", "transferring context:", current)
    state.step_status("c", "p", "transferring context:", 3_000_000, done=True)
    state.step_status("c", "q", "transferring dockerfile:", 78, done=True)
    assert out.getvalue().splitlines()[1:] == [
        "#1 transferring context: 1.2MB",
        "#1 transferring context: 3.0MB done",
        "#1 transferring dockerfile: 78B done",
    ]


TAIL = ["------", " > [2/2] RUN two:", "   part", "------"]


def fail_with_output(state: Progress) -> None:
    state.step_started("b", "[2/2] RUN two")
    state.step_log("b", "pa\x1b[2Jrt\n")
    state.step_done("b", error="exit code: 1")
    state.failed("exit code: 1")
    state.finish()


def test_all_displays_end_with_the_last_output_of_the_failed_step(clock: Clock) -> None:
    from rich.console import Console

    from dockerkit.progress.rich import Rich

    for kind in ("plain", "tty", "rich", "html"):
        out = io.StringIO()
        displays: dict[str, Renderer] = {
            "plain": Plain(out),
            "tty": Terminal(out, ticking=False, color=False),
            "rich": Rich(Console(file=out, force_terminal=True, width=100)),
        }
        state = Progress("Building", displays.get(kind), clock)
        fail_with_output(state)
        text = to_html(state).replace("&gt;", ">") if kind == "html" else out.getvalue()
        assert "\n".join(TAIL) in text.replace("\x1b[0m", ""), kind


def test_rich_keeps_the_names_of_steps_beside_a_long_error(clock: Clock) -> None:
    from rich.console import Console

    from dockerkit.progress.rich import Rich

    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    shown = Rich(console)
    state = Progress("Building", shown, clock)
    state.step_started("a", "[1/2] FROM docker.io/library/busybox")
    state.step_done("a", cached=True)
    state.step_started("b", "[2/2] RUN make everything")
    state.step_done("b", error="process did not complete successfully: exit code: 3 " * 5)
    out.truncate(0)
    console.print(shown._draw(state))
    state.finish()
    lines = clean(out.getvalue())
    assert "[1/2] FROM docker.io/library/busybox" in lines
    assert any("RUN make everything" in line and "failed" in line for line in out.getvalue().splitlines())


def test_rich_shows_the_output_of_running_steps(clock: Clock) -> None:
    from rich.console import Console

    from dockerkit.progress.rich import Rich

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60)
    shown = Rich(console)
    state = Progress("Building", shown, clock)
    state.step_started("a", "[1/2] RUN one")
    state.step_log("a", "".join(f"[line] {number} {'x' * 80}\n" for number in range(10)))
    console.print(shown._draw(state))
    state.finish()
    lines = clean(out.getvalue())
    assert "[line] 9" in lines
    assert "[line] 3" not in lines


def test_percentages_of_builds_count_numbered_steps_once_known(state: Progress) -> None:
    state.step_started("i", "[internal] load build definition from Dockerfile")
    state.step_done("i")
    assert (state.percent, state.step_count) == (None, 1)
    state.step_planned("a", "[base 1/2] COPY a")
    state.step_planned("b", "[base 2/2] COPY b")
    state.step_planned("c", "[linux/amd64 stage-1 2/2] RUN c")
    assert (state.percent, state.step_count) == (0, 4)
    state.step_started("a", "[base 1/2] COPY a")
    state.step_done("a", cached=True)
    assert state.percent == 25
    state.step_done("b", error="exit code: 1")
    state.step_started("e", "exporting to image")
    assert (state.percent, state.step_count) == (25, 5)
    state.finish()
    assert state.percent == 100


# --- terminal ----------------------------------------------------------------------------------------------------


class Screen:
    """A minimal terminal: cursor up, erase line, erase below, newline, carriage return."""

    def __init__(self) -> None:
        self.lines: list[str] = [""]
        self.row = 0
        self.writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        for token in re.findall(r"\x1b\[\d*[A-Za-z]|\n|\r|[^\x1b\n\r]+", text):
            if token == "\n":
                self.row += 1
                while len(self.lines) <= self.row:
                    self.lines.append("")
            elif token == "\r":
                continue
            elif token.endswith("A"):
                self.row -= int(token[2:-1])
                assert self.row >= 0
            elif token == "\x1b[2K":
                self.lines[self.row] = ""
            elif token == "\x1b[J":
                self.lines = [*self.lines[: self.row], ""]
            elif not token.startswith("\x1b"):
                self.lines[self.row] += token
        return len(text)

    def flush(self) -> None:
        pass


def on_screen(clock: Clock, size: tuple[int, int] = (100, 30)) -> tuple[Screen, Terminal]:
    screen = Screen()
    return screen, Terminal(screen, size=lambda: size, clock=clock, ticking=False, color=False)  # type: ignore[arg-type]


def test_terminal_pull_is_drawn_over_itself(clock: Clock) -> None:
    screen, terminal = on_screen(clock)
    state = Progress("Pulling app:3", terminal, clock)
    for record in PULL[:8]:
        state.feed(record)
        clock.now += 1
    assert screen.lines == [
        "3: Pulling from library/app",
        "[+] Pulling app:3 7.0s (1/3) 50% 4s left 2.0kB/4.0kB",
        "aaa: Already exists",
        "bbb: Downloading  [===================>]  1.0kB/1.0kB",
        "ccc: Download complete",
        "",
    ]
    for record in PULL[8:]:
        state.feed(record)
    state.finish()
    assert screen.lines[1:5] == [
        "Digest: sha256:1234",
        "Status: Downloaded newer image for app:3",
        "[+] Pulling app:3 8.0s (3/3) done 4.0kB/4.0kB",
        "aaa: Already exists",
    ]


def test_terminal_is_throttled(clock: Clock) -> None:
    screen, terminal = on_screen(clock)
    state = Progress("x", terminal, clock)
    for number in range(1000):
        state.amount("file", number, 1000)
        clock.now += 0.001
    assert screen.writes <= 11
    state.finish()
    assert screen.lines[0].startswith("[+] x")


@given(st.integers(5, 120), st.integers(3, 30), st.integers(0, 40))
def test_terminal_lines_fit(columns: int, rows: int, count: int) -> None:
    clock = Clock()
    state = Progress("漢字" * 20, clock=clock)
    for number in range(count):
        state.step_started(f"s{number}", f"[{number}] RUN ü漢字 \x1b[5A\x07 " + "x" * 100)
        state.step_log(f"s{number}", "output " * 50 + "\n")
        state.layer(f"l{number}", "Downloading", number, 40)
        if number % 2:
            state.step_done(f"s{number}")
    lines = Terminal(io.StringIO(), clock=clock, color=False).lines(state, columns, rows)
    assert all(width_of(line) < max(columns, 11) for line in lines)
    assert not [line for line in lines if "\x1b" in line or "\x07" in line]
    assert len(lines) <= max(rows, 3)


def test_terminal_build_shows_output_of_running_steps_and_reports_failures(clock: Clock) -> None:
    screen, terminal = on_screen(clock, (40, 20))
    state = Progress("Building", terminal, clock)
    state.step_started("a", "[1/2] RUN one")
    state.step_log("a", "".join(f"line {number}\n" for number in range(10)))
    clock.now += 65
    terminal.draw(state)
    assert screen.lines[0] == "[+] Building 1m05s 0%"
    assert screen.lines[1] == " => [1/2] RUN one                 1m05s"
    assert screen.lines[2:8] == [f" => => # line {number}" for number in range(4, 10)]
    state.step_done("a", error="boom")
    state.failed("boom")
    state.finish()
    assert screen.lines[1] == " => ERROR [1/2] RUN one           1m05s"
    assert screen.lines[2:4] == ["------", " > [1/2] RUN one:"]
    assert "ERROR: boom" in screen.lines


def test_terminal_thread_redraws_timers_and_ends() -> None:
    screen = Screen()
    terminal = Terminal(screen, size=lambda: (80, 24), interval=0.01, color=False)  # type: ignore[arg-type]
    state = Progress("x", terminal)
    state.step_started("a", "RUN sleep")
    before, deadline = screen.writes, time.monotonic() + 5
    while screen.writes < before + 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert screen.writes >= before + 2
    state.finish()
    assert not [thread for thread in threading.enumerate() if thread.name == "dockerkit-progress"]


def test_colour_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    state = Progress("x")
    state.step_done("a", error="e")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" in "".join(Terminal(io.StringIO()).lines(state, 80, 24))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in "".join(Terminal(io.StringIO()).lines(state, 80, 24))


# --- notebooks, rich ---------------------------------------------------------------------------------------------


def test_notebook_updates_one_output(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    shown: list[tuple[str, str]] = []

    class Handle:
        def update(self, html: str) -> None:
            shown.append(("update", html))

    def show(html: str, display_id: bool) -> Handle:
        shown.append(("display", html))
        return Handle()

    ipython: Any = types.ModuleType("IPython")
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.HTML, ipython.display.display = str, show
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    assert isinstance(display("auto"), Notebook)
    state = Progress("<b>", Notebook(clock), clock)
    for record in PULL:
        state.feed(record)
        clock.now += 0.1
    state.finish()
    assert [kind for kind, _ in shown].count("display") == 1
    assert 3 <= len(shown) < len(PULL)
    assert 'value="100.0"' in shown[-1][1]
    assert "<b>&lt;b&gt;" in shown[-1][1]


def test_html_is_escaped_and_bounded(state: Progress) -> None:
    evil = "<script>alert(1)</script>"
    state.title = evil
    for number in range(60):
        state.step_started(f"{evil}{number}", evil)
        state.step_log(f"{evil}{number}", evil + "\n")
    state.layer(evil, evil, 1, 2)
    state.message(evil)
    state.warning(evil)
    state.step_done(f"{evil}1", error=evil)
    state.failed(evil)
    html = state._repr_html_()
    assert "<script" not in html
    assert "21 more" in html
    assert html.count("<tr>") == 41


def test_rich(clock: Clock) -> None:
    from rich.console import Console

    from dockerkit.progress.rich import Rich

    out = io.StringIO()
    state = Progress("Pulling [app]", Rich(Console(file=out, force_terminal=True, width=100)), clock)
    for record in PULL:
        state.feed(record)
    state.failed("[bold]no")
    state.finish()
    text = clean(out.getvalue())
    assert "Pulling [app]" in text
    assert "Pull complete" in text
    assert "[bold]no" in text
    assert isinstance(display("rich"), Rich)


def test_rich_draws_without_waiting_for_the_state(clock: Clock) -> None:
    """rich draws with its own lock held, while another thread with the state's lock may be about to print."""
    from rich.console import Console

    from dockerkit.progress.rich import Rich

    shown = Rich(Console(file=io.StringIO(), force_terminal=True, width=100))
    state = Progress("Pulling", shown, clock)
    state.feed(PULL[1])
    drawn: list[object] = []
    with state.lock:
        drawing = threading.Thread(target=lambda: drawn.append(shown._draw(state)), daemon=True)
        drawing.start()
        drawing.join(5)
        assert drawn
    state.finish()


# --- texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (999, "999B"), (1500, "1.5kB"), (12_345_678, "12.3MB"), (5e9, "5.0GB"), (2e12, "2.0TB")],
)
def test_size_text(count: float, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0s"), (59.9, "59.9s"), (65, "1m05s"), (7620, "2h07m")])
def test_time_text(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_clean_and_clip() -> None:
    assert clean("\x1b]0;title\x07a\x1b[31mb\x1b[0m\tc\r\x00") == "ab    c"
    assert clip("abcdef", 4) == "abc…"
    assert clip("漢字漢字", 5) == "漢字…"
    assert clip("ok", 4) == "ok"
    assert clip("abc", 0) == ""
