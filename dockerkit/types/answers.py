"""What the Engine's JSON holds, as TypedDicts. Made by scripts/make_answers.py: change the script, not this file.

For editors and type checkers only: nothing here is imported when dockerkit runs, and answers stay the engine's own
dicts. Engines differ, so no key is sure to be there: use ``.get`` where that matters. (The types of answers have all
keys required nevertheless, so that type checkers let them be read; those of bodies only have none.) Enumerations are
open, so they are plain ``str``; moments are RFC 3339 text, and ``0001-01-01T00:00:00Z`` means never. Longer than other
modules, as it is generated.
"""

from __future__ import annotations

from typing import Any, TypedDict


class Address(TypedDict):
    Addr: str
    PrefixLen: int


class AttestationStatement(TypedDict):
    Descriptor: OCIDescriptor
    PredicateType: str
    Statement: dict[str, Any] | None


class AuthConfig(TypedDict, total=False):
    username: str
    password: str
    serveraddress: str
    email: str


class AuthResponse(TypedDict):
    Status: str
    IdentityToken: str


class BuildCache(TypedDict, total=False):
    ID: str
    Parents: list[str] | None
    Type: str
    Description: str
    InUse: bool
    Shared: bool
    Size: int
    CreatedAt: str
    LastUsedAt: str | None
    UsageCount: int
    Parent: str


class BuildCacheDiskUsage(TypedDict):
    ActiveCount: int
    TotalCount: int
    Reclaimable: int
    TotalSize: int
    Items: list[Any]


class BuildIdentity(TypedDict):
    Ref: str
    CreatedAt: str


class BuildInfo(TypedDict):
    id: str
    stream: str
    errorDetail: ErrorDetail
    status: str
    progressDetail: ProgressDetail
    aux: ImageID
    error: str
    progress: str


class BuildPruneResponse(TypedDict):
    CachesDeleted: list[str] | None
    SpaceReclaimed: int


class ClusterInfo(TypedDict):
    ID: str
    Version: ObjectVersion
    CreatedAt: str
    UpdatedAt: str
    Spec: SwarmSpec
    TLSInfo: TLSInfo
    RootRotationInProgress: bool
    DataPathPort: int
    DefaultAddrPool: list[str]
    SubnetSize: int


class ClusterVolume(TypedDict):
    ID: str
    Version: ObjectVersion
    CreatedAt: str
    UpdatedAt: str
    Spec: ClusterVolumeSpec
    Info: ClusterVolumeInfo
    PublishStatus: list[ClusterVolumePublishStatusItem]


class ClusterVolumeInfo(TypedDict):
    CapacityBytes: int
    VolumeContext: dict[str, str]
    VolumeID: str
    AccessibleTopology: list[Topology]


class ClusterVolumePublishStatusItem(TypedDict):
    NodeID: str
    State: str
    PublishContext: dict[str, str]


class ClusterVolumeSpec(TypedDict):
    Group: str
    AccessMode: ClusterVolumeSpecAccessMode


class ClusterVolumeSpecAccessMode(TypedDict):
    Scope: str
    Sharing: str
    MountVolume: dict[str, Any]
    Secrets: list[ClusterVolumeSpecAccessModeSecret]
    AccessibilityRequirements: ClusterVolumeSpecAccessModeAccessibilityRequirements
    CapacityRange: ClusterVolumeSpecAccessModeCapacityRange
    Availability: str


class ClusterVolumeSpecAccessModeAccessibilityRequirements(TypedDict):
    Requisite: list[Topology]
    Preferred: list[Topology]


class ClusterVolumeSpecAccessModeCapacityRange(TypedDict):
    RequiredBytes: int
    LimitBytes: int


class ClusterVolumeSpecAccessModeSecret(TypedDict):
    Key: str
    Secret: str


class Commit(TypedDict):
    ID: str
    Expected: str


class Config(TypedDict):
    ID: str
    Version: ObjectVersion
    CreatedAt: str
    UpdatedAt: str
    Spec: ConfigSpec


class ConfigSpec(TypedDict):
    Name: str
    Labels: dict[str, str]
    Data: str
    Templating: Driver


class ConfigCreateBody(ConfigSpec, total=False):
    pass


class ConfigReference(TypedDict):
    Network: str


class ContainerBlkioStatEntry(TypedDict):
    major: int
    minor: int
    op: str
    value: int


class ContainerBlkioStats(TypedDict):
    io_service_bytes_recursive: list[ContainerBlkioStatEntry] | None
    io_serviced_recursive: list[ContainerBlkioStatEntry] | None
    io_queue_recursive: list[ContainerBlkioStatEntry] | None
    io_service_time_recursive: list[ContainerBlkioStatEntry] | None
    io_wait_time_recursive: list[ContainerBlkioStatEntry] | None
    io_merged_recursive: list[ContainerBlkioStatEntry] | None
    io_time_recursive: list[ContainerBlkioStatEntry] | None
    sectors_recursive: list[ContainerBlkioStatEntry] | None


class ContainerCPUStats(TypedDict):
    cpu_usage: ContainerCPUUsage
    system_cpu_usage: int | None
    online_cpus: int | None
    throttling_data: ContainerThrottlingData


class ContainerCPUUsage(TypedDict):
    total_usage: int
    percpu_usage: list[int] | None
    usage_in_kernelmode: int
    usage_in_usermode: int


class ContainerConfig(TypedDict):
    Hostname: str
    Domainname: str
    User: str
    AttachStdin: bool
    AttachStdout: bool
    AttachStderr: bool
    ExposedPorts: dict[str, dict[str, Any]] | None
    Tty: bool
    OpenStdin: bool
    StdinOnce: bool
    Env: list[str] | None
    Cmd: list[str] | None
    Healthcheck: HealthConfig
    ArgsEscaped: bool | None
    Image: str
    Volumes: dict[str, dict[str, Any]] | None
    WorkingDir: str
    Entrypoint: list[str] | None
    NetworkDisabled: bool | None
    OnBuild: list[str] | None
    Labels: dict[str, str] | None
    StopSignal: str | None
    StopTimeout: int | None
    Shell: list[str] | None
    MacAddress: str | None


