"""Custom transports, and MockTransport."""

from __future__ import annotations

import pytest

from dockerkit import DockerClient, errors, hooks
from dockerkit.testing import MockResponse, MockTransport
from dockerkit.transport import HTTPRequest, Transport


def handler(request: HTTPRequest) -> MockResponse:
    match request.method, request.route:
        case "GET", "/containers/json":
            return MockResponse(json=[{"Id": "abc", "Names": ["/web"], "State": "running"}])
        case "GET", "/containers/{id}/json":
            return MockResponse(json={"Id": "abc", "Name": "/web", "Config": {"Tty": False}})
        case "GET", "/events":
            return MockResponse(json=[{"n": 1}, {"n": 2}], stream=True)
        case "POST", "/containers/create":
            return MockResponse(201, json={"Id": "new", "Warnings": []})
        case "POST", "/containers/{id}/kill":
            return MockResponse(204)
        case "GET", "/containers/{id}/export":
            return MockResponse(content=[b"tar", b"ball"])
        case "POST", "/exec/{id}/start":
            headers = {"Content-Type": "application/vnd.docker.raw-stream"}
            return MockResponse(101, content=[b"out", b"put"], headers=headers)
        case _:
            return MockResponse(404, json={"message": "no such thing"})


def test_client_of_a_mock_transport() -> None:
    transport: Transport = (mock := MockTransport(handler))
    with DockerClient(transport=transport) as client:
        assert [container.name for container in client.containers.list(all=True)] == ["web"]
        assert mock.requests[-1].query == {"all": ["true"]}
        assert list(client.api.events(decode=True)) == [{"n": 1}, {"n": 2}]
        assert client.api.export("abc").read() == b"tarball"
        client.containers.get("abc").kill("HUP")
        assert mock.requests[-1].query["signal"] == ["SIGHUP"] or mock.requests[-1].query["signal"] == ["HUP"]
        assert client.containers.create("busybox", "true").id == "new"
        assert mock.requests[-1].json()["Image"] == "busybox"
        with pytest.raises(errors.NotFound, match="no such thing"):
            client.volumes.get("v")
        with pytest.raises(errors.ConnectionFailed):
            client.api.dial()
    with pytest.raises(errors.ClientClosed):
        client.info()


def test_mock_transport_hands_over_connections() -> None:
    mock = MockTransport(handler)
    with DockerClient(transport=mock, version="1.51") as client:
        with client.api.exec_start("e", socket=True) as link:
            link.sendall(b"input")
            link.close_write()
            assert link.read() == b"output"
        assert bytes(mock.input[0]) == b"input"
        with pytest.raises(errors.NotFound):
            client.api.attach_socket("gone")


def test_hooks_see_requests_of_any_transport() -> None:
    seen: list[tuple[str, int | None, int]] = []

    class Notes(hooks.Hook):
        def after(self, call: hooks.RequestEvent) -> None:
            seen.append((call.route, call.status, call.received))

    with DockerClient(transport=MockTransport(handler), version="1.51", hooks=[Notes()]) as client:
        client.api.export("abc").read()
        client.containers.get("abc")
    assert seen[0] == ("/containers/{id}/export", 200, 7)
    assert seen[1][:2] == ("/containers/{id}/json", 200)


def test_transport_makes_its_own_connections() -> None:
    with pytest.raises(errors.InvalidArgument, match="dial"):
        DockerClient(transport=MockTransport(handler), dial=lambda timeout: None)  # type: ignore[arg-type, return-value]


def test_api_version_of_a_mock() -> None:
    with DockerClient(transport=MockTransport(handler, api_version="1.44")) as client:
        assert client.api.api_version == "1.44"
