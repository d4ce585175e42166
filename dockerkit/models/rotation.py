"""How services get a new secret or config in place of an old one, which itself can't change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from dockerkit.models.versioned import retried

if TYPE_CHECKING:
    from dockerkit.client import DockerClient


class Named(Protocol):
    """A secret or a config."""

    @property
    def id(self) -> str | None: ...

    @property
    def name(self) -> str | None: ...


N = TypeVar("N", bound=Named)


def rotate(
    client: DockerClient, kind: Literal["Secret", "Config"], old: Named, name: str | None, make: Callable[[str], N]
) -> N:
    """Make a new one and give it to each service that has the old one.

    Args:
        client: whose swarm.
        kind: decides the field's name in services.
        old: the old one.
        name: of the new one; None counts the old one's up.
        make: makes the new one of a name.
    """
    new = make(name or _next_name(old.name or ""))
    for service in client.api.services():
        if any(ref[f"{kind}ID"] == old.id for ref in _references(service, kind)):
            retried(partial(_replace, client, service["ID"], kind, old, new))
    return new


def _next_name(name: str) -> str:
    """``password`` becomes ``password.2``, and that ``password.3``."""
    stem, dot, number = name.rpartition(".")
    return f"{stem}.{int(number) + 1}" if dot and number.isdecimal() else f"{name}.2"


def _references(service: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return (service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}).get(f"{kind}s") or []


def _replace(client: DockerClient, service_id: str, kind: str, old: Named, new: Named) -> None:
    """Update one service; the rest of its spec stays as it is."""
    service: Mapping[str, Any] = client.api.inspect_service(service_id)
    references = [
        {**ref, f"{kind}ID": new.id, f"{kind}Name": new.name} if ref[f"{kind}ID"] == old.id else ref
        for ref in _references(service, kind)
    ]
    client.api.update_service(
        service_id,
        service["Version"]["Index"],
        task_template={"ContainerSpec": {f"{kind}s": references}},
        fetch_current_spec=True,
        registry_auth_from="spec",
    )
