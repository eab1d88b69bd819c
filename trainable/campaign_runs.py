"""Runs of the campaigns, at full size and as proxies, as they read their data: what is prepared ahead by default.

The campaigns' spaces say the same and much more. They are not known here, where training must stand alone; a test
holds both against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig

FULL, PROXY = RUN_SCALES = ("full", "proxy")


@dataclass(frozen=True)
class CampaignRun:
    """One run of a space's scale: the tokens that it reads, and those that it is scored on."""

    space: str
    scale: str
    data: DataConfig
    evaluation: EvaluationConfig
    limit: str  # the field of its budget
    tokens: int | None  # of training, in whole batches; null: passes over all that there are


_NANOCHAT = (
    CampaignRun(
        "nanochat",
        FULL,
        DataConfig(source="nanochat", vocab_size=32_768, seq_len=2048, batch_tokens=1_048_576, grad_accum_steps=32),
        EvaluationConfig(tokens=41_943_040, seq_len=2048),
        "param_data_ratio",
        5569 * 1_048_576,
    ),
    CampaignRun(
        "nanochat",
        PROXY,
        DataConfig(source="nanochat", vocab_size=1024, seq_len=64, batch_tokens=512),
        EvaluationConfig(tokens=32_768, seq_len=64),
        "param_data_ratio",
        216 * 512,
    ),
)
_MAINRUN = (
    CampaignRun(
        "mainrun",
        FULL,
        DataConfig(source="mainrun", vocab_size=16_000, seq_len=128, batch_tokens=8192, order="epochs"),
        EvaluationConfig(seq_len=128, mainrun_rows=64),
        "epochs",
        None,
    ),
    CampaignRun(
        "mainrun",
        PROXY,
        DataConfig(source="mainrun", vocab_size=1024, seq_len=64, batch_tokens=1024, order="epochs"),
        EvaluationConfig(tokens=32_768, seq_len=64),
        "epochs",
        None,
    ),
)
_SPEEDRUN = (
    CampaignRun(
        "speedrun",
        FULL,
        DataConfig(source="speedrun", seq_len=2048, batch_tokens=8192),
        EvaluationConfig(tokens=409_600, seq_len=2048),
        "tokens",
        47 * 8192,
    ),
    CampaignRun(
        "speedrun",
        PROXY,
        DataConfig(source="speedrun", vocab_size=1024, seq_len=128, batch_tokens=512),
        EvaluationConfig(tokens=32_768, seq_len=128),
        "tokens",
        47 * 512,
    ),
)
_NGPT = (
    CampaignRun(
        "ngpt",
        FULL,
        DataConfig(source="fineweb10B_gpt2", seq_len=128, batch_tokens=2048),
        EvaluationConfig(tokens=122_880, seq_len=128),
        "steps",
        500 * 2048,
    ),
    CampaignRun(
        "ngpt",
        PROXY,
        DataConfig(source="fineweb10B_gpt2", vocab_size=1024, seq_len=64, batch_tokens=1024),
        EvaluationConfig(tokens=32_768, seq_len=64),
        "steps",
        500 * 1024,
    ),
)
_GOLF = (
    CampaignRun(
        "parameter_golf",
        FULL,
        DataConfig(source="fineweb10B_sp1024", seq_len=1024, batch_tokens=524_288, grad_accum_steps=8),
        EvaluationConfig(tokens_on_the_way=8_388_608, seq_len=1024),
        "steps",
        240 * 524_288,
    ),
    CampaignRun(
        "parameter_golf",
        PROXY,
        DataConfig(source="fineweb10B_sp1024", vocab_size=1024, seq_len=128, batch_tokens=1024),
        EvaluationConfig(tokens=16_384, seq_len=128, batch_tokens=2048),
        "steps",
        240 * 1024,
    ),
)
_RUNS = {
    "nanochat": _NANOCHAT,
    "mainrun": _MAINRUN,
    "speedrun": _SPEEDRUN,
    "speedrun_40M": _SPEEDRUN,
    "fineweb10B_gpt2": _NGPT,
    "fineweb10B_sp1024": _GOLF,
}

DATA_OF = {runs[0].space: runs[0].data.source for runs in _RUNS.values()}  # the source that each campaign reads


def campaign_run(source: str, scale: str | None = None) -> CampaignRun:
    """The run that reads a source; of text, which no campaign is known to have read, one of parameter golf.

    Without a ``scale`` that is the campaign's own, full one, and of text the proxy, which little text is enough for.
    """
    chosen = scale or (FULL if source in _RUNS else PROXY)
    found = next(run for run in _RUNS.get(source, _GOLF) if run.scale == chosen)
    return replace(found, data=replace(found.data, source=source))
