"""Every documented operation has a method, and all its parameters and fields can be sent.

Each low-level method is called with all that it takes; what it would send is held against the facts, which the version
table is made of as well. What is left out on purpose is listed, with the reason.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dockerkit import APIClient
from dockerkit.api import versions
from dockerkit.api.request import Request
from dockerkit.parsing.json_data import to_json_data
from dockerkit.types import (
    ConfigReference,
    ContainerSpec,
    DeviceRequest,
    DNSConfig,
    DriverConfig,
    EndpointConfig,
    EndpointSpec,
    Healthcheck,
    IPAMConfig,
    IPAMPool,
    LogConfig,
    Mount,
    NetworkAttachmentConfig,
    Placement,
    Privileges,
    Resources,
    RestartPolicy,
    RollbackConfig,
    SecretReference,
    ServiceMode,
    SwarmExternalCA,
    SwarmSpec,
    TaskTemplate,
    Ulimit,
    UpdateConfig,
)
from dockerkit.types.service_parts import NetworkAttachmentSpec, PluginPrivilege, PluginSpec

FACTS = json.loads((Path(__file__).parents[2] / "scripts/data/operations.json").read_text())["operations"]
OPERATIONS = {f"{one['method']} {one['path']}": one for one in FACTS}

# Fields that no method sends, and why.
GAPS = {
    "GET /containers/json": {
        "query before": "the filter of that name says the same on all engines",
        "query since": "the filter of that name says the same on all engines",
    },
    "GET /images/json": {"query filter": "the filter reference says the same on all engines that read filters"},
    "POST /containers/{id}/exec": {"body Detach": "undocumented, and gone; the start of an exec says it"},
}


class Stop(Exception):
    """Raised instead of sending."""


class EveryVersion(versions.Gate):
    """A gate that supports everything of all versions."""

    def check(self, *_: object, **__: object) -> None:
        """Refuse nothing."""

    def supports(self, operation: str, name: str | None = None) -> bool:
        """Return True."""
        return True


class Recorder(APIClient):
    """A client that records requests instead of sending them."""

    def __init__(self) -> None:
        super().__init__("unix:///nowhere", version=versions.CEILING)
        self._gate = EveryVersion(versions.CEILING)
        self.used: dict[str, set[str]] = {}

    def _encode(self, request: Request) -> Any:
        method, path, _, query, body, data, headers, *_ = request
        names = self.used.setdefault(f"{method} {path}", set())
        names.update(f"query {name}" for name, value in (query or {}).items() if value is not None)
        names.update(f"header {name}" for name in headers or {})
        names.update(f"body {path}" for path in paths_of(to_json_data(body)))
        if data is not None:
            names |= {"tar", "header Content-type"}  # sent with every body that is not JSON
        raise Stop


def paths_of(value: Any, path: str = "") -> Iterator[str]:
    """Return the dotted paths of a body's fields; for maps, whose keys are not fields, both forms."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if item is not None:
                for step in (key, "{}"):
                    here = f"{path}.{step}" if path else step
                    yield here
                    yield from paths_of(item, here)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from paths_of(item, f"{path}[]")


