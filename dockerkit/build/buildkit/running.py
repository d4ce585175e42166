"""A build that runs: its events, its end, and how to stop it."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from dockerkit.auth import AuthConfig
from dockerkit.build.buildkit import grpc, messages
from dockerkit.build.buildkit.control import Control, Engine, new_id
from dockerkit.build.buildkit.failure import build_error
from dockerkit.build.buildkit.grpc import GrpcError
from dockerkit.build.buildkit.session import Session
from dockerkit.build.buildkit.trace import BuildWarning, Trace
from dockerkit.errors import BuildError, DockerException, InvalidArgument
from dockerkit.progress import Event, Progress, ProgressSpec, Renderer, Step, renderer

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.build.buildkit.options import Plan

__all__ = ["BuildResult", "BuildStream"]

_LOG_RECORDS = 20_000
_STATUS_GRACE = 1.0  # seconds for the last words after the build's own end


@dataclass
class BuildResult:
    """What came of a build.

    Attributes:
        image_id: of the image, as the engine's other calls know it; None where the outputs hold none in the engine.
        tags: its complete names.
        metadata: what BuildKit tells about the outputs, such as ``containerimage.digest``.
        warnings: about the Dockerfile and the options.
        steps: all steps, with their times, last lines of output, and whether they came out of the cache.
        log: the text as records, in the form of the classic builder's: ``{"stream": "..."}``; the last 20,000 lines.
        builder: "buildkit".
    """

    image_id: str | None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: list[BuildWarning] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    builder: str = "buildkit"


class BuildStream:
    """A build that runs, as an iterator over its events: steps that start and end, bytes, lines of output, warnings.

    Closing it before its end cancels the build, and so does leaving the ``with`` block, or Ctrl-C. The build goes on
    whether or not anybody iterates; :meth:`result` waits for its end.

    Attributes:
        state: where it stands.
        id: BuildKit's name for this build.
    """

    def __init__(self, api: APIClient, plan: Plan, progress: ProgressSpec = None, title: str = "") -> None:
        self.id: str = new_id()
        self._api = api
        self._plan = plan
        self._events: deque[Event] = deque()
        self._records: deque[dict[str, Any]] = deque(maxlen=_LOG_RECORDS)
        self.state: Progress = Progress(title, _Recorder(self._events, self._records, renderer(progress)))
        self._trace = Trace(self.state)
        self._result: BuildResult | None = None
        self._failure: BaseException | None = None
        self._cancelled = False
        self._closed = threading.Lock()
        self._stack = contextlib.ExitStack()
        try:
            self._start()
        except GrpcError as error:
            failure = BuildError(f"the build could not be started: {error.message}", code=error.status)
            self._give_up(failure)
            raise failure from error
        except BaseException as error:
            self._give_up(error)
            raise

    def _start(self) -> None:
        plan = self._plan
        control = Control(self._api)
        self._stack.callback(control.close)
        self._engine = control.engine()
        plan.check(self._engine)
        self._session = Session(
            auth=partial(
                _credentials, self._api, plan.auth_configs
            ),  # not a method: the session must not keep us alive
            trees=plan.source.trees,
            secrets=plan.secrets,
            agents=plan.agents,
            outputs=plan.outputs,
            archive=plan.source.archive,
        )
        channel = self._session.open(control)
        self._stack.callback(channel.close)
        for text in plan.warnings:
            self._trace.warnings.append(BuildWarning(text))
            self.state.warning(text)
        self._solve = control.call("Solve")
        self._stack.callback(self._solve.cancel)
        self._solve.send(self._request(self._engine).SerializeToString())
        self._solve.finish()
        self._status = control.call("Status")
        self._stack.callback(self._status.cancel)
        self._status.send(messages.StatusRequest(ref=self.id).SerializeToString())
        self._status.finish()
        self._solve.at_end(self._status.poke)

    def _request(self, engine: Engine) -> Any:
        plan = self._plan
        attrs = dict(plan.attrs)
        if plan.hosts:
            attrs["add-hosts"] = ",".join(self._host(line) for line in plan.hosts)
        if all(one.keys() == {"type", "ref"} for one in plan.cache_from):
            attrs |= {"cache-from": ",".join(one["ref"] for one in plan.cache_from)} if plan.cache_from else {}
        else:
            attrs["cache-imports"] = json.dumps(
                [{"Type": kind, "Attrs": rest} for kind, rest in map(_parted, plan.cache_from)]
            )
        request = messages.SolveRequest(
            ref=self.id,
            session=self._session.id,
            frontend="dockerfile.v0",
            frontend_attrs=attrs,
            entitlements=plan.entitlements,
        )
        for target, entries in ((request.cache.exports, plan.cache_to), (request.cache.imports, plan.cache_from)):
            for kind, rest in map(_parted, entries):
                target.add(type=kind, attrs=rest)
        exporters = [_exporter(output, plan.tags) for output in plan.outputs if output.type != "cacheonly"]
        if len(exporters) == 1:  # older ones know these fields only, and export nothing without a word
            request.exporter = exporters[0].type
            request.exporter_attrs.update(exporters[0].attrs)
        request.exporters.extend(exporters)
        return request

    def _host(self, line: str) -> str:
        name, _, address = line.partition(":")
        return f"{name}={self._gateway() if address == 'host-gateway' else address}"

    def _gateway(self) -> str:
        """What ``host-gateway`` stands for: the engine's side of its default network."""
        if self._engine.gateway:
            return self._engine.gateway
        for settings in self._api.inspect_network("bridge")["IPAM"].get("Config") or []:
            if settings.get("Gateway"):
                return settings["Gateway"]
            if settings.get("Subnet"):
                return str(next(ipaddress.ip_network(settings["Subnet"]).hosts()))
        raise InvalidArgument("extra_hosts: this engine does not tell what host-gateway is; give the address")

    # -- running -------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        while not self._events:
            if self._result is not None or self._failure is not None or not self._advance():
                if self._events:
                    break
                if self._failure is not None:
                    raise self._failure
                raise StopIteration
        return self._events.popleft()

    def result(self) -> BuildResult:
        """Wait for the end.

        Raises:
            BuildError: a step failed, or BuildKit could not build; with all that is known about it.
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

    def _advance(self) -> bool:
        """Wait for BuildKit's next words and take them; whether there will be more."""
        try:
            message = self._next_status()
            if message is not None:
                self._trace.feed(messages.parse("StatusResponse", message))
                return True
            self._finish()
        except GrpcError as error:
            failure = self._explained(error)
            failure.__cause__ = error
            self._give_up(failure)
        except BaseException as error:
            self._give_up(error)
            if not isinstance(error, DockerException):
                raise
        return False

    def _next_status(self) -> bytes | None:
        """The next message about the build; None when there are no more, or the build is over for a while."""
        deadline: float | None = None
        while True:
            if self._solve.ended and deadline is None:
                deadline = time.monotonic() + _STATUS_GRACE
            left = self._plan.timeout if deadline is None else max(deadline - time.monotonic(), 0)
            try:
                return self._status.receive(left, until=None if deadline else lambda: self._solve.ended)
            except TimeoutError:
                if deadline is None and not self._solve.ended:
                    raise
                if deadline is not None and time.monotonic() >= deadline:
                    return None
            except GrpcError:
                return None  # how it went, the other call says

    def _finish(self) -> None:
        answer = self._solve.answer("SolveResponse")
        if missing := self._session.missing():
            names = ", ".join(output.type for output in missing)
            raise BuildError(
                f"the engine built, but did not send these outputs: {names}; its BuildKit may be too old for several"
            )
        metadata = dict(answer.exporter_response)
        self.state.finish()
        self._shut()
        self._result = BuildResult(
            image_id=_image_id(metadata, self._plan),
            tags=self._plan.tags,
            metadata=metadata,
            warnings=list(self._trace.warnings),
            steps=list(self.state.steps.values()),
            log=list(self._records),
        )

    def _explained(self, error: GrpcError) -> BaseException:
        """Our own failure if there was one; else what BuildKit says."""
        ours = [failure for failure in self._session.failures if isinstance(failure, (DockerException, OSError))]
        if ours and not self._cancelled:
            return ours[0]
        failure = build_error(error, self._trace, self._plan.source, list(self._records))
        if self._cancelled or error.status == grpc.CANCELLED:
            failure.msg = failure.message = f"the build was cancelled ({failure.msg})"
        return failure

    # -- ending --------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop the build; may be called from any thread. Who iterates or waits gets a BuildError."""
        self._cancelled = True
        self._solve.cancel()
        self._status.cancel()

    def close(self) -> None:
        """Stop the build if it still runs, and close its connections. More than once is once."""
        if self._result is None and self._failure is None:
            self._cancelled = True
            self._give_up(BuildError("the build was closed before its end"))
        self._shut()

    def _give_up(self, error: BaseException) -> None:
        self._failure = error
        if self.state.error is None:
            self.state.failed(str(error) or type(error).__name__)
        self._shut()
        self.state.finish()

    def _shut(self) -> None:
        with self._closed:
            stack = self._stack.pop_all()
        stack.close()

    def __enter__(self) -> BuildStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            self._shut()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id[:12]}: {self.state!r}>"


