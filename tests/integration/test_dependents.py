"""Programs and libraries that import docker, unchanged, on dockerkit, against a real engine; the migration guide lists them.

They are installed, without docker-py, into a folder of their own, which only the processes started here see.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("dependents")  # they are installed once

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".dependents"
REQUIREMENTS = [
    "testcontainers==4.15.0", "wrapt", "python-dotenv",
    "docker-squash==1.2.2", "pytest-docker-tools==3.1.10",
    "dockerpty==0.4.1", "six==1.17.0",
    "docker-compose==1.29.2", "distro", "docopt", "jsonschema==3.2.0", "attrs", "pyrsistent", "pyyaml", "setuptools<81", "texttable",
    "websocket-client<1",
    "luigi==3.8.1", "lockfile", "python-daemon==3.1.2", "python-dateutil", "tenacity", "tornado",
    "llm-sandbox==0.3.46",
    "autogen-ext==0.7.5", "autogen-core==0.7.5", "aiofiles", "asyncio-atexit", "jsonref", "opentelemetry-api", "pillow", "protobuf",
    "jupyter-repo2docker==2024.7.0", "chardet", "entrypoints", "escapism", "iso8601", "jinja2", "markupsafe", "python-json-logger",
    "ruamel.yaml", "semver", "toml", "traitlets",
    "glances==4.5.8", "defusedxml", "psutil", "shtab",
    "moto==5.2.5", "boto3==1.44.8", "botocore==1.44.8", "jmespath", "responses==0.26.3", "s3transfer", "werkzeug", "xmltodict",
    "localstack-core==2026.3.0", "cachetools",
]  # fmt: skip


@pytest.fixture(scope="session")
def dependents():
    """Folder of the installed programs; installed once, and again when the list changes."""
    stamp = FOLDER / "requirements"
    wanted = "\n".join(REQUIREMENTS)
    if not stamp.is_file() or stamp.read_text() != wanted:
        command = [sys.executable, "-m", "pip", "install", "-q", "--upgrade", "--no-deps", "--target", str(FOLDER)]
        subprocess.run([*command, *REQUIREMENTS], check=True, timeout=170)
        stamp.write_text(wanted)
    assert not (FOLDER / "docker").exists(), "docker-py is there: this would show nothing"
    return FOLDER


@pytest.fixture
def run(engine, busybox, unique, labels, dependents, tmp_path):
    def run(code: str, *command: str, **texts: str) -> str:
        """Run a program that imports them, with IMAGE, NAME and LABELS replaced; or run a command."""
        values = {"IMAGE": repr(busybox), "NAME": repr(unique()), "LABELS": repr(labels), **texts}
        program = textwrap.dedent(code)
        for word, value in values.items():
            program = program.replace(word, value)
        prelude = "import dockerkit\ndockerkit.install_as_docker()\n"
        done = subprocess.run(
            [sys.executable, *(command or ("-c", prelude + program))],
            cwd=tmp_path,
            env={
                **os.environ,
                "DOCKER_HOST": engine.host,
                "TESTCONTAINERS_RYUK_DISABLED": "true",
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(dependents)]),
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_testcontainers(run):
    out = run("""
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.network import Network
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy

        with Network(docker_network_kw={"labels": LABELS}) as network:
            container = (
                DockerContainer(IMAGE)
                .with_command(["sh", "-c", "echo ready; echo $A; sleep 600"])
                .with_env("A", "from the environment")
                .with_exposed_ports(80)
                .with_network(network)
                .with_kwargs(labels=LABELS)
                .waiting_for(LogMessageWaitStrategy("ready"))
            )
            with container:
                print(container.exec(["echo", "hi"]).output)
                print(container.get_logs()[0])
                print(int(container.get_exposed_port(80)) > 0, bool(container.get_container_host_ip()))
                print(type(container.get_wrapped_container()).__module__)
    """)
    assert out.splitlines()[0] == "b'hi\\n'"
    assert "from the environment" in out
    assert out.splitlines()[-2] == "True True"
    assert out.splitlines()[-1].startswith("dockerkit.models.containers")


def test_docker_squash(run, client, unique, busybox):
    before, after = unique(), unique()
    try:
        out = run(
            """
            import io, logging
            import docker
            from docker_squash.squash import Squash

            client = docker.from_env()
            dockerfile = f"FROM {IMAGE}\\nRUN echo 1 > /a\\nRUN echo 2 > /b\\nRUN rm /a\\n"
            client.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=BEFORE, labels=LABELS, rm=True)
            api = docker.APIClient()
            Squash(log=logging.getLogger(), image=BEFORE, tag=AFTER, docker=api, load_image=True).run()
            layers = [len(client.images.get(tag).attrs["RootFS"]["Layers"]) for tag in (BEFORE, AFTER)]
            print(layers[0] > layers[1], client.containers.run(AFTER, ["cat", "/b"], remove=True))
            """,
            BEFORE=repr(before),
            AFTER=repr(after),
        )
        assert out.splitlines()[-1] == "True b'2\\n'"
    finally:
        for name in (before, after):
            if client.images.exists(name):
                client.images.remove(name, force=True)


@pytest.mark.usefixtures("no_images_left")
def test_pytest_docker_tools(run, busybox, labels, tmp_path):
    (tmp_path / "given.py").write_text(f"IMAGE = {busybox!r}\nLABELS = {labels!r}\n")
    (tmp_path / "test_users.py").write_text(
        textwrap.dedent("""
        import docker
        import dockerkit
        from pytest_docker_tools import container, network, volume
        from given import IMAGE, LABELS

        net = network(labels=LABELS)
        data = volume(initial_content={"hello": b"world\\n"}, labels=LABELS)
        server = container(
            image=IMAGE,
            command=["sh", "-c", "cat /data/hello; echo page > /tmp/index.html; httpd -f -p 80 -h /tmp"],
            ports={"80/tcp": None},
            network="{net.name}",
            volumes={"{data.name}": {"bind": "/data"}},
            labels=LABELS,
        )

        def test_server(server):
            assert docker.models.containers.Container is dockerkit.models.containers.Container
            assert "world" in server.logs()
            assert server.exec_run(["cat", "/tmp/index.html"]).output == b"page\\n"
            assert server.get_addr("80/tcp")
    """)
    )
    out = run("""
        import sys
        import pytest

        sys.path.insert(0, ".")
        code = pytest.main(["-q", "-p", "no:cacheprovider", "test_users.py"])
        assert code == 0
    """)
    assert "1 passed" in out


def test_dockerpty(run):
    out = run("""
        import os, pty, time
        import docker, dockerpty

        client = docker.APIClient()
        command = ["sh", "-c", "read word; echo got $word; exit 3"]
        container = client.create_container(IMAGE, command, stdin_open=True, tty=True, labels=LABELS)
        child, terminal = pty.fork()
        if child == 0:
            dockerpty.start(client, container["Id"])
            os._exit(0)
        seen = b""
        deadline = time.monotonic() + 30
        while not client.inspect_container(container)["State"]["Running"] and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        os.write(terminal, b"hello" + bytes([10]))
        try:
            while data := os.read(terminal, 1000):
                seen += data
        except OSError:
            pass
        os.waitpid(child, 0)
        print(b"got hello" in seen, int(client.wait(container)["StatusCode"]))
        client.remove_container(container)
    """)
    assert out.split() == ["True", "3"]


COMPOSE = """
version: "2.4"
services:
  db:
    image: {image}
    command: ["sh", "-c", "echo db ready; sleep 600"]
    labels: {labels}
    volumes: ["data:/data"]
    environment: {{A: "1", B: }}
    healthcheck: {{test: ["CMD", "true"], interval: 1s, timeout: 5s, retries: 9}}
    mem_limit: 64m
    ulimits: {{nofile: {{soft: 100, hard: 200}}}}
    extra_hosts: ["x:1.2.3.4"]
    cap_add: [NET_ADMIN]
    tmpfs: /run
  web:
    build: {{context: ., args: {{WORD: "built"}}, labels: {labels}}}
    image: {name}
    command: httpd -f -p 80 -h /www
    labels: {labels}
    ports: ["80", "127.0.0.1::81"]
    depends_on: {{db: {{condition: service_healthy}}}}
    networks: {{default: {{aliases: [www]}}}}
    restart: "on-failure:2"
    logging: {{driver: json-file, options: {{max-size: "1m"}}}}
