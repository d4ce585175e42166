"""A swarm of three engines, each in a separate network namespace, connected by one network."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from engines import private
from engines.host import run
from engines.settings import BUSYBOX, Spec
from housekeeping import RUN

from dockerkit import DockerClient
from dockerkit.errors import APIError, ConvergenceFailed, NotFound, ServiceUnavailable
from dockerkit.types import RestartPolicy, ServiceMode, UpdateConfig

SLEEP = ["sh", "-c", "trap exit TERM; echo $(hostname) $WORD; while :; do sleep 0.1; done"]
SWITCH = "dockerkit-switch"
SPECS = [Spec(f"swarm-{number}", 20 + number, "trixie") for number in (1, 2, 3)]
pytestmark = pytest.mark.xdist_group("swarm-nodes")


def address_of(spec):
    return f"10.214.77.{spec.number}"


def connect():
    """Connect the engines through a separate network namespace, without changing this machine's network."""
    run("ip", "netns", "add", SWITCH)
    run("ip", "-n", SWITCH, "link", "add", "switch", "type", "bridge")
    run("ip", "-n", SWITCH, "link", "set", "switch", "up")
    for spec in SPECS:
        port = f"port{spec.number}"
        run("ip", "-n", SWITCH, "link", "add", port, "type", "veth", "peer", "name", "swarm0", "netns", spec.namespace)
        run("ip", "-n", SWITCH, "link", "set", port, "master", "switch", "up")
        run("ip", "-n", spec.namespace, "addr", "add", f"{address_of(spec)}/24", "dev", "swarm0")
        run("ip", "-n", spec.namespace, "link", "set", "swarm0", "up")


@contextlib.contextmanager
def unplugged(spec):
    run("ip", "-n", SWITCH, "link", "set", f"port{spec.number}", "down")
    try:
        yield
    finally:
        run("ip", "-n", SWITCH, "link", "set", f"port{spec.number}", "up")


@pytest.fixture(scope="module")
def clients(request):
    """A client of each engine; the first is the manager of a swarm of all three."""
    with contextlib.ExitStack() as stack:
        run("ip", "netns", "delete", SWITCH, check=False)
        stack.callback(run, "ip", "netns", "delete", SWITCH, check=False)
        for spec in SPECS:
            stack.callback(private.down, spec)
        with ThreadPoolExecutor() as pool:
            list(pool.map(private.down, SPECS))
            list(pool.map(private.up, SPECS))
        connect()
        clients = [stack.enter_context(DockerClient(spec.host)) for spec in SPECS]
        manager = clients[0]
        same_image = manager.api.get_image(BUSYBOX).read()  # each engine imports it, so its ID differs
        for client in clients[1:]:
            list(client.api.load_image(same_image))
        manager.swarm.init(
            advertise_addr=address_of(SPECS[0]), dispatcher_heartbeat_period="1s", task_history_retention_limit=1
        )
        token = manager.swarm.join_tokens["Worker"]
        for spec, client in zip(SPECS[1:], clients[1:], strict=True):
            client.swarm.join([f"{address_of(SPECS[0])}:2377"], token, advertise_addr=address_of(spec))
        for node in manager.nodes.list():
            node.wait_until("ready", 30)
        yield clients


@pytest.fixture
def manager(clients):
    return clients[0]


@pytest.fixture
def image(manager):
    return manager.api.inspect_image(BUSYBOX)["Id"]


@pytest.fixture
def node_of(clients):
    """Return the manager's node object for a client's engine."""

    def find(client):
        return clients[0].nodes.get(client.info()["Swarm"]["NodeID"])

    return find


@pytest.fixture
def serve(manager, image):
    made = []

    def make(command=SLEEP, *, image=image, **options):
        options.setdefault("restart_policy", RestartPolicy("any", delay="100ms"))
        service = manager.services.create(
            image, command, name=f"dkt-{RUN}-{time.time_ns()}", stop_grace_period="1s", **options
        )
        made.append(service)
        return service

    yield make
    for service in made:
        with contextlib.suppress(NotFound):
            service.remove()


def homes(service):
    """Return the nodes that run tasks of the service."""
    tasks = service.client.tasks.list({"service": service.id, "desired-state": "running"})
    return sorted(task.node_id for task in tasks if task.status == "running")


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.2)


def test_the_nodes(clients, manager, node_of):
    nodes = manager.nodes.list()
    assert len(nodes) == 3
    assert [node.role for node in nodes].count("manager") == 1
    assert node_of(manager).is_leader
    assert {node_of(client).status for client in clients} == {"ready"}
    with pytest.raises(ServiceUnavailable, match="not a swarm manager"):
        clients[1].services.list()


def test_a_service_is_spread_scaled_updated_and_rolled_back(manager, serve):
    service = serve(replicas=3, env={"WORD": "one"}, update_config=UpdateConfig(0, monitor="500ms"))
    steps = []
    assert service.wait(60, on_progress=steps.append, stable_for=0.5).ready == 3
    assert [step.ready for step in steps][-1] == 3
    assert len(set(homes(service))) == 3
    service.scale(6)
    service.wait(60, stable_for=0)
    assert len(homes(service)) == 6
    service.scale(3)
    service.wait(60, stable_for=0)
    service.update(env={"WORD": "two"})
    service.wait(60, stable_for=0)
    service.rollback()
    service.wait(60, stable_for=0)
    assert service.spec["TaskTemplate"]["ContainerSpec"]["Env"] == ["WORD=one"]
    assert len(set(homes(service))) == 3


