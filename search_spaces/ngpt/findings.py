"""Findings of the twenty rounds, of those claims that are not decided by the plateau alone.

The only replicate (rounds 2 and 7) leaves one degree of freedom, so the log itself establishes none of it.
"""

from __future__ import annotations

from search_spaces.effects import Effect, Findings, Waypoint

FINDINGS = Findings(
    progression=(
        Waypoint("2", "baseline"),
        Waypoint("10", "+ batch of 48"),
        Waypoint("19", "+ logit scale 15, projection every 7"),
        Waypoint("20", "+ 1500 steps"),
    ),
    effects=(
        Effect("batch of 16, not 8", "2", "6", lowers=True),
        Effect("batch of 48, not 16", "10", "2", lowers=True),
        Effect("all three combined", "19", "2", lowers=True),
        Effect("three times the steps", "20", "19", lowers=True),
        Effect("rate 0.0005, not 0.001", "1", "2", lowers=False),
    ),
    # Stuck rounds end at 7.58 to 7.76, which is about what token frequencies alone give, the others below 7.08. On the
    # proxy's validation text frequencies alone give 6.01.
    plateau={"full": 7.5, "proxy": 5.9},
)
