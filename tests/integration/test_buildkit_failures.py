"""BuildKit on real engines: how builds fail, are cancelled, and stay silent for long."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
import warnings

import pytest
from buildkit_help import COPY_ALL, ours

from dockerkit import APIClient
from dockerkit.builder.buildkit import build, reason_against, stream
from dockerkit.errors import BuildError, BuildKitUnavailable

NOTHING = "type=cacheonly"


def sockets() -> list[str]:
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if target.startswith("socket:"):
            found.append(target)
    return found


def running(word: str) -> bool:
    """Return whether a process with that word in its arguments is alive: build steps are processes of this machine."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                parts = file.read().split(b"\0")
        except OSError:
            continue
        if parts[0].endswith((b"sleep", b"sh")) and any(word.encode() in part for part in parts):
            return True
    return False


def eventually(condition, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


@pytest.fixture
def sleeper(busybox: str) -> tuple[str, str]:
    """Return a Dockerfile with a sleeping step, and a word that identifies its process."""
    word = uuid.uuid4().hex
    return f"FROM {busybox}\nRUN echo begun; : {word}; sleep 300; true\n", word


# -- failures --------------------------------------------------------------------------------------------------------


def test_step_that_fails(api: APIClient, busybox: str) -> None:
    dockerfile = f"FROM {busybox}\n# comment\nRUN true\nRUN for i in $(seq 40); do echo line $i; done; \\\n    echo bad >&2; exit 42\nRUN true\n"
    with pytest.raises(BuildError) as caught:
        build(api, fileobj=dockerfile, nocache=True, outputs=NOTHING)
    error = caught.value
    assert error.exit_code == 42
    assert error.step is not None and error.step.startswith("RUN for i in")
    assert error.dockerfile == "Dockerfile"
    assert error.lines == (4, 5)
    # Two threads of the engine read the two streams, so either may be last.
    assert "line 40" in error.log and len(error.log) == 20
    assert any("bad\n" in record["stream"] for record in error.build_log)
    assert "line 40" in str(error) and "Dockerfile:4" in str(error)
    assert any("line 1\n" in record["stream"] for record in error.build_log)
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.exit_code, twin.lines, str(twin)) == (error.exit_code, error.lines, str(error))
    assert ours() == []


@pytest.mark.parametrize(
    ("dockerfile", "line"),
    [
        ("FROM scratch\nFOO bar\n", 2),
        ("FROM scratch\n\nCOPY missing /\n", 3),
        ("FROM scratch\nCOPY --from=nobody.invalid/x:1 a b\n", 2),
    ],
)
def test_invalid_dockerfile_is_a_build_error(api: APIClient, dockerfile: str, line: int, engine) -> None:
    began = time.monotonic()
    with pytest.raises(BuildError) as caught:
        build(api, path={"Dockerfile": dockerfile}, outputs=NOTHING)
    if "nobody" not in dockerfile:
        assert time.monotonic() - began < 5
        assert line in caught.value.lines, (str(caught.value), caught.value.detail)
    assert ours() == []


def test_unknown_target_and_an_empty_dockerfile(api: APIClient) -> None:
    with pytest.raises(BuildError, match="nowhere"):
        build(api, fileobj="FROM scratch AS a\n", target="nowhere", outputs=NOTHING)
    with pytest.raises(BuildError):
        build(api, fileobj="", outputs=NOTHING)


def test_warnings_of_the_linter(api: APIClient, engine) -> None:
    result = build(api, path={"Dockerfile": "FROM scratch as lower\nCOPY Dockerfile /\n"}, outputs=NOTHING)
    if engine.speaks("1.46"):
        (warning,) = result.warnings
        assert "FromAsCasing" in warning.text
        assert warning.lines == (1,) and warning.dockerfile == "Dockerfile" and warning.url.startswith("https://")
    else:
        assert result.warnings == []


def test_syntax_line_offline_says_what_to_do(api: APIClient) -> None:
    with pytest.raises(BuildError, match="remove the line to build without it"):
        build(api, fileobj="# syntax=127.0.0.1:1/frontend:1\nFROM scratch\n", outputs=NOTHING)


# -- the stream ------------------------------------------------------------------------------------------------------


def test_events_arrive_during_the_build(api: APIClient, busybox: str) -> None:
    dockerfile = f"FROM {busybox}\nRUN printf 'a'; sleep 1; printf 'b\\nc\\n'; printf 'no end' >&2\nCOPY big /\n"
    with stream(
        api, path={"Dockerfile": dockerfile, "big": os.urandom(2_000_000)}, nocache=True, outputs=NOTHING
    ) as events:
        seen = [(event.kind, event.step.name if event.step else "", event.text, event.stream) for event in events]
        result = events.result()
    lines = [(text, number) for kind, name, text, number in seen if kind == "log" and "RUN" in name]
    assert sorted(lines) == [("ab", 1), ("c", 1), ("no end", 2)]
    step = next(step for step in result.steps if "RUN" in step.name)
    assert step.done and not step.cached and step.seconds(0) >= 1
    transfer = next(step for step in result.steps if "build context" in step.name)
    assert any((part.current or 0) >= 2_000_000 for part in transfer.parts.values())


