"""The table "Options of run()": one row per option of containers.run and create, grouped by purpose."""

from __future__ import annotations

import ast
import inspect
import re

MARK = "<!-- run options -->"
_HEAD = "| option, type | docker flag | since | description, example |\n| --- | --- | --- | --- |"
_VERSION = re.compile(r" \((?:up to )?API [^)]*\)")  # in a description; the column says it
SOURCES = ("container_options", "host_options", "create_options")
# Options of the low-level call alone, and those accepted for compatibility without effect.
LEFT_OUT = {"image", "command", "detach", "host_config", "version", "lxc_conf", "container_id_file"}

# Private names of types -> what they stand for.
PLAIN = {
    "Strings": "Sequence[str]", "StringMap": "Mapping[str, str]", "Path": "str | PurePath", "HasId": "Container", "HasName": "Network",
}  # fmt: skip

# Purpose -> options, each with the docker command's flag; "" where the command has none.
GROUPS: dict[str, dict[str, str]] = {
    "Identity": {
        "name": "--name", "labels": "--label", "label_file": "--label-file", "annotations": "--annotation",
        "hostname": "--hostname", "domainname": "--domainname",
    },
    "Image": {"pull": "--pull", "platform": "--platform"},
    "Process": {
        "entrypoint": "--entrypoint", "environment": "--env", "env_file": "--env-file", "user": "--user",
        "group_add": "--group-add", "working_dir": "--workdir", "tty": "--tty", "stdin_open": "--interactive",
        "init": "--init", "stop_signal": "--stop-signal", "stop_timeout": "--stop-timeout", "shell": "",
        "console_size": "", "attach_stdin": "--attach", "attach_stdout": "--attach", "attach_stderr": "--attach",
        "stdin_once": "", "on_build": "",
    },
    "Life cycle": {
        "restart_policy": "--restart", "auto_remove": "--rm", "healthcheck": "--health-cmd", "log_config": "--log-driver",
    },
    "Network": {
        "ports": "--publish", "publish_all_ports": "--publish-all", "network": "--network", "networks": "--network",
        "network_mode": "--network", "network_aliases": "--network-alias", "ip": "--ip", "ip6": "--ip6",
        "mac_address": "--mac-address", "extra_hosts": "--add-host", "dns": "--dns", "dns_search": "--dns-search",
        "dns_opt": "--dns-option", "links": "--link", "network_disabled": "", "networking_config": "", "port_bindings": "",
        "use_config_proxy": "",
    },
    "Files": {
        "volumes": "--volume", "mounts": "--mount", "tmpfs": "--tmpfs", "volumes_from": "--volumes-from",
        "read_only": "--read-only", "shm_size": "--shm-size", "storage_opt": "--storage-opt",
        "volume_driver": "--volume-driver", "binds": "--volume", "masked_paths": "", "readonly_paths": "",
    },
    "CPU and memory": {
        "cpus": "--cpus", "mem_limit": "--memory", "memswap_limit": "--memory-swap", "pids_limit": "--pids-limit",
        "mem_reservation": "--memory-reservation", "cpu_shares": "--cpu-shares", "cpuset_cpus": "--cpuset-cpus",
        "cpuset_mems": "--cpuset-mems", "cpu_period": "--cpu-period", "cpu_quota": "--cpu-quota", "nano_cpus": "--cpus",
        "cpu_rt_period": "--cpu-rt-period", "cpu_rt_runtime": "--cpu-rt-runtime", "mem_swappiness": "--memory-swappiness",
        "oom_kill_disable": "--oom-kill-disable", "oom_score_adj": "--oom-score-adj", "ulimits": "--ulimit",
        "kernel_memory": "--kernel-memory", "kernel_memory_tcp": "",
    },
    "Disk bandwidth": {
        "blkio_weight": "--blkio-weight", "blkio_weight_device": "--blkio-weight-device",
        "device_read_bps": "--device-read-bps", "device_write_bps": "--device-write-bps",
        "device_read_iops": "--device-read-iops", "device_write_iops": "--device-write-iops",
    },
    "Devices": {
        "gpus": "--gpus", "devices": "--device", "device_requests": "--gpus",
        "device_cgroup_rules": "--device-cgroup-rule",
    },
    "Security and isolation": {
        "privileged": "--privileged", "cap_add": "--cap-add", "cap_drop": "--cap-drop", "security_opt": "--security-opt",
        "userns_mode": "--userns", "pid_mode": "--pid", "ipc_mode": "--ipc", "uts_mode": "--uts",
        "cgroupns": "--cgroupns", "cgroup_parent": "--cgroup-parent", "sysctls": "--sysctl", "runtime": "--runtime",
    },
    "Windows": {
        "isolation": "--isolation", "cpu_count": "--cpu-count", "cpu_percent": "--cpu-percent",
        "io_maximum_iops": "--io-maxiops", "io_maximum_bandwidth": "--io-maxbandwidth", "args_escaped": "",
    },
    "Removed from newer engines": {"cgroup": "", "disk_quota": "", "init_path": "", "capabilities": ""},
}  # fmt: skip

