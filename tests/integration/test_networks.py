"""Networks: calls and objects."""

from __future__ import annotations

import contextlib
import itertools
import os

import pytest

from dockerkit.errors import APIError, Conflict, Forbidden, InvalidArgument, InvalidVersion, NotFound, NullResource

_numbers = itertools.count(os.getpid() % 200)


@pytest.fixture
def subnet():
    """The first three numbers of an unused /24 network."""
    return f"10.77.{next(_numbers) % 256}"


@pytest.fixture
def network(client, unique, labels):
    network = client.networks.create(unique("net"), labels=labels)
    yield network
    for container in network.containers:
        network.disconnect(container, force=True)
    with contextlib.suppress(NotFound):
        network.remove()


class TestCalls:
    def test_life_cycle(self, api, unique, labels):
        name = unique("net")
        made = api.create_network(
            name, driver="bridge", labels=labels, options={"com.docker.network.driver.mtu": "1400"}
        )
        facts = api.inspect_network(made["Id"])
        assert (facts["Name"], facts["Driver"], facts["Internal"]) == (name, "bridge", False)
        assert facts["Options"] == {"com.docker.network.driver.mtu": "1400"}
        assert [one["Id"] for one in api.networks(names=[name])] == [made["Id"]]
        assert [one["Id"] for one in api.networks(ids=[made["Id"][:12]])] == [made["Id"]]
        assert api.remove_network({"Id": made["Id"]}) is None
        with pytest.raises(NotFound):
            api.inspect_network(name)

    def test_all_of_ipam(self, api, unique, labels, subnet):
        pool = {
            "Subnet": f"{subnet}.0/24",
            "IPRange": f"{subnet}.128/25",
            "Gateway": f"{subnet}.254",
            "AuxiliaryAddresses": {"router": f"{subnet}.253"},
        }
        made = api.create_network(
            unique("net"), ipam={"Driver": "default", "Config": [pool]}, labels=labels, internal=True
        )
        facts = api.inspect_network(made["Id"])
        assert facts["Internal"] is True
        assert facts["IPAM"]["Config"] == [pool]
        api.remove_network(made["Id"])

    def test_config_only_network_and_a_network_from_it(self, api, unique, labels, subnet):
        plan = unique("plan")
        api.create_network(plan, config_only=True, ipam={"Config": [{"Subnet": f"{subnet}.0/24"}]}, labels=labels)
        made = api.create_network(unique("net"), config_from=plan, driver="bridge")
        facts = api.inspect_network(made["Id"])
        assert facts["ConfigFrom"]["Network"] == plan
        assert facts["IPAM"]["Config"][0]["Subnet"] == f"{subnet}.0/24"
        api.remove_network(made["Id"])
        api.remove_network(plan)

    def test_inspect_verbose_and_in_a_scope(self, api, unique, labels):
        made = api.create_network(unique("net"), labels=labels)
        assert api.inspect_network(made["Id"], verbose=True, scope="local")["Scope"] == "local"
        with pytest.raises(NotFound):
            api.inspect_network(made["Id"], scope="swarm")
        api.remove_network(made["Id"])

    def test_network_without_ipv4(self, api, unique, labels):
        arguments = {"enable_ipv4": False, "enable_ipv6": True, "labels": labels}
        if not api.supports("POST /networks/create", "EnableIPv4"):
            with pytest.raises(InvalidVersion, match="EnableIPv4"):
                api.create_network(unique("net"), **arguments)
            return
        made = api.create_network(unique("net"), **arguments)
        assert api.inspect_network(made["Id"])["EnableIPv4"] is False
        api.remove_network(made["Id"])

    def test_connect_accepts_every_endpoint_option(self, api, box, unique, labels, subnet):
        made = api.create_network(unique("net"), ipam={"Config": [{"Subnet": f"{subnet}.0/24"}]}, labels=labels)
        other, container = box(), box()
        options = {"ipv4_address": f"{subnet}.77", "aliases": ["db", "data"], "links": {other: "friend"}}
        if api.supports("POST /networks/{id}/connect", "EndpointConfig.GwPriority"):
            options["gw_priority"] = 5
        if api.supports("POST /networks/{id}/connect", "EndpointConfig.MacAddress"):
            options["mac_address"] = "02:42:ac:11:07:08"
        api.connect_container_to_network(container, made["Id"], **options)
        networks = api.inspect_container(container)["NetworkSettings"]["Networks"]
        facts = next(one for one in networks.values() if one["NetworkID"] == made["Id"])
        assert facts["IPAddress"] == f"{subnet}.77"
        assert {"db", "data"} <= set(facts["Aliases"])
        assert facts["Links"] == [f"{other}:friend"]
        assert facts.get("GwPriority", 5) == 5
        inside = api.inspect_network(made["Id"])["Containers"]
        assert inside[container]["IPv4Address"] == f"{subnet}.77/24"
        api.disconnect_container_from_network(container, made["Id"])
        assert not api.inspect_network(made["Id"])["Containers"]
        api.remove_network(made["Id"])

    def test_gateway_priority_selects_the_default_route(self, client, busybox, unique, labels, box):
        first, second = (client.networks.create(unique("net"), labels=labels) for _ in range(2))
        container = client.containers.get(box())
        if not client.api.supports("POST /networks/{id}/connect", "EndpointConfig.GwPriority"):
            with pytest.raises(InvalidVersion, match="GwPriority"):
                first.connect(container, gw_priority=5)
            first.remove()
            second.remove()
            return
        created = client.containers.run(
            busybox,
            "sleep 600",
            detach=True,
            stop_signal="SIGKILL",
            labels=labels,
            networks={first.name: {"GwPriority": 1}, second.name: {"GwPriority": 100}},
        )
        try:
            assert created.network_settings.networks[second.name].gw_priority == 100
            assert self.way_out(created) == second.attrs["IPAM"]["Config"][0]["Gateway"]
            second.disconnect(created)
            assert self.way_out(created) == first.attrs["IPAM"]["Config"][0]["Gateway"]
            second.connect(created, gw_priority=7)
            assert self.way_out(created) == second.attrs["IPAM"]["Config"][0]["Gateway"]
        finally:
            created.remove(force=True)
            first.remove()
            second.remove()

    @staticmethod
    def way_out(container):
        """Return the gateway of a container's default route."""
        route = container.exec(["ip", "route", "show", "default"], text=True).stdout
        return route.split()[2]

    def test_endpoint_config_replaces_single_arguments(self, api, box, unique, labels):
        made = api.create_network(unique("net"), labels=labels)
        container = box()
        with pytest.raises(InvalidArgument, match="aliases"):
            api.connect_container_to_network(container, made["Id"], aliases=["a"], endpoint_config={"Aliases": ["b"]})
        api.connect_container_to_network(container, made["Id"], endpoint_config={"Aliases": ["b"]})
        api.disconnect_container_from_network(container, made["Id"], force=True)
        api.remove_network(made["Id"])

    def test_errors(self, api, box, unique, labels):
        with pytest.raises(NotFound):
            api.remove_network(unique("none"))
        with pytest.raises(Forbidden):
            api.remove_network("bridge")
        with pytest.raises(NullResource):
            api.inspect_network("")
        for name in ("", None, 3):
            with pytest.raises(InvalidArgument, match="name"):
                api.create_network(name)
        with pytest.raises(InvalidArgument, match="ipam"):
            api.create_network("x", ipam="10.0.0.0/8")
        name = unique("net")
        made = api.create_network(name, labels=labels, check_duplicate=True)
        with pytest.raises(Conflict):
            api.create_network(name, labels=labels, check_duplicate=True)
        container = box()
        with pytest.raises(APIError):
            api.disconnect_container_from_network(container, made["Id"])
        api.remove_network(made["Id"])

    def test_filters(self, api, unique, labels):
        made = api.create_network(unique("net"), labels={**labels, "color": "red"})
        for filters in ({"label": "color=red"}, {"label": ["color"], "driver": "bridge"}, {"type": "custom"}):
            assert made["Id"] in {one["Id"] for one in api.networks(filters=filters)}
        assert made["Id"] not in {one["Id"] for one in api.networks(filters={"driver": ["host", "null"]})}
        assert made["Id"] in {one["Id"] for one in api.networks(filters={"dangling": True, "scope": "local"})}
        api.remove_network(made["Id"])

    def test_prune_respects_filters(self, api, unique, labels):
        kept = api.create_network(unique("net"), labels=labels)
        mark = unique("mark")
        gone = unique("net")
        api.create_network(gone, labels={**labels, mark: ""})
        assert api.prune_networks({"label": mark}) == {"NetworksDeleted": [gone]}
        assert not api.prune_networks({"label": mark})["NetworksDeleted"]
        assert api.inspect_network(kept["Id"])
        api.remove_network(kept["Id"])

    def test_events_of_a_network(self, api, unique, labels):
        with api.events(filters={"type": "network", "event": ["create", "destroy"]}, decode=True) as events:
            name = unique("net")
            made = api.create_network(name, labels=labels)
            api.remove_network(name)
            ours = (event["Action"] for event in events if event["Actor"]["ID"] == made["Id"])
            assert [next(ours), next(ours)] == ["create", "destroy"]


