"""The command line that trains one config of a space: a search of one trial, whose base it is."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from results.questions.judged_by import judged_by
from results.store.resume_command import RUN_PROGRAM
from search_spaces.catalogue import is_known
from search_spaces.space import Space
from storage.location import Location
from trainable.config import TrainConfig
from trainable.own.source import Source
from trainable.settings import settings_for
from trainable.training import Training
from tuner.campaign.own_options import own_options


def train_command(
    folder: Location,
    sources: Sequence[Source],
    space: Space,
    campaign: Mapping[str, Any],
    config: Training,
    on_its_seed: bool = False,
) -> str | None:
    """The command for a config of a ``campaign``, its campaign.json; None where no line can say it.

    It is judged as the campaign's trials are, so that its number is one of theirs. It trains on the seed of the
    space's base, or with ``on_its_seed`` on the config's own.
    """
    if not isinstance(config, TrainConfig) or not is_known(space):
        return None
    scale = str(campaign["scale"])
    base, precision = space.scale(scale).base, config.number_format
    settings = settings_for(base, replace(config, seed=base.seed, precision=base.precision))
    asked = own_options(folder, sources, space)
    if settings is None or asked is None:
        return None
    seed = f" --seed {config.seed}" if on_its_seed and config.seed != base.seed else ""
    start = f"{RUN_PROGRAM} {asked} --scale {scale} --precision {precision}{seed} --trials 1 --no-confirm"
    judged = map(shlex.quote, judged_by(campaign))
    changed = (f"--set {shlex.quote(f'{path}={_text(value)}')}" for path, value in settings.items())
    return " ".join([start, *judged, *changed])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
