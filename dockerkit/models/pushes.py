"""Results of pushes: the digest in the registry."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_TAGGED = re.compile(r"(\S+): digest: (sha256:[0-9a-f]{64})\b")
_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})\b")


def pushed_digest(records: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the digest in the records of a push; None if the engine does not report it.

    The classic image store sends it as a field of ``aux``, containerd's only in the text of the last status.
    """
    in_words = None
    for record in records:
        aux, status = record.get("aux"), record.get("status")
        if isinstance(aux, Mapping) and aux.get("Digest"):
            return str(aux["Digest"])
        if isinstance(status, str) and (found := _DIGEST.search(status)):
            in_words = found[1]
    return in_words


class PushResult(str):
    """Text of a finished push, as docker-py returns it, with the digest in the registry.

    Attributes:
        name: name of the image, without tag.
        tag: tag.
        digests: digests by tag.
    """

    __slots__ = ("_ask_registry", "digests", "name", "tag")

    name: str
    tag: str
    digests: dict[str, str]
    _ask_registry: Callable[[], str | None] | None

    def __new__(
        cls, text: str, name: str = "", tag: str = "latest", ask_registry: Callable[[], str | None] | None = None
    ) -> PushResult:
        """Parse the digests from the records in the text."""
        result = super().__new__(cls, text)
        result.name, result.tag, result._ask_registry = name, tag, ask_registry
        records = [json.loads(line) for line in text.split("\n") if line.strip()]
        result.digests = {}
        for record in records:
            if isinstance(status := record.get("status"), str) and (found := _TAGGED.match(status)):
                result.digests[found[1]] = found[2]
        if not result.digests and (digest := pushed_digest(records)):
            result.digests = {tag: digest}
        return result

    @property
    def digest(self) -> str | None:
        """Digest in the registry; None if unknown, or if there are several.

        If the engine did not report it, it is fetched from the registry once. ``GET /distribution/{name}/json``
        """
        if not self.digests and self._ask_registry is not None:
            digest, self._ask_registry = self._ask_registry(), None
            if digest:
                self.digests[self.tag] = digest
        found = set(self.digests.values())
        return found.pop() if len(found) == 1 else None

    def __reduce__(self) -> tuple[type[PushResult], tuple[str, str, str]]:
        return type(self), (str(self), self.name, self.tag)

    @property
    def reference(self) -> str | None:
        """Name with digest, which identifies exactly this image; None if the digest is unknown."""
        return f"{self.name}@{self.digest}" if self.digest else None


class PushRecords(list[dict[str, Any]]):
    """Progress records of a finished push."""

    @property
    def digest(self) -> str | None:
        """Digest in the registry; None if the engine does not report it."""
        return pushed_digest(self)
