"""Small forms of two of our spaces, of which a core trains a whole run in a few seconds, with a limit on memory.

``parameter_golf`` gets four knobs of size, so that trials differ in their seconds and in the bytes that they need. A
run that is estimated to need more than the limit is out of memory: about a third of random configs. Both train a fixed
number of tokens, so that a small batch gives more steps and takes longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import search_spaces
from search_spaces.domains import Choice, Integer, Uniform
from search_spaces.space import Knob, Space
from trainable.component_paths import with_values
from trainable.config import Budget, TrainConfig
from trainable.hooks.weight_average import WeightAverage
from trainable.models.gpt import GPT

BYTES = 4  # of a number in fp32
TOKENS = 40_960  # of a run: 80 steps of the base
MOST_BYTES = 20e6  # a third of random configs need more; the base needs 8.3e6
RUNGS = (0.125, 0.25, 0.5, 1.0)  # parts of a run after which it is evaluated

DATA = {"data.vocab_size": 300, "data.seq_len": 32, "data.batch_tokens": 512}
EVALUATION = {"evaluation.tokens": 8192, "evaluation.seq_len": 32, "evaluation.batch_tokens": 4096}
GOLF = {"model.num_layers": 4, "model.encoder_layers": 2, "model.model_dim": 32, **DATA, **EVALUATION}
NGPT = {"model.num_layers": 4, "model.num_heads": 4, "model.model_dim": 32, **DATA, **EVALUATION}

SIZES = (
    Knob("model.num_layers", Integer(2, 6), "fewer than the encoder's are no valid run"),
    Knob("model.model_dim", Choice(16, 32, 48, 64), "multiples of twice the eight heads"),
    Knob("model.mlp_mult", Uniform(1.0, 4.0), "2 upstream, 3 in A15"),
    Knob("data.batch_tokens", Choice(512, 768, 1024), "at a fixed number of tokens"),
)


@dataclass(frozen=True)
class SmallSpace:
    """A space, its base and the most bytes that a run of it may need."""

    space: Space
    base: TrainConfig
    most_bytes: float

    def config(self, values: Mapping[str, Any]) -> TrainConfig:
        """The training of some values of knobs; a ValueError for what is no valid run."""
        return self.space.config(self.base, values)

    def fits(self, config: TrainConfig) -> bool:
        """Tell whether a run of ``config`` stays below the limit."""
        return estimated_bytes(config) <= self.most_bytes


def load(name: str) -> SmallSpace:
    """The small form of ``parameter_golf`` or ``ngpt``; a ValueError for any other name."""
    whole = search_spaces.load(name)
    if name == "parameter_golf":
        return SmallSpace(replace(whole, knobs=(*SIZES, *whole.knobs)), _shrunk(whole, GOLF), most_bytes=MOST_BYTES)
    if name == "ngpt":
        return SmallSpace(whole, _shrunk(whole, NGPT), most_bytes=float("inf"))
    raise ValueError(f"there is no small form of the space {name!r}, only of parameter_golf and ngpt")


def _shrunk(whole: Space, changes: Mapping[str, Any]) -> TrainConfig:
    return with_values(replace(whole.scale("proxy").base, budget=Budget(tokens=TOKENS)), changes)


def estimated_bytes(config: TrainConfig) -> int:
    """Estimate the peak memory of a training of a GPT in fp32, in bytes: weights with their states, and activations.

    A weight comes with its gradient and two moments, and a fifth number where weights are averaged. Of a token, a layer
    keeps about twelve vectors of its width and both sides of the MLP; the logits are kept four times.
    """
    model, data = config.model, config.data
    if not isinstance(model, GPT):
        return 0
    mlp = model.mlp.num_matrix_weights(model.model_dim, model.mlp_mult)
    table = data.vocab_size * model.model_dim
    weights = model.flops_per_token(data.vocab_size, 0) // 6 + (0 if model.tie_embeddings else table)
    averaged = any(isinstance(hook, WeightAverage) and hook.decay > 0 for hook in config.hooks)
    of_token = model.num_layers * (12 * model.model_dim + 2 * mlp // model.model_dim) + 4 * data.vocab_size
    return BYTES * (weights * (5 if averaged else 4) + data.batch_tokens * of_token)
