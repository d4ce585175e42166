"""Operations on many objects at once."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Iterator

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.batch import map_ordered, run_batch
from dockerkit.models.pushes import PushResult

DIGEST = "sha256:" + "1" * 64


def test_report_has_results_and_errors_by_name() -> None:
    def work(name: str) -> int:
        if name == "bad":
            raise errors.NotFound("no bad")
        return len(name)

    report = run_batch(work, ["a", "bad", "ccc"], workers=2)
    assert (report.done, list(report.failed), report.ok) == ({"a": 1, "ccc": 3}, ["bad"], False)
    assert str(report) == "2 done, 1 failed\n  bad: no bad"
    with pytest.raises(ExceptionGroup, match="1 of 3 failed") as caught:
        report.check()
    assert caught.value.exceptions[0].__notes__ == ["for 'bad'"]
    run_batch(work, ["a"], workers=1).check()


def test_errors_that_are_not_the_engines_are_raised() -> None:
    def broken(_: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_batch(broken, ["a"], workers=1)


def test_results_come_in_order_and_items_are_taken_as_needed() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = map_ordered(lambda number: number * 2, items(), workers=3)
    assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]
    assert len(taken) <= 9
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() < 10


def test_no_more_items_are_begun_than_workers_allow() -> None:
    running = most = 0
    lock = threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.002)
        with lock:
            running -= 1

    assert len(list(map_ordered(work, range(20), workers=3))) == 20
    assert most <= 3


@pytest.mark.parametrize("workers", [0, -1, True, "2"])
def test_refuses_invalid_workers(workers: int) -> None:
    with pytest.raises(errors.InvalidArgument, match="workers"):
        run_batch(str, ["a"], workers)
    with pytest.raises(errors.InvalidArgument, match="workers"):
        list(map_ordered(str, ["a"], workers))


@pytest.mark.parametrize(
    "records",
    [
        [{"status": f"1: digest: {DIGEST} size: 527"}, {"aux": {"Tag": "1", "Digest": DIGEST, "Size": 527}}],
        [{"status": f"1: digest: {DIGEST} size: 527"}],
        [{"aux": {"Tag": "1", "Digest": DIGEST, "Size": 527}}],
    ],
    ids=["both", "words", "aux"],
)
def test_push_result_has_the_digest(records: list[dict[str, object]]) -> None:
    text = "".join(json.dumps(record) + "\r\n" for record in records)
    result = pickle.loads(pickle.dumps(PushResult(text, "example.com/app", "1")))  # noqa: S301
    assert (result, result.digest, result.digests) == (text, DIGEST, {"1": DIGEST})
    assert result.reference == f"example.com/app@{DIGEST}"
    assert PushResult("", "app").digest is None


def test_push_result_asks_the_registry_once_if_the_engine_reports_no_digest() -> None:
    asked: list[int] = []
    result = PushResult("", "app", "1", lambda: asked.append(1) or DIGEST)  # type: ignore[func-returns-value]
    assert asked == []
    assert (result.digest, result.reference, result.digests) == (DIGEST, f"app@{DIGEST}", {"1": DIGEST})
    assert asked == [1]


@pytest.mark.parametrize("kind", ["networks", "volumes"])
def test_networks_and_volumes_are_removed_with_one_report(scripted: ScriptedEngine, kind: str) -> None:
    scripted.on("DELETE", f"/{kind}/a", Answer.empty())
    scripted.on("DELETE", f"/{kind}/b", Answer.error(404, f"no such {kind[:-1]}"))
    with DockerClient(scripted.host, version="1.51") as client:
        report = getattr(client, kind).remove_many(["a", "b"])
    assert (list(report.done), list(report.failed)) == (["a"], ["b"])
    assert isinstance(report.failed["b"], errors.NotFound)
