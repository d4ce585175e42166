"""The options of a container that are about its host: limits, mounts, ports, privileges. One row for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Protocol

from typing_extensions import TypedDict  # pydantic reads its rows, which typing's own can't give before Python 3.12

from dockerkit.errors import InvalidArgument
from dockerkit.types import parse, shorthands
from dockerkit.types.base import Wire, engine_dict
from dockerkit.types.limits import DeviceRequest, LogConfig, Ulimit, device_requests, gpus, ulimits
from dockerkit.types.mounts import Mount, mount_list
from dockerkit.types.parse import Size
from dockerkit.types.shorthands import Binds, PortBindings

Texts = Sequence[str]
Texted = Mapping[str, str | int | float | bool]


class HasId(Protocol):
    """A container as an object, or anything else with an ``id``."""

    @property
    def id(self) -> str | None: ...


DeviceLimits = Sequence[str | tuple[str, int | str] | Mapping[str, Any]]


def _no_lxc(value: object, name: str) -> None:
    raise InvalidArgument(f"{name}: the Engine has no LXC driver since 1.10; leave it away")


def _log_config(value: object, name: str) -> dict[str, Any]:
    return {"Type": value} if isinstance(value, str) else engine_dict(LogConfig, value, name)


def _network_mode(value: object, name: str) -> str:
    if isinstance(value, str) and value:
        return value
    container = getattr(value, "id", None)
    if not isinstance(container, str):
        parse.refuse(name, "bridge, host, none, container:ID, or a network", value)
    return f"container:{container}"


def _cpus(value: object, name: str) -> int:
    nano = -1
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            nano = round(float(value) * 1e9)
    if nano <= 0:
        parse.refuse(name, "a number of CPUs above 0", value)
    return nano


def _console_size(value: object, name: str) -> list[int]:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        parse.refuse(name, "(rows, columns)", value)
    return [parse.whole(item, name) for item in value]


class NamedLimits(TypedDict, total=False):
    """Limits that docker-py's ``update_container`` names, in its order."""

    blkio_weight: Annotated[int | None, Wire("BlkioWeight")]
    """Weight for block devices: 10 to 1000; 0 is off."""
    cpu_period: Annotated[int | None, Wire("CpuPeriod")]
    """Length of the scheduler's period, in microseconds."""
    cpu_quota: Annotated[int | None, Wire("CpuQuota")]
    """Microseconds of CPU in each ``cpu_period``."""
    cpu_shares: Annotated[int | None, Wire("CpuShares")]
    """Weight for CPU; 1024 is the usual one."""
    cpuset_cpus: Annotated[str | None, Wire("CpusetCpus")]
    """CPUs to run on: ``"0-3"``, ``"0,1"``."""
    cpuset_mems: Annotated[str | None, Wire("CpusetMems")]
    """Memory nodes to use: ``"0,1"``."""
    mem_limit: Annotated[Size | None, Wire("Memory", parse.size)]
    """Memory, in bytes or as ``"512m"``."""
    mem_reservation: Annotated[Size | None, Wire("MemoryReservation", parse.size)]
    """Memory that the container is pushed back to when the host runs short."""
    memswap_limit: Annotated[Size | None, Wire("MemorySwap", parse.size)]
    """Memory and swap together; -1 is no limit."""
    kernel_memory: Annotated[Size | None, Wire("KernelMemory", parse.size)]
    """Memory of the kernel (up to API 1.41)."""
    restart_policy: Annotated[str | Mapping[str, Any] | None, Wire("RestartPolicy", shorthands.restart_policy)]
    """When to start it again: ``"always"``, ``"on-failure:5"``, ``{"Name": "on-failure", "MaximumRetryCount": 5}``."""


