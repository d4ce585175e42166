"""Files are written atomically, and errors don't show the content of the docker command's files."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from dockerkit.cliconfig import configfile
from dockerkit.cliconfig.json_file import edit_json, read_json
from dockerkit.credentials.auth import AuthConfig
from dockerkit.errors import InvalidConfigFile
from dockerkit.files.atomic import atomic_write


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_atomic_write_shows_only_complete_files(tmp_path: Path) -> None:
    path = tmp_path / "new"
    before = os.umask(0o027)
    try:
        with atomic_write(path) as file:
            file.write(b"whole")
            assert not path.exists()
    finally:
        os.umask(before)
    assert path.read_bytes() == b"whole"
    assert mode_of(path) == 0o640


def test_failed_write_keeps_the_existing_file(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as file:
        file.write(b"half of the ne")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_kept_or_given(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o604)
    path.chmod(0o604)
    with atomic_write(path):
        pass
    assert mode_of(path) == 0o604
    with atomic_write(path, 0o600):
        pass
    assert mode_of(path) == 0o600


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to("there/file")
    with atomic_write(link) as file:
        file.write(b"data")
    assert link.is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"data"


def test_does_not_replace_special_files() -> None:
    with atomic_write("/dev/null") as file:
        file.write(b"data")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("content", ['{"auths": {"r": {"auth": "c2VjcmV0"}}', "[" * 100_000, '"c2VjcmV0"'])
def test_error_names_a_damaged_file_without_its_content(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(InvalidConfigFile, match=r"config\.json") as caught:
        configfile.config_file({"DOCKER_CONFIG": str(tmp_path)})
    error: BaseException | None = caught.value
    while error is not None:
        assert "c2VjcmV0" not in "".join(map(repr, [error.args, vars(error)]))
        error = error.__cause__
    assert "c2VjcmV0" not in "".join(traceback.format_exception(caught.value))


def test_edit_json_writes_only_changes(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "config.json"
    edit_json(str(path), lambda record: None)
    assert not path.exists()
    edit_json(str(path), lambda record: record.update(name="ä"))
    assert read_json(str(path)) == {"name": "ä"}
    assert mode_of(path) == 0o600
    path.write_text('{ "name":  "ä" }')
    edit_json(str(path), lambda record: record.update(name="ä"))
    assert path.read_text() == '{ "name":  "ä" }'


def test_passed_environment_sets_the_home_folder(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('{"auths": {"r.test": {"auth": "dXNlcjpwYXNz"}}}')
    found = AuthConfig.load_config(None, None, environment={"HOME": str(tmp_path)})
    assert found.path == str(tmp_path / ".docker" / "config.json")
    credential = found.resolve_authconfig("r.test")
    assert credential is not None
    assert credential.username == "user"