def test_displays_show_the_build(api: APIClient, busybox: str, capsys: pytest.CaptureFixture[str]) -> None:
    states = []
    build(
        api,
        fileobj=f"FROM {busybox}\nRUN echo shown\n",
        nocache=True,
        outputs=NOTHING,
        progress=lambda state: states.append(state.percent),
    )
    assert states[-1] == 100
    build(api, fileobj=f"FROM {busybox}\nRUN echo shown\n", nocache=True, outputs=NOTHING, progress="plain")
    shown = capsys.readouterr()
    assert "shown" in shown.err + shown.out


# -- cancelling ------------------------------------------------------------------------------------------------------


def wait_for_step(events) -> None:
    for event in events:
        if event.kind == "log" and event.text == "begun":
            return
    raise AssertionError("the step did not begin")


@pytest.mark.parametrize("how", ["close", "cancel", "drop", "exception"])
def test_cancelled_build_leaves_no_connection(api: APIClient, sleeper: tuple[str, str], how: str) -> None:
    dockerfile, word = sleeper
    api.ping()
    before = sockets()
    if how == "exception":
        with pytest.raises(ZeroDivisionError):
            with stream(api, fileobj=dockerfile, outputs=NOTHING) as events:
                wait_for_step(events)
                assert running(word)
                1 / 0
    else:
        events = stream(api, fileobj=dockerfile, outputs=NOTHING)
        wait_for_step(events)
        assert running(word)
        if how == "drop":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                del events
                gc.collect()
        elif how == "close":
            events.close()
            with pytest.raises(BuildError, match="closed"):
                events.result()
        else:
            events.cancel()
            with pytest.raises(BuildError, match="cancelled"):
                events.result()
    assert eventually(lambda: not running(word), 5), "the step's process is alive"
    assert eventually(lambda: ours() == []), ours()
    assert eventually(lambda: len(sockets()) <= len(before)), "a socket is left"


def test_cancel_from_another_thread_ends_result(api: APIClient, sleeper: tuple[str, str]) -> None:
    dockerfile, word = sleeper
    events = stream(api, fileobj=dockerfile, outputs=NOTHING)
    threading.Timer(1.5, events.cancel).start()
    with pytest.raises(BuildError, match="cancelled"):
        events.result()
    assert eventually(lambda: not running(word), 5)
    assert eventually(lambda: ours() == [])


def test_ctrl_c_cancels_the_build(engine, sleeper: tuple[str, str]) -> None:
    dockerfile, word = sleeper
    code = f"""
        import sys, threading, time
        from dockerkit import APIClient
        from dockerkit.builder.buildkit import build
        with APIClient({engine.host!r}) as api:
            try:
                build(api, fileobj={dockerfile!r}, outputs="type=cacheonly", progress="plain")
            except KeyboardInterrupt:
                time.sleep(0.5)  # an idle thread of interrupted calls waits a moment for another call
                print("interrupted", [one.name for one in threading.enumerate() if one.name.startswith("dockerkit")])
    """
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert eventually(lambda: running(word), 20), process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert "interrupted []" in out, (out, err)
    assert "ResourceWarning" not in err and "Traceback" not in err, err
    assert eventually(lambda: not running(word), 5)


def test_closing_the_client_ends_its_builds(engine, sleeper: tuple[str, str]) -> None:
    dockerfile, word = sleeper
    api = APIClient(engine.host)
    events = stream(api, fileobj=dockerfile, outputs=NOTHING)
    wait_for_step(events)
    api.close()
    with pytest.raises(BuildError):
        events.result()
    assert eventually(lambda: not running(word), 5)
    assert eventually(lambda: ours() == [])


def test_timeout(api: APIClient, sleeper: tuple[str, str]) -> None:
    dockerfile, word = sleeper
    with pytest.raises(TimeoutError):
        build(api, fileobj=dockerfile, outputs=NOTHING, timeout=1.5)
    assert eventually(lambda: not running(word), 5)
    assert ours() == []


# -- silence ---------------------------------------------------------------------------------------------------------


def test_long_silent_step_keeps_the_session_alive(api: APIClient, busybox: str) -> None:
    """Longer than an engine waits for a health check's response; DKT_SILENCE=60 makes it a minute."""
    seconds = int(os.environ.get("DKT_SILENCE", "20"))
    began = time.monotonic()
    with stream(
        api,
        path={
            "Dockerfile": f"FROM {busybox}\nRUN sleep {seconds}\nCOPY f /\nRUN --mount=type=secret,id=s cat /run/secrets/s\n",
            "f": "x",
        },
        secrets={"s": b"s"},
        nocache=True,
        outputs=NOTHING,
    ) as events:
        result = events.result()
    assert time.monotonic() - began >= seconds
    assert [line for step in result.steps for line in step.log] == ["s"]


def test_large_output_is_complete(api: APIClient, busybox: str) -> None:
    dockerfile = f"FROM {busybox}\nRUN for i in $(seq 20000); do echo $i; done\n"
    result = build(api, fileobj=dockerfile, nocache=True, outputs=NOTHING)
    step = next(step for step in result.steps if "RUN" in step.name)
    assert len(step.log) == 100
    assert len(result.log) <= 20_000


# -- engines without -------------------------------------------------------------------------------------------------


def test_podman_has_no_buildkit(private_engine) -> None:
    podman = private_engine("podman-trixie")
    with APIClient(podman.host) as api:
        assert reason_against(api) == "Podman builds with Buildah"
        with pytest.raises(BuildKitUnavailable, match="builder='classic'"):
            build(api, path={"Dockerfile": COPY_ALL})
    assert ours() == []


def test_buildkit_can_be_used(api: APIClient) -> None:
    assert reason_against(api) is None
