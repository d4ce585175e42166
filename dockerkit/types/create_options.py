"""The options of ``containers.create`` and ``containers.run``: those of the Engine, and what only the client knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, Any, Literal, Protocol

from dockerkit.types import parse, shorthands
from dockerkit.types.base import Rows, Wire
from dockerkit.types.container_options import ConfigOptions
from dockerkit.types.host_options import HostOptions
from dockerkit.types.networks import EndpointConfig
from dockerkit.types.shorthands import Binds, PortBindings


class HasName(Protocol):
    """A network as an object, or anything else with a ``name``."""

    @property
    def name(self) -> str | None: ...


Path = str | PurePath
Networks = Mapping[str, EndpointConfig | Mapping[str, Any] | None] | Sequence[str]


def _paths(value: object, name: str) -> list[str]:
    return [parse.text(value, name)] if isinstance(value, (str, PurePath)) else parse.texts(value, name)


def _environment_files(value: object, name: str) -> dict[str, str]:
    return {key: item for path in _paths(value, name) for key, item in parse.env_file(path, name).items()}


def _label_files(value: object, name: str) -> dict[str, str]:
    return {key: item for path in _paths(value, name) for key, item in parse.label_file(path, name).items()}


def _network(value: object, name: str) -> str:
    network = getattr(value, "name", value)
    if not isinstance(network, str) or not network:
        parse.refuse(name, "a network's name or id", value)
    return network


def _networks(value: object, name: str) -> dict[str, Any]:
    """``{network: the Engine's endpoint config}``, from a mapping, a list of names, or the Engine's NetworkingConfig."""
    if isinstance(value, Mapping):
        plain = value["EndpointsConfig"] if set(value) == {"EndpointsConfig"} else value
    else:
        plain = dict.fromkeys(parse.texts(value, name))
    return {
        parse.text(network, name): {} if place is None else shorthands.mapping(place, f"{name}[{network!r}]")
        for network, place in plain.items()
    }


class CreateOptions(ConfigOptions, HostOptions, total=False):
    """Options of ``containers.create``, ``run`` and ``ensure``; for those of the Engine see the classes above."""

    name: Annotated[str | None, Wire("", parse.text)]
    """Its name; None lets the engine choose."""
    platform: Annotated[str | None, Wire("", parse.text)]
    """``"linux/arm64"``: the image must be for this platform (API 1.41); a pull asks for it."""
    pull: Annotated[Literal["always", "missing", "never"] | None, Wire("")]
    """When to pull the image first. ``run`` and ``ensure`` pull a missing one unless told otherwise, ``create`` never."""
    ports: Annotated[PortBindings | None, Wire("", shorthands.port_bindings)]
    """Ports to publish: ``{"80/tcp": 8080, "53/udp": None, 22: ("127.0.0.1", 2222)}``, or texts as after ``-p``:
    ``["127.0.0.1:8080:80/tcp"]``."""
    volumes: Annotated[Binds | None, Wire("", shorthands.binds)]
    """Folders and volumes to mount: ``{"/host": {"bind": "/in", "mode": "ro"}}``, or texts as after ``-v``:
    ``["./src:/app:ro", "cache:/root/.cache"]``; a lone path in the container is an anonymous volume."""
    env_file: Annotated[Path | Sequence[Path] | None, Wire("", _environment_files)]
    """Files of ``NAME=value`` lines; ``environment`` goes before them."""
    label_file: Annotated[Path | Sequence[Path] | None, Wire("", _label_files)]
    """Files of ``name=value`` lines; ``labels`` go before them."""
    network: Annotated[str | HasName | None, Wire("", _network)]
    """The network to be in: its name, or a Network."""
    networks: Annotated[Networks | None, Wire("", _networks)]
    """Networks to be in, with its place in each: ``{"net": EndpointConfig(aliases=["db"]), "other": None}``, or names."""
    networking_config: Annotated[Networks | None, Wire("", _networks)]
    """docker-py's name for ``networks``, where it describes the place in ``network``."""
    network_aliases: Annotated[Sequence[str] | None, Wire("", parse.texts)]
    """Further names in ``network``."""
    ip: Annotated[str | None, Wire("", parse.ipv4)]
    """A fixed address in ``network``."""
    ip6: Annotated[str | None, Wire("", parse.ipv6)]
    """A fixed IPv6 address in ``network``."""
    use_config_proxy: Annotated[bool | None, Wire("")]
    """Tell it the proxies of the docker command's config.json; yes, unless False."""
    version: Annotated[str | None, Wire("")]
    """Taken for docker-py's sake: the version in use with the engine decides."""


CREATE = Rows(CreateOptions, "create")
CONFIG_NAMES = frozenset(ConfigOptions.__annotations__)
HOST_NAMES = frozenset(HostOptions.__annotations__)