class MoreLimits(TypedDict, total=False):
    """The other limits that an existing container can be given."""

    devices: Annotated[Sequence[str | Mapping[str, str]] | None, Wire("Devices", shorthands.devices)]
    """Devices of the host: ``["/dev/sda:/dev/xvda:rwm"]``."""
    ulimits: Annotated[Sequence[Ulimit | Mapping[str, Any] | str] | None, Wire("Ulimits", ulimits)]
    """Limits of the processes: ``[Ulimit("nofile", 1024, 4096)]`` or ``["nofile=1024:4096"]``."""
    mem_swappiness: Annotated[int | None, Wire("MemorySwappiness")]
    """How willingly to swap: 0 to 100; -1 is the host's."""
    cgroup_parent: Annotated[str | None, Wire("CgroupParent")]
    """Cgroup to put the container's into."""
    blkio_weight_device: Annotated[DeviceLimits | None, Wire("BlkioWeightDevice", shorthands.weights)]
    """Weight by device: ``[{"Path": "/dev/sda", "Weight": 300}]`` or ``["/dev/sda:300"]``."""
    device_read_bps: Annotated[DeviceLimits | None, Wire("BlkioDeviceReadBps", shorthands.bytes_per_second)]
    """Reading, bytes per second: ``[{"Path": "/dev/sda", "Rate": "10m"}]`` or ``["/dev/sda:10m"]``."""
    device_write_bps: Annotated[DeviceLimits | None, Wire("BlkioDeviceWriteBps", shorthands.bytes_per_second)]
    """Writing, bytes per second."""
    device_read_iops: Annotated[DeviceLimits | None, Wire("BlkioDeviceReadIOps", shorthands.per_second)]
    """Reading, operations per second: ``["/dev/sda:1000"]``."""
    device_write_iops: Annotated[DeviceLimits | None, Wire("BlkioDeviceWriteIOps", shorthands.per_second)]
    """Writing, operations per second."""
    oom_kill_disable: Annotated[bool | None, Wire("OomKillDisable")]
    """Don't kill it when its memory is used up (cgroup v1)."""
    pids_limit: Annotated[int | None, Wire("PidsLimit")]
    """How many processes; -1 or 0 is no limit."""
    cpu_count: Annotated[int | None, Wire("CpuCount")]
    """Windows: how many CPUs."""
    cpu_percent: Annotated[int | None, Wire("CpuPercent")]
    """Windows: percent of the CPUs."""
    nano_cpus: Annotated[int | None, Wire("NanoCpus")]
    """CPUs in billionths: 1 500 000 000 is one and a half."""
    cpu_rt_period: Annotated[int | None, Wire("CpuRealtimePeriod")]
    """Real-time scheduler: length of the period, in microseconds."""
    cpu_rt_runtime: Annotated[int | None, Wire("CpuRealtimeRuntime")]
    """Real-time scheduler: microseconds in each period."""
    device_cgroup_rules: Annotated[Texts | None, Wire("DeviceCgroupRules", parse.texts)]
    """Rules of the devices cgroup: ``["c 42:* rmw"]`` (API 1.28)."""
    device_requests: Annotated[
        Sequence[DeviceRequest | Mapping[str, Any]] | None, Wire("DeviceRequests", device_requests)
    ]
    """Devices that a driver hands out (API 1.40)."""
    gpus: Annotated[str | int | Texts | None, Wire("DeviceRequests", gpus)]
    """Graphics cards: ``"all"``, how many, or their ids; added to ``device_requests`` (API 1.40)."""
    cpus: Annotated[float | str | None, Wire("NanoCpus", _cpus)]
    """How many CPUs: ``1.5``."""
    io_maximum_iops: Annotated[int | None, Wire("IOMaximumIOps")]
    """Windows: operations per second on the system drive."""
    io_maximum_bandwidth: Annotated[Size | None, Wire("IOMaximumBandwidth", parse.size)]
    """Windows: bytes per second on the system drive."""
    kernel_memory_tcp: Annotated[Size | None, Wire("KernelMemoryTCP", parse.size)]
    """Memory for TCP buffers (API 1.40 to 1.51)."""
    disk_quota: Annotated[Size | None, Wire("DiskQuota", parse.size)]
    """Size of its disk (up to API 1.39)."""


class UpdateOptions(NamedLimits, MoreLimits, total=False):
    """Options of ``containers.create`` that :meth:`Container.update` takes as well."""


