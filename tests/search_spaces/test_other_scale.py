"""Settings of one scale at another: what is asked stays, what makes the size is the other scale's own."""

from __future__ import annotations

import pytest

from search_spaces import load
from search_spaces.other_scale import settings_at

GOLF = load("parameter_golf")
HEAD = "optimizer.head_lr"


@pytest.mark.parametrize(
    ("settings", "kept", "left"),
    [
        ({"model.num_layers": 6, "schedule": "Tidal"}, {"model.num_layers": 6, "schedule": "Tidal"}, []),
        ({"data.source": "/my/texts"}, {"data.source": "/my/texts"}, []),  # though the scales differ in it
        ({"data.batch_tokens": 2048, "evaluation.tokens": 8192}, {}, ["data.batch_tokens", "evaluation.tokens"]),
        ({"model.model_dim": 96}, {"model.model_dim": 640}, []),  # by the table of sizes
        ({"model.model_dim": 128}, {}, ["model.model_dim"]),  # which has no such size
        ({"evaluation": None}, {}, ["evaluation"]),  # above what differs
        ({"data.grad_accum_steps": 8}, {}, ["data.grad_accum_steps"]),  # by the memory of each scale
        ({HEAD: 0.016}, {HEAD: 0.002}, []),
        ({"optimizer.matrix_lr": 0.1}, {"optimizer.matrix_lr": 0.1}, []),
    ],
)
def test_a_setting_stays_moves_or_is_left_to_the_scale(settings, kept, left) -> None:
    assert settings_at(GOLF, "proxy", "full", settings, {HEAD: 0.125}) == (kept, left)


def test_the_table_of_sizes_leads_to_the_full_size_only() -> None:
    assert settings_at(GOLF, "full", "proxy", {"model.model_dim": 640}, {}) == ({}, ["model.model_dim"])
