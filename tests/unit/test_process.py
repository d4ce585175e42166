"""Execs with a scripted engine: situations that are rare with real ones."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import DockerClient, errors
from dockerkit.models.containers import Container
from dockerkit.models.containers.exec import ContainerExec
from dockerkit.testing import FakeEngine
from dockerkit.testing.fake_engine.processes import Behaviour, FakeProcess, Rule

ID = "c" * 64


@pytest.fixture
def container(scripted: ScriptedEngine) -> Iterator[ContainerExec]:
    with DockerClient(scripted.host) as client:
        yield ContainerExec({"Id": ID}, client)


def script(scripted: ScriptedEngine, start: Any, *states: dict[str, Any]) -> None:
    scripted.on("POST", f"/containers/{ID}/exec", Answer.json({"Id": "e1"}, 201))
    scripted.on("POST", "/exec/e1/start", start)
    scripted.on(
        "GET", "/exec/e1/json", *(Answer.json(state) for state in states or [{"Running": False, "ExitCode": 0}])
    )


def test_frames_in_the_packet_of_the_head_and_an_exit_code_that_is_late(
    scripted: ScriptedEngine, container: ContainerExec
) -> None:
    output = [frame(1, b"out"), frame(2, b"err"), frame(1, b"more")]
    start = Answer.upgraded(output, media_type=MULTIPLEXED, with_head=True)
    script(scripted, start, {"Running": True, "ExitCode": None}, {"Running": True}, {"Running": False, "ExitCode": 3})
    done = container.exec("x y", environment=["A=b"])
    assert (done.returncode, done.stdout, done.stderr) == (3, b"outmore", b"err")
    made = json.loads(scripted.requests[0].body)
    assert made["Cmd"] == ["x", "y"]
    assert made["Env"][0] == "A=b"
    assert made["AttachStdin"] is False


def test_mark_comes_after_the_environment(scripted: ScriptedEngine, container: ContainerExec) -> None:
    script(scripted, Answer.upgraded([frame(1, b"x")], media_type=MULTIPLEXED))
    container.exec(["x"], environment={"A": "b"})
    environment = json.loads(scripted.requests[0].body)["Env"]
    assert environment[0] == "A=b"
    assert environment[1].startswith("DOCKERKIT_EXEC=")


def test_cut_stream_raises_instead_of_ending(scripted: ScriptedEngine, container: ContainerExec) -> None:
    script(scripted, Answer.upgraded([frame(1, b"whole"), frame(1, b"half")[:-2]], media_type=MULTIPLEXED))
    with pytest.raises(errors.StreamTruncated):
        container.exec(["x"])


def test_echo_of_large_input(scripted: ScriptedEngine, container: ContainerExec) -> None:
    def echo(wire: Any) -> None:
        while data := wire.recv():
            wire.send(frame(1, data))

    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=echo))
    data = os.urandom(4_000_000)
    assert container.exec(["cat"], input=data).stdout == data


def stop_reading(wire: Any) -> None:
    """Close with unread input, which the client receives as a reset."""
    wire.recv()
    wire.send(frame(1, b"enough"))
    time.sleep(0.02)


DOCKER = 'OCI runtime exec failed: exec failed: exec: "nosuch": executable file not found in $PATH: unknown\r\n'
PODMAN = 'Error: runc: exec failed: exec: "nosuch": executable file not found in $PATH: OCI runtime attempted\n'


@pytest.mark.parametrize(("stream", "text"), [(1, DOCKER), (2, PODMAN)], ids=["Docker", "Podman"])
def test_program_that_does_not_exist_is_an_error_however_it_is_run(
    scripted: ScriptedEngine, container: ContainerExec, stream: int, text: str
) -> None:
    start = Answer.upgraded([frame(stream, text.encode())], media_type=MULTIPLEXED)
    # The engine sends its report before it records the exit code.
    script(scripted, start, {"Running": True, "ExitCode": None}, {"Running": False, "ExitCode": 127, "Pid": 0})
    ways = {
        "exec": lambda: container.exec("nosuch"),
        "communicate": lambda: container.popen("nosuch").communicate(),
        "wait": lambda: container.popen("nosuch").wait(),
        "read": lambda: container.popen("nosuch").read_piece(5),
        "lines": lambda: list(container.popen("nosuch").lines()),
    }
    for way, call in ways.items():
        with pytest.raises(errors.ExecStartError, match="^the program 'nosuch' does not exist in container ") as caught:
            call()
        assert (caught.value.returncode, caught.value.reason) == (127, text.strip()), way


def test_output_that_looks_like_the_engines_is_output(scripted: ScriptedEngine, container: ContainerExec) -> None:
    script(
        scripted,
        Answer.upgraded([frame(1, DOCKER.encode())], media_type=MULTIPLEXED),
        {"Running": False, "ExitCode": 127, "Pid": 42},
    )
    assert container.exec("echo").stdout == DOCKER.encode()


@pytest.mark.parametrize("size", [100_000, 5_000_000])
def test_communicate_survives_a_process_that_stops_reading(
    scripted: ScriptedEngine, container: ContainerExec, size: int
) -> None:
    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=stop_reading))
    assert container.exec(["head"], input=b"x" * size, timeout=20).stdout == b"enough"


def test_lost_connection_without_exit_code_is_an_error(scripted: ScriptedEngine, container: ContainerExec) -> None:
    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=stop_reading))
    scripted.on("GET", "/exec/e1/json", Answer.error(500, "shutting down"))
    # A reset; or a plain end, if all that was sent had been read just then: then the question for the exit code fails.
    with pytest.raises(
        (errors.StreamTruncated, errors.ServerError), match="connection reset|broken pipe|shutting down"
    ):
        container.exec(["cat"], input=b"x" * 5_000_000)


def test_timeout_reports_a_process_that_could_not_be_killed(scripted: ScriptedEngine, container: ContainerExec) -> None:
    def silent(wire: Any) -> None:
        wire.send(frame(2, b"begun"))
        while not wire.gone():
            time.sleep(0.005)

    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=silent), {"Running": True, "ExitCode": None})
    scripted.on(
        "POST", f"/containers/{ID}/exec", Answer.json({"Id": "e1"}, 201), Answer.error(409, "container is paused")
    )
    with pytest.raises(errors.ExecTimeout, match="may still be running") as caught:
        container.exec(["sleep"], timeout=1)
    assert caught.value.stderr == b"begun"
    assert caught.value.still_running


def test_timeout_applies_while_sending_input(scripted: ScriptedEngine, container: ContainerExec) -> None:
    def deaf(wire: Any) -> None:
        time.sleep(0.4)

    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=deaf), {"Running": False, "ExitCode": 137})
    begun = time.monotonic()
    with pytest.raises(errors.ExecTimeout):
        container.exec(["sleep"], input=b"x" * 5_000_000, timeout=0.1)
    assert time.monotonic() - begun < 5


def test_pickled_errors_keep_their_attributes() -> None:
    import pickle

    timeout = pickle.loads(pickle.dumps(errors.ExecTimeout(["x"], 1.5, b"o", b"e", True)))
    assert (timeout.cmd, timeout.timeout, timeout.stdout, timeout.stderr, timeout.still_running) == (
        ["x"], 1.5, b"o", b"e", True
    )  # fmt: skip
    failed = pickle.loads(pickle.dumps(errors.ExecError("x", 2, "o", "why")))
    assert str(failed) == "command 'x' exited with code 2: why"
    waited = errors.WaitTimeout("not so", "web", {"Status": "running", "ExitCode": 0}, ["a", "b"], ["Healthy()"])
    again = pickle.loads(pickle.dumps(waited))
    assert (again.container, again.logs, again.pending, again.state["Status"]) == (
        "web",
        ("a", "b"),
        ("Healthy()",),
        "running",
    )
    assert str(again) == str(waited)
    assert "last log lines:\n    a\n    b" in str(waited)


# --- processes of the fake engine ---


@pytest.fixture
def running(engine: FakeEngine) -> Iterator[Container]:
    with DockerClient(engine.host) as client:
        yield client.containers.run("app", detach=True)


def shout(process: FakeProcess) -> None:
    process.write(process.stdin.read().upper())


def test_popen_writes_input_and_iterates_over_output(engine: FakeEngine, running: Container) -> None:
    engine.when_exec("shout", program=shout)
    with running.popen("shout") as process:
        assert process.stdin is not None
        with process.stdin as stdin:
            assert stdin.writable()
            assert (stdin.write("größe"), stdin.write(b" x")) == (7, 2)
            stdin.flush()
        assert b"".join(data for stream, data in process if stream == "stdout") == "größe x".encode().upper()
        assert process.wait(20) == 0
        with pytest.raises(ValueError, match="write to closed stdin"):
            stdin.write(b"more")
        stdin.close()  # again, which does nothing
    assert repr(process) == "<Process: 'shout'>"
    assert (process.returncode, process.read_piece()) == (0, None)


def test_lines_of_both_streams_come_without_line_ends(engine: FakeEngine, running: Container) -> None:
    def live(process: FakeProcess) -> None:
        process.write("one\r\ntwo\nre")
        process.write("err\nlast of stderr", stderr=True)
        process.write("st\xff".encode("latin-1"))

    engine.when_exec("talk", program=live)
    lines = list(running.popen("talk", stdin=False).lines())
    assert [text for stream, text in lines if stream == "stdout"] == ["one", "two", "rest\ufffd"]
    assert [text for stream, text in lines if stream == "stderr"] == ["err", "last of stderr"]


@pytest.mark.parametrize(
    "data",
    [b"text", "text", [b"te", b"xt"], io.BytesIO(b"text"), iter([b"text"])],
    ids=lambda data: type(data).__name__,
)
def test_communicate_accepts_each_kind_of_input(engine: FakeEngine, running: Container, data: Any) -> None:
    engine.when_exec("shout", program=shout)
    process = running.popen("shout")
    assert process.communicate(data, timeout=20) == (b"TEXT", b"")
    assert process.wait() == 0


def test_input_is_refused_where_it_cannot_be_sent(engine: FakeEngine, running: Container) -> None:
    engine.when_exec("true")
    with pytest.raises(errors.InvalidArgument, match="the process was started without stdin"):
        running.popen("true", stdin=False).communicate(b"x")
    engine.when_exec("shout", program=shout)
    with pytest.raises(errors.InvalidArgument, match="must be bytes, a binary file or blocks of bytes"):
        running.popen("shout").communicate(io.StringIO("text"))

    class TextFile:
        def read(self, size: int = -1) -> str:
            return "text"

    with pytest.raises(errors.InvalidArgument, match="binary file .opened with 'rb'., got a text file"):
        running.popen("shout").communicate(TextFile())


def test_output_that_was_read_piece_by_piece_continues_with_communicate(engine: FakeEngine, running: Container) -> None:
    engine.when_exec("say", stdout="out", stderr="err")
    process = running.popen("say")
    assert process.stdin is not None
    process.stdin.close()
    first = process.read_piece(20)
    assert first == ("stdout", b"out")
    assert process.communicate() == (b"", b"err")


def test_process_that_outlives_the_timeout_keeps_running(engine: FakeEngine, running: Container) -> None:
    engine.when_exec("sleep", seconds=None)
    process = running.popen("sleep")
    for call in (process.communicate, process.wait):
        with pytest.raises(errors.ExecTimeout) as caught:
            call(timeout=0.05)
        assert caught.value.still_running
    with pytest.raises(TimeoutError):
        process.read_piece(0.05)
    assert process.poll() is None and process.returncode is None
    process.resize(30, 90)
    assert ("POST", f"/exec/{process.id}/resize") in engine.requests
    process.close()


def kill_by_mark(engine: FakeEngine, code: int = 0) -> list[list[str]]:
    """Let kills stop the marked process of the fake engine; return their commands as they come."""
    commands: list[list[str]] = []

    def live(process: FakeProcess) -> int:
        mark = process.command[4]
        commands.append(process.command[4:])
        for item in list(engine.execs.values()):
            if mark in (item.body.get("Env") or []) and item.process is not None:
                item.process.stop(process.command[5])
        return code

    engine.when_exec(["sleep"], seconds=None)
    engine._rules.append(Rule(Behaviour(program=live), of_exec=True))
    return commands


def test_kill_and_terminate_signal_the_marked_process(engine: FakeEngine, running: Container) -> None:
    kills = kill_by_mark(engine)
    process = running.popen("sleep")
    assert process.terminate()
    assert process.wait(20) == 143
    other = running.popen("sleep")
    assert other.kill("SIGKILL")
    assert other.wait(20) == 137
    assert [name for _, name in kills] == ["TERM", "KILL"]
    assert all(mark.startswith("DOCKERKIT_EXEC=") for mark, _ in kills)
    assert not running.popen("sleep", marked=False).kill()


def test_process_that_still_runs_at_the_end_of_the_block_is_killed(engine: FakeEngine, running: Container) -> None:
    kill_by_mark(engine)
    with running.popen("sleep") as process:
        assert process.poll() is None
    assert process.returncode == 137
    with pytest.raises(RuntimeError, match="mine"):
        with running.popen("sleep") as interrupted:
            raise RuntimeError("mine")
    assert interrupted.returncode == 137


def test_kill_reports_failure_if_the_container_has_no_shell(engine: FakeEngine, running: Container) -> None:
    kill_by_mark(engine, code=127)
    process = running.popen("sleep")
    assert not process.kill()
    engine.fail("POST", f"/containers/{running.id}/exec", 409, "container is paused")
    assert not process.kill()


def test_exec_as_text_checks_the_codec_before_the_command_runs(engine: FakeEngine, running: Container) -> None:
    engine.when_exec("say", stdout="größe".encode("latin-1"), exit_code=3)
    done = running.exec("say", text=True, encoding="latin-1")
    assert (done.stdout, done.stderr, done.returncode) == ("größe", "", 3)
    with pytest.raises(errors.ExecError) as caught:
        running.exec("say", text=True, errors="replace", check=True)
    assert (caught.value.returncode, caught.value.stdout) == (3, "gr\ufffd\ufffde")
    with pytest.raises(errors.InvalidArgument, match="encoding"):
        running.exec("say", text=True, encoding="klingon")


def test_exec_with_a_terminal_returns_all_output_as_stdout(engine: FakeEngine, running: Container) -> None:
    engine.when_exec("say", stdout="out ", stderr="err")
    assert running.exec("say", tty=True).stdout == b"out err"
    with running.popen("say", tty=True, console_size=(20, 70)) as process:
        assert process.tty
        pieces = list(process)
        assert {stream for stream, _ in pieces} == {"stdout"}
        assert b"".join(data for _, data in pieces) == b"out err"


def test_broken_input_kills_the_process(engine: FakeEngine, running: Container) -> None:
    kills = kill_by_mark(engine)

    def broken() -> Iterator[bytes]:
        yield b"x"
        raise RuntimeError("the source failed")

    with pytest.raises(RuntimeError, match="the source failed"):
        running.exec("sleep", input=broken())
    assert [name for _, name in kills] == ["KILL"]


def test_start_that_fails_leaves_nothing_to_kill(engine: FakeEngine, running: Container) -> None:
    engine.fail("POST", f"/containers/{running.id}/exec", 409, "Container is paused")
    with pytest.raises(errors.Conflict):
        running.popen("sleep")
    assert not engine.execs


def test_user_that_does_not_exist_is_reported_by_engines_that_look_it_up_first(
    engine: FakeEngine, running: Container
) -> None:
    engine.fail("POST", f"/containers/{running.id}/exec", 400, "unable to find user ghost: no matching entries")
    with pytest.raises(errors.ExecStartError) as caught:
        running.exec("true", user="ghost")
    assert (caught.value.returncode, caught.value.reason) == (
        127,
        "unable to find user ghost: no matching entries",
    )


def test_engines_before_api_1_25_receive_no_mark(scripted: ScriptedEngine) -> None:
    script(scripted, Answer.upgraded([frame(1, b"x")], media_type=MULTIPLEXED))
    with DockerClient(scripted.host, version="1.24") as client:
        process = ContainerExec({"Id": ID}, client).popen("x", console_size=(1, 2), stdin=False)
        assert [data for _, data in process] == [b"x"]
        assert not process.kill()
    body = scripted.requests[0].json()
    assert "Env" not in body and "ConsoleSize" not in body


# --- the main process ---


@pytest.fixture
def created(engine: FakeEngine) -> Iterator[Container]:
    engine.when("app", "shout", program=shout)
    with DockerClient(engine.host) as client:
        yield client.containers.create("app", "shout", stdin_open=True)


def test_attach_process_starts_the_container_and_talks_to_it(created: Container) -> None:
    with created.attach_process() as process:
        assert repr(process).startswith("<MainProcess of <Container ")
        assert (process.args, process.id, process.container) == (["shout"], created.id, created)
        assert process.stdin is not None
        process.stdin.write(b"hello")
        process.stdin.close()
        assert process.communicate() == (b"HELLO", b"")
        assert process.wait(20) == 0
    assert process.state["Status"] == "exited"
    assert not process.kill()


def test_process_that_the_block_started_is_killed_at_its_end(engine: FakeEngine, created: Container) -> None:
    with created.attach_process() as process:
        assert process.poll() is None
        process.resize(20, 80)
    created.reload()
    assert (created.status, created.attrs["State"]["ExitCode"]) == ("exited", 137)
    assert ("POST", f"/containers/{created.id}/resize") in engine.requests


def test_process_that_was_already_running_is_left_running(engine: FakeEngine, running: Container) -> None:
    with running.attach_process(logs=True) as process:
        assert process.stdin is None
        assert process.returncode is None
    running.reload()
    assert running.status == "running"
    with pytest.raises(errors.InvalidArgument, match="no standard input; create it with stdin_open=True"):
        running.attach_process(stdin=True)


def test_attach_process_without_start_waits_for_the_caller(created: Container) -> None:
    process = created.attach_process(start=False, stdin=False)
    assert process.poll() is None
    process.start()
    assert process.kill("TERM")
    assert process.wait(20) == 143
    process.close()


def test_exit_code_of_an_auto_removed_container_is_known(engine: FakeEngine) -> None:
    engine.when("app", stdout="bye", exit_code=4)
    with DockerClient(engine.host) as client:
        container = client.containers.create("app", auto_remove=True)
        with container.attach_process() as process:
            assert process.communicate() == (b"bye", b"")
            assert process.wait(20) == 4
        assert not client.containers.exists(container.id or "")


def test_failed_start_closes_the_attached_connection(engine: FakeEngine, created: Container) -> None:
    engine.fail("POST", f"/containers/{created.id}/start", 500, "driver failed programming external connectivity")
    with pytest.raises(errors.ServerError, match="external connectivity"):
        created.attach_process()


def test_removed_container_without_auto_remove_is_not_found(created: Container) -> None:
    process = created.attach_process()
    created.remove(force=True)
    with pytest.raises(errors.NotFound):
        process.poll()
    assert not process.kill()
    process.close()
