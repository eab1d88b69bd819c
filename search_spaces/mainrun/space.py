"""The mainrun space: a contest's GPT-2 on Hacker News titles, and what an optimization report proposed to change.

The base is the contest's baseline; its optimizer is SGD, so the knobs of AdamW, which every better run has, hang on
that choice.
"""

from __future__ import annotations

from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.hooks.gradient_clip import GradientClip
from trainable.models.gpt2 import GPT2
from trainable.models.mlp import Gelu, Relu2, SwiGLU
from trainable.models.norms import LayerNorm, RMSNorm
from trainable.optimizers.adamw import AdamW
from trainable.optimizers.sgd import SGD
from trainable.schedules import Constant, Cosine, OneCycle, Warmup

from search_spaces.domains import Choice, LogUniform, Uniform, Value
from search_spaces.space import Knob, Scale, Space

FULL = TrainConfig(
    model=GPT2(),
    optimizer=SGD(),
    schedule=Cosine(min_lr_frac=0.0),
    hooks=(GradientClip(max_norm=1.0),),
    data=DataConfig(source="mainrun", vocab_size=16_000, seq_len=128, batch_tokens=8192, order="epochs"),
    budget=Budget(epochs=7.0),
    evaluation=EvaluationConfig(seq_len=128, mainrun_rows=64),
)

# The same six layers and heads; a twentieth of a pass, which is about 200 steps.
PROXY = TrainConfig(
    model=GPT2(model_dim=64),
    optimizer=SGD(),
    schedule=Cosine(min_lr_frac=0.0),
    hooks=(GradientClip(max_norm=1.0),),
    data=DataConfig(source="stdlib", vocab_size=1024, seq_len=64, batch_tokens=1024, order="epochs"),
    budget=Budget(epochs=0.05),
    evaluation=EvaluationConfig(tokens=32_768, seq_len=64),
)

ADAMW = {"optimizer": ("AdamW",)}
# At a decay of 0 it does not matter which weights are left out of it.
DECAYED: dict[str, tuple[Value, ...]] = {**ADAMW, "optimizer.weight_decay": (0.01, 0.1)}

SPACE = Space(
    name="mainrun",
    question="Which optimizer, schedule and parts give the fewest nats per character in seven passes over the titles?",
    # What the contest means to count, on the same tokens for every trial. Its own number (val_mainrun_loss) leaves out
    # text, and reads the whole validation split at every rung: on the proxy that costs more than the training.
    objective="val_nats_per_character",
    scales={
        "full": Scale(
            FULL,
            trials=32,
            about="the contest's size, 27 million parameters, on its 90,000 titles of Hacker News",
        ),
        "proxy": Scale(
            PROXY,
            trials=32,
            about="the same six layers at width 64, a twentieth of a pass",
            sizes={
                "data.vocab_size": {16_000: 1024, 32_000: 2048},
                "data.seq_len": {128: 64, 64: 32},
                "data.batch_tokens": {8192: 1024, 4096: 512},
                "evaluation.seq_len": {128: 64, 64: 32},
                "horizon.epochs": {14.0: 0.1},
                "horizon.steps": {1882: 426},  # of 1883 and 427 steps: torch counts them from 0
            },
        ),
    },
    knobs=(
        Knob("optimizer", Choice(SGD(), AdamW(lr=1e-4)), "SGD in the baseline, AdamW in every better run"),
        Knob("optimizer.lr", LogUniform(1e-5, 1e-2), "0.006 for SGD; 1e-4 for AdamW, with peaks of 5e-4 and 1e-3"),
        Knob("optimizer.weight_decay", Choice(0.0, 0.01, 0.1), "0 in the baseline, 0.01 in the best run"),
        Knob("optimizer.beta2", Uniform(0.9, 0.999), "0.999, and 0.95 proposed", ADAMW),
        Knob("optimizer.wd_exclude", Choice("none", "1d_and_norm"), "decay groups proposed", DECAYED),
        Knob(
            "schedule",
            Choice(Cosine(min_lr_frac=0.0), OneCycle(), Warmup(inner=Cosine(min_lr_frac=0.02)), Constant()),
            "cosine in the baseline; OneCycle, and warmup with cosine, in the report",
        ),
        Knob("schedule.pct_start", Uniform(0.05, 0.5), "0.5, and 0.2 proposed", {"schedule": ("OneCycle",)}),
        Knob("schedule.div_factor", LogUniform(2.0, 50.0), "10, and 5 proposed", {"schedule": ("OneCycle",)}),
        Knob("schedule.frac", Uniform(0.01, 0.3), "500 of 1883 steps proposed", {"schedule": ("Warmup",)}),
        Knob("model.dropout", Choice(0.0, 0.05, 0.1), "0.1 in the baseline, 0.05 in the best run"),
        Knob("model.norm", Choice(LayerNorm(), RMSNorm()), "RMSNorm proposed"),
        Knob("model.mlp", Choice(Gelu(), SwiGLU(), Relu2()), "SwiGLU proposed"),
        Knob("model.positions", Choice("learned", "rope"), "learned; RoPE in good forks"),
        Knob("model.tie_embeddings", Choice(True, False), "tied"),
        Knob("hooks.GradientClip.max_norm", Choice(None, 0.5, 1.0, 2.0), "1"),
        Knob("hooks.WeightAverage.decay", Choice(0.0, 0.9, 0.99, 0.999), "0.999 proposed, long for such a run"),
    ),
)