class _Recorder:
    """Keeps events for who iterates, keeps text for the result, and tells a display."""

    def __init__(self, events: deque[Event], records: deque[dict[str, Any]], display: Renderer | None) -> None:
        self._events, self._records, self._display = events, records, display

    def update(self, progress: Progress, event: Event) -> None:
        self._events.append(event)
        text = _line(event)
        if text:
            self._records.append({"stream": text + "\n"})
        if self._display is not None:
            self._display.update(progress, event)

    def finish(self, progress: Progress) -> None:
        if self._display is not None:
            self._display.finish(progress)


def _line(event: Event) -> str | None:
    """An event as a line of a log; None for what is none."""
    number = f"#{event.step.number} " if event.step is not None else ""
    if event.kind in ("started", "log", "message"):
        return number + event.text
    if event.kind == "warning":
        return f"WARNING: {event.text}"
    if event.kind == "done" and event.step is not None:
        return number + (
            f"ERROR: {event.step.error}" if event.step.error else "CACHED" if event.step.cached else "DONE"
        )
    return None


def _credentials(api: APIClient, given: Mapping[str, Mapping[str, Any]] | None) -> AuthConfig:
    return api._auth if given is None else AuthConfig({"auths": dict(given)})


def _exporter(output: Any, tags: tuple[str, ...]) -> Any:
    attrs = dict(output.attrs)
    kind = output.type
    if tags and kind in ("image", "oci", "docker"):
        attrs.setdefault("name", ",".join(tags))
    if kind == "image":
        kind = "moby"  # "image" would leave one without a name out of the engine's list
    elif kind == "local":
        kind = "tar"  # the same files, and written here by what checks archives
    return messages.Exporter(type=kind, attrs=attrs)


def _parted(cache: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    return cache["type"], {key: value for key, value in cache.items() if key != "type"}


def _image_id(metadata: dict[str, str], plan: Plan) -> str | None:
    if not any(output.type == "image" for output in plan.outputs):
        return None
    # In containerd's store an image is known by the digest of its manifest or index, elsewhere by its configuration's.
    keys = ["containerimage.digest", "containerimage.config.digest"]
    if "containerimage.descriptor" not in metadata:
        keys.reverse()
    return next((metadata[key] for key in keys if metadata.get(key)), None)
