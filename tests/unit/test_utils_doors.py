"""docker-py's ``docker.utils``: the same arguments give the same results."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime

import pytest

from dockerkit import errors, utils
from dockerkit.compat import build, fnmatch, json_stream, ports, socket
from dockerkit.compat import utils as inner


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (None, "http+unix:///var/run/docker.sock"),
        ("", "http+unix:///var/run/docker.sock"),
        ("unix://", "http+unix:///var/run/docker.sock"),
        ("unix:///a/b", "http+unix:///a/b"),
        ("tcp://:2375", "http://127.0.0.1:2375"),
        ("http://h:1", "http://h:1"),
        ("https://h:1", "https://h:1"),
        ("tcp://[::1]:2375", "http://[::1]:2375"),
        ("tcp://h:1/x/y", "http://h:1/x/y"),
        ("ssh://", "ssh://127.0.0.1:22"),
        ("ssh://u@h", "ssh://u@h:22"),
        ("ssh://u@h:23", "ssh://u@h:23"),
    ],
)
def test_parse_host(address, expected):
    assert utils.parse_host(address) == expected


def test_parse_host_of_windows_and_with_tls():
    assert utils.parse_host(None, is_win32=True) == "npipe:////./pipe/docker_engine"
    assert utils.parse_host("tcp://h:1", tls=True) == "https://h:1"


@pytest.mark.parametrize("address", ["tcp://", "0.0.0.0", "/a/b", "fd://x"])
def test_parse_host_rejects_invalid_addresses(address):
    with pytest.raises(errors.DockerException):
        utils.parse_host(address)


@pytest.mark.parametrize(("one", "two", "order"), [("1.9", "1.10", 1), ("1.10", "1.9", -1), ("20.10", "20.10", 0)])
def test_versions(one, two, order):
    assert inner.compare_version(one, two) == order
    assert utils.version_lt(one, two) is (order == 1)
    assert utils.version_gte(one, two) is (order != 1)


def test_rejects_invalid_versions():
    with pytest.raises(errors.InvalidVersion):
        utils.version_lt("one", "1.2")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("80", (["80"], None)),
        (80, (["80"], None)),
        ("80/udp", (["80/udp"], None)),
        ("1:2", (["2"], ["1"])),
        ("127.0.0.1:1:2", (["2"], [("127.0.0.1", "1")])),
        ("127.0.0.1::2", (["2"], [("127.0.0.1", None)])),
        ("1-2:3-4", (["3", "4"], ["1", "2"])),
        ("8000-8001", (["8000", "8001"], None)),
        ("[::1]:1:2", (["2"], [("::1", "1")])),
        ("1-2:3", (["3"], ["1-2"])),
        ("::1:1:2", (["2"], [("::1", "1")])),
        ("2001:db8::1::2/udp", (["2/udp"], [("2001:db8::1", None)])),
        ("127.0.0.1:1-2:3-4/udp", (["3/udp", "4/udp"], [("127.0.0.1", "1"), ("127.0.0.1", "2")])),
    ],
)
def test_split_port(spec, expected):
    assert ports.split_port(spec) == expected


@pytest.mark.parametrize("spec", ["a", "", "::2", ":1:2", "1-3:1-2", "-1:2"])
def test_split_port_rejects_invalid_ports(spec):
    with pytest.raises(ValueError, match="port"):
        ports.split_port(spec)


def test_build_port_bindings():
    assert ports.build_port_bindings(["80", "1:2", "127.0.0.1:1:2", "5:2"]) == {
        "80": [None],
        "2": ["1", ("127.0.0.1", "1"), "5"],
    }


def test_shorthands():
    assert utils.convert_volume_binds({"/a": {"bind": "/b", "mode": "ro"}, "/c": "/d"}) == ["/a:/b:ro", "/c:/d:rw"]
    assert utils.convert_port_bindings({"80/tcp": 8080})["80/tcp"][0]["HostPort"] == "8080"
    assert inner.convert_tmpfs_mounts(["/a", "/b:size=1"]) == {"/a": "", "/b": "size=1"}
    assert utils.convert_service_networks(["a", {"Target": "b"}]) == [{"Target": "a"}, {"Target": "b"}]
    assert utils.convert_filters({"a": True, "b": ["x"]}) == '{"a":["true"],"b":["x"]}'
    assert utils.format_environment({"a": None, "b": "c", "d": b"x"}) == ["a", "b=c", "d=x"]
    assert utils.format_extra_hosts({"h": "1.2.3.4"}) == ["h:1.2.3.4"]
    assert utils.format_extra_hosts({"h": "1.2.3.4"}, task=True) == ["1.2.3.4 h"]
    assert utils.normalize_links({"a": "b", "c": None}) == ["a:b", "c"]
    assert utils.parse_devices(["/a:/b:r"])[0]["CgroupPermissions"] == "r"
    assert [utils.parse_bytes(size) for size in ("1.5g", 5, "", "10KB")] == [1610612736, 5, 0, 10240]
    assert utils.split_command('a "b c"') == ["a", "b c"]
    assert utils.parse_repository_tag("h:5/a@sha256:xx") == ("h:5/a", "sha256:xx")
    assert utils.decode_json_header("eyJhIjoxfQ==") == {"a": 1}
    assert utils.datetime_to_timestamp(datetime(2020, 1, 1)) == 1577836800
    assert utils.datetime_to_timestamp(datetime(2020, 1, 1, tzinfo=UTC)) == 1577836800
    assert (utils.match_tag("a/b:c"), utils.match_tag("A b")) == (True, False)
    with pytest.raises(TypeError):
        utils.convert_service_networks("a")  # type: ignore[arg-type]


def test_kwargs_from_env():
    assert utils.kwargs_from_env({}) == {}
    assert utils.kwargs_from_env({"DOCKER_HOST": "tcp://1.2.3.4:5"}) == {"base_url": "tcp://1.2.3.4:5"}


@pytest.mark.parametrize("name", ["create_host_config", "create_ipam_config", "create_ipam_pool"])
def test_removed_functions_name_their_replacement(name):
    with pytest.raises(errors.DeprecatedMethod, match="types"):
        getattr(utils, name)(1)


def test_json_stream():
    assert list(json_stream.json_stream([b'{"a":1}\n{"b"', b":2}"])) == [{"a": 1}, {"b": 2}]
    assert list(json_stream.split_buffer(["a\nb", "c\nd"])) == ["a\n", "bc\n", "d"]
    assert list(json_stream.stream_as_text(["ä".encode()[:1], "ä".encode()[1:]])) == ["", "ä"]
    with pytest.raises(errors.StreamParseError):
        list(json_stream.json_stream([b'{"a":']))


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [("a/b", "a*", False), ("a/b", "**/b", True), ("A", "a", True), ("a/b/c", "a/*/c", True), ("ax", "a[xy]", True)],
)
def test_fnmatch(name, pattern, expected):
    assert fnmatch.fnmatch(name, pattern) is expected


def names(file):
    with file, tarfile.open(fileobj=file) as archive:
        return sorted(archive.getnames())


@pytest.fixture
def folder(tmp_path):
    for name in ("a/1", "b/2", "Dockerfile"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return str(tmp_path)


def test_contexts(folder, tmp_path):
    assert names(build.tar(folder)) == ["Dockerfile", "a", "a/1", "b", "b/2"]
    assert names(build.tar(folder, gzip=True)) == ["Dockerfile", "a", "a/1", "b", "b/2"]
    assert names(build.tar(folder, ["a"], (".dockerfile.x", "FROM a"))) == [".dockerfile.x", "Dockerfile", "b", "b/2"]
    assert names(build.create_archive(folder, ["a/1"], extra_files=[("x", "y")])) == ["a/1", "x"]
    assert names(build.mkbuildcontext(io.BytesIO(b"FROM x"))) == ["Dockerfile"]
    assert build.exclude_paths(folder, ["a", "Dockerfile"]) == {"Dockerfile", "b", "b/2"}
    (tmp_path / ".dockerignore").write_text("*")
    assert build.exclude_paths(folder, ["*", "!/b/2"]) == {".dockerignore", "Dockerfile", "b", "b/2"}
    (tmp_path / ".dockerignore").unlink()
    assert sorted(build.walk(folder, ["a"])) == ["Dockerfile", "b", "b/2"]


def test_patterns():
    assert build.Pattern("!a/*").exclusion
    assert build.Pattern("a/*").match("a/b")
    assert build.Pattern.normalize("./a/../b/") == ["b"]
    matcher = build.PatternMatcher(["a", "!a/b"])
    assert (matcher.matches("a/c"), matcher.matches("a/b")) == (True, False)


FRAMES = b"\x01\0\0\0\0\0\0\x02ab\x02\0\0\0\0\0\0\x01c"


def test_frames_of_a_file():
    assert list(socket.frames_iter(io.BytesIO(FRAMES), tty=False)) == [(1, b"ab"), (2, b"c")]
    assert list(socket.frames_iter(io.BytesIO(b"raw"), tty=True)) == [(1, b"raw")]
    pairs = (socket.demux_adaptor(*frame) for frame in socket.frames_iter(io.BytesIO(FRAMES), tty=False))
    assert socket.consume_socket_output(pairs, demux=True) == (b"ab", b"c")
    assert socket.consume_socket_output([], demux=True) == (None, None)
    assert socket.consume_socket_output([b"a", b"b"]) == b"ab"
    with pytest.raises(ValueError, match="3"):
        socket.demux_adaptor(3, b"")


def test_frames_of_a_socket():
    from socket import socketpair

    ours, theirs = socketpair()
    with ours, theirs:
        theirs.sendall(FRAMES)
        theirs.shutdown(1)
        assert list(socket.frames_iter(ours, tty=False)) == [(1, b"ab"), (2, b"c")]


def test_decorators():
    class Client:
        api_version = "1.41"

        @utils.check_resource("container")
        def name(self, container):
            return container

        @utils.minimum_version("1.40")
        @utils.update_headers
        def fits(self):
            return True

        @utils.minimum_version("1.42")
        def too_new(self):
            return True

    client = Client()
    assert client.name({"Id": "abc"}) == client.name(container="abc") == "abc"
    assert client.fits()
    with pytest.raises(errors.NullResource):
        client.name("")
    with pytest.raises(errors.InvalidVersion, match=r"1\.42"):
        client.too_new()
