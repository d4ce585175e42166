"""Images made from a file system archive. ``POST /images/create``"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any

from dockerkit.api.base import Base, Data
from dockerkit.errors import InvalidArgument
from dockerkit.platforms import Platform, platform_text
from dockerkit.reference import parse_repository_tag

if TYPE_CHECKING:
    from dockerkit.streams import ProgressStream


class ImageImportAPI(Base):
    """The calls that make an image from a file system archive."""

    def import_image(
        self,
        src: str | os.PathLike[str] | Data | None = None,
        repository: str | None = None,
        tag: str | None = None,
        image: str | None = None,
        changes: str | Sequence[str] | None = None,
        stream_src: bool = False,
        *,
        message: str | None = None,
        platform: Platform | None = None,
    ) -> str:
        """Make an image from a file system archive. ``POST /images/create``

        Args:
            src: the archive: path of a file, URL that the engine fetches, bytes, a binary file, an iterable of bytes.
            repository, tag: name of the new image.
            image: an existing image instead of `src`: this is a pull.
            changes: Dockerfile instructions to apply: ``"CMD top"`` or a list of such.
            stream_src: taken for docker-py's sake: whatever is no text is streamed.
            message: the comment in the image's history.
            platform: of the new image, ``linux/arm64`` (API 1.32).

        Returns:
            The text of the engine's records; the last holds the new image's id as ``status``.

        Raises:
            StreamError: the archive is none, or the URL could not be fetched.
        """
        del stream_src
        if (src is None) == (image is None):
            raise InvalidArgument("src: give either an archive as src or an image, not both")
        if image is not None:
            return self.import_image_from_image(image, repository, tag, changes)
        options: dict[str, Any] = {
            "repository": repository, "tag": tag, "changes": changes, "message": message, "platform": platform,
        }  # fmt: skip
        if isinstance(src, str) and not os.path.isfile(src):
            return self._import(src, None, **options)
        if isinstance(src, (str, os.PathLike)):
            return self._import_file(src, **options)
        return self._import("-", src, **options)

    def import_image_from_data(
        self,
        data: Data,
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Make an image from an archive in memory; as :meth:`import_image`. ``POST /images/create``

        Args:
            data: the archive as bytes.
            repository, tag, changes: as for :meth:`import_image`.
        """
        return self._import("-", data, repository=repository, tag=tag, changes=changes)

    def import_image_from_file(
        self,
        filename: str | os.PathLike[str],
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Make an image from an archive on disk; as :meth:`import_image`. ``POST /images/create``

        Args:
            filename: path of the archive.
            repository, tag, changes: as for :meth:`import_image`.

        Raises:
            OSError: the file can't be opened.
        """
        return self._import_file(filename, repository=repository, tag=tag, changes=changes)

    def import_image_from_stream(
        self,
        stream: IO[bytes] | Iterable[bytes],
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Make an image from an archive that comes as a stream; as :meth:`import_image`. ``POST /images/create``

        Args:
            stream: a binary file or an iterable of bytes.
            repository, tag, changes: as for :meth:`import_image`.
        """
        return self._import("-", stream, repository=repository, tag=tag, changes=changes)

    def import_image_from_url(
        self,
        url: str,
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Make an image from an archive that the engine fetches; as :meth:`import_image`. ``POST /images/create``

        Args:
            url: where the engine finds the archive.
            repository, tag, changes: as for :meth:`import_image`.
        """
        return self._import(url, None, repository=repository, tag=tag, changes=changes)

    def import_image_from_image(
        self,
        image: str,
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Pull an image, under docker-py's old name for it. ``POST /images/create``

        Args:
            image: name of the image.
            repository, changes: passed on; the engine does not heed them with an image.
            tag: its tag, where the name has none; ``latest`` by default.
        """
        name, own_tag = parse_repository_tag(image)
        query = {
            "fromImage": name, "repo": repository, "tag": tag or own_tag or "latest", "changes": _changes(changes),
        }  # fmt: skip
        return text_of(self._progress("POST", "/images/create", query=query, decode=False))

    def _import_file(self, path: str | os.PathLike[str], **options: Any) -> str:
        with open(path, "rb") as file:
            return self._import("-", file, **options)

    def _import(
        self,
        source: str,
        data: Data | None,
        *,
        repository: str | None,
        tag: str | None,
        changes: str | Sequence[str] | None,
        message: str | None = None,
        platform: Platform | None = None,
    ) -> str:
        query = {
            "fromSrc": source, "repo": repository, "tag": tag, "changes": _changes(changes), "message": message,
            "platform": platform_text(platform),
        }  # fmt: skip
        return text_of(self._progress("POST", "/images/create", query=query, data=data, decode=False))


def _changes(changes: str | Sequence[str] | None) -> list[str] | None:
    return [changes] if isinstance(changes, str) else None if changes is None else list(changes)


def text_of(records: ProgressStream[bytes]) -> str:
    """All records of a stream as docker-py gives them: JSON texts with line ends."""
    with records:
        return "".join(line.decode("utf-8", "replace") + "\r\n" for line in records)
