"""What a container uses, in the numbers that ``docker stats`` shows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.models.resource import Model

if TYPE_CHECKING:
    from dockerkit.streams import JSONStream
    from dockerkit.types import answers

__all__ = ["StatsModel", "Usage", "UsageStream", "usage_of"]

_AT_ONCE = 32  # the engine needs a second for each


@dataclass(frozen=True)
class Usage:
    """What a container used at one moment.

    Attributes:
        read: when, in UTC; None where the engine did not say (a container that does not run).
        cpu_percent: of one CPU: 200.0 is two CPUs fully used. None where there is nothing to compare with yet.
        online_cpus: how many CPUs the container may use.
        memory: bytes, without what the kernel only caches.
        memory_limit: bytes; the machine's memory where there is no limit.
        memory_percent: of the limit.
        network_received, network_sent: bytes since the container started, over all its networks.
        disk_read, disk_written: bytes since the container started.
        pids: processes and threads.
        raw: the engine's record.
    """

    read: datetime | None
    cpu_percent: float | None
    online_cpus: int
    memory: int
    memory_limit: int
    network_received: int
    network_sent: int
    disk_read: int
    disk_written: int
    pids: int
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def memory_percent(self) -> float:
        """Of the limit."""
        return self.memory / self.memory_limit * 100 if self.memory_limit else 0.0

    @classmethod
    def from_engine(cls, record: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Usage:
        """Read the engine's record.

        Args:
            record: the answer of ``GET /containers/{id}/stats``.
            before: an earlier one to compare with, where the record itself has none (``one_shot``).
        """
        windows = bool(record.get("num_procs")) or record.get("os_type") == "windows"
        memory: Mapping[str, Any] = record.get("memory_stats") or {}
        networks: Mapping[str, Mapping[str, Any]] = record.get("networks") or {}
        storage: Mapping[str, Any] = record.get("storage_stats") or {}
        disk = _disk(record)
        return cls(
            read=_moment(record.get("read")),
            cpu_percent=_windows_cpu(record) if windows else _cpu(record, before),
            online_cpus=int(record.get("num_procs") or 0) if windows else _cpus(record.get("cpu_stats") or {}),
            memory=int(memory.get("privateworkingset") or 0) if windows else _memory(memory),
            memory_limit=int(memory.get("limit") or 0),
            network_received=sum(int(one.get("rx_bytes") or 0) for one in networks.values()),
            network_sent=sum(int(one.get("tx_bytes") or 0) for one in networks.values()),
            disk_read=int(storage.get("read_size_bytes") or 0) if windows else disk["read"],
            disk_written=int(storage.get("write_size_bytes") or 0) if windows else disk["write"],
            pids=int((record.get("pids_stats") or {}).get("current") or record.get("num_procs") or 0),
            raw=record,
        )

    def __str__(self) -> str:
        from dockerkit.progress_display import size_text

        cpu = "--" if self.cpu_percent is None else f"{self.cpu_percent:.2f}%"
        return (
            f"CPU {cpu}, memory {size_text(self.memory)}/{size_text(self.memory_limit)} ({self.memory_percent:.2f}%), "
            f"network {size_text(self.network_received)}/{size_text(self.network_sent)}, "
            f"disk {size_text(self.disk_read)}/{size_text(self.disk_written)}, {self.pids} pids"
        )


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str) or text.startswith("0001-"):
        return None
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None


def _cpus(cpu: Mapping[str, Any]) -> int:
    return int(cpu.get("online_cpus") or 0) or len((cpu.get("cpu_usage") or {}).get("percpu_usage") or ())


def _total(cpu: Mapping[str, Any]) -> int:
    return int((cpu.get("cpu_usage") or {}).get("total_usage") or 0)


def _cpu(record: Mapping[str, Any], before: Mapping[str, Any] | None) -> float | None:
    """The container's share of the time of all CPUs between two readings."""
    now: Mapping[str, Any] = record.get("cpu_stats") or {}
    then: Mapping[str, Any] = record.get("precpu_stats") or {}
    if not then.get("system_cpu_usage"):
        then = (before or {}).get("cpu_stats") or {}
    if not then.get("system_cpu_usage"):
        return None
    machine = int(now.get("system_cpu_usage") or 0) - int(then["system_cpu_usage"])
    container = _total(now) - _total(then)
    if machine <= 0 or container < 0:
        return 0.0
    return container / machine * (_cpus(now) or 1) * 100


