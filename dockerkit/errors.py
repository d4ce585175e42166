"""Every exception that dockerkit raises.

::

    DockerException
    ├── InvalidArgument (ValueError)      refused before anything was sent; names the parameter
    │   ├── NullResource                  an empty or missing id
    │   └── UnknownOption (TypeError)     an argument that there is not, or one that is missing
    ├── InvalidVersion                    the engine's API version has no such call, parameter or field
    ├── DeprecatedMethod                  a call that the Engine no longer has
    ├── InvalidRepository                 an image name that is no image name
    ├── InvalidConfigFile                 the docker command's config.json can't be read
    ├── TLSParameterError                 TLS files that are missing or don't fit together
    ├── CredentialsError                  a credential helper failed
    ├── ConnectionFailed                  no engine answered            (requests.ConnectionError)
    │   └── ConnectTimeout                it did not answer in time     (requests.ConnectTimeout)
    ├── EngineTimeout                     an answer did not come in time (requests.ReadTimeout, TimeoutError)
    ├── ClientClosed                      the client was closed, before or meanwhile
    ├── APIError                          the engine answered with an error (requests.HTTPError)
    │   ├── BadRequest 400, Unauthorized 401, Forbidden 403, Conflict 409
    │   ├── NotFound 404
    │   │   └── ImageNotFound
    │   └── ServerError 5xx
    │       └── NotImplementedByEngine 501, ServiceUnavailable 503
    ├── StreamError                       the engine reported a failure inside a stream that began well
    │   ├── PullError, PushError
    │   ├── ImageLoadError
    │   └── BuildError
    ├── StreamTruncated                   the engine cut a stream short (ConnectionError)
    ├── StreamParseError                  bytes that are no frame or no JSON (RuntimeError)
    ├── UnreadableFile (OSError)          a local file that was to be sent can't be read; names it
    ├── UnsafeArchive                     an archive that would write outside its folder
    ├── ContainerError                    a container run to its end left with a non-zero exit code
    │   └── RunTimeout (TimeoutError)     it did not end in time, and was killed
    ├── ExecError                         a command in a container left with a non-zero exit code
    ├── ExecTimeout                       a command in a container took too long (TimeoutError)
    ├── WaitFailed                        what was waited for can't come any more
    │   ├── ContainerExited, ContainerUnhealthy
    │   └── WaitTimeout                   it did not come in time (TimeoutError)
    ├── ConvergenceFailed                 a service or node of a swarm does not become what it was told to be
    │   └── ConvergenceTimeout            it did not in time (TimeoutError)
    ├── NoBuildKit                        the engine has no BuildKit
    ├── MissingExtra (ImportError)        a feature needs packages that are not installed; names the extra
    └── ContextException                  docker contexts
        └── ContextNotFound, ContextAlreadyExists, MissingContextParameter

Those about what ran in containers live in :mod:`dockerkit.run_errors`, those which are also requests' classes in
:mod:`dockerkit.request_errors`. Both are loaded when one of theirs is first named: importing requests costs more than
everything else here together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dockerkit.request_errors import (
        APIError,
        BadRequest,
        Conflict,
        ConnectionFailed,
        ConnectTimeout,
        EngineTimeout,
        Forbidden,
        ImageNotFound,
        NotFound,
        NotImplementedByEngine,
        ServerError,
        ServiceUnavailable,
        Unauthorized,
        create_api_error_from_http_exception,
    )
    from dockerkit.run_errors import (
        ContainerError,
        ContainerExited,
        ContainerUnhealthy,
        ConvergenceFailed,
        ConvergenceTimeout,
        ExecError,
        ExecTimeout,
        RunTimeout,
        WaitFailed,
        WaitTimeout,
    )

__all__ = [
    "APIError",
    "BadRequest",
    "BuildError",
    "ClientClosed",
    "Conflict",
    "ConnectTimeout",
    "ConnectionFailed",
    "ContainerError",
    "ContainerExited",
    "ContainerUnhealthy",
    "ContextAlreadyExists",
    "ContextException",
    "ContextNotFound",
    "ConvergenceFailed",
    "ConvergenceTimeout",
    "CredentialsError",
    "DeprecatedMethod",
    "DockerException",
    "EngineTimeout",
    "EngineWarning",
    "ExecError",
    "ExecTimeout",
    "Forbidden",
    "ImageLoadError",
    "ImageNotFound",
    "InvalidArgument",
    "InvalidConfigFile",
    "InvalidRepository",
    "InvalidVersion",
    "MissingContextParameter",
    "MissingExtra",
    "NoBuildKit",
    "NotFound",
    "NotImplementedByEngine",
    "NullResource",
    "PullError",
    "PushError",
    "RunTimeout",
    "ServerError",
    "ServiceUnavailable",
    "StreamError",
    "StreamParseError",
    "StreamTruncated",
    "TLSParameterError",
    "Unauthorized",
    "UnknownOption",
    "UnreadableFile",
    "UnsafeArchive",
    "WaitFailed",
    "WaitTimeout",
    "create_api_error_from_http_exception",
    "create_unexpected_kwargs_error",
]

_PARTS = ("dockerkit.request_errors", "dockerkit.run_errors")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dockerkit import run_errors

    value: object = vars(run_errors).get(name)
    if value is None:
        from dockerkit import request_errors

        value = getattr(request_errors, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _rebuild(cls: type[BaseException], args: tuple[object, ...], state: dict[str, Any]) -> BaseException:
    """Unpickle an exception whose constructor takes other arguments than it keeps."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class DockerException(Exception):
    """The root: whatever dockerkit raises on its own account is one of these."""

    def __init_subclass__(cls) -> None:
        if cls.__module__ in _PARTS:
            cls.__module__ = __name__  # where users find it

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class InvalidArgument(DockerException, ValueError):
    """An argument was refused before anything was sent; the message names the parameter."""


