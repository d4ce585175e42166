"""Manifests, indexes and image configurations in a registry, of the OCI and Docker media types."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dockerkit.errors import DigestMismatch, InvalidArgument, RegistryError
from dockerkit.parsing.platforms import Platform, platform_text
from dockerkit.parsing.values import mapping

if TYPE_CHECKING:
    from dockerkit.types.views import ImageConfig

__all__ = ["Attestation", "Descriptor", "Index", "Manifest", "RegistryImageConfig", "parse_manifest", "sha256"]

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
ACCEPT = f"{OCI_INDEX}, {DOCKER_LIST}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"

_SUBJECT_ANNOTATION = "vnd.docker.reference.digest"  # BuildKit's annotation of an attestation: digest of its subject
_IMPLIED_VARIANTS = {"arm64": "v8", "amd64": "v1", "arm": "v7"}
_HASHES = frozenset({"sha256", "sha384", "sha512"})


def sha256(data: bytes) -> str:
    """Return the digest of data in the format of registries."""
    return digest_of(hashlib.sha256(data))


def encode(manifest: object, name: str) -> bytes:
    """Return a manifest as JSON; refuse what is not a mapping or has values that JSON lacks."""
    record = dict(mapping(manifest, name))
    try:
        return json.dumps(record, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"{name}: can't be encoded as JSON: {error}") from None


def hasher(digest: str, data: bytes = b"") -> hashlib._Hash:
    """Return a new hash object for the algorithm of a digest. An unknown one is refused, as it can't be verified."""
    algorithm = digest.partition(":")[0]
    if algorithm not in _HASHES:
        raise RegistryError(f"{digest}: content with a digest of type {algorithm!r} cannot be verified")
    return hashlib.new(algorithm, data)


def digest_of(hashed: hashlib._Hash) -> str:
    """Return the digest of all data that a hash object has received."""
    return f"{hashed.name}:{hashed.hexdigest()}"


def check_digest(data: bytes, digest: str, what: str) -> None:
    """Refuse data that differs from the digest it was requested by."""
    actual = digest_of(hasher(digest, data))
    if actual != digest:
        raise DigestMismatch(f"{what}: the registry sent content with digest {actual}, expected {digest}")


@dataclass(frozen=True)
class Descriptor:
    """A reference to content in a repository.

    Attributes:
        media_type: type of the content.
        digest: digest, such as ``sha256:…``.
        size: size in bytes.
        platform: the platform as ``linux/arm64/v8``, in an index.
        annotations: annotations.
        artifact_type: type of the artifact, for manifests that are not images.
        attrs: the descriptor as the registry sent it.
    """

    media_type: str
    digest: str
    size: int
    platform: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, record: object, where: str) -> Descriptor:
        """Parse a descriptor of a manifest.

        Raises:
            RegistryError: the record lacks a digest, a size or a media type.
        """
        if isinstance(record, Mapping):
            digest, size, media_type = (record.get(key) for key in ("digest", "size", "mediaType"))
            if isinstance(digest, str) and ":" in digest and isinstance(size, int) and isinstance(media_type, str):
                platform = record.get("platform")
                return cls(
                    media_type,
                    digest,
                    size,
                    _platform_of(platform) if isinstance(platform, Mapping) else None,
                    dict(record.get("annotations") or {}),
                    record.get("artifactType"),
                    dict(record),
                )
        raise RegistryError(f"{where}: unexpected response from the registry: {record!r:.200} is not a descriptor")

    @property
    def attests(self) -> str | None:
        """Digest of the manifest that this attestation describes; None for an image."""
        return self.annotations.get(_SUBJECT_ANNOTATION)

    def has_platform(self, platform: Platform) -> bool:
        """Return whether the content is for a platform.

        Args:
            platform: "linux/arm64/v8"; without a variant, any variant matches.
        """
        return self.attests is None and platforms_match(platform, self.platform)


@dataclass(frozen=True)
class Manifest:
    """The manifest of one image, or of another artifact.

    Attributes:
        digest: verified digest.
        media_type: OCI or Docker media type.
        config: descriptor of the configuration.
        layers: descriptors of the layers, base first.
        annotations: annotations.
        artifact_type: type of the artifact, for manifests that are not images.
        subject: descriptor of the manifest that this one refers to.
        raw: the bytes as stored.
    """

    digest: str
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
    artifact_type: str | None
    subject: Descriptor | None
    raw: bytes = field(repr=False)

    @property
    def attrs(self) -> dict[str, Any]:
        """The manifest as decoded JSON."""
        decoded: dict[str, Any] = json.loads(self.raw)
        return decoded

    @property
    def size(self) -> int:
        """Size of configuration and layers in bytes, as transferred."""
        return self.config.size + sum(layer.size for layer in self.layers)


