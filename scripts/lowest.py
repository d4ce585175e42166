"""Print the lowest version that pyproject.toml allows of each dependency and of each extra, for pip."""

from __future__ import annotations

import pathlib
import re
import tomllib

PYPROJECT = pathlib.Path(__file__).resolve().parent.parent / "pyproject.toml"


def main() -> None:
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    requirements = list(project["dependencies"])
    for extra in ("otel", "progress", "socks", "ssh", "websocket"):
        requirements += project["optional-dependencies"][extra]
    print(" ".join(re.sub(r">=", "==", requirement) for requirement in requirements))


if __name__ == "__main__":
    main()
