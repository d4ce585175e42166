"""A running build: its events, result and cancellation."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.channel import Channel
from dockerkit.builder.buildkit.control import Control, Engine, new_id
from dockerkit.builder.buildkit.failure import build_error
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.session import BuildSession
from dockerkit.builder.buildkit.trace import BuildWarning, Trace
from dockerkit.credentials.auth import AuthConfig
from dockerkit.errors import BuildError, DockerException, InvalidArgument
from dockerkit.progress import Event, Progress, ProgressSpec, Renderer, Step, renderer
from dockerkit.streams.closable import ClosableIterator
from dockerkit.transport.shield import Shielded

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.builder.buildkit.options import BuildRequest
    from dockerkit.builder.buildkit.outputs import Exporter
    from dockerkit.builder.buildkit.remote import BuildKitHost

__all__ = ["BuildResult", "BuildStream", "session_of"]

T = TypeVar("T")

_LOG_RECORDS = 20_000
_STATUS_GRACE = 1.0  # seconds to wait for the last status messages after the build has ended


@dataclass
class BuildResult:
    """The result of a build.

    Attributes:
        image_id: ID of the image in the engine; None if the outputs include no image there.
        tags: full names of the image.
        metadata: BuildKit's metadata about the outputs, such as ``containerimage.digest``.
        warnings: warnings about the Dockerfile and the options.
        steps: all steps, with times, last lines of output, and whether the cache was used.
        log: last 20,000 lines as records like the classic builder's: ``{"stream": "..."}``.
        builder: "buildkit".
    """

    image_id: str | None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: list[BuildWarning] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    builder: str = "buildkit"


class BuildStream(ClosableIterator[Event]):
    """A running build, as an iterator over its events: start and end of steps, bytes, lines of output, warnings.

    Closing it early cancels the build, and so does leaving the ``with`` block, or Ctrl-C. The build continues
    even without iteration; :meth:`result` waits for its end.

    Attributes:
        state: current progress.
        id: BuildKit's ID of this build.
    """

    def __init__(
        self,
        api: APIClient,
        plan: BuildRequest,
        progress: ProgressSpec = None,
        title: str = "",
        remote: BuildKitHost | None = None,
    ) -> None:
        self.id: str = new_id()
        self._remote = remote
        self._api = api
        self._plan = plan
        self._events: deque[Event] = deque()
        self._records: deque[dict[str, Any]] = deque(maxlen=_LOG_RECORDS)
        self.state: Progress = Progress(title, Recorder(self._events, self._records, renderer(progress)))
        self._trace = Trace(self.state)
        self._result: BuildResult | None = None
        self._failure: BaseException | None = None
        self._cancelled = False
        self._closers: list[Callable[[], object]] = []
        self._channels: list[Channel] = []
        try:
            self._start()
        except GrpcError as error:
            failure = BuildError(f"the build could not be started: {error.message}", code=error.status)
            self._fail(failure)
            raise failure from error
        except BaseException as error:
            self._fail(error)
            raise

    def _start(self) -> None:
        plan = self._plan
        control = self._open(partial(Control, self._api, self._remote), Control.close)
        self._channels.append(control.channel)
        self._engine = control.engine()
        plan.check(self._engine)
        self._session = session_of(self._api, plan)
        self._channels.append(self._open(partial(self._session.open, control), Channel.close))
        for warning in plan.warnings:
            self._trace.warnings.append(BuildWarning(warning))
            self.state.warning(warning)
        self._solve = control.call("Solve")
        self._closers.append(self._solve.cancel)
        self._solve.request(self._request(self._engine))
        self._status = control.call("Status")
        self._closers.append(self._status.cancel)
        self._status.request(messages.StatusRequest(ref=self.id))
        self._solve.on_end(self._status.poke)

    def _open(self, dial: Callable[[], T], close: Callable[[T], object]) -> T:
        """Open a connection, which an interrupt in the middle can't lose: closing the build closes it."""
        connection = Shielded(dial, close)
        self._closers.append(connection.undo)
        return connection.result()

    def _request(self, engine: Engine) -> Any:
        plan = self._plan
        attrs = dict(plan.attrs)
        if plan.hosts:
            attrs["add-hosts"] = ",".join(self._host(line) for line in plan.hosts)
        if all(item.keys() == {"type", "ref"} for item in plan.cache_from):
            attrs |= {"cache-from": ",".join(item["ref"] for item in plan.cache_from)} if plan.cache_from else {}
        else:
            attrs["cache-imports"] = json.dumps(
                [{"Type": kind, "Attrs": rest} for kind, rest in map(_split_type, plan.cache_from)]
            )
        request = messages.SolveRequest(
            ref=self.id,
            session=self._session.id,
            frontend="dockerfile.v0",
            frontend_attrs=attrs,
            entitlements=plan.entitlements,
        )
        for target, entries in ((request.cache.exports, plan.cache_to), (request.cache.imports, plan.cache_from)):
            for kind, rest in map(_split_type, entries):
                target.add(type=kind, attrs=rest)
        exporters = [_exporter(output, plan, self._remote) for output in plan.outputs if output.type != "cacheonly"]
        if len(exporters) == 1:  # older BuildKits only read these fields, and silently export nothing otherwise
            request.exporter = exporters[0].type
            request.exporter_attrs.update(exporters[0].attrs)
        request.exporters.extend(exporters)
        return request

    def _host(self, line: str) -> str:
        name, _, address = line.partition(":")
        return f"{name}={self._gateway() if address == 'host-gateway' else address}"

    def _gateway(self) -> str:
        """Return the address of ``host-gateway``: the engine's side of its default network."""
        if self._engine.gateway:
            return self._engine.gateway
        if self._remote is not None:
            raise InvalidArgument("extra_hosts: this builder has no host-gateway; pass the address")
        for settings in self._api.inspect_network("bridge")["IPAM"].get("Config") or []:
            if settings.get("Gateway"):
                return settings["Gateway"]
            if settings.get("Subnet"):
                return str(next(ipaddress.ip_network(settings["Subnet"]).hosts()))
        raise InvalidArgument("extra_hosts: this engine does not report the address of host-gateway; pass the address")

    # -- running -------------------------------------------------------------------------------------------------

    def __next__(self) -> Event:
        while not self._events and self._result is None and self._failure is None:
            self._advance()
        if self._events:
            return self._events.popleft()
        if self._failure is not None:
            raise self._failure
        raise StopIteration

    def result(self) -> BuildResult:
        """Wait until the build has finished and return its result.

        Raises:
            BuildError: a step or the build as a whole failed; holds everything known about the failure.
            UnreadableFile: a file of the context can't be read.
            InvalidArgument: a file of the context can't be sent.
        """
        while self._result is None and self._failure is None:
            self._events.clear()
            self._advance()
        if self._failure is not None:
            raise self._failure
        assert self._result is not None
        return self._result

    def _advance(self) -> None:
        """Process the next status message, or the end of the build, which leaves a result or a failure."""
        try:
            message = self._next_status()
            if message is None:
                self._finish()
            else:
                self._trace.feed(messages.parse("StatusResponse", message))
        except GrpcError as error:
            failure = self._explain(error)
            failure.__cause__ = error
            self._fail(failure)
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, DockerException):
                raise

    def _next_status(self) -> bytes | None:
        """Return the next status message; None after the last one, or once the grace period after the build is over."""
        deadline: float | None = None
        while True:
            if self._solve.ended and deadline is None:
                deadline = time.monotonic() + _STATUS_GRACE
            remaining = self._plan.timeout if deadline is None else max(deadline - time.monotonic(), 0)
            try:
                return self._status.receive(remaining, until=None if deadline else lambda: self._solve.ended)
            except TimeoutError:
                if deadline is None and not self._solve.ended:
                    raise
                if deadline is not None and time.monotonic() >= deadline:
                    return None
            except GrpcError:
                return None  # the solve call reports the outcome

    def _finish(self) -> None:
        response = self._solve.response("SolveResponse")
        if missing := self._session.missing():
            names = ", ".join(output.type for output in missing)
            raise BuildError(
                f"the build finished, but these outputs were not sent: {names}; the BuildKit may be too old for several outputs"
            )
        metadata = dict(response.exporter_response)
        if (cache := self._plan.local_caches.get("cache_to")) is not None and "cache.manifest" in metadata:
            cache.add_manifest(json.loads(metadata["cache.manifest"]))
        self.state.finish()
        self._close_all()
        self._result = BuildResult(
            image_id=_image_id(metadata, self._plan) if self._remote is None else None,
            tags=self._plan.tags,
            metadata=metadata,
            warnings=list(self._trace.warnings),
            steps=list(self.state.steps.values()),
            log=list(self._records),
        )

    def _explain(self, error: GrpcError) -> BaseException:
        """Return the failure on this side if there was one, otherwise BuildKit's."""
        local_failures = [
            failure for failure in self._session.failures if isinstance(failure, (DockerException, OSError))
        ]
        if local_failures and not self._cancelled:
            return local_failures[0]
        failure = build_error(error, self._trace, self._plan.source, list(self._records))
        if self._cancelled or error.status == grpc.CANCELLED:
            failure.msg = failure.message = f"the build was cancelled ({failure.msg})"
        return failure

    # -- ending --------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Cancel the build, from any thread. Pending iteration and waits raise BuildError."""
        self._cancelled = True
        self._solve.cancel()
        self._status.cancel()

    def close(self) -> None:
        """Cancel the build if it is still running, and close its connections. Further calls do nothing."""
        if self._result is None and self._failure is None:
            self._cancelled = True
            self._fail(BuildError("the build was closed before it finished"))
        self._close_all()

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        if self.state.error is None:
            self.state.failed(str(error) or type(error).__name__)
        self._close_all()
        self.state.finish()

    def _close_all(self) -> None:
        with contextlib.suppress(IndexError):  # if several threads or a signal handler close at once, each takes some
            while True:
                self._closers.pop()()

    def __del__(self) -> None:
        for channel in getattr(self, "_channels", ()):
            channel.stop()  # only stop: the garbage collector may run this in a thread that closing would wait for

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id[:12]}: {self.state!r}>"