class TestObjects:
    def test_create_get_list_remove(self, client, network, labels):
        assert client.networks.get(network.id) == network
        assert client.networks.get(network.name).name == network.name
        assert network in client.networks.list(filters={"label": [f"{key}={value}" for key, value in labels.items()]})
        assert network in client.networks.list(names=[network.name])
        assert network in client.networks.list(ids=[network.id], greedy=True)
        assert (network.driver, network.scope, network.labels) == ("bridge", "local", labels)
        assert len(network.subnets) == 1
        network.remove()
        with pytest.raises(NotFound):
            network.reload()

    def test_list_is_one_request_and_its_objects_know_what_it_said(self, client, network, requests_of):
        with requests_of(client) as sent:
            found = [one for one in client.networks.list() if one == network]
            assert found[0].name == network.name
            assert found[0].driver == "bridge"
            assert found[0].labels == network.labels
            repr(found[0]), hash(found[0])
        assert sent == ["GET /networks"]

    def test_containers_in_it(self, client, network, box):
        container = box()
        network.connect(container, aliases=["db"])
        assert [one.id for one in network.containers] == [container]
        network.reload()
        assert list(network.endpoints) == [container]
        network.disconnect(container)
        assert network.containers == []

    def test_network_is_a_context_manager(self, client, unique, labels):
        with client.networks.create(unique("net"), internal=True, labels=labels) as network:
            assert network.attrs["Internal"] is True
        with pytest.raises(NotFound):
            client.networks.get(network.id)

    def test_prune(self, client, network, unique, labels):
        mark = unique("mark")
        gone = client.networks.create(unique("net"), labels={**labels, mark: "1"})
        assert client.networks.prune(filters={"label": mark})["NetworksDeleted"] == [gone.name]

    def test_ipam_status(self, client, network, api):
        status = network.ipam_status
        assert status is None or status["Subnets"]
