"""The nanochat space: Run 6 of its speedrun leaderboard and the knobs that the Run 7 candidate turned.

The budget is a ratio of training tokens to scaling parameters, as the campaign counts it. The proxy's ratio is
a two-hundredth, and the references of the rate rules are shrunk with the model, so that effective rates are the same.
"""

from __future__ import annotations

from dataclasses import replace

from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.models.nanochat import Nanochat
from trainable.optimizers.muon_adamw import MuonAdamW
from trainable.optimizers.normuon import NorMuon
from trainable.scaling import trapezoid

from search_spaces.domains import Choice, LogUniform, Uniform
from search_spaces.space import Knob, Scale, Space

STEPS = 5568  # what ratio 8 comes to at depth 24
OPTIMIZER = MuonAdamW(muon=NorMuon(weight_decay=0.28), wd_reference=110_100_912)

FULL = TrainConfig(
    model=Nanochat(num_layers=24),
    optimizer=OPTIMIZER,
    schedule=trapezoid(STEPS, warmdown_frac=0.65),
    data=DataConfig(source="nanochat", vocab_size=32_768, seq_len=2048, batch_tokens=1_048_576, grad_accum_steps=32),
    budget=Budget(param_data_ratio=8.0),
    evaluation=EvaluationConfig(tokens=41_943_040, seq_len=2048),
)

# All 24 layers with their 12 heads, of 8 channels instead of 128; 2.8 million scaling parameters instead of 730.
PROXY = TrainConfig(
    model=Nanochat(num_layers=24, aspect_ratio=4, head_dim=8, short_window=16),
    optimizer=replace(OPTIMIZER, width_reference=48, batch_reference=256, wd_reference=415_510),
    schedule=trapezoid(STEPS, warmdown_frac=0.65),
    data=DataConfig(source="stdlib", vocab_size=1024, seq_len=64, batch_tokens=512),
    budget=Budget(param_data_ratio=0.04),
    evaluation=EvaluationConfig(tokens=32_768, seq_len=64),
)

RATIOS = (7.5, 8.0, 11.0, 11.05, 11.5, 12.0)

SPACE = Space(
    name="nanochat",
    question="Which rates, decay, schedule tail and clip give the lowest bits per byte at eight tokens a parameter?",
    objective="val_bpb",
    scales={
        "full": Scale(FULL, trials=16, about="depth 24: 1.4 billion parameters, 5.8 billion tokens a trial"),
        "proxy": Scale(
            PROXY,
            trials=32,
            about="the same 24 layers at width 96, 110,000 tokens a trial",
            sizes={
                "budget.param_data_ratio": {None: None} | {ratio: ratio / 200 for ratio in RATIOS},
                "budget.steps": {
                    1500: 58,
                    2000: 77,
                    6000: 230,
                },  # at depth 22 as many tokens a parameter, by the same rule
                "model.head_dim": {128: 8, 64: 4},
                "model.qkv.latent_dim": {512: 32},
                "model.qkv.rope_dim": {64: 4},
            },
        ),
    },
    knobs=(
        Knob("optimizer.matrix_lr", LogUniform(0.005, 0.1), "0.02, and 0.025 in v214 and v215; before the batch rule"),
        Knob("optimizer.embed_lr", LogUniform(0.01, 1.0), "0.3"),
        Knob("optimizer.head_lr", LogUniform(0.001, 0.1), "0.008"),
        Knob("optimizer.scalar_lr", LogUniform(0.01, 1.0), "0.5"),
        Knob("optimizer.muon.momentum", Uniform(0.9, 0.99), "0.97 at its peak"),
        Knob("optimizer.muon.weight_decay", LogUniform(0.01, 1.0), "0.28 before it is scaled to model and batch"),
        Knob("optimizer.muon.beta2", Choice(None, 0.8, 0.9, 0.95), "NorMuon's second moment; 0.9"),
        Knob("optimizer.muon.cautious", Choice(True, False), "decay only where it agrees with the update"),
        Knob(
            "schedule.inner.warmdown_frac", Uniform(0.2, 1.0), "0.65, and 0.85 in the candidate; moves the momentum too"
        ),
        Knob("schedule.inner.min_lr_frac", Uniform(0.0, 0.2), "0.05, and 0 after the submission"),
        Knob("model.window_pattern", Choice("L", "SL", "SSL", "SSSL"), "SSSL; the last layer is always long"),
        Knob("model.logit_softcap", LogUniform(5.0, 30.0), "15"),
        Knob("model.rope_base", LogUniform(1000.0, 500_000.0), "100,000; NoPE lost"),
        Knob("model.qkv.order", Choice("rope_norm", "norm_rope"), "RoPE first here, last in the speedrun"),
        Knob("model.qkv.gain", Uniform(0.8, 2.0), "1.2 on queries and keys"),
        Knob("model.resid_lambda_first", Uniform(1.0, 1.2), "1.15"),
        Knob("model.x0_lambda_first", Uniform(0.0, 0.3), "0.2"),
        Knob("model.backout_lambda_init", Uniform(0.0, 0.5), "0.2"),
        Knob("model.attention.OutputGate.scale", Choice(0.0, 1.0), "tried privately, and dropped for CORE"),
        Knob(
            "hooks.QKWeightClip.tau", Choice(None, 50.0, 100.0, 200.0), "the tau sweep; with QK-norm it moves no logit"
        ),
    ),
)
