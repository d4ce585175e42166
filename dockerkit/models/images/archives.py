"""Save, load and import images as archives."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, overload

from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import StreamTruncated
from dockerkit.models.files import write_to
from dockerkit.models.resource import Collection
from dockerkit.parsing.platforms import Platform
from dockerkit.parsing.values import file_target
from dockerkit.progress import watch, watch_bytes

if TYPE_CHECKING:
    from dockerkit.api.base import Data, Ref
    from dockerkit.models.images import Image
    from dockerkit.progress import ProgressSpec
    from dockerkit.streams import ByteStream


class ImageArchives(Collection["Image"]):
    """Archive methods of ``client.images``."""

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
        """Save one or several images as one tar archive, for :meth:`load`. ``GET /images/get``

        Args:
            images: names, or objects. The archive also contains the names.
            to: path of a file, which is written atomically, or an open binary file.
            platform: save only these platforms, one or several (API 1.48).
            chunk_size: maximum bytes per chunk.
            progress: progress display, with `to`: True, "plain" or a function.

        Returns:
            Without `to`, the archive as an iterator of chunks, readable file and context manager; otherwise the number
            of bytes written.

        Example::

            client.images.save(["busybox", "alpine:3"], "images.tar")
        """
        target = None if to is None else file_target(to, "to")
        stream = self.client.api.get_image(images, chunk_size, platform=platform)
        if target is None:
            return stream
        with stream:
            return write_to(target, watch_bytes(stream, progress, "Saving images"))

    def load(
        self,
        data: Data | os.PathLike[str],
        *,
        platform: Platform | Iterable[Platform] | None = None,
        progress: ProgressSpec = None,
    ) -> list[Image]:
        """Load images from a tar archive. ``POST /images/load``

        Args:
            data: the archive, which is streamed: bytes, a binary file, an iterable of bytes, or a Path.
            platform: load only these platforms, one or several (API 1.48).
            progress: progress display: True, "plain" or a function.

        Returns:
            The loaded images that the engine reports. It reports images without a name only if the archive contains no
            others.

        Raises:
            ImageLoadError: the archive is not an image archive.
        """
        text = ""
        with self.client.api.load_image(data, None if progress else True, platform=platform) as records:
            records.raises = True
            for record in watch(records, progress, "Loading images"):
                text += record.get("stream") or ""
        lines = re.findall(r"^Loaded image(?: ID)?: (.*)", text, re.MULTILINE)
        names = [name for line in lines for name in line.split(",")]  # Podman reports several on one line
        return [self.get(name) for name in dict.fromkeys(names)]

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
        """Create an image from a file system archive. ``POST /images/create``

        Args:
            src: the archive, which is streamed: a path, a URL for the engine to fetch, bytes, a binary file, or an
                iterable.
            repository, tag: name of the new image.
            changes: Dockerfile instructions to apply: ``"CMD top"`` or a list.
            message: comment in the image's history.
            platform: platform of the new image (API 1.32).

        Raises:
            StreamError: the archive is invalid, or could not be fetched.
        """
        text = self.client.api.import_image(src, repository, tag, changes=changes, message=message, platform=platform)
        statuses = [json.loads(line).get("status") for line in text.split("\n") if line]
        image = next((status for status in reversed(statuses) if status and status.startswith("sha256:")), None)
        if image is None:
            raise StreamTruncated(f"the engine did not report the ID of the image: {text[-300:]!r}")
        return self.get(image)
