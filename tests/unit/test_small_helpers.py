"""Helpers shared by several packages."""

from __future__ import annotations

import stat
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.errors import UnreadableFile
from dockerkit.errors.quoting import without_password
from dockerkit.files.modes import from_go, to_go
from dockerkit.files.reading import file_blocks, read_file
from dockerkit.parsing.times import parse_nanoseconds, parse_time

TYPES = [stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK]


@given(st.sampled_from(TYPES), st.integers(0, 0o7777))
def test_file_modes_survive_conversion_to_go(kind, bits):
    assert from_go(to_go(kind | bits)) == kind | bits


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://user:secret@proxy:8080", "http://user:***@proxy:8080"),
        ("http://user:se@cret@proxy", "http://user:***@proxy"),
        ("ssh://user@host", "ssh://user@host"),
        ("tcp://host:2375", "tcp://host:2375"),
        ("user:secret@host", "user:***@host"),
    ],
)
def test_passwords_are_hidden_in_addresses(address, shown):
    assert without_password(address) == shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-06T07:08:09.123456789Z", datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)),
        ("2024-05-06T07:08:09+02:00", datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("2024-99-06T07:08:09Z", None),
        (None, None),
    ],
)
def test_parses_times_of_the_engine(text, expected):
    assert parse_time(text) == expected


def test_nanoseconds_are_exact():
    assert parse_nanoseconds(b"1970-01-01T00:00:01.000000001Z") == 1_000_000_001


def test_unreadable_files_are_named(tmp_path):
    missing = str(tmp_path / "missing")
    with pytest.raises(UnreadableFile, match="missing"):
        read_file(missing)
    with pytest.raises(UnreadableFile, match="missing"):
        next(file_blocks(missing, 10))
    (tmp_path / "there").write_bytes(b"abcde")
    assert list(file_blocks(str(tmp_path / "there"), 2)) == [b"ab", b"cd", b"e"]


def test_failed_unit_test_is_never_repeated(request: pytest.FixtureRequest) -> None:
    marker = request.node.get_closest_marker("flaky")
    assert marker is not None
    assert marker.kwargs == {"reruns": 0}
