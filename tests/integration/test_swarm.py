"""A swarm of one node: the swarm itself, nodes, services, tasks, secrets and configs."""

from __future__ import annotations

import contextlib
import subprocess
import threading

import pytest

from dockerkit import DockerClient
from dockerkit.errors import (
    APIError,
    BadRequest,
    Conflict,
    ConvergenceFailed,
    ConvergenceTimeout,
    DeprecatedMethod,
    InvalidArgument,
    InvalidVersion,
    NotFound,
    ServiceUnavailable,
)
from dockerkit.models.services.stacks import Stack
from dockerkit.types import (
    ContainerSpec,
    EndpointSpec,
    Mount,
    Placement,
    Resources,
    RestartPolicy,
    ServiceMode,
    TaskTemplate,
    UpdateConfig,
)

SLEEP = ["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"]
AT_ONCE = RestartPolicy("any", delay="100ms")


@pytest.fixture(scope="module")
def swarm(engine):
    """The engine, as the only node of a swarm."""
    with DockerClient(engine.host) as client:
        client.swarm.leave(force=True)
        client.swarm.init(advertise_addr=engine.address, task_history_retention_limit=2)
        yield engine
        client.swarm.leave(force=True)


@pytest.fixture
def client(swarm):
    with DockerClient(swarm.host) as client:
        yield client


@pytest.fixture
def api(client):
    return client.api


@pytest.fixture
def image(api, busybox):
    """ID of an image; with a name, nodes would try a registry first."""
    return api.inspect_image(busybox)["Id"]


@pytest.fixture
def serve(client, image, unique, labels):
    """Return a function that creates services, which are removed after the test."""
    made = []

    def make(command=SLEEP, **options):
        options.setdefault("name", unique("service"))
        options.setdefault("restart_policy", AT_ONCE)
        options.setdefault("stop_grace_period", "1s")
        made.append(client.services.create(image, command, labels={**labels, **options.pop("labels", {})}, **options))
        return made[-1]

    yield make
    for service in made:
        with contextlib.suppress(NotFound):
            service.remove()


class TestSwarm:
    def test_facts(self, client):
        swarm = client.swarm
        assert swarm.version == swarm.attrs["Version"]["Index"]
        assert swarm.attrs["Spec"]["Orchestration"]["TaskHistoryRetentionLimit"] == 2
        assert set(swarm.join_tokens) == {"Worker", "Manager"}
        assert swarm.is_manager
        assert swarm.attrs["ID"][:12] in repr(swarm)
        assert (repr(client.swarm), client.swarm == swarm, hash(swarm)) == ("<Swarm: >", True, hash(client.swarm))

    def test_update_keeps_the_other_settings(self, client):
        client.swarm.update(node_cert_expiry=3_600_000_000_000 * 24)
        spec = client.swarm.attrs["Spec"]
        assert spec["CAConfig"]["NodeCertExpiry"] == 86_400_000_000_000
        assert spec["Orchestration"]["TaskHistoryRetentionLimit"] == 2

    def test_tokens_rotate(self, client):
        before = client.swarm.join_tokens
        client.swarm.update(rotate_worker_token=True)
        after = client.swarm.join_tokens
        assert after["Worker"] != before["Worker"]
        assert after["Manager"] == before["Manager"]

    def test_unlock_key(self, client, api):
        client.swarm.update(autolock_managers=True)
        key = client.swarm.get_unlock_key()["UnlockKey"]
        assert key.startswith("SWMKEY-")
        client.swarm.update(rotate_manager_unlock_key=True)
        assert client.swarm.get_unlock_key()["UnlockKey"] != key
        with pytest.raises(APIError, match="not locked"):
            api.unlock_swarm({"UnlockKey": key})
        client.swarm.update(autolock_managers=False)
        for wrong in ("", None, {}):
            with pytest.raises(InvalidArgument, match="key"):
                client.swarm.unlock(wrong)

    def test_node_can_not_join_twice(self, client):
        with pytest.raises(ServiceUnavailable, match="already part of a swarm"):
            client.swarm.init()
        with pytest.raises(ServiceUnavailable, match="already part of a swarm"):
            client.swarm.join(["127.0.0.1:2377"], client.swarm.join_tokens["Worker"])
        with pytest.raises(InvalidArgument, match="remote_addrs"):
            client.swarm.join("127.0.0.1:2377", "token")
        with pytest.raises(ServiceUnavailable, match="manager"):
            client.swarm.leave()

    def test_outdated_version_is_refused(self, api):
        with pytest.raises(APIError, match="out of sequence"):
            api.update_swarm(1, api.inspect_swarm()["Spec"])


