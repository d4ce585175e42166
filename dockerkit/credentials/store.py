"""Credential helpers: programs ``docker-credential-NAME`` that store passwords.

The protocol: one of four verbs as the only argument (get, store, erase, list), the server or a JSON record on standard
input, JSON or a message on standard output, and the exit code.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping
from typing import IO, Any, TypedDict

from dockerkit import runtime
from dockerkit.credentials import constants, errors
from dockerkit.credentials.utils import create_environment_dict
from dockerkit.errors import InvalidArgument

__all__ = ["Store", "StoredCredential"]

_MAX_OUTPUT = 1024 * 1024  # maximum output of a helper in bytes
_MAX_SHOWN = 300
_BLOCK = 64 * 1024
_DRAIN_SECONDS = 0.5  # seconds to wait for output that a child of an exited helper keeps open


class StoredCredential(TypedDict):
    """Credentials of a server in a helper; the user ``<token>`` marks an identity token."""

    ServerURL: str
    Username: str
    Secret: str


class Store:
    """The credential helper ``docker-credential-{program}``.

    Args:
        program: short name of the helper, as in config.json ("pass", "secretservice", "ecr-login"…).
        environment: variables in addition to this process's.
        timeout: seconds that one call may take; None to wait indefinitely (some ask the user for a passphrase).

    Attributes:
        program: full program name.
        exe: path of the program; None if it is not on PATH (then calls raise StoreError).
    """

    def __init__(
        self, program: str, environment: Mapping[str, str] | None = None, *, timeout: float | None = 60.0
    ) -> None:
        if not program or any(separator in program for separator in "/\\\0"):
            raise InvalidArgument(
                f"program: must be the short name of a credential helper, not a path, got {program!r}"
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
        """Return the stored credentials of a server.

        Raises:
            CredentialsNotFound: no credentials are stored for the server.
            StoreError: the helper is missing, failed, returned invalid output or took too long.
        """
        name = server.decode() if isinstance(server, bytes) else server
        record = self._record(self._execute("get", name))
        user, secret = record.get("Username", ""), record.get("Secret", "")
        if not isinstance(user, str) or not isinstance(secret, str):
            raise errors.StoreError(f"credential helper {self.program} returned invalid credentials")
        if not user and not secret:
            raise errors.CredentialsNotFound(f"{self.program} has no credentials for {name}")
        return {"ServerURL": str(record.get("ServerURL", name)), "Username": user, "Secret": secret}

    def store(self, server: str, username: str, secret: str) -> bytes:
        """Store credentials, replacing those of the same server.

        Raises:
            StoreError: the helper is missing, failed or took too long.
        """
        record = {"ServerURL": server, "Username": username, "Secret": secret}
        return self._execute("store", json.dumps(record), secret)

    def erase(self, server: str | bytes) -> None:
        """Delete the stored credentials of a server.

        Raises:
            StoreError: the helper is missing, failed or took too long.
        """
        self._execute("erase", server.decode() if isinstance(server, bytes) else server)

    def list(self) -> dict[str, str]:
        """Return the servers with stored credentials, and their user names.

        Raises:
            StoreError: the helper is missing, failed, returned invalid output or took too long.
        """
        return {str(server): str(user) for server, user in self._record(self._execute("list", "")).items()}

    def _execute(self, verb: str, payload: str, secret: str = "") -> bytes:
        if self.exe is None:
            raise errors.StoreError(self._missing())
        try:
            code, stdout, stderr = _run(
                [self.exe, verb], payload.encode(), create_environment_dict(self.environment), self.timeout
            )
        # `from None` everywhere: those exceptions contain the input and output of the helper.
        except subprocess.TimeoutExpired:
            raise errors.StoreTimeout(
                f"credential helper {self.program} did not respond to '{verb}' within {self.timeout:g} s and was killed; "
                "it may be waiting for a passphrase: run it by hand"
            ) from None
        except OSError as error:
            raise errors.StoreError(f"credential helper {self.exe} can't be run: {error.strerror}") from None
        if max(len(stdout), len(stderr)) > _MAX_OUTPUT:
            raise errors.StoreError(
                f"credential helper {self.program} wrote more than {_MAX_OUTPUT} bytes and was killed"
            )
        if code == 0:
            return stdout
        failed = subprocess.CalledProcessError(code, [self.program, verb], _displayable(stdout, stderr, secret))
        raise errors.process_store_error(failed, self.program)

    def _record(self, output: bytes) -> Mapping[str, Any]:
        try:  # only the first value, as in the docker command: some helpers print a notice after it
            record, _ = json.JSONDecoder().raw_decode(output.decode().lstrip() or "{}")
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise errors.StoreError(
                f"credential helper {self.program} returned something other than a JSON object"
            ) from None
        return record

    def _missing(self) -> str:
        return (
            f"{self.program} not installed or not available in PATH; install it, or remove it from "
            "credsStore or credHelpers in the docker command's config.json"
        )


def _run(
    command: list[str], payload: bytes, environment: Mapping[str, str], timeout: float | None
) -> tuple[int, bytes, bytes]:
    """Run a program with limited output and return (exit code, stdout, stderr). Any exception here kills the program."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
    pipes = [item for item in (process.stdin, process.stdout, process.stderr) if item is not None]
    try:
        if sys.platform == "win32":  # Windows can't poll pipes
            stdout, stderr = process.communicate(payload, timeout)
            return process.returncode, stdout, stderr
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        stdout, stderr = _communicate(process, pipes, payload, deadline)
        left = None if timeout is None else max(deadline - time.monotonic(), 0)
        code = process.poll()
        return runtime.run_blocking(process.wait, left) if code is None else code, stdout, stderr
    except BaseException:
        process.kill()
        raise
    finally:
        for item in pipes:
            with contextlib.suppress(OSError):
                item.close()
        process.wait()


