"""Execs against a scripted engine: what real ones do too seldom to be met in a test."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import DockerClient, errors
from dockerkit.models.execs import ExecModel

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


def test_the_mark_comes_after_the_environment(scripted: ScriptedEngine, container: ExecModel) -> None:
    script(scripted, Answer.upgraded([frame(1, b"x")], media_type=MULTIPLEXED))
    container.exec(["x"], environment={"A": "b"})
    environment = json.loads(scripted.requests[0].body)["Env"]
    assert environment[0] == "A=b"
    assert environment[1].startswith("DOCKERKIT_EXEC=")


def test_a_cut_stream_is_no_end(scripted: ScriptedEngine, container: ExecModel) -> None:
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
    """Closed with input unread, which the system tells the client as a reset."""
    wire.recv()
    wire.send(frame(1, b"enough"))
    time.sleep(0.02)


@pytest.mark.parametrize("size", [100_000, 5_000_000])
def test_a_process_that_stops_reading(scripted: ScriptedEngine, container: ExecModel, size: int) -> None:
    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=stop_reading))
    assert container.exec(["head"], input=b"x" * size, timeout=20).stdout == b"enough"


def test_a_connection_that_breaks_with_no_word_of_the_end(scripted: ScriptedEngine, container: ExecModel) -> None:
    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=stop_reading))
    scripted.on("GET", "/exec/e1/json", Answer.error(500, "shutting down"))
    # A reset; or a plain end, if all that was sent had been read just then: then the question for the exit code fails.
    with pytest.raises(
        (errors.StreamTruncated, errors.ServerError), match="connection reset|broken pipe|shutting down"
    ):
        container.exec(["cat"], input=b"x" * 5_000_000)


def test_a_timeout_where_nothing_can_be_ended(scripted: ScriptedEngine, container: ExecModel) -> None:
    def silent(wire: Any) -> None:
        wire.send(frame(2, b"begun"))
        while not wire.gone():
            time.sleep(0.005)

    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=silent), {"Running": True, "ExitCode": None})
    scripted.on(
        "POST", f"/containers/{ID}/exec", Answer.json({"Id": "e1"}, 201), Answer.error(409, "container is paused")
    )
    with pytest.raises(errors.ExecTimeout, match="still runs") as caught:
        container.exec(["sleep"], timeout=0.2)
    assert caught.value.stderr == b"begun"
    assert caught.value.still_running


def test_a_timeout_of_a_process_that_never_reads(scripted: ScriptedEngine, container: ExecModel) -> None:
    def deaf(wire: Any) -> None:
        time.sleep(0.4)

    script(scripted, Answer.upgraded(media_type=MULTIPLEXED, talk=deaf), {"Running": False, "ExitCode": 137})
    begun = time.monotonic()
    with pytest.raises(errors.ExecTimeout):
        container.exec(["sleep"], input=b"x" * 5_000_000, timeout=0.1)
    assert time.monotonic() - begun < 5


def test_errors_are_picklable_and_keep_their_facts() -> None:
    import pickle

    timeout = pickle.loads(pickle.dumps(errors.ExecTimeout(["x"], 1.5, b"o", b"e", True)))
    assert (timeout.cmd, timeout.timeout, timeout.stdout, timeout.stderr, timeout.still_running) == (
        ["x"], 1.5, b"o", b"e", True
    )  # fmt: skip
    failed = pickle.loads(pickle.dumps(errors.ExecError("x", 2, "o", "why")))
    assert str(failed) == "command 'x' left with exit code 2: why"
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
