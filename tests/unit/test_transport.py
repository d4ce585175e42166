"""Requests, responses and hijacked connections, with a real server on a real socket."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import threading
import time
from collections.abc import Iterator

import pytest
import requests
from scripted_engine import MULTIPLEXED, RAW, Answer, ScriptedEngine, frame

from dockerkit import errors
from dockerkit.api.client import APIClient

CONTAINER = "/containers/abc/json"


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host, timeout=5) as client:
        yield client


def test_one_connection_serves_all_paths(scripted: ScriptedEngine, api: APIClient) -> None:
    for number in range(10):
        scripted.on("GET", f"/containers/{number}/json", Answer.json({"Id": str(number)}))
        assert api.inspect_container(str(number)) == {"Id": str(number)}
    assert scripted.connections == 1
    assert scripted.pings == 1


def test_negotiation_happens_once_for_many_threads(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", CONTAINER, Answer.json({}))
    threads = [threading.Thread(target=api.inspect_container, args=("abc",)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scripted.pings == 1
    assert {request.target.split("/")[1] for request in scripted.requests} == {"v1.51"}


def test_closed_idle_connection_is_replaced(scripted: ScriptedEngine, api: APIClient) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    scripted.on("POST", "/containers/abc/kill", Answer.raw(reply, close=True), Answer.empty())
    api.kill("abc")
    time.sleep(0.05)
    api.kill("abc")
    assert len(scripted.requests) == 2


def test_requests_with_side_effects_are_never_repeated(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/containers/abc/kill", Answer.raw(b""))
    _ = api.api_version
    with pytest.raises(errors.ConnectionFailed, match="did not respond to POST /v1.51/containers/abc/kill"):
        api.kill("abc")
    assert len(scripted.requests) == 1


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_response_may_arrive_byte_by_byte(scripted: ScriptedEngine, api: APIClient, piece: int) -> None:
    reply = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{"a"\r\n4\r\n:1}]\r\n0\r\n\r\n'
    scripted.on("GET", "/containers/abc/changes", Answer.raw(reply, piece=piece))
    assert api.diff("abc") == [{"a": 1}]


def test_short_body_is_an_error(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", CONTAINER, Answer.length(b'{"Id": "abc"}', cut_after=5))
    with pytest.raises(errors.StreamTruncated, match="GET /v1.51/containers/abc/json"):
        api.inspect_container("abc")


def test_truncated_stream_raises_and_complete_stream_does_not(scripted: ScriptedEngine, api: APIClient) -> None:
    output = frame(1, b"one\n") + frame(2, b"two\n")
    scripted.on(
        "GET",
        "/containers/abc/logs",
        Answer.chunked([output], media_type=MULTIPLEXED),
        Answer.chunked([output], media_type=MULTIPLEXED, truncate=True),
    )
    assert list(api.logs("abc", stream=True)) == [b"one\n", b"two\n"]
    stream = api.logs("abc", stream=True)
    assert [next(stream), next(stream)] == [b"one\n", b"two\n"]
    with pytest.raises(errors.StreamTruncated):
        next(stream)


@pytest.mark.parametrize(
    ("version", "media_type", "terminal", "expected"),
    [
        ("1.51", MULTIPLEXED, None, b"text"),
        ("1.51", RAW, None, frame(1, b"text")),
        ("1.41", RAW, False, b"text"),
        ("1.41", "", False, b"text"),
        ("1.41", RAW, True, frame(1, b"text")),
    ],
)
def test_detects_raw_and_multiplexed_output(
    scripted: ScriptedEngine, version: str, media_type: str, terminal: bool | None, expected: bytes
) -> None:
    scripted.api_version = version
    scripted.on("GET", "/containers/abc/logs", Answer.chunked([frame(1, b"text")], media_type=media_type))
    scripted.on("GET", CONTAINER, Answer.json({"Config": {"Tty": terminal}}))
    with APIClient(scripted.host) as api:
        assert api.logs("abc") == expected
    asked = [request.path for request in scripted.requests]
    assert (CONTAINER in asked) is (terminal is not None)


def test_bytes_that_come_with_the_head_are_not_lost(scripted: ScriptedEngine, api: APIClient) -> None:
    frames = [frame(1, b"%d\n" % number) for number in range(64)]
    scripted.on("POST", "/exec/abc/start", Answer.upgraded(frames, media_type=MULTIPLEXED, with_head=True))
    assert api.exec_start("abc") == b"".join(b"%d\n" % number for number in range(64))


def test_input_can_be_ended_while_output_goes_on(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/exec/abc/start", Answer.upgraded(media_type=RAW, echo=True))
    with api.exec_start("abc", socket=True) as sock:
        sock.sendall(b"hello ")
        sock.sendall(b"world")
        sock.close_write()
        assert sock.read() == b"hello world"


def test_refused_hijack_is_the_engines_error(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/exec/abc/start", Answer.error(409, "container is paused"))
    for _ in range(2):
        with pytest.raises(errors.Conflict, match="container is paused"):
            api.exec_start("abc")
    scripted.on("GET", CONTAINER, Answer.json({}))
    assert api.inspect_container("abc") == {}


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("said", [b"Error: Exec command %s has already run", b"exec command %s is already running"])
def test_refusal_that_an_engine_writes_as_output_is_raised(
    scripted: ScriptedEngine, api: APIClient, terminal: bool, said: bytes
) -> None:
    def answers(text: bytes, *more: bytes) -> None:
        blocks = [text if terminal else frame(1, text), *more]
        media_type = RAW if terminal else MULTIPLEXED
        scripted.on("POST", "/exec/abc/start", Answer.upgraded(blocks, media_type=media_type))

    answers(said % b"abc" + b"\r\n")
    for demux in (False, True):
        with pytest.raises(errors.Conflict, match="already run") as caught:
            api.exec_start("abc", tty=terminal, demux=demux)
        assert (caught.value.status_code, caught.value.response.method) == (409, "POST")
    stream = api.exec_start({"Id": "abc"}, tty=terminal, stream=True)
    with pytest.raises(errors.Conflict):
        next(stream)
    assert stream.closed

    for output in (said % b"another" + b"\r\n", said % b"abc" + b"\n", b"$ " + said % b"abc" + b"\r\n"):
        answers(output)
        assert api.exec_start("abc", tty=terminal) == output


def test_closing_from_another_thread_ends_the_loop(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/events", _one_then_silence)
    stream = api.events(decode=True)
    assert next(stream) == {"n": 1}
    threading.Timer(0.03, stream.close).start()
    begun = time.monotonic()
    assert list(stream) == []
    assert time.monotonic() - begun < 3


def test_closing_the_client_ends_its_streams_with_an_error(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/events", _one_then_silence)
    stream = api.events(decode=True)
    next(stream)
    timer = threading.Timer(0.03, api.close)
    timer.start()
    with pytest.raises(errors.ClientClosed):
        next(stream)
    timer.join()
    with pytest.raises(errors.ClientClosed):
        api.inspect_container("abc")


def _one_then_silence(request: object, wire: object) -> None:
    Answer.chunked([b'{"n":1}\n'], truncate=True)(request, wire)  # type: ignore[arg-type]
    Answer.hang()(request, wire)  # type: ignore[arg-type]


def test_slow_response_raises_a_read_timeout(scripted: ScriptedEngine) -> None:
    scripted.on("GET", CONTAINER, Answer.hang())
    with APIClient(scripted.host, timeout=(5, 0.05)) as api:
        with pytest.raises(errors.ReadTimeout, match=r"0\.05 s") as caught:
            api.inspect_container("abc")
    assert isinstance(caught.value, (requests.ReadTimeout, TimeoutError))
    assert isinstance(caught.value, requests.ReadTimeout)


def test_wait_has_its_own_timeout(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/containers/abc/wait", Answer.hang())
    with pytest.raises(requests.exceptions.ReadTimeout):
        api.wait("abc", timeout=0.05)


def test_response_to_a_refused_upload_is_read(scripted: ScriptedEngine, api: APIClient) -> None:
    refused = (
        b'HTTP/1.1 400 Bad Request\r\nContent-Length: 29\r\nConnection: close\r\n\r\n{"message":"that is not tar"}'
    )

    def refuse(request: object, wire: object) -> None:
        Answer.raw(refused)(request, wire)  # type: ignore[arg-type]

    scripted.on("PUT", "/containers/abc/archive", refuse)
    with pytest.raises(errors.BadRequest, match="that is not tar"):
        api.put_archive("abc", "/", io.BytesIO(b"x" * 100))


@pytest.mark.parametrize("kind", ["bytes", "file", "iterator"])
def test_upload_arrives_whole(scripted: ScriptedEngine, api: APIClient, tmp_path: os.PathLike[str], kind: str) -> None:
    content = os.urandom(300_000)
    scripted.on("PUT", "/containers/abc/archive", Answer.empty(200))
    path = os.path.join(tmp_path, "archive.tar")
    with open(path, "wb") as out:
        out.write(b"skipped" + content)
    with open(path, "rb") as file:
        file.seek(7)
        data = {"bytes": content, "file": file, "iterator": iter([content[:5], b"", content[5:]])}[kind]
        assert api.put_archive("abc", "/", data) is True
    assert scripted.requests[-1].body == content


def test_compressed_archive_comes_out_plain(scripted: ScriptedEngine, api: APIClient) -> None:
    packed = gzip.compress(b"tar" * 1000)
    scripted.on(
        "GET",
        "/containers/abc/archive",
        Answer.chunked([packed[:10], packed[10:]], headers={"Content-Encoding": "gzip"}),
    )
    stream, stat = api.get_archive("abc", "/x", encode_stream=True)
    assert stream.read() == b"tar" * 1000
    assert stat is None
    assert scripted.requests[-1].headers["accept-encoding"] == "gzip"


def test_stream_is_a_file_too(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/containers/abc/export", Answer.chunked([b"abcdef", b"ghi"]))
    with api.export("abc") as stream:
        assert [stream.read(4), stream.read(4), stream.read(4), stream.read(4)] == [b"abcd", b"efgh", b"i", b""]


@pytest.mark.parametrize(
    ("status", "cls"),
    [(400, "BadRequest"), (401, "Unauthorized"), (403, "Forbidden"), (404, "NotFound"), (409, "Conflict"),
     (418, "APIError"), (500, "ServerError"), (501, "NotImplementedByEngine"), (503, "ServiceUnavailable")],
)  # fmt: skip
def test_error_statuses_raise_their_exception(scripted: ScriptedEngine, api: APIClient, status: int, cls: str) -> None:
    scripted.on("POST", "/containers/abc/start", Answer.error(status, "the engine's words"))
    with pytest.raises(errors.APIError) as caught:
        api.start("abc")
    error = caught.value
    assert type(error).__name__ == cls
    assert error.status_code == error.response.status_code == status
    assert error.explanation == "the engine's words"
    assert "POST" in str(error) and "/containers/abc/start" in str(error)
    assert error.is_client_error() is (status < 500)
    assert isinstance(error, requests.HTTPError)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.status_code) == (type(error), str(error), status)


def test_redirect_is_an_error_and_not_followed(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", CONTAINER, Answer.empty(301, {"Location": "http://elsewhere/"}))
    with pytest.raises(errors.APIError, match="301"):
        api.inspect_container("abc")


def test_web_page_instead_of_json_is_reported(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", CONTAINER, Answer.text("<html><body>Forbidden</body></html>", 403))
    with pytest.raises(errors.Forbidden, match="web page"):
        api.inspect_container("abc")


def test_missing_socket_error_says_what_to_do() -> None:
    with APIClient("unix:///nowhere/docker.sock") as api, pytest.raises(errors.ConnectionFailed) as caught:
        api.inspect_container("abc")
    assert "unix:///nowhere/docker.sock" in str(caught.value)
    assert "DOCKER_HOST" in str(caught.value)
    assert isinstance(caught.value, requests.ConnectionError)


def test_client_survives_pickling_and_forking(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", CONTAINER, Answer.json({"Id": "abc"}))
    api.inspect_container("abc")
    with pickle.loads(pickle.dumps(api)) as again:
        assert again.inspect_container("abc") == {"Id": "abc"}
    child = os.fork()
    if child == 0:
        os._exit(0 if api.inspect_container("abc") == {"Id": "abc"} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert api.inspect_container("abc") == {"Id": "abc"}
