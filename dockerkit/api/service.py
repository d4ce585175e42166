"""Services of a swarm. ``/services``"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from dockerkit.api.base import Base, Ref
from dockerkit.api.checks import index, optional
from dockerkit.api.container_streams import Moment, _moment, _tail
from dockerkit.api.encode import Filters
from dockerkit.api.refs import checked_name
from dockerkit.errors import DeprecatedMethod, InvalidArgument
from dockerkit.streams import FrameStream
from dockerkit.streams.readers import Pair
from dockerkit.types import parse
from dockerkit.types.wire import wire

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.auth import AuthSource
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine

    Spec = Mapping[str, Any] | ToEngine
    Networks = Sequence[str | Spec]

    class TaskLogOptions(TypedDict, total=False):
        """Of the options of a service's or a task's logs those that don't change what is answered."""

        details: bool
        follow: bool
        stdout: bool
        stderr: bool
        since: Moment
        timestamps: bool
        tail: int | str
        is_tty: bool | None


# Parts of a task template which an update that keeps the current spec merges field by field; others it replaces.
_MERGED = ("ContainerSpec", "Placement")


class ServiceAPI(Base):
    """The calls on services; each needs a manager of a swarm."""

    def services(self, filters: Filters | None = None, status: bool | None = None) -> list[answers.Service]:
        """List services. ``GET /services``

        Args:
            filters: ``{"id": ..., "name": ..., "label": ["a=b"], "mode": "global"}``.
            status: also how many tasks of each run, and should (API 1.41).
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
        """Make a service. ``POST /services/create``

        Args:
            task_template: a :class:`~dockerkit.types.TaskTemplate`: what its containers are.
            name: None lets the engine choose.
            labels: of the service, not of its containers.
            mode: ``"replicated"``, ``"global"``, ``"replicated-job"``, ``"global-job"``, or a
                :class:`~dockerkit.types.ServiceMode`.
            update_config, rollback_config: how updates, and rollbacks (API 1.28), go on.
            networks: names, ids, or :class:`~dockerkit.types.NetworkAttachmentConfig`.
            endpoint_config: the old name of ``endpoint_spec``, which raises.
            endpoint_spec: published ports, and how the service is found.
            auth_config: credentials for the image's registry, for the nodes that pull it; None takes what this client
                knows of it, ``{}`` sends none.

        Returns:
            ``{"ID": ..., "Warnings": [...]}``.

        Raises:
            InvalidArgument: the template has neither an image nor a plugin.
            Conflict: the name is taken.
        """
        if endpoint_config is not None:
            raise DeprecatedMethod("endpoint_config is called endpoint_spec")
        template: dict[str, Any] = wire(task_template, "task_template")
        image = _image(template)
        if image is None and not template.get("PluginSpec") and not template.get("NetworkAttachmentSpec"):
            raise InvalidArgument("task_template: it has no ContainerSpec with an Image")
        body = {
            "Name": None if name is None else checked_name(name),
            "Labels": optional(parse.labels, "labels", labels),
            "Mode": _mode(mode),
            "UpdateConfig": update_config,
            "RollbackConfig": rollback_config,
            "EndpointSpec": endpoint_spec,
            **self._with_networks(template, networks),
        }
        headers = self._registry_header(image, auth_config)
        return self._json("POST", "/services/create", body=body, headers=headers, timeout=None, needs="ID")

    def inspect_service(self, service: Ref, insert_defaults: bool | None = None) -> answers.Service:
        """All that the swarm knows of a service. ``GET /services/{id}``

        Args:
            service: id, name, dict with ``ID``, or object.
            insert_defaults: fill in the Engine's defaults where the spec says nothing (API 1.29).
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
            service: id, name, dict with ``ID``, or object.
            version: ``Version.Index`` of the service that is to be changed: protects from lost updates.
            task_template, name, labels, mode, update_config, networks, endpoint_spec, rollback_config: as of
                :meth:`create_service`. What is left out goes back to the Engine's default.
            endpoint_config: the old name of ``endpoint_spec``, which raises.
            fetch_current_spec: what is left out stays as it is instead; the template's ``ContainerSpec`` and
                ``Placement`` are merged field by field.
            rollback: ``"previous"``: go back to the spec before the last update (API 1.28).
            registry_auth_from: ``"spec"`` or ``"previous-spec"``: take the credentials from there.
            auth_config: credentials for the image's registry; None takes what this client knows of it, ``{}`` none.

        Returns:
            ``{"Warnings": [...] or None}``.

        Raises:
            ServerError: somebody else has changed it since (the version is out of date).
        """
        if endpoint_config is not None:
            raise DeprecatedMethod("endpoint_config is called endpoint_spec")
        current: Mapping[str, Any] = {}
        if fetch_current_spec:
            current = self.inspect_service(service)["Spec"]
        template = _merged(current.get("TaskTemplate") or {}, wire(task_template, "task_template") or {})
        given = {
            "Name": None if name is None else checked_name(name),
            "Labels": optional(parse.labels, "labels", labels),
            "Mode": _mode(mode),
            "UpdateConfig": update_config,
            "RollbackConfig": rollback_config,
            "EndpointSpec": endpoint_spec,
            **self._with_networks(template, networks),
        }
        body = {**current, **{field: value for field, value in given.items() if value is not None}}
        query = {"version": index(version), "rollback": rollback, "registryAuthFrom": registry_auth_from}
        headers = {} if registry_auth_from else self._registry_header(_image(template), auth_config)
        return self._json("POST", "/services/{id}/update", id=service, query=query, body=body, headers=headers)

    def remove_service(self, service: Ref) -> bool:
        """Stop a service's tasks and remove it. ``DELETE /services/{id}``

        Args:
            service: id, name, dict with ``ID``, or object.

        Returns:
            True.
        """
        self._none("DELETE", "/services/{id}", id=service)
        return True

    @overload
    def service_logs(
        self,
        service: Ref,
        details: bool = False,
        follow: bool = False,
        stdout: bool = False,
        stderr: bool = False,
        since: Moment = 0,
        timestamps: bool = False,
        tail: int | str = "all",
        is_tty: bool | None = None,
        *,
        demux: Literal[False] = False,
    ) -> FrameStream[bytes]: ...

    @overload
    def service_logs(
        self, service: Ref, *, demux: Literal[True], **options: Unpack[TaskLogOptions]
    ) -> FrameStream[Pair]: ...

    @overload
    def service_logs(
        self,
        service: Ref,
        details: bool = False,
        follow: bool = False,
        stdout: bool = False,
        stderr: bool = False,
        since: Moment = 0,
        timestamps: bool = False,
        tail: int | str = "all",
        is_tty: bool | None = None,
        *,
        demux: bool = False,
    ) -> FrameStream[bytes] | FrameStream[Pair]: ...

    def service_logs(
        self,
        service: Ref,
        details: bool = False,
        follow: bool = False,
        stdout: bool = False,
        stderr: bool = False,
        since: Moment = 0,
        timestamps: bool = False,
        tail: int | str = "all",
        is_tty: bool | None = None,
        *,
        demux: bool = False,
    ) -> FrameStream[bytes] | FrameStream[Pair]:
        """What a service's tasks have written, gathered from their nodes. ``GET /services/{id}/logs``

        Args:
            service: id, name, dict with ``ID``, or object.
            details: also task, node, labels and environment, before each line.
            follow: go on with what comes.
            stdout, stderr: which of the two; at least one.
            since: only from then on: a datetime (UTC where it has no zone) or seconds since 1970.
            timestamps: an RFC 3339 time before each line.
            tail: the last so many lines, or ``"all"``.
            is_tty: whether the tasks have a terminal; None asks the engine where that must be known.
            demux: pairs ``(stdout, stderr)`` of which one is None, instead of chunks.

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
        """The fields that say what tasks are and which networks they join; these moved into the template."""
        if networks is None:
            return {"TaskTemplate": template}
        attachments = [{"Target": one} if isinstance(one, str) else one for one in networks]
        if self._supports("POST /services/create", "TaskTemplate.Networks"):
            return {"TaskTemplate": {**template, "Networks": attachments}}
        return {"TaskTemplate": template, "Networks": attachments}

    def _registry_header(self, image: str | None, given: AuthSource | None) -> dict[str, str]:
        if image is None:
            return {}
        from dockerkit.auth import registry_headers, resolve_repository_name

        return registry_headers(self, resolve_repository_name(image)[0], given)


def log_query(
    details: bool,
    follow: bool,
    stdout: bool,
    stderr: bool,
    since: Moment,
    timestamps: bool,
    tail: int | str,
) -> dict[str, object]:
    """The query that the logs of services and of tasks have in common."""
    return {
        "details": details,
        "follow": follow,
        "stdout": stdout,
        "stderr": stderr,
        "since": _moment("since", since),
        "timestamps": timestamps,
        "tail": _tail(tail),
    }


def _image(template: Mapping[str, Any]) -> str | None:
    return (template.get("ContainerSpec") or {}).get("Image") or None


def _mode(mode: str | Spec | None) -> Spec | None:
    if not isinstance(mode, str):
        return mode
    from dockerkit.types.services import ServiceMode

    return ServiceMode(mode=cast("Any", mode))  # the value itself refuses modes that there are not


def _merged(current: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A task template changed where the new one says something."""
    merged = dict(current)
    for field, value in given.items():
        if field in _MERGED and isinstance(value, Mapping):
            kept = current.get(field) or {}
            merged[field] = {**kept, **{name: item for name, item in value.items() if item is not None}}
        elif value is not None:
            merged[field] = value
    return merged


ServiceApiMixin = ServiceAPI  # its name in docker-py
