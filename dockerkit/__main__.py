"""``python -m dockerkit doctor``: what stands between this program and an engine."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m dockerkit", description="dockerkit's own commands")
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = commands.add_parser(
        "doctor",
        help="look for an engine as a client would, and say what is wrong",
        description="Look for an engine as a client would, ask it about itself, and say of each problem what to do. "
        "Exit status 1 when no engine answers.",
    )
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.add_argument("--host", metavar="ADDRESS", help="this engine, such as ssh://me@host")
    doctor.add_argument("--context", metavar="NAME", help="the engine of this docker context")
    doctor.add_argument("--timeout", type=float, default=10, metavar="SECONDS", help="for each answer (10)")
    chosen = parser.parse_args(arguments)

    from dockerkit.doctor import examine, render

    report = examine(chosen.host, context=chosen.context, timeout=chosen.timeout)
    sys.stdout.write(json.dumps(report.as_dict(), indent=2) + "\n" if chosen.json else render(report))
    return 0 if report.healthy else 1


if __name__ == "__main__":
    sys.exit(main())
