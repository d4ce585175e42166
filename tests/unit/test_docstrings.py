"""Everything public has a docstring: modules, classes, functions, methods, properties."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "dockerkit"
GENERATED = {"types/answers.py"}  # names of the Engine's; the fields are described there
INTERNAL = (
    "aio/primitives.py",  # documented in the standard library
    "builder/buildkit/",
    "testing/fake_engine/route_",
    "testing/fake_engine/fakes.py",
)  # internal

MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.name.endswith("_pb2.py") and (not path.name.startswith("_") or path.name == "__init__.py")
]


def silent(node: ast.Module | ast.ClassDef, place: str = "") -> Iterator[str]:
    """Return the names in a module or class without a docstring."""
    bases = {ast.unparse(base).rpartition(".")[2] for base in getattr(node, "bases", [])}
    inherits = bool(bases - {"object", "Exception"}) or "Protocol" in bases
    for child in node.body:
        if not isinstance(child, (ast.ClassDef, ast.FunctionDef)) or child.name.startswith("_"):
            continue
        decorators = " ".join(ast.unparse(decorator) for decorator in child.decorator_list)
        if any(word in decorators for word in ("overload", ".setter", ".register")):
            continue
        overrides = isinstance(child, ast.FunctionDef) and inherits  # documented where it is first declared
        if ast.get_docstring(child) is None and not overrides:
            yield place + child.name
        if isinstance(child, ast.ClassDef):
            yield from silent(child, f"{place}{child.name}.")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_docstrings(path):
    name = str(path.relative_to(PACKAGE))
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module says nothing of itself"
    if name not in GENERATED and not name.startswith(INTERNAL):
        assert list(silent(tree)) == []
