"""Usage figures as the docker command shows them, reports, and tables of objects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.containers.usage import Usage
from dockerkit.models.images import Image
from dockerkit.models.resource import Model
from dockerkit.models.tables import Table, facts, table

V2: dict[str, Any] = {
    "read": "2026-11-25T18:00:01.5Z",
    "preread": "2026-11-25T18:00:00.5Z",
    "cpu_stats": {"cpu_usage": {"total_usage": 700_000_000}, "system_cpu_usage": 12_000_000_000, "online_cpus": 4},
    "precpu_stats": {"cpu_usage": {"total_usage": 200_000_000}, "system_cpu_usage": 8_000_000_000, "online_cpus": 4},
    "memory_stats": {"usage": 1000, "limit": 4000, "stats": {"inactive_file": 200}},
    "networks": {"eth0": {"rx_bytes": 5, "tx_bytes": 6}, "eth1": {"rx_bytes": 50, "tx_bytes": 60}},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"op": "read", "value": 7},
            {"op": "write", "value": 8},
            {"op": "Read", "value": 70},
            {"op": "Total", "value": 999},
        ]
    },
    "pids_stats": {"current": 9},
}


def test_usage_of_cgroups_2() -> None:
    usage = Usage.from_engine(V2)
    assert usage.cpu_percent == pytest.approx(50.0)
    assert (usage.memory, usage.memory_percent, usage.online_cpus, usage.pids) == (800, 20.0, 4, 9)
    assert (usage.network_received, usage.network_sent, usage.disk_read, usage.disk_written) == (55, 66, 77, 8)
    assert usage.read is not None
    assert str(usage).startswith("CPU 50.00%, memory 800B/4.0kB (20.00%)")


def test_usage_of_cgroups_1() -> None:
    cpu = {"cpu_usage": {"total_usage": 3, "percpu_usage": [1, 2]}, "system_cpu_usage": 20}
    before = {"cpu_usage": {"total_usage": 2, "percpu_usage": [1, 1]}, "system_cpu_usage": 10}
    memory = {"usage": 1000, "limit": 4000, "stats": {"total_inactive_file": 300, "inactive_file": 1, "cache": 9}}
    usage = Usage.from_engine({"cpu_stats": cpu, "precpu_stats": before, "memory_stats": memory})
    assert (usage.cpu_percent, usage.memory, usage.online_cpus) == (20.0, 700, 2)


def test_usage_with_nothing_to_compare() -> None:
    first = {**V2, "precpu_stats": {"cpu_usage": {"total_usage": 0}}}
    assert Usage.from_engine(first).cpu_percent is None
    later = {**first, "cpu_stats": {**V2["cpu_stats"], "system_cpu_usage": 13_000_000_000}}
    assert Usage.from_engine(later, first).cpu_percent == 0.0
    stopped = Usage.from_engine({"read": "0001-01-01T00:00:00Z", "memory_stats": {}, "cpu_stats": {}})
    assert (stopped.read, stopped.cpu_percent, stopped.memory, stopped.memory_percent) == (None, None, 0, 0.0)
    assert "CPU --" in str(stopped)


def test_usage_of_windows() -> None:
    usage = Usage.from_engine(
        {
            "read": "2026-11-25T18:00:01.0000000Z",
            "preread": "2026-11-25T18:00:00.0000000Z",
            "num_procs": 2,
            "cpu_stats": {"cpu_usage": {"total_usage": 10_000_000}},
            "precpu_stats": {"cpu_usage": {"total_usage": 0}},
            "memory_stats": {"privateworkingset": 5},
            "storage_stats": {"read_size_bytes": 3, "write_size_bytes": 4},
        }
    )
    assert (usage.cpu_percent, usage.memory, usage.disk_read, usage.disk_written) == (50.0, 5, 3, 4)


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host) as client:
        yield client


def test_disk_usage_as_docker_system_df_counts(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on(
        "GET",
        "/system/df",
        Answer.json(
            {
                "LayersSize": 100,
                "Images": [
                    {"Id": "a", "Size": 60, "SharedSize": 10, "Containers": 2},
                    {"Id": "b", "Size": 40, "SharedSize": 10, "Containers": 0},
                ],
                "Containers": [
                    {"Id": "x", "SizeRw": 5, "State": "running"},
                    {"Id": "y", "SizeRw": 7, "State": "exited"},
                    {"Id": "z", "State": "created"},
                ],
                "Volumes": [
                    {"Name": "v", "UsageData": {"Size": 11, "RefCount": 1}},
                    {"Name": "w", "UsageData": {"Size": 13, "RefCount": 0}},
                    {"Name": "u", "UsageData": {"Size": -1, "RefCount": -1}},
                ],
                "BuildCache": [
                    {"ID": "1", "Size": 17, "InUse": False, "Shared": False},
                    {"ID": "2", "Size": 19, "InUse": True, "Shared": False},
                    {"ID": "3", "Size": 23, "InUse": False, "Shared": True},
                ],
            }
        ),
    )
    usage = client.system.df()
    counted = [
        (use.count, use.active, use.size, use.reclaimable)
        for use in (usage.images, usage.containers, usage.volumes, usage.build_cache)
    ]
    assert counted == [(2, 1, 100, 50), (3, 1, 12, 7), (3, 1, 24, 13), (3, 1, 36, 17)]
    assert (usage.size, usage.reclaimable) == (172, 87)
    assert "<td style='text-align:left'>Build cache</td>" in usage._repr_html_()


def test_disk_usage_from_the_engines_own_totals(scripted: ScriptedEngine, client: DockerClient) -> None:
    totals = {"TotalCount": 3, "ActiveCount": 2, "TotalSize": 30, "Reclaimable": 10, "Items": [{"Id": "a"}]}
    scripted.on("GET", "/system/df", Answer.json({"ImageUsage": totals}))
    usage = client.system.df()
    assert (usage.images.count, usage.images.active, usage.images.size, usage.images.reclaimable) == (3, 2, 30, 10)
    assert usage.images.items == ({"Id": "a"},)
    assert usage.volumes.size == 0


def test_prune_is_one_report(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("POST", "/containers/prune", Answer.json({"ContainersDeleted": ["c"], "SpaceReclaimed": 1}))
    scripted.on("POST", "/networks/prune", Answer.json({"NetworksDeleted": None}))
    scripted.on("POST", "/volumes/prune", Answer.json({"VolumesDeleted": ["v"], "SpaceReclaimed": 2}))
    scripted.on(
        "POST",
        "/images/prune",
        Answer.json({"ImagesDeleted": [{"Untagged": "app:1"}, {"Deleted": "sha256:1"}], "SpaceReclaimed": 4}),
    )
    scripted.on("POST", "/build/prune", Answer.error(404, "podman has no such thing"))
    report = client.system.prune(all=True, volumes="all", labels={"a": "b"})
    assert (report.containers, report.networks, report.volumes) == (("c",), (), ("v",))
    assert (report.images, report.untagged, report.skipped) == (("sha256:1",), ("app:1",), ("build_cache",))
    assert report.space_reclaimed == 7
    asked = {request.path: request.query for request in scripted.requests}
    assert '"all"' in asked["/volumes/prune"]["filters"][0]
    assert '"a=b"' in asked["/containers/prune"]["filters"][0]
    assert '"dangling"' in asked["/images/prune"]["filters"][0]
    assert "/build/prune" not in asked  # the cache has no labels, so all of it would be removed
    with pytest.raises(errors.InvalidArgument, match="until"):
        client.system.prune(volumes=True, until="24h")
    assert client.system.prune(until="24h").skipped == ("build_cache",)
    asked = {request.path: request.query for request in scripted.requests}
    assert '"until"' in asked["/build/prune"]["filters"][0]
    scripted.on("POST", "/build/prune", Answer.json({"CachesDeleted": ["x"], "SpaceReclaimed": 8}))
    report = client.system.prune()
    assert (report.build_cache, report.skipped, report.space_reclaimed) == (("x",), (), 13)


def test_prune_keeps_named_volumes_unless_requested() -> None:
    old = ScriptedEngine(api_version="1.41")
    try:
        with DockerClient(old.host) as client, pytest.raises(errors.InvalidArgument, match="volumes='all'"):
            client.system.prune(volumes=True)
    finally:
        old.close()


# --- tables ------------------------------------------------------------------------------------------------------


def test_tables_are_escaped_and_bounded() -> None:
    evil = "<script>alert(1)</script>"
    html = table([evil], [[evil]] * 105)
    assert "<script" not in html
    assert "5 more" in html
    assert table(["a", "b", "c"], [[None, ["x", "y"], {"k": "v", "flag": ""}]]).count("<td") == 3


def test_list_of_objects_is_a_table_and_a_list() -> None:
    summary = {
        "Id": "c" * 64,
        "Names": ["/<web>"],
        "Image": "app",
        "State": "running",
        "Status": "Up",
        "Labels": {"a": "b"},
    }
    inspect = {"Id": "d" * 64, "Name": "/db", "Config": {"Image": "pg", "Labels": {}}, "State": {"Status": "exited"}}
    items = Table([Model(summary), Model(inspect), Model({"Name": "vol", "Driver": "local"})])
    assert items == list(items)
    assert len(items) == 3
    html = items._repr_html_()
    for text in ("cccccccccccc", "&lt;web&gt;", "app", "Up", "a=b", "db", "exited", "vol", "local"):
        assert text in html
    assert "<web>" not in html
    assert "<table" in Table([])._repr_html_()


SUMMARY = {
    "Id": "c" * 64, "Names": ["/web"], "Image": "sha256:" + "d" * 64, "Command": "nginx -g 'daemon off;' " + "x" * 60,
    "State": "running", "Status": "Up 2 hours", "Created": 1_700_000_000, "Labels": {"a": "b"},
    "Ports": [
        {"PrivatePort": 80, "Type": "tcp", "IP": "0.0.0.0", "PublicPort": 8080},  # noqa: S104
        {"PrivatePort": 80, "Type": "tcp", "IP": "::", "PublicPort": 8080},
        {"PrivatePort": 443, "Type": "tcp", "IP": "127.0.0.1", "PublicPort": 8443},
        {"PrivatePort": 53, "Type": "udp"},
    ],
}  # fmt: skip


def test_str_of_a_list_is_a_table_like_docker_ps() -> None:
    header, row = str(Table([Model(SUMMARY)])).splitlines()
    assert header.split() == ["ID", "NAME", "IMAGE", "COMMAND", "STATUS", "PORTS", "CREATED"]
    assert row == (
        "cccccccccccc   web    dddddddddddd   nginx -g 'daemon off;' xxxxxxxxxxxxxxxx…   Up 2 hours   "
        "8080->80/tcp, 127.0.0.1:8443->443/tcp, …   2023-11-14 22:13"
    )
    assert str(Table([])) == "ID   NAME"
    assert "… 5 more" in str(Table([Model(SUMMARY)] * 105))
    assert "\x1b" not in str(Table([Model({"Name": "\x1b[31mred"})]))


def test_containers_show_the_same_ports_from_an_inspect() -> None:
    ports = {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
        "53/udp": None,
    }  # noqa: S104
    inspect = {"Id": "d" * 64, "Name": "/db", "Config": {"Cmd": ["pg", "-v"]}, "NetworkSettings": {"Ports": ports}}
    assert facts(Model(inspect)) == {
        "Id": "d" * 12, "Name": "db", "Command": "pg -v", "Ports": ["8080->80/tcp", "53/udp"],
    }  # fmt: skip


def test_images_are_shown_without_the_algorithm() -> None:
    image = Image({"Id": "sha256:" + "a" * 64, "RepoTags": ["app:1"], "Size": 5000})
    assert repr(image) == "<Image 'app:1' aaaaaaaaaaaa>"
    assert str(Table([image])).splitlines()[1] == "aaaaaaaaaaaa   app:1   5.0kB"
    assert repr(Image({"Id": "sha256:" + "a" * 64, "RepoTags": []})) == "<Image 'aaaaaaaaaaaa'>"


def test_to_df_has_numbers_and_times() -> None:
    pandas = pytest.importorskip("pandas")
    usage = Usage.from_engine({"name": "/web", "memory_stats": {"usage": 2048, "limit": 4096}})
    frame = Table([usage, None]).to_df()
    assert list(frame["Memory"]) == [2048]
    assert list(frame["Name"]) == ["web"]
    assert frame["Memory"].dtype.kind == "i"
    containers = Table([Model(SUMMARY)]).to_df()
    assert list(containers["Name"]) == ["web"]
    assert pandas.api.types.is_datetime64_any_dtype(containers["Created"])
    assert list(Table([]).to_df().columns) == ["Id", "Name"]


def test_to_df_says_what_it_requires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(errors.MissingExtra, match="pip install pandas"):
        Table([]).to_df()


def test_usages_have_names() -> None:
    usage = Usage.from_engine({"name": "/web", "read": "2026-01-01T00:00:00Z"})
    assert repr(usage).startswith("Usage(name='web', read=")
    assert str(usage).startswith("web: CPU --")
    assert "<td style='text-align:left'>web</td>" in Table([usage])._repr_html_()


def test_repr_of_a_stream_names_its_source(scripted: ScriptedEngine, client: DockerClient) -> None:
    container = "c" * 64
    for path in ("stats", "logs"):
        scripted.on("GET", f"/containers/{container}/{path}", Answer.json({}))
    scripted.on("GET", "/events", Answer.json({}))
    scripted.on("GET", f"/containers/{container}/json", Answer.json({"Id": container, "Name": "/web", "Config": {}}))
    stream = client.api.logs(container, stream=True)
    path = f"GET /v1.51/containers/{'c' * 12}/logs"
    assert repr(stream) == f"<FrameStream of <Response of {path}>>"
    stream.close()
    assert repr(stream) == f"<FrameStream of <Response of {path}, closed>>"
    web = client.containers.get(container)
    with web.watch_usage() as usages:
        assert repr(usages) == "<UsageStream of container 'web'>"
    with web.log_entries() as entries:
        assert repr(entries) == "<LogStream of container 'web'>"
    assert repr(entries) == "<LogStream of container 'web', closed>"
    with client.system.events() as events:
        assert repr(events) == f"<EventStream of <DockerClient {scripted.host}>>"


def test_lists_of_objects_are_tables_by_one_request(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on(
        "GET",
        "/containers/json",
        Answer.json([{"Id": "c" * 64, "Names": ["/web"], "Image": "app", "State": "running"}]),
    )
    scripted.on("GET", "/images/json", Answer.json([{"Id": "sha256:" + "a" * 64, "RepoTags": ["app:1"], "Size": 5000}]))
    scripted.on("GET", "/networks", Answer.json([{"Id": "n" * 64, "Name": "net", "Driver": "bridge"}]))
    scripted.on("GET", "/volumes", Answer.json({"Volumes": [{"Name": "data", "Driver": "local"}]}))
    for collection, text in (
        (client.containers, "web"), (client.images, "5.0kB"), (client.networks, "bridge"), (client.volumes, "data")
    ):  # fmt: skip
        found: Any = collection.list()
        assert text in found._repr_html_()
        assert text in found[0]._repr_html_()
        assert isinstance(found, list)
    assert len(scripted.requests) == 4


def test_swarm_is_shown_without_a_request(scripted: ScriptedEngine, client: DockerClient) -> None:
    swarm = client.swarm
    assert "<table>" in swarm._repr_html_()
    assert swarm.cached_attrs == {}
    assert scripted.requests == []
