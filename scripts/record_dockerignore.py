"""Record which files of a tree the docker command sends, for many ignore files: ``python scripts/record_dockerignore.py``.

Writes tests/unit/data/dockerignore.json, with which the unit tests compare dockerkit's ignore rules. Requires the docker
command, but no engine: a scripted one is used. It records the classic builder, which sends a readable tar archive. Half of
the ignore files are written by hand, the others are generated, always with the same seed.
"""

# ruff: noqa: SIM905 - words in a text are easier to read than in a list

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "tests" / "unit")]

from scripted_engine import Answer, ScriptedEngine  # noqa: E402

TARGET = HERE / "tests" / "unit" / "data" / "dockerignore.json"
COUNT = 600
PATHS = (
    "a ab a.o b/a b/b.txt b/ab/a b/ab/keep b/d/x1 b/d/a.o b.txt d/a/b/keep d/a/b/a.o d/a/x1 d/ab d/keep d/b/a "
    "d/b/b.txt keep x1 #x !a a^ src/main.c src/lib/util.c src/lib/util.o src/lib/keep/k.o src/.hidden .git/config "
    ".git/HEAD docs/readme.md docs/api/readme.md docs/api/x.md README.md"
).split()
BY_HAND = [
    "", "# only\n", "*", "**", "*/", "*\n!src", "*\n!src/", "*\n!src/lib\nsrc/lib/*.o", "**/*.o\n!**/keep/*.o",
    "src\n!src/lib/util.c", "*\n!docs/**/*.md\ndocs/api", "\ufeff# bom\n*.o", "\ufeff*.o", "/src", "src/..",
    "./src/./lib//", "  src  ", "src\r\ndocs\r\n", "!src\nsrc", "src\n!src", "Dockerfile\n.dockerignore", "*\n!Dockerfile",
    "**/readme.md\n!README.md", "d?cs", "[a-c]", "[^a]", "[a-c]*", "\\#x", "\\!a", "#x", "*.md\n!README.md", "!", "!/", "[",
    "a\\", "/", ".", " ! src\n", "**/lib/**", "src/**\n!src/lib/**/k.o", "src/**/\n", "**/.git", "*/*", "*/*/*",
    "**/**/keep", "docs\n!docs/api/x.md", "d\n!d/a/b\nd/a/b/*.o", "**.o", "a**", "**b**", "[*]", "x[0-9]", "x[!0-9]",
    "[[:alpha:]]", "a^",
]  # fmt: skip
SEGMENTS = (
    "a b ab a* * ? ** *.o keep x[0-9] [a-c] d *b* **b a** [^a] \\a . .. b.txt ?.* [!a] [*] a^ [b*] ^a **.o d** [a?] "
    "src lib docs keep *.md *.c util.*"
).split()
ODD = ["# c", " #x", "", "  ", "!/", "/.", " ! a", "\\!a", "!!a", "/a/", "./a", "a//b", "a/../b", "!/a/", "\ta \r",
       "!./a/*", "**/", "/**", "!**", "**/**", "***", "!***/a"]  # fmt: skip


def main() -> None:
    engine = ScriptedEngine(api_version="1.45")
    engine.on("POST", "/build", Answer.json({"stream": "ok"}))
    chance = random.Random(5)
    files = BY_HAND + [
        "\n".join(_line(chance) for _ in range(chance.randint(1, 6))) for _ in range(COUNT - len(BY_HAND))
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path in [*PATHS, "Dockerfile"]:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("FROM scratch\n")
        cases = [[content, _sent(engine, root, content)] for content in files]
    engine.close()
    version = subprocess.run(["docker", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+\.\d+\.\d+", version)
    tool = f"docker build (classic), command {found[0] if found else version}"
    TARGET.write_text(json.dumps({"tool": tool, "paths": PATHS, "cases": cases}, indent=0) + "\n")


def _line(chance: random.Random) -> str:
    if chance.random() < 0.05:
        return chance.choice(ODD)
    path = "/".join(chance.choice(SEGMENTS) for _ in range(chance.randint(1, 3)))
    mark, slash, end = chance.random() < 0.35, chance.random() < 0.1, chance.random() < 0.15
    return "!" * mark + "/" * slash + path + "/" * end


def _sent(engine: ScriptedEngine, root: Path, content: str) -> str | None:
    """Return the paths that arrived, as a hexadecimal number with one bit per path; None if the command refused."""
    (root / ".dockerignore").write_text(content, newline="")
    before = len(engine.requests)
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    subprocess.run(["docker", "-H", engine.host, "build", str(root)], env=environment, capture_output=True, check=False)
    builds = [request for request in engine.requests[before:] if request.path == "/build"]
    if not builds:
        return None
    with tarfile.open(fileobj=io.BytesIO(builds[0].body)) as tar:
        names = {name.rstrip("/") for name in tar.getnames()}
    folders = {path[:at] for path in PATHS for at in range(len(path)) if path[at] == "/"}
    every = sorted({*PATHS, *folders, "Dockerfile", ".dockerignore"})
    return format(sum(1 << place for place, path in enumerate(every) if path in names), "x")


if __name__ == "__main__":
    main()
