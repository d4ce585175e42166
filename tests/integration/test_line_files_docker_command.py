"""Env files, ignore files and config.json are read as by the docker command, in generated cases; no engine is needed."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import shutil
import subprocess
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockerkit import DockerClient
from dockerkit.builder.context import open_context
from dockerkit.builder.ignore import IgnoreRules
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.parsing.values import env_file, label_file
from dockerkit.testing.server import Connection, Request, Server

ODD = [
    "\n",
    "\r\n",
    "\r",
    "\v",
    "\f",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x1f",
    "\x85",
    "\xa0",
    "\u2028",
    "\u2029",
    "\ufeff",
    " ",
    "\t",
]
PARTS = [
    *ODD,
    "\n",
    "\n",
    "A",
    "B=",
    "=",
    "#",
    "value",
    '"quoted"',
    "'",
    "\\",
    "$A",
    "ü",
    "DOCKERKIT_SET",
    "\nDOCKERKIT_SET\n",
]
CASES = 60


class Judge:
    """Runs the docker command against a scripted engine."""

    def __init__(self, folder: Path) -> None:
        self.request: Request | None = None
        self.server = Server(self.answer)
        self.config = folder / "config"
        self.config.mkdir()
        self.env = {
            "PATH": os.environ["PATH"], "DOCKER_CONFIG": str(self.config), "DOCKERKIT_SET": "from here", "DOCKER_BUILDKIT": "0",
        }  # fmt: skip

    def answer(self, request: Request, connection: Connection) -> None:
        if request.path == "/_ping":
            connection.respond(200, b"OK", {"Api-Version": "1.45", "Ostype": "linux"})
            return
        if request.path.startswith("/containers/create") or request.path in ("/build", "/images/create"):
            self.request = request
        connection.json({"Id": "a" * 64, "Warnings": []}, 201 if "/create" in request.path else 200)

    def run(self, *arguments: str) -> Request | None:
        """Return the request that the command sends; None if it refuses its arguments."""
        self.request = None
        command = ["docker", "-H", self.server.host, *arguments]
        subprocess.run(command, env=self.env, capture_output=True, check=False, timeout=60)
        return self.request

    def create(self, *options: str) -> Any:
        request = self.run("create", *options, "image")
        return request and request.json()


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    if shutil.which("docker") is None:
        pytest.fail("these tests compare with the docker command: install it (Debian: docker.io or docker-cli)")
    judge = Judge(tmp_path)
    monkeypatch.setenv("DOCKERKIT_SET", judge.env["DOCKERKIT_SET"])
    yield judge
    judge.server.close()


def contents(seed: int) -> Iterator[bytes]:
    dice = random.Random(seed)  # noqa: S311
    yield b""
    for odd in ODD:
        yield f"A=one{odd}B=two".encode()
        yield f"{odd}A=one\n{odd}#B=two\nC{odd}=three\nD=four{odd}".encode()
    yield b"\xef\xbb\xbfA=1\n\xef\xbb\xbfB=2\n"
    yield b"A=\xff\n"
    for _ in range(CASES):
        yield "".join(dice.choices(PARTS, k=dice.randint(1, 12))).encode()


@pytest.mark.parametrize(("option", "read"), [("--env-file", env_file), ("--label-file", label_file)])
def test_files_of_variables_and_labels(judge: Judge, tmp_path: Path, option: str, read: Any) -> None:
    path = tmp_path / "file"
    wrong = []
    for content in contents(seed=1):
        path.write_bytes(content)
        body = judge.create(option, str(path))
        if body is None:
            theirs = None
        elif read is env_file:
            theirs = dict(pair.partition("=")[::2] for pair in body["Env"] or ())
        else:
            theirs = body["Labels"] or {}
        try:
            ours = read(path)
            if read is label_file and theirs is not None:  # the command ignores bare names, which its manual allows
                ours = {label: value for label, value in ours.items() if value or label in theirs}
        except InvalidArgument:
            ours = None
        if ours != theirs:
            wrong.append((content, ours, theirs))
    assert not wrong, "\n".join(json.dumps([repr(part) for part in case]) for case in wrong[:10])


TREE = [
    "Dockerfile", "a", "b.txt", "ab/a", "ab/b.txt", "ab/c/a", "ab/c/b.txt", "c/a/b.txt", "c/.x", "d e/a", "ü/b.txt", "[a]/b", "!a",
]  # fmt: skip
PATTERN_PARTS = [
    "a", "b", "c", ".txt", "*", "*", "**", "**/", "/", "/", "?", "!", "\n", "\n", "\n!", "#", " ", "..", "./", "[ab]", "[^a]", "[a-c]",
    "\\", "\r\n", "ü", "Dockerfile", ".dockerignore", "$", "(", "+", "{a}", "\ufeff", "ab/", "c/a",
]  # fmt: skip


def test_ignore_files(judge: Judge, tmp_path: Path) -> None:
    root = tmp_path / "context"
    for name in TREE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("FROM scratch" if name == "Dockerfile" else "")
    dice = random.Random(2)  # noqa: S311
    contents = ["".join(dice.choices(PATTERN_PARTS, k=dice.randint(1, 9))) for _ in range(CASES * 2)]
    wrong = []
    for content in ["", "*\n!ab/c", "**\n!**/b.txt", "ab\n!ab/c/a", *contents]:
        (root / ".dockerignore").write_text(content)
        request = judge.run("build", str(root))
        theirs = names(request.body) if request else None
        try:
            ours = names(b"".join(open_context(root).data() or ()))
            rules = IgnoreRules.read(content)
        except InvalidArgument:
            ours = None
        if ours is not None and theirs is not None and "!" in content:
            # As in BuildKit, an exception applies in every ignored folder; the classic builder enters only some of them.
            inner = {
                name for name in ours if any(rules.ignores(name[:at]) for at, char in enumerate(name) if char == "/")
            }
            parents = {
                name for name in ours if rules.ignores(name) and any(one.startswith(name + "/") for one in inner)
            }
            ours, theirs = ours - inner - parents, theirs - inner - parents
        # After a wildcard, the docker command accepts malformed classes and escapes, which match nothing; dockerkit refuses them.
        stricter = ours is None and ("\\" in content or "[" in content)
        if ours != theirs and not stricter:
            wrong.append((content, ours, theirs))
    assert not wrong, "\n".join(repr(case) for case in wrong[:10])


def names(archive: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        return {member.name.rstrip("/") for member in members}


SERVERS = [
    "r.example", "https://r.example", "http://r.example", "https://r.example/v1/", "r.example/v2", "r.example:5000", "R.example",
    "https://index.docker.io/v1/", "docker.io", "index.docker.io", "https://other.example",
]  # fmt: skip
ENTRIES: list[Any] = [
    {"auth": base64.b64encode(text).decode()} for text in (b"me:secret", b"me:a:b", b"me:", b"me", b"me:\0s\0\0", b"\xc3\xbc:\xc3\xbc")
] + [
    {}, None, {"auth": ""}, {"auth": "%%%"}, {"username": "me", "password": "secret"}, {"identitytoken": "t"}, {"registrytoken": "t"},
    {"auth": "bWU6c2VjcmV0", "identitytoken": "t"}, {"auth": "bWU6c2VjcmV0", "email": "me@example"},
    {"auth": "bWU6c2VjcmV0", "username": "else"}, {"AUTH": "bWU6c2VjcmV0"}, {"auth": "bWU6c2VjcmV0", "serveraddress": "else"}, {"auth": "bWU6c2VjcmV0\n"},
    {"auth": "bWU6c2VjcmV0PQ"}, {"auth": 5}, "x",
]  # fmt: skip


def credentials(request: Request | None) -> dict[str, str] | None:
    """Return the credentials in a request: the token, which takes precedence, or user and password."""
    if request is None:
        return None
    header = request.headers.get("X-Registry-Auth", "")
    content = {
        key.lower(): value for key, value in json.loads(base64.urlsafe_b64decode(header + "==") or b"{}").items()
    }
    for token in ("identitytoken", "registrytoken"):
        if content.get(token):
            return {token: content[token]}
    return {key: content[key] for key in ("username", "password") if content.get(key)}


def test_credentials_of_config_json(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(judge.config))
    monkeypatch.delenv("DOCKER_AUTH_CONFIG", raising=False)
    cases = [({server: ENTRIES[0]}, image) for server in SERVERS for image in ("r.example/x", "r.example:5000/x", "x")]
    cases += [({"r.example": entry}, "r.example/x") for entry in ENTRIES]
    cases += [
        ({"https://r.example": ENTRIES[0], "r.example": ENTRIES[1]}, "r.example/x"),
        ({"other.example": ENTRIES[8], "r.example": ENTRIES[0]}, "r.example/x"),
    ]
    wrong = []
    for auths, image in cases:
        (judge.config / "config.json").write_text(json.dumps({"auths": auths}))
        theirs = credentials(judge.run("pull", "-q", image))
        judge.request = None
        with warnings.catch_warnings(), DockerClient(judge.server.host) as client:
            warnings.simplefilter("ignore")
            try:
                client.api.pull(image, tag="latest")
            except DockerException:  # the scripted engine pulls nothing; only the request counts
                pass
        ours = credentials(judge.request)
        # A damaged entry stops the docker command; here it is only a warning. Docker Hub's other names are
        # looked up too, as docker-py does.
        if theirs is not None and ours != theirs and not (image == "x" and "docker.io" in "".join(auths)):
            wrong.append((auths, image, ours, theirs))
    assert not wrong, "\n".join(repr(case) for case in wrong)