class TestNodes:
    def test_facts(self, client):
        node = client.nodes.get("self")
        assert client.nodes.list() == [node]
        assert client.nodes.list({"role": "worker"}) == []
        assert (node.role, node.availability, node.status) == ("manager", "active", "ready")
        assert node.is_leader
        assert node.reachability == "reachable"
        assert node.name == node.hostname

    def test_labels_change_and_other_settings_are_kept(self, client):
        node = client.nodes.get("self")
        node.change(labels={"disk": "fast"})
        assert (node.labels, node.role) == ({"disk": "fast"}, "manager")
        assert client.nodes.list(
            {"node.label": "disk=fast"} if client.api.supports("GET /nodes", "filters.node.label") else None
        )
        node.update({**node.spec, "Labels": {}})
        node.reload()
        assert node.labels == {}

    def test_drain_and_activate(self, client, serve):
        service = serve(replicas=1)
        service.wait(60, stable_for=0)
        node = client.nodes.get("self")
        assert [task.service_id for task in node.tasks({"service": service.id})] == [service.id]
        node.drain(timeout=30)
        assert node.availability == "drain"
        with pytest.raises(ConvergenceTimeout) as caught:
            service.wait(1)
        assert caught.value.progress.ready == 0  # type: ignore[attr-defined]
        assert isinstance(caught.value, TimeoutError)
        node.activate()
        service.wait(60, stable_for=0)
        node.pause()
        assert node.availability == "pause"
        node.activate()

    def test_errors(self, client):
        with pytest.raises(NotFound):
            client.nodes.get("nothing")
        with pytest.raises(APIError, match="last manager|only manager|demoting"):
            client.nodes.get("self").demote()
        with pytest.raises(APIError):
            client.nodes.get("self").remove()


class TestSecretsAndConfigs:
    def test_secret_lifecycle(self, client, unique, labels):
        name = unique("secret")
        secret = client.secrets.create(name, b"\x00geheim", labels=labels)
        assert (secret.name, secret.labels) == (name, labels)
        assert repr(secret) == f"<Secret {name!r} {secret.short_id}>"
        assert secret.attrs.keys() >= {"ID", "Spec"}
        assert secret.version > 0
        assert client.secrets.get(name) == secret
        assert secret in client.secrets.list({"name": name, "label": next(iter(labels))})
        secret.update({**labels, "more": "1"})
        assert client.secrets.get(secret.id).labels == {**labels, "more": "1"}
        with pytest.raises(Conflict):
            client.secrets.create(name, "again")
        with pytest.raises(InvalidArgument, match="data"):
            client.secrets.create(unique("secret"), 3)
        assert secret.remove() is True
        with pytest.raises(NotFound):
            secret.reload()

    def test_config_lifecycle(self, client, unique, labels):
        name = unique("config")
        config = client.configs.create(name, "größe = 1", labels=labels, templating={"Name": "golang"})
        assert (config.name, config.labels, config.data) == (name, labels, "größe = 1".encode())
        assert config.attrs["Spec"]["Templating"] == {"Name": "golang"}
        assert client.configs.get(name) == config
        assert config in client.configs.list({"name": name})
        config.update({**labels, "more": "1"})
        assert client.configs.get(config.id).labels["more"] == "1"
        assert config.remove() is True
        with pytest.raises(NotFound):
            client.configs.get(name)

    def test_services_read_them_and_rotation_replaces_them(self, client, serve, unique, labels):
        secret = client.secrets.create(unique("secret"), "one", labels=labels)
        config = client.configs.create(unique("config"), "eins", labels=labels)
        show = ["sh", "-c", f"cat /run/secrets/{secret.name} /{config.name}; echo; {SLEEP[2]}"]
        service = serve(show, secrets=[secret.name], configs=[config], env={"KEPT": "yes"})
        service.wait(60, stable_for=0)
        assert output_of(service) == b"oneeins\n"
        with pytest.raises(APIError, match="in use"):
            secret.remove()
        new = client.secrets.rotate(secret, "two")
        service.wait(60, stable_for=0)
        config = client.configs.rotate(config.name, "zwei", name=unique("config"), remove_old=False)
        assert new.name == f"{secret.name}.2"
        service.wait(60, stable_for=0)
        assert output_of(service) == b"twozwei\n"
        assert service.spec["TaskTemplate"]["ContainerSpec"]["Env"] == ["KEPT=yes"]
        assert [one.name for one in client.secrets.list({"name": secret.name})] == [new.name]

    def test_missing_secret_is_named(self, client, image):
        with pytest.raises(InvalidArgument, match="no secret named 'nothing'"):
            client.services.create(image, secrets=["nothing"])


