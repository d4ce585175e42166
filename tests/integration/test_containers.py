"""Container objects on real engines: run, create, list, ensure."""

from __future__ import annotations

import io
import socket
import tarfile
import time
import urllib.request
import warnings
from contextlib import contextmanager

import pytest

from dockerkit import DockerClient, File, errors, types
from dockerkit.models.containers.run import RunOutput


@pytest.fixture
def run(client, busybox, labels):
    """``containers.run`` of busybox, labelled."""

    def run(command=None, **options):
        return client.containers.run(busybox, command, **{"labels": labels, **options})

    return run


def ours(client, labels):
    return [
        container.name
        for container in client.containers.list(all=True, filters={"label": [f"{k}={v}" for k, v in labels.items()]})
    ]


@contextmanager
def nothing_left(client, labels):
    before = set(ours(client, labels))
    yield
    assert set(ours(client, labels)) - before == set()


# -- run -------------------------------------------------------------------------------------------------------------


def test_run_makes_five_requests(client, run, requests_of, labels):
    client.ping()
    client.version()  # negotiate the API version before counting
    with nothing_left(client, labels), requests_of(client) as sent:
        assert run("true", remove=True) == b""
    assert len(sent) <= 5, sent


def test_output(run):
    script = ["sh", "-c", "echo out; sleep 0.1; echo err >&2; sleep 0.1; echo more"]
    assert run(script, remove=True) == b"out\nmore\n"
    assert run(script, remove=True, stderr=True) == b"out\nerr\nmore\n"
    assert run(script, remove=True, stdout=False, stderr=True) == b"err\n"
    assert run("echo hello world", remove=True) == b"hello world\n"
    assert run(["sh", "-c", "test -t 1 && echo terminal"], tty=True, remove=True) == b"terminal\r\n"


@pytest.mark.parametrize("driver", ["none", "json-file", "local"])
def test_returns_output_with_any_log_driver(run, driver):
    assert run("echo seen", log_config=types.LogConfig(driver), remove=True) == b"seen\n"


def test_much_output(run):
    assert len(run("head -c 5000000 /dev/zero", remove=True)) == 5_000_000


def test_auto_removal_never_races(run, client, labels):
    with nothing_left(client, labels):
        for number in range(8):
            assert run(f"echo {number}", auto_remove=number % 2 == 0, remove=number % 2 == 1) == f"{number}\n".encode()


def test_failed_command(run, client, labels, busybox):
    with nothing_left(client, labels), pytest.raises(errors.ContainerError) as caught:
        run(["sh", "-c", "echo out; echo err >&2; exit 3"], remove=True)
    error = caught.value
    assert (error.exit_status, error.stdout, error.stderr, error.image) == (3, b"out\n", b"err\n", busybox)
    with pytest.raises(errors.ContainerError) as caught:
        run("false", auto_remove=True)
    assert caught.value.exit_status == 1


@pytest.mark.parametrize("detach", [True, False])
def test_container_that_cannot_start_is_removed(run, client, labels, detach, unique):
    name = unique("broken")
    with nothing_left(client, labels), pytest.raises(errors.APIError, match="no such file|not found"):
        run("/no/such/program", name=name, detach=detach)
    with pytest.raises(errors.NotFound):
        client.containers.get(name)


def test_streaming(run, client, labels):
    with nothing_left(client, labels):
        began = time.monotonic()
        output = run(["sh", "-c", "echo 1; sleep 1; echo 2"], stream=True, remove=True)
        assert isinstance(output, RunOutput)
        assert next(output) == b"1\n"
        assert time.monotonic() - began < 5
        assert output.container.status == "running"
        assert b"".join(output) == b"2\n"
        assert output.exit_code == 0
        with run("sleep 600", stream=True, remove=True) as output:
            pass
        assert list(output) == []


