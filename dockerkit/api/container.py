"""Containers: life cycle, state and processes. ``/containers`` and ``/commit``"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from dockerkit.api.base import APIBase, Ref, Timeout
from dockerkit.api.checks import check_optional
from dockerkit.api.container_create import ContainerCreateAPI
from dockerkit.api.container_files import ContainerFilesAPI
from dockerkit.api.container_streams import ContainerStreamsAPI
from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE as DEFAULT_DATA_CHUNK_SIZE
from dockerkit.api.encode import cells, filters_with, signal_name
from dockerkit.api.refs import LinkName, checked_name, resolve_id, subject_of
from dockerkit.api.request import Request
from dockerkit.errors import DeprecatedMethod, InvalidArgument, StreamParseError
from dockerkit.parsing import values
from dockerkit.parsing.values import mapping, string_list

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.parsing.shorthands import RestartPolicyName
    from dockerkit.parsing.values import Duration
    from dockerkit.transport import Response
    from dockerkit.types import answers
    from dockerkit.types.filters import ContainerFilters, PruneFilters
    from dockerkit.types.host_options import MoreLimits, UpdateOptions

Size = int | str

_PROTOCOLS = ("tcp", "udp", "sctp")
_CONDITIONS = ("not-running", "next-exit", "removed")


class ExitCode(int):
    """The exit code of a container: an int that can also be used as the engine's dict.

    Attributes:
        error: the engine's message about a failed removal, or None.
    """

    error: str | None

    def __new__(cls, code: int, error: str | None = None) -> ExitCode:
        self = super().__new__(cls, code)
        self.error = error
        return self

    @overload
    def __getitem__(self, key: Literal["StatusCode"]) -> int: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str) -> Any:
        try:
            return self._as_dict()[key]
        except KeyError:
            raise KeyError(key) from None

    def get(self, key: str, default: object = None) -> Any:
        """Return a field such as ``StatusCode``, as a dict does."""
        return self._as_dict().get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._as_dict()

    def _as_dict(self) -> dict[str, object]:
        return {"StatusCode": int(self), "Error": None if self.error is None else {"Message": self.error}}

    def __reduce__(self) -> tuple[object, ...]:
        return ExitCode, (int(self), self.error)


class ContainerAPI(ContainerCreateAPI, ContainerStreamsAPI, ContainerFilesAPI, APIBase):
    """The calls on containers. ``container`` is an ID, a name, a dict with ``Id``, or an object."""

    def containers(
        self,
        quiet: bool = False,
        all: bool = False,
        trunc: bool = False,
        latest: bool = False,
        since: str | None = None,
        before: str | None = None,
        limit: int | None = -1,
        size: bool = False,
        filters: ContainerFilters | None = None,
    ) -> list[answers.ContainerSummary]:
        """List containers. ``GET /containers/json``

        Args:
            quiet: return only ``Id`` of each container.
            all: include stopped containers.
            trunc: shorten IDs to 12 characters.
            latest: only the newest container, running or not.
            since, before: only containers created after, or before, the one with this ID or name.
            limit: maximum number of containers; returns the newest ones, running or not. -1 disables the limit.
            size: include ``SizeRw`` and ``SizeRootFs`` (bytes), which the engine takes a while to compute.
            filters: ``{"status": "running", "label": ["a=b"], ...}``.

        Returns:
            Summaries, newest first.
        """
        limit = -1 if limit is None else limit
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise InvalidArgument(f"limit: must be a number of containers, or -1, got {limit!r}")
        query = {
            "all": all or None,
            "limit": 1 if latest else (limit if limit != -1 else None),
            "size": size or None,
            "filters": filters_with(filters, since=since, before=before),
        }
        summaries: list[Any] = self._json("GET", "/containers/json", query=query, kind=list)
        if quiet:
            summaries = [{"Id": summary["Id"]} for summary in summaries]
        if trunc:
            summaries = [{**summary, "Id": summary["Id"][:12]} for summary in summaries]
        return summaries

    def inspect_container(self, container: Ref, size: bool | None = None) -> answers.ContainerInspectResponse:
        """Return all details of a container. ``GET /containers/{id}/json``

        Args:
            size: include ``SizeRw`` and ``SizeRootFs`` (bytes).
        """
        return self._json("GET", "/containers/{id}/json", id=container, query={"size": size})

    def start(self, container: Ref, *args: object, checkpoint: str | None = None, checkpoint_dir: str | None = None,
              detach_keys: str | None = None, **kwargs: object) -> bool:  # fmt: skip
        """Start a container, unless it is running already. ``POST /containers/{id}/start``

        Args:
            args, kwargs: not accepted: pass options when the container is created.
            checkpoint: name of a checkpoint to start from (experimental engines only).
            checkpoint_dir: folder of the checkpoint, if not the engine's default.
            detach_keys: key sequence that detaches; documented by the Engine, but ignored.

        Returns:
            False if it was running already.

        Raises:
            DeprecatedMethod: an option was passed that belongs to ``create_container(host_config=...)``.
        """
        if args or kwargs:
            passed = ", ".join(kwargs) or f"{len(args)} positional arguments"
            raise DeprecatedMethod(
                f"start() takes no options, got {passed}: pass them to create_container(host_config=create_host_config(...))"
            )
        query = {"checkpoint": checkpoint, "checkpoint-dir": checkpoint_dir, "detachKeys": detach_keys}
        return _changed_state(self._send(Request("POST", "/containers/{id}/start", {"id": container}, query)))

    def stop(self, container: Ref, timeout: Duration | None = 10, signal: str | int | None = None) -> bool:
        """Stop a container: send its stop signal, then SIGKILL after a timeout. ``POST /containers/{id}/stop``

        Args:
            timeout: seconds before SIGKILL; -1 waits indefinitely, None uses the container's StopTimeout.
            signal: name or number of a signal to use instead of the container's stop signal (API 1.42).

        Returns:
            False if it was not running.
        """
        seconds = check_optional(values.seconds, "timeout", timeout)
        query, extended = {"t": seconds, "signal": signal_name(signal)}, self._extended_timeout(seconds)
        request = Request("POST", "/containers/{id}/stop", {"id": container}, query, timeout=extended)
        return _changed_state(self._send(request))

    def restart(self, container: Ref, timeout: Duration | None = 10, signal: str | int | None = None) -> None:
        """Stop a container and start it again. ``POST /containers/{id}/restart``

        Args:
            timeout: seconds before SIGKILL; None uses the container's StopTimeout.
            signal: name or number of a signal to use instead of the container's stop signal (API 1.42).
        """
        seconds = check_optional(values.seconds, "timeout", timeout)
        query, extended = {"t": seconds, "signal": signal_name(signal)}, self._extended_timeout(seconds)
        self._no_content("POST", "/containers/{id}/restart", id=container, query=query, timeout=extended)

    def _extended_timeout(self, seconds: float | None) -> Timeout:
        """Return a read timeout extended by the engine's own waiting time; None if that is unknown."""
        read = self._timeouts.read
        if seconds is None or seconds < 0 or read is None:
            return None
        return (self._timeouts.connect, read + seconds)

    def kill(self, container: Ref, signal: str | int | None = None) -> None:
        """Send a signal to a container's main process. ``POST /containers/{id}/kill``

        Args:
            signal: name ("SIGHUP", "HUP") or number of the signal; None is SIGKILL.

        Raises:
            Conflict: the container is not running.
        """
        self._no_content("POST", "/containers/{id}/kill", id=container, query={"signal": signal_name(signal)})

    def pause(self, container: Ref) -> None:
        """Pause all processes of a container. ``POST /containers/{id}/pause``"""
        self._no_content("POST", "/containers/{id}/pause", id=container)

    def unpause(self, container: Ref) -> None:
        """Unpause a container. ``POST /containers/{id}/unpause``"""
        self._no_content("POST", "/containers/{id}/unpause", id=container)

    def rename(self, container: Ref, name: str) -> None:
        """Rename a container. ``POST /containers/{id}/rename``

        Raises:
            Conflict: the name is taken.
        """
        self._no_content("POST", "/containers/{id}/rename", id=container, query={"name": checked_name(name)})

    def resize(self, container: Ref, height: int, width: int) -> None:
        """Resize the terminal of a container. ``POST /containers/{id}/resize``

        Args:
            height, width: rows and columns.
        """
        self._no_content(
            "POST",
            "/containers/{id}/resize",
            id=container,
            query={"h": cells("height", height), "w": cells("width", width)},
        )

    def begin_wait(self, container: Ref, condition: str | None = None) -> Response:
        """Start waiting until a container stops. ``POST /containers/{id}/wait``

        Args:
            condition: as for :meth:`wait`.

        Returns:
            The response, whose body arrives when the container has stopped. From API 1.30 on the engine sends its head as
            soon as it waits, so that nothing that happens after this call is missed.
        """
        query = {"condition": condition}
        return self._send(Request("POST", "/containers/{id}/wait", {"id": container}, query, timeout=None, slow=False))

    def read_wait(self, response: Response) -> ExitCode:
        """Wait for the exit code of the container passed to :meth:`begin_wait`. ``POST /containers/{id}/wait``

        Args:
            response: result of :meth:`begin_wait`.

        Raises:
            StreamParseError: the response has no exit code.
        """
        content = response.read()
        try:
            result = json.loads(content)
        except (ValueError, RecursionError):
            result = None
        if not isinstance(result, dict) or not isinstance(result.get("StatusCode"), int):
            raise StreamParseError(f"the response to POST /containers/{{id}}/wait has no StatusCode: {content[:200]!r}")
        return _exit_code(result)

    def wait(self, container: Ref, timeout: Duration | None = None, condition: str | None = None) -> ExitCode:
        """Wait until a container stops. ``POST /containers/{id}/wait``

        Args:
            timeout: seconds to wait; None waits indefinitely.
            condition: ``"not-running"`` (the default), ``"next-exit"`` or ``"removed"`` (API 1.30).

        Returns:
            The exit code, -1 if the engine returned none; also supports ``["StatusCode"]`` and ``["Error"]``.

        Raises:
            ReadTimeout: the container did not stop in time, and keeps running. The error is also a TimeoutError and
                requests' ReadTimeout.
        """
        if condition is not None and condition not in _CONDITIONS:
            raise InvalidArgument(f"condition: must be one of {', '.join(_CONDITIONS)}, got {condition!r}")
        query = {"condition": condition}
        try:
            result = self._json("POST", "/containers/{id}/wait", id=container, query=query, timeout=timeout, slow=False)
        except TimeoutError as error:
            from dockerkit.errors import ReadTimeout  # imported lazily: it loads requests

            limit, subject = values.time_limit(timeout), subject_of("/containers/{id}/wait", {"id": container})
            if limit is None or not isinstance(error, ReadTimeout):
                raise
            done = "was not removed" if condition == "removed" else "did not stop"
            raise ReadTimeout(f"{subject} {done} within {limit:g} s") from error
        return _exit_code(result)

    def top(self, container: Ref, ps_args: str | None = None) -> answers.ContainerTopResponse:
        """List the processes of a container. ``GET /containers/{id}/top``

        Args:
            ps_args: options for ``ps``, such as ``"aux"``; None is the engine's default ``-ef``.
        """
        return self._json(
            "GET", "/containers/{id}/top", id=container, query={"ps_args": ps_args}, lists=("Titles", "Processes")
        )

    def diff(self, container: Ref) -> list[answers.FilesystemChange]:
        """List changed files of a container since it was created. ``GET /containers/{id}/changes``

        Returns:
            ``{"Path", "Kind"}`` of each file: kind 0 is modified, 1 added, 2 deleted.
        """
        return self._json("GET", "/containers/{id}/changes", id=container, kind=list)

    def port(self, container: Ref, private_port: int | str) -> list[answers.PortBinding] | None:
        """Return where a container's port is published. ``GET /containers/{id}/json``

        Args:
            private_port: ``80`` or ``"80"`` (tcp, otherwise udp, otherwise sctp), or ``"80/udp"``.

        Returns:
            ``[{"HostIp", "HostPort"}]``, or None if it is not published (always with host networking).
        """
        names = _port_names(private_port)
        ports: Mapping[str, Any] = self.inspect_container(container).get("NetworkSettings", {}).get("Ports") or {}
        return next((ports[name] for name in names if ports.get(name)), None)

    def remove_container(self, container: Ref, v: bool = False, link: bool = False, force: bool = False) -> None:
        """Remove a container. ``DELETE /containers/{id}``

        Args:
            v: also remove its anonymous volumes.
            link: remove a link instead of a container; ``container`` is its name, ``"container/alias"``.
            force: kill it first if it is running.
        """
        query = {"v": v or None, "link": link or None, "force": force or None}
        if link:
            container = LinkName(resolve_id(container, "container"))
        self._no_content("DELETE", "/containers/{id}", id=container, query=query)

    def prune_containers(self, filters: PruneFilters | None = None) -> answers.ContainerPruneResponse:
        """Remove all stopped containers. ``POST /containers/prune``

        Args:
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``.

        Returns:
            ``ContainersDeleted`` (IDs, or None) and ``SpaceReclaimed`` (bytes).
        """
        return self._json(
            "POST", "/containers/prune", query={"filters": filters or {}}, timeout=None, lists=("ContainersDeleted",)
        )

    def update_container(
        self,
        container: Ref,
        blkio_weight: int | None = None,
        cpu_period: int | None = None,
        cpu_quota: int | None = None,
        cpu_shares: int | None = None,
        cpuset_cpus: str | None = None,
        cpuset_mems: str | None = None,
        mem_limit: Size | None = None,
        mem_reservation: Size | None = None,
        memswap_limit: Size | None = None,
        kernel_memory: Size | None = None,
        restart_policy: RestartPolicyName | Mapping[str, Any] | ToEngine | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        **resources: Unpack[MoreLimits],
    ) -> answers.ContainerUpdateResponse:
        """Change the limits of a container. ``POST /containers/{id}/update``

        Args:
            blkio_weight: block I/O weight from 10 to 1000; 0 disables it.
            cpu_period, cpu_quota: CPU limits in microseconds.
            cpu_shares: relative CPU weight.
            cpuset_cpus, cpuset_mems: CPUs and memory nodes, such as ``"0-3"`` or ``"0,1"``.
            mem_limit, mem_reservation, memswap_limit, kernel_memory: bytes, or a string such as ``"512m"``.
            restart_policy: ``{"Name": "on-failure", "MaximumRetryCount": 5}``.
            body: additional fields of the Engine's ``UpdateConfig``.
            resources: options of :class:`~dockerkit.types.host_options.MoreLimits`: ``nano_cpus``, ``pids_limit``,
                ``devices``...

        Returns:
            ``{"Warnings": [...]}``. None keeps a limit; 0 and False are values.
        """
        from dockerkit.types.containers import update_config

        options: Mapping[str, object] = {
            "blkio_weight": blkio_weight,
            "cpu_period": cpu_period,
            "cpu_quota": cpu_quota,
            "cpu_shares": cpu_shares,
            "cpuset_cpus": cpuset_cpus,
            "cpuset_mems": cpuset_mems,
            "mem_limit": mem_limit,
            "mem_reservation": mem_reservation,
            "memswap_limit": memswap_limit,
            "kernel_memory": kernel_memory,
            "restart_policy": restart_policy,
            **resources,
        }
        changed = cast("UpdateOptions", {name: value for name, value in options.items() if value is not None})
        config = {**update_config(**changed), **mapping(body or {}, "body")}
        return self._json("POST", "/containers/{id}/update", id=container, body=config, lists=("Warnings",))

    def commit(
        self,
        container: Ref,
        repository: str | None = None,
        tag: str | None = None,
        message: str | None = None,
        author: str | None = None,
        changes: str | Sequence[str] | None = None,
        conf: Mapping[str, Any] | None = None,
        pause: bool = True,
    ) -> answers.IDResponse:
        """Create an image from a container. ``POST /commit``

        Args:
            repository, tag: name of the image; None leaves it unnamed.
            message, author: recorded in the image's history.
            changes: Dockerfile instructions to apply, as a string or a list.
            conf: the Engine's ``ContainerConfig`` for the image, instead of the container's.
            pause: pause the container during the commit.

        Returns:
            ``{"Id": "sha256:..."}``.
        """
        if isinstance(changes, bool):
            # Positional arguments in the order of docker-py 7: pause, changes, conf.
            pause, changes, conf = changes, cast("str | Sequence[str] | None", conf), cast("Any", pause)
            conf = None if isinstance(conf, bool) else conf
        query = {
            "container": resolve_id(container, "container"),
            "repo": repository,
            "tag": tag,
            "comment": message,
            "author": author,
            "pause": pause,
            "changes": changes
            if changes is None or isinstance(changes, str)
            else "\n".join(string_list(changes, "changes")),
        }
        return self._json("POST", "/commit", query=query, body=conf, timeout=None, needs="Id")


def _exit_code(result: Mapping[str, Any] | None) -> ExitCode:
    result = result or {}
    code = result.get("StatusCode")
    failure = result.get("Error")
    return ExitCode(
        code if isinstance(code, int) else -1, failure.get("Message") if isinstance(failure, dict) else None
    )


ContainerApiMixin = ContainerAPI  # docker-py's name


def _port_names(private_port: object) -> list[str]:
    """Return the Engine's names of a port: ``["80/tcp", "80/udp", "80/sctp"]`` without a protocol."""
    number, slash, protocol = str(private_port).partition("/")
    is_known = protocol in _PROTOCOLS or not slash
    if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= 65535 and is_known):
        raise InvalidArgument(f'private_port: must be a port such as 80, "80" or "80/udp", got {private_port!r}')
    return [f"{int(number)}/{name}" for name in ([protocol] if slash else _PROTOCOLS)]


def _changed_state(response: Response) -> bool:
    """Read a response without a body; return False if nothing changed (304)."""
    response.read()
    return response.status != 304
