"""Good values at the edge of their range: where the search could not go on, though it went the right way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, comb, floor, log10
from typing import Any

import numpy as np
import pandas as pd
from terminal.short import short

from results.questions.framed import COUNT, NUMBER, WORDS, framed
from results.questions.importance import LEVEL, importance
from results.questions.knobs import SearchedKnob, active, knobs_of
from results.questions.one_ruler import Ruler, ruler_of
from results.questions.readable import Readable
from results.store.frames import Results

GOOD = 4  # one in so many trials is a good one
EDGE = 0.1  # of a range on its own scale, or its last whole number where that is more
MOST_IDLE = 0.5  # chance that the knob does nothing
WIDER = 0.5  # by which part of its width, on its own scale, a range is suggested to grow

_TYPES = {
    "knob": WORDS, "end": WORDS, "bound": NUMBER, "good_at_edge": COUNT, "good": COUNT, "at_edge": COUNT,
    "trials": COUNT, "chance": NUMBER, "suggestion": WORDS, "change": WORDS,
}  # fmt: skip


def edges(campaign: Readable) -> pd.DataFrame:
    """Which good values lie at the edge of their range, so that the best may lie beyond? A row an edge, surest first.

    - ``knob``, ``end`` (low or high), ``bound``: the end of its range
    - ``good_at_edge`` of ``good`` (counts): how many of the best quarter of the trials lie in the outer tenth of the
      range, on its own scale; ``at_edge`` of ``trials``: how many of all do. Only trials in which it is active count
    - ``chance``: that so many good ones lie there by chance, were the good ones any of the trials (hypergeometric),
      times the number of edges looked at; at most 5 %, so that where no knob matters 95 % of campaigns name none. A
      knob that only moved with others that matter is left out: it must be likelier to matter than not (importance.py)
    - ``suggestion`` in words, and the ``change`` to the space that does it, or the option

    Held against the campaign's own trials and not against even ones: the sampler likes edges by itself. Choices have no
    edge. ``attrs["about"]`` says which trials are compared, and how.
    """
    results = campaign.read()
    ruler = ruler_of(results)
    ranges = [] if results.campaign.get("replay") else _ranges(results)
    found = list(_tried(ranges, results, ruler)) if len(ruler) >= 2 * GOOD else []
    level = LEVEL / max(1, len(found))
    hits = [edge for edge in found if edge.chance <= level]
    if hits:
        idle = importance(results).set_index("knob")["chance"]
        hits = [edge for edge in hits if idle[edge.knob.path] <= MOST_IDLE]
    rows = [edge.row(len(found), results.campaign) for edge in sorted(hits, key=lambda edge: edge.chance)]
    frame = framed(rows, _TYPES)
    frame.attrs = {"about": ruler.about}
    return frame


@dataclass(frozen=True)
class _Edge:
    """One end of one range, with the numbers of trials there."""

    knob: SearchedKnob
    end: str
    good_at_edge: int
    good: int
    at_edge: int
    trials: int

    @property
    def chance(self) -> float:
        """P(at least so many of the good ones there), of all ways to choose as many good ones from the trials."""
        most = min(self.good, self.at_edge)
        ways = sum(
            comb(self.at_edge, there) * comb(self.trials - self.at_edge, self.good - there)
            for there in range(self.good_at_edge, most + 1)
        )
        return ways / comb(self.trials, self.good)

    def row(self, looked_at: int, campaign: Mapping[str, Any]) -> dict[str, Any]:
        suggestion, change = _wider(self.knob, self.end, bool(campaign.get("own_train")))
        return {
            "knob": self.knob.path,
            "end": self.end,
            "bound": self.knob.low if self.end == "low" else self.knob.high,
            "good_at_edge": self.good_at_edge,
            "good": self.good,
            "at_edge": self.at_edge,
            "trials": self.trials,
            "chance": min(1.0, self.chance * looked_at),
            "suggestion": suggestion,
            "change": change,
        }


def _ranges(results: Results) -> list[SearchedKnob]:
    return [knob for knob in knobs_of(results.campaign, results.trials) if knob.is_range]


def _tried(knobs: list[SearchedKnob], results: Results, ruler: Ruler) -> Iterator[_Edge]:
    every = knobs_of(results.campaign, ruler.trials)  # conditions may be on choices
    live = active(every, ruler.trials)
    order = np.argsort(ruler.values, kind="stable")
    good = np.zeros(len(ruler), dtype=bool)
    good[order[: ceil(len(order) / GOOD)]] = True
    good &= np.isfinite(ruler.values)
    for knob in knobs:
        places = knob.places(ruler.trials[knob.path])
        here = live[knob.path] & np.isfinite(places)
        width = EDGE
        if knob.is_whole:
            width = max(EDGE, 0.5 / (knob.high - knob.low))
        for end, away in (("low", places), ("high", 1 - places)):
            with np.errstate(invalid="ignore"):
                edge = here & (away <= width + 1e-9)
            if len(np.unique(places[here])) > 1:
                yield _Edge(
                    knob, end, int((edge & good).sum()), int((here & good).sum()), int(edge.sum()), int(here.sum())
                )


def _wider(knob: SearchedKnob, end: str, own_train: bool) -> tuple[str, str]:
    """Return what to do about an edge, in words, and the change of the space (or the option) that does it."""
    bound = knob.low if end == "low" else knob.high
    side = "below" if end == "low" else "above"
    if bound == 0:
        fixed = f"fix it there ({knob.path}: 0 in the base, without a domain)" if own_train else f"--set {knob.path}=0"
        return f"{knob.path} is best at 0, the end of its range: leave it out", fixed
    beyond = _rounded(knob.value_at(-WIDER if end == "low" else 1 + WIDER), knob.is_whole, end)
    if end == "low" and bound > 0:
        beyond = max(beyond, 0.0)  # what has been above it until now
    low, high = (beyond, knob.high) if end == "low" else (knob.low, beyond)
    return f"widen {knob.path} {side} {short(bound)}", _domain(knob, low, high, own_train)


def _domain(knob: SearchedKnob, low: float, high: float, own_train: bool) -> str:
    ends = [repr(int(end) if knob.is_whole else float(end)) for end in (low, high)]
    if own_train:
        return f"{knob.path!r}: '{ends[0]}..{ends[1]}{' log' if knob.is_log else ''}'"
    name = {"log": "LogUniform", "integer": "Integer", "log_integer": "LogInteger"}.get(knob.kind, "Uniform")
    return f"Knob({knob.path!r}, {name}({', '.join(ends)}), ...) in a copy of the space"


def _rounded(number: float, whole: bool, end: str) -> float:
    """Round outwards: to a whole number, or to two digits."""
    outwards = floor if end == "low" else ceil
    if whole or number == 0:
        return float(outwards(number))
    unit = 10.0 ** (floor(log10(abs(number))) - 1)
    return float(f"{outwards(number / unit) * unit:.2g}")
