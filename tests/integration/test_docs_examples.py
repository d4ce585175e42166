"""Run every Python example of the documentation on a real engine, each page's blocks in sequence.

A block that can't run here has ``<!-- not run: why -->`` in the line before it. Nothing is prepared that the reader
doesn't see: only the names of registries are replaced by those of the registries here.
"""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import pytest

import dockerkit.registry
from dockerkit.api.client import APIClient
from dockerkit.testing.labelling import with_labels

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^(?P<indent> *)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE)
NOT_RUN = re.compile(r"<!-- not run: .+ -->\s*$")
MAY_SKIP = 13
"""Maximum number of blocks that may be marked as not run, in all pages together."""


def fill_docker_hub(host):
    """Push an image of two platforms, which stands for the one on Docker Hub."""
    repository, names = "library/busybox", []
    with dockerkit.Registry(host) as registry:
        for architecture in ("amd64", "arm64"):
            config = f'{{"os": "linux", "architecture": "{architecture}", "config": {{}}}}'.encode()
            names.append(f"{host}/{repository}:1.37-{architecture}")
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": registry.upload(repository, config, media_type="x/config").attrs,
                "layers": [registry.upload(repository, b"layer", media_type="x/layer").attrs],
            }
            registry.put_manifest(names[-1], manifest)
    dockerkit.registry.create_index(f"{host}/{repository}:1.37", names)


TEARDOWN: dict[str, str] = {
    "docs/build.md": "client.images.remove('app:1')\nclient.close()",
    "docs/buildkit.md": """
        for name in ("app:1", "registry.example.com/app:1"):
            client.images.remove(name, force=True)
        client.close()
    """,
    "docs/credentials.md": """
        with dockerkit.from_env() as client:
            client.images.remove("registry.example:5000/app:1")
    """,
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
def test_page(page, engine, busybox, registry, auth_registry, labels, monkeypatch, tmp_path):
    labels = {**labels, "dockerkit.docs": page.stem}
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker-config"))  # examples write contexts and credentials
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "NPM_TOKEN", "SSH_AUTH_SOCK"):  # restored at the end
        monkeypatch.setenv(variable, os.environ.get(variable, ""))
    encode = APIClient._encode

    def labelled(self, request):
        query, body = with_labels(labels, request.method, request.path, request.query, request.body)
        return encode(self, request._replace(query=query, body=body))

    monkeypatch.setattr(APIClient, "_encode", labelled)  # so that leftovers of a failed example are found
    clients = []
    init = dockerkit.DockerClient.__init__

    def noted(self, *args, **options):
        init(self, *args, **options)
        clients.append(self)

    namespace = {"__name__": "example"}
    name = str(page.relative_to(ROOT))
    account = f'"{auth_registry.user}", "{auth_registry.password}"'
    here = {  # page -> names in its examples, and their replacements here
        "docs/images.md": {"registry.example.com": registry},
        "docs/guides/registries.md": {"docker.io": registry, "localhost:5000": registry},
        "docs/credentials.md": {
            "registry.example:5000": auth_registry.host,
            '"me", "secret"': account,
            '"username": "token"': f'"username": "{auth_registry.user}"',
            '"secret"': f'"{auth_registry.password}"',
        },
    }.get(name, {})

    def run(code, place, line=0):
        for word, meaning in here.items():
            code = code.replace(word, meaning)
        # Preceded by empty lines, so that a traceback shows the page's line.
        exec(compile("\n" * line + textwrap.dedent(code), place, "exec"), namespace)

    if name == "docs/guides/registries.md":
        fill_docker_hub(registry)
    with dockerkit.from_env() as client:
        monkeypatch.setattr(dockerkit.DockerClient, "__init__", noted)
        for line, code, runs in blocks(page):
            if runs:
                run(code, str(page), line)
        run(TEARDOWN.get(name, ""), "teardown")
        for made in clients:  # examples need not close clients, as the end of a program does
            made.close()
        left = client.containers.list(all=True, filters={"label": [f"{key}={value}" for key, value in labels.items()]})
        names = [container.name for container in left]
        for container in left:
            container.remove(force=True)
        assert names == [], "the page does not clean up"


def test_few_are_left_out():
    skipped = [(str(page), line) for page in PAGES for line, _, runs in blocks(page) if not runs]
    assert len(skipped) <= MAY_SKIP, skipped
