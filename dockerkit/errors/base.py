"""The base class, and errors about arguments, streams, files, registries and contexts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

from dockerkit.errors.caller import called_function
from dockerkit.errors.quoting import bounded


def _rebuild(cls: type[BaseException], args: tuple[object, ...], state: dict[str, Any]) -> BaseException:
    """Unpickle an exception whose constructor has other parameters than ``args``."""
    error = cls.__new__(cls, *args)
    if isinstance(error, OSError):
        OSError.__init__(error, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class DockerException(Exception):
    """Base class of every exception that dockerkit raises."""

    __module__ = "dockerkit.errors"

    def __init__(self, *args: object) -> None:
        super().__init__(*[bounded(arg) if isinstance(arg, str) else arg for arg in args])

    def __init_subclass__(cls) -> None:
        if cls.__module__.startswith("dockerkit.errors."):
            cls.__module__ = "dockerkit.errors"  # where users find it

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)

    def is_gone(self) -> bool:
        """Return whether the object does not exist or is being removed: 404, Docker's 409, or Podman's 500."""
        return False

    def is_disconnect(self) -> bool:
        """Return whether the connection broke or the engine did not respond in time. Retrying may help."""
        return False


class IgnoreGone:
    """Context manager that suppresses errors which say that the object is gone."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, DockerException) and error.is_gone()


class RefusedArgument(DockerException):
    """Base class of errors that show the name of the called function, on a separate line."""

    function: str | None = None

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.find_function()

    def find_function(self) -> None:
        """Find the called function. Threads call it again for errors that they pass to their caller."""
        self.function = called_function()

    def __str__(self) -> str:
        message = super().__str__()
        name = (self.function or "").rpartition(".")[2]
        if not name or message.startswith((f"{name}(", f"{name} ")):  # "run() has no option …"
            return message
        return f"{message}\n  in {self.function}()"


class InvalidArgument(RefusedArgument, ValueError):
    """An argument was refused before anything was sent. The message names the parameter and the function.

    Attributes:
        function: the function that was called, such as ``"Container.stop"``; None if unknown.
    """


class NullResource(InvalidArgument):
    """An ID or name is empty or missing."""


class UnknownOption(InvalidArgument, TypeError):
    """An unknown or a missing keyword argument. The message names it and suggests a similar one."""


class InvalidVersion(RefusedArgument):
    """The API version in use lacks the requested feature.

    Attributes:
        function: the function that was called, such as ``"Container.stop"``; None for the version itself.
        parameter: the operation, parameter or dotted body field; None for the version itself.
        needed: the API version that has it; None if unknown.
        spoken: the API version in use with this engine; None if unknown.
    """

    def __init__(
        self, message: str = "", *, parameter: str | None = None, needed: str | None = None, spoken: str | None = None
    ) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.needed = needed
        self.spoken = spoken

    def __str__(self) -> str:
        return super().__str__() if self.parameter else DockerException.__str__(self)


class DeprecatedMethod(DockerException):
    """The Engine no longer has this call. The message names the replacement."""


class InvalidRepository(RefusedArgument):
    """An invalid image name. The message says which part is invalid.

    Attributes:
        function: the function that was called, such as ``"ImageCollection.pull"``; None if unknown.
    """


class InvalidConfigFile(DockerException):
    """The docker command's ``config.json`` or a context's file can't be read. The message names the file and the reason."""


class TLSParameterError(DockerException):
    """TLS files are missing, unreadable, or don't match."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)
        self.msg = msg


class CredentialsError(DockerException):
    """A credential helper or store failed. The message names the helper and never holds a secret."""


class RequestCancelled(DockerException):
    """The caller cancelled the request before its response was complete."""


class RegistryError(DockerException):
    """A registry or its token service sent something unexpected. Its HTTP errors are :class:`APIError`."""


class DigestMismatch(RegistryError):
    """Content from a registry does not match the requested or reported digest."""


class ClientClosed(DockerException):
    """The client was closed before or during the call. Create a new client to continue."""


class BuildKitUnavailable(DockerException):
    """The engine has no BuildKit: it is Podman, a Windows engine, or older than 18.09."""


class MissingExtra(DockerException, ImportError):
    """A feature needs a package that is not installed. The message says how to install it."""


class StreamTruncated(DockerException, ConnectionError):
    """The engine, or a proxy in between, cut a stream before its end."""

    def is_disconnect(self) -> bool:
        """True."""
        return True


class StreamInUse(DockerException, RuntimeError):
    """Another thread is reading this stream. Open a separate stream per thread."""

    def __init__(
        self, message: str = "another thread is reading this stream: open a separate stream for each thread"
    ) -> None:
        super().__init__(message)


class NotLoaded(DockerException):
    """A property of an asynchronous object needs a request: await the object's ``reload()`` first."""


class WrongEventLoop(DockerException, RuntimeError):
    """An asynchronous client was used in another event loop than before. Create a client in each loop."""


class StreamParseError(DockerException, RuntimeError):
    """The stream contains bytes that are not a valid frame or not valid JSON."""

    def __init__(self, reason: object) -> None:
        super().__init__(str(reason))
        self.msg = reason


class UnreadableFile(DockerException, OSError):
    """A local file or folder to send can't be read. The message names it."""

    @classmethod
    def of(cls, error: OSError, path: str) -> UnreadableFile:
        """Return the error for a failure to read `path`, with the system's reason."""
        return cls(error.errno or 0, f"can't read {path}: {error.strerror or error}")


class UnsafeArchive(DockerException):
    """An archive was refused: an entry would be written outside the target folder, is a device, or exceeds a limit."""


class ContextException(DockerException):
    """Base class of errors about Docker contexts."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)
        self.msg = msg


class ContextNotFound(ContextException):
    """The Docker context does not exist."""

    def __init__(self, name: str, hint: str = "") -> None:
        super().__init__(f"no Docker context named {name!r}" + (f": {hint}" if hint else ""))
        self.name = name


class ContextAlreadyExists(ContextException):
    """A Docker context with this name already exists."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a Docker context named {name!r} already exists")
        self.name = name


class MissingContextParameter(ContextException):
    """A parameter of a context call is missing."""

    def __init__(self, param: str) -> None:
        super().__init__(f"missing parameter: {param}")
        self.param = param


def create_unexpected_kwargs_error(name: str, kwargs: Mapping[str, object]) -> TypeError:
    """Return the TypeError for unknown keyword arguments."""
    what = "unexpected keyword arguments" if len(kwargs) > 1 else "an unexpected keyword argument"
    return TypeError(f"{name}() got {what} {', '.join(map(repr, sorted(kwargs)))}")


class EngineWarning(UserWarning):
    """A warning from the engine about a request that succeeded."""
