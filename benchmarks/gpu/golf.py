"""Parameter golf's own configs on made-up data of the same shapes: what speed is measured on."""

from __future__ import annotations

from functools import cache

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures
from benchmarks.gpu.made_up import made_up
from search_spaces.parameter_golf import space
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset

VOCAB = 1024
H100_BF16_FLOPS = 989e12  # a second, dense; H100 SXM and H200 alike
BASES = {"full": space.FULL, "proxy": space.PROXY}
EVALUATION_TOKENS = {"full": 1_048_576, "proxy": 16_384}
QUICK_EVALUATION_TOKENS = 2048
QUICK_FULL = {
    "data.batch_tokens": 512,
    "data.grad_accum_steps": 2,
    "data.seq_len": 128,
    "model.model_dim": 64,
    "evaluation.seq_len": 128,
    "evaluation.batch_tokens": 2048,
}


def golf(context: Context, scale: str) -> TrainConfig:
    """The space's base at a scale; a quick check has a small one in place of the full one."""
    tokens = QUICK_EVALUATION_TOKENS if context.quick else EVALUATION_TOKENS[scale]
    changes: dict[str, object] = {"evaluation.tokens": tokens, "evaluation.tokens_on_the_way": None}
    if context.quick and scale == "full":
        changes |= QUICK_FULL
    return with_values(BASES[scale], changes)


@cache
def golf_data(context: Context) -> Dataset:
    """Data for all of golf's runs, mapped from a file as the real ones are."""
    training, validation = (200_000, 20_000) if context.quick else (16_000_000, 1_200_000)
    return made_up(VOCAB, training, validation, context.scratch)


def rated(context: Context, seconds: float, config: TrainConfig) -> Figures:
    """A step's time as milliseconds, tokens a second, and on CUDA the part of an H100's peak that it makes use of."""
    tokens = config.data.batch_tokens
    row: Figures = {"ms_a_step": round(1e3 * seconds, 2), "tokens_a_second": round(tokens / seconds)}
    if context.cuda:
        flops = config.model.flops_per_token(VOCAB, config.data.seq_len) * tokens
        row["mfu"] = round(flops / seconds / H100_BF16_FLOPS, 4)
    return row
