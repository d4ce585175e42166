"""Measure all scenarios, contenders interleaved, and print the table: ``python -m benchmarks.run [-n ROUNDS] [WORD ...]``.

With ``--write`` the table goes into ``docs/benchmarks.md``, between its marks.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import canned, scenarios

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def main() -> int:
    options = _options()
    rows = [
        _measure(row, options.rounds)
        for name, row in scenarios.SCENARIOS.items()
        if not options.words or any(word in name for word in options.words)
    ]
    table = _table(rows)
    print(table)
    if options.write:
        page = PAGE.read_text()
        PAGE.write_text(page[: page.index(BEGIN) + len(BEGIN)] + "\n\n" + table + "\n" + page[page.index(END) :])
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--rounds", type=int, default=5, help="times that each contender runs")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("words", nargs="*", help="only scenarios with one of these in their name")
    return parser.parse_args()


def _measure(row: scenarios.Scenario, rounds: int) -> dict[str, object]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in row.work}
    requests: dict[str, tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = canned.Engine(Path(folder) / "engine.sock", row.routes())
        try:
            for _ in range(rounds):
                for name in row.work:
                    engine.counts()
                    found[name].append(_run(row.name, name, engine.path))
                    requests[name] = engine.counts()
        finally:
            engine.close()
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()
    }
    print(
        f"{row.name}: " + ", ".join(f"{name} {found['cpu']:.4f} s" for name, found in medians.items()), file=sys.stderr
    )
    return {"row": row, "medians": medians, "requests": requests}


def _run(name: str, contender: str, socket: Path) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(Path(__file__).parent.parent)}
    work = scenarios.SCENARIOS[name].work[contender]
    if isinstance(work, str):
        return _process([sys.executable, "-c", work, str(socket)], environment)
    command = [sys.executable, "-m", "benchmarks.one", name, contender, str(socket)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"{name}, {contender}:\n{done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _process(command: list[str], environment: dict[str, str], times: int = 5) -> dict[str, float]:
    """What a whole process costs; several of them, since the clock of CPU seconds is coarse."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    for _ in range(times):
        subprocess.run(command, env=environment, check=True, timeout=60)
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": (ended - begun) / times, "cpu": cpu / times, "rss": float("nan"), "modules": float("nan")}


def _table(rows: list[dict[str, object]]) -> str:
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores; ratios to docker-py in the same run, lower is better.",
        "",
        (
            "| work | measured | docker-py | dockerkit | ratio | target | limit | peak memory, dockerkit / docker-py |"
            " requests, connections |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in rows:
        row, medians, requests = result["row"], result["medians"], result["requests"]
        assert isinstance(row, scenarios.Scenario) and isinstance(medians, dict) and isinstance(requests, dict)
        mine, theirs = medians["dockerkit"], medians["docker-py"]
        ratio = mine[row.measure] / theirs[row.measure]
        limit = f"{medians['limit'][row.measure] / theirs[row.measure]:.3f}" if "limit" in medians else ""
        memory = "" if mine["rss"] != mine["rss"] else f"{mine['rss']:.0f} / {theirs['rss']:.0f} MiB"
        met = "" if ratio <= row.target else " (missed)"
        counts = " / ".join("{}, {}".format(*requests[name]) for name in ("dockerkit", "docker-py"))
        lines.append(
            f"| {row.name} | {row.measure} | {theirs[row.measure] * 1000:.1f} ms | {mine[row.measure] * 1000:.1f} ms "
            f"| {ratio:.3f} | {row.target:g}{met} | {limit} | {memory} | {counts} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