class CommonHostOptions(UpdateOptions, total=False):
    """Options of ``create_container`` that go into its host config."""

    binds: Annotated[Binds | None, Wire("Binds", shorthands.binds)]
    """Folders and volumes: ``{"/host": {"bind": "/in", "mode": "ro"}}``, or texts ``"./src:/app:ro"``."""
    port_bindings: Annotated[PortBindings | None, Wire("PortBindings", shorthands.port_bindings)]
    """Published ports: ``{"80/tcp": 8080, "53/udp": None, 22: ("127.0.0.1", 2222)}``, or ``["127.0.0.1:8080:80"]``."""
    lxc_conf: Annotated[None, Wire("", _no_lxc)]
    """Gone from the Engine: refused."""
    publish_all_ports: Annotated[bool | None, Wire("PublishAllPorts", unset=False)]
    """Publish all exposed ports, each on a free port of the host."""
    links: Annotated[Mapping[str, str] | Sequence[str | tuple[str, str]] | None, Wire("Links", shorthands.links)]
    """Containers to reach by an alias, on the default bridge: ``{"container": "alias"}``, or pairs."""
    privileged: Annotated[bool | None, Wire("Privileged", unset=False)]
    """With all capabilities and devices of the host."""
    dns: Annotated[Texts | None, Wire("Dns", parse.texts)]
    """Addresses of name servers."""
    dns_search: Annotated[Texts | None, Wire("DnsSearch", parse.texts)]
    """Domains in which to look names up."""
    volumes_from: Annotated[str | Texts | None, Wire("VolumesFrom", shorthands.volumes_from)]
    """Containers whose mounts to have as well: ``["other:ro"]``."""
    network_mode: Annotated[str | HasId | None, Wire("NetworkMode", _network_mode)]
    """bridge, host, none, container:ID, or a network's name; a container to share its network."""
    cap_add: Annotated[Texts | None, Wire("CapAdd", parse.texts)]
    """Capabilities to give: ``["NET_ADMIN"]``."""
    cap_drop: Annotated[Texts | None, Wire("CapDrop", parse.texts)]
    """Capabilities to take away: ``["ALL"]``."""
    extra_hosts: Annotated[Mapping[str, str | Sequence[str]] | Texts | None, Wire("ExtraHosts", shorthands.extra_hosts)]
    """Lines for /etc/hosts: ``{"name": "10.0.0.1"}``; the address ``host-gateway`` is the host's."""
    read_only: Annotated[bool | None, Wire("ReadonlyRootfs", unset=False)]
    """A root file system that can't be written to."""
    pid_mode: Annotated[str | None, Wire("PidMode")]
    """host or container:ID, to see its processes."""
    ipc_mode: Annotated[str | None, Wire("IpcMode")]
    """none, private, shareable, host or container:ID."""
    security_opt: Annotated[Texts | None, Wire("SecurityOpt", parse.texts)]
    """As ``["no-new-privileges", "seccomp=unconfined"]``."""
    log_config: Annotated[LogConfig | Mapping[str, Any] | str | None, Wire("LogConfig", _log_config)]
    """Where the output goes: a LogConfig, or a driver's name."""
    group_add: Annotated[Sequence[str | int] | None, Wire("GroupAdd", shorthands.group_add)]
    """Further groups of the user, by name or number."""
    shm_size: Annotated[Size | None, Wire("ShmSize", parse.size)]
    """Size of /dev/shm."""
    sysctls: Annotated[Texted | None, Wire("Sysctls", parse.text_map)]
    """Parameters of the kernel: ``{"net.core.somaxconn": 1024}``."""
    tmpfs: Annotated[Mapping[str, str] | Texts | None, Wire("Tmpfs", shorthands.tmpfs)]
    """Folders in memory: ``{"/run": "size=64m"}``, or a list of paths."""
    oom_score_adj: Annotated[int | None, Wire("OomScoreAdj")]
    """How willingly the kernel kills it when memory runs out: -1000 to 1000."""
    dns_opt: Annotated[Texts | None, Wire("DnsOptions", parse.texts)]
    """Options for resolv.conf."""
    userns_mode: Annotated[str | None, Wire("UsernsMode")]
    """host, to switch user namespaces off for it."""
    uts_mode: Annotated[str | None, Wire("UTSMode")]
    """host, to share its host name."""
    isolation: Annotated[str | None, Wire("Isolation")]
    """Windows: default, process or hyperv."""
    auto_remove: Annotated[bool | None, Wire("AutoRemove", unset=False)]
    """The engine removes it when it stops."""
    storage_opt: Annotated[Texted | None, Wire("StorageOpt", parse.text_map)]
    """Options of the storage driver: ``{"size": "10G"}``."""
    init: Annotated[bool | None, Wire("Init")]
    """A small init as its first process, which forwards signals and reaps (API 1.25)."""
    init_path: Annotated[str | None, Wire("InitPath")]
    """Path of that init (API 1.25 to 1.28)."""
    volume_driver: Annotated[str | None, Wire("VolumeDriver")]
    """Driver for volumes that ``binds`` makes."""
    mounts: Annotated[Sequence[Mount | Mapping[str, Any] | str] | None, Wire("Mounts", mount_list)]
    """Mounts: ``[Mount("/data", "volume")]``; more than ``binds`` can say."""
    cgroupns: Annotated[str | None, Wire("CgroupnsMode")]
    """host or private (API 1.41)."""
    annotations: Annotated[Mapping[str, str] | None, Wire("Annotations", parse.text_map)]
    """Annotations for the OCI runtime (API 1.43)."""
    console_size: Annotated[tuple[int, int] | None, Wire("ConsoleSize", _console_size)]
    """Rows and columns of its terminal (Linux: API 1.42)."""
    masked_paths: Annotated[Texts | None, Wire("MaskedPaths", parse.texts)]
    """Paths to hide, instead of the engine's own; ``[]`` hides none (API 1.38)."""
    readonly_paths: Annotated[Texts | None, Wire("ReadonlyPaths", parse.texts)]
    """Paths to make read-only, instead of the engine's own (API 1.38)."""
    cgroup: Annotated[str | None, Wire("Cgroup")]
    """Cgroup to join."""
    container_id_file: Annotated[str | None, Wire("ContainerIDFile")]
    """Where a command line wrote the id; the engine only keeps it."""
    capabilities: Annotated[Texts | None, Wire("Capabilities", parse.texts)]
    """All capabilities that it has (API 1.40 only)."""


