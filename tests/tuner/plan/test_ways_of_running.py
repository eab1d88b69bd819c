"""Ways of running a step that do nothing where they are asked for are refused in one line; the others are said."""

from __future__ import annotations

from dataclasses import fields

import pytest

from trainable.runtime import Runtime
from tuner.plan import ways_of_running
from tuner.plan.ways_of_running import ways_asked_for
from tuner.spec import CampaignSpec


def spec(**asked: bool) -> CampaignSpec:
    return CampaignSpec(space="parameter_golf", **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "has_gpu", "said"),
    [
        ({"compile_blocks": True}, True, "--compile-blocks is for compiled steps: give --compile too, or"),
        ({"compile_blocks": True, "compile": False}, True, "--compile-blocks is for compiled steps"),
        ({"flex_attention": True}, True, "--flex-attention is for compiled steps"),
        ({"flex_attention": True, "compile": True}, False, "--flex-attention needs a CUDA GPU, and none is here"),
        (
            {"cuda_graphs": True},
            False,
            "--cuda-graphs needs a CUDA GPU, and none is here: leave it out, or give --no-cuda",
        ),
    ],
)
def test_a_way_that_would_do_nothing_is_refused(asked, has_gpu, said) -> None:
    with pytest.raises(ValueError, match=said) as found:
        ways_of_running.check(spec(**asked), has_gpu)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("has_gpu", [False, True])
def test_what_is_not_asked_for_is_not_refused(has_gpu) -> None:
    ways_of_running.check(spec(), has_gpu)
    ways_of_running.check(spec(compile=False), has_gpu)
    ways_of_running.check(spec(compile=True, compile_blocks=True), has_gpu)
    ways_of_running.check(spec(compile=True, flex_attention=True, cuda_graphs=True), True)
    ways_of_running.check(spec(cuda_graphs=True), True)


def test_the_ways_that_are_asked_for_are_said() -> None:
    assert ways_asked_for(spec(compile=True)) == ""
    blocks = ways_asked_for(spec(compile=True, compile_blocks=True))
    assert blocks == "each kind of block compiled once (--compile-blocks)"
    all_of_them = ways_asked_for(spec(compile=True, compile_blocks=True, flex_attention=True, cuda_graphs=True))
    assert all(f"(--{option})" in all_of_them for option in ("compile-blocks", "flex-attention", "cuda-graphs"))
    assert all_of_them.count("not measured on a GPU yet") == 2


def test_cuda_graphs_are_refused_where_activations_are_checkpointed() -> None:
    for found in (spec(cuda_graphs=True, checkpoint_activations=False), spec(checkpoint_activations=True)):
        ways_of_running.check_small(found)
    with pytest.raises(ValueError, match="--cuda-graphs is for small models, and trials of this one checkpoint"):
        ways_of_running.check_small(spec(cuda_graphs=True, checkpoint_activations=True))
    with pytest.raises(ValueError, match="cuda_graphs does not go with checkpoint_activations"):
        Runtime("cuda", cuda_graphs=True, checkpoint_activations=True)


def test_every_way_is_a_field_of_the_runtime_that_makes_sure_of_its_needs_too() -> None:
    names = {f.name for f in fields(Runtime)} - {"device", "precision", "compile", "checkpoint_activations"}
    assert names == set(ways_of_running.IN_WORDS)
    for name in ways_of_running.NEEDS_COMPILE:
        with pytest.raises(ValueError, match=f"{name} is for compiled steps: it needs compile"):
            Runtime("cuda", **{name: True})
    for name in ways_of_running.NEEDS_CUDA:
        with pytest.raises(ValueError, match=f"{name} needs a CUDA device, and the device is 'cpu'"):
            Runtime(compile=True, **{name: True})
    assert Runtime("cuda:1", compile=True, **dict.fromkeys(names, True)).cuda_graphs