@dataclass(frozen=True)
class Index:
    """An OCI index or a Docker manifest list: one name for the images of several platforms.

    Attributes:
        digest: verified digest.
        media_type: OCI or Docker media type.
        manifests: descriptors of the manifests, attestations included.
        annotations: annotations.
        raw: the bytes as stored.
    """

    digest: str
    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
    raw: bytes = field(repr=False)

    @property
    def attrs(self) -> dict[str, Any]:
        """The index as decoded JSON."""
        decoded: dict[str, Any] = json.loads(self.raw)
        return decoded

    @property
    def platforms(self) -> list[str]:
        """Platforms of the image."""
        return [item.platform for item in self.manifests if item.platform and item.attests is None]

    def find(self, platform: Platform) -> Descriptor | None:
        """Return the manifest for a platform, or None.

        Args:
            platform: "linux/arm64/v8"; without a variant, the first of the architecture.
        """
        return next((item for item in self.manifests if item.has_platform(platform)), None)


@dataclass(frozen=True)
class RegistryImageConfig:
    """The configuration of an image, as stored in a registry.

    Attributes:
        digest: digest, which is the image ID in engines without containerd's store.
        attrs: the configuration as decoded JSON.
    """

    digest: str
    attrs: Mapping[str, Any] = field(repr=False)

    @property
    def platform(self) -> str:
        """The platform, as ``linux/arm64/v8``."""
        return _platform_of(self.attrs) or ""

    @property
    def created(self) -> datetime | None:
        """Creation time of the image; None if unknown."""
        created = self.attrs.get("created")
        return datetime.fromisoformat(created) if isinstance(created, str) and created else None

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the image."""
        return dict((self.attrs.get("config") or {}).get("Labels") or {})

    @property
    def config(self) -> ImageConfig:
        """Defaults for containers: command, environment, user, ports."""
        from dockerkit.types.views import ImageConfig

        return ImageConfig.of(self.attrs.get("config"))


@dataclass(frozen=True)
class Attestation:
    """A statement about an image: its provenance, or its bill of materials.

    Attributes:
        predicate_type: type of the statement, such as ``https://spdx.dev/Document`` or ``https://slsa.dev/provenance/v1``.
        statement: the in-toto statement: ``subject``, ``predicateType``, ``predicate``.
        subject: digest of the manifest that it describes.
        platform: platform of that manifest, if known.
        descriptor: descriptor of the stored statement.
    """

    predicate_type: str
    statement: Mapping[str, Any] = field(repr=False)
    subject: str
    platform: str | None
    descriptor: Descriptor = field(repr=False)

    @property
    def predicate(self) -> Mapping[str, Any]:
        """The content of the statement."""
        predicate: Mapping[str, Any] = self.statement.get("predicate") or {}
        return predicate


def decode_object(raw: bytes, where: str) -> dict[str, Any]:
    """Decode a JSON object."""
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise RegistryError(f"{where}: unexpected response from the registry: not a JSON object")
    return decoded


def parse_manifest(raw: bytes, media_type: str, where: str) -> Manifest | Index:
    """Parse a manifest or an index. Its own media type takes precedence over the one that the registry reported."""
    record = decode_object(raw, where)
    kind = record.get("mediaType") or media_type.partition(";")[0].strip()
    if kind not in INDEXES | MANIFESTS:  # OCI does not require the field, and some registries report a generic type
        kind = OCI_INDEX if "manifests" in record else OCI_MANIFEST if "layers" in record else kind
    annotations = dict(record.get("annotations") or {})
    if kind in INDEXES:
        descriptors = tuple(Descriptor.of(item, where) for item in record.get("manifests") or ())
        return Index(sha256(raw), kind, descriptors, annotations, raw)
    if kind in MANIFESTS:
        subject = record.get("subject")
        return Manifest(
            sha256(raw),
            kind,
            Descriptor.of(record.get("config"), where),
            tuple(Descriptor.of(item, where) for item in record.get("layers") or ()),
            annotations,
            record.get("artifactType"),
            None if subject is None else Descriptor.of(subject, where),
            raw,
        )
    note = " (schema 1, which was retired in 2020; push the image again)" if record.get("schemaVersion") == 1 else ""
    raise RegistryError(f"{where}: a manifest of type {kind!r}{note} is not supported")


def platforms_match(requested: Platform, offered: str | None) -> bool:
    """Return whether an offered platform matches the requested one. Parts omitted from `requested` match anything."""
    requested_name = platform_text(requested) or ""
    if not 2 <= len(requested_name.split("/")) <= 3:
        raise InvalidArgument(f"platform: must be os/architecture[/variant], got {requested!r}")
    requested_parts, offered_parts = requested_name.split("/"), (offered or "").split("/")
    if requested_parts[:2] != offered_parts[:2]:
        return False
    implied = _IMPLIED_VARIANTS.get(requested_parts[1], "")
    return len(requested_parts) == 2 or requested_parts[2] == (offered_parts[2] if len(offered_parts) > 2 else implied)


def _platform_of(record: Mapping[str, Any]) -> str | None:
    parts = [record.get("os"), record.get("architecture"), record.get("variant")]
    return "/".join(str(part) for part in parts if part) or None
