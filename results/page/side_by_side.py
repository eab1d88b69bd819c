"""The findings of several campaigns in words: what is the lowest, what the noise lets one believe of that, what is not
comparable and why.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from terminal.short import decimals

from results.page.plain import shown_text
from results.questions.compare import Campaigns

MOST_FIELDS = 6  # named in the sentence; the table has all
MOST_NAMES = 5


def sentence_of_several(found: Campaigns) -> str:
    """Say which campaigns share a ruler, what each ruler's lowest value is, and what keeps the others apart."""
    groups = [list(its) for _, its in found.campaigns.groupby("ruler")["campaign"]]
    said = [_together(found, names) for names in groups if len(names) > 1]
    if len(groups) > 1:
        fields = list(dict.fromkeys(found.differences["field"]))
        apart = " apart from ".join(_joined(names, MOST_NAMES) for names in groups)
        said.append(f"Not ranked together: {apart}. They differ in {_joined(fields, MOST_FIELDS)}.")
    return shown_text(" ".join(said))


def unlike(found: Campaigns) -> list[list[str]]:
    """List each field that keeps two rulers apart: its name, and both campaigns with their values."""
    names = ("field", "campaign", "value", "other_campaign", "other_value")
    return [[shown_text(row[name]) for name in names] for row in found.differences.to_dict("records")]


def _together(found: Campaigns, names: Sequence[str]) -> str:
    """Say of campaigns on one ruler which has the lowest value, and whether that is more than noise."""
    about = found.campaigns.set_index("campaign").loc[list(names)]
    objective, _, second = str(about["objective"].iloc[0]).partition(",")
    share = f"{_joined(names, MOST_NAMES)} share one ruler ({about['objective'].iloc[0]}, {about['budget'].iloc[0]})"
    board = found.leaderboard
    ranked = board[board["campaign"].isin(list(names)) & board["rank"].notna()]
    bests = ranked.drop_duplicates("campaign").to_dict("records")  # it is in the order of ranks
    if not bests:
        return f"{share}, and none of their trials has completed."
    best = bests[0]
    by = f"By {objective} alone, the" if second else "The"
    value = decimals(best["value"])
    lead = f"{by} lowest value is that of trial {best['trial']} of {best['campaign']}, {objective} {value}"
    if len(bests) == 1:
        return f"{share}. {lead}; no other campaign has a value yet."
    gap = float(bests[1]["value"] - best["value"])
    others = _joined(
        [f"{decimals(other['value'] - best['value'])} ({other['campaign']})" for other in bests[1:]], MOST_NAMES
    )
    return f"{share}. {lead}; the lowest of the others is higher by {others}. {_believed(found.noise, names, gap)}"


def _believed(noise: pd.DataFrame, names: Sequence[str], gap: float) -> str:
    """Say what a gap between two single runs is worth."""
    known = noise.loc[noise["campaign"].isin(list(names)), "smallest_difference"]
    if known.empty:
        return "No config was run on two seeds in them, so that nothing tells whether this is luck."
    smallest = float(known.max())
    if gap <= smallest:
        return f"Two single runs must differ by {decimals(smallest)} to be told apart: this lead may be luck."
    return (
        f"Two single runs are told apart by {decimals(smallest)}, but the lowest of many is lucky: the winners below "
        "say what was confirmed."
    )


def _joined(texts: Sequence[str], most: int) -> str:
    """Join texts as a sentence does, and count those beyond ``most``."""
    shown = [*texts[:most], *([f"{len(texts) - most} more"] if len(texts) > most else [])]
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
