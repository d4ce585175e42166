"""A swarm without an engine: its services and how they converge, stacks, secrets, configs, and nodes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from swarm_engine import NODE, SwarmEngine

from dockerkit import DockerClient, errors
from dockerkit.models.services.convergence import ServiceProgress
from dockerkit.models.services.stacks import Stack
from dockerkit.types import ServiceMode


@pytest.fixture
def engine() -> Iterator[SwarmEngine]:
    engine = SwarmEngine()
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture
def client(engine: SwarmEngine) -> Iterator[DockerClient]:
    with DockerClient(engine.host, version="1.51") as client:
        yield client


# --- convergence ---


def test_wait_returns_when_all_tasks_run_and_reports_each_change(engine: SwarmEngine, client: DockerClient) -> None:
    engine.task_state = ["preparing", "preparing", "running"]
    service = client.services.create("app", name="web", replicas=2)
    seen: list[ServiceProgress] = []
    progress = service.wait(30, on_progress=seen.append, stable_for=0)
    assert [str(item) for item in seen] == ["0/2 running, 2 preparing", "2/2 running"]
    assert (progress.ready, progress.desired, progress.is_complete) == (2, 2, True)
    assert progress.tasks == {"1": "running", "2": "running"}
    assert service.progress() == progress


def test_wait_requires_that_tasks_stay_up(engine: SwarmEngine, client: DockerClient) -> None:
    engine.task_state = ["running", "starting", "running"]
    seen = list(client.services.create("app", name="web").watch(30, stable_for=0.3))
    assert [item.ready for item in seen] == [1, 0, 1]


def test_wait_fails_at_the_timeout_with_the_progress(engine: SwarmEngine, client: DockerClient) -> None:
    engine.task_state = "pending"
    service = client.services.create("app", name="web")
    with pytest.raises(errors.ConvergenceTimeout, match=r"only 0/1 running, 1 pending after 0.1 s") as caught:
        service.wait(0.1)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.name == "service web"
    assert isinstance(caught.value.progress, ServiceProgress) and caught.value.progress.ready == 0


def test_service_whose_tasks_all_failed_fails_before_the_timeout(
    engine: SwarmEngine, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerkit.models.services.convergence._GIVEN_UP", 0.3)
    engine.task_state, engine.task_error = "failed", "task: non-zero exit (1)"
    service = client.services.create("app", name="web")
    with pytest.raises(errors.ConvergenceFailed, match="only 0/1 running, 1 failed, and no task is left") as caught:
        service.wait(60)
    assert not isinstance(caught.value, TimeoutError)
    assert caught.value.tasks == ("task 1 failed: task: non-zero exit (1)",)


@pytest.mark.parametrize(
    ("state", "updated", "message"),
    [
        ("paused", False, "update paused: too many failures"),
        ("rollback_paused", False, "update paused: too many failures"),
        ("rollback_completed", True, "update rolled back: too many failures"),
    ],
)
def test_update_that_is_paused_or_rolled_back_is_a_failure(
    engine: SwarmEngine, client: DockerClient, state: str, updated: bool, message: str
) -> None:
    service = client.services.create("app", name="web")
    if updated:
        service.update(env=["A=1"])
    (record,) = engine.objects["services"].values()
    record["UpdateStatus"] = {"State": state, "Message": "too many failures"}
    with pytest.raises(errors.ConvergenceFailed, match=message):
        service.wait(30, stable_for=0)
    assert service.progress().update == state
    assert str(service.progress()) == f"1/1 running ({state})"


def test_rollback_that_was_requested_is_no_failure(engine: SwarmEngine, client: DockerClient) -> None:
    service = client.services.create("app", name="web")
    service.update(env=["A=1"])
    service.rollback()
    assert engine.requests[-2].query["rollback"] == ["previous"]
    (record,) = engine.objects["services"].values()
    record["UpdateStatus"] = {"State": "rollback_completed", "Message": "done"}
    assert service.wait(30, stable_for=0).message == "done"
    assert service.update_status["Message"] == "done"


@pytest.mark.parametrize("mode", ["global", "global-job"])
def test_global_services_have_a_task_on_each_node(engine: SwarmEngine, client: DockerClient, mode: str) -> None:
    engine.task_state = "complete" if mode == "global-job" else "running"
    service = client.services.create("app", name="everywhere", mode=mode)
    progress = service.wait(30, stable_for=0)
    assert (progress.ready, progress.desired, progress.tasks) == (1, 1, {NODE: engine.task_state})
    assert (service.mode, service.replicas) == (mode, None)
    with pytest.raises(errors.InvalidArgument, match=f"service everywhere is {mode}: each node has one task"):
        service.scale(2)


def test_failure_on_a_node_names_the_node(engine: SwarmEngine, client: DockerClient) -> None:
    engine.task_state, engine.task_error = "rejected", "no space"
    service = client.services.create("app", name="everywhere", mode="global")
    assert service.progress().failures == (f"task on node {NODE[:12]} rejected: no space",)


def test_job_has_converged_once_it_is_complete(engine: SwarmEngine, client: DockerClient) -> None:
    engine.task_state = ["running", "complete"]
    job = client.services.create("app", name="job", mode=ServiceMode("replicated-job", 3, concurrency=2))
    (record,) = engine.objects["services"].values()
    record["JobStatus"] = {"JobIteration": {}}
    progress = job.wait(30)
    assert (progress.ready, progress.desired, progress.job, str(progress)) == (3, 3, True, "3/3 complete")
    job.scale(1)
    assert job.spec["Mode"]["ReplicatedJob"] == {"MaxConcurrent": 2, "TotalCompletions": 1}
    record["JobStatus"] = {"JobIteration": {"Index": 4}}  # the tasks are of an earlier run
    assert job.progress().ready == 0


def test_scale_sets_the_number_of_tasks(engine: SwarmEngine, client: DockerClient) -> None:
    service = client.services.create("app", name="web", replicas=1)
    service.scale(3)
    assert (service.replicas, len(service.tasks()), service.wait(30, stable_for=0).ready) == (3, 3, 3)
    for wrong in (-1, True, "2"):
        with pytest.raises(errors.InvalidArgument, match="replicas: must be a number of tasks"):
            service.scale(wrong)


def test_update_is_repeated_with_the_current_settings_after_a_conflict(
    engine: SwarmEngine, client: DockerClient
) -> None:
    service = client.services.create("app", name="web")
    engine.conflicts = 2
    service.update(env=["A=1"])
    assert service.spec["TaskTemplate"]["ContainerSpec"]["Env"] == ["A=1"]
    assert len(engine.sent("POST", f"/services/{service.id}/update")) == 3
    engine.conflicts = 100
    with pytest.raises(errors.ServerError, match="out of sequence"):
        service.scale(2)


def test_forced_update_counts_up_and_keeps_the_rest(engine: SwarmEngine, client: DockerClient) -> None:
    service = client.services.create("app:1", name="web", env=["A=1"])
    service.force_update()
    service.force_update()
    template = service.spec["TaskTemplate"]
    assert (template["ForceUpdate"], template["ContainerSpec"]["Env"], service.image) == (2, ["A=1"], "app:1")
    service.remove()
    assert not client.services.list()


# --- stacks ---


def test_stack_is_deployed_listed_and_removed(engine: SwarmEngine, client: DockerClient) -> None:
    options: dict[str, Any] = {"image": "app", "replicas": 2, "secrets": ["key"], "configs": ["web.conf"]}
    web: Any = {**options, "labels": {"own": "1"}}
    stack = client.stacks.deploy(
        "shop",
        {"web": web, "db": {"image": "db", "networks": ["back", "outside"]}},
        networks={"back": {"labels": {"own": "2"}, "attachable": True}},
        secrets={"key": "hush"},
        configs={"web.conf": b"port = 80"},
    )
    label = {"com.docker.stack.namespace": "shop"}
    assert (repr(stack), stack == client.stacks.get("shop"), len({stack, Stack("shop", client)})) == (
        "<Stack: 'shop'>",
        True,
        1,
    )
    assert client.stacks.list() == [stack] and client.stacks.exists("shop")
    services = {service.name: service for service in stack.services()}
    assert services.keys() == {"shop_web", "shop_db"}
    assert services["shop_web"].labels == {"own": "1", **label}
    container = services["shop_web"].spec["TaskTemplate"]["ContainerSpec"]
    assert container["Labels"] == label
    (secret,), (config,) = stack.secrets(), stack.configs()
    assert (container["Secrets"][0]["SecretID"], container["Secrets"][0]["File"]["Name"]) == (secret.id, "key")
    assert (container["Configs"][0]["ConfigID"], container["Configs"][0]["ConfigName"]) == (
        config.id,
        "shop_web.conf",
    )
    networks = {network.name: network for network in stack.networks()}
    assert networks.keys() == {"shop_default", "shop_back"}
    assert networks["shop_back"].attrs["Labels"] == {"own": "2", **label}
    assert {network.attrs["Driver"] for network in networks.values()} == {"overlay"}
    joined = services["shop_db"].spec["TaskTemplate"]["Networks"]
    assert joined == [
        {"Target": "shop_back", "Aliases": ["db"]},
        {"Target": "outside", "Aliases": ["db"]},
    ]
    stack.wait(30, stable_for=0)
    stack.wait(None, stable_for=0)
    assert len(stack.tasks()) == 3
    engine.busy_networks = 1
    stack.remove()
    assert not any(engine.objects[kind] for kind in ("services", "secrets", "configs", "networks"))
    with pytest.raises(errors.NotFound, match="no stack named 'shop'"):
        client.stacks.get("shop")
    assert not client.stacks.exists("shop")


def test_second_deploy_updates_services_and_prunes_on_request(engine: SwarmEngine, client: DockerClient) -> None:
    services: dict[str, Any] = {"web": {"image": "app", "env": ["A=1"]}, "db": {"image": "db"}}
    stack = client.stacks.deploy("shop", services, configs={"a": "1"}, secrets={"s": "1"})
    before = {kind: set(engine.objects[kind]) for kind in ("services", "secrets", "configs", "networks")}
    client.stacks.deploy("shop", {"web": {"image": "app"}}, configs={"a": b"1"}, secrets={"s": "ignored"})
    assert {kind: set(engine.objects[kind]) for kind in before} == before
    client.stacks.deploy("shop", {"web": {"image": "app"}}, prune=True)
    (web,) = stack.services()
    assert web.name == "shop_web"
    assert not web.spec["TaskTemplate"]["ContainerSpec"].get("Env")
    with pytest.raises(errors.InvalidArgument, match=r"configs\['a'\]: shop_a exists with different content.*rotate"):
        client.stacks.deploy("shop", {"web": {"image": "app"}}, configs={"a": "2"})


def test_network_that_stays_in_use_ends_the_removal(
    engine: SwarmEngine, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerkit.models.services.stacks._REMOVING", 0.1)
    stack = client.stacks.deploy("shop", {"web": {"image": "app"}})
    engine.busy_networks = 1000
    with pytest.raises(errors.ConvergenceTimeout, match="stack shop: network shop_default is still in use"):
        stack.remove()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": ""}, errors.InvalidArgument, "name: must begin with a letter"),
        ({"name": "a b"}, errors.InvalidArgument, "name: must begin with a letter"),
        ({"services": {}}, errors.InvalidArgument, "services: must be a non-empty mapping"),
        ({"services": ["web"]}, errors.InvalidArgument, "services: must be a non-empty mapping"),
        ({"services": {"web": {}}}, errors.InvalidArgument, r"services\['web'\]: must be options including an image"),
        ({"services": {"web": {"image": "x", "imgae": "y"}}}, TypeError, "unknown option imgae"),
        ({"services": {"w/b": {"image": "x"}}}, errors.InvalidArgument, "services: must begin with a letter"),
        ({"networks": {"": {}}}, errors.InvalidArgument, "networks: must begin with a letter"),
    ],
)
def test_invalid_stacks_are_refused_before_anything_is_created(
    engine: SwarmEngine, client: DockerClient, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        client.stacks.deploy(**{"name": "bad", "services": {"web": {"image": "app"}}, **arguments})
    assert not [request for request in engine.requests if request.method != "GET"]


# --- secrets and configs ---


@pytest.fixture(params=["secrets", "configs"])
def files(client: DockerClient, request: pytest.FixtureRequest) -> Any:
    return getattr(client, request.param)


def test_secret_or_config_is_created_labelled_and_removed(files: Any) -> None:
    created = files.create("key", b"\x00hush", labels={"a": "1"})
    assert (created.name, created.labels) == ("key", {"a": "1"})
    found = files.get("key")
    assert found == created and files.list() == [created]
    found.update({"b": "2"})
    assert found.labels == {"b": "2"}
    with pytest.raises(errors.Conflict):
        files.create("key", b"other")
    found.remove()
    assert files.list() == [] and files.get("key", default=None) is None


def test_ensure_creates_updates_labels_and_refuses_other_content(engine: SwarmEngine, files: Any) -> None:
    first = files.ensure("key", "one", {"a": "1"})
    assert first.ensured.action == "created"
    same = files.ensure("key", b"one")
    assert (same.id, same.ensured.action) == (first.id, "unchanged")
    engine.conflicts = 1
    labelled = files.ensure("key", "one", {"b": "2"})
    assert (str(labelled.ensured), labelled.labels) == ("updated (Labels.b was not set)", {"a": "1", "b": "2"})
    with pytest.raises(errors.Conflict, match="'key' exists with different data; rotate"):
        files.ensure("key", "two")


def test_ensure_passes_other_refusals_on(engine: SwarmEngine, files: Any) -> None:
    files.create("key", "one")
    engine.conflicts = 1000
    with pytest.raises(errors.ServerError, match="out of sequence"):
        files.ensure("key", "one")


@pytest.mark.parametrize("remove_old", [True, False])
def test_rotate_replaces_the_file_in_each_service_that_uses_it(
    engine: SwarmEngine, client: DockerClient, files: Any, remove_old: bool
) -> None:
    from dockerkit.types import ConfigReference, SecretReference

    kind = "secrets" if files is client.secrets else "configs"
    reference: Callable[..., Any] = SecretReference if kind == "secrets" else ConfigReference
    old = files.create("key", "one", labels={"a": "1"})
    other = files.create("other", "x")
    mine = [reference(old.id, "key", "file.txt", mode=0o400), reference(other.id, "other")]
    service = client.services.create("app", name="web", env=["A=1"], **{kind: mine})
    client.services.create("app", name="without")
    new = files.rotate("key", "two", remove_old=remove_old)
    assert (new.name, new.labels) == ("key.2", {"a": "1"})
    assert engine.objects[kind][new.id]["Spec"]["Data"] == base64.b64encode(b"two").decode()
    service.reload()
    field = kind.capitalize()
    container = service.spec["TaskTemplate"]["ContainerSpec"]
    used = [(item[f"{field[:-1]}ID"], item[f"{field[:-1]}Name"]) for item in container[field]]
    assert used == [(new.id, "key.2"), (other.id, "other")]
    assert (container[field][0]["File"]["Name"], container[field][0]["File"]["Mode"]) == ("file.txt", 0o400)
    assert container["Env"] == ["A=1"]
    assert (files.get("key", default=None) is None) is remove_old
    assert files.rotate(new, "three").name == "key.3"
    assert files.rotate("key.3", "four", name="fresh").name == "fresh"


# --- nodes, and the swarm itself ---


def test_node_changes_keep_its_other_settings(engine: SwarmEngine, client: DockerClient) -> None:
    node = client.nodes.get("self")
    assert (node.id, node.role, node.availability, node.status) == (NODE, "manager", "active", "ready")
    engine.conflicts = 1
    node.change(labels={"disk": "fast"}, name="first")
    assert (node.labels, node.role, node.name) == ({"disk": "fast"}, "manager", "first")
    for change, availability in ((node.pause, "pause"), (node.activate, "active"), (node.drain, "drain")):
        change()
        assert (node.availability, node.labels) == (availability, {"disk": "fast"})
    node.demote()
    assert node.role == "worker"
    node.promote()
    assert node.role == "manager"
    node.update({"Role": "manager", "Availability": "active"})
    node.reload()
    assert node.labels == {}
    assert node.remove(force=True)
    assert engine.requests[-1].query == {"force": ["true"]}


def test_drain_waits_for_the_end_of_the_tasks(engine: SwarmEngine, client: DockerClient) -> None:
    client.services.create("app", name="web")
    node = client.nodes.get(NODE)
    engine.task_state = ["running", "shutdown"]
    node.drain(timeout=30)
    assert node.availability == "drain"
    engine.task_state = "running"
    with pytest.raises(errors.ConvergenceTimeout, match="tasks still running after 0.1 s"):
        node.drain(timeout=0.1)


def test_wait_until_a_node_is_ready_or_reachable(engine: SwarmEngine, client: DockerClient) -> None:
    node = client.nodes.get(NODE)
    node.wait_until()
    with pytest.raises(errors.ConvergenceTimeout, match="not ready and reachable after 0.1 s"):
        node.wait_until(reachability="reachable", timeout=0.1)
    engine.objects["nodes"][NODE]["ManagerStatus"] = {"Reachability": "reachable", "Leader": True}
    node.wait_until(reachability="reachable")
    assert node.is_leader


def test_swarm_update_merges_settings(engine: SwarmEngine, client: DockerClient) -> None:
    swarm = client.swarm
    assert swarm.is_manager and swarm.version == 1
    engine.conflicts = 1
    assert swarm.update(task_history_retention_limit=2, rotate_worker_token=True)
    assert swarm.attrs["Spec"] == {"Labels": {"a": "1"}, "Orchestration": {"TaskHistoryRetentionLimit": 2}}
    assert engine.requests[-2].query["rotateWorkerToken"] == ["true"]
    swarm.update(labels={"b": "2"}, snapshot_interval=5)
    assert swarm.attrs["Spec"]["Labels"] == {"b": "2"}
    assert swarm.get_unlock_key() == {"UnlockKey": "SWMKEY-1-x"}


def test_engine_without_a_swarm_has_no_attributes(engine: SwarmEngine, client: DockerClient) -> None:
    engine.swarm = None
    assert (client.swarm.attrs, client.swarm.version, client.swarm.join_tokens) == ({}, None, {})
    assert not client.swarm.is_manager
    with pytest.raises(errors.ServiceUnavailable):
        client.swarm.reload()
