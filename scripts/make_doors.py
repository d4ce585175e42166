"""Write the compatibility modules that dockerkit/compat/doors.py lists."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dockerkit.compat.doors import DOORS  # noqa: E402


def path_of(module: str) -> Path:
    """Return the file of a module."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def render(door: str) -> str:
    """Return the source of a compatibility module."""
    lines = [f'"""docker-py\'s ``docker.{door}``. Written by scripts/make_doors.py."""', ""]
    imports = [f"from {home} import *  # noqa: F403" for home in DOORS[door]]
    if door == "version":
        imports = ["from dockerkit import __version__ as __version__"]
    submodules = [name.rpartition(".")[2] for name in DOORS if name.rpartition(".")[0] == door]
    imports += [f"from dockerkit.{door} import {name} as {name}" for name in submodules]
    return "\n".join([*lines, *sorted(imports), ""])


def main() -> None:
    for door in DOORS:
        path_of(f"dockerkit.{door}").write_text(render(door))


if __name__ == "__main__":
    main()
