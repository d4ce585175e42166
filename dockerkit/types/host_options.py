"""The options of a container's host configuration: limits, mounts, ports, privileges."""

# Annotations are evaluated, since OptionSchema reads them. Names of value classes are quoted: these classes use pydantic,
# which takes longer to load than everything else that a first call needs.

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypedDict

from dockerkit.errors import InvalidArgument
from dockerkit.parsing import shorthands, values
from dockerkit.parsing.shorthands import Binds, PortBindings, RestartPolicyName
from dockerkit.parsing.values import Size
from dockerkit.types.option_schema import EngineField

if TYPE_CHECKING:
    from dockerkit.types.limits import DeviceRequest, LogConfig, Ulimit
    from dockerkit.types.mounts import Mount

Strings = Sequence[str]
StringMap = Mapping[str, str | int | float | bool]


class HasId(Protocol):
    """A container as an object, or anything else with an ``id``."""

    @property
    def id(self) -> str | None: ...


DeviceLimits = Sequence[str | tuple[str, int | str] | Mapping[str, Any]]


def _no_lxc(value: object, name: str) -> None:
    raise InvalidArgument(f"{name}: the Engine has had no LXC driver since 1.10; omit it")


def _log_config(value: object, name: str) -> dict[str, Any]:
    if isinstance(value, str):
        return {"Type": value}
    from dockerkit.types.base import engine_dict
    from dockerkit.types.limits import LogConfig

    return engine_dict(LogConfig, value, name)


def _ulimits(value: object, name: str) -> list[dict[str, Any]]:
    from dockerkit.types.limits import ulimits

    return ulimits(value, name)


def _device_requests(value: object, name: str) -> list[dict[str, Any]]:
    from dockerkit.types.limits import device_requests

    return device_requests(value, name)


def _gpus(value: object, name: str) -> list[dict[str, Any]]:
    from dockerkit.types.limits import gpus

    return gpus(value, name)


def _mounts(value: object, name: str) -> list[dict[str, Any]]:
    from dockerkit.types.mounts import mount_list

    return mount_list(value, name)


def _network_mode(value: object, name: str) -> str:
    if isinstance(value, str) and value:
        return value
    container = getattr(value, "id", None)
    if not isinstance(container, str):
        values.raise_invalid(name, "bridge, host, none, container:ID or a network", value)
    return f"container:{container}"


def _cpus(value: object, name: str) -> int:
    nano = -1
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            nano = round(float(value) * 1e9)
    if nano <= 0:
        values.raise_invalid(name, "a number of CPUs above 0", value)
    return nano


def _console_size(value: object, name: str) -> list[int]:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        values.raise_invalid(name, "(rows, columns)", value)
    return [values.integer(item, name) for item in value]


class NamedLimits(TypedDict, total=False):
    """The limits of docker-py's ``update_container``, in its order."""

    blkio_weight: Annotated[int | None, EngineField("BlkioWeight")]
    """Block I/O weight from 10 to 1000; 0 disables it."""
    cpu_period: Annotated[int | None, EngineField("CpuPeriod")]
    """CPU scheduler period in microseconds."""
    cpu_quota: Annotated[int | None, EngineField("CpuQuota")]
    """Microseconds of CPU in each ``cpu_period``."""
    cpu_shares: Annotated[int | None, EngineField("CpuShares")]
    """Relative CPU weight; the default is 1024."""
    cpuset_cpus: Annotated[str | None, EngineField("CpusetCpus")]
    """CPUs to run on: ``"0-3"``, ``"0,1"``."""
    cpuset_mems: Annotated[str | None, EngineField("CpusetMems")]
    """Memory nodes to use: ``"0,1"``."""
    mem_limit: Annotated[Size | None, EngineField("Memory", values.size)]
    """Memory limit, in bytes or as ``"512m"``."""
    mem_reservation: Annotated[Size | None, EngineField("MemoryReservation", values.size)]
    """Soft memory limit, enforced when the host is short of memory."""
    memswap_limit: Annotated[Size | None, EngineField("MemorySwap", values.size)]
    """Limit of memory plus swap; -1 is no limit."""
    kernel_memory: Annotated[Size | None, EngineField("KernelMemory", values.size)]
    """Kernel memory limit (up to API 1.41)."""
    restart_policy: Annotated[
        RestartPolicyName | Mapping[str, Any] | None, EngineField("RestartPolicy", shorthands.restart_policy)
    ]
    """When to restart the container: ``"always"``, ``"on-failure:5"``, ``{"Name": "on-failure", "MaximumRetryCount": 5}``."""


