"""Trials that early stopping ended and that went on again, as their rows tell it (tuner/loop/promotion.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def promotions_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The times that a trial was stopped and went on again, as ``store/validate.py`` has checked them."""
    kept = row.get("promotions")
    found: list[dict[str, Any]] = json.loads(kept) if isinstance(kept, str) else []
    return found


def went_on(row: Mapping[str, Any]) -> str:
    """Say from which rung a trial went on last; empty of one that never stopped."""
    found = promotions_of(row)
    return f"went on from rung {found[-1]['rung']:.10g}" if found else ""
