"""The tuner's own search, whose trials a benchmark plays instead of training them."""

from __future__ import annotations

from typing import Any

from results.store.campaign_folder import Store
from search_spaces.space import Space
from trainable.config import TrainConfig
from tuner.search_loop import OneStart, Search
from tuner.spec import CampaignSpec


def played_search(
    space: Space, base: TrainConfig, store: Store, trials: int, slots: int, seed: int, **asked: Any
) -> Search:
    """A search by its usual settings; ``asked`` are fields of the spec, and a few parts of ``Search``."""
    parts = {name: asked.pop(name) for name in ("prior", "sampler", "planned", "clock") if name in asked}
    usual = {"stopper": "asha", "reports": 0, "confirm": False}
    spec = CampaignSpec(space=space.name, trials=trials, seed=seed, **usual | asked)
    return Search(space, base, store, "made-up", spec, OneStart(slots, seed), **parts)
