"""Sandboxes on real engines: what code can do, and how it is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockerkit import DockerClient, errors
from dockerkit.models.sandbox import Sandbox


@pytest.fixture
def settings(labels: dict[str, str]) -> dict[str, Any]:
    return {"labels": labels, "memory": "32m", "disk": "1m", "timeout": 20}


@pytest.fixture
def sandbox(client: DockerClient, busybox: str, settings: dict[str, Any]) -> Iterator[Sandbox]:
    with client.sandbox(busybox, files={"data/in.txt": "given"}, **settings) as sandbox:
        yield sandbox


def test_code_runs_without_rights(sandbox: Sandbox) -> None:
    run = sandbox.run("id -u; pwd; cat data/in.txt; echo; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status | sort")
    assert run.stdout.split() == [
        *("65534", "/sandbox", "given"),
        *("CapBnd:", "0" * 16, "CapEff:", "0" * 16, "NoNewPrivs:", "1"),
    ]
    assert sandbox.run("ls /sys/class/net").stdout == "lo\n"
    assert sandbox.run("echo x > /file").returncode != 0
    assert sandbox.run("echo x > /tmp/file && echo y > file && cat /tmp/file file").stdout == "x\ny\n"
    assert sandbox.container.attrs["HostConfig"]["LogConfig"]["Type"] == "none"


def test_run_passes_arguments_input_and_environment(sandbox: Sandbox) -> None:
    run = sandbox.run(["sh", "-c", "cat; echo $A >&2; exit 3"], input="in", environment={"A": "b"})
    assert (run.returncode, run.stdout, run.stderr, run.ok) == (3, "in", "b\n", False)
    with pytest.raises(errors.ContainerError):
        sandbox.run("exit 1", check=True)
    with pytest.raises(errors.InvalidArgument, match="128 KiB"):
        sandbox.run("#" * 131072)


def test_files_go_in_and_out(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.write("deep/er/code.sh", "echo $((6 * 7)) > result")
    assert sandbox.run(["sh", "deep/er/code.sh"]).ok
    assert sandbox.read_text("result") == "42\n"
    sandbox.copy_to({"a.txt": "a"})
    assert sandbox.run("cat a.txt; rm a.txt").stdout == "a"
    assert sandbox.copy_from("deep", tmp_path) > 0
    assert (tmp_path / "deep/er/code.sh").exists()
    assert [file.path for file in sandbox.list_files()] == ["/sandbox/data", "/sandbox/deep", "/sandbox/result"]
    for path in ("/etc/passwd", "../etc/passwd", "/sandboxes"):
        with pytest.raises(errors.InvalidArgument, match="below /sandbox"):
            sandbox.read(path)


def test_flood_of_output_is_killed_at_the_timeout(sandbox: Sandbox) -> None:
    for code in ("yes", "while :; do :; done", "trap '' TERM; setsid yes & sleep 100"):
        began = time.monotonic()
        with pytest.raises(errors.ExecTimeout) as caught:
            sandbox.run(code, timeout=1, max_output="1k")
        assert time.monotonic() - began < 3.5
        assert len(caught.value.stdout) <= 1024
        assert len(sandbox.container.top()["Processes"]) == 2
    assert sandbox.read_text("data/in.txt") == "given"


def test_number_of_processes_is_bounded(sandbox: Sandbox) -> None:
    run = sandbox.run("for i in $(seq 200); do sleep 100 >/dev/null 2>&1 & done; wait", timeout=15)
    assert "Resource temporarily unavailable" in run.stderr
    sandbox.kill()
    assert sandbox.run("cat data/in.txt").stdout == "given"


def test_memory_disk_and_output_are_bounded(sandbox: Sandbox) -> None:
    run = sandbox.run("a=x; while :; do a=$a$a; done")
    assert (run.returncode, run.oom_killed) == (137, True)
    assert not sandbox.run("kill -9 $$").oom_killed
    assert not sandbox.run("head -c 2000000 /dev/zero > big").ok
    sandbox.run("rm big")
    run = sandbox.run("head -c 100000 /dev/zero | tr '\\0' x", max_output=10)
    assert (run.stdout, run.truncated, run.ok) == ("x" * 10, True, True)


def test_shell_keeps_its_state(sandbox: Sandbox) -> None:
    with sandbox.shell() as shell:
        assert shell.run("cd /tmp; A='it''s'; f() { echo \"f $1\"; }").ok
        assert shell.run('pwd; echo "$A"; f x; printf end').stdout == "/tmp\nits\nf x\nend"
        failed = shell.run("echo oh >&2; (exit 7)")
        assert (failed.returncode, failed.stdout, failed.stderr) == (7, "", "oh\n")
        assert shell.run("echo 'unfinished").returncode != 0
        assert shell.run("cat; echo $?\necho second line").stdout == "0\nsecond line\n"
        assert shell.run("pwd").stdout == "/tmp\n"
        flood = shell.run("head -c 300000 /dev/zero | tr '\\0' y", max_output=5)
        assert (flood.stdout, flood.truncated) == ("yyyyy", True)
        ended = shell.run("echo bye; exit 5")
        assert (ended.returncode, ended.stdout) == (5, "bye\n")
        assert shell.run("pwd").stdout == "/sandbox\n"
        with pytest.raises(errors.ExecTimeout):
            shell.run("echo begun; yes >&2", timeout=1, max_output=10)
        assert shell.run("pwd").stdout == "/sandbox\n"


def test_closed_sandbox_leaves_nothing(client: DockerClient, busybox: str, settings: dict[str, Any]) -> None:
    with client.sandbox(busybox, **settings) as sandbox:
        volumes = [mount["Name"] for mount in sandbox.container.attrs["Mounts"] if mount["Type"] == "volume"]
        assert len(volumes) == 1
        sandbox.container.kill()
        assert sandbox.run("echo again").stdout == "again\n"
    assert not client.containers.exists(sandbox.container.id)
    assert not client.volumes.exists(volumes[0])


def test_volumes_of_the_image_have_a_size_limit(
    client: DockerClient, busybox: str, settings: dict[str, Any], labels: dict[str, str]
) -> None:
    dockerfile = f'FROM {busybox}\nVOLUME /data\nENTRYPOINT ["false"]\n'
    image, _ = client.images.build(fileobj=dockerfile.encode(), labels=labels, builder="classic", rm=True, forcerm=True)
    try:
        with client.sandbox(image, **settings) as sandbox:
            assert sandbox.run("echo x > /data/small").ok
            assert not sandbox.run("head -c 2000000 /dev/zero > /data/big").ok
    finally:
        image.remove(force=True)


@pytest.mark.parametrize(
    ("option", "value"), [("user", "root"), ("user", "0:0"), ("workdir", "here"), ("workdir", "/"), ("timeout", 0)]
)
def test_rejects_options_that_weaken_the_sandbox(client: DockerClient, busybox: str, option: str, value: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match=option):
        client.sandbox(busybox, **{option: value})
