"""Objects of the fake engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockerkit.testing.fake_engine.processes import FakeProcess, stamp

__all__ = ["FakeContainer", "FakeExec", "default_networks", "fake_network", "image_names"]

ZERO_TIME = "0001-01-01T00:00:00Z"


def image_names(name: str) -> list[str]:
    """Return the names that an image name refers to, the full one first."""
    name = name.removeprefix("docker.io/").removeprefix("library/")
    tagged = "@" in name or ":" in name.rpartition("/")[2]
    return [name] if tagged else [f"{name}:latest", name]


@dataclass
class FakeContainer:
    """A container: its options and state."""

    id: str
    name: str
    created: float  # seconds since 1970
    image: str  # ID
    body: dict[str, Any]  # body of its create call
    config: dict[str, Any]
    status: str = "created"
    exit_code: int = 0
    pid: int = 0
    started: str = ZERO_TIME
    finished: str = ZERO_TIME
    restarts: int = 0
    health: str | None = None
    process: FakeProcess | None = None
    runs: int = 0  # number of times it has exited
    files: dict[str, bytes] = field(default_factory=dict)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        return self.config.get("Labels") or {}

    @property
    def is_running(self) -> bool:
        return self.status in ("running", "paused")

    @property
    def tty(self) -> bool:
        return bool(self.config.get("Tty"))

    @property
    def command(self) -> list[str]:
        return [*(self.config.get("Entrypoint") or []), *(self.config.get("Cmd") or [])]

    @property
    def host_config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.body.get("HostConfig") or {}
        return config

    def event_attributes(self) -> dict[str, str]:
        return {"image": str(self.body.get("Image")), "name": self.name, **self.labels}

    def ports(self) -> dict[str, list[dict[str, str]] | None]:
        """Return the published ports, with invented numbers for free ones."""
        published: dict[str, list[dict[str, str]] | None] = dict.fromkeys(self.config.get("ExposedPorts") or {})
        for port, bindings in (self.host_config.get("PortBindings") or {}).items():
            published[port] = [
                {
                    "HostIp": binding.get("HostIp") or "0.0.0.0",  # noqa: S104 - what an engine returns
                    "HostPort": binding.get("HostPort") or str(49153 + int(port.partition("/")[0]) % 1000),
                }
                for binding in bindings or [{}]
            ]
        return published if self.status == "running" else {}

    def inspect(self) -> dict[str, Any]:
        """Return the response of ``GET /containers/{id}/json``."""
        state: dict[str, Any] = {
            "Status": self.status,
            "Running": self.is_running,
            "Paused": self.status == "paused",
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": self.pid,
            "ExitCode": self.exit_code,
            "Error": "",
            "StartedAt": self.started,
            "FinishedAt": self.finished,
        }
        if self.health:
            state["Health"] = {"Status": self.health, "FailingStreak": 0, "Log": []}
        command = self.command
        return {
            "Id": self.id,
            "Created": stamp(self.created),
            "Path": command[0] if command else "",
            "Args": command[1:],
            "State": state,
            "Image": self.image,
            "Name": f"/{self.name}",
            "RestartCount": self.restarts,
            "Driver": "fake",
            "Platform": "linux",
            "Mounts": [],
            "HostConfig": {"NetworkMode": "bridge", "LogConfig": {"Type": "json-file"}, **self.host_config},
            "Config": self.config,
            "NetworkSettings": {"Ports": self.ports(), "Networks": self.networks},
        }

    def summary(self) -> dict[str, Any]:
        """Return an item of the response of ``GET /containers/json``."""
        ports = [
            {"PrivatePort": int(port.partition("/")[0]), "Type": port.partition("/")[2] or "tcp", **binding}
            for port, bindings in self.ports().items()
            for binding in (
                [{"IP": b["HostIp"], "PublicPort": int(b["HostPort"].partition("-")[0])} for b in bindings]
                if bindings
                else [{}]
            )
        ]
        return {
            "Id": self.id,
            "Names": [f"/{self.name}"],
            "Image": self.body.get("Image"),
            "ImageID": self.image,
            "Command": " ".join(self.command),
            "Created": int(self.created),
            "Ports": ports,
            "Labels": self.labels,
            "State": self.status,
            "Status": {"running": "Up", "exited": f"Exited ({self.exit_code})"}.get(self.status, self.status),
            "HostConfig": {"NetworkMode": self.host_config.get("NetworkMode", "bridge")},
            "NetworkSettings": {"Networks": self.networks},
            "Mounts": [],
        }


@dataclass
class FakeExec:
    """A command in a running container."""

    id: str
    container: FakeContainer
    body: Mapping[str, Any]
    process: FakeProcess | None = None

    def inspect(self) -> dict[str, Any]:
        """Return the response of ``GET /exec/{id}/json``."""
        command = list(self.body.get("Cmd") or [""])
        ended = self.process is not None and self.process.exit_code is not None
        return {
            "ID": self.id,
            "ContainerID": self.container.id,
            "Running": self.process is not None and not ended,
            "ExitCode": self.process.exit_code if self.process else None,
            "Pid": 1000 if self.process else 0,
            "OpenStdin": bool(self.body.get("AttachStdin")),
            "OpenStdout": bool(self.body.get("AttachStdout")),
            "OpenStderr": bool(self.body.get("AttachStderr")),
            "ProcessConfig": {"entrypoint": command[0], "arguments": command[1:], "tty": bool(self.body.get("Tty"))},
        }


def fake_network(network_id: str, name: str, driver: str, **settings: object) -> dict[str, Any]:
    """Return the inspect of a network."""
    return {
        "Id": network_id,
        "Name": name,
        "Created": ZERO_TIME,
        "Scope": "local",
        "Driver": driver,
        "EnableIPv6": False,
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": []},
        "Containers": {},
        "Options": {},
        "Labels": {},
        **settings,
    }


def default_networks() -> dict[str, dict[str, Any]]:
    """Return the three networks that every engine has."""
    drivers = {"bridge": "bridge", "host": "host", "none": "null"}
    return {name: fake_network(name.encode().hex().ljust(64, "0"), name, driver) for name, driver in drivers.items()}
