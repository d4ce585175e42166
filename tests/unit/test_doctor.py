"""The doctor's reports and advice."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit.__main__ import main
from dockerkit.cliconfig import context_store
from dockerkit.doctor import _EXTRAS, Problem, Report, examine, render

VERSION = {
    "Version": "28.5",
    "ApiVersion": "1.51",
    "MinAPIVersion": "1.24",
    "Components": [{"Name": "Engine", "Version": "28.5\nx"}],
}
INFO = {
    "OperatingSystem": "Debian",
    "OSType": "linux",
    "Architecture": "x86_64",
    "Driver": "overlay2",
    "Swarm": {"LocalNodeState": "active"},
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "Runtimes": {"runc": {}},
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / "config"), "PATH": str(tmp_path)}


@pytest.fixture
def engine(scripted: ScriptedEngine, env: dict[str, str]) -> ScriptedEngine:
    env["DOCKER_HOST"] = scripted.host
    scripted.on("GET", "/version", Answer.json(VERSION))
    scripted.on("GET", "/info", Answer.json(INFO))
    return scripted


def configure(env: dict[str, str], value: object, mode: int = 0o600) -> Path:
    path = Path(env["DOCKER_CONFIG"], "config.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    path.chmod(mode)
    return path


def whats(report: Report) -> list[str]:
    return [problem.what for problem in report.problems]


def test_reports_a_healthy_engine(engine: ScriptedEngine, env: dict[str, str]) -> None:
    report = examine(environment=env)
    assert report.healthy and report.problems == []
    assert report.endpoint["source"] == "DOCKER_HOST" and report.endpoint["host"] == engine.host
    assert report.engine["product"] == "Engine 28.5"
    assert report.engine["spoken_api_version"] == "1.51" and report.engine["swarm"] == "active"
    assert report.engine["security"] == ["name=seccomp,profile=builtin"]
    text = render(report)
    assert "storage: overlay2" in text and text.startswith(
        f"\u2713 Engine {report.engine['version']} responds at {engine.host}.\n"
    )
    assert json.loads(json.dumps(report.as_dict()))["healthy"] is True


def test_reports_a_missing_engine(env: dict[str, str]) -> None:
    report = examine(f"unix://{env['HOME']}/none.sock", environment=env)
    assert not report.healthy
    assert "Start the engine" in whats(report)[0]
    assert "ERROR: can't reach" in render(report)


def test_reports_unresolvable_addresses(env: dict[str, str]) -> None:
    assert "no Docker context named 'gone'" in whats(examine(context="gone", environment=env))[0]
    assert whats(examine(environment={**env, "DOCKER_HOST": "junk"}))[0].startswith(
        "DOCKER_HOST: 'junk' is not a valid engine address"
    )
    configure(env, "{")
    report = examine("unix:///none", environment=env)
    assert Problem("error", whats(report)[0], "Repair the file, or move it away and log in again") in report.problems


def test_contexts_and_what_overrides_them(engine: ScriptedEngine, env: dict[str, str]) -> None:
    folder = env["DOCKER_CONFIG"]
    for name in ("one", "two"):
        context_store.write(folder, {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": "ssh://h"}}}, {})
    context_store.use(folder, "two")
    report = examine(environment=env)
    assert [(one["name"], one["current"]) for one in report.contexts] == [("one", False), ("two", True)]
    assert whats(report) == ["DOCKER_HOST is set and overrides the current context 'two'"]
    assert "  * two: ssh://h" in render(report)
    del env["DOCKER_HOST"]
    env["DOCKER_CONTEXT"] = "default"
    assert "DOCKER_CONTEXT is set and overrides the current context 'two'" in whats(
        examine(engine.host, environment=env)
    )


def test_credentials_are_counted_and_never_shown(engine: ScriptedEngine, env: dict[str, str]) -> None:
    path = configure(
        env,
        {
            "auths": {"r.example": {"auth": "bWU6aHVudGVyMg=="}, "helped.example": {}},
            "credsStore": "there",
            "credHelpers": {"other.example": "missing"},
        },
        mode=0o644,
    )
    program = Path(env["PATH"], "docker-credential-there")
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    report = examine(environment=env)
    assert report.credentials == {
        "file": str(path),
        "helpers": [
            {"registry": "all others", "helper": "there", "program": str(program)},
            {"registry": "other.example", "helper": "missing", "program": None},
        ],
        "in_file": ["r.example"],
    }
    assert any("program docker-credential-missing is not installed" in what for what in whats(report))
    assert any("readable by other users" in what for what in whats(report))
    assert "bWU6" not in render(report) + json.dumps(report.as_dict())


def test_reports_misleading_variables(engine: ScriptedEngine, env: dict[str, str]) -> None:
    env |= {"DOCKER_CERT_PATH": "/x", "HTTPS_PROXY": "http://me:hunter2@proxy:1"}
    report = examine(environment=env)
    assert whats(report) == ["DOCKER_CERT_PATH is set, but TLS is not enabled"]
    assert report.environment["HTTPS_PROXY"] == "http://proxy:1"
    assert "hunter2" not in render(report)
    report = examine(environment={**env, "DOCKER_TLS": "0"})
    assert "DOCKER_TLS=0 enables TLS" in whats(report)[0]


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"Warnings": ["No swap\n  limit support"]}, "the engine reports: No swap limit support"),
        ({"Driver": "vfs"}, "storage driver vfs"),
        ({"Swarm": {"LocalNodeState": "error", "Error": "no quorum"}}, "swarm: no quorum"),
        ({"SystemTime": "2001-01-01T00:00:00.123456789Z"}, "seconds behind this machine"),
        ({"SystemTime": "2101-01-01T00:00:00.1+02:00"}, "seconds ahead of this machine"),
    ],
)
def test_reports_warnings_of_the_engine(
    scripted: ScriptedEngine, env: dict[str, str], facts: dict[str, Any], says: str
) -> None:
    scripted.on("GET", "/version", Answer.json(VERSION))
    scripted.on("GET", "/info", Answer.json({**INFO, **facts}))
    report = examine(scripted.host, environment=env)
    assert report.healthy and len(report.problems) == 1 and says in whats(report)[0]


def test_warns_about_remote_engines_without_tls(env: dict[str, str]) -> None:
    report = examine("tcp://engine.invalid:2375", environment=env, timeout=1)
    assert "is reached without TLS" in whats(report)[0]
    report = examine("tcp://127.0.0.1:1", environment=env, timeout=1)
    assert len(report.problems) == 1, "only that nobody listens"


def test_the_command(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["engine"]["version"] == "28.5"
    assert main(["doctor", "--host", "unix:///none.sock", "--timeout", "1"]) == 1
    assert "ERROR" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([])


def test_passwords_in_variables_are_not_shown(env: dict[str, str]) -> None:
    env |= {"DOCKER_HOST": "tcp://me:s3cret@10.0.0.1:2375", "HTTP_PROXY": "http://me:s3cret@proxy:3128"}
    report = examine(environment=env)
    assert "s3cret" not in render(report) + json.dumps(report.environment)
    assert report.environment["DOCKER_HOST"] == "tcp://me:***@10.0.0.1:2375"


def test_python_m_runs_the_command():
    done = subprocess.run([sys.executable, "-m", "dockerkit", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: dockerkit ")


def test_verdict_comes_first_and_colour_is_optional(env: dict[str, str]) -> None:
    report = examine(f"unix://{env['HOME']}/none.sock", environment=env)
    plain, coloured = render(report), render(report, colour=True)
    assert plain.split("\n")[0].startswith("\u2717 No working engine")
    assert plain.split("\n")[1].startswith("ERROR: ")
    assert "\x1b" not in plain
    assert coloured.startswith("\x1b[31m")
    assert ": none\n" not in plain


def test_podman_is_named_with_what_it_lacks(scripted: ScriptedEngine, env: dict[str, str]) -> None:
    components = [{"Name": "Podman Engine", "Version": "5.4.2"}]
    scripted.on("GET", "/version", Answer.json({**VERSION, "Components": components}))
    scripted.on("GET", "/info", Answer.json(INFO))
    report = examine(scripted.host, environment=env)
    assert report.engine["builder"] == "Buildah, without BuildKit"
    assert "see Podman in dockerkit's documentation" in render(report)


def test_extras_say_what_they_are_for(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("rich", "win32file") else found(name)
    )
    report = examine("tcp://127.0.0.1:1", environment=env)
    assert "progress" not in report.client["extras"]
    assert "    progress, for progress=\"rich\": pip install 'dockerkit[progress]'" in render(report).splitlines()


def test_every_extra_is_explained() -> None:
    metadata = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert set(metadata["project"]["optional-dependencies"]) - {"all", "buildkit"} == set(_EXTRAS)


def test_missing_engine_is_told_without_sending_the_reader_to_the_doctor(env: dict[str, str]) -> None:
    text = render(examine("unix:///none.sock", environment=env))
    assert "List everything that was tried" not in text
    text = render(examine(environment=env))
    assert "dockerkit doctor" not in text