def test_logs_come_from_all_nodes(manager, serve):
    service = serve(mode="global", env={"WORD": "hello"})
    assert service.wait(60, stable_for=0.5).desired == 3
    tasks = manager.tasks.list({"service": service.id})
    said = {task.id: b"".join(task.logs()) for task in tasks}
    assert len(set(said.values())) == 3
    assert all(text.endswith(b" hello\n") for text in said.values())
    assert sorted(b"".join(service.logs()).splitlines()) == sorted(text.strip() for text in said.values())
    details = b"".join(service.logs(details=True))
    assert all(task.node_id.encode() in details for task in tasks)


def test_job_runs_on_all_nodes(serve, manager):
    job = serve(["sh", "-c", "echo done"], mode=ServiceMode("replicated-job", 6, concurrency=3), restart_policy=None)
    assert job.wait(60).ready == 6
    assert {task.exit_code for task in manager.tasks.list({"service": job.id})} == {0}
    everywhere = serve(["true"], mode="global-job", restart_policy=None)
    everywhere.wait(60)
    assert len({task.node_id for task in manager.tasks.list({"service": everywhere.id})}) == 3


def test_drained_node_stops_its_tasks(clients, node_of, serve):
    service = serve(replicas=3)
    service.wait(60, stable_for=0.5)
    node = node_of(clients[2])
    assert node.id in homes(service)
    node.drain(timeout=30)
    service.wait(60, stable_for=0)
    assert len(homes(service)) == 3
    assert node.id not in homes(service)
    node.activate()
    service.force_update()
    service.wait(60, stable_for=0)
    assert node.id in homes(service)


def test_tasks_of_a_lost_node_move(clients, node_of, serve):
    service = serve(replicas=3)
    service.wait(60, stable_for=0.5)
    node = node_of(clients[1])
    assert node.id in homes(service)
    with unplugged(SPECS[1]):
        node.wait_until("down", 60)
        service.wait(60, stable_for=0.5)
        assert node.id not in homes(service)
    node.wait_until("ready", 60)


def test_worker_becomes_manager_and_worker_again(clients, node_of):
    node = node_of(clients[1])
    node.promote()
    node.wait_until("ready", 30, reachability="reachable")
    until(lambda: clients[1].swarm.is_manager)
    assert len(clients[1].nodes.list()) == 3
    node.demote()
    until(lambda: not clients[1].swarm.is_manager)
    assert node_of(clients[1]).role == "worker"


def test_secrets_and_configs_rotate_on_all_nodes(manager, serve):
    secret = manager.secrets.create(f"dkt-{RUN}-secret", "one")
    config = manager.configs.create(f"dkt-{RUN}-config", "eins")
    show = ["sh", "-c", f"cat /run/secrets/{secret.name} /{config.name}; echo; {SLEEP[2]}"]
    service = serve(
        show, mode="global", secrets=[secret], configs=[config], update_config=UpdateConfig(0, monitor="500ms")
    )
    service.wait(60, stable_for=0.5)
    new = manager.secrets.rotate(secret, "two")
    service.wait(60, stable_for=0.5)
    manager.configs.rotate(config, "zwei")
    service.wait(60, stable_for=0.5)
    running = manager.tasks.list({"service": service.id, "desired-state": "running"})
    assert [next(iter(task.logs())).split(b"\n")[0] for task in running] == [b"twozwei"] * 3
    assert manager.secrets.list() == [new]


def test_nodes_receive_registry_credentials(clients, manager, serve, auth_registry):
    name = f"{auth_registry.host}/dkt-{RUN}"
    credentials = {"username": auth_registry.user, "password": auth_registry.password}
    manager.images.get(BUSYBOX).tag(name, "1")
    manager.images.push(name, "1", auth_config=credentials)
    manager.api.remove_image(f"{name}:1")
    options = {"image": f"{name}:1", "mode": "global"}
    with pytest.raises(ConvergenceFailed, match="No such image|denied|unauthorized|credentials"):
        serve(**options, auth_config={}, restart_policy=RestartPolicy("none")).wait(30)
    service = serve(**options, auth_config=credentials)
    assert service.wait(60, stable_for=0.5).desired == 3
    service.update(env={"WORD": "kept"}, auth_config=credentials)
    service.wait(60, stable_for=0)


def test_locked_manager_is_unlocked_after_its_restart(manager):
    manager.swarm.update(autolock_managers=True)
    key = manager.swarm.get_unlock_key()
    kept = SPECS[0].state / "data/swarm/certificates/swarm-node.key"
    until(lambda: "ENCRYPTED" in kept.read_text())  # the engine writes it after its response
    private.crash(SPECS[0])
    with pytest.raises(ServiceUnavailable, match="encrypted and needs to be unlocked"):
        manager.nodes.list()
    with pytest.raises(APIError):
        manager.swarm.unlock("SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8")
    assert manager.swarm.unlock(key) is True
    until(lambda: manager.swarm.is_manager)
    manager.swarm.update(autolock_managers=False)


def test_node_leaves_and_is_removed(clients, node_of):
    node = node_of(clients[2])
    clients[2].swarm.leave()
    node.wait_until("down", 30)
    node.remove()
    with pytest.raises(APIError):
        node.reload()
