"""BuildKit on real engines: what a session serves, over every transport."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import trustme
from buildkit_help import COPY_ALL, built_files, ours, tls_door, write

from dockerkit import APIClient
from dockerkit.builder.buildkit import Exporter, build, messages, services, stream
from dockerkit.builder.buildkit.control import Control, channel_over
from dockerkit.builder.buildkit.secrets import secrets_of
from dockerkit.builder.buildkit.session import BuildSession
from dockerkit.builder.buildkit.trace import Trace
from dockerkit.credentials.auth import AuthConfig
from dockerkit.endpoint.tls import TLSConfig
from dockerkit.errors import BuildError, InvalidArgument
from dockerkit.progress import Progress

SECRET = "s3cr3t-value-that-must-not-leak"


# -- transports ------------------------------------------------------------------------------------------------------


def test_over_tcp(engine, tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": COPY_ALL, "file": b"x" * 3_000_000})
    with APIClient(engine.tcp) as api:
        assert built_files(api, path=tmp_path)["file"] == b"x" * 3_000_000
    assert ours() == []


def test_over_tls(engine, tmp_path: Path) -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    write(tmp_path / "context", {"Dockerfile": COPY_ALL, "file": b"x" * 3_000_000})
    with tls_door(engine.socket, served) as port:
        with APIClient(f"tcp://127.0.0.1:{port}", tls=TLSConfig(ca_cert=str(tmp_path / "ca.pem"), verify=True)) as api:
            assert built_files(api, path=tmp_path / "context")["file"] == b"x" * 3_000_000
    assert ours() == []


def test_over_ssh(engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ssh_server import SSHServer

    from dockerkit.transport import ssh

    (tmp_path / "ssh").mkdir()
    server = SSHServer(tmp_path / "ssh")
    monkeypatch.setenv("PATH", f"{server.bin}:{os.environ['PATH']}")
    try:
        server.start()
        write(tmp_path / "context", {"Dockerfile": COPY_ALL, "file": b"x" * 3_000_000})
        with APIClient(f"ssh://{server.user}@127.0.0.1:{server.port}{engine.socket}") as api:
            assert built_files(api, path=tmp_path / "context")["file"] == b"x" * 3_000_000
    finally:
        ssh._log_out()
        ssh._logins.clear()
        server.stop()


def test_session_through_the_control_connection(
    api: APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Control, "session", Control.tunnel)
    write(tmp_path, {"Dockerfile": COPY_ALL, "file": b"x" * 3_000_000})
    assert built_files(api, path=tmp_path)["file"] == b"x" * 3_000_000
    assert ours() == []


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_secrets_reach_the_step_and_nothing_else(
    api: APIClient, busybox: str, unique, labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DKT_SECRET", SECRET + "-env")
    (tmp_path / "file").write_text(SECRET + "-file")
    dockerfile = f"""FROM {busybox}
RUN --mount=type=secret,id=mem --mount=type=secret,id=env --mount=type=secret,id=file,target=/f,mode=0444 \\
    cat /run/secrets/mem /run/secrets/env /f | sha256sum > /sum; ls -l /f
RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent
"""
    tag = unique("secret")
    given = {"mem": (SECRET + "-mem").encode(), "env": {"env": "DKT_SECRET"}, "file": tmp_path / "file"}
    with stream(api, fileobj=dockerfile, tag=tag, labels=labels, secrets=given, nocache=True) as running:
        events = [event.text for event in running]
        result = running.result()
    told = json.dumps([result.log, result.metadata, [str(step) for step in result.steps], events, repr(running)])
    told += json.dumps([api.inspect_image(tag), api.history(tag)], default=str)
    with api.get_image(tag) as archive:
        told += b"".join(archive).decode("latin-1")
    assert SECRET not in told
    expected = hashlib.sha256("".join(SECRET + end for end in ("-mem", "-env", "-file")).encode()).hexdigest()
    dockerfile += f"RUN grep -q {expected} /sum\n"
    build(api, fileobj=dockerfile, secrets=given, labels=labels, outputs="type=cacheonly")


def test_missing_required_secret_fails_the_build(api: APIClient, busybox: str) -> None:
    with pytest.raises(BuildError, match="needed"):
        build(api, fileobj=f"FROM {busybox}\nRUN --mount=type=secret,id=needed,required=true true\n")
    assert ours() == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"a": SECRET}, "must be bytes"),
        ({"a": {"env": "DKT_NOT_SET"}}, "DKT_NOT_SET"),
        ({"a": Path("/nowhere/file")}, "/nowhere/file"),
        ({"a": b"x" * 600_000}, "512000"),
        (["src=file"], "id=NAME"),
        ({"a": {"what": "x"}}, "must be bytes"),
    ],
)
def test_invalid_secrets_are_rejected_immediately(given: object, told: str) -> None:
    with APIClient("unix:///nowhere", version="1.41") as nobody:
        with pytest.raises((InvalidArgument, OSError), match=told) as caught:
            build(nobody, fileobj="FROM scratch", secrets=given)
    assert SECRET not in str(caught.value)


# -- ssh -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    while not socket.exists():
        time.sleep(0.01)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dkt-key", "-f", str(tmp_path / "key")], check=True
    )
    subprocess.run(
        ["ssh-add", "-q", str(tmp_path / "key")],
        check=True,
        env={"SSH_AUTH_SOCK": str(socket), "PATH": os.environ["PATH"]},
    )
    yield socket
    process.send_signal(signal.SIGTERM)
    process.wait()


def test_ssh_agent_only_lists_keys_and_signs(api: APIClient, busybox: str, agent: Path, tmp_path: Path, labels) -> None:
    helper = _agent_client(tmp_path)
    dockerfile = (
        f"FROM {busybox}\nCOPY client /client\nRUN --mount=type=ssh /client\nRUN --mount=type=ssh,id=other /client\n"
    )
    result = build(
        api, path={"Dockerfile": dockerfile, "client": helper}, ssh={"default": agent, "other": agent}, nocache=True,
        outputs="type=cacheonly", labels=labels,
    )  # fmt: skip
    lines = [line for step in result.steps for line in step.log]
    assert lines.count("keys=1 removed=no") == 2
    listed = subprocess.run(
        ["ssh-add", "-l"], env={"SSH_AUTH_SOCK": str(agent), "PATH": os.environ["PATH"]}, capture_output=True, text=True
    )
    assert "dkt-key" in listed.stdout


def _agent_client(tmp_path: Path) -> Path:
    """Build a static program that requests the agent's keys, and then their removal."""
    source = tmp_path / "client.c"
    source.write_text(
        r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static unsigned char answer[65536];
static int ask(int s, unsigned char type) {
    unsigned char request[5] = {0, 0, 0, 1, type};
    int have = 0, want = 4;
    if (write(s, request, 5) != 5) return -1;
    while (have < want) {
        int n = read(s, answer + have, sizeof answer - have);
        if (n <= 0) return -1;
        have += n;
        if (have >= 4) want = 4 + (answer[2] << 8 | answer[3]);
    }
    return answer[4];
}
int main(void) {
    struct sockaddr_un a = {AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(a.sun_path, getenv("SSH_AUTH_SOCK"));
    if (connect(s, (struct sockaddr *)&a, sizeof a)) return 2;
    int type = ask(s, 11);
    if (type != 12) return 3;
    int keys = answer[8];
    printf("keys=%d removed=%s\n", keys, ask(s, 19) == 5 ? "no" : "yes");
    return 0;
}
"""
    )
    binary = tmp_path / "client"
    subprocess.run(["gcc", "-static", "-O1", "-o", str(binary), str(source)], check=True)
    return binary


def test_ssh_without_an_agent(api: APIClient, busybox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(InvalidArgument, match="no ssh agent found"):
        build(api, fileobj="FROM scratch", ssh=True)
    (tmp_path / "key").write_text("a key")
    with pytest.raises(InvalidArgument, match="ssh-add"):
        build(api, fileobj="FROM scratch", ssh={"default": tmp_path / "key"})
    with pytest.raises(BuildError, match="other"):
        build(api, fileobj=f"FROM {busybox}\nRUN --mount=type=ssh,id=other,required=true true\n", nocache=True)


# -- registries ------------------------------------------------------------------------------------------------------


def push(host: str, name: str, user: str = "", password: str = "") -> str:
    """Push an empty image to a registry, without an engine."""
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
    ).encode()
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()} if user else {}

    def send(method: str, url: str, data: bytes = b"", **more: str):
        with urlopen(Request(url, data, {**headers, **more}, method=method)) as answer:
            return answer.headers

    place = send("POST", f"http://{host}/v2/{name}/blobs/uploads/")["Location"]
    place = place if place.startswith("http") else f"http://{host}{place}"
    send(
        "PUT",
        f"{place}{'&' if '?' in place else '?'}digest={digest}",
        config,
        **{"Content-Type": "application/octet-stream"},
    )
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps(
        {
            "schemaVersion": 2, "mediaType": kind, "layers": [],
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digest},
        }
    ).encode()  # fmt: skip
    send("PUT", f"http://{host}/v2/{name}/manifests/1", manifest, **{"Content-Type": kind})
    return f"{host}/{name}:1"


def test_pulls_with_a_password(engine, auth_registry, unique, tmp_path: Path) -> None:
    base = push(auth_registry.host, unique("base"), auth_registry.user, auth_registry.password)
    known = {auth_registry.host: {"username": auth_registry.user, "password": auth_registry.password}}
    with APIClient(engine.host) as api:
        api._auth_config = AuthConfig({"auths": known})
        assert built_files(api, path={"Dockerfile": f"FROM {base}\nCOPY f /\n", "f": "x"}) == {"f": b"x"}
    other = push(auth_registry.host, unique("base"), auth_registry.user, auth_registry.password)
    with APIClient(engine.host) as api:
        with pytest.raises(BuildError):
            built_files(api, path={"Dockerfile": f"FROM {other}\nCOPY f /\n", "f": "x"}, auth_configs={})
        assert built_files(api, path={"Dockerfile": f"FROM {other}\nCOPY f /\n", "f": "y"}, auth_configs=known) == {
            "f": b"y"
        }
    assert ours() == []


class TokenRegistry(BaseHTTPRequestHandler):
    """A proxy for a registry that requires a Bearer token, anonymous or for a password."""

    password = ""
    behind = ""
    protocol_version = "HTTP/1.1"
    asked: list[str] = []

    def log_message(self, *args: object) -> None:
        pass

    def handle_one_request(self) -> None:
        # TLS: engines fall back to plain HTTP only if the registry speaks it.
        if self.rfile.peek(1)[:1] == b"\x16":  # type: ignore[attr-defined]
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            self.close_connection = True
            return
        super().handle_one_request()

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            type(self).asked.append(self.headers.get("Authorization", ""))
            wanted = "Basic " + base64.b64encode(f"user:{self.password}".encode()).decode()
            if self.password and self.headers.get("Authorization") != wanted:
                return self.answer(401, b"{}")
            return self.answer(200, json.dumps({"token": "t0ken", "access_token": "t0ken", "expires_in": 300}).encode())
        if self.headers.get("Authorization") != "Bearer t0ken":
            realm = f'Bearer realm="http://{self.headers["Host"]}/token",service="dkt"'
            return self.answer(401, b"{}", {"Www-Authenticate": realm})
        try:
            with urlopen(
                Request(
                    f"http://{self.behind}{self.path}",
                    headers={"Accept": self.headers.get("Accept", "*/*")},
                    method=self.command,
                )
            ) as found:
                kept = {
                    name: found.headers[name]
                    for name in ("Content-Type", "Docker-Content-Digest")
                    if found.headers[name]
                }
                self.answer(200, found.read() if self.command == "GET" else b"", kept, found.headers["Content-Length"])
        except OSError as error:
            self.answer(getattr(error, "code", 500), b"{}")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(404, b"{}")  # so that the older GET is used

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, length: str | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def listener_inside(engine) -> socket.socket:
    """Listen on the loopback address of the engine's network; a socket stays in the network of its thread."""
    made: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(engine.socket))
        process = int.from_bytes(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 4), sys.byteorder)

    def make() -> None:
        with open(f"/proc/{process}/ns/net") as namespace:
            assert ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) == 0, ctypes.get_errno()
        made.append(socket.create_server(("127.0.0.1", 0)))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


