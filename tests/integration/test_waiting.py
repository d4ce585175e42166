"""Waiting on real engines: conditions that are met, and conditions that can no longer be met."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from dockerkit import DockerClient, errors
from dockerkit.models.containers import Container
from dockerkit.models.containers.waiting import Exited, File, Healthy, Http, Log, Port, Running

Make = Callable[..., Container]
MS = 1_000_000


@pytest.fixture
def make(client: DockerClient, box: Callable[..., str]) -> Make:
    def start(script: str = "sleep 600", **options: Any) -> Container:
        return client.containers.get(box(["sh", "-c", script], **options))

    return start


@pytest.fixture(autouse=True)
def no_threads_left() -> Any:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "dockerkit-wait"]


def health(test: str, **more: Any) -> dict[str, Any]:
    return {
        "healthcheck": {"test": ["CMD-SHELL", test], "interval": 300 * MS, "timeout": 5000 * MS, "retries": 2, **more}
    }


@pytest.mark.synchronous  # compares by identity
def test_healthy(make: Make) -> None:
    container = make("sleep 0.5; touch /ok; sleep 600", **health("test -e /ok", retries=20))
    assert container.wait_until(Healthy(), timeout=30) is container
    assert container.attrs["State"]["Health"]["Status"] == "healthy"
    container.wait_until(Healthy(), timeout=5)  # already met


def test_unhealthy_fails_immediately_with_the_reason(make: Make) -> None:
    container = make("echo hello; sleep 600", **health("echo no luck; exit 1"))
    begun = time.monotonic()
    with pytest.raises(errors.ContainerUnhealthy, match="unhealthy") as caught:
        container.wait_until(Healthy(), timeout=60)
    assert time.monotonic() - begun < 20
    assert caught.value.state["Health"]["Status"] == "unhealthy"
    assert caught.value.logs == ("hello",)
    assert "no luck" in str(caught.value)
    assert "Healthy()" in str(caught.value)


def test_missing_health_check_fails_immediately(make: Make) -> None:
    with pytest.raises(errors.ContainerUnhealthy, match="no health check"):
        make().wait_until(Healthy(), timeout=60)


def test_log(make: Make) -> None:
    container = make("for i in 1 2 3; do sleep 0.2; echo step $i; echo err $i >&2; done; sleep 600")
    wanted = Log(r"step (\d)", count=2)
    container.wait_until(wanted, timeout=20)
    assert [match[1] for match in wanted.matches] == ["1", "2"]
    container.wait_until(Log("err 3", stream="stderr"), timeout=20)
    with pytest.raises(errors.WaitTimeout, match=r"condition not met within 0.5 s") as caught:
        container.wait_until(Log("step 3", stream="stderr"), timeout=0.5)
    assert isinstance(caught.value, TimeoutError)
    assert "step 3" in caught.value.logs
    assert caught.value.pending == ("Log('step 3')",)


def test_lines_before_a_restart_are_ignored(make: Make) -> None:
    container = make("test -e /second || { touch /second; echo ready; }; sleep 600")
    container.wait_until(Log("ready"), timeout=20)
    container.restart(timeout=0)
    with pytest.raises(errors.WaitTimeout):
        container.wait_until(Log("ready"), timeout=1)


def test_wait_fails_immediately_if_the_container_dies(make: Make) -> None:
    container = make("echo last words; sleep 1; exit 7")
    begun = time.monotonic()
    with pytest.raises(errors.ContainerExited, match="stopped") as caught:
        container.wait_until(Log("never") & Port(80), timeout=60)
    assert time.monotonic() - begun < 10
    assert caught.value.state["ExitCode"] == 7
    assert caught.value.logs == ("last words",)
    assert "exit code 7" in str(caught.value)
    for wanted in (Port(80), File("/x"), Running(), lambda container: False):
        with pytest.raises(errors.ContainerExited):
            container.wait_until(wanted, timeout=60)


def test_last_line_counts_after_the_container_died(make: Make) -> None:
    make("echo almost; echo done").wait_until(Log("done"), timeout=20)


def test_exited_condition(make: Make) -> None:
    container = make("sleep 0.5; exit 3")
    container.wait_until(Running(), timeout=10)
    container.wait_until(Exited(), timeout=20)
    container.wait_until(Exited(3), timeout=20)
    with pytest.raises(errors.ContainerExited, match="exit code 3"):
        container.wait_until(Exited(0), timeout=20)


def test_removed_container_has_exited(client: DockerClient, make: Make) -> None:
    container = make("sleep 0.7; exit 4", host_config=client.api.create_host_config(auto_remove=True))
    container.wait_until(Exited(4), timeout=20)
    with pytest.raises((errors.NotFound, errors.ContainerExited)):  # the second while it is being removed
        container.wait_until(Running(), timeout=5)
    with pytest.raises(errors.NotFound):
        while True:
            container.reload()


def test_restart_policy_does_not_hide_a_death(client: DockerClient, make: Make) -> None:
    policy = client.api.create_host_config(restart_policy={"Name": "always"})
    container = make("sleep 1; exit 5", host_config=policy)
    with pytest.raises(errors.ContainerExited) as caught:
        container.wait_until(Log("never"), timeout=30)
    assert caught.value.state["ExitCode"] == 5


def test_port(make: Make) -> None:
    container = make("sleep 0.5; nc -ll -p 8080 -e true & sleep 600")
    container.wait_until(Port(8080), timeout=20)
    with pytest.raises(errors.WaitTimeout):
        container.wait_until(Port("8080/udp") | Port(8081), timeout=0.7)


def test_port_condition_works_without_cat(make: Make) -> None:
    container = make("rm /bin/cat; touch /gone; sleep 600")
    container.wait_until(File("/gone"), timeout=20)
    with pytest.raises(errors.WaitTimeout):  # nothing listens, which is all that can be determined from outside
        container.wait_until(Port(8080) & Port("53/udp"), timeout=1)


def test_http(make: Make, client: DockerClient, engine: Any) -> None:
    config = client.api.create_host_config(port_bindings={8000: None})
    script = "mkdir /www; echo hi > /www/index.html; sleep 0.5; httpd -f -p 8000 -h /www"
    container = make(script, ports=[8000], host_config=config)
    container.wait_until(Http(8000, host=engine.address), timeout=30)
    container.wait_until(Http(8000, "/nothing", status=404, host=engine.address), timeout=10)


def test_file_and_function(make: Make) -> None:
    container = make("sleep 0.4; touch /tmp/ready; sleep 600")
    container.wait_until(File("/tmp/ready"), timeout=20)
    seen = []

    def third(asked: Container) -> bool:
        seen.append(asked)
        return len(seen) == 3

    container.wait_until(third, timeout=20)
    assert seen == [container] * 3

    def broken(asked: Container) -> bool:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        container.wait_until(broken, timeout=20)


def test_conditions_can_be_combined(make: Make) -> None:
    container = make("sleep 0.3; touch /a; sleep 0.3; echo b; sleep 600")
    container.wait_until(File("/a") & Log("b"), timeout=20)
    container.wait_until(File("/never") | Log("b"), timeout=20)
    container.wait_until((lambda c: True) & Log("b") | Exited(), timeout=20)
    assert repr(File("/a") & Log("b") | Exited(0)) == "((File('/a') & Log('b')) | Exited(code=0))"
    dying = make("sleep 0.7; exit 2")
    dying.wait_until(Log("never") | Exited(2), timeout=20)


def test_container_that_has_not_started_yet(client: DockerClient, box: Callable[..., str]) -> None:
    container = client.containers.get(box(["sh", "-c", "echo up; sleep 600"], start=False))
    threading.Timer(0.5, container.start).start()
    container.wait_until(Running() & Log("up"), timeout=20)


def test_rejects_invalid_conditions_and_timeouts(make: Make) -> None:
    container = make()
    for wrong in (Healthy, "healthy", None):
        with pytest.raises(errors.InvalidArgument):
            container.wait_until(wrong)  # type: ignore[arg-type]
    for wrong_timeout in (0, -1):
        with pytest.raises(errors.InvalidArgument, match="timeout"):
            container.wait_until(Running(), timeout=wrong_timeout)
    with pytest.raises(errors.InvalidArgument, match="port"):
        Port("http")
    with pytest.raises(errors.InvalidArgument, match="pattern"):
        Log("(")
    with pytest.raises(errors.InvalidArgument, match="path"):
        File("relative")
    with pytest.raises(errors.InvalidArgument, match="count"):
        Log("x", count=0)
