"""Order in which hooks stand that are set by path: that of the published scripts, whatever is named first.

Parameter golf's is that of its script inside a step (its pull request 1434), the clip of the gradients last. The other
scripts clip and update (speedrun, mainrun), or update and then change or average the weights (nanochat, nGPT, mainrun).
Where no script says, a hook stands where nothing of it is lost: what takes the gradients anew before all that change
them, what averages weights behind all that change them.
"""

from __future__ import annotations

from collections.abc import Sequence

ORDER = (
    "QuantisationAware",  # puts back the weights of before the pass: changes made before that would be lost
    "SharpnessAware",  # takes the gradients anew
    # parameter golf's, between backward and update
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
    # around the update and after it
    "CanopyRates",
    "GeodesicStep",
    "WeightProjection",
    "QKWeightClip",
    "QKLogitClip",
    "WeightAverage",
    "StochasticWeightAverage",
    # on the batch, before all of them
    "TokenMasking",
    "MirrorTraining",
    "LeakyMirrorTraining",
)


def place(name: str, others: Sequence[str]) -> int:
    """Find the index at which a hook is put in among others: before the first that comes later, else behind them all.

    One that does not stand in ``ORDER``, as a user's own, comes behind them all.
    """
    if name not in ORDER:
        return len(others)
    later = ORDER[ORDER.index(name) + 1 :]
    return next((i for i, other in enumerate(others) if other in later), len(others))
