"""The types of responses, for type checkers only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints, is_typeddict

from dockerkit.types import answers

ROOT = Path(__file__).resolve().parents[2]


def test_all_types_resolve() -> None:
    found = [value for value in vars(answers).values() if is_typeddict(value)]
    assert len(found) > 200
    for one in found:
        get_type_hints(one)


def test_response_types_are_not_imported_at_run_time() -> None:
    """They are imported only under TYPE_CHECKING."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "dockerkit").rglob("*.py")
        if path.name not in ("answers.py", "__main__.py")
    ]
    code = (
        "import importlib, sys, json\n"
        "for name in json.load(sys.stdin):\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ImportError as error:\n"  # an optional extra that is not installed
        "        assert 'dockerkit' not in (error.name or ''), error\n"
        "    assert 'dockerkit.types.answers' not in sys.modules, name\n"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], input=json.dumps(modules).encode(), cwd=ROOT, check=True
    )


def test_response_keys_are_required_and_body_keys_are_optional() -> None:
    assert "State" in answers.ContainerInspectResponse.__required_keys__
    assert (
        "IPAddress" in answers.NetworkSettings.__annotations__
    )  # missing in the newest document, sent by older engines
    assert not answers.SwarmJoinBody.__required_keys__
