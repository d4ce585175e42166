"""Common behavior of all objects: repr and comparison without a request."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("kind", ["containers", "images", "networks", "volumes"])
def test_repr_and_comparison_send_no_request(client, busybox, labels, unique, requests_of, kind):
    client.containers.create(busybox, name=unique("shown"), labels=labels)
    client.volumes.create(unique("shown"), labels=labels)
    collection = getattr(client, kind)
    (listed, *_) = collection.list(all=True) if kind == "containers" else collection.list()
    got = collection.get(listed.id)
    with requests_of(client) as sent:
        assert repr(listed) == repr(got)
        assert listed == got
        assert hash(listed) == hash(got)
        assert len({listed, got}) == 1
        assert got.short_id.removeprefix("sha256:") in got._repr_html_()
        assert listed._repr_html_().startswith("<table>")
    assert sent == []
