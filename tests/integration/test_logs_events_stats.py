"""Log entries, typed events, resource usage and reports, on real engines."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dockerkit import DockerClient, errors, merge_logs
from dockerkit.models.containers import Container
from dockerkit.models.containers.usage import usage_of
from dockerkit.models.containers.waiting import File

Make = Callable[..., Container]


@pytest.fixture
def make(client: DockerClient, box: Callable[..., str]) -> Make:
    def start(script: str = "sleep 600", **options: Any) -> Container:
        return client.containers.get(box(["sh", "-c", script], **options))

    return start


SCRIPT = r"""echo one; sleep .1; echo err >&2; sleep .1; printf 'caf\303'; sleep .1; printf '\251\n'
head -c 40000 /dev/zero | tr '\0' y; echo; printf end"""


@pytest.mark.parametrize("tty", [False, True])
def test_entries(make: Make, client: DockerClient, tty: bool) -> None:
    attributes = client.api.create_host_config(log_config={"Type": "json-file", "Config": {"env": "A"}})
    container = make(SCRIPT, tty=tty, environment={"A": "b c"}, host_config=attributes)
    with container.log_entries(follow=True, details=True) as following:
        followed = list(following)
    assert [entry.text if len(entry.text) < 99 else len(entry.text) for entry in followed] == [
        "one", "err", "café", 40000, "end"
    ]  # fmt: skip
    assert [entry.stream for entry in followed] == ["stdout", "stdout" if tty else "stderr", *["stdout"] * 3]
    assert all(entry.attributes == {"A": "b c"} for entry in followed)
    times = [entry.nanoseconds for entry in followed]
    assert times == sorted(times)  # type: ignore[type-var]
    assert 0.25 < (times[2] - times[0]) / 1e9 < 5 or tty  # type: ignore[operator]
    assert [entry.text for entry in container.log_entries()] == [entry.text for entry in followed]
    assert [entry.text for entry in container.log_entries(tail=1)] == ["end"]
    assert [entry.text for entry in container.log_entries(since=followed[1].timestamp, until=followed[1].timestamp)] in (
        [], ["err"]
    )  # fmt: skip
    assert followed[0].container == container.name


def test_container_just_made_has_its_name_in_entries(
    client: DockerClient, busybox: str, labels: dict[str, str]
) -> None:
    container = client.containers.run(busybox, ["echo", "one"], detach=True, labels=labels)
    [entry] = container.log_entries(follow=True)
    assert entry.container == container.name != container.short_id


def test_only_one_of_the_streams(make: Make) -> None:
    container = make("echo out; echo err >&2")
    container.wait()
    assert [entry.text for entry in container.log_entries(stderr=False)] == ["out"]
    assert [entry.text for entry in container.log_entries(stdout=False)] == ["err"]


def test_following_is_cancelled_from_another_thread(make: Make) -> None:
    entries = make("echo one; sleep 600").log_entries(follow=True)
    assert next(entries).text == "one"
    threading.Timer(0.2, entries.close).start()
    assert list(entries) == []


def test_merging(make: Make) -> None:
    containers = [make(f"for i in 1 2 3; do echo {name}$i; sleep 0.2; done") for name in "ab"]
    with merge_logs(containers, follow=True) as merged:
        assert sorted(entry.text for entry in merged) == ["a1", "a2", "a3", "b1", "b2", "b3"]
    entries = list(merge_logs(containers))
    assert [entry.nanoseconds for entry in entries] == sorted(entry.nanoseconds or 0 for entry in entries)
    assert {entry.container for entry in entries} == {container.name for container in containers}


class Cutter:
    """A proxy between client and engine that can cut connections and become unavailable."""

    def __init__(self, engine: Path, folder: Path) -> None:
        self.path = folder / "cut.sock"
        self._engine = engine
        self._pairs: list[socket.socket] = []
        self._up()

    def _up(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._engine))
                self._pairs += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def cut(self, away: float = 0.0) -> None:
        self.down()
        time.sleep(away)
        self._up()

    def down(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for one in self._pairs:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._pairs.clear()
        self.path.unlink()


@pytest.fixture
def cutter(engine: Any, tmp_path: Path) -> Iterator[Cutter]:
    made = Cutter(engine.socket, tmp_path)
    yield made
    made.down()


def test_follow_resumes_without_loss_or_duplicates(make: Make, cutter: Cutter) -> None:
    container = make("i=0; while [ $i -lt 400 ]; do echo line $i; echo err $i >&2; i=$((i+1)); sleep 0.01; done")
    with DockerClient(f"unix://{cutter.path}") as client:
        entries = client.containers.get(container.id).log_entries(follow=True)
        threads = [threading.Timer(wait, cutter.cut, [away]) for wait, away in ((0.7, 0.0), (2.0, 0.5))]
        for thread in threads:
            thread.start()
        texts = [entry.text for entry in entries]
        for thread in threads:
            thread.join()
    assert [text for text in texts if text.startswith("line")] == [f"line {number}" for number in range(400)]
    assert [text for text in texts if text.startswith("err")] == [f"err {number}" for number in range(400)]


def test_events_resume_without_a_gap(make: Make, cutter: Cutter) -> None:
    container = make()
    filters = {"container": container.id or "", "event": ["pause", "unpause"]}
    with DockerClient(f"unix://{cutter.path}") as client, client.system.events(filters=filters) as events:
        container.pause()
        assert next(events).action == "pause"
        cutter.down()
        container.unpause()  # while nothing receives it
        container.pause()
        container.unpause()
        cutter._up()
        assert [next(events).action for _ in range(3)] == ["unpause", "pause", "unpause"]


def test_handlers_and_consumers(client: DockerClient, make: Make) -> None:
    seen: list[Any] = []
    came = threading.Event()
    with client.system.listen(filters={"type": ["container"]}) as listener:
        container = make("sleep 0.2; exit 9")

        @listener.on("container", "die")
        def died(event: Any) -> None:
            if event.id == container.id:
                seen.append((event.name, event.exit_code))
                came.set()

        with listener.subscribe("container", "die") as deaths:
            assert any(event.id == container.id for event in iter(lambda: deaths.get(timeout=20), None))
        assert came.wait(20)
    assert seen == [(container.name, 9)]


def test_history_of_events(client: DockerClient, make: Make) -> None:
    before = time.time() - 1
    container = make("true")
    container.wait()
    wanted = {"create", "start", "die"}
    with client.system.events(since=before, filters={"container": container.id or ""}) as events:
        while wanted:
            wanted.discard(next(events).action)
    now = time.time()
    with client.system.events(since=before, until=now, filters={"container": container.id or ""}) as events:
        assert {"create", "start", "die"} <= {event.action for event in events}


def test_usage(make: Make) -> None:
    busy = make("while :; do :; done")
    usage = busy.usage()
    assert usage.cpu_percent is not None
    assert 1 < usage.cpu_percent < 150  # few, if the machine is busy
    assert 0 < usage.memory < usage.memory_limit
    assert 0 < usage.memory_percent < 50
    assert usage.pids >= 1
    assert usage.online_cpus >= 1
    with busy.watch_usage() as usages:
        first, second = next(usages), next(usages)
    assert second.cpu_percent is not None
    assert first.read is not None
    assert second.read is not None
    assert second.read > first.read
    busy.kill()
    busy.wait()
    assert busy.usage().pids == 0


def test_usage_of_many_is_measured_concurrently(client: DockerClient, make: Make) -> None:
    containers = [make() for _ in range(4)]
    gone = client.containers.get(containers[0].id)
    gone.remove(force=True)
    begun = time.monotonic()
    usages = usage_of(containers)
    assert time.monotonic() - begun < 30
    assert usages[0] is None
    assert all(usage is not None and usage.pids >= 1 for usage in usages[1:])


def test_watch_usage_can_be_closed(make: Make) -> None:
    usages = make().watch_usage()
    next(usages)
    threading.Timer(0.2, usages.close).start()
    assert list(usages) == []


def test_disk_use(client: DockerClient, make: Make) -> None:
    container = make("head -c 100000 /dev/zero > /file; touch /done; sleep 600")
    container.wait_until(File("/done"), timeout=30)
    usage = client.system.df()
    assert usage.images.count >= 1
    assert usage.images.size > 0
    assert usage.containers.count >= 1
    assert usage.containers.size >= 100_000
    assert usage.containers.active >= 1
    assert container.id in [item["Id"] for item in usage.containers.items]


def test_prune_respects_labels(
    client: DockerClient, make: Make, unique: Callable[..., str], labels: dict[str, str]
) -> None:
    mark = {unique("mark"): "yes"}
    gone = make("true", labels=mark)
    kept = make("true")
    gone.wait()
    kept.wait()
    network = client.api.create_network(unique("net"), labels={**labels, **mark})["Id"]
    volume = client.api.create_volume(unique("vol"), labels={**labels, **mark})["Name"]
    report = client.system.prune(volumes="all", labels=mark, build_cache=False)
    assert report.containers == (gone.id,)
    assert report.networks == (client_name(network, report),)
    assert report.volumes == (volume,)
    assert report.images == ()
    kept.reload()
    with pytest.raises(errors.NotFound):
        gone.reload()


def client_name(network: str, report: Any) -> str:
    """Return the only pruned network, which is identified by name."""
    assert network
    assert len(report.networks) == 1
    return str(report.networks[0])