@pytest.mark.parametrize("password", ["", "token password"])
def test_pulls_with_tokens(engine, registry: str, unique, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even an anonymous token requires a session, from which BuildKit requests credentials."""
    door = type("Door", (TokenRegistry,), {"password": password, "behind": registry, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), door, bind_and_activate=False)
    server.socket.close()
    server.socket = listener_inside(engine)  # the engine speaks plain HTTP only to its own loopback address
    server.server_activate()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        host = f"127.0.0.1:{server.socket.getsockname()[1]}"
        name = unique("token")
        push(registry, name)
        known = {host: {"username": "user", "password": password}} if password else {}
        with APIClient(engine.host) as api:
            files = built_files(
                api, path={"Dockerfile": f"FROM {host}/{name}:1\nCOPY f /\n", "f": "x"}, auth_configs=known
            )
        assert files == {"f": b"x"}
        assert door.asked  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_inline_cache_serves_another_build(api: APIClient, registry: str, busybox: str, unique, labels) -> None:
    tag = f"{registry}/{unique('cached')}:1"
    options = {"fileobj": f"FROM {busybox}\nRUN echo {tag} > /made\n", "labels": labels}
    build(api, tag=tag, cache_to="inline", **options)
    repository, _, number = tag.rpartition(":")
    for _ in api.push(repository, number, stream=True, decode=True):
        pass
    api.remove_image(tag, force=True)
    api.prune_builds(all=True)
    result = build(api, cache_from=[tag], outputs="type=cacheonly", **options)
    assert any(step.cached and "RUN echo" in step.name for step in result.steps), [
        (s.name, s.cached) for s in result.steps
    ]


def test_output_that_can_not_be_written_fails_the_build(api: APIClient, tmp_path: Path) -> None:
    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        build(api, path={"Dockerfile": COPY_ALL, "f": "x"}, outputs=Exporter("tar", Full()))
    assert ours() == []


def test_low_level_build_uses_a_custom_session(api: APIClient, busybox: str, unique, labels, tmp_path: Path) -> None:
    """Start a build the older way: ``POST /build?version=2`` with ``POST /session``."""
    write(
        tmp_path,
        {"Dockerfile": f"FROM {busybox}\nCOPY f /\nRUN --mount=type=secret,id=s wc -c /run/secrets/s\n", "f": "x"},
    )
    session = BuildSession(auth=lambda: api.auth_config, secrets=secrets_of({"s": b"12345"}))
    channel = channel_over(api.session(session.id, methods=[services.SECRETS]), session.serve, name="session")
    try:
        tag = unique("low")
        records = list(
            api.build(
                path=str(tmp_path),
                tag=tag,
                labels=labels,
                version="2",
                session=session.id,
                buildid=session.id,
                nocache=True,
                decode=True,
            )
        )
    finally:
        channel.close()
    state = Progress(tag)
    trace = Trace(state)
    for record in records:
        if record.get("id") == "moby.buildkit.trace":
            trace.feed(messages.StatusResponse.FromString(base64.b64decode(record["aux"])))
    assert "5 /run/secrets/s" in [line for step in state.steps.values() for line in step.log]
    (image,) = [record["aux"]["ID"] for record in records if record.get("id") == "moby.image.id"]
    assert api.inspect_image(tag)["Id"] == image


def test_low_level_cancel(api: APIClient, busybox: str) -> None:
    name = os.urandom(8).hex()
    with api.build(
        fileobj=f"FROM {busybox}\nRUN sleep 60\n", version="2", buildid=name, nocache=True, decode=True
    ) as records:
        threading.Timer(2.0, api.cancel_build, [name]).start()
        began = time.monotonic()
        with pytest.raises(BuildError, match="cancel"):
            list(records)
    assert time.monotonic() - began < 30
