"""Ways to put a step together that are asked for and never chosen: what they need, and the words for them."""

from __future__ import annotations

from tuner.spec import CampaignSpec

NEEDS_COMPILE = ("compile_blocks", "flex_attention")
NEEDS_CUDA = ("flex_attention", "cuda_graphs")
UNMEASURED = ", not measured on a GPU yet"
IN_WORDS = {
    "compile_blocks": "each kind of block compiled once",
    "flex_attention": f"windows and fp32 by FlexAttention{UNMEASURED}",
    "cuda_graphs": f"passes as CUDA graphs{UNMEASURED}",
}


def check(spec: CampaignSpec, has_gpu: bool) -> None:
    """Raise a ValueError for a way that would do nothing, of steps that may not be compiled or where no GPU is."""
    for name in IN_WORDS:
        option = name.replace("_", "-")
        if not getattr(spec, name):
            continue
        if name in NEEDS_COMPILE and not spec.compile:
            raise ValueError(f"--{option} is for compiled steps: give --compile too, or --no-{option}")
        if name in NEEDS_CUDA and not has_gpu:
            raise ValueError(f"--{option} needs a CUDA GPU, and none is here: leave it out, or give --no-{option}")


def check_small(spec: CampaignSpec) -> None:
    """Raise a ValueError for CUDA graphs of trials that checkpoint activations, whose draws no graph can repeat."""
    if spec.cuda_graphs and spec.checkpoint_activations:
        raise ValueError(
            "--cuda-graphs is for small models, and trials of this one checkpoint activations: leave one of them out"
        )


def ways_asked_for(spec: CampaignSpec) -> str:
    """Say in a line which ways are asked for; empty where none is."""
    asked = [f"{words} (--{name.replace('_', '-')})" for name, words in IN_WORDS.items() if getattr(spec, name)]
    return "; ".join(asked)