class ContainerCreateBody(ContainerConfig, total=False):
    HostConfig: HostConfig
    NetworkingConfig: NetworkingConfig


class ContainerCreateResponse(TypedDict):
    Id: str
    Warnings: list[str]


class ContainerExecBody(TypedDict, total=False):
    AttachStdin: bool
    AttachStdout: bool
    AttachStderr: bool
    ConsoleSize: list[int] | None
    DetachKeys: str
    Tty: bool
    Env: list[str]
    Cmd: list[str]
    Privileged: bool
    User: str
    WorkingDir: str


class ContainerInspectResponse(TypedDict):
    Id: str
    Created: str | None
    Path: str
    Args: list[str]
    State: ContainerState
    Image: str
    ResolvConfPath: str
    HostnamePath: str
    HostsPath: str
    LogPath: str | None
    Name: str
    RestartCount: int
    Driver: str
    Platform: str
    ImageManifestDescriptor: OCIDescriptor
    MountLabel: str
    ProcessLabel: str
    AppArmorProfile: str
    ExecIDs: list[str] | None
    HostConfig: HostConfig
    GraphDriver: DriverData | None
    Storage: Storage | None
    SizeRw: int | None
    SizeRootFs: int | None
    Mounts: list[MountPoint]
    Config: ContainerConfig
    NetworkSettings: NetworkSettings


class ContainerMemoryStats(TypedDict):
    usage: int | None
    max_usage: int | None
    stats: dict[str, int | None]
    failcnt: int | None
    limit: int | None
    commitbytes: int | None
    commitpeakbytes: int | None
    privateworkingset: int | None


class ContainerNetworkStats(TypedDict):
    rx_bytes: int
    rx_packets: int
    rx_errors: int
    rx_dropped: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    tx_dropped: int
    endpoint_id: str | None
    instance_id: str | None


class ContainerPidsStats(TypedDict):
    current: int | None
    limit: int | None


class ContainerPruneResponse(TypedDict):
    ContainersDeleted: list[str] | None
    SpaceReclaimed: int


class ContainerState(TypedDict):
    Status: str
    Running: bool
    Paused: bool
    Restarting: bool
    OOMKilled: bool
    Dead: bool
    Pid: int
    ExitCode: int
    Error: str
    StartedAt: str
    FinishedAt: str
    Health: Health


class ContainerStatsResponse(TypedDict):
    id: str | None
    name: str | None
    os_type: str | None
    read: str
    cpu_stats: ContainerCPUStats
    memory_stats: ContainerMemoryStats
    networks: dict[str, ContainerNetworkStats] | None
    pids_stats: ContainerPidsStats
    blkio_stats: ContainerBlkioStats
    num_procs: int
    storage_stats: ContainerStorageStats
    preread: str
    precpu_stats: ContainerCPUStats


class ContainerStatus(TypedDict):
    ContainerID: str
    PID: int
    ExitCode: int


class ContainerStorageStats(TypedDict):
    read_count_normalized: int | None
    read_size_bytes: int | None
    write_count_normalized: int | None
    write_size_bytes: int | None


class ContainerSummary(TypedDict):
    Id: str
    Names: list[str]
    Image: str
    ImageID: str
    ImageManifestDescriptor: OCIDescriptor | None
    Command: str
    Created: int
    Ports: list[PortSummary]
    SizeRw: int | None
    SizeRootFs: int | None
    Labels: dict[str, str]
    State: str
    Status: str
    HostConfig: ContainerSummaryHostConfig
    NetworkSettings: ContainerSummaryNetworkSettings
    Mounts: list[MountPoint]
    Health: ContainerSummaryHealth


class ContainerSummaryHealth(TypedDict):
    Status: str
    FailingStreak: int


class ContainerSummaryHostConfig(TypedDict):
    NetworkMode: str
    Annotations: dict[str, str] | None


class ContainerSummaryNetworkSettings(TypedDict):
    Networks: dict[str, EndpointSettings]


class ContainerThrottlingData(TypedDict):
    periods: int
    throttled_periods: int
    throttled_time: int


class ContainerTopResponse(TypedDict):
    Titles: list[str]
    Processes: list[list[str]] | None


class Resources(TypedDict):
    CpuShares: int
    Memory: int
    CgroupParent: str
    BlkioWeight: int
    BlkioWeightDevice: list[ResourcesBlkioWeightDeviceItem] | None
    BlkioDeviceReadBps: list[ThrottleDevice] | None
    BlkioDeviceWriteBps: list[ThrottleDevice] | None
    BlkioDeviceReadIOps: list[ThrottleDevice] | None
    BlkioDeviceWriteIOps: list[ThrottleDevice] | None
    CpuPeriod: int
    CpuQuota: int
    CpuRealtimePeriod: int
    CpuRealtimeRuntime: int
    CpusetCpus: str
    CpusetMems: str
    Devices: list[DeviceMapping] | None
    DeviceCgroupRules: list[str] | None
    DeviceRequests: list[DeviceRequest] | None
    MemoryReservation: int
    MemorySwap: int
    MemorySwappiness: int | None
    NanoCpus: int
    OomKillDisable: bool
    Init: bool | None
    PidsLimit: int | None
    Ulimits: list[ResourcesUlimit] | None
    CpuCount: int
    CpuPercent: int
    IOMaximumIOps: int
    IOMaximumBandwidth: int
    KernelMemory: int
    KernelMemoryTCP: int


class ContainerUpdateBody(Resources, total=False):
    RestartPolicy: RestartPolicy


class ContainerUpdateResponse(TypedDict):
    Warnings: list[str]


class ContainerWaitExitError(TypedDict):
    Message: str


class ContainerWaitResponse(TypedDict):
    StatusCode: int
    Error: ContainerWaitExitError


class ContainerdInfo(TypedDict):
    Address: str
    Namespaces: ContainerdInfoNamespaces


