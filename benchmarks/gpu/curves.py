"""The section ``curves``: losses on the way, by precision, and the part of it that is due to a token table in bf16."""

from __future__ import annotations

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.small import FAMILIES, start, tiny
from benchmarks.gpu.steps import whole_step
from trainable.config import TrainConfig
from trainable.optimizers import update_rule
from trainable.optimizers.adamw import AdamW
from trainable.optimizers.muon_adam_split import MuonAdamSplit
from trainable.runtime import Runtime

STEPS, LONG = 20, 200
QUICK_STEPS, QUICK_LONG = 4, 6


def curves(context: Context) -> Figures:
    """Losses of a GPT step by step on the CPU and the device; of other families the mean of the last tenth."""
    steps, long = (QUICK_STEPS, QUICK_LONG) if context.quick else (STEPS, LONG)
    tables = {
        "gpt, MuonAdam (beta2 0.95)": tiny(long),
        "ngpt_campaign, AdamW (beta2 0.999)": tiny(long, model=FAMILIES["ngpt_campaign"], optimizer=AdamW(lr=1e-3)),
        "gpt2, AdamW (beta2 0.999)": tiny(long, model=FAMILIES["gpt2"], optimizer=AdamW(lr=1e-3)),
        "blueberry, MuonAdamSplit (beta2 0.999)": tiny(long, model=FAMILIES["blueberry"], optimizer=MuonAdamSplit()),
    }
    ends = {name: attempt(_ends, context, config, long) for name, config in tables.items()}
    return {"gpt": attempt(_gpt, context, tiny(steps), steps)} | ends


def _gpt(context: Context, config: TrainConfig, steps: int) -> Figures:
    runtimes = {"cpu_fp32": Runtime(), "fp32": context.fp32, "bf16": context.bf16}
    of = {name: _curve(config, runtime, steps) for name, runtime in runtimes.items()}
    off = {
        f"{name}_off": max(abs(a - b) for a, b in zip(of[name], of["cpu_fp32"], strict=True))
        for name in ("fp32", "bf16")
    }
    return of | off


def _ends(context: Context, config: TrainConfig, steps: int) -> Figures:
    of = {
        "fp32": _curve(config, context.fp32, steps),
        "bf16": _curve(config, context.bf16, steps),
        "bf16, fp32 table": _curve(config, context.bf16, steps, fp32_table=True),
    }
    last = max(1, steps // 10)
    return {name: round(sum(losses[-last:]) / last, 4) for name, losses in of.items()}


def _curve(config: TrainConfig, runtime: Runtime, steps: int, fp32_table: bool = False) -> list[float]:
    """The training loss of each step; ``fp32_table`` keeps the token table and its moments in fp32."""
    run = start(config, runtime)
    if fp32_table:
        run.network.embedding.float()
        run.optimizer_states = update_rule.start(run.groups)
    go = whole_step(run)
    return [round(float(go()), 4) for _ in range(steps)]
