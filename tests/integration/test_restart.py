"""An engine that restarts while a client uses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from engines import private
from engines.settings import Spec

from dockerkit import APIClient, errors


@pytest.fixture
def spec() -> Iterator[Spec]:
    spec = Spec("restart", 64, "trixie")
    private.up(spec)
    yield spec
    private.down(spec)


def test_calls_wait_for_the_restart_and_streams_raise(spec: Spec) -> None:
    with APIClient(spec.host, connect_retry=60) as api:
        assert api.ping() is True
        events = api.events()
        private.down(spec)
        with pytest.raises(errors.StreamTruncated):
            list(events)
        back = threading.Thread(target=private.up, args=(spec,))
        back.start()
        began = time.monotonic()
        assert api.create_volume("dockerkit-test-restart")["Name"] == "dockerkit-test-restart"
        assert time.monotonic() - began > 0.2, "there was something to wait for"
        back.join()
    with APIClient(spec.host, connect_retry=0) as api:
        assert api.ping() is True
        private.down(spec)
        with pytest.raises(errors.ConnectionFailed):
            api.ping()
