"""One credential helper: a program ``docker-credential-NAME`` that keeps passwords for us.

The protocol is four verbs as only argument (get, store, erase, list), the server or a JSON record on standard input,
JSON or a sentence on standard output, and the exit code.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Mapping
from typing import Any, TypedDict

from dockerkit.credentials import constants, errors
from dockerkit.credentials.utils import create_environment_dict
from dockerkit.errors import InvalidArgument

__all__ = ["Store", "StoredCredential"]


class StoredCredential(TypedDict):
    """What a helper keeps for a server; the user ``<token>`` marks an identity token."""

    ServerURL: str
    Username: str
    Secret: str


class Store:
    """The credential helper ``docker-credential-{program}``.

    Args:
        program: the helper's short name, as in config.json ("pass", "secretservice", "ecr-login"…).
        environment: variables that it gets besides this process's.
        timeout: seconds that one call of it may take; None waits for ever (some ask the user for a passphrase).

    Attributes:
        program: the whole program name.
        exe: its path, or None where there is none on PATH (then calls raise StoreError).
    """

    def __init__(
        self, program: str, environment: Mapping[str, str] | None = None, *, timeout: float | None = 60.0
    ) -> None:
        if not program or any(separator in program for separator in "/\\\0"):
            raise InvalidArgument(
                f"program: {program!r} is no name of a credential helper (no path, only its short name)"
            )
        self.program: str = constants.PROGRAM_PREFIX + program
        self.environment = environment
        self.timeout = timeout
        self.exe: str | None = shutil.which(
            self.program, path=create_environment_dict(environment).get("PATH", os.defpath)
        )
        if self.exe is None:
            warnings.warn(f"{self._missing()}", UserWarning, stacklevel=2)

    def __repr__(self) -> str:
        return f"<Store: {self.program}>"

    def get(self, server: str | bytes) -> StoredCredential:
        """What the helper keeps for a server.

        Raises:
            CredentialsNotFound: it keeps nothing for it.
            StoreError: the helper is missing, failed, answered nonsense or took too long.
        """
        name = server.decode() if isinstance(server, bytes) else server
        record = self._record(self._execute("get", name))
        user, secret = record.get("Username", ""), record.get("Secret", "")
        if not isinstance(user, str) or not isinstance(secret, str):
            raise errors.StoreError(f"credential helper {self.program} answered something that is no credential")
        if not user and not secret:
            raise errors.CredentialsNotFound(f"{self.program} has no credentials for {name}")
        return {"ServerURL": str(record.get("ServerURL", name)), "Username": user, "Secret": secret}

    def store(self, server: str, username: str, secret: str) -> bytes:
        """Keep a credential, over what was kept for that server.

        Raises:
            StoreError: the helper is missing, failed or took too long.
        """
        record = {"ServerURL": server, "Username": username, "Secret": secret}
        return self._execute("store", json.dumps(record), secret)

    def erase(self, server: str | bytes) -> None:
        """Forget what is kept for a server.

        Raises:
            StoreError: the helper is missing, failed or took too long.
        """
        self._execute("erase", server.decode() if isinstance(server, bytes) else server)

    def list(self) -> dict[str, str]:
        """The servers for which it keeps something, with the user names.

        Raises:
            StoreError: the helper is missing, failed, answered nonsense or took too long.
        """
        return {str(server): str(user) for server, user in self._record(self._execute("list", "")).items()}

    def _execute(self, verb: str, text: str, secret: str = "") -> bytes:
        if self.exe is None:
            raise errors.StoreError(self._missing())
        try:
            done = subprocess.run(
                [self.exe, verb],
                input=text.encode(),
                capture_output=True,
                check=False,
                env=create_environment_dict(self.environment),
                timeout=self.timeout,
            )
        # `from None` all over: those exceptions carry what the helper was told and what it answered.
        except subprocess.TimeoutExpired:
            raise errors.StoreTimeout(
                f"credential helper {self.program} did not answer '{verb}' within {self.timeout:g} s and was ended; "
                "is it waiting for a passphrase? try it by hand"
            ) from None
        except OSError as error:
            raise errors.StoreError(f"credential helper {self.exe} can't be run: {error.strerror}") from None
        if done.returncode == 0:
            return done.stdout
        said = done.stdout.strip() or done.stderr.strip()
        if secret:
            said = said.replace(secret.encode(), b"***")
        failed = subprocess.CalledProcessError(done.returncode, [self.program, verb], said)
        raise errors.process_store_error(failed, self.program)

    def _record(self, answer: bytes) -> Mapping[str, Any]:
        try:
            record = json.loads(answer or b"{}")
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise errors.StoreError(
                f"credential helper {self.program} answered something that is no JSON object"
            ) from None
        return record

    def _missing(self) -> str:
        return (
            f"{self.program} not installed or not available in PATH; install it, or take it out of "
            "credsStore or credHelpers in the docker command's config.json"
        )
