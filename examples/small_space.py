"""A space of your own: which shape of the learning rate, and which peak, is best for a small GPT?"""

from __future__ import annotations

from dataclasses import replace

from sawtooth import Sawtooth

from search_spaces.domains import Choice, Integer, LogUniform
from search_spaces.space import Knob, Scale, Space
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.models.gpt import GPT
from trainable.schedules import Cosine, Warmdown

BASE = TrainConfig(
    model=GPT(num_layers=4, model_dim=64, num_heads=4, num_kv_heads=4, encoder_layers=2),
    data=DataConfig(source="stdlib", vocab_size=1024, seq_len=128, batch_tokens=1024),
    budget=Budget(steps=200),
    evaluation=EvaluationConfig(tokens=32_768, seq_len=128),
)

SPACE = Space(
    name="small",
    question="Does a sawtooth beat a cosine?",
    objective="val_bpb",
    scales={
        "proxy": Scale(BASE, trials=12, about="a quarter of a million parameters, 200 steps"),
        "full": Scale(replace(BASE, budget=Budget(steps=2000)), trials=24, about="ten times as many steps"),
    },
    knobs=(
        Knob("schedule", Choice(Cosine(), Warmdown(), Sawtooth()), "two that are known, and the new one"),
        Knob("schedule.teeth", Integer(1, 6), "more are too short for 200 steps", {"schedule": ("Sawtooth",)}),
        Knob("optimizer.matrix_lr", LogUniform(0.01, 0.2), "around the default of 0.04"),
    ),
)