class MoreLimits(TypedDict, total=False):
    """Other limits that can be changed on an existing container."""

    devices: Annotated[Sequence[str | Mapping[str, str]] | None, EngineField("Devices", shorthands.devices_and_cdi)]
    """Host devices: ``["/dev/sda:/dev/xvda:rwm"]``; or names of the Container Device Interface: ``["vendor.com/gpu=0"]``."""
    ulimits: Annotated["Sequence[Ulimit | Mapping[str, Any] | str] | None", EngineField("Ulimits", _ulimits)]
    """Process limits: ``[Ulimit("nofile", 1024, 4096)]`` or ``["nofile=1024:4096"]``."""
    mem_swappiness: Annotated[int | None, EngineField("MemorySwappiness")]
    """Swappiness from 0 to 100; -1 uses the host's."""
    cgroup_parent: Annotated[str | None, EngineField("CgroupParent")]
    """Parent cgroup."""
    blkio_weight_device: Annotated[DeviceLimits | None, EngineField("BlkioWeightDevice", shorthands.weights)]
    """Weight by device: ``[{"Path": "/dev/sda", "Weight": 300}]`` or ``["/dev/sda:300"]``."""
    device_read_bps: Annotated[DeviceLimits | None, EngineField("BlkioDeviceReadBps", shorthands.bytes_per_second)]
    """Read limit in bytes per second: ``[{"Path": "/dev/sda", "Rate": "10m"}]`` or ``["/dev/sda:10m"]``."""
    device_write_bps: Annotated[DeviceLimits | None, EngineField("BlkioDeviceWriteBps", shorthands.bytes_per_second)]
    """Write limit in bytes per second."""
    device_read_iops: Annotated[DeviceLimits | None, EngineField("BlkioDeviceReadIOps", shorthands.per_second)]
    """Read limit in operations per second: ``["/dev/sda:1000"]``."""
    device_write_iops: Annotated[DeviceLimits | None, EngineField("BlkioDeviceWriteIOps", shorthands.per_second)]
    """Write limit in operations per second."""
    oom_kill_disable: Annotated[bool | None, EngineField("OomKillDisable")]
    """Disable the OOM killer for the container (cgroup v1)."""
    pids_limit: Annotated[int | None, EngineField("PidsLimit")]
    """Maximum number of processes; -1 or 0 is no limit."""
    cpu_count: Annotated[int | None, EngineField("CpuCount")]
    """Windows: number of CPUs."""
    cpu_percent: Annotated[int | None, EngineField("CpuPercent")]
    """Windows: percentage of the CPUs."""
    nano_cpus: Annotated[int | None, EngineField("NanoCpus")]
    """CPUs in billionths: 1,500,000,000 is 1.5 CPUs."""
    cpu_rt_period: Annotated[int | None, EngineField("CpuRealtimePeriod")]
    """Real-time scheduler: period in microseconds."""
    cpu_rt_runtime: Annotated[int | None, EngineField("CpuRealtimeRuntime")]
    """Real-time scheduler: microseconds in each period."""
    device_cgroup_rules: Annotated[Strings | None, EngineField("DeviceCgroupRules", values.string_list)]
    """Rules of the devices cgroup: ``["c 42:* rmw"]`` (API 1.28)."""
    device_requests: Annotated[
        "Sequence[DeviceRequest | Mapping[str, Any]] | None", EngineField("DeviceRequests", _device_requests)
    ]
    """Devices provided by a driver (API 1.40)."""
    gpus: Annotated[str | int | Strings | None, EngineField("DeviceRequests", _gpus)]
    """GPUs: ``"all"``, a number, or their IDs; added to ``device_requests`` (API 1.40)."""
    cpus: Annotated[float | str | None, EngineField("NanoCpus", _cpus)]
    """Maximum CPUs: ``1.5``."""
    io_maximum_iops: Annotated[int | None, EngineField("IOMaximumIOps")]
    """Windows: operations per second on the system drive."""
    io_maximum_bandwidth: Annotated[Size | None, EngineField("IOMaximumBandwidth", values.size)]
    """Windows: bytes per second on the system drive."""
    kernel_memory_tcp: Annotated[Size | None, EngineField("KernelMemoryTCP", values.size)]
    """Limit of memory for TCP buffers (API 1.40 to 1.51)."""
    disk_quota: Annotated[Size | None, EngineField("DiskQuota", values.size)]
    """Disk size (up to API 1.39)."""


