"""Services of a swarm. ``/services``"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast, overload

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.checks import check_optional, version_index
from dockerkit.api.container_streams import TimeLike, _tail, _time_seconds
from dockerkit.api.refs import checked_name
from dockerkit.errors import DeprecatedMethod, InvalidArgument
from dockerkit.parsing import values
from dockerkit.parsing.json_data import to_json_data
from dockerkit.parsing.responses import parsing_response
from dockerkit.parsing.values import mapping, sequence
from dockerkit.streams import FrameStream
from dockerkit.streams.readers import DemuxedOutput

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.credentials.auth import AuthSource
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.types import answers
    from dockerkit.types.filters import ServiceFilters
    from dockerkit.types.flags import No, Yes

    Spec = Mapping[str, Any] | ToEngine
    Networks = Sequence[str | Spec]

    class TaskLogOptions(TypedDict, total=False):
        """Options of service_logs() and task_logs() that don't change the return type."""

        details: bool
        follow: bool
        stdout: bool
        stderr: bool
        since: TimeLike
        timestamps: bool
        tail: int | str | None
        is_tty: bool | None


# Parts of a task template that fetch_current_spec merges field by field; it replaces the others.
_MERGED = ("ContainerSpec", "Placement")


class ServiceAPI(APIBase):
    """Calls on services; they require a manager of a swarm.

    ``service`` is an ID, a name, a dict with ``ID``, or an object.
    """

    def services(self, filters: ServiceFilters | None = None, status: bool | None = None) -> list[answers.Service]:
        """List services. ``GET /services``

        Args:
            filters: ``{"id": ..., "name": ..., "label": ["a=b"], "mode": "global"}``.
            status: include the numbers of running and desired tasks (API 1.41).
        """
        return self._json("GET", "/services", query={"filters": filters or {}, "status": status}, kind=list)

    def create_service(
        self,
        task_template: Spec,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        mode: str | Spec | None = None,
        update_config: Spec | None = None,
        networks: Networks | None = None,
        endpoint_config: Spec | None = None,
        endpoint_spec: Spec | None = None,
        rollback_config: Spec | None = None,
        *,
        auth_config: AuthSource | None = None,
    ) -> answers.ServiceCreateResponse:
        """Create a service. ``POST /services/create``

        Args:
            task_template: :class:`~dockerkit.types.TaskTemplate` that defines its containers.
            name: name of the service; None lets the engine choose.
            labels: labels of the service, not of its containers.
            mode: ``"replicated"``, ``"global"``, ``"replicated-job"``, ``"global-job"``, or a
                :class:`~dockerkit.types.ServiceMode`.
            update_config, rollback_config: how to perform updates, and rollbacks (API 1.28).
            networks: names, IDs, or :class:`~dockerkit.types.NetworkAttachmentConfig`.
            endpoint_config: old name of ``endpoint_spec``; raises DeprecatedMethod.
            endpoint_spec: published ports and service discovery.
            auth_config: credentials for the image's registry, for the nodes that pull it; None uses the stored ones,
                ``{}`` sends none.

        Returns:
            ``{"ID": ..., "Warnings": [...]}``.

        Raises:
            InvalidArgument: the template has neither an image nor a plugin.
            Conflict: the name is taken.
        """
        if endpoint_config is not None:
            raise DeprecatedMethod("endpoint_config is called endpoint_spec")
        template: dict[str, Any] = to_json_data(task_template, "task_template")
        image = _image(template)
        if image is None and not template.get("PluginSpec") and not template.get("NetworkAttachmentSpec"):
            raise InvalidArgument("task_template: must have a ContainerSpec with an Image")
        body = {
            "Name": None if name is None else checked_name(name),
            "Labels": check_optional(values.labels, "labels", labels),
            "Mode": _mode(mode),
            "UpdateConfig": _part("UpdateConfig", update_config, "update_config"),
            "RollbackConfig": _part("RollbackConfig", rollback_config, "rollback_config"),
            "EndpointSpec": _part("EndpointSpec", endpoint_spec, "endpoint_spec"),
            **self._with_networks(template, networks),
        }
        headers = self._registry_header(image, auth_config)
        return self._json(
            "POST", "/services/create", body=body, headers=headers, timeout=None, needs="ID", lists=("Warnings",)
        )

    def inspect_service(self, service: Ref, insert_defaults: bool | None = None) -> answers.Service:
        """Return all details of a service. ``GET /services/{id}``

        Args:
            insert_defaults: fill in the Engine's defaults of unspecified fields (API 1.29).
        """
        query = {"insertDefaults": insert_defaults}
        return self._json("GET", "/services/{id}", id=service, query=query)

    def update_service(
        self,
        service: Ref,
        version: int,
        task_template: Spec | None = None,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        mode: str | Spec | None = None,
        update_config: Spec | None = None,
        networks: Networks | None = None,
        endpoint_config: Spec | None = None,
        endpoint_spec: Spec | None = None,
        fetch_current_spec: bool = False,
        rollback_config: Spec | None = None,
        *,
        rollback: str | None = None,
        registry_auth_from: str | None = None,
        auth_config: AuthSource | None = None,
    ) -> answers.ServiceUpdateResponse:
        """Change a service. ``POST /services/{id}/update``

        Args:
            version: ``Version.Index`` of the service, which prevents lost updates.
            task_template, name, labels, mode, update_config, networks, endpoint_spec, rollback_config: as for
                :meth:`create_service`. Unspecified settings are reset to the Engine's defaults.
            endpoint_config: old name of ``endpoint_spec``; raises DeprecatedMethod.
            fetch_current_spec: keep unspecified settings instead; the template's ``ContainerSpec`` and ``Placement`` are
                merged field by field.
            rollback: ``"previous"`` restores the spec before the last update (API 1.28).
            registry_auth_from: reuse the credentials of ``"spec"`` or ``"previous-spec"``.
            auth_config: credentials for the image's registry; None uses the stored ones, ``{}`` sends none.

        Returns:
            ``{"Warnings": [...] or None}``.

        Raises:
            ServerError: the version is out of date, because the service was changed meanwhile.
        """
        if endpoint_config is not None:
            raise DeprecatedMethod("endpoint_config is called endpoint_spec")
        current: Mapping[str, Any] = {}
        if fetch_current_spec:
            inspected = self.inspect_service(service)
            with parsing_response("the current spec of a service"):
                current = dict(inspected["Spec"])
        template = to_json_data(task_template, "task_template") or {}
        with parsing_response("the current template of a service"):
            template = _merged(current.get("TaskTemplate") or {}, template)
        changes = {
            "Name": None if name is None else checked_name(name),
            "Labels": check_optional(values.labels, "labels", labels),
            "Mode": _mode(mode),
            "UpdateConfig": _part("UpdateConfig", update_config, "update_config"),
            "RollbackConfig": _part("RollbackConfig", rollback_config, "rollback_config"),
            "EndpointSpec": _part("EndpointSpec", endpoint_spec, "endpoint_spec"),
            **self._with_networks(template, networks),
        }
        body = {**current, **{field: value for field, value in changes.items() if value is not None}}
        query = {"version": version_index(version), "rollback": rollback, "registryAuthFrom": registry_auth_from}
        headers = {} if registry_auth_from else self._registry_header(_image(template), auth_config)
        return self._json(
            "POST", "/services/{id}/update", id=service, query=query, body=body, headers=headers, lists=("Warnings",)
        )

    def remove_service(self, service: Ref) -> bool:
        """Stop a service's tasks and remove it. ``DELETE /services/{id}``

        Returns:
            True.
        """
        self._no_content("DELETE", "/services/{id}", id=service)
        return True

    @overload
    def service_logs(
        self,
        service: Ref,
        details: bool = False,
        follow: bool = False,
        stdout: bool = False,
        stderr: bool = False,
        since: TimeLike = 0,
        timestamps: bool = False,
        tail: int | str | None = "all",
        is_tty: bool | None = None,
        *,
        demux: No = False,
    ) -> FrameStream[bytes]: ...

    @overload
    def service_logs(
        self, service: Ref, *, demux: Yes, **options: Unpack[TaskLogOptions]
    ) -> FrameStream[DemuxedOutput]: ...

    @overload
    def service_logs(
        self, service: Ref, *, demux: bool, **options: Unpack[TaskLogOptions]
    ) -> FrameStream[bytes] | FrameStream[DemuxedOutput]: ...

    def service_logs(
        self,
        service: Ref,
        details: bool = False,
        follow: bool = False,
        stdout: bool = False,
        stderr: bool = False,
        since: TimeLike = 0,
        timestamps: bool = False,
        tail: int | str | None = "all",
        is_tty: bool | None = None,
        *,
        demux: bool = False,
    ) -> FrameStream[bytes] | FrameStream[DemuxedOutput]:
        """Return the logs of a service, from the nodes of its tasks. ``GET /services/{id}/logs``

        Args:
            details: prefix each line with task, node, labels and environment.
            follow: keep streaming new output.
            stdout, stderr: include stdout or stderr; at least one is required.
            since: only lines after this time: a datetime (UTC if it is naive) or seconds since 1970.
            timestamps: prefix each line with an RFC 3339 time.
            tail: number of lines from the end, or ``"all"``.
            is_tty: whether the tasks have a terminal; None requests it from the engine if required.
            demux: yield pairs ``(stdout, stderr)`` of which one is None, instead of chunks.

        Returns:
            An iterator of chunks; it can be closed from any thread.
        """

        def tty() -> bool:
            if is_tty is not None:
                return is_tty
            spec: dict[str, Any] = self._json("GET", "/services/{id}", id=service)["Spec"]
            return bool((spec["TaskTemplate"].get("ContainerSpec") or {}).get("TTY"))

        query = log_query(details, follow, stdout, stderr, since, timestamps, tail)
        return self._frames("GET", "/services/{id}/logs", id=service, query=query, tty=tty, stream=follow, demux=demux)

    def _with_networks(self, template: dict[str, Any], networks: Networks | None) -> dict[str, Any]:
        """Return the task template and networks; since API 1.25 the networks are part of the template."""
        if networks is None:
            return {"TaskTemplate": template}
        attachments = [
            {"Target": item} if isinstance(item, str) else _part("NetworkAttachmentConfig", item, "networks")
            for item in sequence(networks, "networks")
        ]
        if self.supports("POST /services/create", "TaskTemplate.Networks"):
            return {"TaskTemplate": {**template, "Networks": attachments}}
        return {"TaskTemplate": template, "Networks": attachments}

    def _registry_header(self, image: str | None, auth_config: AuthSource | None) -> dict[str, str]:
        if image is None:
            return {}
        from dockerkit.credentials.auth import registry_headers, resolve_repository_name

        return registry_headers(self, resolve_repository_name(image)[0], auth_config)


