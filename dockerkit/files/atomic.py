"""Write files atomically."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO

__all__ = ["atomic_write"]


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: int | None = None) -> Iterator[IO[bytes]]:
    """Yield a file that replaces `path` at the end of the block. If the block raises, nothing changes.

    A symbolic link is followed, not replaced. An existing file keeps its owner. Anything but a regular file, such as a
    pipe, is written to directly.

    Args:
        path: target path; its folder must exist.
        mode: permission bits; None keeps those of an existing file, and uses the default for a new one.

    Raises:
        OSError: the file can't be written.
    """
    target = os.path.realpath(path)
    exists = os.path.exists(target)
    if exists and not os.path.isfile(target):
        with open(target, "wb") as file:
            yield file
        return
    if mode is None and exists:
        mode = os.stat(target).st_mode & 0o777
    owner = os.stat(target) if exists else None
    temporary = f"{target}.{os.urandom(4).hex()}.partial"

    def open_private(name: str, flags: int) -> int:
        return os.open(name, flags, 0o666 if mode is None else 0o600)

    try:
        with open(temporary, "xb", opener=open_private) as file:
            yield file
        if owner is not None and hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # only root may change the owner
                os.chown(temporary, owner.st_uid, owner.st_gid)
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