def output_of(service):
    """Return the output of the newest running task, once there is some."""
    for _ in range(100):
        running = [task for task in service.client.tasks.list({"service": service.id}) if task.status == "running"]
        if running and (output := b"".join(max(running, key=lambda one: one.attrs["CreatedAt"]).logs())):
            return output
    raise AssertionError("no task has written anything")


class TestServices:
    def test_life_cycle(self, client, serve, unique, labels, requests_of):
        service = serve(replicas=2, env={"A": "1"}, container_labels={"c": "d"}, resources=Resources(mem_limit="32m"))
        seen = []
        progress = service.wait(60, on_progress=seen.append, stable_for=0)
        assert (progress.ready, progress.desired) == (2, 2)
        assert seen[-1] == progress
        assert "2/2 running" in str(progress)
        assert client.services.get(service.name) == service
        assert service in client.services.list({"name": service.name})
        assert (service.mode, service.replicas) == ("replicated", 2)
        assert service.labels == labels
        with requests_of(client) as sent:
            found = next(one for one in client.services.list() if one == service)
            assert (found.name, found.mode, found.image) == (service.name, "replicated", service.image)
        assert sent == ["GET /services"]
        tasks = client.tasks.list({"service": service.id, "desired-state": "running"})
        assert sorted(task.slot for task in tasks) == [1, 2]
        assert {task["Slot"] for task in service.tasks()} == {1, 2}
        assert all(task.is_alive and task.exit_code is None and task.labels == {"c": "d"} for task in tasks)
        assert client.containers.get(tasks[0].container_id).labels["com.docker.swarm.task.id"] == tasks[0].id
        assert client.tasks.get(tasks[0].id) == tasks[0]
        service.remove()
        with pytest.raises(NotFound):
            service.reload()

    def test_scale_update_roll_back(self, client, serve):
        service = serve(env={"A": "1"}, update_config=UpdateConfig(0, monitor="500ms", order="stop-first"))
        service.scale(3)
        assert service.wait(60, stable_for=0).desired == 3
        service.update(env={"A": "2"}, constraints=["node.role == manager"])
        service.wait(60, stable_for=0)
        assert service.update_status["State"] == "completed"
        assert service.replicas == 3
        container = service.spec["TaskTemplate"]["ContainerSpec"]
        assert (container["Env"], container["Args" if "Args" in container else "Command"]) == (["A=2"], SLEEP)
        service.rollback()
        service.wait(60, stable_for=0)
        assert service.spec["TaskTemplate"]["ContainerSpec"]["Env"] == ["A=1"]
        assert "Constraints" not in service.spec["TaskTemplate"].get("Placement", {})
        assert service.update_status["State"] == "rollback_completed"
        before = {task["ID"] for task in service.tasks({"desired-state": "running"})}
        service.force_update()
        service.wait(60, stable_for=0)
        assert not before & {task["ID"] for task in service.tasks({"desired-state": "running"})}

    def test_placement_is_merged(self, serve):
        service = serve(preferences=[("spread", "node.labels.rack")], maxreplicas=4)
        service.update(constraints=["node.role == manager"])
        placement = service.spec["TaskTemplate"]["Placement"]
        assert placement["Preferences"] == [{"Spread": {"SpreadDescriptor": "node.labels.rack"}}]
        assert (placement["MaxReplicas"], placement["Constraints"]) == (4, ["node.role == manager"])

    def test_updates_at_the_same_time_are_all_kept(self, serve, swarm):
        service = serve(replicas=0)
        changes = [{"hostname": "h"}, {"env": ["A=1"]}, {"workdir": "/tmp"}, {"user": "1000"}]
        failures = []

        def update(options):
            try:
                with DockerClient(swarm.host) as client:
                    client.services.get(service.id).update(**options)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=update, args=[options]) for options in changes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        service.reload()
        container = service.spec["TaskTemplate"]["ContainerSpec"]
        assert (container["Hostname"], container["Env"], container["Dir"], container["User"]) == (
            "h",
            ["A=1"],
            "/tmp",
            "1000",
        )

    def test_failed_update_is_rolled_back_and_reported(self, serve):
        service = serve(update_config=UpdateConfig(1, failure_action="rollback", monitor="2s", max_failure_ratio=0.0))
        service.wait(60, stable_for=0)
        service.update(command=["false"])
        with pytest.raises(ConvergenceFailed, match="rolled back"):
            service.wait(60, stable_for=30)
        assert service.client.services.get(service.id).spec["TaskTemplate"]["ContainerSpec"]["Command"] == SLEEP

    def test_a_service_that_can_not_run(self, serve):
        service = serve(["false"], restart_policy=RestartPolicy("none"))
        with pytest.raises(ConvergenceFailed, match="no task is left") as caught:
            service.wait(60)
        assert caught.value.tasks == ("task 1 failed: task: non-zero exit (1)",)

    def test_global(self, client, serve):
        service = serve(mode="global")
        assert service.wait(60, stable_for=0).desired == 1
        assert (service.mode, service.replicas) == ("global", None)
        with pytest.raises(InvalidArgument, match="global"):
            service.scale(2)
        if client.api.supports("GET /services", "filters.mode"):
            assert service in client.services.list({"mode": "global"})

    def test_jobs(self, client, serve):
        if not client.api.supports("POST /services/create", "Mode.ReplicatedJob"):
            with pytest.raises(InvalidVersion, match="ReplicatedJob"):
                serve(["true"], mode="replicated-job")
            return
        job = serve(["true"], mode=ServiceMode("replicated-job", 3, concurrency=2), restart_policy=None)
        progress = job.wait(60)
        assert (progress.ready, progress.desired, progress.job) == (3, 3, True)
        assert str(progress) == "3/3 complete"
        everywhere = serve(["true"], mode="global-job", restart_policy=None)
        assert everywhere.wait(60).ready == 1
        assert all(task.exit_code == 0 for task in client.tasks.list({"service": everywhere.id}))
        job.scale(1)
        assert job.wait(60).desired == 1

    def test_logs(self, serve):
        service = serve(["sh", "-c", f"echo out; echo err >&2; {SLEEP[2]}"], env={"A": "1"})
        service.wait(60, stable_for=0)
        with service.logs(follow=True) as chunks:
            got = b""
            while len(got) < 8:
                got += next(chunks)
        assert sorted(got.split()) == [b"err", b"out"]
        assert b"".join(service.logs(stdout=True)) == b"out\n"
        assert b"".join(service.logs(stderr=True, timestamps=True)).endswith(b" err\n")
        assert list(service.logs(demux=True, stderr=True)) == [(None, b"err\n")]
        assert service.id.encode() in b"".join(service.logs(details=True, tail=5))
        assert b"".join(service.logs(since=4_000_000_000)) == b""
        with pytest.raises(APIError):
            service.client.api.service_logs(service.id)

    def test_logs_of_a_task(self, client, serve):
        service = serve(["sh", "-c", f"echo out; echo err >&2; {SLEEP[2]}"], replicas=2)
        service.wait(60, stable_for=0)
        for task in client.tasks.list({"service": service.id}):
            with task.logs(follow=True) as chunks:
                got = b""
                while len(got) < 8:
                    got += next(chunks)
            assert sorted(got.split()) == [b"err", b"out"]
            assert list(task.logs(demux=True, stdout=False)) == [(None, b"err\n")]
            assert b"".join(task.logs(stderr=False)) == b"out\n"
        assert sorted(b"".join(service.logs()).split()) == [b"err", b"err", b"out", b"out"]

    def test_following_a_log_ends_when_it_is_closed(self, serve):
        service = serve()
        service.wait(60, stable_for=0)
        chunks = service.logs(follow=True)
        closer = threading.Timer(0.5, chunks.close)
        closer.start()
        assert list(chunks) == []
        closer.join()

    def test_objects_of_a_swarm_are_shown_and_compared_without_a_request(
        self, client, serve, unique, labels, requests_of
    ):
        service = serve()
        service.wait(60, stable_for=0)
        secret = client.secrets.create(unique("secret"), "one", labels=labels)
        config = client.configs.create(unique("config"), "one", labels=labels)
        swarm = client.swarm
        for collection in (client.services, client.tasks, client.nodes, client.secrets, client.configs):
            (listed, *_) = collection.list()
            got = collection.get(listed.id)
            with requests_of(client) as sent:
                assert listed == got
                assert hash(listed) == hash(got)
                assert repr(listed) == repr(got)
            assert sent == []
        with requests_of(client) as sent:
            assert len({repr(one) for one in (service, secret, config, swarm)}) == 4
            assert len({service, secret, config, swarm, client.swarm}) == 4
            assert "<table>" in client.swarm._repr_html_()
        assert sent == []

    def test_published_ports_and_networks(self, client, serve, unique, labels, engine):
        network = client.networks.create(unique("net"), driver="overlay", labels=labels, attachable=True)
        service = serve(networks=[network], ports={0: 80}, mounts=[Mount("/scratch", None, type="tmpfs")])
        service.wait(60, stable_for=0)
        assert service.attrs["Endpoint"]["Ports"][0]["TargetPort"] == 80
        assert service.spec["TaskTemplate"]["Networks"] == [{"Target": network.id}]
        verbose = client.networks.get(network.id, verbose=True, scope="swarm")
        assert service.name in verbose.attrs["Services"]
        with pytest.raises(InvalidArgument, match="ports"):
            serve(ports={8080: 80}, endpoint_spec=EndpointSpec(ports={8080: 80}))
        service.remove()

    def test_events_of_a_service(self, client, serve):
        with client.events(filters={"type": "service"}, decode=True) as events:
            service = serve(replicas=0)
            service.update(hostname="x")
            ours = (event["Action"] for event in events if event["Actor"]["ID"] == service.id)
            assert [next(ours), next(ours)] == ["create", "update"]

    def test_low_level_calls(self, api, image, unique, labels):
        template = TaskTemplate(ContainerSpec(image, SLEEP), placement=Placement(["node.role == manager"]))
        made = api.create_service(template, name=unique("service"), labels=labels, mode="replicated", auth_config={})
        facts = api.inspect_service(made["ID"], insert_defaults=True)
        assert facts["Spec"]["UpdateConfig"]
        assert api.services({"id": made["ID"]}, status=True)[0]["ServiceStatus"]["DesiredTasks"] >= 0
        version = facts["Version"]["Index"]
        assert api.update_service(made["ID"], version, labels={**labels, "a": "b"}, fetch_current_spec=True) is not None
        with pytest.raises(APIError, match="out of sequence"):
            api.update_service(made["ID"], version, labels={}, fetch_current_spec=True)
        with pytest.raises(DeprecatedMethod):
            api.create_service(template, endpoint_config={})
        with pytest.raises(InvalidArgument, match="Image"):
            api.create_service({"ContainerSpec": {}})
        assert api.remove_service(made["ID"]) is True
        with pytest.raises(NotFound):
            api.inspect_service(made["ID"])
        with pytest.raises(NotFound):
            api.task_logs("nothing", is_tty=False)

    def test_bad_options(self, client, image):
        with pytest.raises(TypeError, match="colour"):
            client.services.create(image, colour="red")
        with pytest.raises(InvalidArgument, match="log_driver"):
            client.services.create(image, log_driver_options={"a": "b"})
        with pytest.raises(InvalidArgument):
            client.services.create(image, mode="many")


