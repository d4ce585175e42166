"""Differences of a client that replaces docker-py's: one table for the code, the guide and the tests."""

from __future__ import annotations

from typing import NamedTuple

from dockerkit.api.profile import NATIVE, Profile

__all__ = ["DIFFERENCES", "DROP_IN", "NATIVE", "Difference", "Profile", "guide_table"]


DROP_IN = Profile(
    "drop-in",
    connects_when_created=True,
    raises_in_streams=False,
    pushes_latest_only=False,
    joins_other_networks=False,
    strict=False,
    streams_as_written=False,
    waits_return_int=False,
    prefers_buildkit=False,
    explains_errors=False,
)


class Difference(NamedTuple):
    """A row of the table: a field of :class:`Profile`, or ``types`` for the values of ``docker.types``.

    Attributes:
        field: name of the field.
        native, drop_in: behavior in each profile.
        matters: programs that depend on it.
    """

    field: str
    native: str
    drop_in: str
    matters: str


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "connects_when_created",
        "Creating a client sends nothing. Call `client.ping()` to check for an engine.",
        "Creating a client connects to the engine unless you pass `version`. It raises `DockerException` if none responds.",
        "programs that call `docker.from_env()` to check whether Docker is available",
    ),
    Difference(
        "raises_in_streams",
        "A failed pull, push, build or load yields its error record, then raises.",
        "The error record is returned like any other by `api.pull`, `api.push`, `api.build`, `api.load_image`, "
        "`images.pull` and `images.push`.",
        "programs that search the records for `error`",
    ),
    Difference(
        "pushes_latest_only",
        "`push()` without a tag pushes `latest`, as the docker command does.",
        "`push()` without a tag pushes every tag of the repository.",
        "release scripts that add several tags and push once",
    ),
    Difference(
        "joins_other_networks",
        "The container joins every network in `networking_config`.",
        "`networking_config` is ignored unless `network` is one of its networks.",
        "programs that configure networks that their containers must not join",
    ),
    Difference(
        "strict",
        "Options that newer engines removed are refused, and so are flags other than `True` and `False`.",
        "Options that newer engines removed are sent, and the engine ignores them. Flags are sent as they are.",
        'programs that still set options such as `kernel_memory`, or pass `force="yes"`',
    ),
    Difference(
        "streams_as_written",
        "`run(stream=True)` returns immediately and yields output as it is written. If the command fails, the iterator raises "
        "at its end.",
        "`run(stream=True)` waits until the command ends, raises if it failed, and then yields lines.",
        "programs that expect one line per item, or the error from the call itself",
    ),
    Difference(
        "waits_return_int",
        '`wait()` returns an int that also supports `["StatusCode"]`.',
        "`wait()` returns the engine's dict.",
        "programs that compare the result with a dict, call its `values()`, or pass it to `json.dumps`",
    ),
    Difference(
        "prefers_buildkit",
        "`images.build()` uses BuildKit if the engine supports it.",
        "`images.build()` uses the classic builder unless an option requires BuildKit or `DOCKER_BUILDKIT=1` is set.",
        "programs that parse build logs, such as `aux` records or `Successfully built`",
    ),
    Difference(
        "explains_errors",
        "`str(error)` says what happened and what to do.",
        '`str(error)` is the same as in docker-py: `409 Client Error for http+docker://…: Conflict ("…")`. The explanation '
        "is a note below the traceback.",
        "programs that match error messages",
    ),
    Difference(
        "types",
        "Values of `dockerkit.types` are validated objects, mostly immutable.",
        "Values of `docker.types` are mutable dicts.",
        "programs that pass them to `json.dumps`, change them, or check `isinstance(value, dict)`",
    ),
)


def guide_table() -> str:
    """Return the table as shown in the migration guide."""
    lines = ["| `import dockerkit` | as `docker` | matters to |", "| --- | --- | --- |"]
    lines += [f"| {row.native} | {row.drop_in} | {row.matters} |" for row in DIFFERENCES]
    return "\n".join(lines)
