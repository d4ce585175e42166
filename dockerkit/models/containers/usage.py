"""Resource usage of containers, calculated as in ``docker stats``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dockerkit import runtime
from dockerkit.errors.base import IgnoreGone
from dockerkit.models.tables import Bytes, Table
from dockerkit.parsing.times import parse_time
from dockerkit.streams.closable import ClosableIterator

if TYPE_CHECKING:
    from dockerkit.models.containers.attributes import ContainerAttributes
    from dockerkit.streams import JSONStream
    from dockerkit.types import answers

__all__ = ["Usage", "UsageStream", "usage_of"]

_AT_ONCE = 32  # the engine takes a second for each


@dataclass(frozen=True)
class Usage:
    """Resource usage of a container at one time.

    Attributes:
        name: name of the container.
        read: time of the measurement, in UTC; None if not reported (for a stopped container).
        cpu_percent: percent of one CPU: 200.0 is two fully used CPUs. None without a previous sample.
        online_cpus: number of CPUs that the container may use.
        memory: used bytes, without reclaimable page cache.
        memory_limit: limit in bytes; the machine's memory if there is no limit.
        memory_percent: percent of the limit.
        network_received, network_sent: bytes since the container started, over all its networks.
        disk_read, disk_written: bytes since the container started.
        pids: number of processes and threads.
        raw: record returned by the engine.
    """

    name: str
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
        """Percent of the limit."""
        return self.memory / self.memory_limit * 100 if self.memory_limit else 0.0

    @classmethod
    def from_engine(cls, record: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Usage:
        """Calculate the usage from the engine's record.

        Args:
            record: response of ``GET /containers/{id}/stats``.
            before: earlier record to compare with, if the record does not contain one (``one_shot``).
        """
        windows = bool(record.get("num_procs")) or record.get("os_type") == "windows"
        memory: Mapping[str, Any] = record.get("memory_stats") or {}
        networks: Mapping[str, Mapping[str, Any]] = record.get("networks") or {}
        storage: Mapping[str, Any] = record.get("storage_stats") or {}
        disk = _disk(record)
        return cls(
            name=str(record.get("name") or "").removeprefix("/"),
            read=parse_time(record.get("read")),
            cpu_percent=_windows_cpu(record) if windows else _cpu(record, before),
            online_cpus=int(record.get("num_procs") or 0) if windows else _cpus(record.get("cpu_stats") or {}),
            memory=int(memory.get("privateworkingset") or 0) if windows else _memory(memory),
            memory_limit=int(memory.get("limit") or 0),
            network_received=sum(int(item.get("rx_bytes") or 0) for item in networks.values()),
            network_sent=sum(int(item.get("tx_bytes") or 0) for item in networks.values()),
            disk_read=int(storage.get("read_size_bytes") or 0) if windows else disk["read"],
            disk_written=int(storage.get("write_size_bytes") or 0) if windows else disk["write"],
            pids=int((record.get("pids_stats") or {}).get("current") or record.get("num_procs") or 0),
            raw=record,
        )

    def __str__(self) -> str:
        from dockerkit.progress.text import size_text

        cpu = "--" if self.cpu_percent is None else f"{self.cpu_percent:.2f}%"
        name = f"{self.name}: " if self.name else ""
        memory = f"{size_text(self.memory)}/{size_text(self.memory_limit)} ({self.memory_percent:.2f}%)"
        return (
            f"{name}CPU {cpu}, memory {memory}, "
            f"network {size_text(self.network_received)}/{size_text(self.network_sent)}, "
            f"disk {size_text(self.disk_read)}/{size_text(self.disk_written)}, {self.pids} pids"
        )

    def table_row(self) -> dict[str, object]:
        """Return the cells of this object's table row."""
        return {
            "Name": self.name,
            "CPU %": None if self.cpu_percent is None else round(self.cpu_percent, 2),
            "Memory": Bytes(self.memory),
            "Memory %": round(self.memory_percent, 2),
            "Received": Bytes(self.network_received),
            "Sent": Bytes(self.network_sent),
            "Read": Bytes(self.disk_read),
            "Written": Bytes(self.disk_written),
            "Pids": self.pids,
        }


def _cpus(cpu: Mapping[str, Any]) -> int:
    return int(cpu.get("online_cpus") or 0) or len((cpu.get("cpu_usage") or {}).get("percpu_usage") or ())


def _total(cpu: Mapping[str, Any]) -> int:
    return int((cpu.get("cpu_usage") or {}).get("total_usage") or 0)


def _cpu(record: Mapping[str, Any], before: Mapping[str, Any] | None) -> float | None:
    """Return the container's share of the CPU time between two samples."""
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
    """Return the same for Windows, which counts in steps of 100 ns."""
    now, then = parse_time(record.get("read")), parse_time(record.get("preread"))
    if now is None or then is None or now <= then:
        return None
    possible = (now - then).total_seconds() * 10_000_000 * int(record.get("num_procs") or 1)
    used = _total(record.get("cpu_stats") or {}) - _total(record.get("precpu_stats") or {})
    return used / possible * 100


def _memory(memory: Mapping[str, Any]) -> int:
    """Return the used memory without reclaimable file pages, which cgroups v1 and v2 count under different names."""
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


def measure(container: ContainerAttributes) -> Usage:
    """Return the current usage; see :meth:`ContainerAttributes.usage`."""
    api = container.client.api
    first = api.stats(container, stream=False) or {}  # podman 4 returns nothing for a stopped container
    usage = Usage.from_engine(first)
    if usage.cpu_percent is None and usage.pids:  # podman returns no previous sample, so fetch two
        runtime.sleep(1)
        usage = Usage.from_engine(api.stats(container, stream=False), first)
    return usage


class UsageStream(ClosableIterator[Usage]):
    """Yields a container's :class:`Usage` each second, and ends when the container is removed.

    An iterator and context manager. :meth:`close` may be called from any thread.
    """

    def __init__(self, records: JSONStream[answers.ContainerStatsResponse], name: str = "") -> None:
        self._records = records
        self._name = name
        self._before: Mapping[str, Any] | None = None

    def __next__(self) -> Usage:
        record = next(self._records)
        usage = Usage.from_engine(record, self._before)
        self._before = record
        return usage

    def close(self) -> None:
        """Stop, and end the iteration."""
        self._records.close()

    def __repr__(self) -> str:
        return f"<UsageStream of container {self._name!r}>"


def usage_of(containers: Iterable[ContainerAttributes]) -> list[Usage | None]:
    """Return the current usage of several containers, fetched concurrently. ``GET /containers/{id}/stats`` for each

    Args:
        containers: containers to measure.

    Returns:
        The usages in the same order, as a list that notebooks show as a table; None for a removed container.
    """
    from dockerkit.models.batch import map_ordered, with_method

    def usage(container: ContainerAttributes) -> Usage | None:
        with IgnoreGone():
            return container.usage()
        return None

    return Table(map_ordered(usage, with_method(containers, "usage"), _AT_ONCE))
