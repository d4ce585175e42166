"""Inputs that fuzzing has found; `make fuzz` runs the fuzzer."""

from __future__ import annotations

import pytest

from dockerkit.errors import InvalidArgument
from dockerkit.parsing import shorthands


def test_null_character_in_a_bind_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="null character"):
        shorthands.binds(["~\0:/data"])
