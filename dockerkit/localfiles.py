"""Files on this machine: written whole or not at all, and the docker command's JSON files read and changed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from typing import IO, Any

from dockerkit.errors import InvalidConfigFile

__all__ = ["edit_json", "read_json", "replacing"]


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], mode: int | None = None) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` at the end of the block, if all went well; else nothing has changed.

    A symbolic link is followed, not replaced. What is there and no regular file, such as a pipe, is written to as it is.

    Args:
        path: where to; its folder exists.
        mode: its permission bits; None leaves those that are there, and gives a new file the usual ones.

    Raises:
        OSError: it can't be written.
    """
    target = os.path.realpath(path)
    there = os.path.exists(target)
    if there and not os.path.isfile(target):
        with open(target, "wb") as file:
            yield file
        return
    if mode is None and there:
        mode = os.stat(target).st_mode & 0o777
    temporary = f"{target}.{os.urandom(4).hex()}.partial"

    def private(name: str, flags: int) -> int:
        return os.open(name, flags, 0o666 if mode is None else 0o600)

    try:
        with open(temporary, "xb", opener=private) as file:
            yield file
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def read_json(path: str) -> dict[str, Any]:
    """The JSON object in a file; an empty file holds an empty one.

    Raises:
        InvalidConfigFile: it can't be read, or is no JSON object. Neither message nor cause has a word of its content.
    """
    try:
        with open(path, "rb") as file:
            record = json.loads(file.read() or b"{}")
    except OSError as error:
        raise InvalidConfigFile(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        # `from None`: the cause carries the whole text, passwords and all.
        raise InvalidConfigFile(f"{path} can't be read: no valid JSON{where}") from None
    if not isinstance(record, dict):
        raise InvalidConfigFile(f"{path} holds no JSON object")
    return record


def edit_json(path: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Read the JSON object in a file, change it, and put it back in one step. What is not changed stays, also where we
    don't know it; nothing is written where nothing is changed. A new file can be read by its owner only.

    Raises:
        InvalidConfigFile: what is there can't be read, and is left alone.
        OSError: it can't be written.
    """
    target = os.path.realpath(path)
    there = os.path.exists(target)
    record = read_json(target) if there else {}
    before = json.dumps(record)
    change(record)
    if json.dumps(record) != before:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        with replacing(target, None if there else 0o600) as file:
            file.write((json.dumps(record, indent="\t") + "\n").encode())
