"""Pickle, copy, the interpreter's exit and signals, in the middle of operations."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import errors
from dockerkit.api.client import APIClient
from dockerkit.api.container import ExitCode
from dockerkit.client import DockerClient
from dockerkit.models.containers import Container

ERRORS = [
    errors.DockerException("a"),
    errors.InvalidArgument("a"),
    errors.NullResource("a"),
    errors.InvalidVersion("a", parameter="p", needed="1.44", spoken="1.41"),
    errors.APIError("a", None, "why"),
    errors.NotFound("a"),
    errors.ImageNotFound("a"),
    errors.ConnectionFailed("a", "somewhere"),
    errors.ReadTimeout("a"),
    errors.StreamError("a", 3, {"error": "a"}),
    errors.PullError("a"),
    errors.BuildError(
        "a", [{"stream": "x"}], exit_code=2, step="RUN false", dockerfile="Dockerfile", lines=[3], log=["l"]
    ),
    errors.StreamTruncated("a"),
    errors.StreamParseError("a"),
    errors.ContextNotFound("name", "hint"),
    errors.ContextAlreadyExists("name"),
    errors.MissingContextParameter("name"),
    errors.TLSParameterError("a"),
    errors.ContainerError(None, 3, ["false"], "busybox", b"err", b"out"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_errors_survive_pickling_and_copying(error: Exception, again: object) -> None:
    other = again(error)  # type: ignore[operator]
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert {name: value for name, value in vars(other).items() if not name.startswith("_")} == {
        name: value for name, value in vars(error).items() if not name.startswith("_")
    }


def test_objects_and_results_survive_pickling(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc", "Name": "/n", "State": {"Status": "running"}}))
    with DockerClient(scripted.host) as client:
        container = client.containers.get("abc")
        again: Container = pickle.loads(pickle.dumps(container))
        assert again == container
        assert again.name == "n"
        again.reload()
        again.client.close()
    code = pickle.loads(pickle.dumps(ExitCode(3, "gone")))
    assert (code, code.error, code["StatusCode"]) == (3, "gone", 3)


def test_client_is_copied_with_connections_of_its_own(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.json({}))
    with APIClient(scripted.host) as api:
        api.inspect_container("abc")
        other = copy.copy(api)
        other.inspect_container("abc")
        other.close()
        assert api.inspect_container("abc") == {}


def test_pickled_client_holds_no_headers_of_the_configuration_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text('{"HttpHeaders": {"X-Token": "from-the-file"}}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with APIClient("unix:///nowhere", headers={"X-Mine": "passed"}) as api:
        data = pickle.dumps(api)
        assert b"from-the-file" not in data
        with pickle.loads(data) as again:
            assert again.headers == api.headers
            assert again.headers["X-Token"] == "from-the-file"


def test_pickled_client_holds_no_secrets_of_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "DOCKER_CONFIG": str(tmp_path), "HTTP_PROXY": "http://me:proxy-password@proxy:1", "TOKEN": "secret-token",
        "DOCKER_AUTH_CONFIG": '{"auths": {"r.example": {"auth": "bWU6cHc="}}}',
    }  # fmt: skip
    with APIClient("tcp://engine.example:2375", environment=environment) as api:
        assert "proxy-password" in (api.endpoint.proxy or "")
        data = pickle.dumps(api)
        for secret in (b"proxy-password", b"secret-token", b"bWU6cHc="):
            assert secret not in data
        monkeypatch.setenv("HTTP_PROXY", environment["HTTP_PROXY"])
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("http_proxy", raising=False)
        monkeypatch.delenv("REQUEST_METHOD", raising=False)
        with pickle.loads(data) as again:
            assert again.endpoint == api.endpoint


def one_record_then_silence(request: object, wire: object) -> None:
    Answer.chunked([b'{"n":1}\n'], truncate=True)(request, wire)  # type: ignore[arg-type]
    Answer.hang()(request, wire)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", ["pass", "sys.exit(0)", "raise SystemExit", "del stream"])
def test_interpreter_ends_quietly_in_the_middle_of_streams(scripted: ScriptedEngine, ending: str) -> None:
    scripted.on("GET", "/events", one_record_then_silence)
    program = f"""
import sys
sys.path[:] = {sys.path!r}
import dockerkit
client = dockerkit.DockerClient({scripted.host!r})
stream = client.events(decode=True)
next(stream)
{ending}
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_exiting_child_does_not_end_its_parents_streams(scripted: ScriptedEngine) -> None:
    go_on = threading.Event()

    def two_records(request: object, wire: object) -> None:
        Answer.chunked([b'{"n":1}\n'], truncate=True)(request, wire)  # type: ignore[arg-type]
        go_on.wait(10)
        wire.send(b'8\r\n{"n":2}\n\r\n0\r\n\r\n')  # type: ignore[attr-defined]

    scripted.on("GET", "/events", two_records)
    scripted.on("POST", "/exec/abc/start", Answer.upgraded(echo=True))
    with APIClient(scripted.host) as api:
        stream = api.events(decode=True)
        assert next(stream) == {"n": 1}
        hijacked = api.exec_start("abc", socket=True)
        child = os.fork()
        if child == 0:
            stream.close()
            hijacked.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        go_on.set()
        assert list(stream) == [{"n": 2}]
        hijacked.sendall(b"still here")
        assert hijacked.recv() == b"still here"
        hijacked.close()


@pytest.mark.parametrize("kind", ["small call", "stream", "hijacked"])
def test_interrupt_leaves_the_client_usable(scripted: ScriptedEngine, kind: str) -> None:
    scripted.on("GET", "/containers/slow/json", Answer.hang())
    scripted.on("GET", "/containers/abc/json", Answer.json({}))
    scripted.on("GET", "/events", one_record_then_silence)
    scripted.on("POST", "/exec/abc/start", Answer.upgraded(talk=lambda wire: wire.recv()))
    with APIClient(scripted.host) as api:
        _ = api.api_version
        calls = {
            "small call": lambda: api.inspect_container("slow"),
            "stream": lambda: list(api.events(decode=True)),
            "hijacked": lambda: api.exec_start("abc"),
        }
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            calls[kind]()
        timer.join()
        assert time.monotonic() - begun < 5
        assert api.inspect_container("abc") == {}


@pytest.mark.parametrize("kind", ["small call", "hijacked"])
def test_interrupt_anywhere_leaves_no_socket_open(
    scripted: ScriptedEngine, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.json({}))
    scripted.on("POST", "/exec/abc/start", Answer.upgraded())
    dropped: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda ignored: dropped.append(ignored.exc_type))
    modules = (str(Path(errors.__file__).parents[1] / "transport"), socket.__file__)

    def interrupted(call: Callable[[], object], after: int) -> bool:
        """Call a function, and raise before the n-th instruction that handles a connection; return False if there are
        fewer.
        """
        left = after

        def trace(frame: FrameType, event: str, _: object) -> Callable[..., object] | None:
            nonlocal left
            if not frame.f_code.co_filename.startswith(modules):
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt
            return trace

        previous = sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(previous)
        return False

    with APIClient(scripted.host, version="1.43") as api:
        calls = {
            "small call": lambda: api._transport.pool.take(5).close(),  # type: ignore[attr-defined]
            "hijacked": lambda: api.exec_start("abc", socket=True).close(),
        }
        calls[kind]()
        after = 1
        while interrupted(calls[kind], after):
            after += 1
        assert after > 100
    gc.collect()
    assert ResourceWarning not in dropped  # errors in a finalizer are ignored, so it is not a leak