class ContainerdInfoNamespaces(TypedDict):
    Containers: str
    Plugins: str


class ContainersDiskUsage(TypedDict):
    ActiveCount: int
    TotalCount: int
    Reclaimable: int
    TotalSize: int
    Items: list[Any]


class CreateImageInfo(TypedDict):
    id: str
    errorDetail: ErrorDetail
    status: str
    progressDetail: ProgressDetail
    error: str
    progress: str


class DeviceInfo(TypedDict):
    Source: str
    ID: str


class DeviceMapping(TypedDict):
    PathOnHost: str
    PathInContainer: str
    CgroupPermissions: str


class DeviceRequest(TypedDict):
    Driver: str
    Count: int
    DeviceIDs: list[str]
    Capabilities: list[list[str]]
    Options: dict[str, str]


class DistributionInspect(TypedDict):
    Descriptor: OCIDescriptor
    Platforms: list[OCIPlatform] | None


class Driver(TypedDict):
    Name: str
    Options: dict[str, str]


class DriverData(TypedDict):
    Name: str
    Data: dict[str, str] | None


class EndpointIPAMConfig(TypedDict):
    IPv4Address: str
    IPv6Address: str
    LinkLocalIPs: list[str]


class EndpointPortConfig(TypedDict):
    Name: str
    Protocol: str
    TargetPort: int
    PublishedPort: int
    PublishMode: str


class EndpointResource(TypedDict, total=False):
    Name: str
    EndpointID: str
    MacAddress: str
    IPv4Address: str
    IPv6Address: str


class EndpointSettings(TypedDict):
    IPAMConfig: EndpointIPAMConfig | None
    Links: list[str] | None
    MacAddress: str
    Aliases: list[str] | None
    DriverOpts: dict[str, str] | None
    GwPriority: int
    NetworkID: str
    EndpointID: str
    Gateway: str
    IPAddress: str
    IPPrefixLen: int
    IPv6Gateway: str
    GlobalIPv6Address: str
    GlobalIPv6PrefixLen: int
    DNSNames: list[str] | None


class EndpointSpec(TypedDict):
    Mode: str
    Ports: list[EndpointPortConfig]


class EngineDescription(TypedDict):
    EngineVersion: str
    Labels: dict[str, str]
    Plugins: list[EngineDescriptionPlugin]


class EngineDescriptionPlugin(TypedDict):
    Type: str
    Name: str


class ErrorDetail(TypedDict):
    code: int
    message: str


class ErrorResponse(TypedDict, total=False):
    message: str


class EventActor(TypedDict):
    ID: str
    Attributes: dict[str, str]


class EventMessage(TypedDict):
    Type: str
    Action: str
    Actor: EventActor
    scope: str
    time: int
    timeNano: int


class ExecInspectResponse(TypedDict):
    CanRemove: bool
    DetachKeys: str
    ID: str
    Running: bool
    ExitCode: int | None
    ProcessConfig: ProcessConfig
    OpenStdin: bool
    OpenStderr: bool
    OpenStdout: bool
    ContainerID: str
    Pid: int


class ExecStartBody(TypedDict, total=False):
    Detach: bool
    Tty: bool
    ConsoleSize: list[int] | None


class FilesystemChange(TypedDict):
    Path: str
    Kind: ChangeType


class FirewallInfo(TypedDict):
    Driver: str
    Info: list[list[str]]


class GenericResource(TypedDict):
    NamedResourceSpec: GenericResourceNamedResourceSpec
    DiscreteResourceSpec: GenericResourceDiscreteResourceSpec


class GenericResourceDiscreteResourceSpec(TypedDict):
    Kind: str
    Value: int


class GenericResourceNamedResourceSpec(TypedDict):
    Kind: str
    Value: str


class GraphDriverData(TypedDict, total=False):
    Name: str
    Data: dict[str, str]


class Health(TypedDict):
    Status: str
    FailingStreak: int
    Log: list[HealthcheckResult] | None


class HealthConfig(TypedDict):
    Test: list[str]
    Interval: int
    Timeout: int
    Retries: int
    StartPeriod: int
    StartInterval: int


class HealthcheckResult(TypedDict):
    Start: str
    End: str
    ExitCode: int
    Output: str


class HostConfig(Resources):
    Binds: list[str] | None
    ContainerIDFile: str
    LogConfig: HostConfigLogConfig
    NetworkMode: str
    PortBindings: PortMap | None
    RestartPolicy: RestartPolicy
    AutoRemove: bool
    VolumeDriver: str
    VolumesFrom: list[str] | None
    Mounts: list[Mount]
    ConsoleSize: list[int] | None
    Annotations: dict[str, str]
    CapAdd: list[str] | None
    CapDrop: list[str] | None
    CgroupnsMode: str
    Dns: list[str] | None
    DnsOptions: list[str] | None
    DnsSearch: list[str] | None
    ExtraHosts: list[str] | None
    GroupAdd: list[str] | None
    IpcMode: str
    Cgroup: str
    Links: list[str] | None
    OomScoreAdj: int
    PidMode: str
    Privileged: bool
    PublishAllPorts: bool
    ReadonlyRootfs: bool
    SecurityOpt: list[str] | None
    StorageOpt: dict[str, str]
    Tmpfs: dict[str, str]
    UTSMode: str
    UsernsMode: str
    ShmSize: int
    Sysctls: dict[str, str] | None
    Runtime: str | None
    Isolation: str
    MaskedPaths: list[str]
    ReadonlyPaths: list[str]


class HostConfigLogConfig(TypedDict):
    Type: str
    Config: dict[str, str]


class IDResponse(TypedDict):
    Id: str


class IPAM(TypedDict):
    Driver: str
    Config: list[IPAMConfig] | None
    Options: dict[str, str] | None


class IPAMConfig(TypedDict):
    Subnet: str
    IPRange: str
    Gateway: str
    AuxiliaryAddresses: dict[str, str]


class IPAMStatus(TypedDict):
    Subnets: dict[str, SubnetStatus]


