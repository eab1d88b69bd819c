"""Options that say what a campaign's trials are judged by, for a command that is to give numbers of the same kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def judged_by(campaign: Mapping[str, Any]) -> list[str]:
    """``--objective`` and each ``--constraint`` of a campaign, as campaign.json keeps them; not yet quoted."""
    parts = ["--objective", text] if (text := ",".join(objectives_asked(campaign))) else []
    return parts + [part for limit in campaign.get("constraints") or () for part in ("--constraint", str(limit))]


def objectives_asked(campaign: Mapping[str, Any]) -> list[str]:
    """Name the objective, or both."""
    return campaign.get("objectives") or [str(campaign.get("objective") or "")]
