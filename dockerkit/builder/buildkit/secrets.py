"""Build secrets. They are read when a step requests them and never stored."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from dockerkit.errors import InvalidArgument, UnreadableFile
from dockerkit.parsing.values import string_list

__all__ = ["Secret", "SecretSource", "secrets_of"]

MAX_SECRET = 500 * 1024
"""Maximum size of a secret in bytes, as in the docker command."""

SecretSource: TypeAlias = "bytes | os.PathLike[str] | Mapping[str, str]"
"""The value itself as bytes, a file as a Path, ``{"env": "NAME"}`` or ``{"src": "path"}``."""


class Secret:
    """One secret. Its repr shows the source, never the value."""

    def __init__(
        self, id: str, *, value: bytes | None = None, path: str | None = None, variable: str | None = None
    ) -> None:
        self.id = id
        self._value, self._path, self._variable = value, path, variable

    def __repr__(self) -> str:
        origin = self._path or (f"${self._variable}" if self._variable else "memory")
        return f"<Secret {self.id!r} from {origin}>"

    def read(self) -> bytes:
        """Return the value of the secret."""
        if self._path is not None:
            try:
                with open(self._path, "rb") as file:
                    value = file.read(MAX_SECRET + 1)
            except OSError as error:
                raise UnreadableFile.of(error, self._path) from error
        elif self._variable is not None:
            if self._variable not in os.environ:
                raise InvalidArgument(f"secrets[{self.id!r}]: environment variable {self._variable} is not set")
            value = os.environ[self._variable].encode()
        else:
            value = self._value or b""
        if len(value) > MAX_SECRET:
            raise InvalidArgument(f"secrets[{self.id!r}]: must be at most {MAX_SECRET} bytes")
        return value


def secrets_of(sources: Mapping[str, SecretSource] | Sequence[str] | None) -> dict[str, Secret]:
    """Parse the ``secrets`` argument: a dict by ID, or a list of strings as the docker command takes them.

    Each secret is read once, so that mistakes show before the build starts.
    """
    if not sources:
        return {}
    if isinstance(sources, (str, bytes)):
        raise InvalidArgument("secrets: must be a dict by ID, or a list of strings such as 'id=token,env=TOKEN'")
    if isinstance(sources, Mapping):
        parsed = [_secret(id, source) for id, source in sources.items()]
    else:
        parsed = [_parse(spec) for spec in string_list(sources, "secrets")]
    secrets = {secret.id: secret for secret in parsed}
    for secret in secrets.values():
        secret.read()
    return secrets


def _secret(id: str, source: SecretSource) -> Secret:
    if not isinstance(id, str) or not id:
        raise InvalidArgument("secrets: each ID must be a non-empty string")
    if isinstance(source, bytes):
        return Secret(id, value=source)
    if isinstance(source, os.PathLike):
        return Secret(id, path=os.path.abspath(source))
    if isinstance(source, Mapping) and len(source) == 1:
        kind, value = next(iter(source.items()))
        if kind == "env":
            return Secret(id, variable=value)
        if kind in ("src", "source", "file"):
            return Secret(id, path=os.path.abspath(value))
    raise InvalidArgument(  # omit the value: it may be the secret itself
        f"secrets[{id!r}]: must be bytes (the value), a Path (a file), {{'env': 'NAME'}} or {{'src': 'path'}}, "
        f"not {type(source).__name__}"
    )


def _parse(spec: str) -> Secret:
    fields = {key: value for key, _, value in (part.partition("=") for part in spec.split(","))}
    id = fields.pop("id", "")
    kind = fields.pop("type", "")
    path = fields.pop("src", fields.pop("source", None))
    variable = fields.pop("env", None)
    if not id or fields or kind not in ("", "file", "env") or (path and variable):
        raise InvalidArgument("secrets: a string must have the format id=NAME[,src=PATH|,env=NAME]")
    if variable or kind == "env" or (not path and not kind and id in os.environ):
        return Secret(id, variable=variable or path or id)
    return Secret(id, path=os.path.abspath(path or id))
