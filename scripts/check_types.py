"""Check what users' type checkers see: public types are complete, correct code passes, and typos are reported, by both."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOOD = (ROOT / "tests/typing/users.py", ROOT / "tests/typing/async_users.py")
TYPOS = ROOT / "tests/typing/typos.py"
BIN = pathlib.Path(sys.executable).parent


def run(*command: str, cwd: pathlib.Path = ROOT) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(BIN.parent)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False).stdout


def mypy(path: pathlib.Path) -> set[int]:
    """Return the lines that mypy --strict reports."""
    out = run(str(BIN / "mypy"), "--strict", "--no-error-summary", "--show-column-numbers", str(path))
    return {int(line) for line in re.findall(rf"{re.escape(path.name)}:(\d+):\d+: error", out)}


def pyright(path: pathlib.Path) -> set[int]:
    """Return the lines that pyright reports."""
    out = json.loads(run(str(BIN / "pyright"), "--outputjson", str(path)))
    found = [item for item in out["generalDiagnostics"] if item["severity"] == "error"]
    return {item["range"]["start"]["line"] + 1 for item in found}


def incomplete() -> str:
    """Return what pyright --verifytypes finds incomplete; "" if everything is complete.

    It only checks installed packages, so the package is copied into a temporary environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place / "v")], check=True)
        (packages,) = (place / "v").glob("lib/python*/site-packages")
        shutil.copytree(ROOT / "dockerkit", packages / "dockerkit")
        ours = [path for path in sys.path if path.endswith("site-packages")]
        (packages / "rest.pth").write_text("\n".join(ours))
        environment = {
            **os.environ,
            "PATH": f"{place}/v/bin{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": f"{place}/v",
        }
        command = [str(BIN / "pyright"), "--verifytypes", "dockerkit", "--ignoreexternal"]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
        return "" if "score: 100%" in done.stdout else done.stdout


def main() -> int:
    failures = []
    marked = {n for n, line in enumerate(TYPOS.read_text().splitlines(), 1) if line.endswith("# refused")}
    for name, checker in (("mypy", mypy), ("pyright", pyright)):
        failures += [
            f"{name} rejects correct code: {path.name} lines {sorted(lines)}"
            for path in GOOD
            if (lines := checker(path))
        ]
        found = checker(TYPOS)
        if found != marked:
            failures.append(
                f"{name}: unreported typos: {sorted(marked - found)}; other reports: {sorted(found - marked)}"
            )
        print(f"{name}: correct code passes, {len(marked & found)} of {len(marked)} typos are reported")
    if report := incomplete():
        failures.append(report)
    print(*(failures or ["the public types are complete"]), sep="\n")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
