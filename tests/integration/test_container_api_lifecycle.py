"""Calls that list, change, wait for and remove containers."""

from __future__ import annotations

import datetime
import threading
import time
import urllib.request

import pytest
import requests
from scripted_registry import eventually

from dockerkit.errors import APIError, Conflict, DeprecatedMethod, InvalidArgument, NotFound, NullResource

EMPTY = ["", None, {}, {"Id": ""}, {"Id": None}]
MIB = 1024 * 1024


def state(api, container):
    return api.inspect_container(container)["State"]["Status"]


def sh(script):
    return ["sh", "-c", script]


class TestContainers:
    def test_running_by_default_and_all(self, api, box, unique):
        running, stopped = box(), box(start=False)
        ids = {one["Id"] for one in api.containers()}
        assert running in ids
        assert stopped not in ids
        assert {running, stopped} <= {one["Id"] for one in api.containers(all=True)}

    def test_quiet_keeps_only_ids(self, api, box):
        box()
        assert all(set(one) == {"Id"} for one in api.containers(quiet=True))

    def test_trunc_cuts_ids(self, api, box):
        container = box()
        found = api.containers(trunc=True)
        assert container[:12] in {one["Id"] for one in found}
        assert all(len(one["Id"]) == 12 for one in found)

    def test_latest_and_limit(self, api, box):
        box(), box()
        newest = box(start=False)
        assert [one["Id"] for one in api.containers(latest=True)] == [newest]
        assert len(api.containers(limit=2)) == 2

    def test_since_and_before(self, api, box):
        first, second, third = box(start=False), box(start=False), box(start=False)
        since = {one["Id"] for one in api.containers(all=True, since=second)}
        before = {one["Id"] for one in api.containers(all=True, before=second)}
        assert third in since
        assert first not in since
        assert first in before
        assert third not in before

    def test_size(self, api, box):
        container = box(sh("dd if=/dev/zero of=/file bs=1024 count=64 && sleep 600"))
        api.exec_start(api.exec_create(container, sh("until [ -s /file ]; do sleep 0.1; done")))
        (found,) = api.containers(filters={"id": container}, size=True)
        assert found["SizeRw"] >= 64 * 1024
        assert found["SizeRootFs"] > found["SizeRw"]
        (found,) = api.containers(filters={"id": container})
        assert "SizeRw" not in found

    def test_filters(self, api, box, unique, busybox):
        name = unique()
        container = box(name=name, labels={"colour": name})
        api.exec_start(api.exec_create(container, "true"))

        def ids(**filters):
            return [one["Id"] for one in api.containers(all=True, filters=filters)]

        assert ids(name=name) == [container]
        assert ids(id=container) == [container]
        assert ids(label=f"colour={name}") == [container]
        assert ids(label=["colour", f"colour={name}"]) == [container]
        assert container in ids(status="running")
        assert container not in ids(status="exited")
        assert container in ids(ancestor=busybox)
        gone = box(sh("exit 7"))
        assert api.wait(gone)["StatusCode"] == 7
        # Seen on a busy 28.5: a list lags behind a wait.
        assert eventually(lambda: gone in ids(exited=7))
        assert gone not in ids(exited=8)

    def test_unknown_filter_is_refused(self, api):
        with pytest.raises(InvalidArgument, match="filters: 'nonsense' is not a filter for listing containers"):
            api.containers(filters={"nonsense": "x"})


