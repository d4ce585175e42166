"""Read the docker command's JSON files, and change them without losing concurrent changes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from dockerkit.errors import InvalidConfigFile
from dockerkit.files.atomic import atomic_write

__all__ = ["edit_json", "read_json"]


def read_json(path: str) -> dict[str, Any]:
    """Return the JSON object in a file; an empty file yields an empty object. Errors and causes omit its content."""
    try:
        with open(path, "rb") as file:
            record = json.loads(file.read() or b"{}")
    except OSError as error:
        raise InvalidConfigFile(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        # `from None`: the cause contains the whole content, including passwords.
        raise InvalidConfigFile(f"{path} can't be read: invalid JSON{where}") from None
    if not isinstance(record, dict):
        raise InvalidConfigFile(f"{path} must contain a JSON object")
    return record


def edit_json(path: str, change: Callable[[dict[str, Any]], None], *, private: bool = False) -> None:
    """Change the JSON object in a file atomically.

    Everything else is kept, including unknown fields. The file is not written if nothing changed. A new file, and one
    to which secrets are added (`private`), is readable by its owner only. Its folder is created if missing.
    """
    target = os.path.realpath(path)
    if target.startswith(os.path.join(os.devnull, "")):
        raise InvalidConfigFile("the user's home folder is not known: set HOME or DOCKER_CONFIG")
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    with _locked(os.path.dirname(target)):
        exists = os.path.exists(target)
        record = read_json(target) if exists else {}
        before = json.dumps(record)
        change(record)
        if json.dumps(record) != before:
            mode = None if exists else 0o600
            if private and exists and os.stat(target).st_mode & 0o007:
                mode = 0o600
            with atomic_write(target, mode) as file:
                file.write((json.dumps(record, indent="\t") + "\n").encode())


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Serialize changes among processes that use dockerkit."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
