"""Sampler of whole points: values are decided before Optuna asks for the first of them, and handed out one by one."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial


class PointSampler(BaseSampler):
    """Base of samplers that decide in ``before_trial`` and answer in ``sample_independent``."""

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: Any) -> dict[str, Any]:
        return {}