class HostOptions(CommonHostOptions, total=False):
    """Options of :meth:`APIClient.create_host_config`."""

    runtime: Annotated[str | None, Wire("Runtime")]
    """The OCI runtime."""


# A TypedDict has its bases' rows first; by position docker-py's order counts.
_POSITIONS = (
    *("binds", "port_bindings", "lxc_conf", "publish_all_ports", "links", "privileged", "dns", "dns_search"),
    *("volumes_from", "network_mode", "restart_policy", "cap_add", "cap_drop", "devices", "extra_hosts", "read_only"),
    *("pid_mode", "ipc_mode", "security_opt", "ulimits", "log_config", "mem_limit", "memswap_limit"),
    *("mem_reservation", "kernel_memory", "mem_swappiness", "cgroup_parent", "group_add", "cpu_quota", "cpu_period"),
    *("blkio_weight", "blkio_weight_device", "device_read_bps", "device_write_bps", "device_read_iops"),
    *("device_write_iops", "oom_kill_disable", "shm_size", "sysctls", "tmpfs", "oom_score_adj", "dns_opt"),
    *("cpu_shares", "cpuset_cpus", "userns_mode", "uts_mode", "pids_limit", "isolation", "auto_remove"),
    *("storage_opt", "init", "init_path", "volume_driver", "cpu_count", "cpu_percent", "nano_cpus", "cpuset_mems"),
    *("runtime", "mounts", "cpu_rt_period", "cpu_rt_runtime", "device_cgroup_rules", "device_requests", "cgroupns"),
)
_rows = HostOptions.__annotations__
HostOptions.__annotations__ = {**{name: _rows[name] for name in _POSITIONS}, **_rows}