class IdResponse(TypedDict, total=False):
    Id: str


class Identity(TypedDict):
    Signature: list[SignatureIdentity]
    Pull: list[PullIdentity]
    Build: list[BuildIdentity]


class ImageConfig(TypedDict):
    User: str
    ExposedPorts: dict[str, dict[str, Any]] | None
    Env: list[str]
    Cmd: list[str]
    Healthcheck: HealthConfig
    ArgsEscaped: bool | None
    Volumes: dict[str, dict[str, Any]] | None
    WorkingDir: str
    Entrypoint: list[str] | None
    OnBuild: list[str] | None
    Labels: dict[str, str] | None
    StopSignal: str | None
    Shell: list[str] | None
    Hostname: str
    Domainname: str
    AttachStdin: bool
    AttachStdout: bool
    AttachStderr: bool
    Tty: bool
    OpenStdin: bool
    StdinOnce: bool
    Image: str
    NetworkDisabled: bool | None
    MacAddress: str | None
    StopTimeout: int | None


class ImageDeleteResponseItem(TypedDict):
    Untagged: str
    Deleted: str


class ImageHistoryResponseItem(TypedDict):
    Id: str
    Created: int
    CreatedBy: str
    Tags: list[str]
    Size: int
    Comment: str


class ImageID(TypedDict):
    ID: str


class ImageInspect(TypedDict):
    Id: str
    Descriptor: OCIDescriptor | None
    Manifests: list[ImageManifestSummary] | None
    Identity: Identity | None
    RepoTags: list[str]
    RepoDigests: list[str]
    Comment: str | None
    Created: str | None
    Author: str | None
    Config: ImageConfig
    Architecture: str
    Variant: str | None
    Os: str
    OsVersion: str | None
    Size: int
    GraphDriver: DriverData | None
    RootFS: ImageInspectRootFS
    Metadata: ImageInspectMetadata
    Parent: str
    Container: str
    ContainerConfig: ContainerConfig
    DockerVersion: str
    VirtualSize: int


class ImageInspectMetadata(TypedDict):
    LastTagTime: str | None


class ImageInspectRootFS(TypedDict):
    Type: str
    Layers: list[str]


class ImageManifestSummary(TypedDict):
    ID: str
    Descriptor: OCIDescriptor
    Available: bool
    Size: ImageManifestSummarySize
    Kind: str
    ImageData: ImageManifestSummaryImageData | None
    AttestationData: ImageManifestSummaryAttestationData | None


class ImageManifestSummaryAttestationData(TypedDict):
    For: str


class ImageManifestSummaryImageData(TypedDict):
    Platform: OCIPlatform
    Identity: Identity | None
    Containers: list[str]
    Size: ImageManifestSummaryImageDataSize


class ImageManifestSummaryImageDataSize(TypedDict):
    Unpacked: int


class ImageManifestSummarySize(TypedDict):
    Total: int
    Content: int


class ImagePruneResponse(TypedDict):
    ImagesDeleted: list[ImageDeleteResponseItem] | None
    SpaceReclaimed: int


class ImageSearchResponseItem(TypedDict):
    description: str
    is_official: bool
    is_automated: bool
    name: str
    star_count: int


class ImageSummary(TypedDict):
    Id: str
    ParentId: str
    RepoTags: list[str] | None
    RepoDigests: list[str] | None
    Created: int
    Size: int
    SharedSize: int
    Labels: dict[str, str] | None
    Containers: int
    Manifests: list[ImageManifestSummary]
    Descriptor: OCIDescriptor | None
    VirtualSize: int


class ImagesDiskUsage(TypedDict):
    ActiveCount: int
    TotalCount: int
    Reclaimable: int
    TotalSize: int
    Items: list[Any]


class IndexInfo(TypedDict):
    Name: str
    Mirrors: list[str]
    Secure: bool
    Official: bool


class JoinTokens(TypedDict):
    Worker: str
    Manager: str


class Limit(TypedDict):
    NanoCPUs: int
    MemoryBytes: int
    Pids: int


class ManagerStatus(TypedDict):
    Leader: bool
    Reachability: Reachability
    Addr: str


class Mount(TypedDict):
    Target: str
    Source: str
    Type: MountType
    ReadOnly: bool
    Consistency: str
    BindOptions: MountBindOptions
    VolumeOptions: MountVolumeOptions
    ImageOptions: MountImageOptions
    TmpfsOptions: MountTmpfsOptions


class MountBindOptions(TypedDict):
    Propagation: str
    NonRecursive: bool
    CreateMountpoint: bool
    ReadOnlyNonRecursive: bool
    ReadOnlyForceRecursive: bool


class MountImageOptions(TypedDict):
    Subpath: str


class MountPoint(TypedDict):
    Type: MountType
    Name: str
    Source: str
    Destination: str
    Driver: str
    Mode: str
    RW: bool
    Propagation: str


class MountTmpfsOptions(TypedDict):
    SizeBytes: int
    Mode: int
    Options: list[list[str]]


class MountVolumeOptions(TypedDict):
    NoCopy: bool
    Labels: dict[str, str]
    DriverConfig: MountVolumeOptionsDriverConfig
    Subpath: str


class MountVolumeOptionsDriverConfig(TypedDict):
    Name: str
    Options: dict[str, str]


class NRIInfo(TypedDict):
    Info: list[list[str]]


class Network(TypedDict):
    Name: str
    Id: str
    Created: str
    Scope: str
    Driver: str
    EnableIPv4: bool
    EnableIPv6: bool
    IPAM: IPAM
    Internal: bool
    Attachable: bool
    Ingress: bool
    ConfigFrom: ConfigReference
    ConfigOnly: bool
    Options: dict[str, str]
    Labels: dict[str, str] | None
    Peers: list[PeerInfo]
    Containers: dict[str, NetworkContainer] | None


class NetworkAttachment(TypedDict):
    Network: Network
    Addresses: list[str]


class NetworkAttachmentConfig(TypedDict):
    Target: str
    Aliases: list[str]
    DriverOpts: dict[str, str]