class TestInspect:
    def test_by_id_name_dict_and_short_id(self, api, box, unique):
        name = unique()
        container = box(name=name)
        for ref in (container, name, container[:12], {"Id": container}, {"ID": container}):
            assert api.inspect_container(ref)["Id"] == container

    def test_size(self, api, box):
        container = box()
        assert "SizeRootFs" in api.inspect_container(container, size=True)
        assert "SizeRootFs" not in api.inspect_container(container)

    def test_missing(self, api):
        with pytest.raises(NotFound) as caught:
            api.inspect_container("dkt-nobody")
        error = caught.value
        assert error.status_code == 404
        assert error.response.status_code == 404
        assert "dkt-nobody" in error.explanation
        assert isinstance(error, requests.exceptions.HTTPError)

    @pytest.mark.parametrize("empty", EMPTY)
    @pytest.mark.parametrize(
        "call",
        ["inspect_container", "start", "stop", "restart", "kill", "pause", "unpause", "wait", "top", "diff", "logs",
         "attach", "attach_socket", "stats", "export", "remove_container", "commit", "update_container"],
    )  # fmt: skip
    def test_empty_id_is_refused(self, api, call, empty):
        with pytest.raises(NullResource):
            getattr(api, call)(empty)

    @pytest.mark.parametrize("bad", ["a/b", "../x", "a\nb", "a\0b", "..", "a/../../images/json", 5])
    def test_bad_id_is_refused(self, api, bad):
        with pytest.raises(InvalidArgument):
            api.inspect_container(bad)

    @pytest.mark.parametrize("odd", ["a?b=c", "a%2fb", "a b", "a#b", "ünï"])
    def test_odd_names_stay_one_path_segment(self, api, odd):
        with pytest.raises((NotFound, APIError)) as caught:
            api.inspect_container(odd)
        assert caught.value.status_code in (400, 404)


class TestStart:
    def test_start_and_again(self, api, box):
        container = box(start=False)
        assert state(api, container) == "created"
        assert api.start(container) is True
        assert state(api, container) == "running"
        assert api.start(container=container) is False

    def test_a_command_that_is_not_there(self, api, box):
        container = box(["/no/such/program"], start=False)
        with pytest.raises(APIError, match="no/such/program"):
            api.start(container)

    @pytest.mark.parametrize(
        ("args", "options"),
        [((), {"binds": ["/a:/b"]}), ((), {"port_bindings": {80: 80}}), (({"/a": "/b"},), {}), ((), {"nonsense": 1})],
    )
    def test_options_belong_to_create(self, api, box, args, options):
        container = box(start=False)
        with pytest.raises(DeprecatedMethod, match="host_config"):
            api.start(container, *args, **options)
        assert state(api, container) == "created"


class TestStopRestartKill:
    def test_stop_sends_the_stop_signal_then_kills(self, api, box):
        container = box(sh('trap "exit 12" TERM; echo ready; while :; do sleep 0.1; done'))
        with api.logs(container, stream=True) as output:
            next(output)
        assert api.stop(container) is True
        assert api.inspect_container(container)["State"]["ExitCode"] == 12
        assert api.stop(container) is False

    def test_stop_timeout_kills(self, api, box):
        container = box()
        before = time.monotonic()
        api.stop(container, timeout=1)
        assert time.monotonic() - before < 8
        assert api.inspect_container(container)["State"]["ExitCode"] == 137

    def test_stop_uses_the_containers_own_timeout(self, api, box):
        container = box(stop_timeout=0)
        before = time.monotonic()
        api.stop(container, timeout=None)
        assert time.monotonic() - before < 8
        assert state(api, container) == "exited"

    def test_stop_waits_longer_than_the_clients_read_timeout(self, engine, box):
        from dockerkit import APIClient

        container = box(sh("trap '' TERM; while :; do sleep 1; done"))
        with APIClient(engine.host, timeout=2) as hasty:
            hasty.stop(container, timeout=4)
            assert state(hasty, container) == "exited"

    def test_restart(self, api, box):
        container = box()
        before = api.inspect_container(container)["State"]["StartedAt"]
        assert api.restart(container, timeout=0) is None
        found = api.inspect_container(container)["State"]
        assert found["StartedAt"] != before
        assert found["Status"] == "running"

    def test_restart_starts_a_stopped_container(self, api, box):
        container = box(start=False)
        api.restart(container, 0)
        assert state(api, container) == "running"

    @pytest.mark.parametrize(("signal", "code"), [(None, 137), ("SIGKILL", 137), ("TERM", 9), (15, 9), ("SIGTERM", 9)])
    def test_kill(self, api, box, signal, code):
        container = box(sh('trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'))
        with api.logs(container, stream=True) as output:
            next(output)
        assert api.kill(container, signal) is None
        assert api.wait(container, timeout=20) == code

    def test_kill_of_a_stopped_one(self, api, box):
        with pytest.raises(Conflict):
            api.kill(box(start=False))

    def test_kill_rejects_an_unknown_signal(self, api, box):
        with pytest.raises(InvalidArgument, match="signal: "):
            api.kill(box(), "SIGNONSENSE")

    @pytest.mark.parametrize("timeout", ["soon", True, [1], float("nan")])
    def test_bad_timeout(self, api, box, timeout):
        container = box()
        for call in (api.stop, api.restart):
            with pytest.raises(InvalidArgument, match="timeout"):
                call(container, timeout=timeout)
        assert state(api, container) == "running"

    def test_stop_signal_requires_api_1_42(self, api, box):
        from dockerkit.errors import InvalidVersion

        container = box(sh('trap "exit 5" USR1; echo ready; while :; do sleep 0.1; done'))
        with api.logs(container, stream=True) as output:
            next(output)
        if tuple(map(int, api.api_version.split("."))) < (1, 42):
            with pytest.raises(InvalidVersion, match="signal"):
                api.stop(container, signal="SIGUSR1")
        else:
            api.stop(container, signal="SIGUSR1")
            assert api.inspect_container(container)["State"]["ExitCode"] == 5


