"""One error for whatever way BuildKit reports a failure in."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.build.buildkit.control import details
from dockerkit.build.buildkit.trace import Trace, instruction
from dockerkit.errors import BuildError

if TYPE_CHECKING:
    from dockerkit.build.buildkit.grpc import GrpcError
    from dockerkit.build.buildkit.sources import Source

__all__ = ["build_error"]

_LOG_LINES = 20
_EXIT_CODE = re.compile(r"exit code: (\d+)")
_SYNTAX = re.compile(r"(?m)^#\s*syntax\s*=\s*(\S+)")
_PARSE_LINE = re.compile(r"(?:dockerfile parse error (?:on )?line|Dockerfile:)\s*(\d+)", re.IGNORECASE)


def build_error(error: GrpcError, trace: Trace, source: Source, log: Sequence[dict[str, Any]]) -> BuildError:
    """The error that tells the user what is known.

    Args:
        error: how the call that built failed.
        trace: what was told until then.
        source: what was built.
        log: the records of the build.
    """
    facts: dict[str, Any] = {}
    for kind, value in details(error):
        if kind != "Stack":  # where in BuildKit's own sources
            facts.setdefault(kind, value)
    digest, name = trace.failed or ("", "")
    if told := facts.get("Vertex"):
        digest = told.get("digest") or told.get("Digest") or digest
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
        message += (
            f"\n  (the line '# syntax={syntax[1]}' has the engine pull that image first; without it, none is needed)"
        )
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


def _place(told: Any, source: Source) -> tuple[str | None, list[int], str | None]:
    """File, lines and text of what failed, out of BuildKit's own record."""
    if not isinstance(told, dict):
        return None, [], None
    ranges = told.get("ranges") or []
    lines: list[int] = []
    for one in ranges:
        start = int((one.get("start") or {}).get("line") or 0)
        end = int((one.get("end") or {}).get("line") or start)
        lines += range(start, end + 1)
    lines = [line for line in dict.fromkeys(lines) if line]
    info = told.get("info") or {}
    try:
        content = base64.b64decode(info.get("data") or "").decode("utf-8", "replace").splitlines()
    except ValueError:
        content = []
    written = [content[line - 1].strip() for line in lines if 0 < line <= len(content)]
    return source.name or info.get("filename"), lines, "\n".join(written) or None


def _lines_of(step: str, dockerfile: str) -> list[int]:
    """The lines of an instruction, for engines which do not tell them; none where it is not there exactly once."""
    wanted = " ".join(step.split())
    found: list[list[int]] = []
    numbers: list[int] = []
    parts: list[str] = []
    for number, line in enumerate(dockerfile.splitlines(), 1):
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