class NetworkConnectRequest(TypedDict, total=False):
    Container: str
    EndpointConfig: EndpointSettings | None


class NetworkContainer(TypedDict):
    Name: str
    EndpointID: str
    MacAddress: str
    IPv4Address: str
    IPv6Address: str


class NetworkCreateBody(TypedDict, total=False):
    Name: str
    Driver: str
    Scope: str
    Internal: bool
    Attachable: bool
    Ingress: bool
    ConfigOnly: bool
    ConfigFrom: ConfigReference
    IPAM: IPAM
    EnableIPv4: bool
    EnableIPv6: bool
    Options: dict[str, str]
    Labels: dict[str, str]


class NetworkCreateResponse(TypedDict):
    Id: str
    Warning: str


class NetworkDisconnectRequest(TypedDict, total=False):
    Container: str
    Force: bool


class NetworkInspect(Network):
    Services: dict[str, Any]
    Status: NetworkStatus


class NetworkPruneResponse(TypedDict):
    NetworksDeleted: list[str] | None


class NetworkSettings(TypedDict):
    SandboxID: str
    SandboxKey: str
    Ports: PortMap
    Networks: dict[str, EndpointSettings]
    Bridge: str
    HairpinMode: bool
    LinkLocalIPv6Address: str
    LinkLocalIPv6PrefixLen: int
    SecondaryIPAddresses: list[Address] | None
    SecondaryIPv6Addresses: list[Address] | None
    EndpointID: str
    Gateway: str
    GlobalIPv6Address: str
    GlobalIPv6PrefixLen: int
    IPAddress: str
    IPPrefixLen: int
    IPv6Gateway: str
    MacAddress: str


class NetworkStatus(TypedDict):
    IPAM: IPAMStatus


class NetworkSummary(Network):
    pass


class NetworkTaskInfo(TypedDict, total=False):
    Name: str
    EndpointID: str
    EndpointIP: str
    Info: dict[str, str]


class NetworkingConfig(TypedDict, total=False):
    EndpointsConfig: dict[str, EndpointSettings]


class Node(TypedDict):
    ID: str
    Version: ObjectVersion
    CreatedAt: str
    UpdatedAt: str
    Spec: NodeSpec
    Description: NodeDescription
    Status: NodeStatus
    ManagerStatus: ManagerStatus


class NodeDescription(TypedDict):
    Hostname: str
    Platform: Platform
    Resources: ResourceObject
    Engine: EngineDescription
    TLSInfo: TLSInfo


class NodeSpec(TypedDict):
    Name: str
    Labels: dict[str, str]
    Role: str
    Availability: str


class NodeStatus(TypedDict):
    State: NodeState
    Message: str
    Addr: str


class OCIDescriptor(TypedDict):
    mediaType: str
    digest: str
    size: int
    urls: list[str] | None
    annotations: dict[str, str] | None
    data: str | None
    platform: OCIPlatform
    artifactType: str | None


OCIPlatform = TypedDict(
    "OCIPlatform",
    {
        "architecture": "str",
        "os": "str",
        "os.version": "str",
        "os.features": "list[str]",
        "variant": "str",
    },
)


class ObjectVersion(TypedDict):
    Index: int


class PeerInfo(TypedDict):
    Name: str
    IP: str


class PeerNode(TypedDict):
    NodeID: str
    Addr: str


class Platform(TypedDict):
    Architecture: str
    OS: str


class Plugin(TypedDict):
    Id: str
    Name: str
    Enabled: bool
    Settings: PluginSettings
    PluginReference: str
    Config: PluginConfig


class PluginConfig(TypedDict):
    Description: str
    Documentation: str
    Interface: PluginConfigInterface
    Entrypoint: list[str]
    WorkDir: str
    User: PluginConfigUser
    Network: PluginConfigNetwork
    Linux: PluginConfigLinux
    PropagatedMount: str
    IpcHost: bool
    PidHost: bool
    Mounts: list[PluginMount]
    Env: list[PluginEnv]
    Args: PluginConfigArgs
    rootfs: PluginConfigRootfs
    DockerVersion: str


class PluginConfigArgs(TypedDict):
    Name: str
    Description: str
    Settable: list[str]
    Value: list[str]


class PluginConfigInterface(TypedDict):
    Types: list[str]
    Socket: str
    ProtocolScheme: str


class PluginConfigLinux(TypedDict):
    Capabilities: list[str]
    AllowAllDevices: bool
    Devices: list[PluginDevice]


class PluginConfigNetwork(TypedDict):
    Type: str


class PluginConfigRootfs(TypedDict):
    type: str
    diff_ids: list[str]


class PluginConfigUser(TypedDict):
    UID: int
    GID: int


class PluginDevice(TypedDict):
    Name: str
    Description: str
    Settable: list[str]
    Path: str


class PluginEnv(TypedDict):
    Name: str
    Description: str
    Settable: list[str]
    Value: str


class PluginInterfaceType(TypedDict, total=False):
    Prefix: str
    Capability: str
    Version: str


class PluginMount(TypedDict):
    Name: str
    Description: str
    Settable: list[str]
    Source: str
    Destination: str
    Type: str
    Options: list[str]


class PluginPrivilege(TypedDict):
    Name: str
    Description: str
    Value: list[str]


class PluginSettings(TypedDict):
    Mounts: list[PluginMount]
    Env: list[str]
    Args: list[str]
    Devices: list[PluginDevice]


class PluginsInfo(TypedDict):
    Volume: list[str]
    Network: list[str]
    Authorization: list[str] | None
    Log: list[str]


class Port(TypedDict, total=False):
    IP: str
    PrivatePort: int
    PublicPort: int
    Type: str


class PortBinding(TypedDict):
    HostIp: str
    HostPort: str


class PortStatus(TypedDict):
    Ports: list[EndpointPortConfig]


class PortSummary(TypedDict):
    IP: str
    PrivatePort: int
    PublicPort: int
    Type: str


