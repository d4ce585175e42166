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
    facts: dict[str, Any] = {}
    for kind, value in details(error):
        if kind != "Stack":  # stack traces of BuildKit itself
            facts.setdefault(kind, value)
    digest, name = trace.failed or ("", "")
    if vertex := facts.get("Vertex"):
        digest = vertex.get("digest") or vertex.get("Digest") or digest
        name = trace.names.get(digest, name)
    exit_code = facts.get("ExitMessage", {}).get("Code")
    if exit_code is None and (found := _EXIT_CODE.search(error.message)):
        exit_code = int(found[1])
    file, lines, text = _place(facts.get("Source"), source)
    if not lines and name and source.dockerfile:
        lines = _lines_of(instruction(name), source.dockerfile)
    if not lines and (found := _PARSE_LINE.search(error.message)):
        lines = [int(found[1])]
    step = text or (instruction(name) if name else None)
    progress_step = trace.state.steps.get(digest)
    message = error.message or "the build failed"
    syntax = _SYNTAX.search(source.dockerfile or "")
    if syntax and ("failed to resolve source metadata" in message or "failed to do request" in message):
        message += f"\n  (the line '# syntax={syntax[1]}' makes the engine pull that image first; remove the line to build without it)"
    return BuildError(
        message,
        log,
        code=error.status,
        detail=facts,
        exit_code=exit_code,
        step=step,
        dockerfile=file or (source.name if lines else None),
        lines=lines,
        log=[line for line in progress_step.log if line][-_LOG_LINES:] if progress_step else (),
        warnings=[str(warning) for warning in trace.warnings],
    )


def _place(record: Any, source: Source) -> tuple[str | None, list[int], str | None]:
    """Return file, lines and source text of the failed instruction, from BuildKit's error details."""
    if not isinstance(record, dict):
        return None, [], None
    lines = range_lines(record)
    info = record.get("info") or {}
    try:
        content = base64.b64decode(info.get("data") or "").decode("utf-8", "replace").split("\n")
    except ValueError:
        content = []
    written = [content[line - 1].strip() for line in lines if 0 < line <= len(content)]
    return source.name or info.get("filename"), lines, "\n".join(written) or None


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
    wanted = " ".join(step.split())
    found: list[list[int]] = []
    numbers: list[int] = []
    parts: list[str] = []
    for number, line in enumerate(dockerfile.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        numbers.append(number)
        parts.append(line.rstrip().removesuffix("\\"))
        if line.rstrip().endswith("\\"):
            continue
        words = " ".join(" ".join(parts).split())
        if words and (words == wanted or words.partition(" ")[0].upper() + " " + words.partition(" ")[2] == wanted):
            found.append(numbers)
        numbers, parts = [], []
    return found[0] if len(found) == 1 else []
