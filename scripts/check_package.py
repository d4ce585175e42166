"""Build wheel and sdist, check their contents, and try the wheel in fresh environments: ``make package``.

Every CPython from 3.11 on that is found (on PATH, or with pyenv) is tried twice: with the newest dependencies, and with
the lowest that pyproject.toml allows.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MINORS = (11, 12, 13, 14)
NEEDED = {"dockerkit/__init__.py", "dockerkit/py.typed", "dockerkit/api/client.py", "dockerkit/testing/__init__.py"}
SMOKE = """
import importlib, pkgutil, sys
import dockerkit
from dockerkit.testing import FakeEngine
skipped = {"dockerkit.__main__", "dockerkit.testing.pytest_plugin"}
names = [m.name for m in pkgutil.walk_packages(dockerkit.__path__, "dockerkit.") if m.name not in skipped]
for name in names:
    importlib.import_module(name)
with FakeEngine() as engine, dockerkit.DockerClient(engine.host) as client:
    assert client.ping()
    assert client.containers.list(all=True) == []
print(f"Python {sys.version.split()[0]}: {len(names)} modules imported, a fake engine answered")
"""


def main() -> int:
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", dist, ROOT)
    run(sys.executable, "-m", "twine", "check", "--strict", *dist.iterdir())
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    look_into(wheel, sdist)
    pythons = find_pythons()
    print("trying", ", ".join(pythons))
    lowest = subprocess.run(
        [sys.executable, ROOT / "scripts" / "lowest.py"], check=True, capture_output=True, text=True
    ).stdout.split()
    for python in pythons.values():
        for pins in ([], lowest):
            attempt(python, wheel, pins)
    return 0


def look_into(wheel: pathlib.Path, sdist: pathlib.Path) -> None:
    """Check that the wheel has only the package, and that the sdist also has what its tests need."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dockerkit"}, tops
    assert names >= NEEDED, NEEDED - names
    assert any(name.endswith("LICENSE") for name in names), "no licence in the wheel"
    assert not [name for name in names if "/tests/" in name or name.endswith((".pyc", ".orig"))]
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "tests/unit/conftest.py"} <= inside
    print(f"{wheel.name}: {len(names)} files; {sdist.name}: {len(inside)}")


def find_pythons() -> dict[str, str]:
    """Return one interpreter for each minor version."""
    places = [*os.environ.get("PATH", "").split(os.pathsep)]
    places += [str(folder / "bin") for folder in sorted((pathlib.Path.home() / ".pyenv" / "versions").glob("3.*"))]
    found: dict[str, str] = {}
    for minor in MINORS:
        for place in places:
            python = os.path.join(place, f"python3.{minor}")
            if (
                os.access(python, os.X_OK)
                and not subprocess.run(
                    [python, "-c", "import venv, ensurepip"], capture_output=True, check=False
                ).returncode
            ):
                found[f"3.{minor}"] = python
                break
    return found


def attempt(python: str, wheel: pathlib.Path, pins: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(python, "-m", "venv", folder)
        pip = os.path.join(folder, "bin", "pip")
        run(pip, "install", "-q", "--disable-pip-version-check", f"{wheel}[all]", *pins)
        print("lowest dependencies" if pins else "newest dependencies", end=", ", flush=True)
        run(os.path.join(folder, "bin", "python"), "-W", "error::ResourceWarning", "-c", SMOKE, cwd=folder)


def run(*command: object, cwd: str | None = None) -> None:
    subprocess.run([str(word) for word in command], check=True, cwd=cwd)


if __name__ == "__main__":
    sys.exit(main())
