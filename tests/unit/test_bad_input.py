"""Invalid arguments are rejected by name, before anything is sent."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, Exited, Http, Log, Registry, errors
from dockerkit.api.client import APIClient
from dockerkit.errors import InvalidArgument


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host, version="1.51") as client:
        yield client


@pytest.mark.parametrize("parameter", ["since", "until"])
@pytest.mark.parametrize(
    "wrong", ["x", "", "10 minutes", "2020-13-01", True, -1, float("inf"), float("nan"), [], "inf"]
)
def test_rejects_invalid_times(api: APIClient, parameter: str, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match=parameter):
        api.logs("c", **{parameter: wrong})
    with pytest.raises(InvalidArgument, match=parameter):
        api.events(**{parameter: wrong})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (0, "0"),
        ("1700000000.25", "1700000000.25"),
        (datetime(2020, 1, 1, tzinfo=UTC), "1577836800"),
        ("2020-01-01", "1577836800"),
        ("2020-01-01T00:00:00.123456789Z", "1577836800.123456789"),
        ("2020-01-01T02:00:00+02:00", "1577836800"),
    ],
)
def test_times_reach_the_engine_as_seconds(api: APIClient, scripted: ScriptedEngine, given: Any, sent: str) -> None:
    scripted.on("GET", "/events", Answer.text(""))
    with api.events(since=given):
        assert scripted.requests[-1].query["since"] == [sent]


def test_accepts_relative_times(api: APIClient, scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/events", Answer.text(""))
    before = datetime.now(UTC).timestamp() - 90
    with api.events(since="1m30s"):
        sent = float(scripted.requests[-1].query["since"][0])
    assert before - 0.001 <= sent <= datetime.now(UTC).timestamp() - 90 + 0.001


@pytest.mark.parametrize("wrong", ["", " ", 1.5, True, ["KILL"], b"KILL"])
def test_rejects_invalid_signals(api: APIClient, wrong: Any) -> None:
    for call in (
        api.kill,
        lambda c, signal: api.stop(c, signal=signal),
        lambda c, signal: api.restart(c, signal=signal),
    ):
        with pytest.raises(InvalidArgument, match="signal"):
            call("c", signal=wrong)


@pytest.mark.parametrize("wrong", ["x", [("label", "x")], 5])
def test_rejects_filters_that_are_not_a_mapping(api: APIClient, wrong: Any) -> None:
    for call in (api.containers, api.images, api.networks, api.volumes, api.events, api.prune_containers):
        with pytest.raises(InvalidArgument, match="filters"):
            call(filters=wrong)


@pytest.mark.parametrize("wrong", ["x", 1.5, True])
def test_rejects_limits_that_are_not_numbers(api: APIClient, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="limit"):
        api.containers(limit=wrong)


@pytest.mark.parametrize("wrong", ["text", io.StringIO("text"), {"a": b"b"}, 5, None])
def test_rejects_archives_without_bytes(api: APIClient, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="data"):
        api.put_archive("c", "/", wrong)


def test_rejects_archive_blocks_that_are_not_bytes(api: APIClient) -> None:
    with pytest.raises(InvalidArgument, match="blocks"):
        api.put_archive("c", "/", [b"good", "bad"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "data", [b"abc", bytearray(b"abc"), memoryview(b"abc"), io.BytesIO(b"abc"), [b"a", bytearray(b"bc")]]
)
def test_accepts_every_type_of_archive(api: APIClient, scripted: ScriptedEngine, data: Any) -> None:
    scripted.on("PUT", "/containers/c/archive", Answer.empty(200))
    assert api.put_archive("c", "/", data)
    assert scripted.requests[-1].body == b"abc"


@pytest.mark.parametrize("wrong", ["SIGFOO", "", "0", 0, 65, -9, "KILL;", True, 1.5, "SIGRTMIN+", "٣"])
def test_unknown_signals_are_refused(api: APIClient, wrong: Any) -> None:
    for call in (api.kill, api.stop, api.restart):
        with pytest.raises(InvalidArgument, match=r"^signal: must be a signal such as \"SIGTERM\""):
            call("c", signal=wrong)
    with pytest.raises(InvalidArgument, match="^stop_signal: "):
        api.create_container("busybox", stop_signal=wrong)


@pytest.mark.parametrize("known", ["SIGTERM", "term", "Usr1", "SIGRTMIN+3", "RTMAX-14", "9", 64, signal.SIGHUP])
def test_every_spelling_of_a_signal_is_sent(api: APIClient, scripted: ScriptedEngine, known: Any) -> None:
    scripted.on("POST", "/containers/c/kill", Answer.empty())
    api.kill("c", known)
    assert scripted.requests[-1].query == {"signal": [str(int(known)) if isinstance(known, int) else known]}


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda client: client.containers.run("BusyBox"), "busybox"),
        (lambda client: client.containers.create("BusyBox:A"), "busybox:A"),
        (lambda client: client.containers.call("host.example/App@sha256:" + "a" * 64), "host.example/app"),
        (lambda client: client.images.pull("Host:5000/team/App", "B"), "Host:5000/team/app"),
        (lambda client: client.images.get("BusyBox"), "busybox"),
        (lambda client: client.images.push("BusyBox"), "busybox"),
        (lambda client: client.images.remove("BusyBox"), "busybox"),
        (lambda client: client.api.tag("busybox", "App:V1"), "app"),
    ],
)
def test_image_names_with_capital_letters_are_refused(scripted: ScriptedEngine, call: Any, meant: str) -> None:
    with DockerClient(scripted.host, version="1.51") as client:
        with pytest.raises(
            InvalidArgument, match=f"(?m)image names are in lower case, got .* Use '{meant}'$"
        ) as caught:
            call(client)
        assert isinstance(caught.value, errors.ImageNotFound)
        assert not client.images.exists("BusyBox")
        assert not scripted.requests


@pytest.mark.parametrize("wrong", [None, "x", 5, []])
def test_create_rejects_a_body_that_is_not_a_mapping(api: APIClient, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="config"):
        api.create_container_from_config(wrong)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda api: api.containers(filters={"labels": "a"}),
            "'labels' is not a filter for listing containers; did you mean 'label'?",
        ),
        (
            lambda api: api.images(filters={"dangeling": True}),
            "'dangeling' is not a filter for listing images; did you mean 'dangling'?",
        ),
        (
            lambda api: api.secrets(filters={"zzz": "a"}),
            "'zzz' is not a filter for listing secrets; must be one of id, label, name, names",
        ),
    ],
)
def test_unknown_filters_are_refused_by_name(api: APIClient, scripted: ScriptedEngine, call: Any, message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call(api)
    assert str(caught.value).splitlines()[0] == f"filters: {message}"
    assert not [request for request in scripted.requests if request.path.endswith(("json", "secrets"))]


def test_raw_requests_accept_encoded_filters(api: APIClient, scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/json", Answer.text("[]"))
    api.request("GET", "/containers/json", params={"filters": '{"label":["a"]}'})
    assert scripted.requests[-1].query["filters"] == ['{"label":["a"]}']


FLAGS: list[tuple[str, Callable[[DockerClient, Any], object]]] = [
    ("all", lambda client, value: client.containers.list(all=value)),
    ("force", lambda client, value: client.images.remove("x", force=value)),
    ("attachable", lambda client, value: client.networks.create("n", attachable=value)),
    ("privileged", lambda client, value: client.api.exec_create("c", "true", privileged=value)),
    ("rm", lambda client, value: client.api.build(fileobj=io.BytesIO(b"FROM x"), rm=value)),
    ("force_new_cluster", lambda client, value: client.swarm.init(force_new_cluster=value)),
    # Flags that dockerkit itself reads, and that remove something.
    ("remove", lambda client, value: client.containers.run("x", remove=value)),
    ("remove", lambda client, value: client.containers.call("x", remove=value)),
    ("replace_foreign", lambda client, value: client.containers.ensure("x", name="n", replace_foreign=value)),
    ("renew_volumes", lambda client, value: client.containers.ensure("x", name="n", renew_volumes=value)),
    ("replace", lambda client, value: client.networks.ensure("n", replace=value)),
    ("all", lambda client, value: client.volumes.prune(all=value)),
    ("all", lambda client, value: client.system.prune(all=value)),
    ("volumes", lambda client, value: client.system.prune(volumes=value)),
    ("build_cache", lambda client, value: client.system.prune(build_cache=value)),
    ("prune", lambda client, value: client.stacks.deploy("n", {}, prune=value)),
]


@pytest.mark.parametrize("wrong", ["false", "yes", ["x"], 2, 0.5, object()])
@pytest.mark.parametrize(("name", "call"), FLAGS, ids=[name for name, _ in FLAGS])
def test_flags_are_true_or_false(
    scripted: ScriptedEngine, name: str, call: Callable[[DockerClient, Any], object], wrong: Any
) -> None:
    with (
        DockerClient(scripted.host, version="1.51") as client,
        pytest.raises(InvalidArgument, match=f"^{name}: must be True or False"),
    ):
        call(client, wrong)
    assert not scripted.requests


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Log("x", count="2"), "count: must be an integer, got '2'"),
        (lambda: Log("x", stream="sdtout"), "stream: must be 'stdout', 'stderr' or None, got 'sdtout'"),
        (lambda: Exited("0"), "code: must be an integer, got '0'"),
        (lambda: Http("80/sctp"), "port: must be a number or a string such as"),
        (lambda: Http(80, status="ok"), "status: must be an integer, got 'ok'"),
        (lambda: DockerClient(dial=5), "dial: must be a function that takes a timeout and returns a socket, got 5"),
        (lambda: DockerClient(transport="x"), "transport: must be an object with the methods of dockerkit.transport"),
        (lambda: DockerClient(max_pool_size=-1), "max_pool_size: must be a number of connections, got -1"),
        (lambda: Registry("r.example", token_hosts="auth.example"), "token_hosts: must be a list of strings"),
    ],
)
def test_constructors_refuse_what_could_only_fail_later(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert str(caught.value).startswith(message)
