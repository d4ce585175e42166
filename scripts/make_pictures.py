"""Draw the pictures of the README into docs/assets: build progress, a notebook table, and a chart of benchmarks.

Progress and table come from dockerkit's own displays, fed with the steps and containers below; the chart's numbers are
read from the table in docs/benchmarks.md.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from dockerkit.models.containers import Container
from dockerkit.models.tables import facts
from dockerkit.progress.display import Terminal
from dockerkit.progress.state import Progress

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "docs" / "assets"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
SANS = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
# Light colors -> their counterparts for readers whose system is dark.
DARK = {
    "#ffffff": "#0d1117", "#f6f8fa": "#161b22", "#24292f": "#e6edf3", "#57606a": "#8b949e", "#d0d7de": "#30363d",
    "#d8dee4": "#30363d", "#4051b5": "#7c8df0",
}  # fmt: skip
COLORS = {"34": "#6cb6ff", "31": "#ff7b72", "2": "#8b949e", "1": "#ffffff", "": "#d0d7de"}

# Benchmark (a row of docs/benchmarks.md) -> its label in the chart.
CHART = {
    "script: run": "a script that imports, connects and runs one container",
    "list 1,000: id, name, status, labels": "list 1,000 containers and read name, status, labels",
    "logs of 200,000 lines, a send each, stream": "stream 200,000 lines of a log",
}


def svg(width: int, height: int, title: str, body: list[str], style: str = "") -> str:
    """Return an SVG picture with a title for screen readers."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", *([style] if style else []), *body, "</svg>", ""])


def dark_style() -> str:
    """Return a style sheet that replaces the light colors on a dark system."""
    rules = "".join(
        f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}' for light, dark in DARK.items()
    )
    return f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"


def text(x: float, y: float, content: str, fill: str, *, size: int = 13, font: str = MONO, extra: str = "") -> str:
    """Return a line of text; spaces are kept."""
    return (
        f'<text x="{x}" y="{y}" fill="{fill}" font-size="{size}" font-family="{font}" xml:space="preserve" {extra}>'
        f"{escape(content)}</text>"
    )


def build_state() -> Progress:
    """Return the state of a running build. The clock is fixed, so that the picture is always the same."""
    now = [100.0]
    state = Progress("Building app:1", clock=lambda: now[0])

    def step(id: str, name: str, seconds: float, *, cached: bool = False) -> None:
        state.step_started(id, name, at=now[0])
        now[0] += seconds
        state.step_done(id, cached=cached, at=now[0])

    step("0", "[internal] load build definition from Dockerfile", 0.1)
    step("1", "[internal] load build context", 0.3)
    step("2", "[1/5] FROM docker.io/library/python:3.13-slim", 0.0, cached=True)
    step("3", "[2/5] WORKDIR /app", 0.0, cached=True)
    step("4", "[3/5] COPY requirements.txt .", 0.1)
    state.step_started("5", "[4/5] RUN pip install -r requirements.txt", at=now[0])
    state.step_log("5", "Collecting fastapi==0.115.0\nDownloading fastapi-0.115.0-py3-none-any.whl (94 kB)\n")
    now[0] += 4.2
    return state


def progress_picture() -> str:
    """Return the terminal display of a running build."""
    lines = Terminal(color=True, ticking=False, size=lambda: (78, 24)).lines(build_state(), 78, 24)
    body = [
        f'<rect width="680" height="{70 + 20 * (len(lines) + 1)}" rx="8" fill="#161b22"/>',
        *(
            f'<circle cx="{20 + 18 * i}" cy="20" r="6" fill="{c}"/>'
            for i, c in enumerate(("#ff5f56", "#ffbd2e", "#27c93f"))
        ),
        text(20, 56, '>>> client.images.build(path=".", tag="app:1", progress=True)', "#7ee787"),
    ]
    for number, line in enumerate(lines):
        code, plain = re.fullmatch(r"(?:\x1b\[(\d+)m)?(.*?)(?:\x1b\[0m)?", line).groups()  # type: ignore[union-attr]
        body.append(text(20, 78 + 20 * number, plain, COLORS[code or ""]))
    return svg(
        680, 70 + 20 * (len(lines) + 1), "A build in a terminal: steps with their times and the last log lines", body
    )


