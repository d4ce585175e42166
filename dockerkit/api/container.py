"""Containers: life cycle, state, and what runs in them. ``/containers`` and ``/commit``"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from dockerkit.api.base import Base, Ref, Timeout
from dockerkit.api.container_create import ContainerCreateAPI
from dockerkit.api.container_files import ContainerFilesAPI
from dockerkit.api.container_streams import ContainerStreamsAPI
from dockerkit.api.encode import Filters, cells, filters_with, signal_name
from dockerkit.api.refs import LinkName, checked_name, name_of
from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE as DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import DeprecatedMethod, InvalidArgument

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.types import answers
    from dockerkit.types.host_options import MoreLimits, UpdateOptions
    from dockerkit.types.wire import ToEngine

Size = int | str

_PROTOCOLS = ("tcp", "udp", "sctp")
_CONDITIONS = ("not-running", "next-exit", "removed")


class ExitCode(int):
    """The exit code of a container that was waited for: an int which also answers as the engine's dict.

    Attributes:
        error: the engine's text about a failed removal, or None.
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
            return self._answer()[key]
        except KeyError:
            raise KeyError(key) from None

    def get(self, key: str, default: object = None) -> Any:
        """``result.get("StatusCode")``, as a dict's."""
        return self._answer().get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._answer()

    def _answer(self) -> dict[str, object]:
        return {"StatusCode": int(self), "Error": None if self.error is None else {"Message": self.error}}

    def __reduce__(self) -> tuple[object, ...]:
        return ExitCode, (int(self), self.error)


