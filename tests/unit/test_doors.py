"""Compatibility modules: each old import path re-exports what its new room defines."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from dockerkit.compat.doors import DOORS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import make_doors


@pytest.mark.parametrize("door", [door for door in DOORS if door != "version"])
def test_door_re_exports_exactly_the_public_names_of_its_homes(door):
    module = importlib.import_module(f"dockerkit.{door}")
    homes = [importlib.import_module(home) for home in DOORS[door]]
    expected = {name: getattr(home, name) for home in homes for name in home.__all__}
    submodules = [name.rpartition(".")[2] for name in DOORS if name.rpartition(".")[0] == door]
    expected |= {name: importlib.import_module(f"dockerkit.{door}.{name}") for name in submodules}
    assert {name: value for name, value in vars(module).items() if not name.startswith("_")} == expected


def test_version_door():
    from dockerkit import __version__, version

    assert version.__version__ is __version__


@pytest.mark.parametrize("door", DOORS)
def test_door_matches_the_script(door):
    assert make_doors.path_of(f"dockerkit.{door}").read_text() == make_doors.render(door)
