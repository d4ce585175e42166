"""With gevent's and eventlet's patches: streams closed by another greenlet, concurrent requests."""

from __future__ import annotations

import importlib.util
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import test_tls_engine
from scripted_engine import Answer, ScriptedEngine
from stream_kinds import script_all
from test_http_rules import one_then_silence

GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import gevent

def later(seconds, function):
    gevent.spawn_later(seconds, function)

def side_by_side(function, count):
    jobs = [gevent.spawn(function) for _ in range(count)]
    gevent.joinall(jobs, timeout=5, raise_error=True)
    return [job.value for job in jobs]
"""
EVENTLET = """
import warnings
warnings.simplefilter("ignore")  # eventlet advises against itself
import eventlet
eventlet.monkey_patch()

def later(seconds, function):
    eventlet.spawn_after(seconds, function)

def side_by_side(function, count):
    jobs = [eventlet.spawn(function) for _ in range(count)]
    with eventlet.Timeout(5):
        return [job.wait() for job in jobs]
"""
LIBRARIES = {"gevent": GEVENT, "eventlet": EVENTLET}


def ended(library: str, program: str, *arguments: str) -> str:
    """Return the output of a program that runs with a library's patches."""
    if importlib.util.find_spec(library) is None:  # importing it here would change how this process forks
        pytest.skip(f"{library} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{LIBRARIES[library]}\n{program}", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("library", LIBRARIES)
def test_streams_and_requests(scripted: ScriptedEngine, library: str) -> None:
    scripted.on("GET", "/events", one_then_silence)
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc"}))
    ended_state = {"Running": False, "Status": "exited", "ExitCode": 0}
    scripted.on("GET", "/containers/def/json", Answer.json({"Id": "def", "State": ended_state}))
    program = """
import time
from dockerkit import DockerClient
from dockerkit.models.containers.conditions import Exited

with DockerClient(sys.argv[1], version="1.51", timeout=5) as client:
    stream = client.api.events(decode=True)
    later(0.1, stream.close)
    begun = time.monotonic()
    print(list(stream), time.monotonic() - begun < 2)
    print(side_by_side(lambda: client.api.inspect_container("abc"), 20) == [{"Id": "abc"}] * 20)
    with client.system.listen():
        client.containers.get("def").wait_until(Exited(), timeout=5)
    print("waited")
"""
    assert ended(library, program, scripted.host) == "[{'n': 1}] True\nTrue\nwaited\n"


@pytest.mark.parametrize("library", LIBRARIES)
def test_all_kinds_of_streams_are_closed_by_another_greenlet(scripted: ScriptedEngine, library: str) -> None:
    script_all(scripted)
    program = """
import time
from stream_kinds import KINDS
from dockerkit import DockerClient

client = DockerClient(sys.argv[1], version="1.51", timeout=5)
for kind, make in KINDS.items():
    stream = make(client)
    items = iter(stream)
    next(items)
    later(0.02, stream.close)
    begun = time.monotonic()
    rest = list(items)
    if rest or time.monotonic() - begun > 2: print(kind, rest, time.monotonic() - begun)
client.close()
"""
    assert ended(library, program, scripted.host) == ""


@pytest.mark.parametrize("library", LIBRARIES)
def test_over_tls(tmp_path: Path, library: str) -> None:
    ca = tmp_path / "ca.pem"
    test_tls_engine.AUTHORITY.cert_pem.write_to_path(str(ca))
    context = test_tls_engine.server_context(ssl.TLSVersion.TLSv1_3)

    def serve(sock: test_tls_engine.socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            request = secure.recv(65536)
            if b"/json HTTP" in request:
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            else:
                kind = "stream" if b"/logs" in request else "hijacked"
                secure.sendall(test_tls_engine.HEADS[kind] + b"so far")
            secure.recv(65536)

    program = """
import time
from dockerkit import DockerClient
from dockerkit.endpoint.tls import TLSConfig

with DockerClient(sys.argv[1], tls=TLSConfig(ca_cert=sys.argv[2]), version="1.51", timeout=5) as client:
    print(side_by_side(lambda: client.api.inspect_container("abc"), 5))
    streams = (
        lambda: client.api.exec_start("abc", stream=True, tty=True),
        lambda: client.api.logs("abc", stream=True, follow=True),
    )
    for make in streams:
        stream = make()
        later(0.1, stream.close)
        begun = time.monotonic()
        print(list(stream), time.monotonic() - begun < 2)
"""
    with test_tls_engine.serving(serve) as host:
        assert ended(library, program, host, str(ca)) == "[{}, {}, {}, {}, {}]\n[b'so far'] True\n[b'so far'] True\n"
