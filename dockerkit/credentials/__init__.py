"""Registry credentials, and the helper programs that store them outside config.json."""

from __future__ import annotations

from dockerkit.credentials.constants import (
    DEFAULT_LINUX_STORE,
    DEFAULT_OSX_STORE,
    DEFAULT_WIN32_STORE,
    PROGRAM_PREFIX,
)
from dockerkit.credentials.errors import CredentialsNotFound, InitializationError, StoreError, StoreTimeout
from dockerkit.credentials.store import Store

__all__ = [
    "DEFAULT_LINUX_STORE", "DEFAULT_OSX_STORE", "DEFAULT_WIN32_STORE", "PROGRAM_PREFIX", "CredentialsNotFound",
    "InitializationError", "Store", "StoreError", "StoreTimeout",
]  # fmt: skip
