"""An export computes as the campaign did, where the device here is of the same kind."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from trainable.config import TrainConfig
from trainable.runtime import Runtime
from tuner.artifacts.kept_trial import KeptTrial


@pytest.mark.parametrize(
    ("device", "campaign", "wanted"),
    [
        ("cpu (x86_64)", {"compiled": False}, Runtime()),
        ("cpu (x86_64)", {}, Runtime()),
        ("cpu (x86_64)", {"compiled": True}, Runtime(compile=True)),
        ("cpu (x86_64)", {"compiled": True, "compile_blocks": True}, Runtime(compile=True, compile_blocks=True)),
        ("NVIDIA H100", {"compiled": True, "compile_blocks": True, "flex_attention": True}, Runtime()),
    ],
)
def test_steps_are_compiled_where_they_were_on_a_device_of_this_kind(device, campaign, wanted, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    results = SimpleNamespace(campaign=campaign)
    assert KeptTrial(results, {"device": device}, TrainConfig()).runtime() == wanted  # type: ignore[arg-type,typeddict-item]