CA = SwarmExternalCA("https://ca", "cfssl", {"a": "b"}, "PEM")
DRIVER = DriverConfig("d", {"a": "b"})
HEALTH = Healthcheck(["CMD", "true"], "1s", "1s", 3, "1s", "1s")
MOUNTS = [
    Mount(
        "/t", "v", type="volume", read_only=True, consistency="cached", no_copy=True, labels={"a": "b"},
        driver_config=DRIVER, subpath="s",
    ),
    Mount(
        "/t", "/s", type="bind", propagation="rslave", non_recursive=True, create_mountpoint=True,
        read_only=True, read_only_non_recursive=True,
    ),
    Mount("/t", "/s", type="bind", read_only=True, read_only_force_recursive=True),
    Mount("/t", None, type="tmpfs", tmpfs_size="1m", tmpfs_mode=0o700, tmpfs_options=[["noexec"]]),
    Mount("/t", "i", type="image", subpath="s"),
    Mount("/t", "c", type="cluster", cluster_options={}),
]  # fmt: skip
ENDPOINT = EndpointConfig(
    aliases=["a"], links={"c": "d"}, ipv4_address="10.0.0.2", ipv6_address="fd00::2", link_local_ips=["169.254.1.1"],
    driver_opt={"a": "b"}, mac_address="02:42:ac:11:00:02", gw_priority=1,
)  # fmt: skip
RESOURCES: dict[str, Any] = {
    "cpu_shares": 1, "mem_limit": "1g", "cgroup_parent": "/x", "blkio_weight": 10,
    "blkio_weight_device": [{"Path": "/dev/a", "Weight": 10}],
    **{f"device_{way}": [{"Path": "/dev/a", "Rate": 1}] for way in ("read_bps", "write_bps", "read_iops", "write_iops")},
    "cpu_period": 1000, "cpu_quota": 1000, "cpu_rt_period": 1000, "cpu_rt_runtime": 1000, "cpuset_cpus": "0",
    "cpuset_mems": "0", "devices": ["/dev/a:/dev/b:rwm"], "device_cgroup_rules": ["c 1:1 r"],
    "device_requests": [DeviceRequest("d", -1, None, [["gpu"]], {"a": "b"}), DeviceRequest("d", None, ["0"], [["gpu"]])],
    "kernel_memory_tcp": "1m", "kernel_memory": "1m", "mem_reservation": "1m", "memswap_limit": "2g",
    "mem_swappiness": 5, "nano_cpus": 10**9, "oom_kill_disable": True, "pids_limit": 5,
    "ulimits": [Ulimit("nofile", 1, 2)], "cpu_count": 1, "cpu_percent": 5, "io_maximum_iops": 1,
    "io_maximum_bandwidth": 1, "disk_quota": 1,
}  # fmt: skip
HOST: dict[str, Any] = {
    **RESOURCES, "init": True, "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 1}, "binds": ["/a:/b"],
    "container_id_file": "/x", "log_config": LogConfig(type="syslog", config={"a": "b"}), "network_mode": "bridge",
    "port_bindings": {"80/tcp": ("127.0.0.1", 80)}, "volume_driver": "local",
    "volumes_from": ["c"], "mounts": MOUNTS, "console_size": (24, 80), "annotations": {"a": "b"}, "cap_add": ["A"],
    "cap_drop": ["B"], "cgroupns": "private", "dns": ["1.1.1.1"], "dns_opt": ["a"], "dns_search": ["a"],
    "extra_hosts": {"a": "10.0.0.1"}, "group_add": ["a"], "ipc_mode": "private", "cgroup": "x", "links": {"a": "b"},
    "oom_score_adj": 1, "pid_mode": "host", "privileged": True, "publish_all_ports": True, "read_only": True,
    "security_opt": ["a"], "storage_opt": {"size": "1g"}, "tmpfs": {"/t": ""}, "uts_mode": "host",
    "userns_mode": "host", "shm_size": "64m", "sysctls": {"a": "b"}, "runtime": "runc", "isolation": "default",
    "masked_paths": ["/a"], "readonly_paths": ["/b"], "capabilities": ["A"], "init_path": "/i",
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "hostname": "h", "domainname": "d", "user": "u", "attach_stdin": True, "attach_stdout": True, "attach_stderr": True,
    "ports": [80], "tty": True, "stdin_open": True, "stdin_once": True, "environment": {"A": "b"}, "command": ["a"],
    "healthcheck": HEALTH, "args_escaped": True, "image": "i", "volumes": ["/v"], "working_dir": "/w",
    "entrypoint": ["e"], "network_disabled": True, "mac_address": "02:42:ac:11:00:02", "on_build": ["RUN a"],
    "labels": {"a": "b"}, "stop_signal": "SIGHUP", "stop_timeout": 5, "shell": ["sh"],
}  # fmt: skip
SPEC = ContainerSpec(
    "i", ["c"], ["a"], "h", {"A": "b"}, "/w", "u", {"a": "b"}, MOUNTS, "1s", tty=True, groups=["g"], open_stdin=True,
    read_only=True, stop_signal="SIGHUP", healthcheck=HEALTH, hosts={"a": "10.0.0.1"},
    dns_config=DNSConfig(["1.1.1.1"], ["a"], ["b"]), isolation="default", init=True, cap_add=["A"], cap_drop=["B"],
    sysctls={"a": "b"}, ulimits=[Ulimit("nofile", 1, 2)], oom_score_adj=1,
    secrets=[SecretReference("id", "name", "file", 0, 0, 0o400)],
    configs=[ConfigReference("id", "name", "file", 0, 0, 0o400), ConfigReference("id", "name", runtime=True)],
    privileges=Privileges(
        credentialspec_file="f", selinux_disable=True, selinux_user="u", selinux_role="r", selinux_type="t",
        selinux_level="l", seccomp_mode="custom", seccomp_profile={}, apparmor_mode="default", no_new_privileges=True,
    ),
)  # fmt: skip
PRIVILEGE = PluginPrivilege("network", "d", ["host"])
TEMPLATES = [
    TaskTemplate(
        SPEC,
        Resources(1, "1g", 1, "1g", {"gpu": 1, "slot": "a"}, 5, "1g", 5, {"gpu": 1, "slot": "a"}),
        RestartPolicy("any", "1s", 1, "1s"),
        Placement(["a == b"], [("spread", "a")], [("amd64", "linux")], 1),
        DRIVER,
        [NetworkAttachmentConfig("n", ["a"], {"a": "b"})],
        1,
        runtime="container",
    ),
    TaskTemplate(plugin_spec=PluginSpec("n", "r", True, [PRIVILEGE], {"A": "b"}), runtime="plugin"),
    TaskTemplate(network_attachment_spec=NetworkAttachmentSpec("c")),
    *(
        {"ContainerSpec": ContainerSpec("i", privileges=Privileges(**{f"credentialspec_{kind}": "x"}))}
        for kind in ("registry", "config")
    ),
]
SERVICE: dict[str, Any] = {
    "name": "n", "labels": {"a": "b"}, "update_config": UpdateConfig(1, "1s", "pause", "1s", 0.5, "stop-first"),
    "rollback_config": RollbackConfig(1, "1s", "pause", "1s", 0.5, "stop-first"),
    "endpoint_spec": EndpointSpec("vip", [
        {"Name": "n", "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 80, "PublishMode": "host"}
    ]),
}  # fmt: skip
MODES = [ServiceMode("replicated", 1), "global", ServiceMode("replicated-job", 1, 1), "global-job"]
SWARM = SwarmSpec(None, 1, 1, 1, 1, 1, 3, "1s", "24h", [CA], "default", {"a": "b"}, "PEM", "PEM", 1, True, DRIVER)
CLUSTER: dict[str, Any] = {
    "Group": "g",
    "AccessMode": {
        "Scope": "single",
        "Sharing": "none",
        "BlockVolume": {},
        "MountVolume": {"FsType": "x", "MountFlags": ["a"]},
    },
    "Secrets": [{"Key": "k", "Secret": "s"}],
    "AccessibilityRequirements": {"Requisite": [{"Segments": {"a": "b"}}], "Preferred": [{"Segments": {"a": "b"}}]},
    "CapacityRange": {"RequiredBytes": 1, "LimitBytes": 2},
    "Availability": "active",
}
AUTH = {"username": "u", "password": "p"}
FILES = {"Dockerfile": "FROM scratch"}


def calls(api: APIClient, folder: Path) -> Iterator[Any]:
    """Yield every low-level method with all its arguments."""
    yield lambda: api.containers(all=True, limit=3, size=True, filters={"a": "b"})
    yield from container_calls(api)
    yield from image_calls(api, folder)
    yield from swarm_calls(api)
    yield from other_calls(api, folder)


def container_calls(api: APIClient) -> Iterator[Any]:
    from dockerkit.types.containers import container_config

    host = api.create_host_config(**HOST)
    body = container_config(**CONFIG, host_config=host, networking_config={"EndpointsConfig": {"n": ENDPOINT}})
    own = {key: value for key, value in body.items() if key not in ("HostConfig", "NetworkingConfig")}
    yield lambda: api.create_container_from_config(body, name="n", platform="linux/amd64")
    yield lambda: api.create_container("i", host_config=api.create_host_config(auto_remove=True))
    yield lambda: api.inspect_container("c", size=True)
    yield lambda: api.start("c", checkpoint="x", checkpoint_dir="/x")
    yield lambda: api.stop("c", 3, signal="SIGHUP")
    yield lambda: api.restart("c", 3, signal="SIGHUP")
    yield lambda: api.kill("c", "SIGHUP")
    yield lambda: api.pause("c")
    yield lambda: api.unpause("c")
    yield lambda: api.rename("c", "d")
    yield lambda: api.resize("c", 24, 80)
    yield lambda: api.wait("c", condition="removed")
    yield lambda: api.top("c", "aux")
    yield lambda: api.diff("c")
    yield lambda: api.remove_container("c", v=True, link=True, force=True)
    yield lambda: api.prune_containers({"until": "1h"})
    restart = {"Name": "on-failure", "MaximumRetryCount": 1}
    yield lambda: api.update_container("c", restart_policy=restart, **RESOURCES)
    yield lambda: api.commit("c", "r", "t", "m", "a", ["CMD a"], own, pause=True)
    yield lambda: api.logs("c", timestamps=True, tail=3, since=1, until=2, follow=True, details=True)
    yield lambda: api.log_records("c", tail=3, since=1, until=2, follow=True, details=True)
    yield lambda: api.attach("c", logs=True, stream=True)
    everything = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "logs": 1, "detachKeys": "ctrl-x"}
    yield lambda: api.attach_socket("c", everything)
    yield lambda: api.attach_socket("c", everything, ws=True)
    yield lambda: api.stats("c", stream=False, one_shot=True)
    yield lambda: api.export("c")
    yield lambda: api.get_archive("c", "/p")
    yield lambda: api.stat_archive("c", "/p")
    yield lambda: api.put_archive("c", "/p", b"", no_overwrite_dir_non_dir=True, copy_uid_gid=True)
    yield lambda: api.exec_create(
        "c", ["a"], True, True, True, True, True, "u", {"A": "b"}, "/w", "ctrl-x", console_size=(24, 80)
    )
    yield lambda: api.exec_start("e", detach=True, tty=True, console_size=(24, 80))
    yield lambda: api.exec_resize("e", 24, 80)
    yield lambda: api.exec_inspect("e")
    yield lambda: api.checkpoints("c", "/d")
    yield lambda: api.create_checkpoint("c", "x", "/d", exit=True)
    yield lambda: api.remove_checkpoint("c", "x", "/d")


