"""A scheduler of Syne Tune behind lines of JSON, for an interpreter that has syne-tune 0.16. Imports nothing of ours.

Syne Tune wants other versions of Ray and pandas than we do, so it lives in an environment of its own:

    python -m venv syne && syne/bin/pip install "syne-tune[botorch]==0.16.*"
"""

from __future__ import annotations

import datetime
import json
import logging
import random
import sys
from typing import Any

import numpy as np
from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import choice, lograndint, loguniform, randint, uniform
from syne_tune.optimizer.baselines import ASHA, ASHABORE, BOHB
from syne_tune.optimizer.scheduler import SchedulerDecision

METHODS = {"ASHA": ASHA, "BOHB": BOHB, "ASHABORE": ASHABORE}
KINDS = {"Uniform": uniform, "LogUniform": loguniform, "Integer": randint, "LogInteger": lograndint}


def main() -> None:
    """Serve until the input ends. The first line says which method on which space."""
    logging.disable(logging.CRITICAL)
    lines, scheduler, parts = sys.stdin, None, 0
    trials: dict[str, Trial] = {}
    for line in lines:
        question = json.loads(line)
        if "method" in question:
            scheduler, parts = build(question), question["parts"]
            answer: Any = True
        elif "suggest" in question:
            config = scheduler.suggest().config
            key = str(len(trials))
            trials[key] = Trial(len(trials), config, datetime.datetime(2026, 1, 1))
            scheduler.on_trial_add(trials[key])
            answer = {"key": key, "values": plain(config)}
        else:
            answer = report(scheduler, trials[question["key"]], question["part"], question["value"], parts)
        print(json.dumps(answer), flush=True)


def build(question: dict[str, Any]) -> Any:
    """Make the scheduler that a question asks for, seeded, with the base as its first point."""
    random.seed(question["seed"])  # its schedulers draw from the global generators too, whatever their random_seed is
    np.random.seed(question["seed"])
    space = {}
    for name, knob in question["knobs"].items():
        if knob["kind"] == "Choice":
            space[name] = choice(list(range(knob["count"])))
        else:
            space[name] = KINDS[knob["kind"]](knob["low"], knob["high"])
    return METHODS[question["method"]](
        space,
        metric="loss",
        time_attr="training_iteration",
        max_t=question["parts"],
        random_seed=question["seed"],
        points_to_evaluate=[question["base"]],
    )


def report(scheduler: Any, trial: Trial, part: int, value: float | None, parts: int) -> bool:
    """Tell the scheduler a trial's value at a part of its budget (None: it failed); return whether that was its end."""
    if value is None:
        scheduler.on_trial_error(trial)
        return True
    result = {"training_iteration": part, "loss": value}
    decision = scheduler.on_trial_result(trial, result)
    if part == parts:
        scheduler.on_trial_complete(trial, result)
        return True
    if decision != SchedulerDecision.CONTINUE:
        scheduler.on_trial_remove(trial)
        return True
    return False


def plain(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value.item() if hasattr(value, "item") else value for name, value in config.items()}


if __name__ == "__main__":
    main()
