"""Ports, folders, devices and links in all notations."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_parse import ANYTHING

from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.parsing import shorthands as sh
from dockerkit.types.limits import Ulimit

HTTP = "80/tcp"


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        ({1111: 4567}, {"1111/tcp": [{"HostPort": "4567"}]}),
        ({2222: None}, {"2222/tcp": [{"HostPort": ""}]}),
        ({1111: ("127.0.0.1", 4567)}, {"1111/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4567"}]}),
        ({1111: ("127.0.0.1",)}, {"1111/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}),
        ({"1111/udp": 4567}, {"1111/udp": [{"HostPort": "4567"}]}),
        ({1111: [1234, 4567]}, {"1111/tcp": [{"HostPort": "1234"}, {"HostPort": "4567"}]}),
        (
            {1111: [("192.168.0.100", 1234), ("192.168.0.101", 1234)]},
            {"1111/tcp": [{"HostIp": "192.168.0.100", "HostPort": "1234"}, {"HostIp": "192.168.0.101", "HostPort": "1234"}]},
        ),
        ({"80/tcp": {"HostIp": "::1", "HostPort": "80"}}, {HTTP: [{"HostIp": "::1", "HostPort": "80"}]}),
        ({"80": "8000-8010"}, {HTTP: [{"HostPort": "8000-8010"}]}),
        ({"80": "127.0.0.1:81"}, {HTTP: [{"HostIp": "127.0.0.1", "HostPort": "81"}]}),
        ({80: 0, "80/tcp": 8080}, {HTTP: [{"HostPort": "0"}, {"HostPort": "8080"}]}),
        ({80: []}, {HTTP: []}),
        (["8080:80"], {HTTP: [{"HostPort": "8080"}]}),
        (["127.0.0.1:8080:80/tcp"], {HTTP: [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}),
        (["[::1]:8080:80"], {HTTP: [{"HostIp": "::1", "HostPort": "8080"}]}),
        (["127.0.0.1::80"], {HTTP: [{"HostIp": "127.0.0.1", "HostPort": ""}]}),
        (["80", 53], {HTTP: [{"HostPort": ""}], "53/tcp": [{"HostPort": ""}]}),
        (["53/udp"], {"53/udp": [{"HostPort": ""}]}),
        (["90-91:80-81/SCTP"], {"80/sctp": [{"HostPort": "90"}], "81/sctp": [{"HostPort": "91"}]}),
        (["90-99:80"], {HTTP: [{"HostPort": "90-99"}]}),
    ],
)  # fmt: skip
def test_port_bindings(bindings, expected):
    assert sh.port_bindings(bindings) == expected


@pytest.mark.parametrize(
    "bad",
    [
        {0: 80}, {65536: 80}, {80: 65536}, {80: -1}, {"80/icmp": 1}, {"x": 1}, {80: "x"}, {80: True}, {80: (1, 2, 3)},
        {80: ("nowhere", 80)}, {80: {"Port": 1}}, "8080:80", 80, ["1:2:3:4"], ["a:80"], ["8080:"], [":"], [""], [None],
        ["300.1.1.1:80:80"], ["90-92:80-81"], ["99-90:80"], [80.5], {(80, "udp", 1): 1}, {80: 1.5},
    ],
)  # fmt: skip
def test_rejects_invalid_ports(bad):
    with pytest.raises(InvalidArgument, match=r"^ports"):
        sh.port_bindings(bad, "ports")


@given(st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(["tcp", "udp", "sctp"]), st.ip_addresses(v=4))
def test_all_formats_of_a_port_agree(inside, outside, protocol, address):
    text = sh.port_bindings([f"{address}:{outside}:{inside}/{protocol}"])
    assert text == sh.port_bindings({f"{inside}/{protocol}": (str(address), outside)})
    assert text == sh.port_bindings({f"{inside}/{protocol}": {"HostIp": str(address), "HostPort": str(outside)}})


def test_exposed_ports():
    assert sh.exposed_ports([80, "53/udp", (53, "udp"), "90-91", ("8080", "tcp")]) == {
        "80/tcp": {}, "53/udp": {}, "90/tcp": {}, "91/tcp": {}, "8080/tcp": {},
    }  # fmt: skip
    assert sh.exposed_ports({"80/tcp": {}}) == {"80/tcp": {}}
    for bad in ([0], "80", 80, [(80, "x")], [(1, 2, 3)], [None]):
        with pytest.raises(InvalidArgument, match="^ports: "):
            sh.exposed_ports(bad)


def test_binds(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert sh.binds(
        {
            "/a": {"bind": "/b", "mode": "ro"}, "vol": {"bind": "/c"}, "/d": "/e", "/f": {"bind": "/g", "ro": True},
            "/h": {"bind": "/i", "ro": False}, "/p": {"bind": "/q", "mode": "rw", "propagation": "rshared"},
            "./src": {"bind": "/app", "mode": "ro"},
        }
    ) == ["/a:/b:ro", "vol:/c:rw", "/d:/e:rw", "/f:/g:ro", "/h:/i:rw", "/p:/q:rw,rshared", f"{tmp_path}/src:/app:ro"]  # fmt: skip
    assert sh.binds({"/a": "/b:ro", "/c": "C:\\d"}) == ["/a:/b:ro", "/c:C:\\d:rw"]
    assert sh.binds(["./src:/app:ro", ".:/x", "..:/y", "~/z:/z", "/abs:/abs", "vol:/v", Path("/p"), ".hidden:/h"]) == [
        f"{tmp_path}/src:/app:ro", f"{tmp_path}:/x", f"{os.path.dirname(tmp_path)}:/y", "/home/me/z:/z", "/abs:/abs",
        "vol:/v", "/p", f"{os.getcwd()}/.hidden:/h",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    ["/a:/b", 5, {"/a": {"bind": "/b", "mode": "ro", "ro": True}}, {"/a": {"mode": "ro"}}, {"/a": {"bind": "/b", "x": 1}}, {"/a": None}, {1: "/b"}, [5]],
)  # fmt: skip
def test_rejects_invalid_binds(bad):
    with pytest.raises(InvalidArgument, match="^volumes"):
        sh.binds(bad, "volumes")


def test_other_shorthands():
    assert sh.mount_points("/data") == {"/data": {}}
    assert sh.mount_points(["/a", "/b"]) == {"/a": {}, "/b": {}}
    assert sh.tmpfs({"/run": "size=64m", "/x": None}) == {"/run": "size=64m", "/x": ""}
    assert sh.tmpfs(["/run:size=64m,mode=1777", "/tmp"]) == {"/run": "size=64m,mode=1777", "/tmp": ""}
    assert sh.extra_hosts({"b": "10.0.0.2", "a": "::1"}) == ["a:::1", "b:10.0.0.2"]
    assert sh.extra_hosts({"a": ["1.1.1.1", "::1"]}) == ["a:1.1.1.1", "a:::1"]
    assert sh.extra_hosts(["a:1.2.3.4", "b=::1", "h:host-gateway"]) == ["a:1.2.3.4", "b:::1", "h:host-gateway"]
    assert sh.links({"b": "x", "a": None}) == ["a", "b:x"]
    assert sh.links([("db", "database"), "c:d", ("e", None)]) == ["db:database", "c:d", "e"]
    assert sh.volumes_from("a,b:ro") == ["a", "b:ro"]
    assert sh.group_add(["wheel", 1000]) == ["wheel", "1000"]
    assert sh.ulimits([Ulimit("nofile", 1, 2), {"Name": "core", "Soft": 3}, {"name": "nproc", "hard": 4}, "a=5", "b=6:-1"]) == [
        {"Name": "nofile", "Soft": 1, "Hard": 2}, {"Name": "core", "Soft": 3}, {"Name": "nproc", "Hard": 4},
        {"Name": "a", "Soft": 5, "Hard": 5}, {"Name": "b", "Soft": 6, "Hard": -1},
    ]  # fmt: skip
    assert sh.restart_policy("on-failure:5") == {"Name": "on-failure", "MaximumRetryCount": 5}
    assert sh.restart_policy({"Name": "always"}) == {"Name": "always"}
    assert sh.bytes_per_second([{"Path": "/dev/sda", "Rate": "1m"}, ("/dev/sdb", 5), "/dev/sdc:1k"], "x") == [
        {"Path": "/dev/sda", "Rate": 2**20}, {"Path": "/dev/sdb", "Rate": 5}, {"Path": "/dev/sdc", "Rate": 1024},
    ]  # fmt: skip
    assert sh.weights(["/dev/sda:300"], "x") == [{"Path": "/dev/sda", "Weight": 300}]


def test_devices():
    whole = {"PathOnHost": "/dev/sda", "PathInContainer": "/dev/xvda", "CgroupPermissions": "rwm"}
    assert sh.devices(["/dev/sda:/dev/xvda:rwm"]) == [whole]
    assert sh.devices(["/dev/sda:/dev/xvda"]) == [whole]
    assert sh.devices(["/dev/sda"]) == [{**whole, "PathInContainer": "/dev/sda"}]
    assert sh.devices(["/dev/sda:r"]) == [{**whole, "PathInContainer": "/dev/sda", "CgroupPermissions": "r"}]
    assert sh.devices([whole]) == [whole]
    with pytest.raises(InvalidArgument, match="DeviceRequest.cdi"):
        sh.devices(["vendor.com/gpu=0"])
    for bad in (["a:b:c:d"], [""], "/dev/sda", [5], {"PathOnHost": "x"}):
        with pytest.raises(InvalidArgument, match="^devices"):
            sh.devices(bad)


@pytest.mark.parametrize(
    ("convert", "bad"),
    [
        (sh.restart_policy, "sometimes"), (sh.restart_policy, {"Nme": "x"}), (sh.restart_policy, "on-failure:x"),
        (sh.ulimits, ["nofile"]), (sh.ulimits, "nofile=1"), (sh.ulimits, [5]), (sh.links, "a:b"), (sh.links, [5]),
        (sh.extra_hosts, ["alone"]), (sh.extra_hosts, "a:1.2.3.4"), (sh.extra_hosts, [":1"]), (sh.group_add, "wheel"),
        (sh.group_add, [1.5]), (sh.tmpfs, "/run"), (sh.bytes_per_second, ["/dev/sda"]), (sh.per_second, [("/dev/sda", "x")]),
        (sh.weights, [{"Path": "/dev/sda", "Rate": 1}]), (sh.mappings, ["x"]), (sh.mapping, "x"), (sh.volumes_from, 5),
        (sh.binds, ["~no-such-user/a:/a"]), (sh.binds, ["a\0:/a"]),
    ],
)  # fmt: skip
def test_rejects_invalid_shorthands(convert, bad):
    with pytest.raises(InvalidArgument, match="^option"):
        convert(bad, "option")


@given(ANYTHING)
def test_any_input_parses_or_raises_invalid_argument(value):
    for convert in (
        sh.port_bindings, sh.exposed_ports, sh.binds, sh.mount_points, sh.tmpfs, sh.extra_hosts, sh.links, sh.devices,
        sh.volumes_from, sh.group_add, sh.ulimits, sh.restart_policy, sh.bytes_per_second, sh.weights, sh.mappings,
    ):  # fmt: skip
        for given_ in (value, [value], {"80": value}):
            try:
                convert(given_, "parameter")
            except DockerException as error:
                assert "parameter" in str(error)