class NullResource(InvalidArgument):
    """An id or a name was empty or missing."""


class UnknownOption(InvalidArgument, TypeError):
    """A keyword argument that there is not, or a needed one that is missing; the message names it, and a likely one."""


class InvalidVersion(DockerException):
    """The API version in use does not know what was asked for.

    Attributes:
        parameter: what was asked for: an operation, a parameter or a dotted body field; None for the version itself.
        needed: the API version which has it, as text; None when not known.
        spoken: the API version in use with this engine; None when not known.
    """

    def __init__(
        self, message: str = "", *, parameter: str | None = None, needed: str | None = None, spoken: str | None = None
    ) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.needed = needed
        self.spoken = spoken


class DeprecatedMethod(DockerException):
    """The Engine no longer has this call; the message names what to use instead."""


class InvalidRepository(DockerException):
    """A text that is no image name; the message says which part."""


class InvalidConfigFile(DockerException):
    """The docker command's ``config.json`` (or a context's file) can't be read; the message names file and reason."""


class TLSParameterError(DockerException):
    """TLS files that are missing, unreadable, or don't fit together."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)
        self.msg = msg


class CredentialsError(DockerException):
    """A credential helper or store failed; the message names the helper, never a secret."""


class ClientClosed(DockerException):
    """The client was closed, before the call or while it ran. Make a new client to go on."""


class StreamError(DockerException):
    """The engine reported a failure inside a stream that had begun with 200 OK.

    Attributes:
        message: the engine's text.
        code: the engine's numeric code, where it gave one.
        detail: the whole record that reported it.
    """

    def __init__(self, message: str, code: int | None = None, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.detail = detail


class PullError(StreamError):
    """An image could not be pulled, though the pull had begun."""


class PushError(StreamError):
    """An image could not be pushed, though the push had begun."""


class ImageLoadError(StreamError):
    """An archive could not be loaded as images."""


class BuildError(StreamError):
    """A build failed.

    Attributes:
        msg: the engine's text (docker-py's name for ``message``).
        build_log: the records of the build so far: dicts, as the engine sent them.
        exit_code: the exit code of the step that failed, where a step ran.
        step: the failed step as written in the Dockerfile, where known.
        dockerfile: file name of the failed step, where known.
        lines: line numbers of the failed step in that file.
        log: the last lines of the failed step's output.
        warnings: warnings that the builder gave.
    """

    def __init__(
        self,
        reason: str,
        build_log: Iterable[Mapping[str, Any]] = (),
        *,
        code: int | None = None,
        detail: Mapping[str, Any] | None = None,
        exit_code: int | None = None,
        step: str | None = None,
        dockerfile: str | None = None,
        lines: Sequence[int] = (),
        log: Sequence[str] = (),
        warnings: Sequence[str] = (),
    ) -> None:
        super().__init__(reason, code, detail)
        self.msg = reason
        self.build_log = build_log
        self.exit_code = exit_code
        self.step = step
        self.dockerfile = dockerfile
        self.lines: tuple[int, ...] = tuple(lines)
        self.log: tuple[str, ...] = tuple(log)
        self.warnings: tuple[str, ...] = tuple(warnings)

    def __str__(self) -> str:
        text = self.msg
        if self.step:
            place = f" ({self.dockerfile}:{self.lines[0]})" if self.dockerfile and self.lines else ""
            text += f"\n  in step: {self.step}{place}"
        if self.log:
            text += "\n  last output:\n" + "\n".join(f"    {line}" for line in self.log)
        return text


class NoBuildKit(DockerException):
    """The engine has no BuildKit that can be reached: Podman, an engine for Windows, or one before 18.09."""


class MissingExtra(DockerException, ImportError):
    """A feature needs packages which are not installed; the message says how to get them."""


class StreamTruncated(DockerException, ConnectionError):
    """The engine (or something between) cut a stream before its end: what came so far is not all."""


class StreamParseError(DockerException, RuntimeError):
    """The stream holds bytes that are no frame, or no JSON."""

    def __init__(self, reason: object) -> None:
        super().__init__(str(reason))
        self.msg = reason


class UnreadableFile(DockerException, OSError):
    """A local file or folder that was to be sent can't be read; the message names it."""

    @classmethod
    def of(cls, error: OSError, path: str) -> UnreadableFile:
        """The failure to read `path`, with the system's reason."""
        return cls(error.errno or 0, f"can't read {path}: {error.strerror or error}")


class UnsafeArchive(DockerException):
    """An archive was refused: a member would be written outside the target folder, or is a device."""


class ContextException(DockerException):
    """Something about docker contexts went wrong."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)
        self.msg = msg


class ContextNotFound(ContextException):
    """There is no docker context of that name."""

    def __init__(self, name: str, hint: str = "") -> None:
        super().__init__(f"no docker context named {name!r}" + (f": {hint}" if hint else ""))
        self.name = name


class ContextAlreadyExists(ContextException):
    """A docker context of that name exists already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a docker context named {name!r} exists already")
        self.name = name


class MissingContextParameter(ContextException):
    """A context call lacks a parameter."""

    def __init__(self, param: str) -> None:
        super().__init__(f"missing parameter: {param}")
        self.param = param


def create_unexpected_kwargs_error(name: str, kwargs: Mapping[str, object]) -> TypeError:
    """The TypeError for keywords that a function does not know."""
    plural = "s" if len(kwargs) > 1 else ""
    return TypeError(f"{name}() got unexpected keyword argument{plural} {', '.join(map(repr, sorted(kwargs)))}")


class EngineWarning(UserWarning):
    """The engine did what was asked, and has something to say about it."""