class UpdateOptions(NamedLimits, MoreLimits, total=False):
    """Options of ``containers.create`` that :meth:`Container.update` accepts too."""


class CommonHostOptions(UpdateOptions, total=False):
    """Options of ``create_container`` for its host configuration."""

    binds: Annotated[Binds | None, EngineField("Binds", shorthands.binds)]
    """Folders and volumes: ``{"/host": {"bind": "/in", "mode": "ro"}}``, or strings ``"./src:/app:ro"``."""
    port_bindings: Annotated[PortBindings | None, EngineField("PortBindings", shorthands.port_bindings)]
    """Published ports: ``{"80/tcp": 8080, "53/udp": None, 22: ("127.0.0.1", 2222)}``, or ``["127.0.0.1:8080:80"]``."""
    lxc_conf: Annotated[None, EngineField("", _no_lxc)]
    """Removed from the Engine; refused."""
    publish_all_ports: Annotated[bool | None, EngineField("PublishAllPorts", unset=False)]
    """Publish all exposed ports, each on a free port of the host."""
    links: Annotated[Mapping[str, str] | Sequence[str | tuple[str, str]] | None, EngineField("Links", shorthands.links)]
    """Links to containers by an alias, on the default bridge: ``{"container": "alias"}``, or pairs."""
    privileged: Annotated[bool | None, EngineField("Privileged", unset=False)]
    """Run with all capabilities and access to all host devices."""
    dns: Annotated[Strings | None, EngineField("Dns", values.string_list)]
    """Addresses of name servers."""
    dns_search: Annotated[Strings | None, EngineField("DnsSearch", values.string_list)]
    """DNS search domains."""
    volumes_from: Annotated[str | Strings | None, EngineField("VolumesFrom", shorthands.volumes_from)]
    """Containers whose volumes are mounted too: ``["other:ro"]``."""
    network_mode: Annotated[str | HasId | None, EngineField("NetworkMode", _network_mode)]
    """bridge, host, none, container:ID, or a network's name; a container object shares its network."""
    cap_add: Annotated[str | Strings | None, EngineField("CapAdd", shorthands.capabilities)]
    """Capabilities to add: ``["NET_ADMIN"]``."""
    cap_drop: Annotated[str | Strings | None, EngineField("CapDrop", shorthands.capabilities)]
    """Capabilities to drop: ``["ALL"]``."""
    extra_hosts: Annotated[
        Mapping[str, str | Sequence[str]] | Strings | None, EngineField("ExtraHosts", shorthands.extra_hosts)
    ]
    """Lines for /etc/hosts: ``{"name": "10.0.0.1"}``; ``host-gateway`` stands for the host's address."""
    read_only: Annotated[bool | None, EngineField("ReadonlyRootfs", unset=False)]
    """Mount the root file system read-only."""
    pid_mode: Annotated[str | None, EngineField("PidMode")]
    """PID namespace: host or container:ID."""
    ipc_mode: Annotated[str | None, EngineField("IpcMode")]
    """IPC namespace: none, private, shareable, host or container:ID."""
    security_opt: Annotated[Strings | None, EngineField("SecurityOpt", values.string_list)]
    """Security options: ``["no-new-privileges", "seccomp=unconfined"]``."""
    log_config: Annotated["LogConfig | Mapping[str, Any] | str | None", EngineField("LogConfig", _log_config)]
    """Log configuration: a LogConfig, or the name of a driver."""
    group_add: Annotated[Sequence[str | int] | None, EngineField("GroupAdd", shorthands.group_add)]
    """Additional groups of the user, by name or number."""
    shm_size: Annotated[Size | None, EngineField("ShmSize", values.size)]
    """Size of /dev/shm."""
    sysctls: Annotated[StringMap | None, EngineField("Sysctls", values.string_map)]
    """Kernel parameters: ``{"net.core.somaxconn": 1024}``."""
    tmpfs: Annotated[Mapping[str, str] | Strings | None, EngineField("Tmpfs", shorthands.tmpfs)]
    """tmpfs mounts: ``{"/run": "size=64m"}``, or a list of paths."""
    oom_score_adj: Annotated[int | None, EngineField("OomScoreAdj")]
    """Adjustment of the OOM killer's score, -1000 to 1000."""
    dns_opt: Annotated[Strings | None, EngineField("DnsOptions", values.string_list)]
    """Options for resolv.conf."""
    userns_mode: Annotated[str | None, EngineField("UsernsMode")]
    """User namespace: host disables remapping."""
    uts_mode: Annotated[str | None, EngineField("UTSMode")]
    """UTS namespace: host shares the host's name."""
    isolation: Annotated[str | None, EngineField("Isolation")]
    """Windows: default, process or hyperv."""
    auto_remove: Annotated[bool | None, EngineField("AutoRemove", unset=False)]
    """Remove the container when it stops (by the engine)."""
    storage_opt: Annotated[StringMap | None, EngineField("StorageOpt", values.string_map)]
    """Options of the storage driver: ``{"size": "10G"}``."""
    init: Annotated[bool | None, EngineField("Init")]
    """Run an init process that forwards signals and reaps processes (API 1.25)."""
    init_path: Annotated[str | None, EngineField("InitPath")]
    """Path of the init binary (API 1.25 to 1.28)."""
    volume_driver: Annotated[str | None, EngineField("VolumeDriver")]
    """Driver of volumes created by ``binds``."""
    mounts: Annotated["Sequence[Mount | Mapping[str, Any] | str] | None", EngineField("Mounts", _mounts)]
    """Mounts: ``[Mount("/data", "volume")]``; with more options than ``binds``."""
    cgroupns: Annotated[str | None, EngineField("CgroupnsMode")]
    """Cgroup namespace: host or private (API 1.41)."""
    annotations: Annotated[Mapping[str, str] | None, EngineField("Annotations", values.string_map)]
    """Annotations for the OCI runtime (API 1.43)."""
    console_size: Annotated[tuple[int, int] | None, EngineField("ConsoleSize", _console_size)]
    """Rows and columns of the terminal (Linux: API 1.42)."""
    masked_paths: Annotated[Strings | None, EngineField("MaskedPaths", values.string_list)]
    """Paths to hide, instead of the engine's defaults; ``[]`` hides none (API 1.38)."""
    readonly_paths: Annotated[Strings | None, EngineField("ReadonlyPaths", values.string_list)]
    """Paths to make read-only, instead of the engine's defaults (API 1.38)."""
    cgroup: Annotated[str | None, EngineField("Cgroup")]
    """Cgroup to join."""
    container_id_file: Annotated[str | None, EngineField("ContainerIDFile")]
    """File to which a CLI wrote the ID; the engine only stores the path."""
    capabilities: Annotated[Strings | None, EngineField("Capabilities", values.string_list)]
    """Complete list of capabilities (API 1.40 only)."""


class HostOptions(CommonHostOptions, total=False):
    """Options of :meth:`APIClient.create_host_config`."""

    runtime: Annotated[str | None, EngineField("Runtime")]
    """OCI runtime."""


# A TypedDict has its bases' keys first; positional arguments follow docker-py's order.
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
_fields = HostOptions.__annotations__
HostOptions.__annotations__ = {**{name: _fields[name] for name in _POSITIONS}, **_fields}
