"""The command ``dockerkit``, also ``python -m dockerkit``: diagnose the connection to an engine."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    from dockerkit import __version__

    parser = argparse.ArgumentParser(prog="dockerkit", description="dockerkit's own commands")
    parser.add_argument("--version", action="version", version=f"dockerkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = commands.add_parser(
        "doctor",
        help="find the engine as a client would, and explain problems",
        description="Find the engine as a client would, inspect it, and explain how to fix each problem. "
        "The exit status is 1 if no engine responds.",
    )
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.add_argument("--host", metavar="ADDRESS", help="examine this engine, such as ssh://me@host")
    doctor.add_argument("--context", metavar="NAME", help="examine the engine of this docker context")
    doctor.add_argument(
        "--timeout", type=float, default=10, metavar="SECONDS", help="limit for each response (default: 10)"
    )
    options = parser.parse_args(arguments)

    from dockerkit.doctor import examine, render

    report = examine(options.host, context=options.context, timeout=options.timeout)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    sys.stdout.write(json.dumps(report.as_dict(), indent=2) + "\n" if options.json else render(report, colour=colour))
    return 0 if report.healthy else 1


if __name__ == "__main__":
    sys.exit(main())
