"""Parsing of sizes, durations, variables, labels and commands."""

from __future__ import annotations

import shlex
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.parsing import values

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.text()), st.tuples(),
    st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers())),
)  # fmt: skip
UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100000b", 100000), ("1000k", 1024000), ("128m", 2**27), ("1g", 2**30), ("512Mi", 2**29), ("1GiB", 2**30),
        ("1.5g", 3 * 2**29), ("64 kB", 65536), ("0", 0), (0, 0), (-1, -1), ("-1", -1), (2.0, 2), ("1p", 2**50),
    ],
)  # fmt: skip
def test_parses_sizes(text, number):
    assert values.size(text, "mem_limit") == number


@pytest.mark.parametrize("bad", ["", "m", "12x", "1 2", "-5", -2, 1.5, True, None, [], b"1m", "1e3", "9999999p", "１"])
def test_rejects_invalid_sizes(bad):
    with pytest.raises(InvalidArgument, match="^mem_limit: "):
        values.size(bad, "mem_limit")


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS)), st.booleans())
def test_formatted_size_is_parsed_back(number, unit, upper):
    assert values.size(f"{number}{unit.upper() if upper else unit}") == number * UNITS[unit]


@pytest.mark.parametrize(
    ("duration", "nanoseconds"),
    [
        ("1m30s", 90 * 10**9), ("500ms", 500_000_000), ("1.5h", 5400 * 10**9), (".5s", 500_000_000), ("0", 0), (0, 0),
        (30, 30 * 10**9), (0.25, 250_000_000), (timedelta(minutes=2), 120 * 10**9), ("2us", 2000), ("3µs", 3000),
        (timedelta(microseconds=1), 1000), (1_000_000, 1_000_000), (30_000_000_000, 30 * 10**9), ("1h0m0s", 3600 * 10**9),
    ],
)  # fmt: skip
def test_parses_durations(duration, nanoseconds):
    assert values.nanoseconds(duration, "interval") == nanoseconds


@pytest.mark.parametrize(
    "bad", ["", "5", "s", "1m 30s", "-1s", -1, timedelta(-1), float("nan"), float("inf"), True, None, "1d", "1e9s"]
)
def test_rejects_invalid_durations(bad):
    with pytest.raises(InvalidArgument, match="^interval: "):
        values.nanoseconds(bad, "interval")


@given(st.integers(0, 200), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_formatted_duration_is_parsed_back(hours, minutes, seconds, millis):
    exact = timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=millis)
    assert values.nanoseconds(f"{hours}h{minutes}m{seconds}s{millis}ms") == values.nanoseconds(exact)


@pytest.mark.parametrize(("value", "seconds"), [(5, 5), (0, 0), (-1, -1), (1.2, 2), ("1m", 60), (2_000_000, 2_000_000)])
def test_whole_seconds(value, seconds):
    assert values.seconds(value, "stop_timeout") == seconds


def test_environment():
    assert values.environment({"A": "b", "N": 1, "F": 1.5, "GONE": None, "B": b"x", "EMPTY": ""}) == [
        "A=b", "N=1", "F=1.5", "GONE", "B=x", "EMPTY=",
    ]  # fmt: skip
    assert values.environment(["A=b=c", "B"]) == ["A=b=c", "B"]
    for bad in ({"": "x"}, {"A=B": "x"}, {"A": []}, {1: "x"}, ["=x"], "A=b", 5, [b"A"], {"A": {}}):
        with pytest.raises(InvalidArgument, match="^environment"):
            values.environment(bad)


def test_labels():
    assert values.labels({"a": "b", "c": None, "d": ""}) == {"a": "b", "c": "", "d": ""}
    assert values.labels(["a", "b=c=d"]) == {"a": "", "b": "c=d"}
    assert values.labels({"a": True, "b": 1.5}) == {"a": "true", "b": "1.5"}
    for bad in ({"a": []}, {"": "b"}, ["=x"], "a", 3):
        with pytest.raises(InvalidArgument, match="^labels"):
            values.labels(bad)


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_words_survive_quoting(words):
    assert values.command(shlex.join(words)) == words
    assert values.command(words) == words
    assert values.command(tuple(words)) == words


@given(st.text())
def test_strings_are_split_like_a_shell(text):
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(InvalidArgument, match="^command: "):
            values.command(text)
    else:
        assert values.command(text) == expected


@given(ANYTHING)
def test_any_input_parses_or_raises_invalid_argument(value):
    for convert in (
        values.size, values.nanoseconds, values.seconds, values.environment, values.labels, values.command, values.string_list,
        values.string_map, values.string, values.integer,
    ):  # fmt: skip
        try:
            convert(value, "parameter")
        except DockerException as error:
            assert str(error).startswith("parameter")


def test_env_file(tmp_path, monkeypatch):
    monkeypatch.setenv("FROM_HERE", "yes")
    monkeypatch.delenv("NOWHERE", raising=False)
    file = tmp_path / "env"
    file.write_text('\ufeffA=b\n# comment\n\n  INDENTED= spaced \nQ="kept"\nFROM_HERE\nNOWHERE\nE=\nU=ü=x\n', "utf-8")
    assert values.env_file(file) == {
        "A": "b", "INDENTED": " spaced ", "Q": '"kept"', "FROM_HERE": "yes", "E": "", "U": "ü=x",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["=x", "A B=c", "A B"])
def test_wrong_line_of_an_env_file(tmp_path, line):
    file = tmp_path / "env"
    file.write_text(f"OK=1\n{line}\n")
    with pytest.raises(InvalidArgument, match="^env_file: line 2 of "):
        values.env_file(file)


def test_missing_env_file(tmp_path):
    with pytest.raises(InvalidArgument, match="can't be read"):
        values.env_file(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidArgument, match="can't be read"):
        values.env_file(tmp_path / "binary")


def test_label_file(tmp_path):
    file = tmp_path / "labels"
    file.write_text("a=b\n# no\n\nc\n")
    assert values.label_file(file) == {"a": "b", "c": ""}