# Options that are sent in another field than their own; a MAC address in that of the network.
_SENT_AS = {"gpus": "DeviceRequests", "cpus": "NanoCpus", "mac_address": ""}

# Option -> an example of its value.
EXAMPLES: dict[str, str] = {
    "name": '"web"',
    "labels": '{"team": "shop"}',
    "label_file": '"labels.txt"',
    "annotations": '{"org.example.team": "shop"}',
    "hostname": '"web-1"',
    "domainname": '"example.com"',
    "pull": '"always"',
    "platform": '"linux/arm64"',
    "entrypoint": '["/entrypoint.sh"]',
    "environment": '{"DEBUG": "1"}',
    "env_file": '"web.env"',
    "user": '"1000:1000"',
    "group_add": '["video", 44]',
    "working_dir": '"/app"',
    "tty": "True",
    "stdin_open": "True",
    "init": "True",
    "stop_signal": '"SIGINT"',
    "stop_timeout": '"30s"',
    "shell": '["/bin/bash", "-c"]',
    "console_size": "(24, 80)",
    "attach_stdin": "True",
    "attach_stdout": "True",
    "attach_stderr": "True",
    "stdin_once": "True",
    "on_build": '["RUN make"]',
    "restart_policy": '"on-failure:5"',
    "auto_remove": "True",
    "healthcheck": 'Healthcheck("curl -f localhost", interval="5s")',
    "log_config": 'LogConfig("local", {"max-size": "10m"})',
    "ports": '{"80/tcp": 8080}',
    "publish_all_ports": "True",
    "network": '"backend"',
    "networks": '["frontend", "backend"]',
    "network_mode": '"host"',
    "network_aliases": '["db"]',
    "ip": '"172.20.0.10"',
    "ip6": '"2001:db8::10"',
    "mac_address": '"02:42:ac:11:00:02"',
    "extra_hosts": '{"host.docker.internal": "host-gateway"}',
    "dns": '["1.1.1.1"]',
    "dns_search": '["example.com"]',
    "dns_opt": '["timeout:2"]',
    "links": '{"db": "database"}',
    "network_disabled": "True",
    "networking_config": '{"backend": EndpointConfig(aliases=["db"])}',
    "port_bindings": '{"80/tcp": ("127.0.0.1", 8080)}',
    "use_config_proxy": "False",
    "volumes": '["data:/var/lib/data", "./src:/app:ro"]',
    "mounts": '[Mount("/data", "data", read_only=True)]',
    "tmpfs": '{"/run": "size=64m"}',
    "volumes_from": '["other:ro"]',
    "read_only": "True",
    "shm_size": '"1g"',
    "storage_opt": '{"size": "10G"}',
    "volume_driver": '"local"',
    "binds": '["./src:/app:ro"]',
    "masked_paths": '["/proc/kcore"]',
    "readonly_paths": '["/proc/sys"]',
    "cpus": "1.5",
    "mem_limit": '"512m"',
    "memswap_limit": '"1g"',
    "pids_limit": "100",
    "mem_reservation": '"256m"',
    "cpu_shares": "512",
    "cpuset_cpus": '"0-3"',
    "cpuset_mems": '"0,1"',
    "cpu_period": "100_000",
    "cpu_quota": "50_000",
    "nano_cpus": "1_500_000_000",
    "cpu_rt_period": "1_000_000",
    "cpu_rt_runtime": "950_000",
    "mem_swappiness": "10",
    "oom_kill_disable": "True",
    "oom_score_adj": "-500",
    "ulimits": '["nofile=1024:4096"]',
    "kernel_memory": '"64m"',
    "kernel_memory_tcp": '"64m"',
    "blkio_weight": "500",
    "blkio_weight_device": '["/dev/sda:300"]',
    "device_read_bps": '["/dev/sda:10m"]',
    "device_write_bps": '["/dev/sda:10m"]',
    "device_read_iops": '["/dev/sda:1000"]',
    "device_write_iops": '["/dev/sda:1000"]',
    "gpus": '"all"',
    "devices": '["/dev/fuse"]',
    "device_requests": '[DeviceRequest(driver="nvidia", count=1)]',
    "device_cgroup_rules": '["c 42:* rmw"]',
    "privileged": "True",
    "cap_add": '["NET_ADMIN"]',
    "cap_drop": '["ALL"]',
    "security_opt": '["no-new-privileges"]',
    "userns_mode": '"host"',
    "pid_mode": '"host"',
    "ipc_mode": '"shareable"',
    "uts_mode": '"host"',
    "cgroupns": '"private"',
    "cgroup_parent": '"/batch"',
    "sysctls": '{"net.core.somaxconn": 1024}',
    "runtime": '"runsc"',
    "isolation": '"hyperv"',
    "cpu_count": "2",
    "cpu_percent": "50",
    "io_maximum_iops": "1000",
    "io_maximum_bandwidth": '"10m"',
    "args_escaped": "True",
    "cgroup": '"/batch"',
    "disk_quota": '"10g"',
    "init_path": '"/usr/bin/tini"',
    "capabilities": '["NET_ADMIN"]',
}