class TestPause:
    def test_pause_and_unpause(self, api, box):
        container = box()
        assert api.pause(container) is None
        assert state(api, container) == "paused"
        with pytest.raises(Conflict):
            api.exec_create(container, "true")
        assert api.unpause(container) is None
        assert state(api, container) == "running"

    def test_not_running(self, api, box):
        container = box(start=False)
        with pytest.raises(APIError):
            api.pause(container)
        with pytest.raises(APIError):
            api.unpause(container)


class TestRename:
    def test_rename(self, api, box, unique):
        container, name = box(start=False), unique()
        assert api.rename(container, name) is None
        assert api.inspect_container(name)["Id"] == container

    def test_taken(self, api, box, unique):
        name = unique()
        box(start=False, name=name)
        with pytest.raises(Conflict):
            api.rename(box(start=False), name)

    @pytest.mark.parametrize("name", ["", None, "a/b", "a b\n", 5])
    def test_bad_name(self, api, box, name):
        with pytest.raises(InvalidArgument, match="name"):
            api.rename(box(start=False), name)


class TestResize:
    def test_resize_sends_the_terminal_size(self, api, box):
        container = box(
            sh("trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done"), tty=True, stdin_open=True
        )
        with api.logs(container, stream=True) as output:
            seen = next(output)
            assert api.resize(container, 33, 101) is None
            while b"33 101" not in seen:
                seen += next(output)

    @pytest.mark.parametrize(("height", "width"), [(-1, 80), ("tall", 80), (24, None), (24, 2**40)])
    def test_bad_size(self, api, box, height, width):
        with pytest.raises((InvalidArgument, APIError)):
            api.resize(box(tty=True), height, width)


class TestWait:
    def test_exit_code_is_an_int_and_reads_like_a_dict(self, api, box):
        code = api.wait(box(sh("exit 3")))
        assert code == 3
        assert isinstance(code, int)
        assert code["StatusCode"] == 3
        assert code["Error"] is None
        assert code.get("StatusCode") == 3  # type: ignore[attr-defined]

    def test_timeout_is_requests_read_timeout(self, api, box):
        container = box()
        with pytest.raises(requests.exceptions.ReadTimeout):
            api.wait(container, timeout=0.5)
        assert state(api, container) == "running"

    def test_conditions(self, api, box, busybox, unique, labels):
        stopped = box("true")
        assert api.wait(stopped, condition="not-running") == 0
        restarted = box(sh("sleep 0.5; exit 4"), start=False)
        codes = []
        waiting = threading.Thread(target=lambda: codes.append(api.wait(restarted, 30, "next-exit")))
        waiting.start()
        time.sleep(0.3)
        api.start(restarted)
        waiting.join(30)
        assert codes == [4]
        host_config = api.create_host_config(auto_remove=True)
        going = api.create_container(
            busybox, sh("sleep 1; exit 6"), name=unique(), labels=labels, host_config=host_config
        )
        waiting = threading.Thread(target=lambda: codes.append(api.wait(going, 30, "removed")))
        waiting.start()
        time.sleep(0.3)
        api.start(going)
        waiting.join(30)
        assert codes == [4, 6]
        with pytest.raises(NotFound):
            api.inspect_container(going)

    def test_bad_condition(self, api, box):
        with pytest.raises((InvalidArgument, APIError)):
            api.wait(box("true"), condition="nonsense", timeout=5)

    @pytest.mark.parametrize("timeout", ["soon", -1, 0])
    def test_bad_timeout(self, api, box, timeout):
        with pytest.raises(InvalidArgument, match="timeout"):
            api.wait(box("true"), timeout=timeout)


