"""Install dockerkit as a distribution called docker, for programs that are not started by your own code."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import dockerkit
from dockerkit.compat.drop_in import SURFACE_VERSION
from dockerkit.errors import DockerException

__all__ = ["install", "run", "write"]

_STUB = '''"""docker-py's import name, provided by dockerkit."""

import sys

from dockerkit.compat.drop_in import install_as_docker

del sys.modules[__name__]  # the import system then uses the module that replaces this one
install_as_docker()
'''
_METADATA = f"""Metadata-Version: 2.1
Name: docker
Version: {SURFACE_VERSION}
Summary: docker-py's import name, provided by dockerkit
Requires-Dist: dockerkit
"""
_INFO = f"docker-{SURFACE_VERSION}.dist-info"


def write(folder: Path) -> list[Path]:
    """Write the distribution into an existing folder that is, or will be, on ``sys.path``. Return the created files."""
    contents = {
        "docker/__init__.py": _STUB,
        f"{_INFO}/METADATA": _METADATA,
        f"{_INFO}/INSTALLER": "dockerkit\n",
    }
    # `pip uninstall` uses this list.
    lines = [f"{name},sha256={_digest(content)},{len(content.encode())}" for name, content in contents.items()]
    contents[f"{_INFO}/RECORD"] = "\n".join([*lines, f"{_INFO}/RECORD,,", ""])
    (folder / "docker").mkdir()
    (folder / _INFO).mkdir()
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in contents]


def _digest(content: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()


def install(folder: Path | None = None) -> list[Path]:
    """Install the distribution, so that ``import docker`` imports dockerkit. ``pip uninstall docker`` removes it.

    The default folder is this environment's site-packages. Return the created files.
    """
    target = folder or Path(sysconfig.get_path("purelib"))
    installed = next(iter(importlib.metadata.distributions(name="docker", path=[str(target)])), None)
    if installed is not None:
        raise DockerException(f"docker {installed.version} is installed in {target}: uninstall it first")
    return write(target)


def run(command: Sequence[str]) -> int:
    """Run a Python program in which ``import docker`` imports dockerkit, including its Python subprocesses.

    It must run in an environment that has dockerkit's dependencies. Return the exit code; 128 plus the signal's number
    if a signal ended the program.
    """
    with tempfile.TemporaryDirectory(prefix="dockerkit-alias-") as folder:
        write(Path(folder))
        paths = [folder, str(Path(dockerkit.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        with subprocess.Popen(list(command), env=environment) as program:
            while True:
                try:
                    code = program.wait()
                    return code if code >= 0 else 128 - code
                except KeyboardInterrupt:  # the terminal sent it to the program as well
                    continue


def main(arguments: Sequence[str]) -> int:
    """``python -m dockerkit.compat run -- program …`` and ``python -m dockerkit.compat install``."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m dockerkit.compat", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    runner = commands.add_parser("run", help="run a program in which `import docker` imports dockerkit")
    runner.add_argument("command", nargs=argparse.REMAINDER, help="-- program arguments")
    commands.add_parser("install", help="let all programs of this environment import dockerkit as docker")
    options = parser.parse_args(arguments)
    try:
        if options.action == "install":
            print("installed", *install(), sep="\n  ")
            return 0
        command = options.command[1:] if options.command[:1] == ["--"] else options.command
        if not command:
            runner.error("name the program to run")
        return run(command)
    except (DockerException, OSError) as error:
        print(f"dockerkit.compat: {error}", file=sys.stderr)
        return 1
