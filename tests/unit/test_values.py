"""Request values: their fields match the Engine's, and they behave like its dicts."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dockerkit import types
from dockerkit.errors import DockerException, InvalidArgument, UnknownOption
from dockerkit.parsing.json_data import to_json_data
from dockerkit.types import create_options, mounts, networks
from dockerkit.types.base import Value
from dockerkit.types.container_options import ContainerConfigOptions
from dockerkit.types.containers import container_config, host_config, networking_config, update_config
from dockerkit.types.host_options import HostOptions, UpdateOptions
from dockerkit.types.option_schema import OptionSchema

FACTS = json.loads((Path(__file__).parents[2] / "scripts" / "data" / "operations.json").read_text())["operations"]
FIELDS = {
    f"{fact['method']} {fact['path']}": {field["path"]: field for field in fact["body"]["fields"]}
    for fact in FACTS
    if fact["body"] and fact["body"].get("fields")
}
CREATE = FIELDS["POST /containers/create"]
SERVICE = FIELDS["POST /services/create"]

# Fields of the Engine for each value.
PLACES = {
    types.Mount: [(CREATE, "HostConfig.Mounts[]."), (SERVICE, "TaskTemplate.ContainerSpec.Mounts[].")],
    types.Healthcheck: [(CREATE, "Healthcheck."), (SERVICE, "TaskTemplate.ContainerSpec.Healthcheck.")],
    types.Ulimit: [(CREATE, "HostConfig.Ulimits[]."), (SERVICE, "TaskTemplate.ContainerSpec.Ulimits[].")],
    types.LogConfig: [(CREATE, "HostConfig.LogConfig.")],
    types.DeviceRequest: [(CREATE, "HostConfig.DeviceRequests[].")],
    types.EndpointConfig: [
        (CREATE, "NetworkingConfig.EndpointsConfig.{}."),
        (FIELDS["POST /networks/{id}/connect"], "EndpointConfig."),
    ],
    types.NetworkingConfig: [(CREATE, "NetworkingConfig.")],
    types.IPAMConfig: [(FIELDS["POST /networks/create"], "IPAM.")],
    types.IPAMPool: [(FIELDS["POST /networks/create"], "IPAM.Config[].")],
    types.DriverConfig: [
        (SERVICE, "TaskTemplate.LogDriver."),
        (CREATE, "HostConfig.Mounts[].VolumeOptions.DriverConfig."),
        (SERVICE, "TaskTemplate.ContainerSpec.Mounts[].VolumeOptions.DriverConfig."),
        (FIELDS["POST /swarm/init"], "Spec.TaskDefaults.LogDriver."),
        (FIELDS["POST /swarm/update"], "TaskDefaults.LogDriver."),
        (FIELDS["POST /secrets/create"], "Driver."),
        (FIELDS["POST /configs/create"], "Templating."),
    ],
    types.ContainerSpec: [(SERVICE, "TaskTemplate.ContainerSpec.")],
    types.Resources: [(SERVICE, "TaskTemplate.Resources.")],
    types.UpdateConfig: [(SERVICE, "UpdateConfig.")],
    types.RollbackConfig: [(SERVICE, "RollbackConfig.")],
    types.RestartPolicy: [(SERVICE, "TaskTemplate.RestartPolicy.")],
    types.EndpointSpec: [(SERVICE, "EndpointSpec.")],
    types.TaskTemplate: [(SERVICE, "TaskTemplate.")],
    types.SecretReference: [(SERVICE, "TaskTemplate.ContainerSpec.Secrets[].")],
    types.ConfigReference: [(SERVICE, "TaskTemplate.ContainerSpec.Configs[].")],
    types.Placement: [(SERVICE, "TaskTemplate.Placement.")],
    types.PlacementPreference: [(SERVICE, "TaskTemplate.Placement.Preferences[].")],
    types.DNSConfig: [(SERVICE, "TaskTemplate.ContainerSpec.DNSConfig.")],
    types.Privileges: [(SERVICE, "TaskTemplate.ContainerSpec.Privileges.")],
    types.NetworkAttachmentConfig: [(SERVICE, "TaskTemplate.Networks[].")],
    types.PluginSpec: [(SERVICE, "TaskTemplate.PluginSpec.")],
    types.PluginPrivilege: [(FIELDS["POST /plugins/pull"], "[].")],
    types.SwarmSpec: [(FIELDS["POST /swarm/update"], ""), (FIELDS["POST /swarm/init"], "Spec.")],
    types.SwarmExternalCA: [
        (FIELDS["POST /swarm/init"], "Spec.CAConfig.ExternalCAs[]."),
        (FIELDS["POST /swarm/update"], "CAConfig.ExternalCAs[]."),
    ],
    types.NodeSpec: [(FIELDS["POST /nodes/{id}/update"], "")],
    types.ClusterVolumeSpec: [(FIELDS["POST /volumes/create"], "ClusterVolumeSpec."), (FIELDS["PUT /volumes/{name}"], "Spec.")],
}  # fmt: skip

loose: Any = types  # for values that a type checker would refuse

VALUES = [
    value for name in types.__all__ if isinstance(value := getattr(types, name), type) and issubclass(value, Value)
]


def mine(value: type[Value]) -> set[str]:
    """Return the Engine's fields that a value can have, including nested ones."""
    paths = {".".join(row.path[:end]) for row in value._engine_fields.values() for end in range(1, len(row.path) + 1)}
    # Fields that to_engine() does not create one by one.
    more = {
        types.Mount: {"ImageOptions", "ImageOptions.Subpath"},
        types.ConfigReference: {"Runtime"},
        types.ClusterVolumeSpec: {"AccessMode.BlockVolume", "AccessMode.MountVolume"},
    }
    return paths | more.get(value, set())


