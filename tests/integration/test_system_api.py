"""The engine as a whole: calls and objects."""

from __future__ import annotations

import datetime
import threading

import pytest

from dockerkit import APIClient
from dockerkit.errors import APIError, InvalidVersion, NotFound


class TestCalls:
    def test_ping(self, api):
        assert api.ping() is True
        assert api.ping_head()["Api-Version"]
        with APIClient(api.endpoint.host, version="1.39") as old:
            assert old.ping() is True
            with pytest.raises(InvalidVersion, match=r"1\.40"):
                old.ping_head()

    def test_version_and_info(self, api, engine):
        assert api.version()["ApiVersion"] == engine.api_version
        assert api.version(api_version=False)["ApiVersion"] == engine.api_version
        assert api.info()["ServerVersion"] == api.version()["Version"]

    def test_df(self, api):
        assert {"LayersSize", "Images", "Containers", "Volumes"} <= api.df().keys()
        if not api.supports("GET /system/df", "type"):
            with pytest.raises(InvalidVersion, match="type"):
                api.df(type="volume")
            return
        assert api.df(type="volume").get("Volumes") is not None
        assert not api.df(type="volume").get("Images")
        both = api.df(type=["image", "volume"])
        assert both.get("Volumes") is not None
        assert both.get("Images") is not None

    def test_events_since_and_until(self, api, unique, labels):
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
        name = unique("vol")
        api.create_volume(name, labels=labels)
        api.remove_volume(name)
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
        with api.events(since=start, until=end, filters={"volume": name}, decode=True) as events:
            assert [event["Action"] for event in events] == ["create", "destroy"]
        with api.events(since=start.timestamp(), until=end.timestamp(), filters={"volume": name}) as records:
            lines = list(records)
        assert len(lines) == 2
        assert all(isinstance(line, bytes) and name.encode() in line for line in lines)

    def test_events_can_be_closed_from_another_thread(self, api):
        with api.events(decode=True, filters={"type": "daemon"}) as events:
            timer = threading.Timer(0.3, events.close)
            timer.start()
            assert list(events) == []
            timer.join()

    def test_login(self, api, auth_registry):
        with pytest.raises(APIError) as refused:
            api.login(auth_registry.user, "wrong", registry=auth_registry.host)
        assert "wrong" not in str(refused.value)
        answer = api.login(auth_registry.user, auth_registry.password, registry=auth_registry.host)
        assert answer["Status"] == "Login Succeeded"
        kept = api.login(auth_registry.user, registry=auth_registry.host)
        assert kept["username"] == auth_registry.user
        again = api.login(auth_registry.user, auth_registry.password, registry=auth_registry.host, reauth=True)
        assert again["Status"] == "Login Succeeded"

    def test_debug_calls_return_profiles(self, api):
        assert "dockerd" in api.debug_vars()["cmdline"][0]
        with api.debug_pprof("profile", seconds=1) as profile:
            assert profile.read()
        with pytest.raises(NotFound):
            api.debug_pprof("nothing")