class ProcessConfig(TypedDict):
    privileged: bool
    user: str
    tty: bool
    entrypoint: str
    arguments: list[str]


class ProgressDetail(TypedDict):
    current: int
    total: int


class PullIdentity(TypedDict):
    Repository: str


class PushImageInfo(TypedDict):
    errorDetail: ErrorDetail
    status: str
    progressDetail: ProgressDetail
    error: str
    progress: str


class RegistryServiceConfig(TypedDict):
    InsecureRegistryCIDRs: list[str]
    IndexConfigs: dict[str, IndexInfo]
    Mirrors: list[str] | None
    AllowNondistributableArtifactsCIDRs: list[str] | None
    AllowNondistributableArtifactsHostnames: list[str] | None


class ResourceObject(TypedDict):
    NanoCPUs: int
    MemoryBytes: int
    GenericResources: GenericResources


class ResourcesBlkioWeightDeviceItem(TypedDict):
    Path: str
    Weight: int


class ResourcesUlimit(TypedDict):
    Name: str
    Soft: int
    Hard: int


class RestartPolicy(TypedDict):
    Name: str
    MaximumRetryCount: int


class RootFSStorage(TypedDict):
    Snapshot: RootFSStorageSnapshot | None


class RootFSStorageSnapshot(TypedDict):
    Name: str


class Runtime(TypedDict):
    path: str
    runtimeArgs: list[str] | None
    status: dict[str, str] | None


class Secret(TypedDict):
    ID: str
    Version: ObjectVersion
    CreatedAt: str
    UpdatedAt: str
    Spec: SecretSpec


class SecretSpec(TypedDict):
    Name: str
    Labels: dict[str, str]
    Data: str
    Driver: Driver
    Templating: Driver


class SecretCreateBody(SecretSpec, total=False):
    pass


class Service(TypedDict):
    ID: str
    Version: ObjectVersion
    CreatedAt: str
    UpdatedAt: str
    Spec: ServiceSpec
    Endpoint: ServiceEndpoint
    UpdateStatus: ServiceUpdateStatus
    ServiceStatus: ServiceServiceStatus
    JobStatus: ServiceJobStatus


class ServiceSpec(TypedDict):
    Name: str
    Labels: dict[str, str]
    TaskTemplate: TaskSpec
    Mode: ServiceSpecMode
    UpdateConfig: ServiceSpecUpdateConfig
    RollbackConfig: ServiceSpecRollbackConfig
    Networks: list[NetworkAttachmentConfig]
    EndpointSpec: EndpointSpec


class ServiceCreateBody(ServiceSpec, total=False):
    pass


class ServiceCreateResponse(TypedDict):
    ID: str
    Warnings: list[str] | None


class ServiceEndpoint(TypedDict):
    Spec: EndpointSpec
    Ports: list[EndpointPortConfig]
    VirtualIPs: list[ServiceEndpointVirtualIP]


class ServiceEndpointVirtualIP(TypedDict):
    NetworkID: str
    Addr: str


class ServiceInfo(TypedDict, total=False):
    VIP: str
    Ports: list[str]
    LocalLBIndex: int
    Tasks: list[NetworkTaskInfo]


class ServiceJobStatus(TypedDict):
    JobIteration: ObjectVersion
    LastExecution: str


class ServiceServiceStatus(TypedDict):
    RunningTasks: int
    DesiredTasks: int
    CompletedTasks: int


class ServiceSpecMode(TypedDict):
    Replicated: ServiceSpecModeReplicated
    Global: dict[str, Any]
    ReplicatedJob: ServiceSpecModeReplicatedJob
    GlobalJob: dict[str, Any]


class ServiceSpecModeReplicated(TypedDict):
    Replicas: int


class ServiceSpecModeReplicatedJob(TypedDict):
    MaxConcurrent: int
    TotalCompletions: int


class ServiceSpecRollbackConfig(TypedDict):
    Parallelism: int
    Delay: int
    FailureAction: str
    Monitor: int
    MaxFailureRatio: float
    Order: str


class ServiceSpecUpdateConfig(TypedDict):
    Parallelism: int
    Delay: int
    FailureAction: str
    Monitor: int
    MaxFailureRatio: float
    Order: str


class ServiceUpdateBody(ServiceSpec, total=False):
    pass


class ServiceUpdateResponse(TypedDict):
    Warnings: list[str]


class ServiceUpdateStatus(TypedDict):
    State: str
    StartedAt: str
    CompletedAt: str
    Message: str


class SignatureIdentity(TypedDict):
    Name: str
    Timestamps: list[SignatureTimestamp]
    KnownSigner: KnownSignerIdentity
    DockerReference: str
    Signer: SignerIdentity
    SignatureType: SignatureType
    Error: str
    Warnings: list[str]


class SignatureTimestamp(TypedDict):
    Type: SignatureTimestampType
    URI: str
    Timestamp: str


class SignerIdentity(TypedDict):
    CertificateIssuer: str
    SubjectAlternativeName: str
    Issuer: str
    BuildSignerURI: str
    BuildSignerDigest: str
    RunnerEnvironment: str
    SourceRepositoryURI: str
    SourceRepositoryDigest: str
    SourceRepositoryRef: str
    SourceRepositoryIdentifier: str
    SourceRepositoryOwnerURI: str
    SourceRepositoryOwnerIdentifier: str
    BuildConfigURI: str
    BuildConfigDigest: str
    BuildTrigger: str
    RunInvocationURI: str
    SourceRepositoryVisibilityAtSigning: str


class Storage(TypedDict):
    RootFS: RootFSStorage | None


class SubnetStatus(TypedDict):
    IPsInUse: int
    DynamicIPsAvailable: int


class Swarm(ClusterInfo):
    JoinTokens: JoinTokens


class SwarmInfo(TypedDict):
    NodeID: str
    NodeAddr: str
    LocalNodeState: LocalNodeState
    ControlAvailable: bool
    Error: str
    RemoteManagers: list[PeerNode] | None
    Nodes: int | None
    Managers: int | None
    Cluster: ClusterInfo


