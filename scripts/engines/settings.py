"""What each private engine is, and where its files, sockets and addresses are."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass, field

CACHE = pathlib.Path(
    os.environ.get("DOCKERKIT_ENGINES")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "dockerkit-engines"
)
ROOTS = CACHE / "roots"
STATE = CACHE / "state"
NETWORK = os.environ.get("DOCKERKIT_NETWORK", "10.213")
"""The first half of every engine's address: engine number N is at 10.213.N.2, this machine at 10.213.N.1."""

GATEWAY_NAME = "gateway.test"
"""The name within every engine of this machine, at its distant address."""

BUSYBOX = "busybox:latest"
REGISTRY_PORT = int(os.environ.get("DOCKERKIT_REGISTRY_PORT", "15000"))
"""The open registry; the one with passwords and the one with TLS are at the next two ports."""


@dataclass(frozen=True)
class Spec:
    """An engine that these scripts can run."""

    name: str
    number: int
    suite: str
    program: str = "dockerd"
    features: dict[str, bool] = field(default_factory=dict)
    certificates: pathlib.Path | None = None
    """A folder with ca.pem, cert.pem and key.pem: the engine then speaks TLS over TCP and wants a client certificate."""

    @property
    def root(self) -> pathlib.Path:
        """The Debian root that the engine runs in; it is kept for later runs."""
        return ROOTS / self.suite

    @property
    def state(self) -> pathlib.Path:
        """Everything the engine writes; removed with it."""
        return STATE / self.name

    @property
    def socket(self) -> pathlib.Path:
        return self.state / "docker.sock"

    @property
    def host(self) -> str:
        return f"unix://{self.socket}"

    @property
    def namespace(self) -> str:
        return f"dockerkit-{self.name}"

    @property
    def link(self) -> str:
        """This machine's end of the engine's network."""
        return f"dk{NETWORK.rpartition('.')[2]}-{self.number}"

    @property
    def gateway(self) -> str:
        """This machine, as the engine and its containers see it."""
        return f"{NETWORK}.{self.number}.1"

    @property
    def distant(self) -> str:
        """Another address of this machine, at which the engine requires a valid certificate of a registry."""
        return f"198.18.{NETWORK.rpartition('.')[2]}.{self.number}"

    @property
    def address(self) -> str:
        """The engine, as this machine sees it: published ports answer here."""
        return f"{NETWORK}.{self.number}.2"

    @property
    def tcp(self) -> str:
        return f"tcp://{self.address}:{2376 if self.certificates else 2375}"


SPECS = {
    spec.name: spec
    for spec in (
        Spec("bookworm", 1, "bookworm"),
        Spec("trixie", 2, "trixie"),
        Spec("sid", 3, "sid"),
        Spec("sid-containerd", 4, "sid", features={"containerd-snapshotter": True}),
        Spec("podman-bookworm", 5, "bookworm", program="podman"),
        Spec("podman-trixie", 6, "trixie", program="podman"),
    )
}
DEFAULT = ("bookworm", "trixie", "sid", "sid-containerd")
