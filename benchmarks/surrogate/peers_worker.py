"""Samplers of SMAC3, Syne Tune and NePS behind lines of JSON, for an interpreter that has them.

They want other versions of what we use, so they live in environments of their own, and nothing of ours is imported:

    python -m venv peers && peers/bin/pip install "smac==2.4.*" "syne-tune==0.16.*" xgboost-cpu
    python -m venv neps && neps/bin/pip install "neural-pipeline-search==0.17.*"
"""

from __future__ import annotations

import json
import logging
import random
import sys
import tempfile
from typing import Any

import numpy as np

Values = dict[str, Any]


class SMAC3:
    """SMAC3's facade for hyperparameters (random forest), with conditions; the base comes before its design."""

    def __init__(self, knobs: list[Values], base: Values, seed: int) -> None:
        from ConfigSpace import (
            AndConjunction,
            CategoricalHyperparameter,
            Configuration,
            ConfigurationSpace,
            InCondition,
            OrdinalHyperparameter,
            UniformFloatHyperparameter,
            UniformIntegerHyperparameter,
        )
        from smac import HyperparameterOptimizationFacade, Scenario
        from smac.runhistory import TrialInfo

        space, made = ConfigurationSpace(seed=seed), {}
        for knob in knobs:
            name = knob["path"]
            if knob["kind"] == "choice":
                kind = OrdinalHyperparameter if knob["ordered"] else CategoricalHyperparameter
                made[name] = kind(name, list(range(knob["count"])))
            else:
                number = UniformIntegerHyperparameter if knob["kind"] == "integer" else UniformFloatHyperparameter
                made[name] = number(name, knob["low"], knob["high"], log=knob["log"])
        space.add(list(made.values()))
        for knob in knobs:
            conditions = [InCondition(made[knob["path"]], made[on], labels) for on, labels in knob["when"].items()]
            if conditions:
                space.add(conditions[0] if len(conditions) == 1 else AndConjunction(*conditions))
        scenario = Scenario(
            space, deterministic=True, n_trials=EXPECTED, seed=seed, output_directory=tempfile.mkdtemp()
        )
        self.facade = HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False
        )
        self.asked: dict[int, Any] = {0: TrialInfo(Configuration(space, values=base), seed=0)}

    def ask(self, number: int) -> Values:
        if number > 0:
            self.asked[number] = self.facade.ask()
        return dict(self.asked[number].config)

    def tell(self, number: int, value: float | None) -> None:
        from smac.runhistory import StatusType, TrialValue  # type: ignore[import-not-found]

        status = StatusType.SUCCESS if value is not None else StatusType.CRASHED
        self.facade.tell(self.asked.pop(number), TrialValue(cost=np.inf if value is None else value, status=status))


class SyneTune:
    """Syne Tune's BORE, its model-based sampler of whole runs that needs no data of others. It knows no conditions."""

    def __init__(self, knobs: list[Values], base: Values, seed: int) -> None:
        import datetime

        from syne_tune.backend.trial_status import Trial
        from syne_tune.config_space import choice, lograndint, loguniform, ordinal, randint, uniform
        from syne_tune.optimizer.baselines import BORE

        kinds = {
            ("number", False): uniform,
            ("number", True): loguniform,
            ("integer", False): randint,
            ("integer", True): lograndint,
        }
        space, whole = {}, {}
        for knob in knobs:
            name = knob["path"]
            if knob["kind"] == "choice":
                space[name] = (ordinal if knob["ordered"] else choice)(list(range(knob["count"])))
            else:
                space[name] = kinds[knob["kind"], knob["log"]](knob["low"], knob["high"])
            whole[name] = base.get(name, 0 if knob["kind"] == "choice" else knob.get("low"))
        self.trial = lambda number, config: Trial(number, config, datetime.datetime(2026, 1, 1))
        self.scheduler = BORE(space, metric="loss", random_seed=seed, points_to_evaluate=[whole])
        self.open: dict[int, Any] = {}

    def ask(self, number: int) -> Values:
        trial = self.open[number] = self.trial(number, self.scheduler.suggest().config)
        self.scheduler.on_trial_add(trial)
        return dict(trial.config)

    def tell(self, number: int, value: float | None) -> None:
        trial = self.open.pop(number)
        if value is None:
            self.scheduler.on_trial_error(trial)
        else:
            self.scheduler.on_trial_complete(trial, {"loss": value})


class NePS:
    """NePS's PiBO: a Gaussian process whose proposals are weighed by a prior, here around the base. No conditions."""

    def __init__(self, knobs: list[Values], base: Values, seed: int) -> None:
        import torch
        from neps import AskAndTell, HPOCategorical, HPOFloat, HPOInteger, SearchSpace
        from neps.optimizers.algorithms import pibo

        torch.manual_seed(seed)
        space = {}
        for knob in knobs:
            name, prior = knob["path"], {"prior_confidence": "medium"}
            if knob["path"] in base:  # else it does nothing in the base
                prior["prior"] = base[knob["path"]]
            if knob["kind"] == "choice":
                space[name] = HPOCategorical(list(range(knob["count"])), **prior)
            else:
                number = HPOInteger if knob["kind"] == "integer" else HPOFloat
                space[name] = number(knob["low"], knob["high"], log=knob["log"], **prior)
        self.optimizer = AskAndTell(pibo(SearchSpace(space), sample_prior_first=True))
        self.names: dict[int, str] = {}

    def ask(self, number: int) -> Values:
        trial = self.optimizer.ask()
        self.names[number] = trial.metadata.id
        return dict(trial.config)

    def tell(self, number: int, value: float | None) -> None:
        self.optimizer.tell(self.names.pop(number), RuntimeError("no result") if value is None else value)


MAKERS = {"SMAC3": SMAC3, "Syne Tune BORE": SyneTune, "NePS PiBO": NePS}
EXPECTED = 200  # trials of a campaign, by which SMAC3 sizes its initial design


def build(question: Values) -> Any:
    """The sampler that a question names."""
    random.seed(question["seed"])
    np.random.seed(question["seed"])
    return MAKERS[question["method"]](question["knobs"], question["base"], question["seed"])


def main() -> None:
    """Serve until the input ends. The first line says which method on which space."""
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    sampler, number = None, 0
    for line in sys.stdin:
        question, answer = json.loads(line), True
        if "method" in question:
            sampler = build(question)
        elif "ask" in question:
            values = {name: plain(value) for name, value in sampler.ask(number).items()}
            answer, number = {"number": number, "values": values}, number + 1
        else:
            sampler.tell(question["tell"], question["value"])
        print(json.dumps(answer), file=out, flush=True)


def plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    main()