class TestStacks:
    @pytest.fixture
    def name(self, client, unique):
        """Name of a stack, which is removed after the test."""
        name = unique("stack")
        yield name
        Stack(name, client).remove()

    def options(self, image, **more):
        return {
            "image": image,
            "command": SLEEP,
            "restart_policy": AT_ONCE,
            "stop_grace_period": "1s",
            **more,
        }

    def test_stack_lifecycle(self, client, image, name):
        web = self.options(image, replicas=2, secrets=["key"], configs=["web.conf"], labels={"own": "1"})
        stack = client.stacks.deploy(
            name,
            {"web": web, "db": self.options(image, networks=["back"], env={"A": "1"})},
            networks={"back": {"labels": {"own": "2"}, "attachable": True}},
            secrets={"key": "hush"},
            configs={"web.conf": b"port = 80"},
        )
        stack.wait(60, stable_for=0.5)
        assert stack in client.stacks.list()
        assert client.stacks.get(name) == stack
        assert {service.name for service in stack.services()} == {f"{name}_web", f"{name}_db"}
        assert {network.name for network in stack.networks()} == {f"{name}_default", f"{name}_back"}
        assert all(network.attrs["Driver"] == "overlay" for network in stack.networks())
        assert [secret.name for secret in stack.secrets()] == [f"{name}_key"]
        assert len(stack.tasks()) == 3
        containers = client.containers.list(filters={"label": f"com.docker.stack.namespace={name}"})
        assert len(containers) == 3
        container = next(one for one in containers if "_web." in one.name)
        assert container.exec(["cat", "/run/secrets/key", "/web.conf"]).stdout == b"hushport = 80"
        assert b"web" in container.exec(["nslookup", "web"]).stdout

    def test_docker_command_lists_the_stack(self, client, image, name, engine, monkeypatch):
        monkeypatch.setenv("DOCKER_HOST", engine.host)

        def told(*command):
            return subprocess.run(["docker", "stack", *command], check=True, capture_output=True, text=True).stdout

        stack = client.stacks.deploy(name, {"web": self.options(image, replicas=2)})
        stack.wait(60, stable_for=0.5)
        assert f"{name} 1" in told("ls", "--format", "{{.Name}} {{.Services}}").splitlines()
        assert told("services", name, "--format", "{{.Name}} {{.Replicas}}").split() == [f"{name}_web", "2/2"]
        assert len(told("ps", name, "--quiet", "--filter", "desired-state=running").split()) == 2
        told("rm", name)
        assert stack not in client.stacks.list()

    def test_second_deploy_changes_only_differences(self, client, image, name):
        services = {"web": self.options(image), "db": self.options(image)}
        stack = client.stacks.deploy(name, services, configs={"a": "1"})
        stack.wait(60, stable_for=0.5)
        before = {task.id for task in stack.tasks()}
        client.stacks.deploy(name, services, configs={"a": "1"}).wait(60, stable_for=0.5)
        assert {task.id for task in stack.tasks()} == before
        changed = {"web": self.options(image, env=["A=2"])}
        client.stacks.deploy(name, changed, configs={"a": "1"}, prune=True).wait(60, stable_for=0.5)
        (web,) = stack.services()
        assert web.spec["TaskTemplate"]["ContainerSpec"]["Env"] == ["A=2"]
        with pytest.raises(InvalidArgument, match=r"configs\['a'\].*different content.*rotate"):
            client.stacks.deploy(name, changed, configs={"a": "2"})
        client.stacks.deploy(name, {"web": self.options(image)})
        assert not stack.services()[0].spec["TaskTemplate"]["ContainerSpec"].get("Env")

    def test_services_with_the_label_belong_to_the_stack(self, client, image, name, serve):
        serve(name=f"{name}_web", labels={"com.docker.stack.namespace": name})
        assert [service.name for service in client.stacks.get(name).services()] == [f"{name}_web"]

    def test_removing_leaves_nothing(self, client, image, unique):
        name = unique("stack")
        stack = client.stacks.deploy(name, {"web": self.options(image)}, secrets={"s": b"1"}, configs={"c": b"1"})
        stack.wait(60, stable_for=0.5)
        stack.remove()
        assert not [*stack.services(), *stack.networks(), *stack.secrets(), *stack.configs()]
        assert stack not in client.stacks.list()
        with pytest.raises(NotFound, match=name):
            client.stacks.get(name)

    @pytest.mark.parametrize(
        ("given", "error", "says"),
        [
            ({"name": ""}, InvalidArgument, "name: must begin with a letter"),
            ({"name": "a b"}, InvalidArgument, "name: must begin with a letter"),
            ({"services": {}}, InvalidArgument, "services: must be a non-empty mapping"),
            ({"services": {"web": {}}}, InvalidArgument, r"services\['web'\]: must be options including an image"),
            ({"services": {"web": {"image": "x", "imgae": "y"}}}, TypeError, "unknown option imgae"),
            ({"services": {"w/b": {"image": "x"}}}, InvalidArgument, "services: must begin with a letter"),
            ({"networks": {"": {}}}, InvalidArgument, "networks: must begin with a letter"),
        ],
    )
    def test_bad_input(self, client, given, error, says):
        before = client.stacks.list()
        with pytest.raises(error, match=says):
            client.stacks.deploy(**{"name": "bad", "services": {"web": {"image": "busybox"}}, **given})
        assert client.stacks.list() == before
        assert not Stack("bad", client).networks()


