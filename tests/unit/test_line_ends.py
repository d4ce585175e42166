"""Formats whose lines end at line feeds: other characters that Python calls line ends are content."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from scripted_engine import Answer, ScriptedEngine

import dockerkit
from dockerkit import DockerClient
from dockerkit.errors import InvalidArgument
from dockerkit.parsing.values import env_file, label_file

NO_ENDS = ["\u2028", "\u2029", "\x85", "\f", "\v", "\x1c", "\x1d", "\x1e", "\r"]


@pytest.mark.parametrize("char", NO_ENDS)
@pytest.mark.parametrize("read", [env_file, label_file])
def test_only_line_feeds_end_a_line(tmp_path: Path, char: str, read: object) -> None:
    path = tmp_path / "file"
    path.write_bytes(f"A=one{char}HOME=two\r\n{char if char.isprintable() else ''}B=three".encode())
    assert read(path) == {"A": f"one{char}HOME=two", "B": "three"}  # type: ignore[operator]


def test_wrong_line_is_reported_without_its_value(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("A=1\nDB PASSWORD=hunter2\n")
    with pytest.raises(InvalidArgument, match="env_file: line 2 of .*'DB PASSWORD'") as caught:
        env_file(path)
    assert "hunter2" not in str(caught.value)


def test_records_of_an_import_may_hold_any_character(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/images/create", Answer.chunked(['{"status":"sha256:abc","x":"a\x85b"}\n'.encode()]))
    scripted.on("GET", "/images/sha256%3Aabc/json", Answer.json({"Id": "sha256:abc"}))
    scripted.on("GET", "/images/sha256:abc/json", Answer.json({"Id": "sha256:abc"}))
    with DockerClient(scripted.host) as client:
        assert client.images.import_image(b"archive").id == "sha256:abc"


def test_package_never_splits_at_pythons_line_boundaries() -> None:
    """``str.splitlines`` is right for nothing that dockerkit reads; on bytes it knows CR and LF only."""
    allowed = {"messages.py", "recording.py", "replayer.py", "output.py"}  # our own table and bytes
    found = [
        f"{path}:{node.lineno}"
        for path in Path(dockerkit.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines" and path.name not in allowed
    ]
    assert not found
