"""``containers.call``, ``run(input=…)`` and ``attach_process``, on real engines."""

from __future__ import annotations

import io
import os

import pytest

from dockerkit import DockerClient, Healthy, errors


@pytest.fixture
def options(labels: dict[str, str]) -> dict[str, object]:
    return {"labels": labels, "stop_signal": "SIGKILL"}


def test_call_returns_output_and_exit_code(client: DockerClient, busybox, options) -> None:
    run = client.containers.call(busybox, ["sh", "-c", "sort; echo oh >&2; exit 3"], input="b\na\n", **options)
    assert (run.returncode, run.stdout, run.stderr, run.ok) == (3, "a\nb\n", "oh\n", False)
    assert not client.containers.exists(run.container_id)
    kept = client.containers.call(busybox, "true", remove=False, **options)
    assert kept.ok and client.containers.exists(kept.container_id)
    kept.container.remove()
    assert (
        client.containers.call(busybox, "cat /etc/app/conf", files={"/etc/app/conf": "x=1"}, **options).stdout == "x=1"
    )
    with pytest.raises(errors.ContainerError, match="trouble"):
        client.containers.call(busybox, ["sh", "-c", "echo trouble >&2; exit 1"], check=True, **options)


def test_call_takes_large_input_and_output_at_once(client: DockerClient, busybox, options) -> None:
    data = os.urandom(3_000_000)
    assert client.containers.call(busybox, "cat", input=io.BytesIO(data), text=False, **options).stdout == data
    assert client.containers.call(busybox, "head -c 5", input=data, text=False, **options).stdout == data[:5]


def test_call_kills_a_flood_at_the_timeout_and_keeps_its_beginning(client: DockerClient, busybox, options) -> None:
    with pytest.raises(errors.RunTimeout) as caught:
        client.containers.call(busybox, "yes", timeout=1, max_output="1k", **options)
    assert caught.value.stdout == b"y\n" * 512
    assert not client.containers.exists(caught.value.container.id)


def test_call_reports_that_memory_ran_out(client: DockerClient, busybox, options) -> None:
    script = ["sh", "-c", "a=x; while :; do a=$a$a; done"]
    run = client.containers.call(busybox, script, mem_limit="16m", memswap_limit="16m", timeout=30, **options)
    assert (run.returncode, run.oom_killed) == (137, True)


def test_run_accepts_input(client: DockerClient, busybox, options) -> None:
    assert client.containers.run(busybox, "cat", input="in", remove=True, **options) == b"in"
    script = ["sh", "-c", "cat; sleep 0.1; echo err >&2"]
    both = client.containers.run(busybox, script, input=b"out", stderr=True, remove=True, **options)
    assert both == b"outerr\n"
    assert client.containers.run(busybox, script, input=b"o", demux=True, auto_remove=True, **options) == (
        b"o",
        b"err\n",
    )


def test_run_waits_until_ready_or_removes_the_container(client: DockerClient, busybox, options, unique) -> None:
    check = {"test": ["CMD", "test", "-e", "/ready"], "interval": "200ms"}
    with client.containers.run(
        busybox, "sleep 60", detach=True, files={"/ready": ""}, healthcheck=check, wait_for=Healthy(), **options
    ) as ready:
        assert ready.state.health.status == "healthy"
    name = unique("never")
    with pytest.raises(errors.ContainerExited):
        client.containers.run(busybox, "true", name=name, detach=True, healthcheck=check, wait_for=Healthy(), **options)
    assert not client.containers.exists(name)


def test_attach_process_holds_the_main_process(client: DockerClient, busybox, options) -> None:
    script = ["sh", "-c", "sort; echo oh >&2; exit 4"]
    for more in ({}, {"auto_remove": True}):
        container = client.containers.create(busybox, script, stdin_open=True, **more, **options)
        with container.attach_process() as process:
            process.stdin.write("b\na\n")
            process.stdin.close()
            assert sorted(process) == [("stderr", b"oh\n"), ("stdout", b"a\nb\n")]
            assert process.wait(timeout=20) == 4
        if not more:
            container.remove()


def test_attach_process_kills_only_what_it_started(client: DockerClient, busybox, options) -> None:
    with client.containers.create(busybox, ["sh", "-c", "echo up; sleep 60"], **options) as container:
        with container.attach_process() as process:
            assert process.read_piece(timeout=20) == ("stdout", b"up\n")
            assert process.stdin is None
        container.reload()
        assert container.status == "exited"
        container.start()
        with container.attach_process(logs=True) as process:
            assert process.read_piece(timeout=20) == ("stdout", b"up\n")
            assert process.poll() is None
        container.reload()
        assert container.status == "running"
        with pytest.raises(errors.InvalidArgument, match="stdin_open=True"):
            container.attach_process(stdin=True)


def test_attach_process_of_a_terminal(client: DockerClient, busybox, options) -> None:
    with client.containers.create(
        busybox, ["sh", "-c", "read x; stty size"], tty=True, stdin_open=True, **options
    ) as container:
        with container.attach_process(start=False) as process:
            container.start()
            process.resize(30, 90)
            process.stdin.write("\n")
            assert b"".join(piece.data for piece in process) == b"\r\n30 90\r\n"


def test_map_runs_commands_in_order(client: DockerClient, busybox, options) -> None:
    commands = [["sh", "-c", f"sleep 0.{5 - number}; echo {number}; exit {number % 2}"] for number in range(5)]
    runs = list(client.containers.map(busybox, commands, workers=3, **options))
    assert [(run.stdout, run.returncode) for run in runs] == [(f"{number}\n", number % 2) for number in range(5)]
    failed = client.containers.map(busybox, commands[:2], check=True, return_exceptions=True, **options)
    assert [type(run).__name__ for run in failed] == ["CompletedRun", "ContainerError"]


def test_many_containers_are_started_stopped_and_removed(client: DockerClient, busybox, options, unique) -> None:
    names = [unique("many") for _ in range(3)]
    for name in names:
        client.containers.create(busybox, "sleep 60", name=name, **options)
    assert client.containers.start_many(names).done == dict.fromkeys(names, True)
    report = client.containers.stop_many([*names, "no-such-container"], timeout=1)
    assert (report.done, list(report.failed)) == (dict.fromkeys(names, True), ["no-such-container"])
    client.containers.remove_many(names).check()
    assert not any(client.containers.exists(name) for name in names)
