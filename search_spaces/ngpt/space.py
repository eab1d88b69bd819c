"""The nGPT space: the campaign's own form of nGPT, and the knobs that lead from it to the paper's.

The campaign turned rate, batch, logit scale, projection interval, depth and width; what sets its model apart from the
paper's are the other knobs here. Learned scales and projections are explained in ``models/ngpt.py``.
"""

from __future__ import annotations

from dataclasses import replace

from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.hooks.weight_projection import WeightProjection
from trainable.models.ngpt import NGPT
from trainable.optimizers.adamw import AdamW
from trainable.schedules import Constant

from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.space import Knob, Scale, Space

FULL = TrainConfig(
    model=NGPT.campaign(),
    optimizer=AdamW(lr=1e-3, other_lr_ratio=0.3),
    schedule=Constant(),
    hooks=(WeightProjection(every_steps=10, axis="last", at_start=False),),
    data=DataConfig(source="fineweb10B_gpt2", seq_len=128, batch_tokens=2048),
    budget=Budget(steps=500),
    evaluation=EvaluationConfig(tokens=122_880, seq_len=128),  # one set for all; theirs grew with the batch
)

# The same eight layers and heads at an eighth of the width, on half the tokens.
PROXY = TrainConfig(
    model=replace(NGPT.campaign(), model_dim=48),
    optimizer=AdamW(lr=1e-3, other_lr_ratio=0.3),
    schedule=Constant(),
    hooks=(WeightProjection(every_steps=10, axis="last", at_start=False),),
    data=DataConfig(source="stdlib", vocab_size=1024, seq_len=64, batch_tokens=1024),
    budget=Budget(steps=500),
    evaluation=EvaluationConfig(tokens=32_768, seq_len=64),
)

SPACE = Space(
    name="ngpt",
    question="Which rates, scales and form of nGPT give the lowest loss in 500 steps?",
    objective="val_loss",
    scales={
        "full": Scale(FULL, trials=64, about="the recorded size: 53 million parameters, a million tokens a trial"),
        "proxy": Scale(
            PROXY,
            trials=32,
            about="the same eight layers at width 48, half a million tokens a trial",
            sizes={
                "model.model_dim": {384: 48, 512: 64},
                "data.batch_tokens": {1024: 512, 2048: 1024, 3072: 1536, 4096: 2048, 6144: 3072},
            },
        ),
    },
    knobs=(
        Knob("optimizer.lr", LogUniform(1e-4, 1e-2), "0.0005 to 0.003 in rounds 1-5"),
        Knob("optimizer.other_lr_ratio", LogUniform(0.1, 1.0), "0.3 for all but attention and MLP matrices"),
        Knob("optimizer.weight_decay", Choice(0.0, 0.01, 0.1), "0.01, which nobody chose; the paper's is 0"),
        Knob("optimizer.beta2", Uniform(0.9, 0.999), "0.999, torch's default; the paper's is 0.95"),
        Knob("model.alpha_init", LogUniform(0.02, 0.5), "0.28 from an earlier sweep; the paper starts at 0.05"),
        Knob("model.alpha_param", Choice("scalar", "vector"), "scalar; a vector in the paper"),
        Knob("model.alpha_reparam", Choice(False, True), "stored at 1/sqrt(d) in the paper, so that it moves faster"),
        Knob("model.residual_form", Choice("additive", "lerp"), "additive; a step along the sphere in the paper"),
        Knob("model.s_qk", Choice(False, True), "off, which makes attention nearly uniform; on in the paper"),
        Knob("model.attn_scale", Choice("rsqrt_hd", "sqrt_hd"), "unit queries and keys need sqrt(head_dim)"),
        Knob("model.s_uv", Choice(False, True), "off, which makes the MLP nearly linear; on in the paper"),
        Knob("model.logit_scale_init", LogUniform(1.0, 40.0), "10, and 8, 12, 15 in rounds 11-13"),
        Knob("model.logit_scale_param", Choice("scalar", "per_vocab"), "scalar; one a token in the paper"),
        Knob("model.positions", Choice("learned", "rope"), "learned; RoPE in the paper"),
        Knob("hooks.WeightProjection.every_steps", Integer(1, 50), "10, and 7, 15, 20 in rounds 14-16; 1 in the paper"),
        Knob("hooks.WeightProjection.axis", Choice("last", "embedding"), "last is the wrong one for two matrices"),
    ),
)
