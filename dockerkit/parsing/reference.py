"""Image references: what ``registry:5000/team/app:1.2@sha256:…`` means.

Follows the grammar published with the registry protocol::

    reference := name [":" tag] ["@" digest]
    name      := [domain "/"] path
    domain    := host [":" port]            host: a name, an IPv4 address or an [IPv6] address
    path      := component ("/" component)*

Short names are completed the way the engine does it: ``busybox`` is ``docker.io/library/busybox``.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from dockerkit.errors import InvalidRepository
from dockerkit.errors.caller import argument_name
from dockerkit.parsing.values import string

__all__ = ["DEFAULT_DOMAIN", "DEFAULT_TAG", "Reference", "parse_repository_tag", "split_registry"]

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
_LEGACY_DOMAIN = "index.docker.io"
_OFFICIAL = "library/"
_LONGEST_NAME = 255

_HOST_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_BARE_ID = re.compile(r"[a-f0-9]{64}")


class Reference(NamedTuple):
    """One image reference, completed: `domain` and `path` are always set.

    Example::

        >>> Reference.parse("busybox:1.36")
        Reference(domain='docker.io', path='library/busybox', tag='1.36', digest=None)
        >>> Reference.parse("localhost:5000/app").repository
        'localhost:5000/app'
    """

    domain: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Parse a reference as a user types it.

        Args:
            text: a name, with or without registry, tag and digest. A bare 64-digit ID is not a name.

        Raises:
            InvalidRepository: the text does not follow the grammar; the message says which part.
        """
        if not isinstance(text, str) or not text:
            _raise_invalid(text, f"an image reference must be a non-empty string such as 'busybox:1.36', got {text!r}")
        if _BARE_ID.fullmatch(text):
            _raise_invalid(text, f"{text!r} is an image ID, not a repository name")
        rest, separator, digest = text.partition("@")
        if separator:
            _check_digest(text, digest)
        rest, tag = _split_tag(rest)
        if tag is not None and not _TAG.fullmatch(tag):
            _raise_invalid(
                text,
                f"invalid tag {tag!r} in {text!r}: at most 128 letters, digits, '_', '.', '-', not starting with '.' or '-'",
            )
        domain, path = _split_domain(rest)
        if not _DOMAIN.fullmatch(domain):
            _raise_invalid(text, f"invalid registry {domain!r} in {text!r}: expected host[:port]")
        if not _PATH.fullmatch(path):
            hint = " (repository names are lower case)" if path != path.lower() else ""
            _raise_invalid(text, f"invalid repository name {path!r} in {text!r}{hint}")
        if len(domain) + 1 + len(path) > _LONGEST_NAME:
            _raise_invalid(text, f"repository name longer than {_LONGEST_NAME} characters: {rest!r}")
        return cls(domain, path, tag, digest if separator else None)

    @property
    def repository(self) -> str:
        """The full name without tag and digest: ``docker.io/library/busybox``."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The name as the engine shows it: ``busybox``, ``localhost:5000/app``."""
        if self.domain != DEFAULT_DOMAIN:
            return self.repository
        return self.path.removeprefix(_OFFICIAL) if self.path.count("/") == 1 else self.path

    @property
    def familiar(self) -> str:
        """The reference as the engine shows it, with its tag and digest."""
        return self.familiar_name + self._suffix()

    def with_tag(self, tag: str | None = DEFAULT_TAG) -> Reference:
        """Return the same repository with another tag."""
        if tag is not None and not _TAG.fullmatch(tag):
            raise InvalidRepository(f"invalid tag {tag!r}")
        return self._replace(tag=tag)

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self.repository + self._suffix()


def parse_repository_tag(repo_name: str) -> tuple[str, str | None]:
    """Split ``name:tag`` or ``name@digest``, without validating either part.

    A colon before a registry's port is not a separator.

    Args:
        repo_name: a reference such as ``localhost:5000/app:1.2``.

    Returns:
        The name, and the tag or digest; None if there is neither. In ``name:tag@digest`` the digest is the second part
        and the name keeps its tag.
    """
    if not isinstance(repo_name, str):
        repo_name = string(repo_name, argument_name(repo_name, "repository"))
    name, separator, digest = repo_name.rpartition("@")
    if separator:
        return name, digest
    return _split_tag(repo_name)


def split_registry(name: str) -> tuple[str, str]:
    """Split an image name into its registry, as written, and the rest; ``docker.io`` if there is no registry."""
    first, slash, rest = name.partition("/")
    # A registry is only what can't be a repository's first component: "team/app" is on Docker Hub.
    if not slash or not (set(".:[") & set(first) or first == "localhost" or first != first.lower()):
        return DEFAULT_DOMAIN, name
    return first, rest


def _split_tag(reference: str) -> tuple[str, str | None]:
    name, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        return reference, None
    return name, tag


def _split_domain(name: str) -> tuple[str, str]:
    first, rest = split_registry(name)
    if first == _LEGACY_DOMAIN:
        first = DEFAULT_DOMAIN
    if first == DEFAULT_DOMAIN and "/" not in rest:
        rest = _OFFICIAL + rest
    return first, rest


def _check_digest(reference: str, digest: str) -> None:
    algorithm, _, value = digest.partition(":")
    length = _DIGEST_LENGTHS.get(algorithm)
    if not _DIGEST.fullmatch(digest) or (length is not None and (len(value) != length or value != value.lower())):
        _raise_invalid(
            reference, f"invalid digest {digest!r} in {reference!r}: expected e.g. sha256: and 64 lower-case hex digits"
        )


def _raise_invalid(reference: str, message: str) -> NoReturn:
    name = argument_name(reference, "")
    raise InvalidRepository(f"{name}: {message}" if name else message)
