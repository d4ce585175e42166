"""Measure all scenarios, with the libraries taking turns, and print the table: ``python -m benchmarks.run [-n ROUNDS] [WORD ...]``.

With ``--write`` the rows go into the table in ``docs/benchmarks.md``, and the targets into ``CONTRIBUTING.md``; rows that were
not measured stay as they are.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import canned, contenders, scenarios

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
REPEATS = 3  # of whole processes in a round, since the clock of their CPU seconds is coarse
OTHERS = ("aiodocker", "python-on-whales", "limit")


@dataclass
class Row:
    """What was measured of a scenario.

    Attributes:
        name, target: of the scenario.
        runs: CPU seconds and peak memory in MiB of each contender, a pair for each round.
        counts: requests and connections of each contender in one round.
    """

    name: str
    target: float
    runs: dict[str, list[tuple[float, float | None]]]
    counts: dict[str, tuple[int, int]]

    def cpu(self, contender: str) -> float:
        """CPU milliseconds."""
        return statistics.median(cpu for cpu, _ in self.runs[contender]) * 1000

    def memory(self, contender: str) -> float | None:
        """Peak memory in MiB."""
        known = [memory for _, memory in self.runs[contender] if memory is not None]
        return statistics.median(known) if known else None

    def ratio(self, contender: str) -> float | None:
        """CPU time as a ratio to docker-py's; the median of the rounds, each with its own ratio."""
        if contender not in self.runs:
            return None
        pairs = zip(self.runs[contender], self.runs["docker-py"], strict=True)
        return statistics.median(mine[0] / theirs[0] for mine, theirs in pairs)


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
        write("results", _merged("results", table))
        contributing = ROOT / "CONTRIBUTING.md"
        write("targets", _merged("targets", _targets(rows), contributing), contributing)
    return 0


def _merged(name: str, table: str, page: Path = PAGE) -> str:
    """Return a table with those rows of the page's that it lacks, in the order of the scenarios."""
    text = page.read_text()
    old = text[text.index(f"<!-- {name}: begin -->") : text.index(f"<!-- {name}: end -->")]
    head = table[: table.index("|---")] + next(line for line in table.splitlines() if line.startswith("|---"))
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in [*old.splitlines(), *table.splitlines()]}
    return "\n".join([head, *(lines[name] for name in scenarios.SCENARIOS if name in lines)])


def write(name: str, content: str, page: Path = PAGE) -> None:
    """Replace the content between the marks with this name on a page."""
    text = page.read_text()
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page.write_text(f"{text[: text.index(begin) + len(begin)]}\n\n{content.strip()}\n\n{text[text.index(end) :]}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--rounds", type=int, default=5, help="number of rounds")
    parser.add_argument("--write", action="store_true", help="write the tables into the documentation")
    parser.add_argument("words", nargs="*", help="only scenarios whose name contains one of these words")
    return parser.parse_args()


def _measure(scenario: scenarios.Scenario, rounds: int) -> Row:
    row = Row(scenario.name, scenario.target, {name: [] for name in scenario.work}, {})
    with tempfile.TemporaryDirectory() as folder:
        engine = canned.Engine(Path(folder) / "engine.sock", scenario.routes())
        try:
            for _ in range(rounds):
                for name in scenario.work:
                    engine.counts()
                    row.runs[name].append(_run(scenario, name, engine.path))
                    repeated = REPEATS if isinstance(scenario.work[name], str) else 1
                    requests, connections = engine.counts()
                    row.counts[name] = requests // repeated, connections // repeated
        finally:
            engine.close()
    ratios = (f"{name} {row.ratio(name):.3f}" for name in scenario.work if name != "docker-py")
    print(f"{row.name}: {', '.join(ratios)} of {row.cpu('docker-py'):.1f} ms", file=sys.stderr)
    return row


def _run(scenario: scenarios.Scenario, contender: str, socket: Path) -> tuple[float, float | None]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(ROOT)}
    work = scenario.work[contender]
    if isinstance(work, str):
        return _process([sys.executable, "-c", work, str(socket)], environment)
    command = [sys.executable, "-m", "benchmarks.one", scenario.name, contender, str(socket)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"{scenario.name}, {contender}:\n{done.stderr}")
    cpu, memory = json.loads(done.stdout.splitlines()[-1])
    return cpu / scenario.shares[contender], memory


def _process(command: list[str], environment: dict[str, str]) -> tuple[float, None]:
    """Return what a whole process costs with those that it starts: the mean of several. Its memory is not known."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(REPEATS):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / REPEATS, None


def _table(rows: list[Row]) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("dockerkit", "docker", "aiodocker"))
    if contenders.WHALES:
        command = subprocess.run(["docker", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
        whales = f"python-on-whales {importlib.metadata.version('python-on-whales')} with docker {command.rstrip(',')}"
    else:
        whales = "python-on-whales omitted, since it needs the docker command"
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {versions}, {whales}.",
        "",
        (
            "| work | docker-py | dockerkit | ratio | aiodocker | python-on-whales | limit"
            " | peak memory, dockerkit / docker-py | requests, connections |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        others = " | ".join("" if (ratio := row.ratio(name)) is None else f"{ratio:.3g}" for name in OTHERS)
        counts = " / ".join("{}, {}".format(*row.counts[name]) for name in ("dockerkit", "docker-py"))
        mine, theirs = row.memory("dockerkit"), row.memory("docker-py")
        memory = "" if mine is None or theirs is None else f"{mine:.0f} / {theirs:.0f} MiB"
        lines.append(
            f"| {row.name} | {row.cpu('docker-py'):.1f} ms | {row.cpu('dockerkit'):.1f} ms | {row.ratio('dockerkit'):.3f} "
            f"| {others} | {memory} | {counts} |"
        )
    return "\n".join(lines) + "\n"


def _targets(rows: list[Row]) -> str:
    lines = ["| work | target | measured |", "|---|---|---|"]
    for row in rows:
        ratio = row.ratio("dockerkit")
        assert ratio is not None
        lines.append(f"| {row.name} | {row.target:g} | {ratio:.3f}{'' if ratio <= row.target else ' (missed)'} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
