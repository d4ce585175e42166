"""The example notebooks run to their end, show what they are for, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "examples" / "notebooks").glob("*.ipynb"))


def outputs(notebook, media_type):
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get(media_type) if "data" in output else None
            if text:
                found.append(text)
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, engine, client, busybox, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("PYTHONPATH", str(path.parents[2]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "keep notebooks without outputs"
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    tables = outputs(notebook, "text/html")
    assert tables, "no table is shown"
    assert all("<script" not in table for table in tables)
    if path.stem != "build_with_progress":
        assert outputs(notebook, "image/png"), "no plot is shown"
    label = {"label": "dockerkit.notebook"}
    assert client.containers.list(all=True, filters=label) == []
    assert client.volumes.list(filters=label) == []
    nbformat.write(notebook, tmp_path / path.name)


def test_there_are_three():
    assert len(NOTEBOOKS) == 3