volumes: {{data: {{labels: {labels}}}}}
networks: {{default: {{driver: bridge, labels: {labels}}}}}
"""


@pytest.mark.usefixtures("no_images_left")
def test_docker_compose(run, client, busybox, unique, labels, tmp_path):
    name = unique()
    (tmp_path / "docker-compose.yml").write_text(COMPOSE.format(image=busybox, name=name, labels=json.dumps(labels)))
    (tmp_path / "Dockerfile").write_text(
        f"FROM {busybox}\nARG WORD\nRUN mkdir /www && echo page $WORD > /www/index.html\n"
    )

    def compose(*command: str) -> str:
        return run(
            "",
            "-m",
            "dockerkit.compat",
            "run",
            "--",
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "compose",
            "-p",
            name,
            *command,
        )

    try:
        compose("up", "-d")
        assert compose("exec", "-T", "web", "wget", "-qO-", "http://localhost/") == "page built\n"
        assert "db ready" in compose("logs", "--no-color", "db")
        compose("up", "-d", "--scale", "web=2")
        assert compose("ps", "-q", "web").count("\n") == 2
        assert "one-off" in compose("run", "--rm", "--no-deps", "db", "echo", "one-off")
    finally:
        compose("down", "-v", "-t", "0")
        for made in client.images.list(name):
            client.images.remove(made.id, force=True)


def test_luigi(run):
    out = run("""
        import luigi
        from luigi.contrib.docker_runner import DockerTask

        class Good(DockerTask):
            image = IMAGE
            name = NAME
            command = ["sh", "-c", "test $X = 1 && echo done > $LUIGI_TMP_DIR/out"]
            environment = {"X": "1"}
            container_options = {"labels": LABELS}
            host_config_options = {"mem_limit": "64m"}
            ended = False

            def complete(self):
                return self.ended

            def on_success(self):
                type(self).ended = True

        class Bad(Good):
            command = ["sh", "-c", "echo bad >&2; exit 3"]
            ended = False

        print(luigi.build([Good()], local_scheduler=True, log_level="CRITICAL"))
        print(luigi.build([Bad()], local_scheduler=True, log_level="CRITICAL"))
    """)
    assert out.split() == ["True", "False"]


def test_llm_sandbox(run, tmp_path):
    (tmp_path / "in.txt").write_text("data\n")
    out = run("""
        from llm_sandbox import SandboxSession

        configs = {"labels": LABELS, "mem_limit": "64m", "cap_drop": ["ALL"], "init": True}
        with SandboxSession(
            image=IMAGE, lang="cpp", keep_template=True, skip_environment_setup=True, workdir="/tmp/w", runtime_configs=configs
        ) as session:
            ran = session.execute_command("sh -c 'echo out; echo err >&2; exit 4'")
            print(ran.exit_code, repr(ran.stdout), repr(ran.stderr))
            session.copy_to_runtime("in.txt", "/tmp/w/in.txt")
            print(repr(session.execute_command("cat /tmp/w/in.txt").stdout))
            session.copy_from_runtime("/tmp/w/in.txt", "back.txt")
            print(repr(open("back.txt").read()))
    """)
    assert out.splitlines() == [r"4 'out\n' 'err\n'", r"'data\n'", r"'data\n'"]


def test_autogen(run):
    """Its code executor shares a folder with the container; the test engines only see one folder of this machine."""
    out = run("""
        import asyncio, tempfile
        from autogen_core import CancellationToken
        from autogen_core.code_executor import CodeBlock
        from autogen_ext.code_executors.docker import DockerCommandLineCodeExecutor

        async def main(folder):
            executor = DockerCommandLineCodeExecutor(image=IMAGE, container_name=NAME, work_dir=folder, timeout=30)
            async with executor:
                for code in ("echo hi; exit 3", "sleep 60"):
                    result = await executor.execute_code_blocks([CodeBlock(code, "sh")], CancellationToken())
                    print(result.exit_code, result.output.strip())
                    executor._timeout = 1

        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            asyncio.run(main(folder))
    """)
    assert out.splitlines()[0] == "3 hi"
    assert out.splitlines()[1].startswith(("124", "143"))  # timed out: busybox's timeout has its own exit code


def test_repo2docker(run, client, unique, tmp_path):
    tag = unique()
    (tmp_path / "Dockerfile").write_text("")
    try:
        out = run(
            """
            from repo2docker.docker import DockerEngine

            engine = DockerEngine(parent=None)
            open("Dockerfile", "w").write(f"FROM {IMAGE}\\nARG A\\nRUN echo built $A > /built\\n")
            records = list(engine.build(
                path=".", tag=TAG, buildargs={"A": "1"}, container_limits={"memory": None}, labels=LABELS, cache_from=[],
                platform=None,
            ))
            print(any("Successfully tagged" in record.get("stream", "") for record in records))
            print(any(TAG + ":latest" in (image.tags or ()) for image in engine.images()))
            print(engine.inspect_image(TAG).config["Cmd"])
            container = engine.run(TAG, command=["sh", "-c", "cat /built; sleep 1; exit 3"], ports={"80/tcp": None}, labels=LABELS)
            print(b"".join(container.logs(stream=True)))
            container.wait()
            container.reload()
            print(container.status, container.exitcode)
            container.remove()
            """,
            TAG=repr(tag),
        )
        assert out.splitlines() == ["True", "True", "['sh']", r"b'built 1\n'", "exited 3"]
    finally:
        if client.images.exists(tag):
            client.images.remove(tag, force=True)


def test_glances(run):
    out = run("""
        import time
        import docker
        from glances.plugins.containers.engines.docker import DockerExtension

        container = docker.from_env().containers.run(IMAGE, "sleep 600", detach=True, name=NAME, labels=LABELS)
        extension = DockerExtension()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            _, containers = extension.update(all_tag=False)
            (shown,) = [one for one in containers if one["name"] == NAME]
            if shown.get("memory_usage"):
                break
            time.sleep(0.2)
        print(shown["status"], shown["memory_usage"] > 0, shown["cpu_percent"] is not None)
        extension.stop()
        container.remove(force=True)
    """)
    assert out.split() == ["running", "True", "True"]


def test_moto(run):
    """Its AWS Batch runs jobs in containers while it replaces requests' adapters to mock AWS."""
    out = run("""
        import os, time
        os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="us-east-1")
        import boto3
        from moto import mock_aws

        def run_job(batch, logs, queue, definition, code):
            environment = [{"name": "CODE", "value": code}]
            job = batch.submit_job(
                jobName=f"job{code}", jobQueue=queue, jobDefinition=definition,
                containerOverrides={"environment": environment},
            )["jobId"]
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                seen = batch.describe_jobs(jobs=[job])["jobs"][0]
                if seen["status"] in ("SUCCEEDED", "FAILED"):
                    break
                time.sleep(0.2)
            stream = seen["container"]["logStreamName"]
            events = logs.get_log_events(logGroupName="/aws/batch/job", logStreamName=stream)["events"]
            print(seen["status"], [event["message"] for event in events])

        with mock_aws():
            batch, logs = boto3.client("batch"), boto3.client("logs")
            role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="any")["Role"]["Arn"]
            environment = batch.create_compute_environment(
                computeEnvironmentName="environment", type="UNMANAGED", state="ENABLED", serviceRole=role
            )["computeEnvironmentArn"]
            queue = batch.create_job_queue(
                jobQueueName="queue", state="ENABLED", priority=1,
                computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
            )["jobQueueArn"]
            command = ["sh", "-c", "echo from the job; exit $CODE"]
            definition = batch.register_job_definition(
                jobDefinitionName="definition", type="container",
                containerProperties={"image": IMAGE, "vcpus": 1, "memory": 64, "command": command},
            )["jobDefinitionArn"]
            for code in ("0", "3"):
                run_job(batch, logs, queue, definition, code)
    """)
    assert out.splitlines()[-2:] == ["SUCCEEDED ['from the job']", "FAILED ['from the job']"]


