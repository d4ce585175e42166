"""Execs with a scripted engine: situations that are rare with real ones."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import DockerClient, errors
from dockerkit.models.containers.exec import ExecModel

ID = "c" * 64


@pytest.fixture
def container(scripted: ScriptedEngine) -> Iterator[ExecModel]:
    with DockerClient(scripted.host) as client:
        yield ExecModel({"Id": ID}, client)


def script(scripted: ScriptedEngine, start: Any, *states: dict[str, Any]) -> None:
    scripted.on("POST", f"/containers/{ID}/exec", Answer.json({"Id": "e1"}, 201))
    scripted.on("POST", "/exec/e1/start", start)
    scripted.on(
        "GET", "/exec/e1/json", *(Answer.json(state) for state in states or [{"Running": False, "ExitCode": 0}])
    )


def test_frames_in_the_packet_of_the_head_and_an_exit_code_that_is_late(
    scripted: ScriptedEngine, container: ExecModel
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


def test_mark_comes_after_the_environment(scripted: ScriptedEngine, container: ExecModel) -> None:
    script(scripted, Answer.upgraded([frame(1, b"x")], media_type=MULTIPLEXED))
    container.exec(["x"], environment={"A": "b"})
    environment = json.loads(scripted.requests[0].body)["Env"]
    assert environment[0] == "A=b"
    assert environment[1].startswith("DOCKERKIT_EXEC=")


def test_cut_stream_raises_instead_of_ending(scripted: ScriptedEngine, container: ExecModel) -> None:
    script(scripted, Answer.upgraded([frame(1, b"whole"), frame(1, b"half")[:-2]], media_type=MULTIPLEXED))
    with pytest.raises(errors.StreamTruncated):
        container.exec(["x"])


def test_echo_of_large_input(scripted: ScriptedEngine, container: ExecModel) -> None:
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
    scripted: ScriptedEngine, container: ExecModel, stream: int, text: str
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


def test_output_that_looks_like_the_engines_is_output(scripted: ScriptedEngine, container: ExecModel) -> None:
    script(
        scripted,
        Answer.upgraded([frame(1, DOCKER.encode())], media_type=MULTIPLEXED),
        {"Running": False, "ExitCode": 127, "Pid": 42},
    )
    assert container.exec("echo").stdout == DOCKER.encode()


@pytest.mark.parametrize("size", [100_000, 5_000_000])
def test_communicate_survives_a_process_that_stops_reading(
    scripted: ScriptedEngine, container: ExecModel, size: int
) -> None:
    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=stop_reading))
    assert container.exec(["head"], input=b"x" * size, timeout=20).stdout == b"enough"


def test_lost_connection_without_exit_code_is_an_error(scripted: ScriptedEngine, container: ExecModel) -> None:
    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=stop_reading))
    scripted.on("GET", "/exec/e1/json", Answer.error(500, "shutting down"))
    # A reset; or a plain end, if all that was sent had been read just then: then the question for the exit code fails.
    with pytest.raises(
        (errors.StreamTruncated, errors.ServerError), match="connection reset|broken pipe|shutting down"
    ):
        container.exec(["cat"], input=b"x" * 5_000_000)


def test_timeout_reports_a_process_that_could_not_be_killed(scripted: ScriptedEngine, container: ExecModel) -> None:
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


def test_timeout_applies_while_sending_input(scripted: ScriptedEngine, container: ExecModel) -> None:
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
