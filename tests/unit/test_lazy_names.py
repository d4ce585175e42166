"""Lazily loaded names are the same for programs and type checkers; old names warn."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def lazy_call(path):
    """Return the arguments of the module's lazy_names(), or None."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazy_names":
            arguments = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg != "before"}
            arguments |= {"modules": node.args[1]} if len(node.args) > 1 else {}
            return {key: ast.literal_eval(value) for key, value in arguments.items()}
    return None


CALLS = {
    module_name(path): call
    for path in sorted((ROOT / "dockerkit").rglob("*.py"))
    if (call := lazy_call(path)) is not None
}
RENAMED = [(module, old, new) for module, call in CALLS.items() for old, new in call.get("renamed", {}).items()]


def seen_by_type_checkers(module):
    source = Path(importlib.import_module(module).__file__).read_text()
    imported, assigned = set(), {}
    for block in ast.parse(source).body:
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING":
            for node in block.body:
                if isinstance(node, ast.ImportFrom):
                    imported |= {(node.module, alias.name) for alias in node.names}
                elif isinstance(node, ast.Assign):
                    assigned[node.targets[0].id] = node.value.id  # type: ignore[attr-defined]
    return imported, assigned


@pytest.mark.parametrize("module", CALLS)
def test_type_checkers_see_the_lazy_names(module):
    imported, assigned = seen_by_type_checkers(module)
    package = importlib.import_module(module)
    for home, names in CALLS[module].get("modules", {}).items():
        absolute = importlib.util.resolve_name(home, module)
        for name in names.split():
            assert getattr(package, name) is getattr(importlib.import_module(absolute), name)
            assert (absolute, name) in imported or name.startswith("RUN_")
            assert name in dir(package)
    assert assigned == CALLS[module].get("renamed", {})


@pytest.mark.parametrize(("module", "old", "new"), RENAMED)
def test_old_name_warns_and_is_the_new_one(module, old, new):
    package = importlib.import_module(module)
    with pytest.warns(DeprecationWarning, match=rf"^{module}\.{old} was renamed to {new}$") as caught:
        assert getattr(package, old) is getattr(package, new)
    assert caught[0].filename == __file__
    assert old not in getattr(package, "__all__", ())


@pytest.mark.parametrize("module", CALLS)
def test_unknown_name_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
        importlib.import_module(module).nothing  # noqa: B018


def test_submodules_load_when_named():
    program = "import dockerkit; print(dockerkit.errors.NotFound.__name__, dockerkit.types.services.Mount.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["NotFound", "Mount"]
