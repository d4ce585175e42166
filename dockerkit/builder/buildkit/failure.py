"""Convert BuildKit's various failure reports to a BuildError."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.builder.buildkit.control import details
from dockerkit.builder.buildkit.trace import Trace, instruction
from dockerkit.errors import BuildError

if TYPE_CHECKING:
    from dockerkit.builder.buildkit.grpc import GrpcError
    from dockerkit.builder.buildkit.sources import Source

__all__ = ["build_error", "range_lines"]

_LOG_LINES = 20
_EXIT_CODE = re.compile(r"exit code: (\d+)")
_SYNTAX = re.compile(r"(?m)^#\s*syntax\s*=\s*(\S+)")
_PARSE_LINE = re.compile(r"(?:dockerfile parse error (?:on )?line|Dockerfile:)\s*(\d+)", re.IGNORECASE)


def build_error(error: GrpcError, trace: Trace, source: Source, log: Sequence[dict[str, Any]]) -> BuildError:
    """Return an error with everything known about the failure of a solve call."""
    fields: dict[str, Any] = {}
    for kind, value in details(error):
        if kind != "Stack":  # stack traces of BuildKit itself
            fields.setdefault(kind, value)
    digest, name = trace.failed or ("", "")
    if vertex := fields.get("Vertex"):
        digest = vertex.get("digest") or vertex.get("Digest") or digest
        name = trace.names.get(digest, name)
    exit_code = fields.get("ExitMessage", {}).get("Code")
    if exit_code is None and (match := _EXIT_CODE.search(error.message)):
        exit_code = int(match[1])
    file, lines, source_code = _location(fields.get("Source"), source)
    if not lines and name and source.dockerfile:
        lines = _lines_of(instruction(name), source.dockerfile)
    if not lines and (match := _PARSE_LINE.search(error.message)):
        lines = [int(match[1])]
    step = source_code or (instruction(name) if name else None)
    progress_step = trace.state.steps.get(digest)
    message = error.message or "the build failed"
    syntax = _SYNTAX.search(source.dockerfile or "")
    if syntax and ("failed to resolve source metadata" in message or "failed to do request" in message):
        message += f"\n  (the line '# syntax={syntax[1]}' makes the engine pull that image first; remove the line to build without it)"
    return BuildError(
        message,
        log,
        code=error.status,
        detail=fields,
        exit_code=exit_code,
        step=step,
        dockerfile=file or (source.name if lines else None),
        lines=lines,
        log=[line for line in progress_step.log if line][-_LOG_LINES:] if progress_step else (),
        warnings=[str(warning) for warning in trace.warnings],
    )


def _location(record: Any, source: Source) -> tuple[str | None, list[int], str | None]:
    """Return file, lines and source text of the failed instruction, from BuildKit's error details."""
    if not isinstance(record, dict):
        return None, [], None
    lines = range_lines(record)
    info = record.get("info") or {}
    try:
        content = base64.b64decode(info.get("data") or "").decode("utf-8", "replace").split("\n")
    except ValueError:
        content = []
    source_lines = [content[line - 1].strip() for line in lines if 0 < line <= len(content)]
    return source.name or info.get("filename"), lines, "\n".join(source_lines) or None


def range_lines(location: Any) -> list[int]:
    """Return the line numbers in the ``ranges`` of a location."""
    lines: list[int] = []
    for item in (location or {}).get("ranges") or ():
        start = int((item.get("start") or {}).get("line") or 0)
        end = int((item.get("end") or {}).get("line") or start)
        lines += range(start, end + 1)
    return [line for line in dict.fromkeys(lines) if line]


def _lines_of(step: str, dockerfile: str) -> list[int]:
    """Find the lines of an instruction, for engines that don't report them; empty unless there is exactly one match."""
    target = " ".join(step.split())
    matches: list[list[int]] = []
    numbers: list[int] = []
    parts: list[str] = []
    for number, line in enumerate(dockerfile.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        numbers.append(number)
        parts.append(line.rstrip().removesuffix("\\"))
        if line.rstrip().endswith("\\"):
            continue
        statement = " ".join(" ".join(parts).split())
        if statement and (
            statement == target or statement.partition(" ")[0].upper() + " " + statement.partition(" ")[2] == target
        ):
            matches.append(numbers)
        numbers, parts = [], []
    return matches[0] if len(matches) == 1 else []
