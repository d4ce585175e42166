"""Tables of objects for notebooks, terminals and pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from dockerkit.errors import MissingExtra
from dockerkit.parsing.ports import ANYWHERE, ports_of_summary
from dockerkit.parsing.times import parse_time

if TYPE_CHECKING:
    import pandas

__all__ = ["Bytes", "Table", "facts", "table"]

T = TypeVar("T")

_SHOWN = 100
_WIDEST = 40
_COLUMNS = (
    *("Id", "Name", "Image", "Command", "Status", "Ports", "Driver", "Size", "Created", "Labels"),
    *("CPU %", "Memory", "Memory %", "Received", "Sent", "Read", "Written", "Pids"),
)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return an HTML table of at most 100 rows."""
    from html import escape

    items = list(rows)
    head = "".join(f"<th style='text-align:left'>{escape(title)}</th>" for title in columns)
    lines = [
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(_text(cell))}</td>" for cell in row) + "</tr>"
        for row in items[:_SHOWN]
    ]
    if len(items) > _SHOWN:
        lines.append(f"<tr><td colspan='{len(columns)}'>… {len(items) - _SHOWN} more</td></tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, (list, tuple, set, frozenset)):
        return ", ".join(map(str, cell))
    if isinstance(cell, dict):
        return ", ".join(f"{key}={value}" if value not in ("", None) else str(key) for key, value in cell.items())
    return f"{cell:%Y-%m-%d %H:%M}" if isinstance(cell, datetime) else str(cell)


class Bytes(int):
    """A number of bytes, shown with a unit."""

    def __str__(self) -> str:
        from dockerkit.progress.text import size_text

        return size_text(int(self))


def facts(model: Any) -> dict[str, object]:
    """Return the attributes of an object that a table shows, as far as they are known. Never makes a request."""
    if hasattr(model, "table_row"):
        row: dict[str, object] = model.table_row()
        return row
    attrs: dict[str, Any] = model.cached_attrs
    spec, config = (found if isinstance(found := attrs.get(key), dict) else {} for key in ("Spec", "Config"))
    names = attrs.get("Names") or getattr(model, "tags", None) or []
    name = attrs.get("Name") or spec.get("Name") or [str(name).lstrip("/") for name in names]
    if isinstance(name, list) and len(name) == 1:
        name = name[0]
    image = config.get("Image") or (attrs.get("Image") if "Names" in attrs or config else None)
    if isinstance(image, str) and image.startswith("sha256:"):
        image = image.removeprefix("sha256:")[:12]
    command = attrs.get("Command") or " ".join(config.get("Cmd") or [])
    state, status, driver, size = (attrs.get(key) for key in ("State", "Status", "Driver", "Size"))
    created = attrs.get("CreatedAt") or attrs.get("Created")
    more = {
        "Image": image,
        "Command": command if "Ports" in attrs or config else None,
        "Status": status if isinstance(status, str) else state.get("Status") if isinstance(state, dict) else state,
        "Ports": _ports(attrs),
        "Driver": driver if isinstance(driver, str) else None,
        "Size": Bytes(size) if isinstance(size, int) and size >= 0 else None,
        "Created": datetime.fromtimestamp(created, UTC) if isinstance(created, int) else parse_time(created),
        "Labels": config.get("Labels") or attrs.get("Labels") or spec.get("Labels"),
    }
    shown = {
        "Id": getattr(model, "short_id", "").removeprefix("sha256:") if attrs else "",
        "Name": name.lstrip("/") if isinstance(name, str) else name,
    }
    return {**shown, **{title: value for title, value in more.items() if value not in (None, {}, [], "")}}


def _ports(attrs: Mapping[str, Any]) -> list[str]:
    """Return a container's ports like ``docker ps``: ``127.0.0.1:8080->80/tcp``; without a host for all addresses."""
    ports = attrs.get("Ports")
    if isinstance(ports, list):
        ports = ports_of_summary(ports)
    elif not isinstance(ports, dict):
        settings = attrs.get("NetworkSettings")
        ports = settings.get("Ports") if isinstance(settings, dict) else None
    shown: dict[str, None] = {}
    for port, bindings in (ports or {}).items():
        for binding in bindings or [{}]:
            host = binding.get("HostIp") or ""
            published = f"{'' if host in ANYWHERE else host + ':'}{binding['HostPort']}->" if binding else ""
            shown[published + port] = None
    return list(shown)


class Table(list[T]):
    """A list that notebooks and :func:`print` show as a table."""

    def _repr_html_(self) -> str:
        columns, rows = self._cells()
        return table(columns, rows)

    def __str__(self) -> str:
        columns, rows = self._cells()
        shown = [i for i, title in enumerate(columns) if title != "Labels"]
        lines = [[columns[i].upper() for i in shown]]
        lines += [[_cut(_text(row[i])) for i in shown] for row in rows[:_SHOWN]]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        return "\n".join(text + [f"… {len(rows) - _SHOWN} more"] * (len(rows) > _SHOWN))

    def to_df(self) -> pandas.DataFrame:
        """Return the table as a pandas DataFrame, with sizes in bytes and times in UTC. Requires pandas.

        Raises:
            MissingExtra: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingExtra("to_df() requires pandas: pip install pandas") from error
        columns, rows = self._cells()
        return pandas.DataFrame(rows, columns=columns)

    def _cells(self) -> tuple[list[str], list[list[object]]]:
        rows = [facts(item) for item in self if item is not None]
        present = {title for row in rows for title in row} or {"Id", "Name"}
        columns = [title for title in _COLUMNS if title in present]
        return columns, [[row.get(title) for title in columns] for row in rows]


def _cut(text: str) -> str:
    plain = "".join(char if char.isprintable() else "?" for char in text)
    return plain if len(plain) <= _WIDEST else plain[: _WIDEST - 1] + "…"
