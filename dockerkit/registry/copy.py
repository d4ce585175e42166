"""Copy images between registries, and combine images of several platforms under one name."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from dockerkit.errors import InvalidArgument, RegistryError
from dockerkit.parsing.platforms import Platform
from dockerkit.parsing.reference import Reference
from dockerkit.parsing.values import mapping, raise_invalid, string_list, string_map
from dockerkit.progress import track_operation
from dockerkit.registry import manifests
from dockerkit.registry.blobs import upload_blob
from dockerkit.registry.client import Registry
from dockerkit.registry.manifests import Descriptor, Index, Manifest

if TYPE_CHECKING:
    from dockerkit.progress import Progress, ProgressSpec

__all__ = ["annotate_index", "copy_image", "create_index"]

Opener = Callable[[str], Registry]


def copy_image(
    source: str,
    target: str,
    *,
    platform: Platform | Sequence[Platform] | None = None,
    progress: ProgressSpec = None,
    open_registry: Opener = Registry,
) -> str:
    """Copy an image from registry to registry, without an engine and without storing it locally.

    Layers that already exist at the target are not sent. Within one registry, they are mounted from the other repository.

    Args:
        source: image name with tag or digest.
        target: new image name; the tag defaults to the source's.
        platform: platform to copy; several are copied as an index. By default everything, including attestations.
        progress: progress display: True, "plain", a function.
        open_registry: function that opens the :class:`Registry` of a host, for credentials other than the docker command's.

    Returns:
        The digest in the target registry: the source's, unless `platform` selects a part of it.

    Raises:
        NotFound: the image does not exist.
        RegistryError: the image does not support that platform.
        DigestMismatch: a registry sent or stored other content.

    Example::

        copy_image("registry.example.com/app:1.2", "mirror.example.com/app", platform="linux/arm64")
    """
    origin = Reference.parse(source)
    destination = _target(target, origin.tag)
    with _registries(open_registry) as get_registry, track_operation(progress, f"Copying {source}") as state:
        source_registry, target_registry = get_registry(origin.domain), get_registry(destination.domain)
        image = source_registry.manifest(str(origin))
        if platform is not None:
            image = _select(source_registry, origin, image, platform)
        return _Copy(source_registry, origin, target_registry, destination, state).store(image, destination)


def create_index(
    target: str,
    sources: Sequence[str],
    *,
    annotations: Mapping[str, str] | None = None,
    progress: ProgressSpec = None,
    open_registry: Opener = Registry,
) -> str:
    """Combine images of several platforms under one name, as an OCI index or a Docker manifest list.

    Images in other repositories are copied to the target's repository first. From sources that are indexes, all
    manifests are included. If two sources have an image for the same platform, the later one is used.

    Args:
        target: name of the index, with tag.
        sources: names of the images.
        annotations: annotations of the index.
        progress, open_registry: as for :func:`copy_image`.

    Returns:
        The digest of the index, as computed by the registry.

    Raises:
        NotFound: the image does not exist.
        InvalidArgument: there are no sources, or one has no platform.
    """
    destination = _target(target, None)
    origins = [Reference.parse(source) for source in string_list(sources, "sources")]
    if not origins:
        raise InvalidArgument("sources: must name at least one image")
    index_annotations = None if annotations is None else string_map(annotations, "annotations")
    entries: dict[str, dict[str, Any]] = {}
    with _registries(open_registry) as get_registry, track_operation(progress, f"Creating {target}") as state:
        target_registry = get_registry(destination.domain)
        for origin in origins:
            source_registry = get_registry(origin.domain)
            image = source_registry.manifest(str(origin))
            copy = _Copy(source_registry, origin, target_registry, destination, state)
            for entry in _entries(source_registry, origin, image):
                copy.child(entry["digest"])
                entries[_key(entry)] = entry
        subjects = {entry["digest"] for entry in entries.values()}
        included = [
            entry
            for entry in entries.values()
            if _attested_digest(entry) is None or _attested_digest(entry) in subjects
        ]
        is_docker_list = not index_annotations and all(
            entry["mediaType"] == manifests.DOCKER_MANIFEST for entry in included
        )
        index = {
            "schemaVersion": 2,
            "mediaType": manifests.DOCKER_LIST if is_docker_list else manifests.OCI_INDEX,
            "manifests": included,
            **({"annotations": index_annotations} if index_annotations else {}),
        }
        return target_registry.put_manifest(str(destination), index)


def annotate_index(
    name: str,
    annotations: Mapping[str, str | None],
    *,
    platform: Platform | None = None,
    open_registry: Opener = Registry,
) -> str:
    """Change annotations of an index, or of its entry for one platform, and store the index under the same name.

    Args:
        name: image name with tag.
        annotations: new values; None removes an annotation.
        platform: change the entry for this platform instead of the index itself.
        open_registry: as for :func:`copy_image`.

    Returns:
        The new digest, as computed by the registry.

    Raises:
        NotFound: the image does not exist.
        InvalidArgument: the name has a digest, and content with a digest cannot change.
        RegistryError: the image is not an OCI index, or has no entry for that platform.
    """
    reference = _target(name, None)
    removed = {key for key, value in mapping(annotations, "annotations").items() if value is None}
    changed = string_map({key: value for key, value in annotations.items() if value is not None}, "annotations")
    with _registries(open_registry) as get_registry:
        registry = get_registry(reference.domain)
        index = registry.manifest(str(reference))
        if not isinstance(index, Index):
            raise RegistryError(f"{name}: a single image has no index to annotate; create one with create_index()")
        record = index.attrs
        entry = record
        if platform is not None:
            entry = record["manifests"][index.manifests.index(_entry_for(platform, index, name))]
        values = {**(entry.get("annotations") or {}), **changed}
        entry["annotations"] = {key: value for key, value in values.items() if key not in removed}
        record["mediaType"] = manifests.OCI_INDEX  # Docker's lists have no annotations
        return registry.put_manifest(str(reference), record)


class _Copy:
    """One image being copied from a repository to another."""

    def __init__(
        self, source: Registry, origin: Reference, target: Registry, destination: Reference, state: Progress
    ) -> None:
        self._source, self._origin = source, origin
        self._target, self._destination = target, destination
        self._state = state
        self._same_repository = origin.repository == destination.repository
        self._mount = origin.path if source is target else None

    def store(self, image: Manifest | Index, destination: Reference) -> str:
        """Copy an image with all its content, and store it under a name."""
        if isinstance(image, Index):
            for item in image.manifests:
                self.child(item.digest)
        elif not self._same_repository:
            for blob in (*image.layers, image.config):
                if not blob.attrs.get("urls"):  # otherwise it is a foreign layer, which may not be redistributed
                    self._blob(blob)
        return self._target.put_manifest(str(destination), image.raw, image.media_type)

    def child(self, digest: str) -> None:
        """Copy a manifest without a name."""
        destination = self._destination._replace(tag=None, digest=digest)
        if not self._same_repository and not self._target.exists(str(destination)):
            self.store(self._source.manifest(str(self._origin._replace(tag=None, digest=digest))), destination)

    def _blob(self, blob: Descriptor) -> None:
        name = blob.digest.partition(":")[2][:12]
        if not self._target.has_blob(self._destination.path, blob.digest):
            upload_blob(
                self._target, self._destination.path, self._read(blob, name), mount_from=self._mount, digest=blob.digest
            )
        self._state.amount(blob.digest, blob.size, blob.size, name)

    def _read(self, blob: Descriptor, name: str) -> Iterator[bytes]:
        done = 0
        with self._source.blob(self._origin.path, blob.digest) as stream:
            for block in stream:
                done += len(block)
                self._state.amount(blob.digest, done, blob.size, name)
                yield block


def _select(
    registry: Registry, origin: Reference, image: Manifest | Index, platform: Platform | Sequence[Platform]
) -> Manifest | Index:
    """Return the part of an image for one platform, or an index of the parts for several."""
    if isinstance(platform, (str, Mapping)):
        return registry.manifest(str(origin), platform=platform)
    if not isinstance(platform, Iterable):
        raise_invalid("platform", "a platform such as 'linux/arm64', or a list of them", platform)
    if not isinstance(image, Index):
        raise RegistryError(f"{origin}: the image has only one platform; pass that one or omit platform")
    digests = {_entry_for(item, image, origin).digest for item in platform}
    record = image.attrs
    record["manifests"] = [dict(item.attrs) for item in image.manifests if digests & {item.digest, item.attests}]
    raw = json.dumps(record, separators=(",", ":")).encode()
    return cast("Index", manifests.parse_manifest(raw, image.media_type, str(origin)))


def _entry_for(platform: Platform, index: Index, name: object) -> Descriptor:
    descriptor = index.find(platform)
    if descriptor is None:
        raise RegistryError(f"{name}: the image does not support {platform!r}, only {', '.join(index.platforms)}")
    return descriptor


def _entries(registry: Registry, origin: Reference, image: Manifest | Index) -> Iterable[dict[str, Any]]:
    """Return the entries of an index for an image."""
    if isinstance(image, Index):
        return [dict(item.attrs) for item in image.manifests]
    config = registry._config(origin, image)
    platform = {
        name: config.attrs[name]
        for name in ("architecture", "os", "variant", "os.version", "os.features")
        if config.attrs.get(name)
    }
    if not {"architecture", "os"} <= platform.keys():
        raise InvalidArgument(f"sources: {origin} does not specify its platform")
    return [{"mediaType": image.media_type, "digest": image.digest, "size": len(image.raw), "platform": platform}]


def _key(entry: Mapping[str, Any]) -> str:
    """Return the unique key of an index entry: the platform, or for attestations the digest."""
    if _attested_digest(entry) is not None or not entry.get("platform"):
        return str(entry["digest"])
    return json.dumps(entry["platform"], sort_keys=True)


def _attested_digest(entry: Mapping[str, Any]) -> str | None:
    return (entry.get("annotations") or {}).get(manifests._SUBJECT_ANNOTATION)


def _target(name: str, tag: str | None) -> Reference:
    destination = Reference.parse(name)
    if destination.digest:
        raise InvalidArgument(f"target: must have a tag instead of a digest, got {name!r}")
    return destination if destination.tag else destination._replace(tag=tag or "latest")


@contextlib.contextmanager
def _registries(open_registry: Opener) -> Iterator[Opener]:
    """Open each registry once, and close all of them."""
    with contextlib.ExitStack() as stack:
        yield cache(lambda host: stack.enter_context(contextlib.closing(open_registry(host))))
