"""Tables of objects for notebooks, all text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, TypeVar

__all__ = ["Table", "facts", "known", "table"]

T = TypeVar("T")

_SHOWN = 100


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table.

    Args:
        columns: their titles.
        rows: their cells, in any number; the first 100 are shown.
    """
    kept = list(rows)
    head = "".join(f"<th style='text-align:left'>{escape(title)}</th>" for title in columns)
    lines = [
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(_text(cell))}</td>" for cell in row) + "</tr>"
        for row in kept[:_SHOWN]
    ]
    if len(kept) > _SHOWN:
        lines.append(f"<tr><td colspan='{len(columns)}'>… {len(kept) - _SHOWN} more</td></tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, (list, tuple, set, frozenset)):
        return ", ".join(map(str, cell))
    if isinstance(cell, dict):
        return ", ".join(f"{key}={value}" if value not in ("", None) else str(key) for key, value in cell.items())
    return str(cell)


def known(model: Any) -> dict[str, Any]:
    """An object's attrs as they are, without asking the engine for more."""
    if hasattr(model, "_attrs"):  # those that would be asked for at their first use
        return model._attrs or {}
    attrs: dict[str, Any] = model.attrs
    return attrs


def facts(model: Any) -> dict[str, object]:
    """What a table shows of an object: whatever of this it has, without asking the engine."""
    attrs = known(model)
    spec = attrs.get("Spec") if isinstance(attrs.get("Spec"), dict) else {}
    names = attrs.get("Names") or attrs.get("RepoTags") or []
    shown: dict[str, object] = {
        "Id": getattr(model, "short_id", "") if attrs else "",
        "Name": attrs.get("Name") or (spec or {}).get("Name") or [str(name).lstrip("/") for name in names],
    }
    config = attrs.get("Config") if isinstance(attrs.get("Config"), dict) else {}
    state = attrs.get("State")
    image = (config or {}).get("Image") or (attrs.get("Image") if "Names" in attrs or config else None)
    more = {
        "Image": image[:19] if isinstance(image, str) and image.startswith("sha256:") else image,
        "Status": attrs.get("Status") if isinstance(attrs.get("Status"), str) else _status(state),
        "Driver": attrs.get("Driver") if isinstance(attrs.get("Driver"), str) else None,
        "Size": _size(attrs.get("Size")),
        "Created": _moment(attrs.get("CreatedAt") or attrs.get("Created")),
        "Labels": (config or {}).get("Labels") or attrs.get("Labels") or (spec or {}).get("Labels"),
    }
    if isinstance(shown["Name"], str):
        shown["Name"] = shown["Name"].lstrip("/")
    return {**shown, **{title: value for title, value in more.items() if value not in (None, {}, [])}}


def _moment(moment: object) -> str | None:
    if isinstance(moment, int):
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}"
    return moment[:16].replace("T", " ") if isinstance(moment, str) else None


def _status(state: object) -> object:
    return state.get("Status") if isinstance(state, dict) else state


def _size(size: object) -> str | None:
    from dockerkit.progress_display import size_text

    return size_text(size) if isinstance(size, int) and size >= 0 else None


class Table(list[T]):
    """A list which notebooks show as a table; in all else a list."""

    def _repr_html_(self) -> str:
        rows = [facts(item) for item in self]
        columns = list(dict.fromkeys(title for row in rows for title in row)) or ["Id", "Name"]
        return table(columns, [[row.get(title) for title in columns] for row in rows])