def versions() -> dict[str, str]:
    """Option -> the API versions that have it, if not all have: ``1.25``, ``1.40 to 1.51``."""
    from dockerkit.api._version_table import OLDEST, OPERATIONS
    from dockerkit.types.create_options import CreateOptions
    from dockerkit.types.option_schema import OptionSchema

    _, query, _, _, fields = OPERATIONS["POST /containers/create"]
    found = {}
    for option, row in OptionSchema(CreateOptions, "run").fields.items():
        path = _SENT_AS.get(option, ".".join(row.path))
        first, _, last = (
            fields.get(f"HostConfig.{path}") or fields.get(path) or query.get(option) or OLDEST
        ).partition("-")
        first = "" if first == OLDEST else first
        found[option] = f"{first} only" if first and first == last else f"{first} to {last}".strip() if last else first
    return found


def described() -> dict[str, tuple[str, str]]:
    """Option -> its type and its description, from the rows in dockerkit.types."""
    import importlib

    found: dict[str, tuple[str, str]] = {}
    for source in SOURCES:
        module = importlib.import_module(f"dockerkit.types.{source}")
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith(("Options", "Limits")):
                for row, text in zip(node.body, node.body[1:], strict=False):
                    if isinstance(row, ast.AnnAssign) and isinstance(row.target, ast.Name):
                        doc = (
                            text.value.value
                            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
                            else ""
                        )
                        found[row.target.id] = (_type(row.annotation), re.sub(r"\s+", " ", str(doc)).strip())
    return found


def _type(annotation: ast.expr) -> str:
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
        assert isinstance(annotation.slice, ast.Tuple)
        annotation = annotation.slice.elts[0]
    text = ast.unparse(annotation).strip("'\"").removesuffix(" | None")
    return re.sub(r"\b(Strings|StringMap|Path|HasId|HasName)\b", lambda match: PLAIN[match[1]], text)


def table() -> str:
    """The options as Markdown, a table for each purpose."""
    rows, since = described(), versions()
    lines = []
    for purpose, options in GROUPS.items():
        lines += ["", f"## {purpose}", "", '<div class="run-options" markdown>', "", _HEAD]
        for name, flag in options.items():
            kind, text = rows[name]
            option, flag = f"`{name}`<br>`{kind.replace(' | ', ' or ')}`", f"`{flag}`" if flag else ""
            text = _VERSION.sub("", text).replace("|", "\\|")
            lines.append(f"| {option} | {flag} | {since[name]} | {text}<br>`{name}={EXAMPLES[name]}` |")
        lines += ["", "</div>"]
    return "\n".join(lines)
