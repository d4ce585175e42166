"""Builds whose context the engine fetches from a git repository, with both builders."""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dockerkit.errors import APIError, BuildError, InvalidArgument

if TYPE_CHECKING:
    from conftest import Engine

    from dockerkit import DockerClient
    from dockerkit.models.images import Image

BUILDERS = pytest.mark.parametrize("builder", ["classic", "buildkit"])


def git(folder: Path, *words: str) -> str:
    """Run git without a user's configuration."""
    environment = {
        **os.environ,
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_{fact}": "test@example.com" for role in ("AUTHOR", "COMMITTER") for fact in ("NAME", "EMAIL")},
    }
    done = subprocess.run(["git", "-C", folder, *words], env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class GitServer(socketserver.ThreadingTCPServer):
    """Serves the repositories below a folder, each connection with its own ``git daemon``."""

    def __init__(self, host: str, folder: Path) -> None:
        self.folder = folder
        super().__init__((host, 0), _Connection)
        self.url = f"git://{host}:{self.server_address[1]}"


class _Connection(socketserver.BaseRequestHandler):
    server: GitServer
    request: socket.socket

    def handle(self) -> None:
        serve = [
            "git",
            "daemon",
            "--inetd",
            "--export-all",
            f"--base-path={self.server.folder}",
            str(self.server.folder),
        ]
        subprocess.run(
            serve, stdin=self.request.fileno(), stdout=self.request.fileno(), stderr=subprocess.DEVNULL, check=False
        )


@contextlib.contextmanager
def git_server(host: str, folder: Path) -> Iterator[str]:
    """Serve for the block; yield the base URL of the repositories."""
    with GitServer(host, folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def repository(engine: Engine, busybox: str, tmp_path: Path) -> Iterator[str]:
    """URL of a repository: branch main with a Dockerfile, and branch other with another one in a folder."""
    work = tmp_path / "work"
    (work / "folder" / "deeper").mkdir(parents=True)
    git(work, "init", "--quiet", "--initial-branch=main")
    (work / "Dockerfile").write_text(f"FROM {busybox}\nCOPY . /ctx\n")
    (work / "Other").write_text(f"FROM {busybox}\nCOPY . /ctx\nENV WHICH=other\n")
    (work / "said").write_text("main")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "--message=first")
    git(work, "tag", "first")
    git(work, "checkout", "--quiet", "-b", "other")
    (work / "said").write_text("other")
    (work / "folder" / "Dockerfile").write_text(f"FROM {busybox}\nCOPY . /ctx\n")
    (work / "folder" / "deeper" / "said").write_text("folder of other")
    (work / "folder" / "script").write_text("#!/bin/sh\n")
    (work / "folder" / "script").chmod(0o755)
    git(work, "add", ".")
    git(work, "commit", "--quiet", "--message=second")
    git(tmp_path, "clone", "--quiet", "--bare", str(work), "repo.git")
    git(tmp_path / "repo.git", "symbolic-ref", "HEAD", "refs/heads/main")
    with git_server(engine.gateway, tmp_path) as url:
        yield f"{url}/repo.git"


Build = Callable[..., "Image"]


@pytest.fixture
def build(client: DockerClient, labels: dict[str, str]) -> Iterator[Build]:
    """Build an image, which is removed after the test."""
    built: set[Any] = set()

    def run(**options: Any) -> Image:
        image, _ = client.images.build(rm=True, labels=labels, **options)
        built.add(image.id)
        return image

    yield run
    for image in built:
        client.images.remove(image, force=True)


def files(image: Image) -> set[str]:
    found = {file.path.removeprefix("/ctx/") for file in image.list_files("/ctx", recursive=True)}
    return {name for name in found if not name.startswith(".git")}


@pytest.mark.parametrize("builder", ["classic", "auto"])
def test_branch_and_folder(build: Build, repository: str, builder: str) -> None:
    image = build(path=f"{repository}#other:folder", builder=builder)
    assert files(image) == {"Dockerfile", "deeper", "deeper/said", "script"}
    assert image.read_text("/ctx/deeper/said") == "folder of other"
    assert {file.name: file.mode & 0o777 for file in image.list_files("/ctx")}["script"] in (
        0o755,
        0o777,
    )  # Engine 29 checks out without a mask


def test_old_buildkit_leaves_folders_to_the_classic_builder(
    client: DockerClient, engine: Engine, repository: str, labels: dict[str, str]
) -> None:
    image, log = client.images.build(path=f"{repository}#other:folder", labels=labels, rm=True)
    image.remove(force=True)
    assert log.builder == ("buildkit" if engine.speaks("1.42") else "classic")
    assert engine.speaks("1.42") or "a folder of a repository is not supported" in log.reason


@BUILDERS
def test_branch_tag_and_dockerfile(build: Build, engine: Engine, repository: str, builder: str) -> None:
    image = build(path=f"{repository}#main", builder=builder, dockerfile="Other")
    assert image.read_text("/ctx/said") == "main" and "WHICH=other" in image.attrs["Config"]["Env"]
    assert build(path=f"{repository}#other", builder=builder).read_text("/ctx/said") == "other"
    image = build(path=f"{repository}#first", builder=builder)
    assert files(image) == {"Dockerfile", "Other", "said"} and image.read_text("/ctx/said") == "main"
    if engine.speaks("1.42") and builder == "buildkit":  # others look for "master" by default
        assert build(path=repository, builder=builder).id == image.id


@BUILDERS
@pytest.mark.parametrize("what", ["repo.git#nothing", "nothing.git#main"])
def test_missing_branch_or_folder_is_an_error(build: Build, repository: str, builder: str, what: str) -> None:
    with pytest.raises((BuildError, APIError), match=r"(?i)git|remote ref"):
        build(path=repository.replace("repo.git", what), builder=builder)


@BUILDERS
def test_rejects_options_that_conflict_with_a_repository(client: DockerClient, builder: str) -> None:
    for option in ({"fileobj": b"FROM scratch\n"}, {"ignore": ["*.log"]}):
        with pytest.raises(InvalidArgument, match="the engine fetches this context itself"):
            client.images.build(path="git://127.0.0.1:1/repo.git#main", builder=builder, **option)