def test_demux_separates_streams_in_order(run, client, labels):
    assert run(["sh", "-c", "echo out; echo err >&2"], demux=True, remove=True) == (b"out\n", b"err\n")
    with nothing_left(client, labels), pytest.raises(errors.RunTimeout) as caught:
        run(["sh", "-c", "echo begun; sleep 600"], timeout=2, remove=True)
    assert caught.value.stdout == b"begun\n"
    assert run("echo quick", timeout=60, remove=True) == b"quick\n"


def test_missing_image_is_pulled(client, busybox, registry, labels, unique):
    name = f"{registry}/{unique('pulled')}"
    client.images.get(busybox).tag(name, "1")
    client.api.push(name, "1")
    client.images.remove(f"{name}:1")
    with pytest.raises(errors.ImageNotFound):
        client.containers.run(f"{name}:1", "true", pull="never", labels=labels)
    with pytest.raises(errors.ImageNotFound):
        client.containers.create(f"{name}:1", labels=labels)
    assert client.containers.run(f"{name}:1", "echo pulled", remove=True, labels=labels) == b"pulled\n"
    assert client.containers.run(f"{name}:1", "echo again", remove=True, pull="always", labels=labels) == b"again\n"
    client.images.remove(f"{name}:1")
    with pytest.raises(errors.NotFound):
        client.containers.run(f"{registry}/no-such-image:1", labels=labels)


def test_image_object(client, busybox, labels):
    assert client.containers.run(client.images.get(busybox), "echo ok", remove=True, labels=labels) == b"ok\n"


def test_context_manager_stops_and_removes(run, client, labels):
    with nothing_left(client, labels):
        with run("sleep 600", detach=True, stop_signal="SIGKILL", volumes=["/data"]) as container:
            assert container.status == "running"
            (mount,) = container.mounts
        with pytest.raises(errors.NotFound):
            client.api.inspect_volume(mount.name)
        with run("true", detach=True, remove=True) as container:
            time.sleep(0.5)  # the engine may remove it meanwhile


def test_engine_warnings_are_python_warnings(run, client):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        container = client.containers.create("busybox", platform=None, mem_limit="64m", memswap_limit="64m")
        container.remove()
        # The warnings depend on the kernel: each one in the response must be emitted.
        answer = client.api.create_container("busybox", mem_limit="64m", memswap_limit="64m")
        client.api.remove_container(answer)
    assert [str(warning.message) for warning in caught if warning.category is errors.EngineWarning] == (
        answer["Warnings"] or []
    )


# -- options -----------------------------------------------------------------------------------------------------------


def test_shorthands(run, client, tmp_path, monkeypatch):
    (tmp_path / "env").write_text("FROM_FILE=1\nBOTH=file\n")
    out = run(
        ["sh", "-c", "echo $FROM_FILE $BOTH $N; id -u; pwd; hostname; cat /etc/hosts"],
        env_file=tmp_path / "env", environment={"BOTH": "here", "N": 5}, user=1000, working_dir="/tmp", hostname="box",
        extra_hosts={"other": "10.1.2.3"}, remove=True,
    ).decode()  # fmt: skip
    assert out.startswith("1 here 5\n1000\n/tmp\nbox\n")
    assert "10.1.2.3\tother" in out


def test_ports_are_published_and_found(engine, busybox, labels):
    with DockerClient(engine.tcp) as client, client.containers.run(
        busybox, ["sh", "-c", "mkdir /www; echo hello > /www/index.html; httpd -f -p 80 -h /www"], detach=True, labels=labels,
        ports=["80"], stop_signal="SIGKILL",
    ) as web:  # fmt: skip
        host, port = web.address(80)
        assert host == engine.address
        assert wait_for(lambda: fetch(f"http://{host}:{port}/")) == b"hello\n"
        (listed,) = client.containers.list(filters={"id": web.id})
        assert listed.ports["80/tcp"][0]["HostPort"] == str(port)
        assert web.network_settings.ports["80/tcp"][0].host_port == port


