"""Format of recordings: requests and responses as lines of JSON, without secrets."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

__all__ = ["Exchange", "key_of", "redacted", "redacted_body", "redacted_target"]

Exchange = dict[str, Any]
"""One exchange: method, target, body and its key; status, headers and the response body, or the raw streams."""

HIDDEN = "***"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|auth$|api_?key|access_?key|private_?key|unlockkey|signing_?ca_?key",
    re.IGNORECASE,
)
_SECRET_FIELDS = frozenset({"RegistryToken", "IdentityToken", "JoinTokens", "UnlockKey", "SwarmUnlockKey", "CAKey"})
_URL_PASSWORD = re.compile(r"(?<=://)([^/@:\s]*):[^/@\s]+@")
_PREFIX = re.compile(r"^/v\d+\.\d+(?=/)")
# Headers that describe the response. Others are not recorded, since they could contain secrets.
RECORDED_HEADERS = ("Content-Type", "Api-Version", "Ostype", "Docker-Experimental", "Builder-Version", "Swarm",
                "X-Docker-Container-Path-Stat")  # fmt: skip


def redacted(value: Any, name: str = "") -> Any:
    """Return JSON data without secrets, recognized by the names of fields and variables, and the format of URLs."""
    if isinstance(value, dict):
        return {key: HIDDEN if _is_secret(key, item) else redacted(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, name) for item in value]
    if isinstance(value, str):
        variable, equals, _ = value.partition("=")
        if equals and name in ("Env", "env", "") and _SECRET_NAME.search(variable) and " " not in variable:
            return f"{variable}={HIDDEN}"
        return _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", value)
    return value


def _is_secret(name: str, value: object) -> bool:
    if name in _SECRET_FIELDS:
        return value not in (None, "")
    if not isinstance(value, str) or value == "" or name.endswith(("ID", "Id", "Name")):
        return False
    return _SECRET_NAME.search(name) is not None


def redacted_target(target: str) -> str:
    """Return path and query without the version, and without secrets in build arguments and URLs."""
    path, _, query = _PREFIX.sub("", target).partition("?")
    pairs = []
    for name, value in sorted(parse_qsl(query, keep_blank_values=True)):
        redacted_value = HIDDEN if _is_secret(name, value) else _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", value)
        if value[:1] in "{[" and value:
            try:
                redacted_value = json.dumps(redacted(json.loads(value)), sort_keys=True)
            except ValueError:
                redacted_value = value
        if name == "buildargs":
            redacted_value = json.dumps(dict.fromkeys(sorted(json.loads(value)), HIDDEN))
        pairs.append((name, redacted_value))
    return path + (f"?{urlencode(pairs)}" if pairs else "")


def redacted_body(path: str, media_type: str, body: bytes) -> Any:
    """Return a request's body for a recording: JSON without secrets, or a digest of other data."""
    if not body:
        return None
    if "json" in media_type:
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if isinstance(value, dict):
            if path.startswith(("/secrets", "/configs")) and "Data" in value:
                value["Data"] = HIDDEN
            return redacted(value)
    return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def key_of(method: str, target: str, body: Any) -> str:
    """Return the key that identifies an exchange."""
    return f"{method} {target} {json.dumps(body, sort_keys=True)}"


def recorded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the response headers to record."""
    return {name: headers[name] for name in RECORDED_HEADERS if headers.get(name)}


def packed(data: bytes, media_type: str = "") -> Any:
    """Return bytes as JSON data, without secrets if they are JSON."""
    if "json" in media_type:
        lines = []
        for line in data.splitlines():
            try:
                lines.append(json.dumps(redacted(json.loads(line))) if line.strip() else "")
            except ValueError:
                break
        else:
            return "\n".join(lines) + ("\n" if data.endswith(b"\n") else "")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def unpacked(value: Any) -> bytes:
    """Reverse :func:`packed`."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else str(value).encode()