def _windows_cpu(record: Mapping[str, Any]) -> float | None:
    """Windows counts in steps of 100 ns between the two readings."""
    now, then = _exact(record.get("read")), _exact(record.get("preread"))
    if now is None or then is None or now <= then:
        return None
    possible = (now - then).total_seconds() * 10_000_000 * int(record.get("num_procs") or 1)
    used = _total(record.get("cpu_stats") or {}) - _total(record.get("precpu_stats") or {})
    return used / possible * 100


def _exact(text: object) -> datetime | None:
    whole = _moment(text)
    if whole is None:
        return None
    fraction = str(text)[19:].rstrip("Z").lstrip(".")[:6].ljust(6, "0")
    return whole.replace(microsecond=int(fraction)) if fraction.isdigit() else whole


def _memory(memory: Mapping[str, Any]) -> int:
    """What is used, without file pages that the kernel would give up: v1 and v2 of cgroups count them by other names."""
    usage = int(memory.get("usage") or 0)
    stats: Mapping[str, Any] = memory.get("stats") or {}
    cache = int(stats.get("total_inactive_file", stats.get("inactive_file", 0)) or 0)
    return usage - cache if cache < usage else usage


def _disk(record: Mapping[str, Any]) -> dict[str, int]:
    sums = {"read": 0, "write": 0}
    for entry in (record.get("blkio_stats") or {}).get("io_service_bytes_recursive") or ():
        kind = str(entry.get("op", "")).lower()
        if kind in sums:
            sums[kind] += int(entry.get("value") or 0)
    return sums


class UsageStream:
    """A container's :class:`Usage` each second, as an iterator and context manager; ends when the container is gone.

    :meth:`close` may be called from any thread.
    """

    def __init__(self, records: JSONStream[answers.ContainerStatsResponse]) -> None:
        self._records = records
        self._before: Mapping[str, Any] | None = None

    def __iter__(self) -> Iterator[Usage]:
        return self

    def __next__(self) -> Usage:
        record = next(self._records)
        usage = Usage.from_engine(record, self._before)
        self._before = record
        return usage

    def close(self) -> None:
        """Stop; whoever iterates sees the end."""
        self._records.close()

    def __enter__(self) -> UsageStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def usage_of(containers: Iterable[StatsModel]) -> list[Usage | None]:
    """What several containers use now, all asked at the same time. ``GET /containers/{id}/stats`` of each

    Args:
        containers: whose.

    Returns:
        In the same order; None for one that is gone.
    """
    from concurrent.futures import ThreadPoolExecutor

    def usage(container: StatsModel) -> Usage | None:
        try:
            return container.usage()
        except errors.NotFound:
            return None

    with ThreadPoolExecutor(_AT_ONCE, "dockerkit-usage") as pool:
        return list(pool.map(usage, containers))


class StatsModel(Model):
    """The part of a container that tells what it uses."""

    def usage(self) -> Usage:
        """What it uses now. ``GET /containers/{id}/stats?stream=false``

        The engine takes a second, in which it measures the use of CPU.

        Raises:
            NotFound: there is no such container.
        """
        first = self.client.api.stats(self.id or "", stream=False) or {}  # podman 4 has nothing of a stopped one
        usage = Usage.from_engine(first)
        if usage.cpu_percent is None and usage.pids:  # podman compares with nothing, so we do
            time.sleep(1)
            usage = Usage.from_engine(self.client.api.stats(self.id or "", stream=False), first)
        return usage

    def watch_usage(self) -> UsageStream:
        """What it uses, once a second. ``GET /containers/{id}/stats``

        Example::

            with container.watch_usage() as usages:
                for usage in usages:
                    print(usage.cpu_percent, usage.memory)
        """
        return UsageStream(self.client.api.stats(self.id or "", decode=True))