class TestTopDiffPort:
    def test_top(self, api, box):
        container = box()
        found = api.top(container)
        assert any("sleep 600" in " ".join(row) for row in found["Processes"])
        found = api.top(container, ps_args="-o pid,comm")
        assert found["Titles"] == ["PID", "COMMAND"]
        assert [row[1] for row in found["Processes"]] == ["sleep"]

    def test_top_of_a_stopped_one(self, api, box):
        with pytest.raises(APIError):
            api.top(box(start=False))

    def test_diff(self, api, box):
        container = box(sh("echo x > /new; rm /etc/group; echo y >> /etc/passwd"))
        api.wait(container)
        assert api.diff(container) and {"Path": "/new", "Kind": 1} in api.diff(container)
        kinds = {change["Path"]: change["Kind"] for change in api.diff(container)}
        assert kinds["/etc/group"] == 2
        assert kinds["/etc/passwd"] == 0

    def test_diff_of_nothing(self, api, box):
        assert api.diff(box(start=False)) == []

    def test_port(self, api, box, engine):
        host_config = api.create_host_config(port_bindings={80: None, "81/udp": None})
        command = sh("mkdir /www; echo hello > /www/index.html; httpd -f -p 80 -h /www")
        container = box(command, ports=[80, (81, "udp"), 82], host_config=host_config)
        (tcp, *_) = api.port(container, 80)
        assert set(tcp) == {"HostIp", "HostPort"}
        assert api.port(container, "80") == api.port(container, "80/tcp") == api.port(container, 80)
        assert api.port(container, 81) == api.port(container, "81/udp")
        assert api.port(container, 82) is None
        assert api.port(container, 9999) is None
        deadline = time.monotonic() + 10
        while True:
            try:
                with urllib.request.urlopen(f"http://{engine.address}:{tcp['HostPort']}/", timeout=5) as answer:
                    assert answer.read() == b"hello\n"
                break
            except OSError:
                assert time.monotonic() < deadline, "the published port does not answer"
                time.sleep(0.1)

    def test_port_with_the_hosts_network(self, api, box):
        assert api.port(box(host_config=api.create_host_config(network_mode="host")), 80) is None

    @pytest.mark.parametrize("port", ["eighty", 0, 70000, "80/icmp", None, ""])
    def test_bad_port(self, api, box, port):
        with pytest.raises(InvalidArgument, match="port"):
            api.port(box(start=False), port)


class TestRemove:
    def test_remove(self, api, box):
        container = box(start=False)
        assert api.remove_container(container) is None
        with pytest.raises(NotFound):
            api.remove_container(container)

    def test_running_needs_force(self, api, box):
        container = box()
        with pytest.raises(Conflict):
            api.remove_container(container)
        api.remove_container(container, force=True)

    def test_with_volumes(self, api, box):
        container = box(start=False, volumes=["/data"])
        (mount,) = api.inspect_container(container)["Mounts"]
        api.remove_container(container, v=True)
        with pytest.raises(NotFound):
            api.inspect_volume(mount["Name"])

    def test_link_only(self, api, box, unique):
        target = unique()
        box(name=target)
        name = unique()
        container = box(name=name, host_config=api.create_host_config(links={target: "friend"}))
        api.remove_container(f"{name}/friend", link=True)
        assert state(api, container) == "running"
        assert not api.inspect_container(container)["HostConfig"]["Links"]