def sample_containers() -> list[Container]:
    """Return containers as from a list."""
    rows = [
        ("3f5a1c9d2b7e", "web", "nginx:1.27", "Up 3 hours (healthy)", [("0.0.0.0", 80, 8080)]),
        ("9b2e77a0c1d4", "api", "shop/api:2.3", "Up 3 hours", [("127.0.0.1", 8000, 49153)]),
        ("c04d8e61fa35", "db", "postgres:17", "Up 2 days (healthy)", []),
        ("71ab0d9954ce", "migrate", "shop/api:2.3", "Exited (0) 3 hours ago", []),
    ]
    return [
        Container(
            {
                "Id": short * 5 + "abcd",
                "Names": [f"/{name}"],
                "Image": image,
                "Status": status,
                "State": "running" if status.startswith("Up") else "exited",
                "Command": "",
                "Ports": [
                    {"IP": ip, "PrivatePort": inside, "PublicPort": outside, "Type": "tcp"}
                    for ip, inside, outside in ports
                ],
            },
            partial=True,
        )
        for short, name, image, status, ports in rows
    ]


def notebook_picture() -> str:
    """Return a notebook cell with the table of a list of containers."""
    rows = [{key: _cell(value) for key, value in facts(container).items()} for container in sample_containers()]
    columns = [column for column in rows[0] if any(row.get(column) for row in rows)]
    widths = [max(len(column), *(len(row.get(column, "")) for row in rows)) * 8 + 20 for column in columns]
    width, height = max(sum(widths) + 100, 680), 92 + 28 * (len(rows) + 1)
    body = [
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>',
        f'<rect x="76" y="16" width="{width - 92}" height="34" rx="4" fill="#f6f8fa" stroke="#d8dee4"/>',
        text(16, 38, "In [1]:", "#57606a", size=12),
        text(88, 38, "client.containers.list(all=True)", "#24292f"),
    ]
    for index, row in enumerate([dict(zip(columns, columns, strict=True)), *rows]):
        y = 82 + 28 * index
        if index % 2 == 0 and index:
            body.append(f'<rect x="76" y="{y - 19}" width="{sum(widths)}" height="28" fill="#f6f8fa"/>')
        x = 84
        for column, column_width in zip(columns, widths, strict=True):
            weight = 'font-weight="600"' if index == 0 else ""
            body.append(text(x, y, row.get(column, ""), "#24292f", font=SANS, extra=weight))
            x += column_width
    body.append(f'<line x1="76" y1="91" x2="{76 + sum(widths)}" y2="91" stroke="#8c959f"/>')
    return svg(width, height, "A notebook: a list of containers is displayed as a table", body, dark_style())


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")


def chart_picture() -> str:
    """Return bars: dockerkit's CPU time as a share of docker-py's."""
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    ratios = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in CHART and len(cells) > 8:
            ratios[cells[0]] = float(cells[3])
    body = [
        f'<rect width="680" height="{74 + 62 * len(CHART)}" rx="8" fill="#ffffff" stroke="#d0d7de"/>',
        text(
            20,
            32,
            "CPU time of the client, docker-py = 100 %",
            "#24292f",
            size=15,
            font=SANS,
            extra='font-weight="600"',
        ),
    ]
    for index, (row, label) in enumerate(CHART.items()):
        y, ratio = 56 + 62 * index, ratios[row]
        faster = f"{ratio * 100:.2g} %: {1 / ratio:.{0 if ratio < 0.1 else 1}f} times less"
        body += [
            text(20, y + 10, label, "#24292f", font=SANS),
            f'<rect x="20" y="{y + 18}" width="440" height="10" rx="5" fill="#d0d7de"/>',
            f'<rect x="20" y="{y + 18}" width="{max(440 * ratio, 3):.1f}" height="10" rx="5" fill="#4051b5"/>',
            text(476, y + 28, faster, "#24292f", font=SANS),
        ]
    body.append(
        text(20, 64 + 62 * len(CHART), "Lower is better. See docs/benchmarks.md.", "#57606a", size=12, font=SANS)
    )
    return svg(680, 74 + 62 * len(CHART), "dockerkit needs a fraction of docker-py's CPU time", body, dark_style())


def pictures() -> dict[str, str]:
    """Return the contents of the pictures by file name."""
    return {"progress.svg": progress_picture(), "notebook.svg": notebook_picture(), "benchmarks.svg": chart_picture()}


def main() -> None:
    for name, content in pictures().items():
        (ASSETS / name).write_text(content)


if __name__ == "__main__":
    main()