def image_calls(api: APIClient, folder: Path) -> Iterator[Any]:
    yield lambda: api.images(all=True, filters={"a": "b"}, shared_size=True, manifests=True, identity=True)
    yield lambda: api.inspect_image("i", manifests=True)
    yield lambda: api.inspect_image("i", platform="linux/amd64")
    yield lambda: api.image_attestations("i", platform="linux/amd64", type="t", statement=True)
    yield lambda: api.history("i", "linux/amd64")
    yield lambda: api.tag("i", "r", "t")
    yield lambda: api.remove_image("i", force=True, noprune=True, platforms=["linux/amd64"])
    yield lambda: api.prune_images({"dangling": True})
    yield lambda: api.search("t", 3, filters={"stars": "3"}, auth_config=AUTH)
    yield lambda: api.get_image("i", platform="linux/amd64")
    yield lambda: api.get_image(["i", "j"], platform="linux/amd64")
    yield lambda: api.load_image(b"", quiet=True, platform="linux/amd64")
    yield lambda: api.pull("r", "t", auth_config=AUTH, platform="linux/amd64")
    yield lambda: api.import_image(b"", "r", "t", changes=["CMD a"], message="m", platform="linux/amd64")
    yield lambda: api.push("r", "t", auth_config=AUTH, platform="linux/amd64")
    yield lambda: api.inspect_distribution("i", AUTH)
    yield lambda: api.build(
        FILES, "r:t", True, None, True, True, None, False, None, True, True, "Dockerfile",
        {"memory": 1, "memswap": 2, "cpushares": 1, "cpusetcpus": "0", "cpusetmems": "0", "cpuperiod": 1, "cpuquota": 1},
        False, {"A": "b"}, True, "64m", {"a": "b"}, ["c"], "t", "host", True, {"a": "10.0.0.1"}, "linux/amd64", "default",
        ulimits=[Ulimit("nofile", 1, 2)], cgroup_parent="/c", security_opt=["a"], outputs=[{"Type": "local"}],
        version="2", session="s", buildid="b", auth_configs={"r": AUTH},
    )  # fmt: skip
    yield lambda: api.build(remote(), fileobj=None)
    yield lambda: api.prune_builds({"until": "1h"}, "1g", True)
    yield lambda: api.prune_builds(reserved_space="1g", max_used_space="1g", min_free_space="1g")
    yield lambda: api.cancel_build("b")


