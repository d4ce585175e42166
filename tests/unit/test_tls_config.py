"""TLS settings: files that can't be used, and what they have in common with requests and pickle."""

from __future__ import annotations

import pickle
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from dockerkit import TLSConfig, errors


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with an authority, two certificates and keys, and broken files."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("one", "two"):
        issued = authority.issue_cert(f"{name}.test")
        issued.cert_chain_pems[0].write_to_path(str(tmp_path / f"{name}.pem"))
        issued.private_key_pem.write_to_path(str(tmp_path / f"{name}.key"))
    key = load_pem_private_key((tmp_path / "one.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (tmp_path / "locked.key").write_bytes(locked)
    (tmp_path / "broken.pem").write_text("no certificate")
    (tmp_path / "authorities").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"client_cert": ("one.pem", "two.key")}, "can't be used: they don't match"),
        ({"client_cert": ("broken.pem", "one.key")}, "can't be used"),
        ({"client_cert": ("one.pem", "locked.key")}, "locked.key is protected by a password; use a key without one"),
        ({"ca_cert": "broken.pem"}, "ca_cert: .*broken.pem can't be read as PEM certificates"),
    ],
)
def test_files_that_cannot_be_used_are_named(files: Path, options: dict[str, Any], message: str) -> None:
    paths = {
        name: str(files / value) if isinstance(value, str) else tuple(str(files / part) for part in value)
        for name, value in options.items()
    }
    with pytest.raises(errors.TLSParameterError, match=message):
        TLSConfig(**paths).ssl_context()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"client_cert": ("one.pem", "missing.key")}, "client_cert: no such file"),
        ({"client_cert": ("one.pem",)}, "client_cert: must be two paths"),
        ({"client_cert": ("", "")}, "client_cert: must be two paths"),
        ({"ca_cert": "ca.pem", "context": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}, "context: replaces client_cert"),
    ],
)
def test_settings_that_contradict_or_are_missing_are_refused(
    files: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(files)
    with pytest.raises(errors.TLSParameterError, match=message):
        TLSConfig(**options)


def test_folder_of_authorities_is_accepted(files: Path) -> None:
    context = TLSConfig(ca_cert=str(files / "authorities")).ssl_context()
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_session_of_requests_gets_the_same_settings(files: Path) -> None:
    cert = (str(files / "one.pem"), str(files / "one.key"))
    settings: list[tuple[TLSConfig, object, object]] = [
        (TLSConfig(client_cert=cert, ca_cert=str(files / "ca.pem")), str(files / "ca.pem"), cert),
        (TLSConfig(verify=False), False, None),
        (TLSConfig(verify=True), True, None),
    ]
    for config, verify, client_cert in settings:
        with requests.Session() as session:
            config.configure_client(session)
            assert (session.verify, session.cert) == (verify, client_cert)


def test_equal_settings_are_equal_and_survive_pickling(files: Path) -> None:
    config = TLSConfig(ca_cert=str(files / "ca.pem"))
    again = pickle.loads(pickle.dumps(config))
    assert again == config and hash(again) == hash(config)
    assert config != TLSConfig() and config != "TLSConfig"
    assert again.ssl_context().verify_mode == ssl.CERT_REQUIRED
    own = TLSConfig(context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert repr(own).endswith("custom context)")
    dump: Callable[[Any], bytes] = pickle.dumps
    with pytest.raises(TypeError, match="can't be pickled; pass files instead"):
        dump(own)