def _communicate(
    process: subprocess.Popen[bytes], pipes: list[IO[bytes]], payload: bytes, deadline: float
) -> tuple[bytes, bytes]:
    """Write a program's input and read its output, until both end or the output exceeds the limit."""
    stdin_fd, *output_fds = [item.fileno() for item in pipes]
    outputs = {fd: bytearray() for fd in output_fds}
    interests = {stdin_fd: runtime.WRITE, **dict.fromkeys(output_fds, runtime.READ)}
    for fd in interests:
        os.set_blocking(fd, False)
    while interests.keys() & outputs.keys() and max(map(len, outputs.values())) <= _MAX_OUTPUT:
        if (left := deadline - time.monotonic()) <= 0:
            raise subprocess.TimeoutExpired(process.args, 0)
        ready = runtime.wait_any(interests, min(left, _DRAIN_SECONDS))
        if not ready and process.poll() is not None:
            break  # a child of the program keeps its output open
        for fd in ready:
            if fd == stdin_fd:
                try:
                    payload = payload[os.write(fd, payload[:_BLOCK]) :]
                except OSError:  # the program does not read its input
                    payload = b""
                if payload:
                    continue
                pipes[0].close()
            elif data := os.read(fd, _BLOCK):
                outputs[fd] += data
                continue
            del interests[fd]
    if max(map(len, outputs.values())) > _MAX_OUTPUT:
        process.kill()
    stdout, stderr = outputs.values()
    return bytes(stdout), bytes(stderr)


def _displayable(stdout: bytes, stderr: bytes, secret: str) -> bytes:
    """Return the displayable output of a failed helper: nothing if it may contain a secret."""
    message = (stdout.strip() or stderr.strip()).decode("utf-8", "replace")
    encodings = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]} if secret else set()
    if "{" in message or any(encoding in message for encoding in encodings):
        return b"its output is not shown, since it may contain a secret; run the helper by hand to see it"
    return message[:_MAX_SHOWN].encode()
