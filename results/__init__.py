"""What was learned: the schema, the store on disk, and what can be said of it. Knows neither training nor search."""

from __future__ import annotations

from results.frames import Results, load
from results.names import campaign_folder
from results.store import Store

__all__ = ["Results", "Store", "campaign_folder", "load"]
