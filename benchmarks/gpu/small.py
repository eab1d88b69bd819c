"""Small models of every family, and the config that trains one in seconds."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from benchmarks.gpu.made_up import SMALL_VOCAB, small_data
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig, Dataset
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.models.blueberry import Blueberry
from trainable.models.gpt import GPT
from trainable.models.gpt2 import GPT2
from trainable.models.latent_attention import LatentHeads
from trainable.models.mixture_of_experts import Experts
from trainable.models.model import Model
from trainable.models.nanochat import Nanochat
from trainable.models.ngpt import NGPT
from trainable.models.query_key_value import SeparateHeads
from trainable.run import Run
from trainable.runtime import Runtime

SIZES: dict[str, Any] = {"num_layers": 2, "model_dim": 64, "num_heads": 4, "num_kv_heads": 2}
NANOCHAT: dict[str, Any] = {"num_layers": 2, "aspect_ratio": 32, "head_dim": 16, "short_window": 16}

ModelT = TypeVar("ModelT", bound=Model)


def shrunk(model: ModelT) -> ModelT:
    """A model at the small sizes, as far as it has them."""
    known = {f.name for f in dataclasses.fields(model)}
    return dataclasses.replace(model, **{name: size for name, size in SIZES.items() if name in known})


FAMILIES: dict[str, Model] = {
    "gpt": shrunk(GPT()),
    "gpt_untied_multi_query": dataclasses.replace(shrunk(GPT(tie_embeddings=False)), num_kv_heads=1),
    "gpt2": shrunk(GPT2(dropout=0.0)),
    "gpt2_rope": shrunk(GPT2(dropout=0.0, positions="rope")),
    "ngpt": shrunk(NGPT()),
    "ngpt_campaign": shrunk(NGPT.campaign()),
    "nanochat": Nanochat(**NANOCHAT),
    "nanochat_grouped": Nanochat(**NANOCHAT, qkv=SeparateHeads(kv_head_divisor=2)),
    "nanochat_latent": Nanochat(**NANOCHAT, qkv=LatentHeads(latent_dim=32, rope_dim=8)),
    "blueberry": shrunk(Blueberry(dropout=0.0)),
    "blueberry_experts": shrunk(Blueberry(dropout=0.0, experts=Experts(num_experts=4, router_noise=0.0))),
}


def tiny(steps: int = 6, **changes: Any) -> TrainConfig:
    """A small GPT on few tokens, with some fields of the config replaced."""
    config = TrainConfig(
        model=FAMILIES["gpt"],
        data=DataConfig(vocab_size=SMALL_VOCAB, seq_len=64, batch_tokens=1024),
        budget=Budget(steps=steps),
        evaluation=EvaluationConfig(tokens=2048, seq_len=64, batch_tokens=1024),
    )
    return dataclasses.replace(config, **changes)


def start(config: TrainConfig, runtime: Runtime, dataset: Dataset | None = None) -> Run:
    """A fresh run, on the small data unless others are given."""
    return Run.start(config, dataset or small_data(), runtime)
