"""The README that package indexes show."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]


def test_readme_for_indexes_has_no_relative_links(monkeypatch) -> None:
    interface = SimpleNamespace(MetadataHookInterface=object)
    monkeypatch.setitem(sys.modules, "hatchling.metadata.plugin.interface", interface)  # of the build environment
    hook = importlib.import_module("package_readme").PackageReadme()
    hook.root = str(ROOT)
    metadata: dict[str, dict[str, str]] = {}
    hook.update(metadata)
    text = metadata["readme"]["text"]
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert targets
    assert all(target.startswith("https://") for target in targets)
    assert "| works without the `docker` command | yes | yes | yes | no |" in text
    assert "](docs/" in (ROOT / "README.md").read_text(encoding="utf-8"), "nothing to test"