class TestPrune:
    def test_removes_only_what_the_filter_matches(self, api, box, unique):
        mark = unique()
        ours, other = box(start=False, labels={"mark": mark}), box(start=False)
        found = api.prune_containers(filters={"label": [f"mark={mark}"]})
        assert found["ContainersDeleted"] == [ours]
        assert found["SpaceReclaimed"] >= 0
        assert state(api, other) == "created"

    def test_nothing_to_prune(self, api, unique):
        assert not api.prune_containers({"label": f"mark={unique()}"})["ContainersDeleted"]


class TestUpdate:
    def test_resources_and_restart_policy(self, api, box):
        container = box(mem_limit="64m", memswap_limit="64m")
        answer = api.update_container(
            container, cpu_period=40000, cpu_quota=20000, cpu_shares=300, cpuset_cpus="0", cpuset_mems="0",
            mem_limit="48m", mem_reservation="16m", memswap_limit="48m",
            restart_policy={"Name": "on-failure", "MaximumRetryCount": 2},
        )  # fmt: skip
        assert "Warnings" in answer
        found = api.inspect_container(container)["HostConfig"]
        assert found["CpuPeriod"] == 40000
        assert found["CpuQuota"] == 20000
        assert found["CpuShares"] == 300
        assert found["CpusetCpus"] == "0"
        assert found["CpusetMems"] == "0"
        assert found["Memory"] == 48 * MIB
        assert found["MemoryReservation"] == 16 * MIB
        assert found["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}

    def test_zero_is_a_value(self, api, box):
        container = box(start=False, cpu_shares=512, mem_reservation="32m")
        api.update_container(container, cpu_shares=0, blkio_weight=0)
        found = api.inspect_container(container)["HostConfig"]
        assert found["MemoryReservation"] == 32 * MIB
        # The engine treats 0 as unchanged: the test only checks that 0 was sent.
        assert found["CpuShares"] in (0, 512)

    @pytest.mark.parametrize(
        "options", [{"mem_limit": "1z"}, {"cpu_shares": "many"}, {"restart_policy": "always-ish"}, {"nonsense": 1}]
    )
    def test_bad_input(self, api, box, options):
        with pytest.raises((InvalidArgument, TypeError), match=next(iter(options))):
            api.update_container(box(start=False), **options)


class TestCommit:
    def test_commit(self, api, box, unique):
        container = box(sh("echo x > /made"))
        api.wait(container)
        repository = unique("img")
        made = api.commit(
            container, repository, "v1", message="what", author="who", changes=['CMD ["cat", "/made"]', "ENV A=b"]
        )  # fmt: skip
        assert made["Id"].startswith("sha256:")
        found = api.inspect_image(f"{repository}:v1")
        assert found["Author"] == "who"
        assert found["Comment"] == "what"
        assert found["Config"]["Cmd"] == ["cat", "/made"]
        assert "A=b" in found["Config"]["Env"]
        api.remove_image(f"{repository}:v1")

    def test_changes_as_text_and_conf(self, api, box, unique):
        container, repository = box(), unique("img")
        api.commit(container, repository, changes="WORKDIR /tmp", conf={"Labels": {"a": "b"}}, pause=False)
        found = api.inspect_image(f"{repository}:latest")
        assert found["Config"]["WorkingDir"] == "/tmp"
        assert found["Config"]["Labels"]["a"] == "b"
        api.remove_image(f"{repository}:latest")

    def test_bad_repository(self, api, box):
        with pytest.raises((InvalidArgument, APIError)):
            api.commit(box(start=False), "UPPER case")


def test_started_at_matches_the_clock(api, box):
    started = api.inspect_container(box())["State"]["StartedAt"]
    seconds = datetime.datetime.fromisoformat(started[:19] + "+00:00").timestamp()
    assert abs(seconds - time.time()) < 60
