"""Write a bill of materials (dist/sbom.json), and check its packages for known vulnerabilities: exit status 1 if any.

pip-audit silently skips packages that its advisory service does not know, which are all of them if the service can't be
reached. So this script also reports how many packages were looked up.
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
    """Return the number of packages that were looked up, and the findings."""
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
        print(f"NOT AUDITED: no response from the advisory service in {PATIENCE} seconds")
        return 0
    if not report.exists():
        print(f"NOT AUDITED: {(done.stderr.strip().splitlines() or ['pip-audit said nothing'])[-1]}")
        return 0
    dependencies = [one for one in json.loads(report.read_text())["dependencies"] if one["name"] != "dockerkit"]
    number, holes = told(dependencies)
    if number:
        print(
            "\n".join(
                [*holes, f"known vulnerabilities: {len(holes)}, in {number} of {len(dependencies)} packages looked up"]
            )
        )
    else:
        print(f"NOT AUDITED: the advisory service knows none of {len(dependencies)} packages; can it be reached?")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
