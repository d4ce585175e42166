"""Libraries that import docker, unchanged, on dockerkit: four well-known ones, against a real engine.

They are installed, without docker-py, into a folder of their own, which only the processes started here see.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("dependents")  # they are installed once

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".dependents"
REQUIREMENTS = ["testcontainers==4.15.0", "docker-squash==1.2.2", "pytest-docker-tools==3.1.10", "dockerpty==0.4.1", "six==1.17.0",
                "wrapt", "python-dotenv"]  # fmt: skip


@pytest.fixture(scope="session")
def dependents():
    """The folder that they are in; installed once, and again when the list changes."""
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
    def run(code: str, **texts: str) -> str:
        """Run a program that sees them; ENGINE, IMAGE, NAME and LABELS stand for what they say."""
        values = {"IMAGE": repr(busybox), "NAME": repr(unique()), "LABELS": repr(labels), **texts}
        program = textwrap.dedent(code)
        for word, value in values.items():
            program = program.replace(word, value)
        prelude = "import dockerkit\ndockerkit.install_as_docker()\n"
        done = subprocess.run(
            [sys.executable, "-c", prelude + program],
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
    assert out.splitlines()[-2:] == ["True True", "dockerkit.models.containers"]


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
            assert docker.from_env == dockerkit.from_env
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