def theirs(fields: Mapping[str, dict], prefix: str) -> set[str]:
    """Return the Engine's fields at a path, without those of nested values, and those it only returns or ignores."""
    others = [
        place for value, places in PLACES.items() for table, place in places
        if table is fields and place.startswith(prefix) and place != prefix
    ]  # fmt: skip
    return {
        path.removeprefix(prefix)
        for path, field in fields.items()
        if path.startswith(prefix)
        and not any(path.startswith(other) for other in others)
        and not field.get("output_only")
        and not field.get("ignored")
    }


# Below a list or map that is converted as a whole.
WHOLE = (
    "GenericResources[]",
    "Platforms[]",
    "Ports[]",
    "Requisite[]",
    "Preferred[]",
    "Secrets[]",
    "privileges[]",
    "NetworkAttachmentSpec",
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_each_field_is_one_of_the_engines_and_each_of_those_has_one(value):
    if value is types.ServiceMode:  # its fields are the names of modes: see below
        return
    ours = mine(value)
    known: set[str] = set()
    for fields, prefix in PLACES[value]:
        known |= theirs(fields, prefix)
        if value is types.DriverConfig:
            assert ours == theirs(fields, prefix)
    assert ours - known == set()
    assert {path for path in known - ours if not any(whole in path for whole in WHOLE)} == set()


def test_service_modes():
    modes = {"replicated": 3, "global": None, "replicated-job": 2, "global-job": None}
    for mode, replicas in modes.items():
        ((field, counts),) = types.ServiceMode(mode, replicas).to_engine().items()
        assert f"Mode.{field}" in SERVICE
        assert all(f"Mode.{field}.{count}" in SERVICE for count in counts)
    assert types.ServiceMode("replicated-job", 5, 2) == {"ReplicatedJob": {"TotalCompletions": 5, "MaxConcurrent": 2}}
    assert types.ServiceMode("replicated", 0) == {"Replicated": {"Replicas": 0}}
    for wrong in (("global", 3), ("replicated", 1, 1), ("sometimes",)):
        with pytest.raises(InvalidArgument):
            loose.ServiceMode(*wrong)


def test_each_option_of_create_is_one_of_the_engines_and_each_of_those_has_one():
    config = {".".join(row.path) for row in OptionSchema(ContainerConfigOptions, "config").fields.values() if row.path}
    host = {"HostConfig." + ".".join(row.path) for row in OptionSchema(HostOptions, "host").fields.values() if row.path}
    top = {path for path, field in CREATE.items() if "." not in path}
    below = {
        path
        for path in CREATE
        if path.startswith("HostConfig.") and path.count(".") == 1 and "[" not in path and "{" not in path
    }
    assert config - top - below == set()
    assert host - below == set()
    assert top - config == set()
    assert below - host - config == set()


def test_update_options_match_the_engines_fields():
    update = {
        path
        for path, field in FIELDS["POST /containers/{id}/update"].items()
        if "." not in path and not field.get("ignored")
    }
    rows = OptionSchema(UpdateOptions, "update").fields.values()
    assert {path for path in update if "[" not in path} == {row.path[0] for row in rows}


def test_options_of_the_object_layer_are_those_of_the_engine_and_few_more():
    engine = ContainerConfigOptions.__annotations__.keys() | HostOptions.__annotations__.keys()
    only_client = create_options.CreateOptions.__annotations__.keys() - engine
    assert only_client == {
        "name", "platform", "pull", "env_file", "label_file", "network", "networks", "network_aliases", "ip", "ip6",
        "use_config_proxy", "version",
    }  # fmt: skip


# -- how they behave ---------------------------------------------------------------------------------------------

MOUNT = types.Mount("/data", "vol", read_only=True)


def test_values_read_like_the_engines_dict():
    assert MOUNT["Target"] == "/data"
    assert MOUNT.get("Source") == "vol"
    assert MOUNT.get("Nothing", 5) == 5
    assert "Target" in MOUNT
    assert "Consistency" not in MOUNT
    assert sorted(MOUNT) == ["ReadOnly", "Source", "Target", "Type"]
    assert len(MOUNT) == 4
    assert dict(MOUNT) == MOUNT == {"Target": "/data", "Source": "vol", "Type": "volume", "ReadOnly": True}
    assert {**MOUNT} == MOUNT.to_engine()
    assert list(MOUNT.items()) == list(zip(MOUNT.keys(), MOUNT.values(), strict=True))
    assert isinstance(MOUNT, Mapping)
    assert json.loads(json.dumps(to_json_data({"m": [MOUNT]}))) == {"m": [dict(MOUNT)]}
    with pytest.raises(KeyError):
        MOUNT["Nothing"]


def test_values_can_be_compared_hashed_copied_and_pickled():
    twin = types.Mount(target="/data", source="vol", read_only=True)
    assert twin == MOUNT
    assert hash(twin) == hash(MOUNT)
    assert types.Mount("/other") != MOUNT
    assert types.DriverConfig("a") != types.Ulimit("a")
    assert pickle.loads(pickle.dumps(MOUNT)) == MOUNT
    assert copy.deepcopy(MOUNT) == MOUNT
    assert types.UpdateConfig() != 5


def test_values_are_immutable_except_where_docker_py_changes_them():
    with pytest.raises(AttributeError):
        setattr(MOUNT, "target", "/x")
    limit = types.Ulimit(Name="nofile", Soft=1)
    limit.soft, limit.hard = 5, 10
    assert limit == {"Name": "nofile", "Soft": 5, "Hard": 10}
    with pytest.raises(InvalidArgument, match="soft"):
        setattr(limit, "soft", "many")
    log = types.LogConfig(type=types.LogConfig.types.JSON, config={"max-size": "1m"})
    log.set_config_value("max-file", 3)
    log.unset_config("max-size")
    log.unset_config("max-size")
    assert log == {"Type": "json-file", "Config": {"max-file": "3"}}
    check = types.Healthcheck(test="true")
    check.interval = 30
    assert check["Interval"] == 30 * 10**9


def test_positions_and_names():
    assert types.Ulimit("a", 1, 2) == types.Ulimit(name="a", soft=1, hard=2) == types.Ulimit(Name="a", Soft=1, Hard=2)
    for wrong in (
        lambda: loose.Ulimit("a", 1, 2, 3),
        lambda: loose.Ulimit("a", name="b"),
        lambda: loose.Ulimit(name="a", Name="b"),
        lambda: loose.Ulimit("a", sofd=1),
        lambda: loose.Ulimit(),
    ):
        with pytest.raises(UnknownOption) as caught:
            wrong()
        assert isinstance(caught.value, TypeError)
    with pytest.raises(UnknownOption, match="did you mean soft"):
        types.Ulimit("a", sofd=1)


def test_reprs_do_not_show_secrets():
    spec = types.SwarmSpec(signing_ca_key="PRIVATE")
    assert "PRIVATE" not in repr(spec) + str(spec)
    assert spec["CAConfig"]["SigningCAKey"] == "PRIVATE"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/data", {"Target": "/data", "Type": "volume"}),
        ("vol:/data", {"Target": "/data", "Source": "vol", "Type": "volume"}),
        ("/host:/data:ro", {"Target": "/data", "Source": "/host", "Type": "bind", "ReadOnly": True}),
        ("vol:/data:rw", {"Target": "/data", "Source": "vol", "Type": "volume"}),
        ("C:\\x:/y", {"Target": "/y", "Source": "C:\\x", "Type": "bind"}),
    ],
)
def test_parses_mount_strings(text, expected):
    assert types.Mount.parse_mount_string(text) == expected
    assert mounts.mount_list([text]) == [expected]


