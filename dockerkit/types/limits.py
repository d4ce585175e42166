"""Values of a container's host configuration: logs, process limits, devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from dockerkit.parsing import shorthands
from dockerkit.parsing.values import raise_invalid, string_list, string_map
from dockerkit.types.base import Value, engine_dict
from dockerkit.types.option_schema import EngineField


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

    type: Annotated[str | None, EngineField("Type")] = None
    """Log driver; None is the engine's default."""
    config: Annotated[Mapping[str, str | int | float | bool] | None, EngineField("Config", string_map)] = None
    """Options of the driver; numbers are converted to strings."""

    def set_config_value(self, key: str, value: str | float | bool) -> None:
        """Set an option of the driver."""
        self.config = {**(self.config or {}), key: value}

    def unset_config(self, key: str) -> None:
        """Remove an option of the driver, if it is set."""
        self.config = {name: value for name, value in (self.config or {}).items() if name != key}


class Ulimit(Value, frozen=False, validate_assignment=True):
    """A limit of a container's processes: ``Ulimit("nofile", 1024, 4096)``."""

    name: Annotated[str, EngineField("Name")]
    """Name as in ``man setrlimit``, in lower case without ``RLIMIT_``: nofile, nproc, core..."""
    soft: Annotated[int | None, EngineField("Soft")] = None
    """Current limit; the process may raise it up to ``hard``. -1 is no limit."""
    hard: Annotated[int | None, EngineField("Hard")] = None
    """Maximum that the process may raise the limit to. -1 is no limit."""

    def to_engine(self) -> dict[str, Any]:
        """Return the Engine's dict; if one limit is missing it is the same as the other, as for ``docker run --ulimit``."""
        body = super().to_engine()
        only = body.get("Soft", body.get("Hard"))
        return body if only is None else {**body, "Soft": body.get("Soft", only), "Hard": body.get("Hard", only)}


def ulimits(value: object, name: str) -> list[dict[str, Any]]:
    """Return process limits as the Engine's dicts, from values, dicts, or ``"nofile=1024:2048"`` strings."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise_invalid(name, "a list of Ulimits, dicts or strings", value)
    return [
        shorthands.ulimit(item, name) if isinstance(item, str) else engine_dict(Ulimit, item, name) for item in value
    ]


def _capabilities(value: object, name: str) -> list[list[str]]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise_invalid(name, "a list of lists of strings", value)
    return [string_list(item, f"{name}[{index}]") for index, item in enumerate(value)]


class DeviceRequest(Value, frozen=False, validate_assignment=True):
    """Devices provided by a driver, such as GPUs: ``DeviceRequest(count=-1, capabilities=[["gpu"]])``."""

    driver: Annotated[str | None, EngineField("Driver")] = None
    """Driver: nvidia, cdi...; None lets the engine choose."""
    count: Annotated[int | None, EngineField("Count")] = None
    """Number of devices; -1 for all."""
    device_ids: Annotated[Sequence[str] | None, EngineField("DeviceIDs", string_list)] = None
    """IDs of the devices, instead of a number."""
    capabilities: Annotated[Sequence[Sequence[str]] | None, EngineField("Capabilities", _capabilities)] = None
    """Required capabilities: a list of alternatives, each a list of capabilities."""
    options: Annotated[Mapping[str, str | int | float | bool] | None, EngineField("Options", string_map)] = None
    """Options of the driver."""

    @classmethod
    def cdi(cls, *names: str) -> Self:
        """Request devices by their names in the Container Device Interface: ``DeviceRequest.cdi("vendor.com/gpu=0")``."""
        return cls(driver="cdi", device_ids=list(names))

    @classmethod
    def gpus(cls, devices: str | int | Sequence[str]) -> Self:
        """Request GPUs, as ``docker run --gpus`` does: ``"all"``, a number, or their IDs."""
        if devices == "all":
            return cls(count=-1, capabilities=[["gpu"]])
        if isinstance(devices, int) and not isinstance(devices, bool):
            return cls(count=devices, capabilities=[["gpu"]])
        if isinstance(devices, str) and devices.isdecimal():
            return cls(count=int(devices), capabilities=[["gpu"]])
        if isinstance(devices, str):
            return cls(**_gpu_fields(devices))
        return cls(device_ids=string_list(devices, "gpus"), capabilities=[["gpu"]])


def _gpu_fields(devices: str) -> dict[str, Any]:
    """Return the fields of a value of ``docker run --gpus``: ``'"device=0,2",capabilities=utility'``, ``"count=2"``."""
    import csv

    try:
        (fields,) = csv.reader([devices], strict=True)
    except (csv.Error, ValueError):
        raise_invalid("gpus", "a value as for docker run --gpus", devices)
    if fields[0].startswith("device=") and not any("=" in field for field in fields[1:]):
        fields = [",".join(fields)]  # IDs without quotes around them
    request: dict[str, Any] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals:
            key, value = "count", field
        if key in request or not value:
            raise_invalid("gpus", "a value as for docker run --gpus", devices)
        if key == "count" and (value == "all" or value.removeprefix("-").isdecimal()):
            request[key] = -1 if value == "all" else int(value)
        elif key == "driver":
            request[key] = value
        elif key in ("device", "capabilities", "options"):
            request[key] = value.split(",")
        else:
            raise_invalid(
                "gpus", '"all", a number, a list of IDs, or device=, count=, driver=, capabilities=, options=', devices
            )
    if "options" in request:
        request["options"] = dict(part.partition("=")[::2] for part in request["options"])
    request["capabilities"] = [[*request.get("capabilities", ()), "gpu"]]
    if "device" in request:
        request["device_ids"] = request.pop("device")
    else:
        request.setdefault("count", 1)
    return request


def device_requests(value: object, name: str) -> list[dict[str, Any]]:
    """Return device requests as the Engine's dicts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise_invalid(name, "a list of DeviceRequests or dicts", value)
    return [engine_dict(DeviceRequest, item, name) for item in value]


def gpus(value: object, name: str) -> list[dict[str, Any]]:
    """Return ``gpus="all"`` and similar values as device requests."""
    if not isinstance(value, (str, int, Sequence)) or isinstance(value, bool) or not value:
        raise_invalid(name, '"all", a number, or a list of IDs', value)
    return [DeviceRequest.gpus(value).to_engine()]
