"""Small values of a container's host side: logs, limits of the process, devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from dockerkit.types import shorthands
from dockerkit.types.base import Value, Wire, engine_dict
from dockerkit.types.parse import refuse, text_map, texts


class LogConfigTypesEnum:
    """Names of log drivers."""

    _values = ("json-file", "syslog", "journald", "gelf", "fluentd", "none")

    JSON = "json-file"
    SYSLOG = "syslog"
    JOURNALD = "journald"
    GELF = "gelf"
    FLUENTD = "fluentd"
    NONE = "none"
    LOCAL = "local"
    AWSLOGS = "awslogs"
    SPLUNK = "splunk"
    ETWLOGS = "etwlogs"
    GCPLOGS = "gcplogs"


_LogConfigTypes = type[LogConfigTypesEnum]


class LogConfig(Value, frozen=False, validate_assignment=True):
    """Where a container's output goes: ``LogConfig("json-file", {"max-size": "10m"})``."""

    types: ClassVar[_LogConfigTypes] = LogConfigTypesEnum

    type: Annotated[str | None, Wire("Type")] = None
    """The driver; None is the engine's own."""
    config: Annotated[Mapping[str, str | int | float | bool] | None, Wire("Config", text_map)] = None
    """Options of the driver; numbers become texts."""

    def set_config_value(self, key: str, value: str | float | bool) -> None:
        """Set an option of the driver."""
        self.config = {**(self.config or {}), key: value}

    def unset_config(self, key: str) -> None:
        """Take an option of the driver away, if it is there."""
        self.config = {name: value for name, value in (self.config or {}).items() if name != key}


class Ulimit(Value, frozen=False, validate_assignment=True):
    """A limit of a container's processes: ``Ulimit("nofile", 1024, 4096)``."""

    name: Annotated[str, Wire("Name")]
    """As in ``man setrlimit``, in lower case without ``RLIMIT_``: nofile, nproc, core..."""
    soft: Annotated[int | None, Wire("Soft")] = None
    """What holds; the process may raise it up to ``hard``. -1 is no limit."""
    hard: Annotated[int | None, Wire("Hard")] = None
    """How far the process may raise it. -1 is no limit."""

    def to_engine(self) -> dict[str, Any]:
        """The Engine's dict; where one of the two is missing it is as the other, as after ``docker run --ulimit``."""
        body = super().to_engine()
        only = body.get("Soft", body.get("Hard"))
        return body if only is None else {**body, "Soft": body.get("Soft", only), "Hard": body.get("Hard", only)}


def ulimits(value: object, name: str) -> list[dict[str, Any]]:
    """Limits of the processes as the Engine's dicts: from values, dicts, or ``"nofile=1024:2048"`` texts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        refuse(name, "a list of Ulimits, dicts or texts", value)
    return [
        shorthands.ulimit(item, name) if isinstance(item, str) else engine_dict(Ulimit, item, name) for item in value
    ]


def _capabilities(value: object, name: str) -> list[list[str]]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        refuse(name, "a list of lists of texts", value)
    return [texts(item, f"{name}[{index}]") for index, item in enumerate(value)]


class DeviceRequest(Value, frozen=False, validate_assignment=True):
    """Devices that a driver hands out, graphics cards mostly: ``DeviceRequest(count=-1, capabilities=[["gpu"]])``."""

    driver: Annotated[str | None, Wire("Driver")] = None
    """The driver: nvidia, cdi...; None lets the engine choose."""
    count: Annotated[int | None, Wire("Count")] = None
    """How many; -1 for all."""
    device_ids: Annotated[Sequence[str] | None, Wire("DeviceIDs", texts)] = None
    """Which, instead of how many."""
    capabilities: Annotated[Sequence[Sequence[str]] | None, Wire("Capabilities", _capabilities)] = None
    """What they must be able to do: a list of alternatives, each a list of capabilities."""
    options: Annotated[Mapping[str, str | int | float | bool] | None, Wire("Options", text_map)] = None
    """Options of the driver."""

    @classmethod
    def cdi(cls, *names: str) -> Self:
        """Devices by their names of the Container Device Interface: ``DeviceRequest.cdi("vendor.com/gpu=0")``."""
        return cls(driver="cdi", device_ids=list(names))

    @classmethod
    def gpus(cls, wanted: str | int | Sequence[str]) -> Self:
        """Graphics cards, as after ``docker run --gpus``: ``"all"``, a number, or their ids."""
        if wanted == "all":
            return cls(count=-1, capabilities=[["gpu"]])
        if isinstance(wanted, int) and not isinstance(wanted, bool):
            return cls(count=wanted, capabilities=[["gpu"]])
        if isinstance(wanted, str) and wanted.isdecimal():
            return cls(count=int(wanted), capabilities=[["gpu"]])
        ids = wanted.removeprefix("device=").split(",") if isinstance(wanted, str) else texts(wanted, "gpus")
        return cls(device_ids=ids, capabilities=[["gpu"]])


def device_requests(value: object, name: str) -> list[dict[str, Any]]:
    """Device requests as the Engine's dicts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        refuse(name, "a list of DeviceRequests or dicts", value)
    return [engine_dict(DeviceRequest, item, name) for item in value]


def gpus(value: object, name: str) -> list[dict[str, Any]]:
    """``gpus="all"`` and its like, as device requests."""
    if not isinstance(value, (str, int, Sequence)) or isinstance(value, bool) or not value:
        refuse(name, '"all", a number, or a list of ids', value)
    return [DeviceRequest.gpus(value).to_engine()]
