"""The speedrun space: the record to a training loss of 6.7, and the knobs its plan proposed to turn.

The base is the record as its config names it, in the record's tokens; a search compares the loss that they buy. The
rows of ``runs.csv`` stop at the target loss instead, and read as run they have what the code did to the schedule.
"""

from __future__ import annotations

from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.hooks.gradient_clip import GradientClip
from trainable.models.blueberry import Blueberry
from trainable.models.mlp import Relu2, SwiGLU
from trainable.optimizers.muon_adam_split import MuonAdamSplit
from trainable.optimizers.newton_schulz import NewtonSchulz
from trainable.optimizers.polar_express import PolarExpress
from trainable.schedules import Constant, Warmup

from search_spaces.domains import Choice, LogUniform, Uniform
from search_spaces.space import Knob, Scale, Space

FULL = TrainConfig(
    model=Blueberry(),
    optimizer=MuonAdamSplit(),
    schedule=Constant(),
    hooks=(GradientClip(max_norm=1.0),),
    data=DataConfig(source="speedrun", seq_len=2048, batch_tokens=8192),
    budget=Budget(tokens=385_024),  # the record's 47 steps
    evaluation=EvaluationConfig(tokens=409_600, seq_len=2048),
    seed=42,
)

# All 32 layers and their heads; narrower, shorter and with smaller batches.
PROXY = TrainConfig(
    model=Blueberry(model_dim=64),
    optimizer=MuonAdamSplit(),
    schedule=Constant(),
    hooks=(GradientClip(max_norm=1.0),),
    data=DataConfig(source="stdlib", vocab_size=1024, seq_len=128, batch_tokens=512),
    budget=Budget(tokens=24_064),
    evaluation=EvaluationConfig(tokens=32_768, seq_len=128),
    seed=42,
)

UNTIED = {"model.tie_embeddings": (False,)}

SPACE = Space(
    name="speedrun",
    question="Which structure, rates and batch get furthest down in the tokens of the 6.7 record?",
    # Not time_to_target: seconds on a shared machine are no property of a config, a trial that misses the target has
    # none at all, and nothing could be stopped early. The loss at equal tokens is the same again in every replicate.
    objective="val_loss",
    scales={
        "full": Scale(FULL, trials=64, about="the record's size: 151 million parameters, 385,024 tokens a trial"),
        "proxy": Scale(
            PROXY,
            trials=32,
            about="the same 32 layers at width 64, 24,064 tokens a trial",
            sizes={
                "model.model_dim": {512: 64, 1536: 96},
                "data.seq_len": {2048: 128, 512: 32},
                "data.batch_tokens": {8192: 512, 16_384: 1024, 32_768: 2048, 49_152: 3072},
                "target.loss": {6.7: 6.0},  # of a batch, with a vocabulary of 1024
                "budget.tokens": {6_553_600: 102_400, 3_276_800: 51_200, 1_638_400: 25_600, 40_943_616: 638_976},
                "horizon.steps": {122_070: 122_070, 10_000: 2497},  # the latter 12 times the steps that are trained
            },
        ),
    },
    knobs=(
        Knob("optimizer.matrix_lr", LogUniform(0.005, 0.1), "0.015 in the record, 0.02 and 0.025 proposed"),
        Knob("optimizer.muon_momentum", Uniform(0.85, 0.99), "0.95 in the record, 0.9 and 0.98 proposed"),
        Knob(
            "optimizer.muon_orth", Choice(NewtonSchulz(), PolarExpress()), "quintic in the record, Polar Express later"
        ),
        Knob("optimizer.adamw_lr", LogUniform(1e-4, 0.1), "0.001 in the record, for all but the matrices"),
        Knob("optimizer.adam_wd", Choice(0.0, 0.01, 0.1, 0.2), "0.2 in the record, on gains and embeddings too"),
        Knob("schedule", Choice(Constant(), Warmup(frac=0.05, inner=Constant())), "constant in the record"),
        Knob(
            "schedule.frac",
            Uniform(0.005, 0.3),
            "0.005 proposed, of a horizon of 1e9 tokens",
            {"schedule": ("Warmup",)},
        ),
        Knob("model.mlp", Choice(SwiGLU(), Relu2()), "ReLU^2 proposed, at equal parameters here"),
        Knob("model.zero_init_proj", Choice(False, True), "proposed"),
        Knob("model.tie_embeddings", Choice(True, False), "untying proposed"),
        Knob(
            "optimizer.muon_head", Choice(False, True), "an untied head as a matrix, as the code would have it", UNTIED
        ),
        Knob("model.dropout", Choice(0.0, 0.05, 0.1), "0.1 in the record, 0 proposed"),
        Knob("hooks.GradientClip.max_norm", Choice(None, 0.25, 0.5, 1.0), "1 in the record, none proposed"),
    ),
)
