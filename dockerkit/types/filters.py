"""The filters of list, prune and events calls, by operation. A value may also be a list, which matches any of its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

StringOrList = str | Sequence[str]
Flag = bool | Literal["true", "false", "1", "0"]
Number = int | str | Sequence[int | str]
Label = str | Sequence[str] | Mapping[str, str]
"""``"name"`` or ``"name=value"``, several of them, or a mapping."""

ContainerStatus = Literal["created", "restarting", "running", "removing", "paused", "exited", "dead"]
HealthStatus = Literal["starting", "healthy", "unhealthy", "none"]
EventType = Literal[
    "builder", "config", "container", "daemon", "image", "network", "node", "plugin", "secret", "service", "volume"
]
NetworkScope = Literal["swarm", "global", "local"]
NodeRole = Literal["manager", "worker"]
Membership = Literal["accepted", "pending"]
ServiceMode = Literal["replicated", "global", "replicated-job", "global-job"]
TaskState = Literal["running", "shutdown", "accepted"]

ContainerFilters = TypedDict(
    "ContainerFilters",
    {
        "ancestor": StringOrList,
        "before": StringOrList,
        "expose": StringOrList,
        "exited": Number,
        "health": HealthStatus | Sequence[HealthStatus],
        "id": StringOrList,
        "isolation": StringOrList,
        "is-task": Flag,
        "label": Label,
        "name": StringOrList,
        "network": StringOrList,
        "publish": StringOrList,
        "since": StringOrList,
        "status": ContainerStatus | Sequence[ContainerStatus],
        "volume": StringOrList,
    },
    total=False,
)


class LabelFilters(TypedDict, total=False):
    """The common filter of most operations."""

    label: Label


PruneFilters = TypedDict("PruneFilters", {"until": StringOrList, "label": Label, "label!": Label}, total=False)
VolumePruneFilters = TypedDict("VolumePruneFilters", {"all": Flag, "label": Label, "label!": Label}, total=False)
ImagePruneFilters = TypedDict(
    "ImagePruneFilters", {"dangling": Flag, "until": StringOrList, "label": Label, "label!": Label}, total=False
)
BuildPruneFilters = TypedDict(
    "BuildPruneFilters",
    {
        "until": StringOrList,
        "id": StringOrList,
        "parent": StringOrList,
        "type": StringOrList,
        "description": StringOrList,
        "inuse": Flag,
        "shared": Flag,
        "private": Flag,
        "unused-for": StringOrList,
    },
    total=False,
)
SearchFilters = TypedDict("SearchFilters", {"is-official": Flag, "stars": int | str, "is-automated": Flag}, total=False)
NodeFilters = TypedDict(
    "NodeFilters",
    {
        "id": StringOrList,
        "label": Label,
        "membership": Membership | Sequence[Membership],
        "name": StringOrList,
        "node.label": Label,
        "role": NodeRole | Sequence[NodeRole],
    },
    total=False,
)
TaskFilters = TypedDict(
    "TaskFilters",
    {
        "desired-state": TaskState | Sequence[TaskState],
        "id": StringOrList,
        "label": Label,
        "name": StringOrList,
        "node": StringOrList,
        "service": StringOrList,
        "runtime": StringOrList,
        "_up-to-date": Flag,
    },
    total=False,
)


class ImageFilters(TypedDict, total=False):
    """Filters of the list of images."""

    before: StringOrList
    dangling: Flag
    label: Label
    reference: StringOrList
    since: StringOrList
    until: StringOrList


class EventFilters(TypedDict, total=False):
    """Filters of events."""

    config: StringOrList
    container: StringOrList
    daemon: StringOrList
    event: StringOrList
    image: StringOrList
    label: Label
    network: StringOrList
    node: StringOrList
    plugin: StringOrList
    scope: StringOrList
    secret: StringOrList
    service: StringOrList
    type: EventType | Sequence[EventType]
    volume: StringOrList


class VolumeFilters(TypedDict, total=False):
    """Filters of the list of volumes."""

    dangling: Flag
    driver: StringOrList
    label: Label
    name: StringOrList


class NetworkFilters(TypedDict, total=False):
    """Filters of the list of networks."""

    dangling: Flag
    driver: StringOrList
    id: StringOrList
    label: Label
    name: StringOrList
    scope: NetworkScope | Sequence[NetworkScope]
    type: Literal["custom", "builtin"]


class PluginFilters(TypedDict, total=False):
    """Filters of the list of plugins."""

    capability: StringOrList
    enable: Flag
    enabled: Flag


class ServiceFilters(TypedDict, total=False):
    """Filters of the list of services."""

    id: StringOrList
    label: Label
    mode: ServiceMode | Sequence[ServiceMode]
    name: StringOrList
    runtime: StringOrList


class SwarmFileFilters(TypedDict, total=False):
    """Filters of secrets and configs."""

    id: StringOrList
    label: Label
    name: StringOrList
    names: StringOrList


FILTERS: dict[str, frozenset[str]] = {
    operation: frozenset(filters.__annotations__)
    for operation, filters in {
        "GET /containers/json": ContainerFilters,
        "POST /containers/prune": PruneFilters,
        "GET /images/json": ImageFilters,
        "POST /images/prune": ImagePruneFilters,
        "GET /images/search": SearchFilters,
        "POST /build/prune": BuildPruneFilters,
        "GET /events": EventFilters,
        "GET /volumes": VolumeFilters,
        "POST /volumes/prune": VolumePruneFilters,
        "GET /networks": NetworkFilters,
        "POST /networks/prune": PruneFilters,
        "GET /plugins": PluginFilters,
        "GET /nodes": NodeFilters,
        "GET /services": ServiceFilters,
        "GET /tasks": TaskFilters,
        "GET /secrets": SwarmFileFilters,
        "GET /configs": SwarmFileFilters,
    }.items()
}
"""The names of an operation's filters."""


def check_filters(operation: str, filters: Mapping[str, object]) -> None:
    """Refuse filters that an operation does not have.

    Raises:
        InvalidArgument: names the first one, and the one that was probably meant.
    """
    from dockerkit.errors import InvalidArgument
    from dockerkit.parsing.options import similar_name

    known = FILTERS.get(operation)
    if known is None or not (unknown := {str(name) for name in filters} - known):
        return
    similar = similar_name(min(unknown), known)
    hint = f"did you mean {similar!r}?" if similar else f"must be one of {', '.join(sorted(known))}"
    resource = operation.split("/")[1]
    call = f"pruning {resource}" if operation.endswith("/prune") else f"listing {resource}"
    raise InvalidArgument(f"filters: {min(unknown)!r} is not a filter for {call}; {hint}")
