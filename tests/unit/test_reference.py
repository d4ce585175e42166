"""Image references follow the published grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.errors import InvalidRepository
from dockerkit.parsing.reference import Reference, parse_repository_tag

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "domain", "path", "tag", "digest"),
    [
        ("busybox", "docker.io", "library/busybox", None, None),
        ("busybox:1.36", "docker.io", "library/busybox", "1.36", None),
        ("team/app", "docker.io", "team/app", None, None),
        ("docker.io/busybox", "docker.io", "library/busybox", None, None),
        ("index.docker.io/team/app", "docker.io", "team/app", None, None),
        ("localhost/app", "localhost", "app", None, None),
        ("localhost:5000/a/b/c:v1", "localhost:5000", "a/b/c", "v1", None),
        ("registry.example.com/app@" + DIGEST, "registry.example.com", "app", None, DIGEST),
        ("host:1/app:tag@" + DIGEST, "host:1", "app", "tag", DIGEST),
        ("[2001:db8::1]:5000/app", "[2001:db8::1]:5000", "app", None, None),
        ("Upper/app", "Upper", "app", None, None),
        ("a_b/c__d/e---f.g", "docker.io", "a_b/c__d/e---f.g", None, None),
        ("app:" + "t" * 128, "docker.io", "library/app", "t" * 128, None),
    ],
)
def test_parses_names(text: str, domain: str, path: str, tag: str | None, digest: str | None) -> None:
    assert Reference.parse(text) == Reference(domain, path, tag, digest)


@pytest.mark.parametrize(
    "text",
    ["", ":tag", "@" + DIGEST, "app:", "app@", "app:-x", "app:a b", "app:" + "t" * 129, "UPPER", "a//b", "/a", "a/",
     "a..b", "a___b", "_a", "a_", "app@sha256:abc", "app@sha256:" + "A" * 64, "app@md5", "-host.com/app", "host-.com/app",
     "a" * 64, "x" * 256, "host:port/app", "a\n", "ä"],
)  # fmt: skip
def test_rejects_invalid_names(text: str) -> None:
    with pytest.raises(InvalidRepository):
        Reference.parse(text)


def test_error_explains_upper_case() -> None:
    with pytest.raises(InvalidRepository, match="lower case"):
        Reference.parse("MyApp")


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("docker.io/library/busybox:1", "busybox:1"),
        ("docker.io/team/app", "team/app"),
        ("docker.io/library/a/b", "library/a/b"),
        ("ghcr.io/library/a", "ghcr.io/library/a"),
    ],
)
def test_familiar_names(text: str, familiar: str) -> None:
    assert Reference.parse(text).familiar == familiar


def test_with_tag_replaces_the_tag() -> None:
    reference = Reference.parse("app:1")
    assert str(reference.with_tag("2")) == "docker.io/library/app:2"
    assert str(reference.with_tag()) == "docker.io/library/app:latest"
    with pytest.raises(InvalidRepository):
        reference.with_tag("-")


word = st.text("ab09", min_size=1, max_size=4)
component = st.tuples(word, st.sampled_from([".", "_", "__", "-", "---"]), word).map("".join)


@given(
    st.lists(component, min_size=1, max_size=3),
    st.none() | st.text("aZ0_", min_size=1, max_size=20).map(lambda tag: tag + ".-x"),
    st.none() | st.just(DIGEST),
    st.sampled_from(["docker.io", "localhost:5000", "[::1]", "r.example.com"]),
)
def test_string_form_is_parsed_back(parts: list[str], tag: str | None, digest: str | None, domain: str) -> None:
    reference = Reference(domain, "/".join(["x", *parts]), tag, digest)
    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(reference.familiar) == reference


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("root", ("root", None)),
        ("root:tag", ("root", "tag")),
        ("user/repo:tag", ("user/repo", "tag")),
        ("url:5000/repo", ("url:5000/repo", None)),
        ("url:5000/repo:tag", ("url:5000/repo", "tag")),
        ("root@sha256:0123", ("root", "sha256:0123")),
        ("url:5000/repo@sha256:0123", ("url:5000/repo", "sha256:0123")),
        ("repo:tag@sha256:0123", ("repo:tag", "sha256:0123")),
    ],
)
def test_parse_repository_tag_splits_name_and_tag(text: str, parts: tuple[str, str | None]) -> None:
    assert parse_repository_tag(text) == parts
