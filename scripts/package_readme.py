"""Build hook: the README for package indexes, where relative links and pictures lead nowhere."""

from __future__ import annotations

import pathlib
import re
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(r"^!\[[^]]*\]\((?!https:)[^)]*\)\n+", re.MULTILINE)
LINK = re.compile(r"\[([^]]+)\]\((?!https:)[^)]*\)")


def for_index(readme: str) -> str:
    """Return the README without pictures of the repository, and with the text of links to its files."""
    return LINK.sub(r"\1", PICTURE.sub("", readme))


class PackageReadme(MetadataHookInterface):  # type: ignore[misc]  # hatchling is only installed for builds
    def update(self, metadata: dict[str, Any]) -> None:
        readme = (pathlib.Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": for_index(readme)}
