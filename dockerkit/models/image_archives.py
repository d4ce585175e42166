"""Images as archives: saved, loaded, and made from file systems."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, overload

from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import StreamTruncated
from dockerkit.localfiles import replacing
from dockerkit.models.resource import Collection
from dockerkit.platforms import Platform
from dockerkit.progress import watch, watch_bytes

if TYPE_CHECKING:
    from dockerkit.api.base import Data, Ref
    from dockerkit.models.images import Image
    from dockerkit.progress import ProgressSpec
    from dockerkit.streams import ByteStream

_LOADED = ("Loaded image ID: ", "Loaded image: ")


class ImageArchives(Collection["Image"]):
    """The part of the images that deals with archives."""

    @overload
    def save(
        self,
        images: Ref | Sequence[Ref],
        to: None = None,
        *,
        platform: Platform | Iterable[Platform] | None = None,
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        progress: ProgressSpec = None,
    ) -> ByteStream: ...

    @overload
    def save(
        self,
        images: Ref | Sequence[Ref],
        to: str | os.PathLike[str] | IO[bytes],
        *,
        platform: Platform | Iterable[Platform] | None = None,
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        progress: ProgressSpec = None,
    ) -> int: ...

    def save(
        self,
        images: Ref | Sequence[Ref],
        to: str | os.PathLike[str] | IO[bytes] | None = None,
        *,
        platform: Platform | Iterable[Platform] | None = None,
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        progress: ProgressSpec = None,
    ) -> ByteStream | int:
        """One or several images as one tar archive, for :meth:`load`. ``GET /images/get``

        Args:
            images: names, or objects; names stay in the archive.
            to: path of a file, which appears (or replaces what is there) when it is complete; or an open binary file.
            platform: only what they have for one or several platforms (API 1.48).
            chunk_size: bytes of each piece.
            progress: show it: True, "plain", a function; with `to`.

        Returns:
            Without `to` an iterator of pieces, also a readable file and a context manager; else the bytes written.

        Example::

            client.images.save(["busybox", "alpine:3"], "images.tar")
        """
        stream = self.client.api.get_image(images, chunk_size, platform=platform)
        if to is None:
            return stream
        with stream:
            pieces = watch_bytes(stream, progress, "Saving images")
            if not isinstance(to, (str, os.PathLike)):
                return sum(to.write(piece) for piece in pieces)
            with replacing(to) as file:
                return sum(file.write(piece) for piece in pieces)

    def load(
        self,
        data: Data | os.PathLike[str],
        *,
        platform: Platform | Iterable[Platform] | None = None,
        progress: ProgressSpec = None,
    ) -> list[Image]:
        """Load images from a tar archive. ``POST /images/load``

        Args:
            data: the archive, streamed: bytes, a binary file, an iterable of bytes, or a Path.
            platform: only what the archive has for one or several platforms (API 1.48).
            progress: show it: True, "plain", a function.

        Returns:
            The images that were loaded, as far as the engine names them: of images without a name it tells only where
            the archive holds no others.

        Raises:
            ImageLoadError: the archive is no image archive.
        """
        text = ""
        with self.client.api.load_image(data, None if progress else True, platform=platform) as records:
            for record in watch(records, progress, "Loading images"):
                text += record.get("stream") or ""
        loaded: list[str] = []
        for line in text.splitlines():
            for words in _LOADED:
                if line.startswith(words):
                    loaded += line.removeprefix(words).split(",")  # Podman names several in one line
        return [self.get(name) for name in dict.fromkeys(loaded)]

    def import_image(
        self,
        src: str | os.PathLike[str] | Data,
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
        *,
        message: str | None = None,
        platform: Platform | None = None,
    ) -> Image:
        """Make an image from a file system archive. ``POST /images/create``

        Args:
            src: the archive, streamed: path of a file, URL that the engine fetches, bytes, a binary file, an iterable.
            repository, tag: name of the new image.
            changes: Dockerfile instructions to apply: ``"CMD top"`` or a list of such.
            message: the comment in the image's history.
            platform: of the new image (API 1.32).

        Raises:
            StreamError: the archive is none, or could not be fetched.
        """
        text = self.client.api.import_image(src, repository, tag, changes=changes, message=message, platform=platform)
        statuses = [json.loads(line).get("status") for line in text.splitlines() if line]
        image = next((status for status in reversed(statuses) if status and status.startswith("sha256:")), None)
        if image is None:
            raise StreamTruncated(f"the engine did not say which image it made: {text[-300:]!r}")
        return self.get(image)
