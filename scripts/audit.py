"""Write a bill of materials (dist/sbom.json), and ask for known holes in what is on it: 1 if there are any.

pip-audit passes in silence over packages that its service of advisories does not know, and that is all of them on a
machine which can't reach it: how many were looked up is said here.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

DIST = pathlib.Path(__file__).resolve().parent.parent / "dist"
PATIENCE = 180  # seconds


def told(dependencies: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """How many packages were looked up, and what was found."""
    looked_up = [one for one in dependencies if "skip_reason" not in one]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, fixed in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in looked_up
        for hole in one["vulns"]
    ]
    return len(looked_up), holes


def main() -> int:
    DIST.mkdir(exist_ok=True)
    here = pathlib.Path(sys.executable).parent
    bill, report = DIST / "sbom.json", DIST / "audit.json"
    report.unlink(missing_ok=True)
    subprocess.run([here / "cyclonedx-py", "environment", sys.executable, "-o", bill], check=True)
    print(f"{bill.name}: {len(json.loads(bill.read_text())['components'])} packages")
    asked: list[str | pathlib.Path] = [
        here / "pip-audit",
        "--skip-editable",
        "--progress-spinner",
        "off",
        "--format",
        "json",
        "--output",
        report,
    ]
    try:
        done = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        print(f"NOT AUDITED: no answer of the service of advisories in {PATIENCE} seconds")
        return 0
    if not report.exists():
        print(f"NOT AUDITED: {(done.stderr.strip().splitlines() or ['pip-audit said nothing'])[-1]}")
        return 0
    dependencies = [one for one in json.loads(report.read_text())["dependencies"] if one["name"] != "dockerkit"]
    number, holes = told(dependencies)
    if number:
        print("\n".join([*holes, f"known holes: {len(holes)}, in {number} of {len(dependencies)} packages looked up"]))
    else:
        print(f"NOT AUDITED: the service of advisories knows none of {len(dependencies)} packages; can it be reached?")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
