"""The registry client: tags, manifests, configurations, blobs, referrers and attestations."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, overload
from urllib.parse import quote, urljoin, urlsplit

from dockerkit.credentials.entries import INDEX_NAME, Credential, convert_to_hostname
from dockerkit.errors import DigestMismatch, InvalidArgument, RegistryError
from dockerkit.errors.caller import argument_name
from dockerkit.parsing.payload import payload
from dockerkit.parsing.platforms import Platform
from dockerkit.parsing.reference import Reference
from dockerkit.parsing.values import integer, string, string_list, time_limit
from dockerkit.registry import manifests
from dockerkit.registry.auth import Authenticator
from dockerkit.registry.manifests import Attestation, Descriptor, Index, Manifest, RegistryImageConfig

if TYPE_CHECKING:
    import os
    from typing import Self, TypedDict, Unpack

    import requests

    from dockerkit.api.client import APIClient
    from dockerkit.credentials.auth import AuthConfig, AuthSource
    from dockerkit.parsing.values import Duration
    from dockerkit.registry.blobs import BlobStream
    from dockerkit.registry.http import RegistryHTTP

    class RegistryOptions(TypedDict, total=False):
        """The keyword arguments of :class:`Registry`."""

        auth_config: AuthSource | None
        ca_cert: str | os.PathLike[str] | None
        insecure: bool | None
        token_hosts: Collection[str]
        timeout: Duration | tuple[Duration, Duration]
        retries: int


__all__ = ["Registry"]

_HUB = "registry-1.docker.io"
_HUB_NAMES = frozenset({_HUB, INDEX_NAME, "index.docker.io"})
_PAGE = 1000
_MAX_PAGES = 1000
_MAX_MANIFEST_BYTES = 4 * 1024 * 1024
_MAX_LIST_BYTES = 64 * 1024 * 1024
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_STATEMENTS = frozenset({"application/vnd.in-toto+json"})


class Registry:
    """A registry: Docker Hub, or any other that serves the OCI distribution API. Needs no engine.

    Image names may include the registry or omit it. Credentials are those of the docker command
    (``docker login``, credential helpers, ``DOCKER_AUTH_CONFIG``). Certificates are verified; as in engines, a registry on this machine
    may have any certificate or none. Authorities and client certificates in
    ``/etc/docker/certs.d/HOST`` are used, and proxies from ``HTTPS_PROXY`` and related variables.

    Args:
        host: host and port of the registry; "docker.io" is Docker Hub.
        auth_config: credentials, or a function that receives the host and returns them; ``{}`` for none.
        ca_cert: PEM file of an authority to trust besides the system's.
        insecure: True accepts any certificate and plain HTTP; False accepts neither, even on this machine.
        token_hosts: hosts of token services outside the registry's domain that may receive the credentials.
        timeout: seconds for connecting and for each read, or a pair to set them separately.
        retries: how often to repeat a request that failed temporarily (429, 5xx, no connection).

    Example::

        with dockerkit.Registry("registry.example.com") as registry:
            for tag in registry.tags("team/app"):
                print(tag, registry.digest(f"team/app:{tag}"))
    """

    def __init__(
        self,
        host: str = INDEX_NAME,
        *,
        auth_config: AuthSource | None = None,
        ca_cert: str | os.PathLike[str] | None = None,
        insecure: bool | None = None,
        token_hosts: Collection[str] = (),
        timeout: Duration | tuple[Duration, Duration] = 60.0,
        retries: int = 4,
    ) -> None:
        name = convert_to_hostname(host) if isinstance(host, str) else ""
        self.host: str = INDEX_NAME if name in _HUB_NAMES else name
        if not name or Reference.parse(f"{self.host}/x/y").domain != self.host:
            raise InvalidArgument(f"host: must be a registry such as 'registry.example.com:5000', got {host!r}")
        token_hosts = string_list(token_hosts, "token_hosts")
        self._auth_config = auth_config
        self._load_auth_config: Callable[[], AuthConfig] = _docker_auth_config
        self._is_insecure_for_engine: Callable[[str], bool] = lambda host: False
        self._insecure = insecure if insecure is not None or not ca_cert else False
        self._ca_cert = ca_cert
        if isinstance(timeout, tuple):
            connect, read = (time_limit(seconds) for seconds in timeout)
        else:
            read = time_limit(timeout)
            connect = min(read or 10.0, 10.0)
        self._timeout = (connect, read)
        self._retries: int = integer(retries, "retries")
        self._authenticator = Authenticator(self.host, self._credentials, token_hosts)
        self._connection: RegistryHTTP | None = None

    @classmethod
    def _of_engine(cls, api: APIClient, host: str, **options: Unpack[RegistryOptions]) -> Self:
        """Return a registry with the credentials of an engine's client and the engine's insecure registries."""
        registry = cls(host, **options)
        registry._load_auth_config = lambda: api.auth_config
        registry._is_insecure_for_engine = lambda host: _is_insecure_for(api.info(), host)
        return registry

    # -- names and lists -----------------------------------------------------------------------------------------

    def ping(self) -> bool:
        """Return whether the registry responds, and accepts the credentials if it requires any. ``GET /v2/``

        Raises:
            Unauthorized: the registry does not accept the credentials.
            ConnectionFailed: the registry could not be reached.
        """
        self._request("GET", "/v2/").close()
        return True

    def repositories(self) -> Iterator[str]:
        """Iterate over the names of all repositories. ``GET /v2/_catalog``

        Docker Hub and most hosted registries do not offer this.
        """
        return self._pages(f"/v2/_catalog?n={_PAGE}", "repositories", ("registry:catalog:*",), "_catalog")

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository. ``GET /v2/{name}/tags/list``

        Args:
            repository: name of the repository, such as "team/app".

        Raises:
            NotFound: the repository does not exist.
        """
        path = self._reference(repository).path
        return list(self._pages(f"/v2/{path}/tags/list?n={_PAGE}", "tags", _pull(path), path))

    def exists(self, name: str) -> bool:
        """Return whether the registry has an image. ``HEAD /v2/{name}/manifests/{reference}``

        Args:
            name: image name with tag or digest; ``latest`` if it has neither.
        """
        response = self._manifest_request("HEAD", self._reference(name), expected=(200, 404))
        response.close()
        return response.status_code == 200

    def digest(self, name: str) -> str:
        """Return the digest of an image, or of its index. ``HEAD /v2/{name}/manifests/{reference}``

        Args:
            name: image name with tag or digest.

        Raises:
            NotFound: the image does not exist.
        """
        reference = self._reference(name)
        response = self._manifest_request("HEAD", reference)
        response.close()
        digest = response.headers.get("Docker-Content-Digest") or ""
        return digest if ":" in digest else self.manifest(name).digest

    # -- manifests -----------------------------------------------------------------------------------------------

    @overload
    def manifest(self, name: str, *, platform: Platform) -> Manifest: ...

    @overload
    def manifest(self, name: str, *, platform: None = None) -> Manifest | Index: ...

    def manifest(self, name: str, *, platform: Platform | None = None) -> Manifest | Index:
        """Return the manifest of an image, or the index of its platforms. ``GET /v2/{name}/manifests/{reference}``

        Args:
            name: image name with tag or digest.
            platform: the manifest for this platform, "linux/arm64", instead of the index.

        Raises:
            NotFound: the image does not exist.
            RegistryError: the image does not support that platform, or the content is not a manifest.
            DigestMismatch: the registry sent other content.
        """
        reference = self._reference(name)
        manifest = self._manifest(reference)
        if platform is None:
            return manifest
        if isinstance(manifest, Index):
            chosen = manifest.find(platform)
            if chosen is not None:
                single = self._manifest(reference._replace(digest=chosen.digest))
                if isinstance(single, Manifest):
                    return single
            offered = ", ".join(manifest.platforms) or "none"
        else:
            offered = self._config(reference, manifest).platform
            if manifests.platforms_match(platform, offered):
                return manifest
        raise RegistryError(f"{reference}: the image does not support {platform!r}, only {offered}")

    def config(self, name: str, *, platform: Platform | None = None) -> RegistryImageConfig:
        """Return the configuration of an image: platform, labels, command, history.

        Args:
            name: image name with tag or digest.
            platform: platform; required if the image has several.

        Raises:
            NotFound: the image does not exist.
            RegistryError: the image has several platforms and none is chosen, or it does not support the chosen one.
        """
        reference = self._reference(name)
        manifest = self.manifest(name, platform=platform) if platform is not None else self.manifest(name)
        if isinstance(manifest, Index):
            if len(manifest.platforms) != 1:
                raise RegistryError(f"{reference}: choose a platform: {', '.join(manifest.platforms)}")
            manifest = self.manifest(name, platform=manifest.platforms[0])
        return self._config(reference, manifest)

    def put_manifest(self, name: str, manifest: bytes | Mapping[str, Any], media_type: str | None = None) -> str:
        """Store a manifest or an index under a name. ``PUT /v2/{name}/manifests/{reference}``

        Args:
            name: image name with tag; with a digest, the manifest is stored without a tag.
            manifest: the bytes, or a dict to encode as JSON. One with a ``subject`` becomes a referrer of that image; if
                the registry does not list referrers, the fallback tag of the OCI specification is updated.
            media_type: media type; by default the value of the field ``mediaType``.

        Returns:
            The digest computed by the registry, after comparing it with the local one.

        Raises:
            DigestMismatch: the registry stored other content.
        """
        reference = self._reference(name)
        raw = manifest if isinstance(manifest, bytes) else manifests.encode(manifest, "manifest")
        manifest_type = (
            string(media_type or "", "media_type") or manifests.parse_manifest(raw, "", str(reference)).media_type
        )
        digest = manifests.sha256(raw)
        if reference.digest and reference.digest.startswith("sha256:"):
            manifests.check_digest(raw, reference.digest, str(reference))
        target = reference.digest or reference.tag or "latest"
        response = self._request(
            "PUT", f"/v2/{reference.path}/manifests/{target}", scopes=(f"repository:{reference.path}:pull,push",),
            headers={"Content-Type": manifest_type}, body=raw, expected=(201, 202), what=str(reference),
        )  # fmt: skip
        response.close()
        stored = response.headers.get("Docker-Content-Digest") or self.digest(f"{reference.path}@{digest}")
        if stored.startswith("sha256:") and stored != digest:
            raise DigestMismatch(f"{reference}: the registry stored {stored}, expected {digest}")
        if "OCI-Subject" not in response.headers:
            self._tag_referrer(reference, raw, manifest_type, digest)
        return digest

    def _tag_referrer(self, reference: Reference, raw: bytes, manifest_type: str, digest: str) -> None:
        """Add a manifest with a subject to the fallback tag of its subject."""
        record = manifests.decode_object(raw, str(reference))
        subject = (record.get("subject") or {}).get("digest")
        if not subject:
            return
        tag, stored = self._referrers_index(reference, subject)
        index: dict[str, Any] = stored.attrs if stored else {"schemaVersion": 2, "mediaType": manifests.OCI_INDEX}
        entries = [item for item in index.get("manifests") or () if item.get("digest") != digest]
        entry = {
            "mediaType": manifest_type,
            "digest": digest,
            "size": len(raw),
            "artifactType": record.get("artifactType") or (record.get("config") or {}).get("mediaType"),
            "annotations": record.get("annotations"),
        }
        entries.append({key: value for key, value in entry.items() if value})
        self.put_manifest(tag, {**index, "manifests": entries})

    def _referrers_index(self, reference: Reference, digest: str) -> tuple[str, Index | None]:
        """Return the tag under which referrers are listed where the registry has no call for it, and its index."""
        tag = reference._replace(tag=digest.replace(":", "-", 1)[:128], digest=None)
        manifest = self._manifest(tag) if self.exists(str(tag)) else None
        return str(tag), manifest if isinstance(manifest, Index) else None

    def delete(self, name: str) -> None:
        """Delete a tag, or an image with all its tags. ``DELETE /v2/{name}/manifests/{reference}``

        Args:
            name: with a digest, the image and all tags that point to it. With a tag, only that tag; many registries
                (distribution 2 among them) cannot delete tags, and return an error.

        Raises:
            InvalidArgument: the name has neither a tag nor a digest.
            NotFound: the image does not exist.
            RegistryError: the registry cannot delete tags.
            APIError: the registry does not allow it.
        """
        reference = self._reference(name, default_tag=None)
        target = reference.digest or reference.tag
        if target is None:
            raise InvalidArgument(f"name: must have a tag or a digest to be deleted, got {name!r}")
        scopes = (f"repository:{reference.path}:delete,pull,push",)
        path = f"/v2/{reference.path}/manifests/{target}"
        response = self._request(
            "DELETE", path, scopes=scopes, what=str(reference),
            expected=(202, 200, 204) if reference.digest else (202, 200, 204, 400, 405),
        )  # fmt: skip
        response.close()
        if response.status_code in (400, 405):
            raise RegistryError(
                f"{reference}: this registry cannot delete a single tag; delete('{reference.path}@' + digest) removes the "
                "image with all its tags, where deletion is enabled"
            )

    def referrers(self, name: str, *, artifact_type: str | None = None) -> list[Descriptor]:
        """Return what refers to an image: signatures, bills of materials. ``GET /v2/{name}/referrers/{digest}``

        For registries without that call, the fallback tag of the OCI specification is read instead.

        Args:
            name: image name with tag or digest.
            artifact_type: return only artifacts of this type.
        """
        reference = self._reference(name)
        if artifact_type is not None:
            artifact_type = string(artifact_type, "artifact_type")
        digest = reference.digest or self.digest(name)
        query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
        path = f"/v2/{reference.path}/referrers/{quote(digest, safe=':')}{query}"
        pages = list(self._records(path, _pull(reference.path), str(reference), missing=(404, 405, 501)))
        if pages:
            descriptors = [
                Descriptor.of(item, str(reference)) for page in pages for item in page.get("manifests") or ()
            ]
        else:
            _, index = self._referrers_index(reference, digest)
            descriptors = list(index.manifests) if index is not None else []
        return [item for item in descriptors if artifact_type in (None, item.artifact_type)]

    def attestations(
        self, name: str, *, platform: Platform | None = None, predicate_type: str | None = None
    ) -> list[Attestation]:
        """Return the attestations of an image: provenance, and bills of materials (SBOM).

        Includes those that BuildKit stores in the image's index and those among the referrers. Signatures are not verified.

        Args:
            name: image name with tag or digest.
            platform: return only attestations of this platform.
            predicate_type: return only attestations whose type has this prefix: "https://spdx.dev/" for bills of materials.

        Raises:
            NotFound: the image does not exist.
        """
        reference = self._reference(name)
        prefix = "" if predicate_type is None else string(predicate_type, "predicate_type")
        image = self._manifest(reference)
        subjects: dict[str, str | None] = {image.digest: None} if isinstance(image, Manifest) else {}
        candidates: list[tuple[Descriptor, str]] = []
        if isinstance(image, Index):
            subjects |= {item.digest: item.platform for item in image.manifests if item.attests is None}
            candidates = [(item, item.attests) for item in image.manifests if item.attests is not None]
        if platform is not None:
            subjects = {
                digest: offered
                for digest, offered in subjects.items()
                if offered and manifests.platforms_match(platform, offered)
            }
        for digest in subjects:
            candidates += [(item, digest) for item in self.referrers(str(reference._replace(digest=digest)))]
        result = []
        for candidate, subject in candidates:
            if subject not in subjects:
                continue
            manifest = self._manifest(reference._replace(digest=candidate.digest))
            for layer in manifest.layers if isinstance(manifest, Manifest) else ():
                statement_type = layer.annotations.get("in-toto.io/predicate-type") or ""
                if layer.media_type not in _STATEMENTS or (statement_type and not statement_type.startswith(prefix)):
                    continue
                with self.blob(reference.path, layer.digest) as blob:
                    statement = manifests.decode_object(blob.read(_MAX_LIST_BYTES), str(reference))
                statement_type = statement_type or str(statement.get("predicateType") or "")
                if statement_type.startswith(prefix):
                    result.append(Attestation(statement_type, statement, subject, subjects[subject], layer))
        return result

    # -- blobs ---------------------------------------------------------------------------------------------------

    def has_blob(self, repository: str, digest: str) -> bool:
        """Return whether a repository has a blob. ``HEAD /v2/{name}/blobs/{digest}``

        Args:
            repository: name of the repository.
            digest: digest of the blob.
        """
        path = self._blob_path(repository, digest)
        response = self._request(
            "HEAD", f"/v2/{path}/blobs/{digest}", scopes=_pull(path), expected=(200, 404), what=f"{path}@{digest}"
        )
        response.close()
        return response.status_code == 200

    def blob(self, repository: str, digest: str) -> BlobStream:
        """Return a blob (a layer, a configuration) as a stream, verified at its end. ``GET /v2/{name}/blobs/{digest}``

        Args:
            repository: name of the repository.
            digest: digest of the blob, as in a manifest.

        Returns:
            An iterator of bytes, which is also a readable file and a context manager. Interrupted downloads are resumed.

        Raises:
            NotFound: the repository has no such blob.
            DigestMismatch: the content does not match the digest; raised at the end.
            StreamTruncated: the registry repeatedly closed the connection before the end.
        """
        from dockerkit.registry.blobs import BlobStream

        path = self._blob_path(repository, digest)

        def get(offset: int) -> requests.Response:
            headers = {"Range": f"bytes={offset}-"} if offset else {}
            return self._request(
                "GET", f"/v2/{path}/blobs/{digest}", scopes=_pull(path), headers=headers,
                expected=(206,) if offset else (200,), what=f"{path}@{digest}",
            )  # fmt: skip

        return BlobStream(get, digest, f"{self.host}/{path}@{digest}", self._retries)

    def upload(
        self,
        repository: str,
        data: bytes | IO[bytes] | Iterable[bytes],
        *,
        media_type: str = "application/octet-stream",
    ) -> Descriptor:
        """Upload a blob. ``POST /v2/{name}/blobs/uploads/``

        Args:
            repository: name of the repository.
            data: bytes, a binary file, or an iterable of bytes, which is streamed.
            media_type: type of the content, for the descriptor; registries do not store it.

        Returns:
            The descriptor to put in a manifest.

        Raises:
            DigestMismatch: the registry stored other content.
        """
        from dockerkit.registry.blobs import upload_blob

        path = self._reference(repository).path
        digest, size = upload_blob(self, path, payload(data, "data"))
        return Descriptor(media_type, digest, size, attrs={"mediaType": media_type, "digest": digest, "size": size})

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.host}>"

    # -- internals -----------------------------------------------------------------------------------------------

    def _reference(self, name: str, *, default_tag: str | None = "latest") -> Reference:
        """Parse an image name that belongs to this registry, with or without its host."""
        if not isinstance(name, str) or not name:
            raise InvalidArgument(f"{argument_name(name, 'name')}: must be the name of an image, got {name!r}")
        prefix = name.partition("/")[0] if "/" in name else ""
        remainder = (
            name[len(prefix) + 1 :]
            if prefix == self.host or (self.host == INDEX_NAME and prefix in _HUB_NAMES)
            else name
        )
        reference = Reference.parse(f"{self.host}/{remainder}")
        return reference if reference.tag or reference.digest else reference._replace(tag=default_tag)

    def _blob_path(self, repository: str, digest: str) -> str:
        """Return the path of a repository; refuse an invalid digest."""
        return self._reference(f"{string(repository, 'repository')}@{string(digest, 'digest')}").path

    def _manifest(self, reference: Reference) -> Manifest | Index:
        response = self._manifest_request("GET", reference)
        from dockerkit.registry.http import read_all

        raw = read_all(response, _MAX_MANIFEST_BYTES, str(reference))
        for digest in (reference.digest, response.headers.get("Docker-Content-Digest")):
            if digest:
                manifests.check_digest(raw, digest, str(reference))
        return manifests.parse_manifest(raw, response.headers.get("Content-Type") or "", str(reference))

    def _manifest_request(
        self, method: str, reference: Reference, expected: Iterable[int] = (200,)
    ) -> requests.Response:
        target = reference.digest or reference.tag
        return self._request(
            method, f"/v2/{reference.path}/manifests/{target}", scopes=_pull(reference.path),
            headers={"Accept": manifests.ACCEPT}, expected=expected, what=str(reference),
        )  # fmt: skip

    def _config(self, reference: Reference, manifest: Manifest) -> RegistryImageConfig:
        with self.blob(reference.path, manifest.config.digest) as blob:
            raw = blob.read(_MAX_MANIFEST_BYTES + 1)
        if len(raw) > _MAX_MANIFEST_BYTES:
            raise RegistryError(f"{reference}: the configuration is larger than {_MAX_MANIFEST_BYTES} bytes")
        return RegistryImageConfig(manifest.config.digest, manifests.decode_object(raw, str(reference)))

    def _pages(self, path: str, key: str, scopes: Iterable[str], what: str) -> Iterator[str]:
        """Yield the strings of a paginated list."""
        for record in self._records(path, scopes, what):
            items = record.get(key) or []
            if not isinstance(items, list):
                raise RegistryError(f"{what}: unexpected response from the registry: {key} is not a list")
            yield from map(str, items)

    def _records(
        self, path: str, scopes: Iterable[str], what: str, *, missing: Iterable[int] = ()
    ) -> Iterator[dict[str, Any]]:
        """Follow the links from page to page, with a limit."""
        from dockerkit.registry.http import read_all

        seen: set[str] = set()
        missing = tuple(missing)
        next_path: str | None = path
        while next_path is not None:
            if next_path in seen or len(seen) >= _MAX_PAGES:
                raise RegistryError(f"{what}: the registry's list does not end after {len(seen)} pages")
            seen.add(next_path)
            response = self._request("GET", next_path, scopes=scopes, expected=(200, *missing), what=what)
            if response.status_code in missing:
                response.close()
                return
            yield manifests.decode_object(read_all(response, _MAX_LIST_BYTES, what), what)
            link = _NEXT.search(response.headers.get("Link") or "")
            next_path = None if link is None else self._local(urljoin(response.url, link[1]), what)

    def _local(self, url: str, what: str) -> str:
        """Return a pagination link as path and query. It must not lead to another host."""
        target, base = urlsplit(url), urlsplit(self._http.base)
        if (target.scheme, target.netloc) != (base.scheme, base.netloc):
            raise RegistryError(f"{what}: the registry's list continues at another host, {target.netloc}")
        return f"{target.path}?{target.query}" if target.query else target.path

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._http.request(method, path, **{"what": path, **options})

    @property
    def _http(self) -> RegistryHTTP:
        if self._connection is None:
            from dockerkit.registry.http import RegistryHTTP

            self._connection = RegistryHTTP(
                _HUB if self.host == INDEX_NAME else self.host,
                self._authenticator,
                ca_cert=None if self._ca_cert is None else str(self._ca_cert),
                insecure=self._is_insecure,
                timeout=self._timeout,
                retries=self._retries,
            )
        return self._connection

    def _is_insecure(self) -> bool:
        from dockerkit.registry.http import is_loopback

        if self._insecure is not None:
            return self._insecure
        return is_loopback(self.host) or self._is_insecure_for_engine(self.host)

    def _credentials(self, fresh: bool) -> Credential | None:
        auth_config = self._auth_config
        if auth_config is not None:
            return Credential(auth_config(self.host) if callable(auth_config) else auth_config) or None
        registry = None if self.host == INDEX_NAME else self.host
        config = self._load_auth_config()
        return config.fresh(registry) if fresh else config.resolve_authconfig(registry)


def _is_insecure_for(info: Mapping[str, Any], host: str) -> bool:
    """Return whether an engine is configured to treat a registry as insecure, by name or by address."""
    config = info.get("RegistryConfig") or {}
    index = (config.get("IndexConfigs") or {}).get(host)
    if isinstance(index, Mapping):
        return index.get("Secure") is False
    name = urlsplit(f"//{host}").hostname or ""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in config.get("InsecureRegistryCIDRs") or ())


def _docker_auth_config() -> AuthConfig:
    from dockerkit.credentials.auth import AuthConfig

    return AuthConfig.load_config(None, None)


def _pull(path: str) -> tuple[str, ...]:
    return (f"repository:{path}:pull",)