class ContainerAPI(ContainerCreateAPI, ContainerStreamsAPI, ContainerFilesAPI, Base):
    """The calls on containers."""

    def containers(
        self,
        quiet: bool = False,
        all: bool = False,
        trunc: bool = False,
        latest: bool = False,
        since: str | None = None,
        before: str | None = None,
        limit: int = -1,
        size: bool = False,
        filters: Filters | None = None,
    ) -> list[answers.ContainerSummary]:
        """List containers. ``GET /containers/json``

        Args:
            quiet: keep only ``Id`` of each.
            all: also those that don't run.
            trunc: cut ids to 12 characters.
            latest: only the newest, running or not.
            since, before: only those created after, or before, the container of this id or name.
            limit: the newest so many, running or not; -1 is no limit.
            size: also ``SizeRw`` and ``SizeRootFs`` (bytes), which takes the engine a while.
            filters: ``{"status": "running", "label": ["a=b"], ...}``.

        Returns:
            Summaries, newest first.
        """
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise InvalidArgument(f"limit: a number of containers is needed, or -1, not {limit!r}")
        query = {
            "all": all or None,
            "limit": 1 if latest else (limit if limit != -1 else None),
            "size": size or None,
            "filters": filters_with(filters, since=since, before=before),
        }
        found: list[Any] = self._json("GET", "/containers/json", query=query, kind=list)
        if quiet:
            found = [{"Id": summary["Id"]} for summary in found]
        if trunc:
            found = [{**summary, "Id": summary["Id"][:12]} for summary in found]
        return found

    def inspect_container(self, container: Ref, size: bool | None = None) -> answers.ContainerInspectResponse:
        """All that the engine knows of a container. ``GET /containers/{id}/json``

        Args:
            container: id, name, dict with ``Id``, or object.
            size: also ``SizeRw`` and ``SizeRootFs`` (bytes).
        """
        return self._json("GET", "/containers/{id}/json", id=container, query={"size": size})

    def start(self, container: Ref, *args: object, checkpoint: str | None = None, checkpoint_dir: str | None = None,
              detach_keys: str | None = None, **kwargs: object) -> None:  # fmt: skip
        """Start a container; one that runs already is left alone. ``POST /containers/{id}/start``

        Args:
            container: id, name, dict with ``Id``, or object.
            args, kwargs: nothing: options are given when the container is created.
            checkpoint: name of a checkpoint to start from (an experimental engine).
            checkpoint_dir: folder of the checkpoint, where it is not the engine's own.
            detach_keys: the key sequence that detaches; engines document it here and ignore it.

        Raises:
            DeprecatedMethod: an option was given that belongs to ``create_container(host_config=...)``.
        """
        if args or kwargs:
            given = ", ".join(kwargs) or f"{len(args)} positional arguments"
            raise DeprecatedMethod(
                f"start() takes no options ({given}): give them to create_container(host_config=create_host_config(...))"
            )
        self._start(container, checkpoint, checkpoint_dir, detach_keys)

    def _start(
        self,
        container: Ref,
        checkpoint: str | None = None,
        checkpoint_dir: str | None = None,
        detach_keys: str | None = None,
    ) -> bool:
        query = {"checkpoint": checkpoint, "checkpoint-dir": checkpoint_dir, "detachKeys": detach_keys}
        return self._changed("POST", "/containers/{id}/start", id=container, query=query)

    def stop(self, container: Ref, timeout: float | None = 10, signal: str | int | None = None) -> None:
        """Stop a container: its stop signal, then, after a while, SIGKILL. ``POST /containers/{id}/stop``

        Args:
            container: id, name, dict with ``Id``, or object.
            timeout: seconds before SIGKILL; -1 waits for ever, None is the container's own (its StopTimeout).
            signal: instead of the container's stop signal: a name or a number (API 1.42).

        A container that does not run is left alone. The call waits as long as the engine needs.
        """
        self._stop(container, timeout, signal)

    def _stop(self, container: Ref, timeout: float | None, signal: str | int | None) -> bool:
        query = {"t": _whole_seconds(timeout), "signal": signal_name(signal)}
        longer = self._longer_than(timeout)
        return self._changed("POST", "/containers/{id}/stop", id=container, query=query, timeout=longer)

    def restart(self, container: Ref, timeout: float | None = 10, signal: str | int | None = None) -> None:
        """Stop a container and start it again. ``POST /containers/{id}/restart``

        Args:
            container: id, name, dict with ``Id``, or object.
            timeout: seconds between the stop signal and SIGKILL; None is the container's own.
            signal: instead of the container's stop signal: a name or a number (API 1.42).
        """
        query = {"t": _whole_seconds(timeout), "signal": signal_name(signal)}
        self._none("POST", "/containers/{id}/restart", id=container, query=query, timeout=self._longer_than(timeout))

    def _longer_than(self, seconds: float | None) -> Timeout:
        """A read timeout that leaves the engine the time it was given itself; the container's own time is not known."""
        read = self._timeouts.read
        if seconds is None or seconds < 0 or read is None:
            return None
        return (self._timeouts.connect, read + seconds)

    def kill(self, container: Ref, signal: str | int | None = None) -> None:
        """Send a signal to a container's main process. ``POST /containers/{id}/kill``

        Args:
            container: id, name, dict with ``Id``, or object.
            signal: a name ("SIGHUP", "HUP") or a number; None is SIGKILL.

        Raises:
            Conflict: it does not run.
        """
        self._none("POST", "/containers/{id}/kill", id=container, query={"signal": signal_name(signal)})

    def pause(self, container: Ref) -> None:
        """Freeze all processes of a container. ``POST /containers/{id}/pause``"""
        self._none("POST", "/containers/{id}/pause", id=container)

    def unpause(self, container: Ref) -> None:
        """Let a paused container go on. ``POST /containers/{id}/unpause``"""
        self._none("POST", "/containers/{id}/unpause", id=container)

    def rename(self, container: Ref, name: str) -> None:
        """Give a container another name. ``POST /containers/{id}/rename``

        Raises:
            Conflict: the name is taken.
        """
        self._none("POST", "/containers/{id}/rename", id=container, query={"name": checked_name(name)})

    def resize(self, container: Ref, height: int, width: int) -> None:
        """Tell a container's terminal its size. ``POST /containers/{id}/resize``

        Args:
            container: id, name, dict with ``Id``, or object.
            height, width: rows and columns.
        """
        self._none(
            "POST",
            "/containers/{id}/resize",
            id=container,
            query={"h": cells("height", height), "w": cells("width", width)},
        )

    def wait(self, container: Ref, timeout: float | None = None, condition: str | None = None) -> ExitCode:
        """Wait until a container stops. ``POST /containers/{id}/wait``

        Args:
            container: id, name, dict with ``Id``, or object.
            timeout: seconds; None waits for ever.
            condition: ``"not-running"`` (the default), ``"next-exit"`` or ``"removed"`` (API 1.30).

        Returns:
            The exit code, -1 where the engine gave none; it also answers ``["StatusCode"]`` and ``["Error"]``.

        Raises:
            EngineTimeout: it did not stop in time (also requests' ReadTimeout, also TimeoutError); it goes on running.
        """
        if condition is not None and condition not in _CONDITIONS:
            raise InvalidArgument(f"condition: one of {', '.join(_CONDITIONS)} is needed, not {condition!r}")
        answer = self._json(
            "POST", "/containers/{id}/wait", id=container, query={"condition": condition}, timeout=timeout
        )
        return _exit_code(answer)

    def top(self, container: Ref, ps_args: str | None = None) -> answers.ContainerTopResponse:
        """The processes of a container. ``GET /containers/{id}/top``

        Args:
            container: id, name, dict with ``Id``, or object.
            ps_args: options for ``ps``, as ``"aux"``; None is the engine's ``-ef``.
        """
        return self._json("GET", "/containers/{id}/top", id=container, query={"ps_args": ps_args})

    def diff(self, container: Ref) -> list[answers.FilesystemChange]:
        """What changed in a container's files since it was created. ``GET /containers/{id}/changes``

        Returns:
            ``{"Path", "Kind"}`` of each: kind 0 is modified, 1 added, 2 deleted.
        """
        return self._json("GET", "/containers/{id}/changes", id=container, kind=list)

    def port(self, container: Ref, private_port: int | str) -> list[answers.PortBinding] | None:
        """Where a container's port is published. ``GET /containers/{id}/json``

        Args:
            container: id, name, dict with ``Id``, or object.
            private_port: ``80`` or ``"80"`` (tcp, else udp, else sctp), or ``"80/udp"``.

        Returns:
            ``[{"HostIp", "HostPort"}]``, or None where it is not published (always with host networking).
        """
        names = _port_names(private_port)
        ports: Mapping[str, Any] = self.inspect_container(container).get("NetworkSettings", {}).get("Ports") or {}
        return next((ports[name] for name in names if ports.get(name)), None)

    def remove_container(self, container: Ref, v: bool = False, link: bool = False, force: bool = False) -> None:
        """Remove a container. ``DELETE /containers/{id}``

        Args:
            container: id, name, dict with ``Id``, or object.
            v: also its anonymous volumes.
            link: ``container`` is the name of a link, ``"container/alias"``: remove that, not the container.
            force: kill it first if it runs.
        """
        query = {"v": v or None, "link": link or None, "force": force or None}
        if link:
            container = LinkName(name_of(container, "container"))
        self._none("DELETE", "/containers/{id}", id=container, query=query)

    def prune_containers(self, filters: Filters | None = None) -> answers.ContainerPruneResponse:
        """Remove all stopped containers. ``POST /containers/prune``

        Args:
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``.

        Returns:
            ``ContainersDeleted`` (ids, or None) and ``SpaceReclaimed`` (bytes).
        """
        return self._json("POST", "/containers/prune", query={"filters": filters or {}}, timeout=None)

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
        restart_policy: str | Mapping[str, Any] | ToEngine | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        **resources: Unpack[MoreLimits],
    ) -> answers.ContainerUpdateResponse:
        """Change the limits of a container. ``POST /containers/{id}/update``

        Args:
            container: id, name, dict with ``Id``, or object.
            blkio_weight: 10 to 1000, 0 to switch off.
            cpu_period, cpu_quota: microseconds.
            cpu_shares: relative weight.
            cpuset_cpus, cpuset_mems: ``"0-3"``, ``"0,1"``.
            mem_limit, mem_reservation, memswap_limit, kernel_memory: bytes, or ``"512m"``.
            restart_policy: ``{"Name": "on-failure", "MaximumRetryCount": 5}``.
            body: more of the Engine's ``UpdateConfig``, as it is.
            resources: the rows of :class:`~dockerkit.types.host_options.MoreLimits`: ``nano_cpus``, ``pids_limit``,
                ``devices``...

        Returns:
            ``{"Warnings": [...]}``. 0 and False are values; None leaves a limit as it is.
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
        given = cast("UpdateOptions", {name: value for name, value in options.items() if value is not None})
        wanted = {**update_config(**given), **(body or {})}
        return self._json("POST", "/containers/{id}/update", id=container, body=wanted)

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
        """Make an image of a container. ``POST /commit``

        Args:
            container: id, name, dict with ``Id``, or object.
            repository, tag: the image's name; None leaves it without.
            message, author: kept in the image's history.
            changes: Dockerfile instructions to apply: one text, or a list.
            conf: the Engine's ``ContainerConfig`` for the image, instead of the container's.
            pause: hold the container meanwhile.

        Returns:
            ``{"Id": "sha256:..."}``.
        """
        if isinstance(changes, bool):
            raise InvalidArgument("changes: instructions are needed, not a boolean; give pause by name")
        query = {
            "container": name_of(container, "container"),
            "repo": repository,
            "tag": tag,
            "comment": message,
            "author": author,
            "pause": pause,
            "changes": changes if changes is None or isinstance(changes, str) else "\n".join(changes),
        }
        return self._json("POST", "/commit", query=query, body=conf, timeout=None, needs="Id")


def _whole_seconds(seconds: float | None) -> int | None:
    """Seconds for the engine, which takes whole ones: rounded up, so that nobody gets less time than was given."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds != seconds:
        raise InvalidArgument(f"timeout: a number of seconds is needed, not {seconds!r}")
    return int(seconds) if seconds == int(seconds) else int(seconds) + 1


def _exit_code(answer: Mapping[str, Any] | None) -> ExitCode:
    answer = answer or {}
    code = answer.get("StatusCode")
    failure = answer.get("Error")
    return ExitCode(
        code if isinstance(code, int) else -1, failure.get("Message") if isinstance(failure, dict) else None
    )


ContainerApiMixin = ContainerAPI  # its name in docker-py


def _port_names(private_port: object) -> list[str]:
    """The Engine's names of a port: ``["80/tcp", "80/udp", "80/sctp"]`` where no protocol is given."""
    number, slash, protocol = str(private_port).partition("/")
    known = protocol in _PROTOCOLS or not slash
    if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= 65535 and known):
        raise InvalidArgument(f'private_port: a port such as 80, "80" or "80/udp" is needed, not {private_port!r}')
    return [f"{int(number)}/{one}" for one in ([protocol] if slash else _PROTOCOLS)]