class SwarmInitBody(TypedDict, total=False):
    ListenAddr: str
    AdvertiseAddr: str
    DataPathAddr: str
    DataPathPort: int
    DefaultAddrPool: list[str]
    ForceNewCluster: bool
    SubnetSize: int
    Spec: SwarmSpec


class SwarmJoinBody(TypedDict, total=False):
    ListenAddr: str
    AdvertiseAddr: str
    DataPathAddr: str
    RemoteAddrs: list[str]
    JoinToken: str


class SwarmSpec(TypedDict):
    Name: str
    Labels: dict[str, str]
    Orchestration: SwarmSpecOrchestration | None
    Raft: SwarmSpecRaft
    Dispatcher: SwarmSpecDispatcher | None
    CAConfig: SwarmSpecCAConfig | None
    EncryptionConfig: SwarmSpecEncryptionConfig
    TaskDefaults: SwarmSpecTaskDefaults


class SwarmSpecCAConfig(TypedDict):
    NodeCertExpiry: int
    ExternalCAs: list[SwarmSpecCAConfigExternalCA]
    SigningCACert: str
    SigningCAKey: str
    ForceRotate: int


class SwarmSpecCAConfigExternalCA(TypedDict):
    Protocol: str
    URL: str
    Options: dict[str, str]
    CACert: str


class SwarmSpecDispatcher(TypedDict):
    HeartbeatPeriod: int


class SwarmSpecEncryptionConfig(TypedDict):
    AutoLockManagers: bool


class SwarmSpecOrchestration(TypedDict):
    TaskHistoryRetentionLimit: int


class SwarmSpecRaft(TypedDict):
    SnapshotInterval: int
    KeepOldSnapshots: int
    LogEntriesForSlowFollowers: int
    ElectionTick: int
    HeartbeatTick: int


class SwarmSpecTaskDefaults(TypedDict):
    LogDriver: SwarmSpecTaskDefaultsLogDriver


class SwarmSpecTaskDefaultsLogDriver(TypedDict):
    Name: str
    Options: dict[str, str]


class SwarmUnlockBody(TypedDict, total=False):
    UnlockKey: str


class SwarmUnlockkeyResponse(TypedDict):
    UnlockKey: str


class SystemDataUsageResponse(TypedDict):
    ImageUsage: ImagesDiskUsage
    ContainerUsage: ContainersDiskUsage
    VolumeUsage: VolumesDiskUsage
    BuildCacheUsage: BuildCacheDiskUsage


class SystemInfo(TypedDict):
    ID: str
    Containers: int
    ContainersRunning: int
    ContainersPaused: int
    ContainersStopped: int
    Images: int
    Driver: str
    DriverStatus: list[list[str]] | None
    DockerRootDir: str
    Plugins: PluginsInfo
    MemoryLimit: bool
    SwapLimit: bool
    CpuCfsPeriod: bool
    CpuCfsQuota: bool
    CPUShares: bool
    CPUSet: bool
    PidsLimit: bool
    OomKillDisable: bool
    IPv4Forwarding: bool
    Debug: bool
    NFd: int
    NGoroutines: int
    SystemTime: str
    LoggingDriver: str
    CgroupDriver: str
    CgroupVersion: str
    NEventsListener: int
    KernelVersion: str
    OperatingSystem: str
    OSVersion: str
    OSType: str
    Architecture: str
    NCPU: int
    MemTotal: int
    IndexServerAddress: str
    RegistryConfig: RegistryServiceConfig
    GenericResources: GenericResources | None
    HttpProxy: str
    HttpsProxy: str
    NoProxy: str
    Name: str
    Labels: list[str]
    ExperimentalBuild: bool
    ServerVersion: str
    Runtimes: dict[str, Runtime]
    DefaultRuntime: str
    Swarm: SwarmInfo
    LiveRestoreEnabled: bool
    Isolation: str
    InitBinary: str
    ContainerdCommit: Commit
    RuncCommit: Commit
    InitCommit: Commit
    SecurityOptions: list[str]
    ProductLicense: str
    DefaultAddressPools: list[SystemInfoDefaultAddressPool]
    FirewallBackend: FirewallInfo
    DiscoveredDevices: list[DeviceInfo]
    NRI: NRIInfo
    Warnings: list[str]
    CDISpecDirs: list[str]
    Containerd: ContainerdInfo
    KernelMemory: bool
    KernelMemoryTCP: bool
    BridgeNfIptables: bool
    BridgeNfIp6tables: bool
    ClusterStore: str
    ClusterAdvertise: str


class SystemInfoDefaultAddressPool(TypedDict):
    Base: str
    Size: int


class SystemVersion(TypedDict):
    Platform: SystemVersionPlatform
    Components: list[SystemVersionComponent]
    Version: str
    ApiVersion: str
    MinAPIVersion: str
    GitCommit: str
    GoVersion: str
    Os: str
    Arch: str
    KernelVersion: str
    Experimental: bool
    BuildTime: str


class SystemVersionComponent(TypedDict):
    Name: str
    Version: str
    Details: dict[str, Any] | None


class SystemVersionPlatform(TypedDict):
    Name: str


class TLSInfo(TypedDict):
    TrustRoot: str
    CertIssuerSubject: str
    CertIssuerPublicKey: str


class Task(TypedDict):
    ID: str
    Version: ObjectVersion
    CreatedAt: str
    UpdatedAt: str
    Name: str
    Labels: dict[str, str]
    Spec: TaskSpec
    ServiceID: str
    Slot: int
    NodeID: str
    AssignedGenericResources: GenericResources
    Status: TaskStatus
    DesiredState: TaskState
    JobIteration: ObjectVersion
    NetworksAttachments: list[NetworkAttachment]


