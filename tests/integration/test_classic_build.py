"""The classic builder on real engines."""

from __future__ import annotations

import contextlib
import functools
import http.server
import io
import json
import random
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from scripted_registry import eventually

from dockerkit.builder.ignore import IgnoreRules
from dockerkit.errors import APIError, BuildError, InvalidArgument, InvalidRepository, NotFound, UnreadableFile

if TYPE_CHECKING:
    from conftest import Engine, RegistryAccess

    from dockerkit import APIClient, DockerClient
    from dockerkit.models.images import Image
    from dockerkit.progress import Progress

Build = Callable[..., tuple["Image", list[dict[str, Any]]]]


@pytest.fixture
def build(client: DockerClient, labels: dict[str, str]) -> Iterator[Build]:
    """Build with the classic builder; the image is removed after the test."""
    built: list[str] = []

    def run(**options: Any) -> tuple[Image, list[dict[str, Any]]]:
        options.setdefault("rm", True)
        options["labels"] = {**labels, **options.get("labels", {})}
        image, log = client.images.build(builder="classic", **options)
        built.append(image.id or "")
        return image, list(log)

    yield run
    for image in built:
        with contextlib.suppress(NotFound):
            for name in (*client.images.get(image).tags, image):  # an ID with several tags would leave the parents
                client.images.remove(name, force=True)


def text(log: list[dict[str, Any]]) -> str:
    return "".join(record.get("stream", "") for record in log)


def names(image: Image, folder: str) -> list[str]:
    return [file.path.removeprefix(folder + "/") for file in image.list_files(folder, recursive=True)]


def test_a_folder(build: Build, busybox: str, tmp_path: Path, unique: Callable[..., str]) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {busybox}\nARG WHO=nobody\nCOPY . /ctx\nRUN echo hello $WHO > /said\n")
    (tmp_path / "x.sh").write_text("#!/bin/sh\n")
    (tmp_path / "x.sh").chmod(0o750)
    (tmp_path / "link").symlink_to("x.sh")
    one, two = unique("img") + ":1", unique("img") + ":2"
    image, log = build(path=str(tmp_path), tag=[one, two], buildargs={"WHO": "world"}, labels={"a": "b"})
    assert set(image.tags) == {one, two}
    assert image.labels["a"] == "b"
    assert image.read_text("/said") == "hello world\n"
    files = {file.name: file for file in image.list_files("/ctx")}
    assert files["x.sh"].mode & 0o777 == 0o750 and files["link"].link_target == "x.sh"
    assert "Step 1/" in text(log) and any(record.get("aux", {}).get("ID") == image.id for record in log)
    again, log = build(path=tmp_path, tag=one, buildargs={"WHO": "world"}, labels={"a": "b"})
    assert again == image and "Using cache" in text(log)


def test_ways_to_give_a_context(build: Build, busybox: str, tmp_path: Path) -> None:
    dockerfile = f"FROM {busybox}\nCOPY . /ctx\n"
    (tmp_path / "ctx").mkdir()
    (tmp_path / "ctx" / "file").write_text("x")
    (tmp_path / "Other").write_text(dockerfile)
    image, _ = build(path=tmp_path / "ctx", dockerfile=tmp_path / "Other")
    assert names(image, "/ctx") == ["file"]
    image, _ = build(path=tmp_path / "ctx", fileobj=io.BytesIO(dockerfile.encode()))
    assert names(image, "/ctx") == ["file"]
    image, _ = build(fileobj=io.BytesIO(dockerfile.encode()))
    assert names(image, "/ctx") == ["Dockerfile"]
    image, _ = build(path={"Dockerfile": dockerfile, "a/b": b"x", ".dockerignore": "Dockerfile\n.dockerignore\n"})
    assert names(image, "/ctx") == ["a", "a/b"]
    for compressed in (False, True):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz" if compressed else "w") as tar:
            member = tarfile.TarInfo("sub/Dockerfile")
            member.size = len(dockerfile)
            tar.addfile(member, io.BytesIO(dockerfile.encode()))
        archive.seek(0)
        image, _ = build(
            fileobj=archive, custom_context=True, dockerfile="sub/Dockerfile", encoding="gzip" if compressed else None
        )
        assert names(image, "/ctx") == ["sub", "sub/Dockerfile"]
    image, _ = build(path=tmp_path / "ctx", dockerfile=tmp_path / "Other", gzip=True)
    assert names(image, "/ctx") == ["file"]