def log_query(
    details: bool,
    follow: bool,
    stdout: bool,
    stderr: bool,
    since: TimeLike,
    timestamps: bool,
    tail: int | str | None,
) -> dict[str, object]:
    """Return the query of service and task logs."""
    return {
        "details": details,
        "follow": follow,
        "stdout": stdout,
        "stderr": stderr,
        "since": _time_seconds("since", since),
        "timestamps": timestamps,
        "tail": _tail(tail),
    }


def _image(template: Mapping[str, Any]) -> str | None:
    spec = mapping(mapping(template, "task_template").get("ContainerSpec") or {}, "task_template")
    return spec.get("Image") or None


def _part(kind: str, value: Spec | None, name: str) -> Spec | None:
    """Convert a dict in either spelling to the Engine's."""
    if type(value) is not dict:
        return value
    from dockerkit.types import base, services

    return base.engine_dict(getattr(services, kind), value, name, defaults=False)


def _mode(mode: str | Spec | None) -> Spec | None:
    from dockerkit.types.services import ServiceMode

    if isinstance(mode, Mapping) and "mode" in mode:
        return ServiceMode(**mode)
    if not isinstance(mode, str):
        return mode
    return ServiceMode(mode=cast("Any", mode))  # ServiceMode refuses unknown modes


def _merged(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task template updated with the fields of another."""
    merged = dict(current)
    for field, value in mapping(changes, "task_template").items():
        if field in _MERGED and isinstance(value, Mapping):
            previous = current.get(field) or {}
            merged[field] = {**previous, **{name: item for name, item in value.items() if item is not None}}
        elif value is not None:
            merged[field] = value
    return merged


ServiceApiMixin = ServiceAPI  # docker-py's name
