"""The types of the asynchronous classes match the synchronous ones, and editors complete them."""

from __future__ import annotations

import ast
from types import ModuleType

import make_aio_stubs
import pytest

import dockerkit.aio


def normal(text: str) -> tuple[list[str], str]:
    """Return sorted imports and the rest, without formatting and docstrings."""
    module = ast.parse(text)
    for node in ast.walk(module):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body[:1] = [ast.Expr(ast.Constant(...))]
    body = module.body
    imports = [
        ast.unparse(ast.ImportFrom(node.module, [name], 0)) if isinstance(node, ast.ImportFrom) else ast.unparse(node)
        for node in body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    ]
    rest = [node for node in body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return sorted(imports), "\n".join(ast.unparse(node) for node in rest)


def test_stubs_are_in_step_with_the_synchronous_signatures() -> None:
    written, generated = normal(make_aio_stubs.TARGET.read_text()), normal(make_aio_stubs.generate())
    assert written == generated, "run scripts/make_aio_stubs.py"


def test_stubs_export_what_the_module_has() -> None:
    exported = next(node for node in ast.parse(make_aio_stubs.TARGET.read_text()).body if isinstance(node, ast.Assign))
    assert sorted(ast.literal_eval(exported.value)) == sorted(dockerkit.aio.__all__)
    for name in dockerkit.aio.__all__:
        assert getattr(dockerkit.aio, name) is not None


@pytest.mark.parametrize("name", [name for name in dockerkit.aio.__all__ if name.startswith("Async")])
def test_every_public_member_has_a_type(name: str) -> None:
    cls = getattr(dockerkit.aio, name)
    found = {
        ast.unparse(item.target) if isinstance(item, ast.AnnAssign) else item.name
        for node in ast.parse(make_aio_stubs.TARGET.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == name
        for item in node.body
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.AnnAssign))
    }
    own = {key for key in vars(cls) if not key.startswith("_")}
    assert own - found == set() or name == "AsyncCompletedRun"


def test_jedi_completes_names_and_options(jedi: ModuleType) -> None:
    code = """
from dockerkit.aio import AsyncDockerClient
async def main():
    client = AsyncDockerClient()
    container = await client.containers.create("busybox")
    container.
"""
    names = {found.name for found in jedi.Script(code).complete(6, len("    container."))}
    assert {"stop", "exec", "log_entries", "status", "attrs"} <= names
    inner = "    await client.containers.create('busybox', mem_limit=1, "
    options = jedi.Script(code.replace("    container.", inner)).get_signatures(6, len(inner))
    assert [signature.name for signature in options] == ["create"]