def remote() -> str:
    return "https://example.com/context.tar"


def swarm_calls(api: APIClient) -> Iterator[Any]:
    yield lambda: api.inspect_swarm()
    yield lambda: api.init_swarm(
        "a", "b", True, SWARM, ["10.0.0.0/8"], 24, "c", 4789, auto_lock_managers=True, availability="drain"
    )
    yield lambda: api.join_swarm(["a"], "t", "b", "c", "d", availability="drain")
    yield lambda: api.leave_swarm(True)
    yield lambda: api.update_swarm(1, SWARM, True, True, True)
    yield lambda: api.get_unlock_key()
    yield lambda: api.unlock_swarm("k")
    yield lambda: api.nodes({"role": "worker"})
    yield lambda: api.inspect_node("n")
    yield lambda: api.update_node(
        "n", 1, {"Name": "n", "Labels": {"a": "b"}, "Role": "worker", "Availability": "drain"}
    )
    yield lambda: api.remove_node("n", True)
    yield lambda: api.services({"name": "n"}, True)
    for mode, template in [(mode, TEMPLATES[0]) for mode in MODES] + [(None, one) for one in TEMPLATES]:
        yield lambda mode=mode, template=template: api.create_service(template, mode=mode, **SERVICE, auth_config=AUTH)
        yield lambda mode=mode, template=template: api.update_service(
            "s", 1, template, mode=mode, **SERVICE, auth_config=AUTH, rollback="previous"
        )
    yield lambda: api.update_service("s", 1, registry_auth_from="spec")
    yield lambda: api.inspect_service("s", True)
    yield lambda: api.remove_service("s")
    yield lambda: api.service_logs("s", True, True, True, True, 1, True, 3)
    yield lambda: api.tasks({"service": "s"})
    yield lambda: api.inspect_task("t")
    yield lambda: api.task_logs("t", True, True, True, True, 1, True, 3)
    yield lambda: api.secrets({"name": "n"})
    yield lambda: api.create_secret("n", "d", {"a": "b"}, DRIVER, templating=DRIVER)
    yield lambda: api.inspect_secret("s")
    spec = {"Name": "n", "Labels": {"a": "b"}, "Data": "", "Driver": DRIVER, "Templating": DRIVER}
    yield lambda: api.update_secret("s", 1, spec)
    yield lambda: api.remove_secret("s")
    yield lambda: api.configs({"name": "n"})
    yield lambda: api.create_config("n", "d", {"a": "b"}, DRIVER)
    yield lambda: api.inspect_config("c")
    yield lambda: api.update_config("c", 1, spec)
    yield lambda: api.remove_config("c")


