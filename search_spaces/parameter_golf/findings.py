"""Findings of the 131 runs, once noise is taken into account.

Two single runs must be about 0.0055 BPB apart (README.md). Every effect here is further, between the means of the runs
that are the same computation as run. The log's other steps forward are not, and stand in its progression all the same.
"""

from __future__ import annotations

from search_spaces.effects import Effect, Findings, Waypoint

FINDINGS = Findings(
    progression=(
        Waypoint("BASE", "baseline"),
        Waypoint("N2", "+ LR warmup"),
        Waypoint("NF14", "+ soft cap 20, RoPE 5000"),
        Waypoint("A7", "+ parallel blocks"),
        Waypoint("B4", "+ matrix LR 0.06, SiLU^2"),
        Waypoint("C10", "+ matrix LR 0.08"),
        Waypoint("D6", "+ one encoder layer"),
        Waypoint("E8", "+ soft cap 15, matrix LR 0.1"),
        Waypoint("F6", "+ matrix LR 0.11"),
        Waypoint("G1", "+ untied embeddings"),
        Waypoint("H6", "+ two KV heads"),
        Waypoint("H1", "+ no encoder layer"),
    ),
    effects=(
        Effect("LR warmup", "N2", "BASE", lowers=True),
        Effect("soft cap 20 + RoPE 5000", "NF14", "N2", lowers=True),
        Effect("parallel blocks", "A7", "NF14", lowers=True),
        Effect("parallel blocks, on cosine", "A8", "BASE", lowers=True),
        Effect("one encoder layer", "D6", "C10", lowers=True),
        Effect("untied embeddings", "G1", "F6", lowers=True),
        Effect("10 layers", "B2", "A7", lowers=False),
        Effect("10 layers, matrix LR 0.06", "B3", "B1", lowers=False),
        Effect("12 layers of width 448", "NF11", "N2", lowers=False),
        Effect("MLP 3x", "A15", "A1", lowers=False),
        Effect("MLP 3x, untied", "H2", "H6", lowers=False),
        Effect("MLP 3x, no encoder layer", "H3", "H1", lowers=False),
        Effect("WD ramp 0.01", "G3", "F6", lowers=False),
        Effect("WD ramp 0.04", "H4", "H6", lowers=False),
        Effect("label smoothing", "P10-E1", "W0e", lowers=False),
    ),
    not_scores=("N5", "N6", "U3"),  # 4.1069, the score of an untrained model
)
