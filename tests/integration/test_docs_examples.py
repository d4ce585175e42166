"""Every Python example of the documentation, on a real engine: a page's blocks run one after the other.

A block that can't run here has ``<!-- not run: why -->`` in the line before it. What a page takes for granted
(a container, an image) is in SETUP.
"""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import pytest

import dockerkit
from dockerkit.api.client import APIClient
from dockerkit.testing.labelling import with_labels

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^(?P<indent> *)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE)
NOT_RUN = re.compile(r"<!-- not run: .+ -->\s*$")
MAY_SKIP = 12
"""So many blocks may be marked as not run, in all pages together."""

SETUP: dict[str, str] = {
    "docs/buildkit.md": """
        import os
        import socket
        from pathlib import Path

        client = dockerkit.from_env()
        Path("Dockerfile").write_text(
            "FROM busybox AS work\\nRUN echo text > /docs.html\\n"
            "FROM scratch AS docs\\nCOPY --from=work /docs.html /\\nFROM work\\n"
        )
        os.environ["HOME"], os.environ["NPM_TOKEN"] = os.getcwd(), "t"
        Path(".netrc").write_text("")
        agent = socket.socket(socket.AF_UNIX)
        agent.bind("agent.sock")
        agent.listen()
        os.environ["SSH_AUTH_SOCK"] = os.path.abspath("agent.sock")
    """,
    "docs/build.md": """
        import os
        from pathlib import Path
        from dockerkit.utils.build import tar

        client = dockerkit.from_env()
        Path("work/data").mkdir(parents=True)
        Path("elsewhere").mkdir()
        os.chdir("work")
        source = "print()"
        Path("Dockerfile").write_text("FROM busybox\\nARG VERSION\\nRUN echo $VERSION\\n")
        Path("../elsewhere/Dockerfile").write_text("FROM busybox\\nRUN true\\n")
        with open("context.tar.gz", "wb") as file, tar(".", gzip=True) as archive:
            file.write(archive.read())
        opened = []

        def open(*args):
            opened.append(__builtins__["open"](*args))
            return opened[-1]
    """,
    "docs/files.md": """
        from pathlib import Path

        client = dockerkit.from_env()
        container = client.containers.create("busybox", command="true", volumes=["/var/log", "/srv", "/etc", "/data"])
        Path("site").mkdir()
        Path("site/index.html").write_text("page")
        Path("app.py").write_text("print()")
        Path("target").mkdir()
        container.write_file("/data/x", "y")
    """,
    "docs/images.md": """
        import tarfile
        from pathlib import Path
        from dockerkit.testing import FakeEngine

        engine = FakeEngine()  # it has every registry
        for name in ("busybox", "alpine:3"):
            engine.add_image(name)
        client = other_client = dockerkit.DockerClient(engine.host)
        secret, ask_vault = "s", lambda registry: {"username": "me", "password": "s"}
        tarfile.open("root.tar", "w").close()
    """,
    "docs/credentials.md": """
        client = dockerkit.from_env()
        account = {"username": "me", "password": "secret"}
        client.images.get("busybox").tag("registry.example:5000/app", "1")
        client.images.push("registry.example:5000/app", "1", auth_config=account)
        fetch_token = lambda registry: "secret"
    """,
}
TEARDOWN: dict[str, str] = {
    "docs/buildkit.md": """
        agent.close()
        for name in ("app:1", "registry.example.com/app:1"):
            client.images.remove(name, force=True)
        client.close()
    """,
    "docs/build.md": """
        client.images.remove("app:1")
        client.close()
        for file in opened:
            file.close()
    """,
    "docs/files.md": "container.remove(v=True)\nclient.close()",
    "docs/images.md": "client.close()\nengine.close()",
    "docs/credentials.md": "client.images.remove('registry.example:5000/app:1')\nclient.close()",
}


def blocks(page):
    """(line, code, whether it runs) of a page's examples."""
    text = page.read_text()
    for match in BLOCK.finditer(text):
        yield (
            text.count("\n", 0, match.start()) + 1,
            textwrap.dedent(match["code"]),
            not NOT_RUN.search(text[: match.start()]),
        )


PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if any(blocks(page))]


def _param(page):
    marks = [pytest.mark.xdist_group("swarm")] if page.stem == "swarm" else []  # one swarm at a time on an engine
    return pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks)


@pytest.mark.usefixtures("no_images_left")
@pytest.mark.parametrize("page", [_param(page) for page in PAGES])
def test_page(page, engine, busybox, auth_registry, labels, monkeypatch, tmp_path):
    labels = {**labels, "dockerkit.docs": page.stem}
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker-config"))  # examples write contexts and credentials
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "NPM_TOKEN", "SSH_AUTH_SOCK"):  # as they are now again at the end
        monkeypatch.setenv(variable, os.environ.get(variable, ""))
    request = APIClient._request

    def labelled(self, method, path, ids, query, body, *rest):
        return request(self, method, path, ids, *with_labels(labels, method, path, query, body), *rest)

    monkeypatch.setattr(APIClient, "_request", labelled)  # so that what a failed example leaves is found
    clients = []
    init = dockerkit.DockerClient.__init__

    def noted(self, *args, **options):
        init(self, *args, **options)
        clients.append(self)

    namespace = {"__name__": "example"}
    name = str(page.relative_to(ROOT))
    here = {  # names of the examples, and what stands for them here
        "registry.example:5000": auth_registry.host,
        "registry.example/": f"{auth_registry.host}/",
        '"me", "secret"': f'"{auth_registry.user}", "{auth_registry.password}"',
        '"me", "password": "secret"': f'"{auth_registry.user}", "password": "{auth_registry.password}"',
        '"username": "token"': f'"username": "{auth_registry.user}"',
        '"secret"': f'"{auth_registry.password}"',
    }

    def run(code, place, line=0):
        if name == "docs/credentials.md":
            for word, meaning in here.items():
                code = code.replace(word, meaning)
        # Empty lines before it, so that a traceback shows the page's line.
        exec(compile("\n" * line + textwrap.dedent(code), place, "exec"), namespace)

    with dockerkit.from_env() as client:
        monkeypatch.setattr(dockerkit.DockerClient, "__init__", noted)
        namespace |= {"dockerkit": dockerkit}
        run(SETUP.get(name, ""), "setup")
        for line, code, runs in blocks(page):
            if runs:
                run(code, str(page), line)
        run(TEARDOWN.get(name, ""), "teardown")
        for made in clients:  # examples need not close what a program's end closes
            made.close()
        left = client.containers.list(all=True, filters={"label": [f"{key}={value}" for key, value in labels.items()]})
        names = [container.name for container in left]
        for container in left:
            container.remove(force=True)
        assert names == [], "the page does not clean up"


def test_few_are_left_out():
    skipped = [(str(page), line) for page in PAGES for line, _, runs in blocks(page) if not runs]
    assert len(skipped) <= MAY_SKIP, skipped
