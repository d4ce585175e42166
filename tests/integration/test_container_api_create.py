"""create_container and the calls for its parts, checked by inspecting the result."""

from __future__ import annotations

import pytest

from dockerkit.errors import APIError, Conflict, ImageNotFound, InvalidArgument, NullResource

MIB = 1024 * 1024


def config_of(api, container):
    return api.inspect_container(container)["Config"]


def host_config_of(api, container):
    return api.inspect_container(container)["HostConfig"]


class TestCreate:
    def test_create_returns_id_and_warnings(self, api, busybox, unique, labels):
        made = api.create_container(busybox, "true", name=unique(), labels=labels)
        assert len(made["Id"]) == 64
        assert "Warnings" in made
        api.remove_container(made)

    def test_positional_order_is_docker_pys(self, api, busybox, unique, labels):
        made = api.create_container(
            busybox, ["cat"], "host1", "1000:1000", False, True, True, [80], ["A=b"], ["/data"], True, unique(),
            ["/bin/cat"], "/tmp", "example.org", None, None, labels, "SIGINT",
        )  # fmt: skip
        config = config_of(api, made)
        assert config["Cmd"] == ["cat"]
        assert config["Hostname"] == "host1"
        assert config["Domainname"] == "example.org"
        assert config["User"] == "1000:1000"
        assert config["OpenStdin"] is True
        assert config["Tty"] is True
        assert config["ExposedPorts"] == {"80/tcp": {}}
        assert "A=b" in config["Env"]
        assert config["Volumes"] == {"/data": {}}
        assert config.get("NetworkDisabled") is True
        assert config["Entrypoint"] == ["/bin/cat"]
        assert config["WorkingDir"] == "/tmp"
        assert config["Labels"] == labels
        assert config["StopSignal"] == "SIGINT"
        api.remove_container(made, v=True)

    def test_command_string_is_split_like_a_shell(self, api, box):
        container = box("sh -c 'echo \"hello world\"; exit 3'", start=False)
        assert config_of(api, container)["Cmd"] == ["sh", "-c", 'echo "hello world"; exit 3']

    def test_command_list_is_kept(self, api, box):
        words = ["echo", "a b", "", "$HOME", "ünï"]
        container = box(words, start=False)
        assert config_of(api, container)["Cmd"] == words

    def test_default_command_is_the_images(self, api, box):
        assert config_of(api, box(None, start=False))["Cmd"] == ["sh"]

    def test_entrypoint_text_and_list(self, api, box):
        assert config_of(api, box(None, start=False, entrypoint="sh -c"))["Entrypoint"] == ["sh", "-c"]
        assert config_of(api, box(None, start=False, entrypoint=["sh"]))["Entrypoint"] == ["sh"]

    def test_environment_dict_and_list(self, api, box):
        as_dict = box(start=False, environment={"A": "1", "EMPTY": "", "U": "ü=x"})
        env = config_of(api, as_dict)["Env"]
        assert {"A=1", "EMPTY=", "U=ü=x"} <= set(env)
        as_list = box(start=False, environment=["A=1", "B=2=3"])
        assert {"A=1", "B=2=3"} <= set(config_of(api, as_list)["Env"])

    def test_environment_none_unsets_the_images_variable(self, api, box):
        env = config_of(api, box(start=False, environment={"PATH": None}))["Env"] or []
        assert not [entry for entry in env if entry.startswith("PATH=/bin")]

    def test_labels_as_list_of_names(self, api, busybox, unique, labels):
        made = api.create_container(busybox, "true", name=unique(), labels=["one", *labels])
        assert config_of(api, made)["Labels"]["one"] == ""
        api.remove_container(made)

    @pytest.mark.parametrize(
        ("ports", "exposed"),
        [
            ([1111, 2222], {"1111/tcp", "2222/tcp"}),
            (["53/udp", "80"], {"53/udp", "80/tcp"}),
            ([(53, "udp"), 80], {"53/udp", "80/tcp"}),
            (["7000/sctp"], {"7000/sctp"}),
        ],
    )
    def test_ports(self, api, box, ports, exposed):
        assert set(config_of(api, box(start=False, ports=ports))["ExposedPorts"]) == exposed

    @pytest.mark.parametrize("volumes", ["/mnt/a", ["/mnt/a"], ["/mnt/a", "/mnt/b"]])
    def test_volumes(self, api, box, volumes):
        wanted = {volumes} if isinstance(volumes, str) else set(volumes)
        assert set(config_of(api, box(start=False, volumes=volumes))["Volumes"]) == wanted

    @pytest.mark.parametrize(
        ("size", "number"),
        [(8388608, 8388608), ("8388608", 8388608), ("8388608b", 8388608), ("8192k", 8 * MIB), ("128m", 128 * MIB),
         ("1g", 1024 * MIB)],
    )  # fmt: skip
    def test_sizes(self, api, box, size, number):
        host_config = api.create_host_config(mem_limit=size)
        assert host_config_of(api, box(start=False, host_config=host_config))["Memory"] == number

    def test_stop_timeout(self, api, box):
        assert config_of(api, box(start=False, stop_timeout=7))["StopTimeout"] == 7

    def test_healthcheck(self, api, box):
        check = {"test": ["CMD", "true"], "interval": 1_000_000_000, "timeout": 2_000_000_000, "retries": 4,
                 "start_period": 5_000_000_000}  # fmt: skip
        found = config_of(api, box(start=False, healthcheck=check))["Healthcheck"]
        assert found == {
            "Test": ["CMD", "true"],
            "Interval": 1_000_000_000,
            "Timeout": 2_000_000_000,
            "Retries": 4,
            "StartPeriod": 5_000_000_000,
        }

    def test_runtime(self, api, box):
        assert host_config_of(api, box(start=False, runtime="runc"))["Runtime"] == "runc"

    def test_platform_of_another_machine_is_refused(self, api, busybox, unique):
        with pytest.raises(APIError):
            api.create_container(busybox, "true", name=unique(), platform="windows/amd64")

    def test_options_of_the_host_given_directly(self, api, box):
        found = host_config_of(api, box(start=False, mem_limit="64m", dns=["10.0.0.1"]))
        assert found["Memory"] == 64 * MIB
        assert found["Dns"] == ["10.0.0.1"]

    def test_missing_image(self, api, unique):
        with pytest.raises(ImageNotFound) as caught:
            api.create_container("dkt-no-such-image", "true", name=unique())
        assert caught.value.status_code == 404
        assert caught.value.is_client_error()
        assert "dkt-no-such-image" in caught.value.explanation

    def test_create_rejects_a_taken_name(self, api, box, unique, busybox):
        name = unique()
        box(start=False, name=name)
        with pytest.raises(Conflict):
            api.create_container(busybox, "true", name=name)

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"name": "has/slash"}, "name"),
            ({"name": "new\nline"}, "name"),
            ({"ports": [70000]}, "port"),
            ({"ports": ["80/icmp"]}, "port"),
            ({"ports": [-1]}, "port"),
            ({"mem_limit": "12 parsecs"}, "mem_limit"),
            ({"mem_limit": "1x"}, "mem_limit"),
            ({"environment": 5}, "environment"),
            ({"labels": 5}, "labels"),
            ({"healthcheck": {"interval": "often"}}, "interval"),
            ({"healthcheck": {"nonsense": 1}}, "nonsense"),
        ],
    )
    def test_bad_input_names_the_parameter(self, api, busybox, options, named):
        with pytest.raises((InvalidArgument, TypeError), match=named):
            api.create_container(busybox, "true", **options)

    def test_unknown_keyword(self, api, busybox):
        with pytest.raises(TypeError, match="nonsense"):
            api.create_container(busybox, "true", nonsense=1)

    @pytest.mark.parametrize("image", ["", None])
    def test_empty_image(self, api, image):
        with pytest.raises((InvalidArgument, NullResource)):
            api.create_container(image, "true")


