"""Fail if the unit tests cover fewer lines or branches than required. Reads coverage's JSON report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

LEAST = {"lines": ("covered_lines", "num_statements", 97.4), "branches": ("covered_branches", "num_branches", 92.9)}
"""In percent. Raise them as coverage grows; the integration tests cover most of the rest."""


def main() -> int:
    totals = json.loads(Path(sys.argv[1]).read_text())["totals"]
    failed = 0
    for kind, (covered, number, least) in LEAST.items():
        reached = 100 * totals[covered] / totals[number]
        failed |= reached < least
        print(f"{kind}: {reached:.1f} % reached, at least {least} % required")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
