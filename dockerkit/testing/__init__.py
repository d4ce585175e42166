"""What the tests of dockerkit's users need: a fake engine, pytest fixtures, record and replay."""

from __future__ import annotations