def test_responses(run):
    """A library that mocks HTTP only mocks requests' own calls, not those to the engine."""
    out = run("""
        import docker, requests, responses

        with responses.RequestsMock() as mock:
            mock.add("GET", "http://service.test/", body="mocked")
            client = docker.from_env()
            print(requests.get("http://service.test/").text)
            print(client.containers.run(IMAGE, "echo hi", remove=True, labels=LABELS))
            print(client.api.get(client.api.base_url + "/_ping").text)
    """)
    assert out.splitlines() == ["mocked", "b'hi\\n'", "OK"]


def test_localstack(run, client, unique, tmp_path):
    """The client through which LocalStack starts containers for Lambda functions and the like."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("data\n")
    (tmp_path / "Dockerfile").write_text("")
    tag = unique()
    try:
        out = run(
            """
            import os, sys
            from localstack.utils.container_utils.container_client import ContainerException, NoSuchContainer, NoSuchImage
            from localstack.utils.container_utils.container_client import NoSuchNetwork, PortMappings
            from localstack.utils.container_utils.docker_sdk_client import SdkDockerClient

            docker = SdkDockerClient()
            ports = PortMappings()
            ports.add(0, 80)
            docker.create_container(
                IMAGE, name=NAME, command=["sh", "-c", "echo begun; sleep 600"], env_vars={"A": "1"}, labels=LABELS,
                additional_flags="--ulimit nofile=100:200 -e B=2 --add-host x:1.2.3.4",
            )
            try:
                docker.start_container(NAME)
                print(docker.get_container_status(NAME).name, docker.is_container_running(NAME))
                stream = docker.stream_container_logs(NAME)
                print(next(iter(stream)), docker.get_container_logs(NAME))
                stream.close()
                print(docker.exec_in_container(NAME, ["sh", "-c", "echo $A$B$C; grep -c 1.2.3.4 /etc/hosts"], env_vars={"C": "3"})[0])
                print(docker.exec_in_container(NAME, "cat", stdin=b"input", interactive=True)[0])
                try:
                    docker.exec_in_container(NAME, ["sh", "-c", "echo out; echo err >&2; exit 3"])
                except ContainerException as error:
                    print(error.stdout, error.stderr)
                docker.copy_into_container(NAME, "folder", "/tmp/")
                docker.copy_into_container(NAME, "folder/file", "/tmp/copy")
                docker.copy_from_container(NAME, "back", "/tmp/copy")
                print(docker.exec_in_container(NAME, "cat /tmp/folder/file")[0], repr(open("back").read()))
                print(docker.get_container_ip(NAME).count("."), NAME in docker.get_running_container_names())
            finally:
                docker.remove_container(NAME, force=True)
            for missing, call in (
                (NoSuchContainer, lambda: docker.inspect_container(NAME)),
                (NoSuchContainer, lambda: docker.get_container_logs(NAME)),
                (NoSuchImage, lambda: docker.inspect_image(TAG, pull=False)),
                (NoSuchNetwork, lambda: docker.inspect_network(NAME)),
            ):
                try:
                    call()
                except missing:
                    print(missing.__name__)
            open("Dockerfile", "w").write(f"FROM {IMAGE}\\nLABEL {' '.join(f'{k}={v}' for k, v in LABELS.items())}\\n")
            log = docker.build_image(os.path.abspath("Dockerfile"), TAG)
            print("Successfully built" in log, docker.inspect_image(TAG, pull=False)["Config"]["Labels"] == LABELS)
            """,
            TAG=repr(tag),
        )
    finally:
        if client.images.exists(tag):
            client.images.remove(tag, force=True)
    assert out.splitlines() == [
        "UP True",
        r"b'begun\n' begun",
        "",
        r"b'123\n1\n'",
        "b'input'",
        r"b'out\n' b'err\n'",
        r"b'data\n' 'data\n'",
        "3 True",
        "NoSuchContainer",
        "NoSuchContainer",
        "NoSuchImage",
        "NoSuchNetwork",
        "True True",
    ]
