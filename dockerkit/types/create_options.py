"""The options of ``containers.create`` and ``containers.run``: those of the Engine, and those of the client."""

from collections.abc import Mapping, Sequence  # annotations are evaluated, as in host_options
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeAlias

from dockerkit.parsing import shorthands, values
from dockerkit.parsing.shorthands import Binds, PortBindings
from dockerkit.types.container_options import ConfigOptions
from dockerkit.types.host_options import HostOptions
from dockerkit.types.option_schema import EngineField, OptionSchema

if TYPE_CHECKING:
    from dockerkit.types.networks import EndpointConfig


class HasName(Protocol):
    """A network as an object, or anything else with a ``name``."""

    @property
    def name(self) -> str | None: ...


Path = str | PurePath
Networks: TypeAlias = "Mapping[str, EndpointConfig | Mapping[str, Any] | None] | Sequence[str]"


def _paths(value: object, name: str) -> list[str]:
    return [values.string(value, name)] if isinstance(value, (str, PurePath)) else values.string_list(value, name)


def _environment_files(value: object, name: str) -> dict[str, str]:
    return {key: item for path in _paths(value, name) for key, item in values.env_file(path, name).items()}


def _label_files(value: object, name: str) -> dict[str, str]:
    return {key: item for path in _paths(value, name) for key, item in values.label_file(path, name).items()}


def _network(value: object, name: str) -> str:
    network = value if isinstance(value, str) else getattr(value, "name", value)  # members of enums have a name, too
    if not isinstance(network, str) or not network:
        values.raise_invalid(name, "a network's name or ID", value)
    return network


def _networks(value: object, name: str) -> dict[str, Any]:
    """``{network: the Engine's endpoint config}``, from a mapping, a list of names, or the Engine's NetworkingConfig."""
    if isinstance(value, Mapping):
        plain = value["EndpointsConfig"] if set(value) == {"EndpointsConfig"} else value
    else:
        plain = dict.fromkeys(values.string_list(value, name))
    return {
        values.string(network, name): _endpoint(config, f"{name}[{network!r}]") if config else {}
        for network, config in plain.items()
    }


def _endpoint(value: object, name: str) -> dict[str, Any]:
    from dockerkit.types.base import engine_dict  # loads pydantic
    from dockerkit.types.networks import EndpointConfig

    return engine_dict(EndpointConfig, value, name)


class CreateOptions(ConfigOptions, HostOptions, total=False):
    """Options of ``containers.create``, ``run`` and ``ensure``; the base classes have those of the Engine."""

    name: Annotated[str | None, EngineField("", values.string)]
    """Name of the container; None lets the engine choose."""
    platform: Annotated[str | None, EngineField("", values.string)]
    """``"linux/arm64"``: required platform of the image (API 1.41), also for a pull."""
    pull: Annotated[Literal["always", "missing", "never"] | None, EngineField("")]
    """When to pull the image first. The default is ``"missing"`` for ``run`` and ``ensure``, and ``"never"`` for ``create``."""
    ports: Annotated[PortBindings | None, EngineField("", shorthands.port_bindings)]
    """Ports to publish: ``{"80/tcp": 8080, "53/udp": None, 22: ("127.0.0.1", 2222)}``, or strings as for ``-p``:
    ``["127.0.0.1:8080:80/tcp"]``."""
    volumes: Annotated[Binds | None, EngineField("", shorthands.binds)]
    """Folders and volumes to mount: ``{"/host": {"bind": "/in", "mode": "ro"}}``, or strings as for ``-v``:
    ``["./src:/app:ro", "cache:/root/.cache"]``; a single path in the container is an anonymous volume."""
    env_file: Annotated[Path | Sequence[Path] | None, EngineField("", _environment_files)]
    """Files of ``NAME=value`` lines; ``environment`` takes precedence."""
    label_file: Annotated[Path | Sequence[Path] | None, EngineField("", _label_files)]
    """Files of ``name=value`` lines; ``labels`` take precedence."""
    network: Annotated[str | HasName | None, EngineField("", _network)]
    """Network to connect to: its name, or a Network."""
    networks: Annotated["Networks | None", EngineField("", _networks)]
    """Networks to connect to, with endpoint configurations: ``{"net": EndpointConfig(aliases=["db"]), "other": None}``, or names."""
    networking_config: Annotated["Networks | None", EngineField("", _networks)]
    """docker-py's name for ``networks``, where it has the endpoint configuration of ``network``."""
    network_aliases: Annotated[Sequence[str] | None, EngineField("", values.string_list)]
    """Additional names in ``network``."""
    ip: Annotated[str | None, EngineField("", values.ipv4)]
    """A fixed IPv4 address in ``network``."""
    ip6: Annotated[str | None, EngineField("", values.ipv6)]
    """A fixed IPv6 address in ``network``."""
    use_config_proxy: Annotated[bool | None, EngineField("")]
    """Pass the proxy settings of the docker command's config.json to the container; True by default."""
    version: Annotated[str | None, EngineField("")]
    """Accepted for compatibility with docker-py and ignored."""


CREATE = OptionSchema(CreateOptions, "create")
CONFIG_NAMES = frozenset(ConfigOptions.__annotations__)
HOST_NAMES = frozenset(HostOptions.__annotations__)
# docker-py's lists of the options of run().
RUN_CREATE_KWARGS = sorted(CONFIG_NAMES | {"detach", "name", "platform", "use_config_proxy"})
RUN_HOST_CONFIG_KWARGS = sorted(HOST_NAMES)
