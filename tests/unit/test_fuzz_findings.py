"""What fuzzing has found, each once more; the fuzzer itself is `make fuzz`."""

from __future__ import annotations

import pytest

from dockerkit.errors import InvalidArgument
from dockerkit.types import shorthands


def test_a_null_character_in_a_bind_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="null character"):
        shorthands.binds(["~\0:/data"])