class Recorder:
    """Collects events for iteration and log lines for the result, and updates a display."""

    def __init__(self, events: deque[Event], records: deque[dict[str, Any]], display: Renderer | None) -> None:
        self._events, self._records, self._display = events, records, display

    def update(self, progress: Progress, event: Event) -> None:
        self._events.append(event)
        line = _line(event)
        if line:
            self._records.append({"stream": line + "\n"})
        if self._display is not None:
            self._display.update(progress, event)

    def finish(self, progress: Progress) -> None:
        if self._display is not None:
            self._display.finish(progress)


def _line(event: Event) -> str | None:
    """Return the log line for an event; None if it has none."""
    number = f"#{event.step.number} " if event.step is not None else ""
    if event.kind in ("started", "log", "message"):
        return number + event.text
    if event.kind == "warning":
        return f"WARNING: {event.text}"
    if event.kind == "done" and event.step is not None:
        end = f"ERROR: {event.step.error}" if event.step.error else "CACHED" if event.step.cached else "DONE"
        return number + end
    return None


def session_of(api: APIClient, plan: BuildRequest) -> BuildSession:
    """Return the session that serves a build."""
    return BuildSession(
        auth=partial(_credentials, api, plan.auth_configs),
        trees=plan.source.trees,
        secrets=plan.secrets,
        agents=plan.agents,
        outputs=plan.outputs,
        archive=plan.source.archive,
        caches={cache.folder: cache for cache in plan.local_caches.values()},
    )


