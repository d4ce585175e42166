"""What can go wrong with a credential helper.

::

    DockerException
    └── CredentialsError
        └── StoreError (RuntimeError)     the helper is missing, failed, or talks nonsense
            ├── CredentialsNotFound       it has nothing for that server
            ├── InitializationError       it can't reach its store
            └── StoreTimeout              it did not answer in time (TimeoutError)
"""

from __future__ import annotations

import subprocess

from dockerkit.errors import CredentialsError

__all__ = ["CredentialsNotFound", "InitializationError", "StoreError", "StoreTimeout", "process_store_error"]

# Helpers tell "nothing stored" from "failed" by their text alone: the first is the protocol's sentence, the others are
# what helpers in the wild say.
_NOT_FOUND = (
    "credentials not found",
    "no stored credential",
    "no credentials server",
    "could not be found in the keychain",
)


class StoreError(CredentialsError, RuntimeError):
    """A credential helper is missing, failed, or gave an answer that is none."""


class CredentialsNotFound(StoreError):
    """The credential helper has nothing for that server."""


class InitializationError(StoreError):
    """The credential helper could not be set up: its keychain, vault or file can't be reached."""


class StoreTimeout(StoreError, TimeoutError):
    """The credential helper did not answer in time, and was ended."""


def process_store_error(cpe: subprocess.CalledProcessError, program: str) -> StoreError:
    """The error for a helper that left with a non-zero exit code.

    Args:
        cpe: the failed call, with what the helper wrote in ``output``.
        program: the helper's name.
    """
    output = cpe.output or b""
    text = (output.decode("utf-8", "replace") if isinstance(output, bytes) else str(output)).strip()
    lowered = text.lower()
    if any(phrase in lowered for phrase in _NOT_FOUND):
        return CredentialsNotFound(f"{program} has no credentials for this server")
    message = f"credential helper {program} left with exit code {cpe.returncode}: {text or 'it said nothing'}"
    if "not initialized" in lowered or "failed to initialize" in lowered:
        return InitializationError(message)
    return StoreError(message)
