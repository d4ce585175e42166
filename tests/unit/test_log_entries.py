"""Log entries: any segmentation, times and streams; no loss or duplicates after a reconnect."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import APIClient, DockerClient, errors, merge_logs
from dockerkit.models.containers.log_lines import LogParser
from dockerkit.models.containers.logs import ContainerLogs

ID = "c" * 64
LOGS = f"/containers/{ID}/logs"
INSPECT = f"/containers/{ID}/json"


def moment(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def message(nanoseconds: int, text: str | bytes, stream: int = 1) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return frame(stream, moment(nanoseconds).encode() + b" " + raw)


NOW = 1_764_000_000 * 10**9 + 123_456_789


def test_entry_has_time_stream_and_text() -> None:
    parser = LogParser(container="web")
    (entry,) = parser.feed(2, b"2026-11-25T17:57:29.968237123Z hello\r\n")
    assert (entry.text, entry.stream, entry.container, str(entry)) == ("hello", "stderr", "web", "hello")
    assert entry.timestamp == datetime(2026, 11, 25, 17, 57, 29, 968237, tzinfo=UTC)
    assert entry.nanoseconds is not None
    assert entry.nanoseconds % 10**9 == 968237123
    (entry,) = parser.feed(1, b"2026-11-25T19:57:29+02:00 podman\n")
    assert entry.timestamp == datetime(2026, 11, 25, 17, 57, 29, tzinfo=UTC)
    (entry,) = parser.feed(1, b"no time\n")
    assert (entry.text, entry.timestamp) == ("no time", None)


def test_details() -> None:
    parser = LogParser(details=True)
    (entry,) = parser.feed(1, moment(NOW).encode() + b" a=1,foo=b+r%2C%3Dx text a=b\n")
    assert (entry.text, entry.attributes) == ("text a=b", {"a": "1", "foo": "b r,=x"})
    (entry,) = parser.feed(1, moment(NOW).encode() + b"  none\n")
    assert (entry.text, entry.attributes) == ("none", {})
    (entry,) = parser.feed(1, moment(NOW).encode() + b" podman ignores it\n")
    assert entry.text == "podman ignores it"


def test_long_lines_and_cut_characters_are_put_together() -> None:
    parser = LogParser()
    assert parser.feed(1, moment(NOW).encode() + b" caf\xc3") == []
    (other,) = parser.feed(2, moment(NOW + 1).encode() + b" between\n")
    (entry,) = parser.feed(1, moment(NOW + 2).encode() + b" \xa9 au lait\n")
    assert (other.text, entry.text, entry.nanoseconds) == ("between", "café au lait", NOW)
    parser.feed(1, moment(NOW).encode() + b" no end")
    assert [entry.text for entry in parser.close()] == ["no end"]
    assert parser.close() == []


@given(
    st.lists(st.text(alphabet="aü漢 \r", max_size=20), max_size=8),
    st.lists(st.integers(1, 200), max_size=10),
    st.booleans(),
)
def test_raw_output_in_any_pieces(lines: list[str], cuts: list[int], long: bool) -> None:
    texts = [line.rstrip("\r") for line in lines]
    if long:
        texts.append("x" * 40_000)
    data = b""
    for number, text in enumerate(texts):
        raw = text.encode()
        pieces = [raw[start : start + 16384] for start in range(0, len(raw), 16384)] or [b""]
        data += b"".join(moment(NOW + number).encode() + b" " + piece for piece in pieces) + b"\r\n"
    parser, entries, start = LogParser(framed=False), [], 0
    for cut in cuts:
        entries += parser.feed(1, data[start : start + cut])
        start += cut
    entries += parser.feed(1, data[start:])
    entries += parser.close()
    assert [entry.text for entry in entries] == texts
    assert [entry.nanoseconds for entry in entries] == [NOW + number for number in range(len(texts))]


@pytest.fixture
def container(scripted: ScriptedEngine) -> Iterator[Callable[[], ContainerLogs]]:
    with DockerClient(scripted.host) as client:
        yield lambda: ContainerLogs({"Id": ID, "Name": "/web"}, client)


def follow(container: ContainerLogs, **options: float | int | None) -> list[str]:
    with container.log_entries(follow=True, **options) as entries:  # type: ignore[arg-type]
        return [entry.text for entry in entries]


def chunked(*frames: bytes, truncate: bool = False):  # type: ignore[no-untyped-def]
    return Answer.chunked(frames, truncate=truncate, media_type=MULTIPLEXED)


RUNS = Answer.json({"Id": ID, "State": {"Running": True}})
STOPPED = Answer.json({"Id": ID, "State": {"Running": False, "Status": "exited"}})


def test_followed_log_resumes_without_loss_or_duplicates(
    scripted: ScriptedEngine, container: Callable[[], ContainerLogs]
) -> None:
    one, two, again = message(NOW, "one\n"), message(NOW + 5, "same\n"), message(NOW + 5, "same\n")
    late = message(NOW - 1000, "late\n", 2)  # stderr's clock was read before stdout's
    scripted.on(
        "GET",
        LOGS,
        chunked(one, two, message(NOW + 6, "half"), truncate=True),
        chunked(one, two, again, message(NOW + 6, "half"), message(NOW + 7, " whole\n"), late, truncate=True),
        chunked(
            one, two, again, message(NOW + 6, "half"), message(NOW + 7, " whole\n"), late, message(NOW + 8, "end\n")
        ),
        chunked(message(NOW + 8, "end\n"), message(NOW + 9, "very last\n")),
    )
    scripted.on("GET", INSPECT, STOPPED)
    assert follow(container()) == ["one", "same", "same", "half whole", "late", "end", "very last"]
    asked = [request.query for request in scripted.requests if request.path == LOGS]
    assert "since" not in asked[0]
    assert asked[1]["since"] == [f"{(NOW + 5 - 10**9) // 10**9}.{(NOW + 5) % 10**9:09d}"]
    assert [query.get("follow", ["0"]) for query in asked] == [["true"], ["true"], ["true"], ["0"]]


def test_lines_that_rotation_hid_stay_out_and_are_reported(
    scripted: ScriptedEngine, container: Callable[[], ContainerLogs]
) -> None:
    lines = [message(NOW + number, f"{number}\n") for number in range(6)]
    scripted.on("GET", LOGS, chunked(*lines[:2], *lines[4:]), chunked(*lines, message(NOW + 9, "9\n")))
    scripted.on("GET", INSPECT, STOPPED)
    with pytest.warns(errors.EngineWarning, match="at least 2 log lines of web"):
        assert follow(container()) == ["0", "1", "4", "5", "9"]


def test_cut_before_the_first_line_asks_as_before(
    scripted: ScriptedEngine, container: Callable[[], ContainerLogs]
) -> None:
    scripted.on("GET", LOGS, chunked(truncate=True), chunked(message(NOW, "one\n")))
    scripted.on("GET", INSPECT, STOPPED)
    assert follow(container(), since=5) == ["one"]
    assert [request.query.get("since") for request in scripted.requests if request.path == LOGS][:2] == [["5"], ["5"]]


@pytest.mark.parametrize("skew", [-3600, 0, 3600])
def test_cut_before_the_first_line_counts_by_the_engines_clock(
    scripted: ScriptedEngine, container: Callable[[], ContainerLogs], monkeypatch: pytest.MonkeyPatch, skew: int
) -> None:
    began = 1_700_000_000
    monkeypatch.setattr("dockerkit.models.resuming.time.time", lambda: began + skew)
    headers = {"Date": formatdate(began, usegmt=True)}
    cut = Answer.chunked([], truncate=True, media_type=MULTIPLEXED, headers=headers)
    scripted.on("GET", LOGS, cut, chunked(message(began * 10**9, "one\n")))
    scripted.on("GET", INSPECT, STOPPED)
    assert follow(container(), tail=0) == ["one"]
    asked = [request.query for request in scripted.requests if request.path == LOGS]
    assert asked[0]["tail"] == ["0"] and asked[1].get("tail") in (None, ["all"])
    assert float(asked[1]["since"][0]) == began


def test_tail_is_kept_after_a_reconnect(scripted: ScriptedEngine, container: Callable[[], ContainerLogs]) -> None:
    before, asked, more = message(NOW - 5, "not asked\n"), message(NOW, "asked\n"), message(NOW + 1, "more\n")
    scripted.on("GET", LOGS, chunked(asked, truncate=True), chunked(before, asked, more), chunked(before, asked, more))
    scripted.on("GET", INSPECT, STOPPED)
    assert follow(container(), tail=1) == ["asked", "more"]


def test_follow_waits_for_a_stopped_engine(scripted: ScriptedEngine, container: Callable[[], ContainerLogs]) -> None:
    away = Answer.raw(b"")  # closes without a response
    scripted.on(
        "GET",
        LOGS,
        chunked(message(NOW, "one\n")),
        Answer.error(503, "starting"),
        chunked(message(NOW + 1, "two\n")),
        chunked(),
    )
    scripted.on("GET", INSPECT, away, away, RUNS, RUNS, STOPPED)
    assert follow(container()) == ["one", "two"]


def test_reconnect_limits_the_wait_for_the_engine(
    scripted: ScriptedEngine, container: Callable[[], ContainerLogs]
) -> None:
    scripted.on("GET", LOGS, chunked(message(NOW, "one\n"), truncate=True), Answer.error(503, "starting"))
    begun = time.monotonic()
    with pytest.raises(errors.ServiceUnavailable):
        follow(container(), reconnect=0.1)
    assert 0.1 <= time.monotonic() - begun < 5
    scripted.on("GET", LOGS, chunked(message(NOW, "one\n"), truncate=True))
    with pytest.raises(errors.StreamTruncated):
        follow(container(), reconnect=None)
    with pytest.raises(errors.StreamTruncated):  # without follow, a cut is an error
        list(container().log_entries())


def test_follow_ends_when_the_container_is_removed(
    scripted: ScriptedEngine, container: Callable[[], ContainerLogs]
) -> None:
    scripted.on("GET", LOGS, chunked(message(NOW, "one\n")))
    scripted.on("GET", INSPECT, Answer.error(404, "No such container"))
    assert follow(container()) == ["one"]


def test_closing_from_another_thread(scripted: ScriptedEngine, container: Callable[[], ContainerLogs]) -> None:
    def hold(request, wire):  # type: ignore[no-untyped-def]
        wire.head(200, {"Content-Type": MULTIPLEXED, "Transfer-Encoding": "chunked"})
        data = message(NOW, "one\n")
        wire.send(b"%x\r\n%s\r\n" % (len(data), data))
        while not wire.gone():
            time.sleep(0.01)
        wire.keep = False

    scripted.on("GET", LOGS, hold)
    entries = container().log_entries(follow=True)
    assert next(entries).text == "one"
    threading.Timer(0.03, entries.close).start()
    assert list(entries) == []
    with merge_logs([container(), container()], follow=True) as merged:
        assert [next(merged).text, next(merged).text] == ["one", "one"]
        threading.Timer(0.03, merged.close).start()
        assert list(merged) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "dockerkit-logs"]


def test_merge_sorts_by_time_or_yields_on_arrival(
    scripted: ScriptedEngine, container: Callable[[], ContainerLogs]
) -> None:
    first = chunked(message(NOW, "a\n"), message(NOW + 20, "c\n"))
    second = chunked(message(NOW + 10, "b\n"), message(NOW + 30, "d\n"))
    scripted.on("GET", LOGS, first, second)
    assert [(entry.container, entry.text) for entry in merge_logs([container(), container()])] == [
        ("web", x) for x in "abcd"
    ]
    scripted.on("GET", LOGS, first, second, chunked())
    scripted.on("GET", INSPECT, STOPPED)
    assert sorted(entry.text for entry in merge_logs([container(), container()], follow=True)) == list("abcd")


def test_error_of_one_ends_the_merge(scripted: ScriptedEngine, container: Callable[[], ContainerLogs]) -> None:
    scripted.on("GET", LOGS, chunked(message(NOW, "a\n"), truncate=True))
    with pytest.raises(errors.StreamTruncated):
        list(merge_logs([container(), container()], follow=True, reconnect=None))
    scripted.on("GET", LOGS, chunked(), Answer.error(404, "No such container"))
    with pytest.raises(errors.NotFound):
        merge_logs([container(), container()])


# --- JSON logs of Engine 29.3 -------------------------------------------------------------------------------------


def test_json_logs_are_the_engines_records(scripted: ScriptedEngine) -> None:
    lines = [b'{"line":"one","any":{"field":1}}\n{"li', b'ne":"two"}\n']
    scripted.on("GET", "/containers/web/logs", Answer.chunked(lines))
    with APIClient(scripted.host, version="1.54") as api, api.log_records("web", stderr=False, tail=2) as records:
        assert list(records) == [{"line": "one", "any": {"field": 1}}, {"line": "two"}]
    sent = {"format": ["json"], "stdout": ["true"], "stderr": ["false"], "tail": ["2"]}
    assert dict(scripted.requests[-1].query) == sent


def test_json_logs_need_api_1_54(scripted: ScriptedEngine) -> None:
    with APIClient(scripted.host, version="1.53") as api, pytest.raises(errors.InvalidVersion, match=r"1\.54"):
        api.log_records("web")
    assert scripted.requests == []
