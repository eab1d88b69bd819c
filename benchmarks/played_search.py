"""The tuner's own search, whose trials a benchmark plays instead of training them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from results.store.campaign_folder import Store
from search_spaces.space import Space
from trainable.config import TrainConfig
from tuner.loop.inputs import OneStart, Problem, TrialOrigins
from tuner.loop.proposals import SampledTrials
from tuner.search_loop import Search
from tuner.spec import CampaignSpec


def played_search(
    space: Space, base: TrainConfig, store: Store, trials: int, slots: int, seed: int, **asked: Any
) -> Search:
    """A search by its usual settings; ``asked`` are fields of the spec and of ``TrialOrigins``, and a ``clock``.

    A trial is played in a moment, and stands for one of minutes: no point is asked for ahead, as beside trials of under
    a second.
    """
    origins = TrialOrigins(**{name: asked.pop(name) for name in ("prior", "sampler", "planned") if name in asked})
    here = OneStart(slots, seed, **({"clock": asked.pop("clock")} if "clock" in asked else {}))
    usual = {"stopper": "asha", "reports": 0, "confirm": False}
    spec = CampaignSpec(space=space.name, trials=trials, seed=seed, **usual | asked)
    search = Search(Problem(space, base, spec, "made-up"), store, here, origins)
    if isinstance(search.proposals, SampledTrials):
        search.proposals.short = timedelta(0)
    return search
