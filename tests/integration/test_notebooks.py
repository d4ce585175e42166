"""The example notebooks run to their end, show tables, and leave nothing behind."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_show_tables_and_no_errors(path):
    notebook = nbformat.read(path, as_version=4)
    stored = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs(notebook, "text/html"), "no table is stored"
    assert not [output for output in stored if output.output_type == "error" or output.get("name") == "stderr"]
    assert not re.search(r"/(?:root|home|tmp|Users)/", str(stored)), "a path of the machine is stored"


def test_there_are_three():
    assert len(NOTEBOOKS) == 3


def test_asynchronous_client_in_a_notebooks_loop(engine, busybox, labels, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    code = f"""
from dockerkit.aio import AsyncDockerClient
client = AsyncDockerClient()
box = await client.containers.run({busybox!r}, ["echo", "from a notebook"], detach=True, labels={labels!r})
print([entry.text async for entry in box.log_entries(follow=True)])
await box.remove(force=True)
await client.close()
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    assert "from a notebook" in notebook.cells[0]["outputs"][0]["text"]
