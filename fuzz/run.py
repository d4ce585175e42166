"""Fuzz the targets one after another: ``python -m fuzz.run [--seconds 200] [TARGET ...]``.

Each target runs in its own process, under atheris, which is guided by coverage. An input that breaks a target is written
to ``fuzz/found/``, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ONE = """
import sys, atheris
with atheris.instrument_imports(include=["dockerkit", "fuzz"]):
    from fuzz import targets
atheris.Setup(sys.argv, lambda data: targets.run({name!r}, data))
atheris.Fuzz()
"""


def main() -> int:
    from fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=200, help="for each target")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="default: all")
    options = parser.parse_args()
    found = HERE / "found"
    found.mkdir(exist_ok=True)
    broken = []
    for name in options.targets or TARGETS:
        print(f"== {name}: {options.seconds} s", flush=True)
        done = subprocess.run(
            [
                *(sys.executable, "-c", ONE.format(name=name)),
                *(f"-max_total_time={options.seconds}", "-max_len=4096", "-timeout=20", "-rss_limit_mb=2048"),
                *(f"-artifact_prefix={found}/{name}-", "-print_final_stats=1", "-verbosity=0"),
            ],
            cwd=HERE.parent,
            check=False,
        )
        if done.returncode:
            broken.append(name)
    print(f"{len(options.targets or TARGETS) - len(broken)} passed, {len(broken)} failed {broken or ''}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
