"""The section ``each_component``: every trick in its place, some steps of it, and the reads that it costs a step."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.small import FAMILIES, start, tiny
from benchmarks.gpu.steps import whole_step
from benchmarks.gpu.waiting import Waits
from trainable.component import Component, components
from trainable.config import Budget, TrainConfig
from trainable.evaluation.ttt import TTT
from trainable.losses.loss_term import LossTerm
from trainable.optimizers.muon_adam_split import MuonAdamSplit
from trainable.train import train

OF_A_MODEL = {  # kind -> the field of the model, and whether it holds several
    "mlp": ("mlp", False),
    "block": ("block", False),
    "init": ("init", False),
    "stem part": ("stem", True),
    "layer part": ("layers", True),
    "attention part": ("attention", True),
}
OF_A_CONFIG = ("optimizer", "schedule", "Artifact", "Target")  # kinds whose field has their name
KINDS = ("hook", "loss term", *OF_A_MODEL, "norm", "orthogonaliser", *OF_A_CONFIG, "TTT")
EACH_STEP = ("hook", "optimizer", "loss term", "layer part", "attention part", "stem part")  # kinds that act in it
STEPS, QUICK_STEPS, WATCHED_STEPS, WARM_UP_STEPS = 6, 3, 3, 2


def each_component(context: Context) -> Figures:
    """Train with each component: its end, those that did not end well, operations and reads in a step."""
    ended: Counter[str] = Counter()
    bad, waits = {}, {}
    for kind in KINDS:
        for cls in components(kind):
            name = f"{kind} {cls.__name__}"
            row = attempt(_one, context, cls)
            if "failed" in row:
                bad[name] = row
                continue
            ended[row["status"]] += 1
            if not row["well"]:
                bad[name] = f"{row['status']}: {row['reason']}"
            if row["waits"] is not None:
                waits[name] = row["waits"]
    return {
        "ended": dict(ended),
        "not_well": bad,
        "base": attempt(_waits, context, tiny()),
        "reads_a_step": {name: row for name, row in waits.items() if len(row) > 1},
        "ops_a_step": {name: row.get("ops") for name, row in waits.items()},
    }


def _one(context: Context, cls: type[Component]) -> Figures:
    config = placed(cls.example(), QUICK_STEPS if context.quick else STEPS)
    steps = config.budget.steps or 0
    *_, last = train(start(config, context.bf16), milestones=(steps // 2,))
    well = last.status == "completed" and math.isfinite(last.val_loss or math.nan)
    waits = _waits(context, config) if cls.kind in EACH_STEP else None
    return {"status": last.status, "reason": last.reason, "well": well, "waits": waits}


def _waits(context: Context, config: TrainConfig) -> Figures:
    """Operations of a step, and the lines that read a number from the device, with their times a step."""
    go = whole_step(start(dataclasses.replace(config, budget=Budget(steps=60)), context.bf16))
    for _ in range(WARM_UP_STEPS):
        go()
    with Waits() as seen:
        for _ in range(WATCHED_STEPS):
            go()
    reads = {at: round(n / WATCHED_STEPS, 2) for at, n in seen.at.items() if at.startswith("read")}
    return {"ops": round(seen.ops / WATCHED_STEPS), **reads}


def placed(part: Component, steps: int) -> TrainConfig:
    """A small config with the component in its place."""
    if part.kind in OF_A_MODEL:
        field, several = OF_A_MODEL[part.kind]
        model = FAMILIES["gpt"]
        return tiny(steps, model=dataclasses.replace(model, **{field: (part,) if several else part}))  # type: ignore[arg-type]
    if part.kind in OF_A_CONFIG:
        return tiny(steps, **{part.kind.lower(): part})
    match part.kind:
        case "hook":
            return tiny(steps, hooks=(part,))
        case "loss term":
            assert isinstance(part, LossTerm)
            return tiny(steps, losses=(part,), **({"model": FAMILIES["blueberry_experts"]} if part.needs else {}))
        case "norm":
            return tiny(steps, model=dataclasses.replace(FAMILIES["gpt2"], norm=part))  # type: ignore[call-arg]
        case "orthogonaliser":
            return tiny(steps, optimizer=MuonAdamSplit(muon_orth=part))  # type: ignore[arg-type]
        case "TTT":
            assert isinstance(part, TTT)
            ttt = dataclasses.replace(part, chunk_tokens=512, batch_tokens=256)
            return tiny(steps, evaluation=dataclasses.replace(tiny().evaluation, ttt=ttt))
    raise ValueError(f"a {part.kind} has no place in a small config")