class TaskSpec(TypedDict):
    PluginSpec: TaskSpecPluginSpec
    ContainerSpec: TaskSpecContainerSpec
    NetworkAttachmentSpec: TaskSpecNetworkAttachmentSpec
    Resources: TaskSpecResources
    RestartPolicy: TaskSpecRestartPolicy
    Placement: TaskSpecPlacement
    ForceUpdate: int
    Runtime: str
    Networks: list[NetworkAttachmentConfig]
    LogDriver: TaskSpecLogDriver


class TaskSpecContainerSpec(TypedDict):
    Image: str
    Labels: dict[str, str]
    Command: list[str]
    Args: list[str]
    Hostname: str
    Env: list[str]
    Dir: str
    User: str
    Groups: list[str]
    Privileges: TaskSpecContainerSpecPrivileges
    TTY: bool
    OpenStdin: bool
    ReadOnly: bool
    Mounts: list[Mount]
    StopSignal: str
    StopGracePeriod: int
    Healthcheck: HealthConfig
    Hosts: list[str]
    DNSConfig: TaskSpecContainerSpecDNSConfig
    Secrets: list[TaskSpecContainerSpecSecret]
    OomScoreAdj: int
    Configs: list[TaskSpecContainerSpecConfig]
    Isolation: str
    Init: bool | None
    Sysctls: dict[str, str]
    CapabilityAdd: list[str]
    CapabilityDrop: list[str]
    Ulimits: list[TaskSpecContainerSpecUlimit]


class TaskSpecContainerSpecConfig(TypedDict):
    File: TaskSpecContainerSpecConfigFile
    Runtime: dict[str, Any]
    ConfigID: str
    ConfigName: str


class TaskSpecContainerSpecConfigFile(TypedDict):
    Name: str
    UID: str
    GID: str
    Mode: int


class TaskSpecContainerSpecDNSConfig(TypedDict):
    Nameservers: list[str]
    Search: list[str]
    Options: list[str]


class TaskSpecContainerSpecPrivileges(TypedDict):
    CredentialSpec: TaskSpecContainerSpecPrivilegesCredentialSpec
    SELinuxContext: TaskSpecContainerSpecPrivilegesSELinuxContext
    Seccomp: TaskSpecContainerSpecPrivilegesSeccomp
    AppArmor: TaskSpecContainerSpecPrivilegesAppArmor
    NoNewPrivileges: bool


class TaskSpecContainerSpecPrivilegesAppArmor(TypedDict):
    Mode: str


class TaskSpecContainerSpecPrivilegesCredentialSpec(TypedDict):
    Config: str
    File: str
    Registry: str


class TaskSpecContainerSpecPrivilegesSELinuxContext(TypedDict):
    Disable: bool
    User: str
    Role: str
    Type: str
    Level: str


class TaskSpecContainerSpecPrivilegesSeccomp(TypedDict):
    Mode: str
    Profile: str


class TaskSpecContainerSpecSecret(TypedDict):
    File: TaskSpecContainerSpecSecretFile
    SecretID: str
    SecretName: str


class TaskSpecContainerSpecSecretFile(TypedDict):
    Name: str
    UID: str
    GID: str
    Mode: int


class TaskSpecContainerSpecUlimit(TypedDict):
    Name: str
    Soft: int
    Hard: int


class TaskSpecLogDriver(TypedDict):
    Name: str
    Options: dict[str, str]


class TaskSpecNetworkAttachmentSpec(TypedDict):
    ContainerID: str


class TaskSpecPlacement(TypedDict):
    Constraints: list[str]
    Preferences: list[TaskSpecPlacementPreference]
    MaxReplicas: int
    Platforms: list[Platform]


class TaskSpecPlacementPreference(TypedDict):
    Spread: TaskSpecPlacementPreferenceSpread


class TaskSpecPlacementPreferenceSpread(TypedDict):
    SpreadDescriptor: str


class TaskSpecPluginSpec(TypedDict):
    Name: str
    Remote: str
    Disabled: bool
    PluginPrivilege: list[PluginPrivilege]


class TaskSpecResources(TypedDict):
    Limits: Limit
    Reservations: ResourceObject
    SwapBytes: int | None
    MemorySwappiness: int | None


class TaskSpecRestartPolicy(TypedDict):
    Condition: str
    Delay: int
    MaxAttempts: int
    Window: int


class TaskStatus(TypedDict):
    Timestamp: str
    State: TaskState
    Message: str
    Err: str
    ContainerStatus: ContainerStatus
    PortStatus: PortStatus


class ThrottleDevice(TypedDict):
    Path: str
    Rate: int


class Topology(TypedDict):
    Segments: dict[str, str]


class Volume(TypedDict):
    Name: str
    Driver: str
    Mountpoint: str
    CreatedAt: str
    Status: dict[str, dict[str, Any]]
    Labels: dict[str, str] | None
    Scope: str
    ClusterVolume: ClusterVolume
    Options: dict[str, str] | None
    UsageData: VolumeUsageData | None


class VolumeCreateOptions(TypedDict, total=False):
    Name: str
    Driver: str
    DriverOpts: dict[str, str]
    Labels: dict[str, str]


class VolumeCreateRequest(TypedDict, total=False):
    Name: str
    Driver: str
    DriverOpts: dict[str, str]
    Labels: dict[str, str]
    ClusterVolumeSpec: ClusterVolumeSpec


class VolumeListResponse(TypedDict):
    Volumes: list[Volume] | None
    Warnings: list[str] | None


class VolumePruneResponse(TypedDict):
    VolumesDeleted: list[str] | None
    SpaceReclaimed: int


class VolumeUpdateBody(TypedDict, total=False):
    Spec: ClusterVolumeSpec


class VolumeUsageData(TypedDict):
    Size: int
    RefCount: int


class VolumesDiskUsage(TypedDict):
    ActiveCount: int
    TotalCount: int
    Reclaimable: int
    TotalSize: int
    Items: list[Any]


ChangeType = int
GenericResources = list[GenericResource]
KnownSignerIdentity = str
LocalNodeState = str
MountType = str
NodeState = str
PortMap = dict[str, list[PortBinding] | None]
Reachability = str
SignatureTimestampType = str
SignatureType = str
TaskState = str
