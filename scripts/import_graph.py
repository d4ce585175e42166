"""The run-time imports between dockerkit's modules, including those in functions."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "dockerkit"


def modules() -> dict[str, Path]:
    """Return all modules of the package by name."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _is_typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Return all nodes except those for type checkers only."""
    for child in ast.iter_child_nodes(tree):
        if _is_typing_only(child):
            assert isinstance(child, ast.If)
            for other in child.orelse:
                yield other
                yield from _nodes(other)
        else:
            yield child
            yield from _nodes(child)


def imports(name: str, path: Path, known: Mapping[str, Path]) -> set[str]:
    """Return the modules that a module imports at run time, also in functions and through lazy names."""
    found: set[str] = set()
    for node in _nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy_names" and len(node.args) > 1:
            found |= {importlib.util.resolve_name(home, name) for home in ast.literal_eval(node.args[1])}
    return (found & known.keys()) - {name}


def graph() -> dict[str, set[str]]:
    """Return the modules that each module imports at run time. The root, whose names are all lazy, is omitted."""
    known = modules()
    del known[PACKAGE]
    return {name: imports(name, path, known) for name, path in known.items()}


def cycle(edges: Mapping[str, set[str]]) -> list[str]:
    """Return one import cycle; empty if there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


if __name__ == "__main__":
    found = cycle(graph())
    print(" <- ".join(found) or "no circular imports")
    sys.exit(bool(found))