def fetch(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except (OSError, socket.timeout):
        return None


def wait_for(look, seconds: float = 10):
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def test_several_networks(client, run, unique, labels):
    one, two = (client.networks.create(unique("net"), labels=labels, ipam=types.IPAMConfig(pool_configs=[types.IPAMPool(subnet)]))
                for subnet in ("10.77.1.0/24", "10.77.2.0/24"))  # fmt: skip
    with run(
        "sleep 600", detach=True, stop_signal="SIGKILL", network=one, ip="10.77.1.50", network_aliases=["alias-one"],
        networks={two.name: types.EndpointConfig(aliases=["alias-two"], ipv4_address="10.77.2.60")},
        mac_address="02:42:0a:4d:01:99",
    ) as container:  # fmt: skip
        places = container.network_settings.networks
        assert {name: place.ip_address for name, place in places.items()} == {
            one.name: "10.77.1.50",
            two.name: "10.77.2.60",
        }
        assert places[one.name].mac_address == "02:42:0a:4d:01:99"
        assert "alias-one" in places[one.name].aliases
        assert "alias-two" in places[two.name].aliases
        assert b"10.77.1.50" in run("nslookup alias-one", network=one.name, remove=True)
    one.remove()
    two.remove()


def test_mounts(client, run, unique, labels):
    volume = client.volumes.create(unique("vol"), labels=labels)
    run(["sh", "-c", "echo kept > /data/file"], volumes={volume.name: {"bind": "/data", "mode": "rw"}}, remove=True)
    assert run("cat /data/file", mounts=[types.Mount("/data", volume.name, read_only=True)], remove=True) == b"kept\n"
    assert run("cat /data/file", volumes=[f"{volume.name}:/data:ro"], remove=True) == b"kept\n"
    with pytest.raises(errors.ContainerError, match="Read-only"):
        run("touch /data/x", mounts=[f"{volume.name}:/data:ro"], remove=True)
    assert b"size=1024k" in run("mount", tmpfs={"/scratch": "size=1m"}, remove=True)
    assert b"size=2048k" in run("mount", mounts=[types.Mount("/s", type="tmpfs", tmpfs_size="2m")], remove=True)
    sub = types.Mount("/data", volume.name, subpath="file")
    if client.api.supports("POST /containers/create", "HostConfig.Mounts[].VolumeOptions.Subpath"):
        assert run("cat /data", mounts=[sub], remove=True) == b"kept\n"
    else:
        with pytest.raises(errors.InvalidVersion, match="Subpath"):
            run("cat /data", mounts=[sub])
    volume.remove()


@pytest.mark.filterwarnings("ignore:Image mount is an experimental:dockerkit.errors.EngineWarning")
def test_image_is_mounted(client, run, busybox):
    whole = types.Mount("/other", busybox, type="image")
    part = types.Mount("/other", busybox, type="image", subpath="bin")
    if client.api.supports("POST /containers/create", "HostConfig.Mounts[].ImageOptions"):
        assert b"/other/bin/busybox" in run("ls /other/bin/busybox", mounts=[whole], remove=True)
        assert b"/other/busybox" in run("ls /other/busybox", mounts=[part], remove=True)
        return
    for mount in (whole, part):
        with pytest.raises(errors.InvalidVersion, match="ImageOptions"):
            run("true", mounts=[mount])


def test_health(run):
    check = types.Healthcheck("test -e /ok", interval="300ms", timeout="2s", retries=2)
    with run("sleep 600", detach=True, healthcheck=check, stop_signal="SIGKILL") as container:
        assert container.health in ("starting", "unhealthy")
        assert container.exec_run("touch /ok").exit_code == 0
        wait_for(lambda: container.reload() or container.health == "healthy")
        assert container.health == "healthy"
        (listed,) = container.collection.list(filters={"id": container.id})
        assert listed.health == "healthy"
        container.reload()
        assert container.state.health.log[-1].exit_code == 0


# -- lists, verbs --------------------------------------------------------------------------------------------------------


def test_list_is_one_request_and_agrees_with_inspecting(client, run, requests_of, labels, unique):
    name = unique("listed")
    with run(
        "sleep 600", detach=True, name=name, ports={80: None}, stop_signal="SIGKILL", volumes=["/data"]
    ) as container:
        with requests_of(client) as sent:
            (listed,) = client.containers.list(filters={"name": name})
            facts = (
                listed.id,
                listed.name,
                listed.status,
                listed.labels,
                listed.ports,
                listed.health,
                repr(listed),
                hash(listed),
            )
            mounts = [mount.destination for mount in listed.mounts]
        assert len(sent) == 1
        container.reload()
        assert facts == (
            container.id, container.name, container.status, container.labels, container.ports, container.health,
            repr(container), hash(container),
        )  # fmt: skip
        assert mounts == [mount.destination for mount in container.mounts] == ["/data"]
        assert listed == container
        assert listed.attrs == container.attrs
        assert abs((listed.created - container.created).total_seconds()) < 2
        (sparse,) = client.containers.list(filters={"name": name}, sparse=True)
        assert sparse.attrs["State"] == "running"
        assert sparse.image == container.image


def test_exec_run_makes_three_requests(run, client, requests_of):
    with run("sleep 600", detach=True, stop_signal="SIGKILL") as container:
        client.ping()
        with requests_of(client) as sent:
            assert container.exec_run(["sh", "-c", "echo o; echo e >&2; exit 4"], demux=True) == (4, (b"o\n", b"e\n"))
        assert len(sent) <= 3
        assert container.exec_run("id -u", user="1000").output == b"1000\n"
        assert container.exec_run("pwd", workdir="/tmp", environment={"A": "b"}).output == b"/tmp\n"
        code, pieces = container.exec_run("echo streamed", stream=True)
        assert (code, b"".join(pieces)) == (None, b"streamed\n")
        assert container.exec_run("true", detach=True).output == ""


def test_lifecycle_methods(run, client, unique):
    container = run("sleep 600", detach=True, stop_signal="SIGKILL")
    container.pause()
    container.reload()
    assert container.status == "paused"
    container.unpause()
    container.restart(timeout=0)
    new = unique("renamed")
    container.rename(new)
    container.reload()
    assert (container.name, container.status) == (new, "running")
    assert container.top()["Processes"]
    assert container.update(cpu_shares=512, restart_policy="no") is not None
    assert container.stats(stream=False)["id"] == container.id
    container.put_archive("/tmp", archive({"a.txt": b"content"}))
    stream, stat = container.get_archive("/tmp/a.txt")
    assert stat["size"] == 7
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
        assert tar.extractfile("a.txt").read() == b"content"
    assert {"Path": "/tmp/a.txt", "Kind": 1} in container.diff()
    image = container.commit(unique("image"), "1", message="made here", changes=["ENV A=b"])
    assert image.tags[0].endswith(":1")
    assert client.containers.run(image, "cat /tmp/a.txt", remove=True) == b"content"
    image.remove(force=True)
    container.kill()
    assert container.wait(timeout=20) == 137
    assert [container.start(), container.start()] == [True, False]
    assert [container.stop(timeout=1), container.stop()] == [True, False]
    assert container.wait()["StatusCode"] == 137
    container.remove(v=True)
    with pytest.raises(errors.NotFound):
        container.reload()


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def test_logs_and_attach(run):
    with run(["sh", "-c", "echo out; echo err >&2; sleep 1; echo end"], detach=True) as container:
        assert b"".join(container.attach(stream=True, logs=True)).endswith(b"end\n")
        assert container.logs(stderr=False) == b"out\nend\n"
        assert container.logs(demux=True) == (b"out\nend\n", b"err\n")
        assert container.logs(tail=1, stderr=False) == b"end\n"


def test_prune(run, client, labels, unique):
    mark = unique("prune")
    container = client.containers.create("busybox", "true", labels={**labels, "prune": mark})
    answer = client.containers.prune({"label": f"prune={mark}"})
    assert answer["ContainersDeleted"] == [container.id]


# -- ensure ----------------------------------------------------------------------------------------------------------------


def test_ensure(client, busybox, labels, unique, requests_of):
    name = unique("ensured")

    def ensure(command="sleep 600", **options):
        return client.containers.ensure(busybox, command, name=name, labels=labels, stop_signal="SIGKILL", **options)

    first = ensure(environment={"A": "1", "B": "2"})
    assert ensure(environment={"B": "2", "A": "1"}) == first
    first.remove(force=True)
    first = ensure(environment={"A": "1"})
    assert first.status == "running"
    with requests_of(client) as sent:
        assert ensure(environment={"A": "1"}) == first
    assert len(sent) <= 3
    first.stop()
    assert ensure(environment={"A": "1"}) == first
    first.reload()
    assert first.status == "running"
    second = ensure(environment={"A": "2"})
    assert second != first
    assert (second.name, second.config.environment["A"]) == (name, "2")
    with pytest.raises(errors.NotFound):
        first.reload()
    with pytest.raises(errors.APIError):
        ensure("/no/such/program")
    second.reload()
    assert (second.name, second.status) == (name, "running")
    assert [found.id for found in client.containers.list(all=True, filters={"name": name})] == [second.id]
    second.remove(force=True)


def test_ensure_keeps_what_is_in_anonymous_volumes(client, busybox, labels, unique):
    name = unique("database")

    def ensure(value, **options):
        return client.containers.ensure(
            busybox,
            ["sh", "-c", "test -e /data/db || echo $A > /data/db; sleep 600"],
            name=name,
            labels=labels,
            stop_signal="SIGKILL",
            volumes=["/data"],
            environment={"A": value},
            **options,
        )

    first = ensure("first")
    first.wait_until(File("/data/db"), timeout=20)
    for value in ("second", "third"):  # a volume that was carried over once is carried over again
        container = ensure(value)
        assert container.ensured.action == "replaced"
        assert [difference.name for difference in container.ensured.differences] == ["Env.A"]
        assert container.read_text("/data/db") == "first\n"
    with pytest.raises(errors.APIError):  # a new container that can't start leaves the volume alone
        client.containers.ensure(busybox, "/no/such/program", name=name, labels=labels, volumes=["/data"])
    container.reload()
    assert (container.status, container.read_text("/data/db")) == ("running", "first\n")
    volume = container.attrs["Mounts"][0]["Name"]
    renewed = ensure("fourth", renew_volumes=True)
    renewed.wait_until(File("/data/db"), timeout=20)
    assert renewed.read_text("/data/db") == "fourth\n"
    assert not client.volumes.exists(volume)
    renewed.remove(v=True, force=True)


def test_ensure_leaves_foreign_containers_alone(client, busybox, labels, unique):
    name = unique("foreign")
    with client.containers.run(
        busybox, "sleep 600", name=name, labels=labels, stop_signal="SIGKILL", volumes=["/data"], detach=True
    ) as foreign:
        foreign.write_file("/data/db", "precious")
        with pytest.raises(errors.Conflict, match="replace_foreign"):
            client.containers.ensure(busybox, "sleep 600", name=name, labels=labels)
        foreign.reload()
        assert foreign.status == "running"
        image = foreign.commit(unique("ensured"))
        ours = client.containers.ensure(
            busybox, "sleep 600", name=name, labels=labels, stop_signal="SIGKILL", replace_foreign=True
        )
        assert ours.read_text("/data/db") == "precious"
        volume = ours.attrs["Mounts"][0]["Name"]
        ours.remove(force=True)
        client.volumes.get(volume).remove()
        image.remove()


# -- each option -----------------------------------------------------------------------------------------------------------

MISSING = object()
# option -> (value, what inspecting answers below HostConfig or Config, or MISSING where that tells nothing)
OPTIONS = {
    "binds": (["/tmp:/host:ro"], ["/tmp:/host:ro"]),
    "port_bindings": ({80: None}, {"80/tcp": [{"HostIp": "", "HostPort": ""}]}),
    "publish_all_ports": (True, True),
    "privileged": (True, True),
    "dns": (["10.0.0.1"], ["10.0.0.1"]),
    "dns_search": (["example.org"], ["example.org"]),
    "dns_opt": (["ndots:1"], ["ndots:1"]),
    "network_mode": ("none", "none"),
    "restart_policy": ("on-failure:3", {"Name": "on-failure", "MaximumRetryCount": 3}),
    "cap_add": (["NET_ADMIN"], MISSING),
    "cap_drop": (["ALL"], MISSING),
    "devices": (
        ["/dev/null:/dev/xnull:r"],
        [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/xnull", "CgroupPermissions": "r"}],
    ),
    "extra_hosts": ({"a": "1.2.3.4"}, ["a:1.2.3.4"]),
    "read_only": (True, True),
    "pid_mode": ("host", "host"),
    "ipc_mode": ("private", "private"),
    "uts_mode": ("host", "host"),
    "userns_mode": ("host", "host"),
    "security_opt": (["no-new-privileges"], ["no-new-privileges"]),
    "ulimits": (["nofile=1024:2048"], [{"Name": "nofile", "Hard": 2048, "Soft": 1024}]),
    "log_config": (
        types.LogConfig("json-file", {"max-size": "1m"}),
        {"Type": "json-file", "Config": {"max-size": "1m"}},
    ),
    "mem_limit": ("64m", 2**26),
    "mem_reservation": ("32m", 2**25),
    "memswap_limit": (-1, MISSING),
    "mem_swappiness": (-1, MISSING),
    "cgroup_parent": ("/dockerkit", "/dockerkit"),
    "group_add": ([1000, "audio"], ["1000", "audio"]),
    "cpu_quota": (50000, 50000),
    "cpu_period": (100000, 100000),
    "cpu_shares": (512, 512),
    "cpuset_cpus": ("0", "0"),
    "cpuset_mems": ("0", "0"),
    "cpus": (0.5, MISSING),
    "nano_cpus": (500_000_000, 500_000_000),
    "blkio_weight": (300, MISSING),
    "blkio_weight_device": ([], MISSING),
    "device_read_bps": ([], MISSING),
    "device_write_bps": ([], MISSING),
    "device_read_iops": ([], MISSING),
    "device_write_iops": ([], MISSING),
    "oom_kill_disable": (False, MISSING),
    "oom_score_adj": (100, 100),
    "shm_size": ("32m", 2**25),
    "sysctls": ({"net.ipv4.ip_forward": 1}, {"net.ipv4.ip_forward": "1"}),
    "tmpfs": ({"/run": "size=64m"}, {"/run": "size=64m"}),
    "pids_limit": (50, 50),
    "isolation": ("default", MISSING),
    "auto_remove": (True, True),
    "storage_opt": ({}, MISSING),
    "init": (False, False),
    "volume_driver": ("local", "local"),
    "runtime": ("runc", "runc"),
    "mounts": ([types.Mount("/t", type="tmpfs")], MISSING),
    "device_cgroup_rules": (["c 1:3 r"], ["c 1:3 r"]),
    "device_requests": ([], MISSING),
    "cgroupns": ("private", "private"),
    "annotations": ({"a": "b"}, {"a": "b"}),
    "console_size": ((24, 80), [24, 80]),
    "masked_paths": (["/proc/kcore"], ["/proc/kcore"]),
    "readonly_paths": ([], []),
    "hostname": ("box", "box"),
    "domainname": ("example.org", "example.org"),
    "user": (1000, "1000"),
    "stdin_open": (True, True),
    "tty": (True, True),
    "environment": ({"A": "b"}, MISSING),
    "network_disabled": (True, True),
    "entrypoint": (["echo"], ["echo"]),
    "working_dir": ("/tmp", "/tmp"),
    "mac_address": ("02:42:ac:11:00:77", MISSING),
    "labels": ({"extra": "label"}, MISSING),
    "stop_signal": ("SIGINT", "SIGINT"),
    "stop_timeout": (7, 7),
    "healthcheck": (types.Healthcheck("true", interval="1m"), {"Test": ["CMD-SHELL", "true"], "Interval": 60 * 10**9}),
    "attach_stdin": (True, True),
    "attach_stdout": (False, False),
    "attach_stderr": (False, False),
    "stdin_once": (True, True),
    "on_build": (["RUN true"], ["RUN true"]),
    "shell": (["sh", "-c"], ["sh", "-c"]),
}
NOT_HERE = {
    "links": "tested with two containers below",
    "volumes_from": "tested with two containers below",
    "gpus": "this machine has none; the body is tested without an engine",
    **dict.fromkeys(("kernel_memory", "kernel_memory_tcp"), "kernels from 5.16 on have no such limit"),
    **dict.fromkeys(("cpu_rt_period", "cpu_rt_runtime"), "needs a real-time kernel"),
    **dict.fromkeys(("cpu_count", "cpu_percent", "io_maximum_iops", "io_maximum_bandwidth", "args_escaped"), "Windows only"),
    **dict.fromkeys(("lxc_conf", "init_path", "capabilities", "disk_quota"), "no engine here is old enough"),
    **dict.fromkeys(("cgroup", "container_id_file"), "engines take and forget them"),
}  # fmt: skip


def test_every_option_is_tested_or_exempted():
    from dockerkit.types.create_options import CONFIG_NAMES, HOST_NAMES

    assert set(OPTIONS) | set(NOT_HERE) == CONFIG_NAMES | HOST_NAMES
    assert set(OPTIONS) & set(NOT_HERE) == set()


def test_each_option_reaches_the_engine(client, busybox, labels):
    from dockerkit.types.create_options import CREATE, HOST_NAMES

    wrong = {}
    for name, (value, expected) in OPTIONS.items():
        field = ".".join(CREATE.fields[name].path)
        field = f"HostConfig.{field}" if name in HOST_NAMES else field
        options = {name: value}
        options["labels"] = {**labels, **(value if name == "labels" else {})}
        moved = name == "mac_address"  # in the endpoint, if the engine supports it
        if not moved and not client.api.supports("POST /containers/create", field):
            with pytest.raises(errors.InvalidVersion, match=field.rpartition(".")[2]):
                client.containers.create(busybox, **options)
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", errors.EngineWarning)
                container = client.containers.create(busybox, **options)
        except errors.APIError as error:
            wrong[name] = str(error)
            continue
        part = container.attrs["HostConfig"] if name in HOST_NAMES else container.attrs["Config"]
        if expected is not MISSING and part.get(CREATE.fields[name].path[0]) != expected:
            wrong[name] = part.get(CREATE.fields[name].path[0], "nothing")
        container.remove(force=True)
    assert wrong == {}


def test_links_and_volumes_from(client, run, unique):
    with run("sleep 600", detach=True, name=unique("linked"), volumes=["/shared"], stop_signal="SIGKILL") as other:
        other.exec_run(["sh", "-c", "echo content > /shared/file"])
        assert b"database" in run("cat /etc/hosts", links={other.name: "database"}, remove=True)
        assert run("cat /shared/file", volumes_from=[f"{other.name}:ro"], remove=True) == b"content\n"
        assert run("hostname", network_mode=other, remove=True) == f"{other.short_id}\n".encode()