def test_secrets_and_configs_are_ensured(client, unique):
    for collection in (client.secrets, client.configs):
        name = unique("ensured")
        first = collection.ensure(name, "one", {"a": "1"})
        assert first.ensured.action == "created"
        same = collection.ensure(name, b"one")
        assert (same.id, same.ensured.action) == (first.id, "unchanged")
        labelled = collection.ensure(name, "one", {"b": "2"})
        assert (str(labelled.ensured), labelled.labels) == ("updated (Labels.b was not set)", {"a": "1", "b": "2"})
        with pytest.raises(Conflict, match=f"'{name}' exists with different data; rotate"):
            collection.ensure(name, "two")
        labelled.remove()


class TestWithoutASwarm:
    def test_engine_without_a_swarm(self, engine):
        with DockerClient(engine.host) as client:
            client.swarm.leave(force=True)
            assert client.swarm.attrs == {}
            assert client.swarm.version is None
            assert client.swarm.is_manager is False
            with pytest.raises(ServiceUnavailable):
                client.swarm.reload()
            for collection in (client.services, client.nodes, client.secrets, client.configs, client.tasks):
                with pytest.raises(ServiceUnavailable):
                    collection.list()
            with pytest.raises((ServiceUnavailable, BadRequest, APIError)):
                client.swarm.leave()
