"""The section ``every_space``: one micro-batch of each space's recorded size, as it runs by default."""

from __future__ import annotations

import time
from typing import Any

import search_spaces
from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.made_up import made_up
from benchmarks.gpu.small import start
from benchmarks.gpu.steps import whole_step
from trainable.component_paths import with_values
from trainable.config import Budget, TrainConfig

VOCABS = {"mainrun": 16_000, "parameter_golf": 1024}
GPT2_VOCAB, QUICK_VOCAB = 50_257, 1024
SPACES = ("ngpt", "mainrun", "speedrun", "parameter_golf", "nanochat")
TOO_LARGE_TO_TRY = ("nanochat",)  # on a CPU, even as a proxy


def every_space(context: Context) -> Figures:
    """Try the base of each scale: whether it fits, its parameters, milliseconds and memory."""
    found: Figures = {}
    for name in SPACES:
        if not (context.quick and name in TOO_LARGE_TO_TRY):
            context.fresh()
            row = attempt(_space, context, name)
            found[name] = row | context.memory()
    context.fresh()
    return found


def _space(context: Context, name: str) -> Figures:
    config, vocab_size = one_micro_batch(name, context.quick)
    tokens, validation = 4 * config.data.batch_tokens + 10_000, config.evaluation.seq_len * 8 + 1
    data = made_up(vocab_size, tokens, validation)
    began = time.perf_counter()
    run = start(config, context.bf16, data)
    built = time.perf_counter() - began
    seconds = context.throughput(whole_step(run), 1, 2)
    return {
        "parameters": run.num_parameters,
        "build_seconds": round(built, 1),
        "micro_batch_tokens": config.data.batch_tokens,
        "ms": round(1e3 * seconds, 1),
        "tokens_a_second": round(config.data.batch_tokens / seconds),
    }


def one_micro_batch(name: str, quick: bool) -> tuple[TrainConfig, int]:
    """A space's full scale with one micro-batch a step (a quick check: its proxy), and the size of its vocabulary."""
    space = search_spaces.load(name)
    changes: dict[str, Any] = {"data.order": "stream", "budget": Budget(steps=10), "evaluation.mainrun_rows": None}
    if quick:
        return with_values(space.scale("proxy").base, changes), QUICK_VOCAB
    base = space.scale("full").base
    changes |= {
        "data.grad_accum_steps": 1,
        "data.batch_tokens": base.data.batch_tokens // base.data.grad_accum_steps,
        "evaluation.tokens": base.evaluation.seq_len * 4,
        "evaluation.tokens_on_the_way": None,
    }
    return with_values(base, changes), VOCABS.get(name, GPT2_VOCAB)
