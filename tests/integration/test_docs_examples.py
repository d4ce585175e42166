"""Every Python example of the documentation, on a real engine: a page's blocks run one after the other.

A block that can't run here has ``<!-- not run: why -->`` in the line before it. What a page takes for granted
(a container, an image) is in SETUP.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import dockerkit
from dockerkit.api.client import APIClient
from dockerkit.testing.labelling import with_labels

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^(?P<indent> *)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE)
NOT_RUN = re.compile(r"<!-- not run: .+ -->\s*$")
MAY_SKIP = 12
"""So many blocks may be marked as not run, in all pages together."""

SETUP: dict[str, str] = {}


def blocks(page):
    """(line, code, whether it runs) of a page's examples."""
    text = page.read_text()
    for match in BLOCK.finditer(text):
        yield (
            text.count("\n", 0, match.start()) + 1,
            textwrap.dedent(match["code"]),
            not NOT_RUN.search(text[: match.start()]),
        )


PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if any(blocks(page))]


def _param(page):
    marks = [pytest.mark.xdist_group("swarm")] if page.stem == "swarm" else []  # one swarm at a time on an engine
    return pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks)


@pytest.mark.parametrize("page", [_param(page) for page in PAGES])
def test_page(page, engine, busybox, labels, monkeypatch, tmp_path):
    labels = {**labels, "dockerkit.docs": page.stem}
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker-config"))  # examples write contexts and credentials
    monkeypatch.chdir(tmp_path)
    request = APIClient._request

    def labelled(self, method, path, ids, query, body, *rest):
        return request(self, method, path, ids, *with_labels(labels, method, path, query, body), *rest)

    monkeypatch.setattr(APIClient, "_request", labelled)  # so that what a failed example leaves is found
    namespace = {"__name__": "example"}
    name = str(page.relative_to(ROOT))
    with dockerkit.from_env() as client:
        namespace |= {"dockerkit": dockerkit}
        exec(compile(textwrap.dedent(SETUP.get(name, "")), "setup", "exec"), namespace)
        for line, code, runs in blocks(page):
            if runs:
                padded = "\n" * line + code  # so that a traceback shows the page's line
                exec(compile(padded, str(page), "exec"), namespace)
        left = client.containers.list(all=True, filters={"label": [f"{key}={value}" for key, value in labels.items()]})
        names = [container.name for container in left]
        for container in left:
            container.remove(force=True)
        assert names == [], "the page does not clean up"


def test_few_are_left_out():
    skipped = [(str(page), line) for page in PAGES for line, _, runs in blocks(page) if not runs]
    assert len(skipped) <= MAY_SKIP, skipped
