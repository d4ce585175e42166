"""Literal types of flags, to distinguish overloads."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["No", "Yes"]

Yes: TypeAlias = Literal[True]
No: TypeAlias = Literal[False]