def _credentials(api: APIClient, auth_configs: Mapping[str, Mapping[str, Any]] | None) -> AuthConfig:
    return api.auth_config if auth_configs is None else AuthConfig({"auths": dict(auth_configs)})


def _exporter(output: Exporter, plan: BuildRequest, remote: BuildKitHost | None) -> Any:
    attrs = dict(output.attrs)
    kind: str = output.type
    if kind in ("image", "oci", "docker"):
        if plan.tags:
            attrs.setdefault("name", ",".join(plan.tags))
        attrs = {**plan.annotations, **attrs}
    if kind == "image" and remote is None:
        kind = "moby"  # "image" would omit an unnamed image from the engine's list
    elif kind == "local":
        kind = "tar"  # the same files, extracted on this side with safety checks
    return messages.Exporter(type=kind, attrs=attrs)


def _split_type(cache: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    return cache["type"], {key: value for key, value in cache.items() if key != "type"}


def _image_id(metadata: dict[str, str], plan: BuildRequest) -> str | None:
    if not any(output.type == "image" for output in plan.outputs):
        return None
    # In containerd's store, an image's ID is the digest of its manifest or index; elsewhere, of its configuration.
    keys = ["containerimage.digest", "containerimage.config.digest"]
    if "containerimage.descriptor" not in metadata:
        keys.reverse()
    return next((metadata[key] for key in keys if metadata.get(key)), None)
