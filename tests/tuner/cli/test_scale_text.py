"""What a plan says of its scale holds for the campaign, also where settings change a size of it."""

from __future__ import annotations

import pytest

import search_spaces
from tuner.cli.scale_text import scale_line
from tuner.question import ask
from tuner.spec import CampaignSpec

SAYS = "scale: proxy - the same structure at width 64, a quarter of a million tokens a trial"


@pytest.mark.parametrize(
    ("settings", "but"),
    [
        ({}, ""),
        ({"optimizer.matrix_lr": 0.05, "schedule": "Constant"}, ""),
        ({"model.num_layers": 9, "budget.steps": 240}, ""),  # as it is there
        ({"budget.steps": 30}, "; but here budget.steps=30"),
        ({"model.model_dim": 96, "optimizer.matrix_lr": 0.05}, "; but here model.model_dim=96"),
        ({"model.mlp": "SwiGLU", "data.source": "texts"}, "; but here model.mlp=SwiGLU, data.source=texts"),
        ({"evaluation.core.max_per_task": 5}, "; but here evaluation.core.max_per_task=5"),
    ],
)
def test_a_setting_that_changes_a_size_is_named_beside_the_scales_own_words(settings, but) -> None:
    space = search_spaces.load("parameter_golf")
    asked = ask(space, CampaignSpec(space=space.name, scale="proxy", overrides=settings))
    assert scale_line(asked) == f"{SAYS}{but}"
