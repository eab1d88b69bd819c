"""Order of hooks in the published scripts, read from them and not from our list."""

from __future__ import annotations

# What each script does between the backward pass and the next batch, as hooks here.
PARAMETER_GOLF = "parameter golf, its pull request 1434, train_gpt_focal_fixed.py"
SCRIPTS = {
    PARAMETER_GOLF: (
        "GradientCentralisation",
        "UphillDrift",
        "WeightDecayRamp",
        "Canopy",
        "Mycorrhizal",
        "ThermalVent",
        "PredatorPreyDecay",
        "ControlledBurn",
        "SynapticScaling",
        "WeightPerturbation",
        "MutationDecay",
        "GradientClip",
    ),
    "nanochat-gio at 119f567, nanochat/optim.py: the update, then the clip of queries and keys": ("QKWeightClip",),
    "nGPT-muon, train_h100_optimized.py: the update, then the projection": ("WeightProjection",),
    "5-dollar-llm at fce1efd, training/trainer.py: the clip, then the update": ("GradientClip",),
    "mainrun, train.py, and its report: the clip, the update, the average": ("GradientClip", "WeightAverage"),
}
