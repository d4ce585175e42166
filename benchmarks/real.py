"""Whole jobs on a real engine, beside docker-py: ``python -m benchmarks.real [-n ROUNDS] [--write] [HOST]``.

HOST is a Unix socket of an engine that has busybox; the default is $DOCKER_HOST. The clock tells the engine's time; what
the library adds is the client's CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks import run

BEGIN, END = "<!-- real: begin -->", "<!-- real: end -->"
CONTENDERS = {"dockerkit": "dockerkit", "docker-py": "docker"}

CHILD = """
import json, sys, time
import {module} as docker
client = docker.DockerClient(sys.argv[1])
container = client.containers.run("busybox", ["sleep", "600"], detach=True)
try:
    for work, times in ((lambda: container.exec_run(["true"]), {execs}),
                        (lambda: client.containers.run("busybox", "true", remove=True), {runs})):
        work()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(times):
            work()
        print(json.dumps([(time.process_time() - cpu) / times, (time.perf_counter() - wall) / times]))
finally:
    container.remove(force=True)
    client.close()
"""
ROWS = (("exec_run", 50, 0.5), ("run, removed", 15, 0.4))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", nargs="?", default=os.environ.get("DOCKER_HOST"))
    parser.add_argument("-n", "--rounds", type=int, default=5, help="times that each contender runs")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    if not options.host:
        parser.error("name an engine: as an argument, or in DOCKER_HOST")
    found: dict[str, list[list[list[float]]]] = {name: [] for name in CONTENDERS}
    for _ in range(options.rounds):
        for name, module in CONTENDERS.items():
            found[name].append(_child(module, options.host))
    lines = [
        "| work | CPU: docker-py | dockerkit | ratio | target | clock: docker-py | dockerkit |",
        "|---|---|---|---|---|---|---|",
    ]
    for number, (label, _, target) in enumerate(ROWS):
        medians = {
            name: [statistics.median(rounds[number][measure] for rounds in runs) * 1000 for measure in (0, 1)]
            for name, runs in found.items()
        }
        (mine, wall), (theirs, their_wall) = medians["dockerkit"], medians["docker-py"]
        missed = "" if mine / theirs <= target else " (missed)"
        lines.append(
            f"| {label} | {theirs:.2f} ms | {mine:.2f} ms | {mine / theirs:.3f} | {target:g}{missed} "
            f"| {their_wall:.0f} ms | {wall:.0f} ms |"
        )
    table = "\n".join(lines)
    print(table)
    if options.write:
        page = run.PAGE.read_text()
        run.PAGE.write_text(page[: page.index(BEGIN) + len(BEGIN)] + "\n\n" + table + "\n\n" + page[page.index(END) :])
    return 0


def _child(module: str, host: str) -> list[list[float]]:
    code = CHILD.format(module=module, execs=ROWS[0][1], runs=ROWS[1][1])
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code, host], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
