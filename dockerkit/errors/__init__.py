"""Every exception that dockerkit raises. All derive from :class:`DockerException`.

```text
InvalidArgument (ValueError)       an argument was refused before anything was sent
├── NullResource                   an empty or missing ID
├── InvalidName (NotFound)         an invalid ID or name
└── UnknownOption (TypeError)      an unknown or missing keyword argument
InvalidVersion                     the engine's API version lacks a feature
InvalidRepository                  an invalid image name
ConnectionFailed                   the engine can't be reached
└── ConnectTimeout                 … within the connect timeout
ReadTimeout (TimeoutError)         no response within the read timeout
ClientClosed, RequestCancelled     the client was closed, the request cancelled
APIError                           the engine returned an error
├── BadRequest                     400
│   └── ProgramNotFound            the program is missing in the image
├── Unauthorized, Forbidden        401, 403
├── NotFound                       404
│   ├── ContainerNotFound, ImageNotFound, NetworkNotFound, VolumeNotFound,
│   │   ServiceNotFound, TaskNotFound, NodeNotFound, SecretNotFound,
│   │   ConfigNotFound, PluginNotFound
│   └── PathNotFound               the file is missing in the container
├── Conflict                       409
│   └── NameTaken, NotRunning
├── ServerError                    5xx
│   ├── PortTaken                  the port to publish is in use
│   └── NotImplementedByEngine, ServiceUnavailable
└── StreamError                    a failure after the response had begun
    └── PullError, PushError, ImageLoadError, BuildError
StreamTruncated (ConnectionError)  the connection was cut during a response
StreamParseError, StreamInUse      invalid bytes, two readers of one stream
ContainerError                     a container exited with a non-zero code
└── RunTimeout (TimeoutError)      … or took too long and was killed
ExecError                          a command exited with a non-zero code
└── ExecStartError                 … or could not be started at all
ExecTimeout (TimeoutError)         a command took too long
WaitFailed                         the awaited condition can no longer be met
├── ContainerExited, ContainerUnhealthy
└── WaitTimeout (TimeoutError)     it was not met in time
ConvergenceFailed                  a service or node does not converge
└── ConvergenceTimeout             … in time
NotLoaded                          an asynchronous object needs `await ….reload()`
WrongEventLoop (RuntimeError)      an asynchronous client in two event loops
UnreadableFile (OSError)           a local file can't be read
└── DockerfileNotFound
UnsafeArchive                      an archive would write outside its folder
RegistryError, DigestMismatch      unexpected content from a registry
CredentialsError, TLSParameterError, InvalidConfigFile
BuildKitUnavailable, MissingExtra (ImportError), DeprecatedMethod
ContextException                   Docker contexts
└── ContextNotFound, ContextAlreadyExists, MissingContextParameter
```

APIError is also requests' HTTPError, ConnectionFailed its ConnectionError, and ReadTimeout its ReadTimeout, because
code written for docker-py catches those. Modules with such classes load on first use: importing requests is slow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit._lazy import lazy_names
from dockerkit.errors.base import (
    BuildKitUnavailable,
    ClientClosed,
    ContextAlreadyExists,
    ContextException,
    ContextNotFound,
    CredentialsError,
    DeprecatedMethod,
    DigestMismatch,
    DockerException,
    EngineWarning,
    InvalidArgument,
    InvalidConfigFile,
    InvalidRepository,
    InvalidVersion,
    MissingContextParameter,
    MissingExtra,
    NotLoaded,
    NullResource,
    RegistryError,
    RequestCancelled,
    StreamInUse,
    StreamParseError,
    StreamTruncated,
    TLSParameterError,
    UnknownOption,
    UnreadableFile,
    UnsafeArchive,
    WrongEventLoop,
    create_unexpected_kwargs_error,
)

if TYPE_CHECKING:
    from dockerkit.errors.api import (
        APIError,
        BadRequest,
        BuildError,
        ConfigNotFound,
        Conflict,
        ConnectionFailed,
        ConnectTimeout,
        ContainerNotFound,
        DockerfileNotFound,
        Forbidden,
        ImageLoadError,
        ImageNotFound,
        InvalidImageName,
        InvalidName,
        NameTaken,
        NetworkNotFound,
        NodeNotFound,
        NotFound,
        NotImplementedByEngine,
        NotRunning,
        PathNotFound,
        PluginNotFound,
        PortTaken,
        ProgramNotFound,
        PullError,
        PushError,
        ReadTimeout,
        SecretNotFound,
        ServerError,
        ServiceNotFound,
        ServiceUnavailable,
        StreamError,
        TaskNotFound,
        Unauthorized,
        VolumeNotFound,
    )
    from dockerkit.errors.explain import create_api_error_from_http_exception
    from dockerkit.errors.run import (
        ContainerError,
        ContainerExited,
        ContainerUnhealthy,
        ConvergenceFailed,
        ConvergenceTimeout,
        ExecError,
        ExecStartError,
        ExecTimeout,
        RunTimeout,
        WaitFailed,
        WaitTimeout,
    )

    EngineTimeout = ReadTimeout
    NoBuildKit = BuildKitUnavailable

__all__ = [
    "APIError", "BadRequest", "BuildError", "BuildKitUnavailable", "ClientClosed", "ConfigNotFound", "Conflict",
    "ConnectTimeout", "ConnectionFailed", "ContainerError", "ContainerExited", "ContainerNotFound",
    "ContainerUnhealthy", "ContextAlreadyExists", "ContextException", "ContextNotFound", "ConvergenceFailed",
    "ConvergenceTimeout", "CredentialsError", "DeprecatedMethod", "DigestMismatch", "DockerException",
    "DockerfileNotFound", "EngineWarning", "ExecError", "ExecStartError", "ExecTimeout", "Forbidden", "ImageLoadError",
    "ImageNotFound", "InvalidArgument", "InvalidConfigFile", "InvalidImageName", "InvalidName", "InvalidRepository",
    "InvalidVersion", "MissingContextParameter", "MissingExtra", "NameTaken", "NetworkNotFound", "NodeNotFound",
    "NotFound", "NotImplementedByEngine", "NotLoaded", "NotRunning", "NullResource", "PathNotFound", "PluginNotFound",
    "PortTaken", "ProgramNotFound", "PullError", "PushError", "ReadTimeout", "RegistryError", "RequestCancelled",
    "RunTimeout", "SecretNotFound", "ServerError", "ServiceNotFound", "ServiceUnavailable", "StreamError",
    "StreamInUse", "StreamParseError", "StreamTruncated", "TLSParameterError", "TaskNotFound", "Unauthorized",
    "UnknownOption", "UnreadableFile", "UnsafeArchive", "VolumeNotFound", "WaitFailed", "WaitTimeout",
    "WrongEventLoop", "create_api_error_from_http_exception", "create_unexpected_kwargs_error",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".api": (
                "APIError BadRequest BuildError ConfigNotFound Conflict ConnectTimeout ConnectionFailed "
                "ContainerNotFound DockerfileNotFound Forbidden ImageLoadError ImageNotFound InvalidImageName "
                "InvalidName NameTaken NetworkNotFound NodeNotFound NotFound NotImplementedByEngine "
                "NotRunning PathNotFound PluginNotFound PortTaken ProgramNotFound PullError PushError "
                "ReadTimeout SecretNotFound ServerError ServiceNotFound ServiceUnavailable StreamError "
                "TaskNotFound Unauthorized VolumeNotFound"
            ),
            ".explain": "create_api_error_from_http_exception",
            ".run": (
                "ContainerError ContainerExited ContainerUnhealthy ConvergenceFailed ConvergenceTimeout ExecError "
                "ExecStartError ExecTimeout RunTimeout WaitFailed WaitTimeout"
            ),
        },
        renamed={"EngineTimeout": "ReadTimeout", "NoBuildKit": "BuildKitUnavailable"},
    )
