"""The section that sets ways of running a step side by side: what needs a device is skipped, losses are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gpu import ways
from benchmarks.gpu.context import Context
from benchmarks.gpu.golf import golf
from trainable.runtime import Runtime


@pytest.mark.parametrize("name", ways.WAYS)
def test_every_way_is_one_that_a_run_on_cuda_takes(name) -> None:
    assert replace(Runtime("cuda", "bf16"), **ways.WAYS[name]).device == "cuda"


def test_on_a_cpu_what_needs_cuda_is_skipped_and_losses_are_set_beside_the_eager_ones(monkeypatch, tmp_path) -> None:
    context = Context("cpu", True, tmp_path)
    losses = {False: [3.0, 2.0], True: [3.0, 2.5]}
    monkeypatch.setattr(ways, "_row", lambda context, config, scale, runtime: {"losses": losses[runtime.compile]})
    rows = ways._rows(context, golf(context, "proxy"), "proxy", context.bf16, *ways.WAYS)
    assert rows["eager"] == {"losses": [3.0, 2.0], "losses_off": 0.0}
    assert rows["whole"]["losses_off"] == rows["blocks"]["losses_off"] == 0.5
    for name in ways.WAYS:
        assert (rows[name] == {"skipped": "needs CUDA"}) is ("CUDA" in name or "Flex" in name)


def test_the_windows_are_of_shared_keys_at_the_recorded_heads(tmp_path) -> None:
    model = ways.windowed(Context("cuda", False, tmp_path)).model
    assert (model.head_dim, model.window(0, 1024), model.qkv.num_kv_heads(model.num_heads)) == (128, 512, 6)