@pytest.mark.parametrize("bad", ["", "a:b:c:d", ":/x", "a:", "a:b:zz", 5])
def test_rejects_invalid_mount_strings(bad):
    with pytest.raises(InvalidArgument, match="mount"):
        loose.Mount.parse_mount_string(bad)


def test_all_kinds_of_mounts(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert types.Mount("/a", "./src", "bind", propagation="rshared", non_recursive=True) == {
        "Target": "/a", "Source": f"{tmp_path}/src", "Type": "bind",
        "BindOptions": {"Propagation": "rshared", "NonRecursive": True},
    }  # fmt: skip
    volume = types.Mount(
        "/a", None, labels={"a": "b"}, no_copy=True, driver_config=types.DriverConfig("local", {"o": 1}), subpath="s"
    )
    assert volume["VolumeOptions"] == {
        "NoCopy": True, "Labels": {"a": "b"}, "DriverConfig": {"Name": "local", "Options": {"o": "1"}}, "Subpath": "s",
    }  # fmt: skip
    memory = types.Mount(
        "/a", type="tmpfs", tmpfs_size="64m", tmpfs_mode=0o1777, tmpfs_options=["noexec", ("uid", "5")]
    )
    assert memory["TmpfsOptions"] == {"SizeBytes": 2**26, "Mode": 0o1777, "Options": [["noexec"], ["uid", "5"]]}
    assert types.Mount("/a", "image:1", "image", subpath="x")["ImageOptions"] == {"Subpath": "x"}
    assert types.Mount.from_engine(types.Mount("/a", "image:1", "image", subpath="x")).subpath == "x"
    for wrong in (
        {"type": "bind", "no_copy": True},
        {"type": "tmpfs", "propagation": "shared"},
        {"tmpfs_size": 5},
        {"type": "bind", "subpath": "x"},
        {"type": "nfs"},
        {"source": "/folder"},
        {"source": "./folder"},
        {"read_only": "yes"},
    ):
        with pytest.raises(InvalidArgument):
            loose.Mount("/a", **{"source": "b", **wrong})


def test_healthcheck():
    assert types.Healthcheck("curl localhost", "5s", 2, 3, start_period="1m", start_interval=0.5) == {
        "Test": ["CMD-SHELL", "curl localhost"], "Interval": 5 * 10**9, "Timeout": 2 * 10**9, "Retries": 3,
        "StartPeriod": 60 * 10**9, "StartInterval": 500_000_000,
    }  # fmt: skip
    assert types.Healthcheck(["CMD", "true"], interval=1_000_000_000)["Interval"] == 10**9
    assert types.Healthcheck(["NONE"]) == {"Test": ["NONE"]}
    assert types.Healthcheck([]) == {"Test": []}
    with pytest.raises(InvalidArgument, match="CMD-SHELL"):
        types.Healthcheck(["curl"])


def test_devices_of_drivers():
    assert types.DeviceRequest.gpus("all") == {"Count": -1, "Capabilities": [["gpu"]]}
    assert types.DeviceRequest.gpus(2)["Count"] == 2
    assert types.DeviceRequest.gpus(["0", "1"])["DeviceIDs"] == ["0", "1"]
    assert types.DeviceRequest.gpus("device=GPU-1,GPU-2")["DeviceIDs"] == ["GPU-1", "GPU-2"]
    assert types.DeviceRequest.cdi("vendor.com/gpu=0") == {"Driver": "cdi", "DeviceIDs": ["vendor.com/gpu=0"]}
    both = host_config(devices=["vendor.com/gpu=0", "/dev/fuse", "vendor.com/gpu=1"], gpus="all")
    assert both["DeviceRequests"] == [
        {"Driver": "cdi", "DeviceIDs": ["vendor.com/gpu=0", "vendor.com/gpu=1"]}, {"Count": -1, "Capabilities": [["gpu"]]},
    ]  # fmt: skip
    assert [device["PathOnHost"] for device in both["Devices"]] == ["/dev/fuse"]
    assert "vendor.com" not in str(host_config(devices=["vendor.com/gpu=0"])["Devices"])
    assert host_config(gpus=1, device_requests=[types.DeviceRequest.cdi("a/b=c")])["DeviceRequests"] == [
        {"Driver": "cdi", "DeviceIDs": ["a/b=c"]}, {"Count": 1, "Capabilities": [["gpu"]]},
    ]  # fmt: skip


@pytest.mark.parametrize(("field", "good", "bad"), [
    ("ipv4_address", "10.0.0.2", "10.0.0"),
    ("ipv6_address", "fd00::2", "10.0.0.2"),
    ("link_local_ips", ["169.254.1.1", "fe80::1"], ["eth0"]),
])  # fmt: skip
def test_rejects_invalid_addresses(field, good, bad):
    assert types.EndpointConfig(**{field: good})
    assert types.EndpointConfig(ipv4_address="", ipv6_address="")  # no address, as the Engine itself writes it
    with pytest.raises(InvalidArgument, match=rf"^{field}\b.* address"):
        types.EndpointConfig(**{field: bad})


def test_networks():
    place = {"Aliases": ["a"], "Links": ["c:d"], "IPAMConfig": {"IPv4Address": "1.2.3.4", "LinkLocalIPs": ["5.6.7.8"]}}
    assert types.EndpointConfig("1.43", ["a"], {"c": "d"}, "1.2.3.4", link_local_ips=["5.6.7.8"]) == place
    assert types.EndpointConfig(driver_opt={"x": 1}, mac_address="m", gw_priority=5, ipv6_address="::1") == {
        "DriverOpts": {"x": "1"}, "MacAddress": "m", "GwPriority": 5, "IPAMConfig": {"IPv6Address": "::1"},
    }  # fmt: skip
    assert networking_config({"net": types.EndpointConfig(aliases=["a"]), "other": None}) == {
        "EndpointsConfig": {"net": {"Aliases": ["a"]}, "other": {}}
    }
    assert networking_config() == {}
    pools = types.IPAMConfig(
        pool_configs=[types.IPAMPool("10.0.0.0/24", gateway="10.0.0.1", aux_addresses={"a": "10.0.0.2"})]
    )
    assert pools == {
        "Driver": "default",
        "Config": [{"Subnet": "10.0.0.0/24", "Gateway": "10.0.0.1", "AuxiliaryAddresses": {"a": "10.0.0.2"}}],
    }
    with pytest.raises(InvalidArgument):
        networks.endpoints(["net"])


# -- bodies --------------------------------------------------------------------------------------------------------


def test_container_config():
    assert container_config(image="busybox", command="sh -c 'echo hi'", tty=False, stdin_open=True, user=0) == {
        "AttachStdout": True, "AttachStderr": True, "AttachStdin": True, "StdinOnce": True, "OpenStdin": True,
        "Image": "busybox", "Cmd": ["sh", "-c", "echo hi"], "User": "0",
    }  # fmt: skip
    body = container_config(
        image="busybox", detach=True, ports=[80, (53, "udp")], volumes="/data", environment={"A": "b"}, labels=["x"],
        host_config=host_config(mem_limit="1g"), runtime="runc", stop_timeout=0, entrypoint=[], command=[],
        networking_config={"net": None}, healthcheck=types.Healthcheck("true"),
    )  # fmt: skip
    assert body == {
        "Image": "busybox", "ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "Volumes": {"/data": {}}, "Env": ["A=b"],
        "Labels": {"x": ""}, "HostConfig": {"Memory": 2**30, "Runtime": "runc"}, "StopTimeout": 0, "Entrypoint": [],
        "Cmd": [], "NetworkingConfig": {"EndpointsConfig": {"net": {}}}, "Healthcheck": {"Test": ["CMD-SHELL", "true"]},
    }  # fmt: skip
    for wrong in ({}, {"image": ""}, {"image": None}, {"image": 5}):
        with pytest.raises(InvalidArgument, match="image"):
            container_config(**wrong)


def test_false_zero_and_empty_values_are_sent():
    body = host_config(
        init=False, oom_kill_disable=False, mem_swappiness=0, pids_limit=0, oom_score_adj=0, masked_paths=[], cpu_shares=0,
        privileged=False, read_only=False,
    )  # fmt: skip
    assert body == {
        "Init": False, "OomKillDisable": False, "MemorySwappiness": 0, "PidsLimit": 0, "OomScoreAdj": 0, "MaskedPaths": [],
        "CpuShares": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"mem_limit": "lots"}, "mem_limit"), ({"privileged": "yes"}, "privileged"), ({"cap_add": ""}, "cap_add"),
        ({"cpu_shares": "5"}, "cpu_shares"), ({"dns": ["1.1.1.1", 5]}, r"dns\[1\]"), ({"cpus": 0}, "cpus"),
        ({"cpus": 1, "nano_cpus": 5}, "cpus"), ({"lxc_conf": {}}, "lxc_conf"), ({"network_mode": 5}, "network_mode"),
        ({"sysctls": {"a": None}}, "sysctls"), ({"console_size": (1,)}, "console_size"), ({"log_config": 5}, "log_config"),
        ({"gpus": True}, "gpus"), ({"ulimits": [None]}, "ulimits"), ({"restart_policy": "maybe"}, "restart_policy"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused_by_name(options, match):
    with pytest.raises(InvalidArgument, match=f"^{match}"):
        host_config(**options)


def test_unknown_options_are_type_errors():
    for call in (host_config, container_config, update_config):
        with pytest.raises(TypeError, match="version"):
            call(version="1.41")
    for call in (host_config, update_config):
        with pytest.raises(DockerException, match="did you mean mem_limit"):
            call(mem_limt="1g")


def test_update_config():
    assert update_config(mem_limit="1g", restart_policy="always", cpus=0.5, blkio_weight=0) == {
        "Memory": 2**30, "RestartPolicy": {"Name": "always"}, "NanoCpus": 500_000_000, "BlkioWeight": 0,
    }  # fmt: skip
    with pytest.raises(UnknownOption, match="can't be changed"):
        update_config(privileged=True)


def test_services():
    template = types.TaskTemplate(
        types.ContainerSpec(
            "nginx", "serve -p 80", env={"A": 1}, hosts={"db": "10.0.0.1"}, mounts=["v:/v:ro"], stop_grace_period="10s",
            secrets=[types.SecretReference("id", "name", uid=5)], cap_add=["NET_ADMIN"], ulimits=["nofile=5"],
        ),
        types.Resources(1.5, "64m", cpu_reservation=2, generic_resources={"gpu": 1, "slot": "a"}),
        types.RestartPolicy("on-failure", delay="5s"),
        ["node.role == worker"],
        types.DriverConfig("json-file"),
        ["net", types.NetworkAttachmentConfig("other", ["alias"])],
        0,
    )  # fmt: skip
    assert template == {
        "ContainerSpec": {
            "Image": "nginx", "Command": ["serve", "-p", "80"], "Env": ["A=1"], "Hosts": ["10.0.0.1 db"],
            "Mounts": [{"Target": "/v", "Source": "v", "Type": "volume", "ReadOnly": True}], "StopGracePeriod": 10**10,
            "Secrets": [{"SecretID": "id", "SecretName": "name", "File": {"Name": "name", "UID": "5", "GID": "0", "Mode": 292}}],
            "CapabilityAdd": ["NET_ADMIN"], "Ulimits": [{"Name": "nofile", "Soft": 5, "Hard": 5}],
        },
        "Resources": {
            "Limits": {"NanoCPUs": 1_500_000_000, "MemoryBytes": 2**26},
            "Reservations": {
                "NanoCPUs": 2 * 10**9,
                "GenericResources": [
                    {"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}, {"NamedResourceSpec": {"Kind": "slot", "Value": "a"}},
                ],
            },
        },
        "RestartPolicy": {"Condition": "on-failure", "Delay": 5 * 10**9, "MaxAttempts": 0, "Window": 0},
        "Placement": {"Constraints": ["node.role == worker"]},
        "LogDriver": {"Name": "json-file"},
        "Networks": [{"Target": "net"}, {"Target": "other", "Aliases": ["alias"]}],
        "ForceUpdate": 0,
    }  # fmt: skip
    assert types.EndpointSpec("vip", {8080: 80, 53: (53, "udp"), 90: (91, None, "host"), 0: 5}) == {
        "Mode": "vip",
        "Ports": [
            {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080},
            {"Protocol": "udp", "TargetPort": 53, "PublishedPort": 53},
            {"Protocol": "tcp", "TargetPort": 91, "PublishedPort": 90, "PublishMode": "host"},
            {"Protocol": "tcp", "TargetPort": 5},
        ],
    }
    assert types.EndpointSpec(ports=["8080:80/udp"])["Ports"] == [
        {"Protocol": "udp", "TargetPort": 80, "PublishedPort": 8080}
    ]
    assert types.Placement(preferences=[("spread", "x")], platforms=[("amd64", "linux"), "linux/arm64"]) == {
        "Preferences": [{"Spread": {"SpreadDescriptor": "x"}}],
        "Platforms": [{"Architecture": "amd64", "OS": "linux"}, {"Architecture": "arm64", "OS": "linux"}],
    }
    assert types.ConfigReference("i", "n", runtime=True) == {"ConfigID": "i", "ConfigName": "n", "Runtime": {}}
    assert types.UpdateConfig(2, 10, order="start-first") == {
        "Parallelism": 2, "Delay": 10**10, "FailureAction": "continue", "Order": "start-first",
    }  # fmt: skip
    assert types.PluginSpec("p", privileges=[types.PluginPrivilege("network", "", ["host"])])["privileges"] == [
        {"name": "network", "description": "", "value": ["host"]}
    ]
    for wrong in (
        lambda: loose.UpdateConfig(order="any"),
        lambda: loose.UpdateConfig(max_failure_ratio=2.0),
        lambda: loose.RollbackConfig(failure_action="rollback"),
        lambda: loose.EndpointSpec(ports={80: "x"}),
        lambda: loose.EndpointSpec(ports=["127.0.0.1:80:80"]),
        lambda: loose.Privileges(credentialspec_file="a", credentialspec_registry="b"),
        lambda: loose.Resources(cpu_limit="many"),
        lambda: loose.ContainerSpec(None),
        lambda: loose.Placement(platforms=["linux"]),
        lambda: loose.PlacementPreference("binpack", "x"),
    ):
        with pytest.raises(InvalidArgument):
            wrong()


def test_cluster_volumes():
    spec = types.ClusterVolumeSpec(
        scope="multi", sharing="all", secrets={"key": "secret"}, requisite=[{"zone": "1"}], required_bytes="1g"
    )
    assert spec == {
        "AccessMode": {"Scope": "multi", "Sharing": "all"}, "Secrets": [{"Key": "key", "Secret": "secret"}],
        "AccessibilityRequirements": {"Requisite": [{"Segments": {"zone": "1"}}]}, "CapacityRange": {"RequiredBytes": 2**30},
    }  # fmt: skip
    assert types.ClusterVolumeSpec(block_volume=True) == {"AccessMode": {"BlockVolume": {}}}
    assert types.ClusterVolumeSpec(mount_volume=True, fs_type="ext4") == {
        "AccessMode": {"MountVolume": {"FsType": "ext4"}}
    }


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_no_field_has_lost_its_converter(value):
    """In a class body, a field's default hides a function of the same name, so the converter would be None."""
    for name, row in value._engine_fields.items():
        annotation = str(value.model_fields[name].annotation)
        takes_much = "Mapping" in annotation or "Sequence" in annotation
        assert row.convert is not None or not takes_much or not row.path, name


def test_values_not_representable_in_json_are_rejected():
    for bad, place in (
        ({"a": [b"x"]}, r"body\.a\[0\]"), ({"a": {1: 2}}, r"body\.a"), (float("nan"), "body"), (object, "body"),
        ({"m": {"x": {object()}}}, r"body\.m\.x"),
    ):  # fmt: skip
        with pytest.raises(InvalidArgument, match=f"^{place}"):
            to_json_data(bad)
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InvalidArgument, match="nested too deep"):
        to_json_data(loop)
    assert to_json_data({"p": Path("/x"), "s": {3, 1}, "t": (1, None), "f": 1.5, "b": True}) == {
        "p": "/x", "s": [1, 3], "t": [1, None], "f": 1.5, "b": True,
    }  # fmt: skip