class TestConfig:
    def test_config_is_what_create_sends(self, api, busybox, unique, labels):
        config = api.create_container_config(busybox, "echo hi", environment={"A": "b"}, labels=labels)
        assert config["Image"] == busybox
        assert config["Cmd"] == ["echo", "hi"]
        made = api.create_container_from_config(config, unique())
        assert config_of(api, made)["Cmd"] == ["echo", "hi"]
        api.remove_container(made)

    def test_create_from_config_accepts_the_engines_dict(self, api, busybox, unique, labels):
        name = unique()
        made = api.create_container_from_config({"Image": busybox, "Cmd": ["true"], "Labels": labels}, name=name)
        assert api.inspect_container(made)["Name"] == f"/{name}"
        api.remove_container(made)


# option -> value, name in HostConfig, value reported by the engine
HOST_OPTIONS = [
    ("binds", ["/tmp:/mnt/a:ro"], "Binds", ["/tmp:/mnt/a:ro"]),
    ("binds", {"/tmp": {"bind": "/mnt/a", "mode": "ro"}}, "Binds", ["/tmp:/mnt/a:ro"]),
    ("binds", {"/tmp": {"bind": "/mnt/a"}}, "Binds", ["/tmp:/mnt/a:rw"]),
    ("cap_add", ["NET_ADMIN"], "CapAdd", None),
    ("cap_drop", ["MKNOD"], "CapDrop", None),
    ("cgroup_parent", "/dkt-parent", "CgroupParent", "/dkt-parent"),
    ("cpu_period", 50000, "CpuPeriod", 50000),
    ("cpu_quota", 20000, "CpuQuota", 20000),
    ("cpu_shares", 512, "CpuShares", 512),
    ("cpuset_cpus", "0", "CpusetCpus", "0"),
    ("cpuset_mems", "0", "CpusetMems", "0"),
    ("nano_cpus", 500_000_000, "NanoCpus", 500_000_000),
    ("device_cgroup_rules", ["c 1:3 rwm"], "DeviceCgroupRules", ["c 1:3 rwm"]),
    ("device_read_bps", [{"Path": "/dev/null", "Rate": 1000}], "BlkioDeviceReadBps", [{"Path": "/dev/null", "Rate": 1000}]),
    ("device_read_iops", [{"Path": "/dev/null", "Rate": 10}], "BlkioDeviceReadIOps", [{"Path": "/dev/null", "Rate": 10}]),
    ("device_write_bps", [{"Path": "/dev/null", "Rate": 1000}], "BlkioDeviceWriteBps", [{"Path": "/dev/null", "Rate": 1000}]),
    ("device_write_iops", [{"Path": "/dev/null", "Rate": 10}], "BlkioDeviceWriteIOps", [{"Path": "/dev/null", "Rate": 10}]),
    ("devices", ["/dev/null:/dev/nothing:rw"], "Devices",
     [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing", "CgroupPermissions": "rw"}]),
    ("dns", ["10.1.1.1"], "Dns", ["10.1.1.1"]),
    ("dns_opt", ["timeout:3"], "DnsOptions", ["timeout:3"]),
    ("dns_search", ["example.org"], "DnsSearch", ["example.org"]),
    ("extra_hosts", {"somewhere": "10.9.9.9"}, "ExtraHosts", ["somewhere:10.9.9.9"]),
    ("group_add", ["1000", "adm"], "GroupAdd", ["1000", "adm"]),
    ("init", True, "Init", True),
    ("ipc_mode", "host", "IpcMode", "host"),
    ("isolation", "default", "Isolation", "default"),
    ("log_config", {"type": "json-file", "config": {"max-size": "1m"}}, "LogConfig",
     {"Type": "json-file", "Config": {"max-size": "1m"}}),
    ("mem_reservation", "32m", "MemoryReservation", 32 * MIB),
    ("mem_swappiness", 40, "MemorySwappiness", 40),
    ("network_mode", "none", "NetworkMode", "none"),
    ("oom_kill_disable", False, "OomKillDisable", False),
    ("oom_score_adj", 100, "OomScoreAdj", 100),
    ("pid_mode", "host", "PidMode", "host"),
    ("pids_limit", 50, "PidsLimit", 50),
    ("privileged", True, "Privileged", True),
    ("publish_all_ports", True, "PublishAllPorts", True),
    ("read_only", True, "ReadonlyRootfs", True),
    ("restart_policy", {"Name": "on-failure", "MaximumRetryCount": 3}, "RestartPolicy",
     {"Name": "on-failure", "MaximumRetryCount": 3}),
    ("security_opt", ["no-new-privileges"], "SecurityOpt", ["no-new-privileges"]),
    ("shm_size", "32m", "ShmSize", 32 * MIB),
    ("sysctls", {"net.ipv4.ip_forward": "0"}, "Sysctls", {"net.ipv4.ip_forward": "0"}),
    ("tmpfs", {"/mnt/t": "size=1m"}, "Tmpfs", {"/mnt/t": "size=1m"}),
    ("tmpfs", ["/mnt/t", "/mnt/u:size=2m"], "Tmpfs", {"/mnt/t": "", "/mnt/u": "size=2m"}),
    ("ulimits", [{"name": "nofile", "soft": 100, "hard": 200}], "Ulimits", [{"Name": "nofile", "Soft": 100, "Hard": 200}]),
    ("userns_mode", "host", "UsernsMode", "host"),
    ("uts_mode", "host", "UTSMode", "host"),
    ("volume_driver", "local", "VolumeDriver", "local"),
    ("cgroupns", "host", "CgroupnsMode", "host"),
    ("auto_remove", True, "AutoRemove", True),
]  # fmt: skip


class TestHostConfig:
    @pytest.mark.parametrize(("option", "value", "field", "expected"), HOST_OPTIONS)
    def test_option_arrives(self, api, box, option, value, field, expected):
        found = host_config_of(api, box(start=False, host_config=api.create_host_config(**{option: value})))
        if expected is None:  # engines spell capabilities with or without CAP_
            assert [name.removeprefix("CAP_") for name in found[field]] == value
        else:
            assert found[field] == expected

    def test_blkio(self, api):
        made = api.create_host_config(blkio_weight=300, blkio_weight_device=[{"Path": "/dev/vda", "Weight": 200}])
        assert made["BlkioWeight"] == 300
        assert made["BlkioWeightDevice"] == [{"Path": "/dev/vda", "Weight": 200}]

    def test_memswap(self, api, box):
        found = host_config_of(api, box(start=False, mem_limit="64m", memswap_limit="96m"))
        assert found["Memory"] == 64 * MIB
        assert found["MemorySwap"] in (96 * MIB, -1)  # machines without swap accounting report it

    def test_links_as_dict_and_pairs(self, api, box, unique):
        target = unique()
        box(name=target)
        for links in ({target: "alias"}, [(target, "alias")]):
            made = box(start=False, host_config=api.create_host_config(links=links))
            assert [link.rpartition("/")[2] for link in host_config_of(api, made)["Links"]] == ["alias"]

    def test_mounts(self, api, box):
        mount = {"Type": "tmpfs", "Target": "/mnt/t"}
        found = host_config_of(api, box(start=False, host_config=api.create_host_config(mounts=[mount])))["Mounts"]
        assert [(one["Type"], one["Target"]) for one in found] == [("tmpfs", "/mnt/t")]

    def test_volumes_from(self, api, box):
        source = box(start=False, volumes=["/shared"])
        made = box(start=False, host_config=api.create_host_config(volumes_from=[source]))
        assert [mount["Destination"] for mount in api.inspect_container(made)["Mounts"]] == ["/shared"]

    def test_device_requests(self, api):
        request = {"driver": "nvidia", "count": -1, "capabilities": [["gpu"]]}
        (made,) = api.create_host_config(device_requests=[request])["DeviceRequests"]
        assert made["Driver"] == "nvidia"
        assert made["Count"] == -1
        assert made["Capabilities"] == [["gpu"]]

    def test_storage_opt(self, api):
        assert api.create_host_config(storage_opt={"size": "1G"})["StorageOpt"] == {"size": "1G"}

    def test_lxc_conf_is_refused(self, api):
        with pytest.raises(InvalidArgument, match="lxc_conf"):
            api.create_host_config(lxc_conf={"lxc.utsname": "docker"})

    @pytest.mark.parametrize("options", [{"version": "1.41"}, {"nonsense": 1}])
    def test_unknown_keyword(self, api, options):
        with pytest.raises(TypeError, match=next(iter(options))):
            api.create_host_config(**options)

    @pytest.mark.parametrize(
        "options",
        [
            {"mem_limit": "1z"},
            {"shm_size": "lots"},
            {"port_bindings": {99999: 1}},
            {"port_bindings": {80: 99999}},
            {"restart_policy": {"Name": "on-failure", "Tries": 3}},
            {"ulimits": [{"name": "nofile", "soft": "many"}]},
            {"binds": 5},
            {"extra_hosts": 5},
            {"devices": 5},
            {"mem_swappiness": "forty"},
        ],
    )
    def test_bad_input_names_the_parameter(self, api, options):
        with pytest.raises(InvalidArgument, match=next(iter(options))):
            api.create_host_config(**options)


class TestPortBindings:
    @pytest.mark.parametrize(
        ("bindings", "expected"),
        [
            ({1111: 4567}, {"1111/tcp": [("", "4567")]}),
            ({2222: None}, {"2222/tcp": [("", "")]}),
            ({1111: ("127.0.0.1", 4567)}, {"1111/tcp": [("127.0.0.1", "4567")]}),
            ({1111: ("127.0.0.1",)}, {"1111/tcp": [("127.0.0.1", "")]}),
            ({"1111/udp": 4567}, {"1111/udp": [("", "4567")]}),
            ({1111: [1234, 4567]}, {"1111/tcp": [("", "1234"), ("", "4567")]}),
            (
                {1111: [("192.168.0.100", 1234), ("192.168.0.101", 1234)]},
                {"1111/tcp": [("192.168.0.100", "1234"), ("192.168.0.101", "1234")]},
            ),
            ({"80": "8080", "53/udp": 53}, {"80/tcp": [("", "8080")], "53/udp": [("", "53")]}),
        ],
    )
    def test_forms(self, api, box, bindings, expected):
        host_config = api.create_host_config(port_bindings=bindings)
        found = host_config_of(api, box(start=False, host_config=host_config))["PortBindings"]
        assert {
            port: [(one.get("HostIp", ""), one.get("HostPort", "")) for one in places] for port, places in found.items()
        } == expected


class TestNetworkingConfig:
    def test_endpoint_arrives(self, api, box, unique, labels):
        network = api.create_network(
            unique("net"), labels=labels, ipam={"Config": [{"Subnet": "10.77.0.0/24", "Gateway": "10.77.0.1"}]}
        )["Id"]
        try:
            endpoint = api.create_endpoint_config(
                aliases=["front"], ipv4_address="10.77.0.9", link_local_ips=["169.254.8.8"], driver_opt={"a": "b"}
            )
            name = api.inspect_network(network)["Name"]
            made = box(
                networking_config=api.create_networking_config({name: endpoint}),
                host_config=api.create_host_config(network_mode=name),
            )
            found = api.inspect_container(made)["NetworkSettings"]["Networks"][name]
            assert "front" in found["Aliases"]
            assert found["IPAddress"] == "10.77.0.9"
            assert found["IPAMConfig"]["LinkLocalIPs"] == ["169.254.8.8"]
            assert found["DriverOpts"] == {"a": "b"}
            api.remove_container(made, force=True)
        finally:
            api.remove_network(network)

    def test_shapes(self, api):
        endpoint = api.create_endpoint_config(
            aliases=["a"], links={"db": "database"}, ipv4_address="10.0.0.2", ipv6_address="fd00::2",
            link_local_ips=["169.254.1.1"],
        )  # fmt: skip
        assert endpoint == {
            "Aliases": ["a"],
            "Links": ["db:database"],
            "IPAMConfig": {
                "IPv4Address": "10.0.0.2",
                "IPv6Address": "fd00::2",
                "LinkLocalIPs": ["169.254.1.1"],
            },
        }
        assert api.create_networking_config({"net": endpoint}) == {"EndpointsConfig": {"net": endpoint}}

    def test_nothing_is_an_empty_config(self, api):
        assert api.create_networking_config() == {}
        assert api.create_endpoint_config() == {}
