"""Base classes of secrets and configs: files for services, which can't be changed but can be replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from dockerkit import errors
from dockerkit.models.resource import Collection
from dockerkit.models.tables import Table
from dockerkit.models.versioned import Versioned, retry_on_version_conflict, update_current
from dockerkit.parsing.responses import parsing_response
from dockerkit.parsing.values import boolean

if TYPE_CHECKING:
    from dockerkit.types.filters import SwarmFileFilters

F = TypeVar("F", bound="SwarmFile")


class SwarmFile(Versioned):
    """A secret or a config."""

    kind: ClassVar[str]

    def _call(self, verb: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self.client.api, f"{verb}_{self.kind.lower()}")
        return call

    def update(self, labels: Mapping[str, str]) -> None:
        """Replace the labels; nothing else can be changed. ``POST /secrets/{id}/update``, ``POST /configs/{id}/update``

        Args:
            labels: new labels, which replace the existing ones.
        """
        self._update(lambda: {**self.attrs["Spec"], "Labels": dict(labels)})

    def _update(self, new_spec: Callable[[], Mapping[str, Any]]) -> None:
        update_current(self, lambda: self._call("update")(self, self.version, new_spec()))

    def remove(self) -> bool:
        """Remove the secret or config. ``DELETE /secrets/{id}``, ``DELETE /configs/{id}``

        Returns:
            True.

        Raises:
            BadRequest: a service uses it.
        """
        return bool(self._call("remove")(self))


class SwarmFileCollection(Collection[F]):
    """Base class of the collections of secrets and configs."""

    def ensure(self, name: str, data: bytes | str, labels: Mapping[str, str] | None = None) -> F:
        """Make sure that a secret or config with this name, content and labels exists.

        ``GET /secrets/{id}``, ``POST /secrets/create``, ``POST /secrets/{id}/update``, or the same for ``/configs``.
        The engine compares the content, since it never returns that of secrets.

        Args:
            name: name of the secret or config.
            data: content; a string is encoded as UTF-8.
            labels: labels to set; other labels are kept.

        Returns:
            The object. Its ``ensured`` attribute shows what was done, and which labels differed.

        Raises:
            Conflict: one with this name and different content exists; ``rotate()`` replaces it.
        """
        from dockerkit.api.secret import swarm_file
        from dockerkit.models.ensured import Ensured, differences

        spec = swarm_file(name, data, labels)
        requested = spec["Labels"] or {}
        existing = self._get_or_create(name, lambda: self.create(name, data, labels))
        if existing.ensured:
            return existing
        found = differences(existing.labels, requested, "Labels")

        def changed() -> Mapping[str, Any]:
            return {**existing.spec, "Labels": {**existing.labels, **requested}, "Data": spec["Data"]}

        try:
            existing._update(changed)
        except errors.BadRequest as error:
            if "only updates to Labels are allowed" not in str(error):
                raise
            message = f"{existing.kind.lower()} {name!r} exists with different data; rotate() replaces it"
            raise errors.Conflict(message) from error
        existing.ensured = Ensured("updated" if found else "unchanged", found)
        return existing

    def create(self, name: str, data: bytes | str, labels: Mapping[str, str] | None = None) -> F:
        """Create a secret or config. ``POST /secrets/create``, ``POST /configs/create``"""
        raise NotImplementedError

    def list(self, filters: SwarmFileFilters | None = None) -> Table[F]:
        """List secrets or configs, in one request. ``GET /secrets``, ``GET /configs``

        Args:
            filters: ``{"id": ..., "name": ..., "label": ["a=b"]}``.
        """
        records = getattr(self.client.api, f"{self.model.kind.lower()}s")(filters)
        return Table(self.prepare_model(attrs) for attrs in records)

    def _created(self, response: Mapping[str, Any], name: str, labels: Mapping[str, str] | None) -> F:
        return self.prepare_model({**response, "Spec": {"Name": name, "Labels": dict(labels or {})}}, partial=True)

    def _rotate(self, replaced: F | str, data: bytes | str, name: str | None, *, remove_old: bool) -> F:
        """Create a new one, and replace the old one in each service that uses it."""
        boolean(remove_old, "remove_old")
        old = cast("F", replaced) if isinstance(replaced, self.model) else self.get(replaced)
        with parsing_response(f"the name of the {old.kind.lower()}"):
            name = name or _next_name(old.name or "")
        new = self.create(name, data, old.labels)
        for service in self.client.api.services():
            if any(ref.get(f"{old.kind}ID") == old.id for ref in _references(service, old.kind)):
                retry_on_version_conflict(partial(_replace, service["ID"], old, new))
        if remove_old:
            old.remove()
        return new


def _next_name(name: str) -> str:
    """Return the next name: ``password`` becomes ``password.2``, and that ``password.3``."""
    stem, dot, number = name.rpartition(".")
    return f"{stem}.{int(number) + 1}" if dot and number.isdecimal() else f"{name}.2"


def _references(service: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    with parsing_response("the references of a service"):
        references = (service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}).get(f"{kind}s") or []
        return [dict(ref) for ref in references]


def _replace(service_id: str, old: SwarmFile, new: SwarmFile) -> None:
    """Update one service; the rest of its spec is not changed."""
    client, kind = new.client, new.kind
    service: Mapping[str, Any] = client.api.inspect_service(service_id)
    references = [
        {**ref, f"{kind}ID": new.id, f"{kind}Name": new.name} if ref.get(f"{kind}ID") == old.id else ref
        for ref in _references(service, kind)
    ]
    client.api.update_service(
        service_id,
        service["Version"]["Index"],
        task_template={"ContainerSpec": {f"{kind}s": references}},
        fetch_current_spec=True,
        registry_auth_from="spec",
    )
