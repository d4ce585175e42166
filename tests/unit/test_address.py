"""Addresses of engines: all formats, and errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit import errors
from dockerkit.endpoint.address import parse_host
from dockerkit.endpoint.discovery import Endpoint


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("unix://", "unix:///var/run/docker.sock"),
        ("unix:///run/user/1000/Docker.sock", "unix:///run/user/1000/Docker.sock"),
        ("http+unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("unix://var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("unix:///tmp/a:b@c/d%20e.sock", "unix:///tmp/a:b@c/d%20e.sock"),
        ("tcp://build-host:2375", "tcp://build-host:2375"),
        ("tcp://build-host", "tcp://build-host:2375"),
        ("tcp://:7777", "tcp://127.0.0.1:7777"),
        (":6666", "tcp://127.0.0.1:6666"),
        ("0.0.0.1:5555", "tcp://0.0.0.1:5555"),
        ("TCP://Host:1", "tcp://Host:1"),
        ("http://:7777", "tcp://127.0.0.1:7777"),
        ("https://kokia.example:2375", "tcp://kokia.example:2375"),
        ("12.234.45.127:2375/docker/engine", "tcp://12.234.45.127:2375/docker/engine"),
        ("tcp://h:2375/", "tcp://h:2375"),
        ("[fd12::82d1]:2375", "tcp://[fd12::82d1]:2375"),
        ("tcp://[fd12:5672::12aa]:5555/docker", "tcp://[fd12:5672::12aa]:5555/docker"),
        ("ssh://", "ssh://127.0.0.1"),
        ("ssh://me@build-host", "ssh://me@build-host"),
        ("ssh://me@[fd12::82d1]:2222/run/docker.sock", "ssh://me@[fd12::82d1]:2222/run/docker.sock"),
        ("npipe:////./pipe/docker_engine", "npipe:////./pipe/docker_engine"),
        ("npipe://", "npipe:////./pipe/docker_engine"),
        ("npipe:\\\\\\\\.\\pipe\\x".replace("npipe:", "npipe://"), "npipe:////./pipe/x"),
        ("  tcp://h:1\n", "tcp://h:1"),
    ],
)
def test_normalizes_addresses(address: str, host: str) -> None:
    assert parse_host(address)[0] == host
    assert parse_host(host)[0] == host, "the normal form is stable"


def test_https_implies_tls_and_tls_changes_the_port() -> None:
    assert parse_host("https://h:1") == ("tcp://h:1", True)
    assert parse_host("http://h:1") == ("tcp://h:1", False)
    assert parse_host("tcp://h", tls=True) == ("tcp://h:2376", False)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("0.0.0.1", "write 'tcp://HOST:PORT'"),
        ("/var/run/docker.sock", "write 'unix:///var/run/docker.sock'"),
        ("./docker.sock", "write 'unix://./docker.sock'"),
        ("tcp://", "the host is missing"),
        ("http://h", "the port is missing"),
        ("127.0.0.1:", "the port is missing"),
        ("tcp://h:0", "the port is missing"),
        ("tcp://h:99999", "the port '99999' is not a number from 1 to 65535"),
        ("tcp://me@[::1]:x/path", "the port 'x' is not a number"),
        ("unix:/var/run/docker.sock", "write 'unix:///var/run/docker.sock', with three slashes"),
        ("tcp://me@h:1", "must not contain a user name"),
        ("udp://127.0.0.1:2375", "'udp' is not one of"),
        ("fd://something", "'fd' is not one of"),
        ("tcp://h:3333/path?q=1", "must not contain '?'"),
        ("https://h:3333/path;params", "must not contain '?', '#' or ';'"),
        ("unix:///sock/path#fragment", "must not contain '?' or '#'"),
        ("tcp://h:1 2", "blanks"),
        ("ssh://h\x00:1", "control characters"),
        ("ssh://-oProxyCommand=x", "must not begin with '-'"),
        ("ssh://-l@h", "must not begin with '-'"),
        ("tcp://[::1", "Invalid IPv6"),
    ],
)
def test_rejects_invalid_addresses(address: str, says: str) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        parse_host(address, parameter="DOCKER_HOST")
    assert str(caught.value).startswith("DOCKER_HOST: ")
    assert says in str(caught.value)


def test_rejects_passwords_without_quoting_them() -> None:
    with pytest.raises(errors.InvalidArgument, match="must not contain a password") as caught:
        parse_host("ssh://me:hunter2@host")
    assert "hunter2" not in str(caught.value)


def test_rejects_addresses_that_are_not_strings() -> None:
    with pytest.raises(errors.InvalidArgument, match="base_url: must be a string, got int"):
        parse_host(2375)  # type: ignore[arg-type]


@given(st.text(max_size=40))
def test_any_string_is_parsed_or_rejected(text: str) -> None:
    try:
        host, _ = parse_host(text)
    except errors.InvalidArgument:
        return
    assert parse_host(host)[0] == host
    Endpoint(host, "argument", "").port  # noqa: B018 - must not raise


def test_endpoint_exposes_the_parts_of_its_address() -> None:
    ssh = Endpoint("ssh://me%40corp@[::1]:2222/run/x.sock", "argument", "")
    assert (ssh.scheme, ssh.user, ssh.hostname, ssh.port, ssh.path) == ("ssh", "me@corp", "::1", 2222, "/run/x.sock")
    tcp = Endpoint("tcp://h:2375/prefix", "argument", "")
    assert (tcp.scheme, tcp.hostname, tcp.port, tcp.path) == ("tcp", "h", 2375, "/prefix")
    unix = Endpoint("unix:///a/b", "argument", "")
    assert (unix.scheme, unix.hostname, unix.port, unix.path) == ("unix", "localhost", None, "/a/b")
    assert Endpoint("npipe:////./pipe/x", "argument", "").path == "//./pipe/x"
    assert str(unix) == "unix:///a/b"
