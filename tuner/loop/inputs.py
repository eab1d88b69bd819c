"""Inputs of a search: the problem, one start at it, and where its trials come from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from search_spaces.space import Space
from trainable.own.source import Source
from trainable.training import Training
from tuner.campaign.planned import Planned
from tuner.proposals.reuse import Library
from tuner.proposals.sampler import Sampler
from tuner.proposals.warm_start import Prior
from tuner.spec import CampaignSpec


@dataclass(frozen=True)
class Problem:
    """Problem that a campaign solves: the same in all its starts, but for a budget that grows."""

    space: Space
    base: Training  # all others are measured against it
    spec: CampaignSpec  # settled
    data_fingerprint: str
    vocab_size: int | None = None  # with it a limit on parameters is judged before anything is trained
    sources: tuple[Source, ...] = ()  # the user's own code, which workers execute before they read a config


@dataclass(frozen=True)
class OneStart:
    """Settings that one start of a campaign adds to its problem. Nothing here changes what a trial is."""

    slots: int  # trials at a time
    seed: int  # of the search: the spec's, or the base's
    hours: float | None = None
    threads: int = 1  # of each trial
    gpu_share: float = 1.0  # of each trial, the part of a GPU
    fresh_seed: int | None = None  # where the confirmation's seeds begin; None: after the search's own
    code_version: str = ""
    worker: Callable[[], Any] | None = None  # makes the Trainable of Ray that a trial runs by, where it is not ours
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class TrialOrigins:
    """Origins of trials, beside the campaign's own sampler."""

    planned: Sequence[Planned] | None = None  # the trials of a replay, in order; without them a sampler proposes
    prior: Prior | None = None  # what the sampler starts from
    sampler: Sampler | None = None  # proposes in place of the campaign's own
    library: Library | None = None  # of trials that need no training


SAMPLED = TrialOrigins()  # the campaign's own sampler proposes all