def other_calls(api: APIClient, folder: Path) -> Iterator[Any]:
    pool = IPAMPool("10.0.0.0/24", "10.0.0.0/25", "10.0.0.1", {"a": "10.0.0.2"})
    yield lambda: api.networks(["n"])
    yield lambda: api.create_network(
        "n", "d", {"a": "b"}, IPAMConfig("d", [pool], {"a": "b"}), True, True, {"a": "b"}, True, True, "local", True,
        enable_ipv4=False, config_only=True, config_from="c",
    )  # fmt: skip
    yield lambda: api.inspect_network("n", True, "local")
    yield lambda: api.remove_network("n")
    yield lambda: api.connect_container_to_network("c", "n", endpoint_config=ENDPOINT)
    yield lambda: api.connect_container_to_network("c", "n", gw_priority=1, aliases=["a"])
    yield lambda: api.disconnect_container_from_network("c", "n", True)
    yield lambda: api.prune_networks({"until": "1h"})
    yield lambda: api.volumes({"name": "v"})
    yield lambda: api.create_volume("n", "d", {"a": "b"}, {"a": "b"}, cluster_volume_spec=CLUSTER)
    yield lambda: api.inspect_volume("v")
    yield lambda: api.update_volume("v", 1, CLUSTER)
    yield lambda: api.remove_volume("v", True)
    yield lambda: api.prune_volumes({"all": True})
    yield lambda: api.plugins({"enabled": True})
    yield lambda: api.inspect_plugin("p")
    yield lambda: api._json("GET", "/plugins/{name}", name="p")  # what inspect_plugin sends with API 1.24
    yield lambda: api.plugin_privileges("p", auth_config=AUTH)
    yield lambda: api.pull_plugin("p", [PRIVILEGE], "n", auth_config=AUTH)
    yield lambda: api.upgrade_plugin("p", "r", [PRIVILEGE], auth_config=AUTH)
    (folder / "rootfs").mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    yield lambda: api.create_plugin("p", folder)
    yield lambda: api.configure_plugin("p", {"A": "b"})
    yield lambda: api.enable_plugin("p", 3)
    yield lambda: api.disable_plugin("p", True)
    yield lambda: api.push_plugin("p", auth_config=AUTH)
    yield lambda: api.remove_plugin("p", True)
    yield lambda: api.ping()
    yield lambda: api.ping_head()
    yield lambda: api.version()
    yield lambda: api.info()
    yield lambda: api.df(["volume"], True)
    yield lambda: api.events(1, 2, {"type": "image"})
    yield lambda: api.login("u", "p", "e", "r", True, auth="a", identity_token="i", registry_token="t")
    yield lambda: api.debug_vars()
    yield lambda: api.debug_pprof("heap", 1)
    yield lambda: api.session("s", methods=["/m"])
    yield lambda: api.grpc()


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    with Recorder() as api:
        for call in calls(api, tmp_path_factory.mktemp("plugin")):
            with pytest.raises(Stop):
                call()
        api._gate = versions.gate("1.24")  # where the networks of a service had another path
        template, network = {"ContainerSpec": {"Image": "i"}}, NetworkAttachmentConfig("n", ["a"], {"a": "b"})
        for call in (
            lambda: api.create_service(template, networks=[network]),
            lambda: api.update_service("s", 1, template, networks=[network]),
        ):
            with pytest.raises(Stop):
                call()
        return api.used


