"""HTTP to an engine: requests, responses, connections.

``base`` defines the protocol of transports, ``http`` implements it. ``dial`` connects to an endpoint, ``pool`` keeps
connections alive, ``connection`` sends and receives within deadlines, ``http1`` parses heads, ``exchange`` reads a
response, ``hijack`` takes a connection over for attach and exec, ``scope`` adds deadlines and cancellation, ``failures``
explains errors.
"""

from __future__ import annotations

from dockerkit.transport.base import Body, HTTPRequest, Response, Timeouts, Transport
from dockerkit.transport.hijack import HijackedConnection
from dockerkit.transport.http import HTTPTransport
from dockerkit.transport.scope import Scope

__all__ = ["Body", "HTTPRequest", "HTTPTransport", "HijackedConnection", "Response", "Scope", "Timeouts", "Transport"]
