"""Errors of credential helpers.

::

    DockerException
    └── CredentialsError
        └── StoreError (RuntimeError)     the helper is missing, failed, or returned invalid output
            ├── CredentialsNotFound       it has no credentials for that server
            ├── InitializationError       it can't reach its store
            └── StoreTimeout              it did not respond in time (TimeoutError)
"""

from __future__ import annotations

import subprocess

from dockerkit.errors import CredentialsError

__all__ = ["CredentialsNotFound", "InitializationError", "StoreError", "StoreTimeout", "process_store_error"]

# Only the message of a helper distinguishes "nothing stored" from "failed": the first one is the protocol's, the
# others are used by existing helpers.
_NOT_FOUND = (
    "credentials not found",
    "no stored credential",
    "no credentials server",
    "could not be found in the keychain",
)


class StoreError(CredentialsError, RuntimeError):
    """A credential helper is missing, failed, or returned invalid output."""


class CredentialsNotFound(StoreError):
    """The credential helper has no credentials for that server."""


class InitializationError(StoreError):
    """The credential helper could not be set up: its keychain, vault or file can't be reached."""


class StoreTimeout(StoreError, TimeoutError):
    """The credential helper did not respond in time and was killed."""


def process_store_error(cpe: subprocess.CalledProcessError, program: str) -> StoreError:
    """Return the error for a helper that exited with a non-zero exit code.

    Args:
        cpe: failed call, with the helper's output in ``output``.
        program: name of the helper.
    """
    output = cpe.output or b""
    detail = (output.decode("utf-8", "replace") if isinstance(output, bytes) else str(output)).strip()
    lowered = detail.lower()
    if any(phrase in lowered for phrase in _NOT_FOUND):
        return CredentialsNotFound(f"{program} has no credentials for this server")
    message = f"credential helper {program} exited with code {cpe.returncode}: {detail or 'no output'}"
    if "not initialized" in lowered or "failed to initialize" in lowered:
        return InitializationError(message)
    return StoreError(message)