def test_hard_links_stay_hard_links(build: Build, busybox: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {busybox}\nCOPY . /ctx\n")
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    for name in ("b", "c"):
        (tmp_path / name).hardlink_to(tmp_path / "a")
    image, _ = build(path=tmp_path)
    assert names(image, "/ctx") == [".dockerignore", "Dockerfile", "b", "c"]
    assert image.read_bytes("/ctx/b") == image.read_bytes("/ctx/c") == b"x" * 100_000


def test_context_that_the_engine_fetches(build: Build, engine: Engine, busybox: str, tmp_path: Path) -> None:
    dockerfile = f"FROM {busybox}\nCOPY . /ctx\n"
    with tarfile.open(tmp_path / "context.tar", "w") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        tar.addfile(member, io.BytesIO(dockerfile.encode()))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer((engine.gateway, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            url = f"http://{engine.gateway}:{server.server_address[1]}"
            image, _ = build(path=f"{url}/context.tar")
            assert names(image, "/ctx") == ["Dockerfile"]
            with pytest.raises((APIError, BuildError)):
                build(path=f"{url}/nothing.tar")
        finally:
            server.shutdown()
            thread.join()


def test_failing_step(client: DockerClient, busybox: str, labels: dict[str, str]) -> None:
    label = "=".join(next(iter(labels.items())))  # of the layer that is left behind
    dockerfile = f"FROM {busybox}\nLABEL {label}\nRUN echo before; echo the reason >&2; exit 7\nRUN echo never\n"
    with pytest.raises(BuildError) as caught:
        client.images.build(fileobj=io.BytesIO(dockerfile.encode()), rm=True, forcerm=True, builder="classic")
    error = caught.value
    assert error.exit_code == 7 and error.code == 7
    assert error.step == "RUN echo before; echo the reason >&2; exit 7"
    assert sorted(error.log)[:2] == ["before", "the reason"]
    assert "non-zero code: 7" in error.msg and "the reason" in str(error)
    log = list(error.build_log)
    assert "Step 2/4 : LABEL " in text([dict(record) for record in log]) and log[-1]["errorDetail"]["code"] == 7


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_copy_of_an_ignored_file_names_the_line(client: DockerClient, tmp_path: Path, builder: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY notes.txt /\n")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".dockerignore").write_text("*.log\n*.txt\n")
    with pytest.raises(BuildError) as caught:
        client.images.build(path=tmp_path, builder=builder, rm=True, forcerm=True)
    place = tmp_path / ".dockerignore"
    assert str(caught.value).splitlines()[0] == (
        f"'notes.txt' is excluded from the build context by line 2 of {place}: *.txt"
    )


def test_errors_before_any_step(client: DockerClient, busybox: str, tmp_path: Path) -> None:
    for bad in ("FROM\n", "NOTHING here\n", f"FROM {busybox}\nCOPY missing /\n"):
        with pytest.raises((APIError, BuildError)):
            client.images.build(path={"Dockerfile": bad}, builder="classic", rm=True)
    with pytest.raises((APIError, BuildError)):
        client.images.build(path={"Dockerfile": "FROM 127.0.0.1:1/nothing\n"}, builder="classic")
    with pytest.raises(InvalidRepository):
        client.images.build(path={"Dockerfile": ""}, tag="NotAName")
    with pytest.raises(InvalidArgument, match="container_limits"):
        client.images.build(path={"Dockerfile": ""}, container_limits={"cpu": 1})
    with pytest.raises(InvalidArgument, match="builder"):
        client.images.build(path={"Dockerfile": ""}, builder="fast")  # type: ignore[arg-type]
    with pytest.raises(UnreadableFile):
        client.images.build(path=str(tmp_path))


def test_file_that_cannot_be_read_ends_the_build(client: DockerClient, busybox: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {busybox}\nCOPY . /ctx\n")
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(200 * 2**20)
    from dockerkit.files import archive

    def shrinking(path: str, size: int) -> Iterator[bytes]:
        big.write_bytes(b"short now")
        yield from original(path, size)

    original = archive._blocks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "_blocks", shrinking)
        with pytest.raises(UnreadableFile, match="big shrank"):
            client.images.build(path=str(tmp_path), builder="classic")
    assert client.ping()  # and the client still works


def test_every_option_reaches_the_steps(build: Build, busybox: str) -> None:
    image, _ = build(
        path={"Dockerfile": (
            f"FROM {busybox} AS one\nARG A\nRUN (cat /etc/hosts; ulimit -n; df -k /dev/shm; ip addr) > /facts\n"
            f"FROM {busybox} AS two\nRUN exit 1\n"
        )},
        target="one", extra_hosts={"elsewhere": "10.1.2.3"}, ulimits=["nofile=77:99"], shmsize="8m", network_mode="none",
        container_limits={"memory": "64m", "memswap": "128m", "cpushares": 512, "cpusetcpus": "0"}, nocache=True,
        buildargs={"A": 1, "UNSET": None}, pull=False, forcerm=True, cache_from=[busybox], platform="linux/amd64",
    )  # fmt: skip
    facts = image.read_text("/facts")
    assert "10.1.2.3\telsewhere" in facts and "77\n" in facts
    assert "8192" in facts and "eth0" not in facts


def test_quiet(build: Build, busybox: str) -> None:
    image, log = build(path={"Dockerfile": f"FROM {busybox}\nENV A=b\n"}, quiet=True)
    assert "Step" not in text(log) and image.attrs["Config"]["Env"][-1] == "A=b"


def test_progress(build: Build, busybox: str) -> None:
    states: list[Progress] = []
    build(path={"Dockerfile": f"FROM {busybox}\nRUN echo hi\n"}, nocache=True, progress=states.append)
    sent, *steps = states[-1].steps.values()
    assert sent.name == "sending the context" and (sent.current or 0) >= 2048
    assert steps[1].name == "[2/3] RUN echo hi"
    assert all(step.done for step in states[-1].steps.values())


def test_proxies_of_the_configuration_are_arguments(
    engine: Engine, busybox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockerkit import DockerClient

    proxies = {"default": {"httpProxy": "http://proxy:3128"}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    dockerfile = f"FROM {busybox}\nRUN echo proxy=$http_proxy,$HTTP_PROXY\n"
    for use, expected in ((True, "proxy=http://proxy:3128,http://proxy:3128"), (False, "proxy=,\n")):
        with DockerClient(engine.host) as client:
            image, log = client.images.build(
                path={"Dockerfile": dockerfile}, nocache=True, rm=True, use_config_proxy=use, builder="classic"
            )
            image.remove(force=True)
        assert expected in text(list(log))


def test_credentials_reach_the_registry_of_the_base_image(
    client: DockerClient, build: Build, busybox: str, auth_registry: RegistryAccess, unique: Callable[..., str]
) -> None:
    base = f"{auth_registry.host}/{unique('base')}"
    login = {"username": auth_registry.user, "password": auth_registry.password}
    client.images.get(busybox).tag(base)
    client.images.push(base, auth_config=login)
    client.images.remove(base)
    dockerfile = {"Dockerfile": f"FROM {base}\nENV A=b\n"}
    with pytest.raises((BuildError, APIError)):
        build(path=dockerfile, pull=True)
    build(path=dockerfile, pull=True, auth_configs={auth_registry.host: login})
    client.api.auth_config.add_auth(auth_registry.host, login)
    build(path=dockerfile, pull=True)
    client.images.remove(base)


def test_abandoned_build_ends_on_the_engine(api: APIClient, busybox: str, labels: dict[str, str]) -> None:
    key, value = next(iter(labels.items()))
    dockerfile = f"FROM {busybox}\nLABEL {key}={value}\nRUN echo begun; exec sleep 4711\n"
    with api.build({"Dockerfile": dockerfile}, decode=True, rm=True, forcerm=True) as records:
        for record in records:
            if record.get("stream", "").startswith("begun"):
                break
        assert eventually(lambda: sleeping(api))
    assert eventually(lambda: not sleeping(api), 20)


def sleeping(api: APIClient) -> list[Any]:
    return [one for one in api.containers() if "sleep 4711" in one["Command"]]


def test_build_is_cancelled_from_another_thread(api: APIClient, busybox: str) -> None:
    dockerfile = f"FROM {busybox}\nRUN echo begun; exec sleep 4711\n"
    records = api.build({"Dockerfile": dockerfile}, decode=True, rm=True, forcerm=True)
    timer = threading.Timer(1.5, records.close)
    timer.start()
    begun = time.monotonic()
    list(records)
    timer.join()
    assert time.monotonic() - begun < 20
    assert eventually(lambda: not sleeping(api), 20)


def test_reports_which_builder_was_chosen(client: DockerClient, busybox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"Dockerfile": f"FROM {busybox}\nENV CHOSEN=1\n"}
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    _, log = client.images.build(path=files, rm=True)
    assert (log.builder, log.reason) == ("classic", "because DOCKER_BUILDKIT=0")
    monkeypatch.delenv("DOCKER_BUILDKIT")
    image, log = client.images.build(path=files, rm=True, container_limits={"memory": "64m"})
    assert (log.builder, log.reason) == ("classic", "because container_limits needs it")
    assert list(log) == log.records and "classic" in repr(log)
    image.remove(force=True)
    image, log = client.images.build(path=files, rm=True, shmsize="64m")  # not supported by the oldest BuildKit
    assert log.builder == "classic" or log.reason == "because engine and options allow it"
    with pytest.raises(InvalidArgument, match="secrets: not supported by the classic builder"):
        client.images.build(path=files, builder="classic", secrets={"x": b"y"})
    image.remove(force=True)


def test_cache_is_pruned(client: DockerClient) -> None:
    assert client.images.prune_builds(all=True)["SpaceReclaimed"] >= 0
    assert client.api.prune_builds(keep_storage="1g", filters={"until": "24h"})["SpaceReclaimed"] >= 0
    with pytest.raises(InvalidArgument):
        client.api.prune_builds(keep_storage=1, reserved_space=1)


PIECES = ["a", "b", "ab", "*", "**", "?", "a*", "*.o", "[ab]", "d", "keep", "!a", "[^b]", ".*"]
TREE = ["a/a", "a/b.o", "a/d/keep", "ab", "b/a/b", "b/keep", "b/x.o", "d/a", "d/ab/a.o", "d/d/d/keep", ".hid", "keep"]


@pytest.mark.parametrize("seed", range(0, 20, 5))
def test_generated_ignore_files_match_the_engine(build: Build, busybox: str, seed: int) -> None:
    """The image contains exactly the files that the rules include."""
    expected: dict[str, list[str]] = {}
    for number in range(seed, seed + 5):
        random_ = random.Random(number)
        lines = [
            random_.choice(["", "", "!"]) + "/".join(random_.choice(PIECES) for _ in range(random_.randint(1, 3)))
            for _ in range(random_.randint(1, 6))
        ]
        rules = IgnoreRules(lines)
        files = [path for path in TREE if not rules.ignores(path)]
        image, _ = build(path={"Dockerfile": f"FROM {busybox}\nCOPY . /ctx\n", ".dockerignore": "\n".join(lines),
                               **dict.fromkeys(TREE, "")})  # fmt: skip
        arrived = [file.path.removeprefix("/ctx/") for file in image.list_files("/ctx", recursive=True) if file.is_file]
        # For these two files, the engine applies its own rules.
        for own in ("Dockerfile", ".dockerignore"):
            if not rules.ignores(own):
                files.append(own)
        expected["\n".join(lines)] = sorted(set(arrived) ^ set(files))
    assert {lines: wrong for lines, wrong in expected.items() if wrong} == {}


def test_engine_reads_patterns_as_we_do(build: Build, busybox: str) -> None:
    """The engine itself removes an ignored Dockerfile, which shows how it matches the Dockerfile's path."""
    for lines, path in (
        (["**/x"], "d/x"), (["d/*"], "d/x"), (["d"], "e"), (["*", "!d/x"], "d/x"), (["d/**", "!d/[x-z]"], "d/y"),
        (["[d]/*", "!**/y"], "d/y"), (["?/?"], "d/x"), (["**"], "e"),
    ):  # fmt: skip
        image, _ = build(path={path: f"FROM {busybox}\nCOPY . /ctx\n", "other": "", ".dockerignore": "\n".join(lines)},
                         dockerfile=path)  # fmt: skip
        files = [file.path.removeprefix("/ctx/") for file in image.list_files("/ctx", recursive=True)]
        assert (path in files) is not IgnoreRules(lines).ignores(path), (lines, path)


@pytest.mark.parametrize("step", ["RUN <<EOF\necho x > /x\nEOF\n", "COPY <<EOF /x\nx\nEOF\n"])
def test_heredocs_are_rejected(build: Build, busybox: str, step: str) -> None:
    with pytest.raises((BuildError, APIError), match="here-documents|unknown instruction"):
        build(fileobj=io.BytesIO(f"FROM {busybox}\n{step}".encode()), forcerm=True)
