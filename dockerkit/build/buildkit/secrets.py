"""Secrets of a build: read when a step asks for them, kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from dockerkit.errors import InvalidArgument, UnreadableFile

__all__ = ["Secret", "SecretSource", "secrets_of"]

MAX_SECRET = 500 * 1024
"""Bytes of the largest secret, as with the docker command."""

SecretSource: TypeAlias = "bytes | os.PathLike[str] | Mapping[str, str]"
"""The value itself as bytes, a file as a Path, ``{"env": "NAME"}`` or ``{"src": "path"}``."""


class Secret:
    """One secret; it shows where it comes from, never what it is."""

    def __init__(
        self, id: str, *, value: bytes | None = None, path: str | None = None, variable: str | None = None
    ) -> None:
        self.id = id
        self._value, self._path, self._variable = value, path, variable

    def __repr__(self) -> str:
        origin = self._path or (f"${self._variable}" if self._variable else "memory")
        return f"<Secret {self.id!r} from {origin}>"

    def read(self) -> bytes:
        """The secret.

        Raises:
            UnreadableFile: its file can't be read.
            InvalidArgument: its variable is not set, or it is too large.
        """
        if self._path is not None:
            try:
                with open(self._path, "rb") as file:
                    value = file.read(MAX_SECRET + 1)
            except OSError as error:
                raise UnreadableFile.of(error, self._path) from error
        elif self._variable is not None:
            if self._variable not in os.environ:
                raise InvalidArgument(f"secrets[{self.id!r}]: the environment has no variable {self._variable}")
            value = os.environ[self._variable].encode()
        else:
            value = self._value or b""
        if len(value) > MAX_SECRET:
            raise InvalidArgument(f"secrets[{self.id!r}]: a secret may have {MAX_SECRET} bytes at most")
        return value


def secrets_of(given: Mapping[str, SecretSource] | Sequence[str] | None) -> dict[str, Secret]:
    """The secrets of an argument ``secrets``, each tried once so that a mistake shows before the build.

    Args:
        given: by id: bytes, a Path, ``{"env": ...}`` or ``{"src": ...}``; or a list of texts as the docker command takes
            them: ``id=token,env=TOKEN``, ``id=npmrc,src=.npmrc``.

    Raises:
        InvalidArgument: something else.
        UnreadableFile: a file can't be read.
    """
    if not given:
        return {}
    if isinstance(given, (str, bytes)):
        raise InvalidArgument("secrets: a dict by id, or a list of texts like 'id=token,env=TOKEN' is needed")
    found = [_secret(id, source) for id, source in given.items()] if isinstance(given, Mapping) else map(_parse, given)
    secrets = {secret.id: secret for secret in found}
    for secret in secrets.values():
        secret.read()
    return secrets


def _secret(id: str, source: SecretSource) -> Secret:
    if not isinstance(id, str) or not id:
        raise InvalidArgument("secrets: each needs an id that is a text")
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
    raise InvalidArgument(  # without the value: it may be the secret itself
        f"secrets[{id!r}]: give bytes (the value), a Path (a file), {{'env': 'NAME'}} or {{'src': 'path'}}, "
        f"not {type(source).__name__}"
    )


def _parse(text: str) -> Secret:
    fields = {key: value for key, _, value in (part.partition("=") for part in str(text).split(","))}
    id = fields.pop("id", "")
    kind = fields.pop("type", "")
    path = fields.pop("src", fields.pop("source", None))
    variable = fields.pop("env", None)
    if not id or fields or kind not in ("", "file", "env") or (path and variable):
        raise InvalidArgument("secrets: a text needs the form id=NAME[,src=PATH|,env=NAME]")
    if variable or kind == "env" or (not path and not kind and id in os.environ):
        return Secret(id, variable=variable or path or id)
    return Secret(id, path=os.path.abspath(path or id))
