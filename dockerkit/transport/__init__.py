"""From a request to bytes on a socket and back: the only package that speaks HTTP to an engine.

``dial`` makes a connected socket for an endpoint, ``pool`` keeps them alive, ``exchange`` reads an answer,
``hijack`` takes a connection over for attach and exec, ``failures`` says in words what went wrong.
"""

from __future__ import annotations

from dockerkit.transport.exchange import Exchange
from dockerkit.transport.hijack import Hijacked
from dockerkit.transport.http import Body, Timeouts, Transport

__all__ = ["Body", "Exchange", "Hijacked", "Timeouts", "Transport"]
