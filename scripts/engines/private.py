"""Bring a private engine up, and take all of it down again.

Each has its own network, mounts, processes and host name, so that several run side by side, use the same ports,
make swarms and iptables rules, and end with the one process that started them.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys
import time

from engines import host
from engines.host import EngineUnavailable, run
from engines.images import give_busybox, version
from engines.roots import add_packages
from engines.settings import GATEWAY_NAME, NETWORK, REGISTRY_PORT, STATE, Spec

HERE = pathlib.Path(__file__).parent


def up(spec: Spec) -> bool:
    """Start the engine, unless it runs, and give it the busybox image. Return whether it was started."""
    with host.lock(STATE / f".{spec.name}.lock"):
        add_packages(spec.suite, "git", "git")  # with which engines fetch build contexts; older roots lack it
        if is_up(spec):
            return False
        if spec.program == "podman":
            add_packages(spec.suite, "podman", "podman", "netavark", "aardvark-dns", "nftables")
            _trust_registries(spec)
        _remove(spec)
        try:
            _start(spec)
        except BaseException:
            log = spec.state / "log"
            host.say("\n".join(log.read_text(errors="replace").splitlines()[-25:]) if log.exists() else "")
            _remove(spec)
            raise
    return True


def _trust_registries(spec: Spec) -> None:
    """Podman has no --insecure-registry: it reads this file."""
    folder = spec.root / "etc/containers/registries.conf.d"
    folder.mkdir(parents=True, exist_ok=True)
    hosts = [f"{address}:{REGISTRY_PORT + offset}" for address in ("127.0.0.1", spec.gateway) for offset in range(3)]
    entries = [f'[[registry]]\nlocation = "{host}"\ninsecure = true\n' for host in hosts]
    (folder / "dockerkit.conf").write_text("\n".join(entries))


def down(spec: Spec) -> bool:
    """Stop the engine and everything that it runs, and remove its files. Return False if there was nothing to remove."""
    with host.lock(STATE / f".{spec.name}.lock"):
        if not spec.state.exists():
            return False
        host.require_root()
        _remove(spec)
    return True


def crash(spec: Spec, *, downtime: float = 0.0) -> None:
    """Kill the engine's daemon with SIGKILL, and restart it with the same files.

    Args:
        spec: a running engine.
        downtime: seconds that it stays away at least.
    """
    immortal = spec.state / "immortal"
    immortal.touch()
    signal_daemon(spec, signal.SIGKILL)
    if downtime:
        time.sleep(downtime)
    host.wait_until(lambda: version(spec.socket) is not None, 60, f"{spec.name} does not come back")
    immortal.unlink(missing_ok=True)


def signal_daemon(spec: Spec, number: signal.Signals) -> None:
    """Send a signal to the engine's daemon: SIGSTOP makes it stall, SIGCONT lets it continue."""
    first = host.alive(spec.state / "pid")
    assert first is not None, f"{spec.name} does not run"
    daemons = [pid for pid in host.descendants(first) if host.name_of(pid) == spec.program]
    assert daemons, f"no {spec.program} in {spec.name}"
    for pid in daemons:
        os.kill(pid, number)


def is_up(spec: Spec) -> bool:
    """Return whether the engine runs and responds."""
    return host.alive(spec.state / "pid") is not None and version(spec.socket) is not None


def _start(spec: Spec) -> None:
    spec.state.mkdir(parents=True)
    if len(os.fsencode(spec.socket)) > 107:
        raise EngineUnavailable(
            f"{spec.socket} is too long for a socket's path: set DOCKERKIT_ENGINES to a shorter folder"
        )
    # Its own name, which git asks for, and a name for this machine, as certificates like to have one.
    (spec.state / "hosts").write_text(f"127.0.0.1 localhost {spec.name}\n{spec.distant} {GATEWAY_NAME}\n")
    _connect_network(spec)
    namespace = f"/run/netns/{spec.namespace}"
    process = host.spawn(
        [
            *("nsenter", f"--net={namespace}"),
            *("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"),
            *("sh", HERE / "enter.sh", spec.root, spec.state, *_command(spec)),
        ],
        spec.state / "pid",
        spec.state / "log",
    )
    ports = [str(REGISTRY_PORT + offset) for offset in range(3)]
    forward = [sys.executable, HERE / "forward.py", namespace, *ports]
    host.spawn(forward, spec.state / "forward.pid", spec.state / "forward.log")
    host.wait_until(
        lambda: version(spec.socket) is not None or process.poll() is not None, 60, f"{spec.name} does not answer"
    )
    if process.poll() is not None:
        raise EngineUnavailable(f"{spec.name} ended with status {process.returncode}")
    give_busybox(spec.socket, spec.root)


def _command(spec: Spec) -> list[str]:
    if spec.program == "podman":
        # runc, since crun refuses machines that have both generations of cgroups
        storage = ["--root", "/engine/data", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
        return ["podman", *storage, "system", "service", "--time=0", "unix:///engine/docker.sock"]
    config = {"experimental": True, "features": spec.features}
    (spec.state / "daemon.json").write_text(json.dumps(config))
    return [
        *("dockerd", "--config-file", "/engine/daemon.json", "--log-level", "warn", "--group", "root"),
        *("--host", "unix:///engine/docker.sock", "--host", spec.tcp, *_tls(spec)),
        *("--data-root", "/engine/data", "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid"),
        *("--insecure-registry", "127.0.0.0/8", "--insecure-registry", f"{NETWORK}.0.0/16"),
        *("--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{spec.namespace}"),
    ]


def _tls(spec: Spec) -> list[str]:
    if spec.certificates is None:
        return ["--tls=false"]
    shutil.copytree(spec.certificates, spec.state / "tls")
    files = {"--tlscacert": "ca.pem", "--tlscert": "cert.pem", "--tlskey": "key.pem"}
    return ["--tlsverify", *(f"{option}=/engine/tls/{name}" for option, name in files.items())]


def _connect_network(spec: Spec) -> None:
    """A network namespace, connected to this machine by a pair of interfaces."""
    inside, outside = "eth0", spec.link
    netns = ("-n", spec.namespace)
    run("ip", "netns", "add", spec.namespace)
    run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", spec.namespace)
    run("ip", "addr", "add", f"{spec.gateway}/24", "dev", outside)
    run("ip", "addr", "add", f"{spec.distant}/32", "dev", outside)
    run("ip", "link", "set", outside, "up")
    run("ip", *netns, "link", "set", "lo", "up")
    run("ip", *netns, "addr", "add", f"{spec.address}/24", "dev", inside)
    run("ip", *netns, "link", "set", inside, "up")
    run("ip", *netns, "route", "add", "default", "via", spec.gateway)


def _remove(spec: Spec) -> None:
    host.kill(spec.state / "pid")
    host.kill(spec.state / "forward.pid")
    run("ip", "link", "delete", spec.link, check=False)
    run("ip", "netns", "delete", spec.namespace, check=False)
    for controller in pathlib.Path("/sys/fs/cgroup").glob(f"**/{spec.namespace}"):
        for folder, _, _ in os.walk(controller, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
    if spec.state.exists():
        shutil.rmtree(spec.state)