def test_every_operation_has_a_method(used: dict[str, set[str]]) -> None:
    assert sorted(OPERATIONS.keys() - used.keys()) == []
    assert sorted(used.keys() - OPERATIONS.keys()) == []


def facts_of(operation: Mapping[str, Any]) -> Iterator[str]:
    """Return what callers must be able to send, without fields that engines ignore or set themselves."""
    body = operation["body"] or {}
    groups = [("query", operation["query"]), ("header", operation["headers"]), ("body", body.get("fields") or [])]
    for kind, facts in groups:
        for fact in facts:
            if not fact.get("ignored") and not fact.get("output_only"):
                yield f"{kind} {fact.get('name') or fact['path']}"
    if body.get("kind") == "tar":
        yield "tar"


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_parameter_and_field_can_be_sent(name: str, used: dict[str, set[str]]) -> None:
    missing = set(facts_of(OPERATIONS[name])) - used[name] - GAPS.get(name, {}).keys()
    assert sorted(missing) == []


def test_listed_gaps_are_not_used(used: dict[str, set[str]]) -> None:
    for name, gaps in GAPS.items():
        assert not used[name] & gaps.keys()


def test_every_method_names_its_call() -> None:
    """The docstring names the operation, as in the documents."""
    quoted = re.compile(r"(GET|POST|PUT|DELETE|HEAD) (/[\w/{}.]*)")
    silent = []
    for name, method in inspect.getmembers(APIClient, inspect.isfunction):
        module = method.__module__
        if name.startswith("_") or not module.startswith("dockerkit.api.") or module == "dockerkit.api.raw":
            continue
        named = [f"{verb} {path.rstrip('.')}" for verb, path in quoted.findall(inspect.getdoc(method) or "")]
        unknown = [one for one in named if one not in OPERATIONS]
        assert not unknown, f"{name}: {unknown}"
        if not named and "Sends nothing" not in (inspect.getdoc(method) or ""):
            silent.append(name)
    assert silent == ["close", "dial", "is_multiplexed", "read_output", "with_timeout"]
