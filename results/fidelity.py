"""Agreement of values on the way with those at the end: ``python -m results.fidelity FOLDER...``.

For each part of the budget at which trials were judged: Spearman's correlation with the end, over all completed trials
and within their schedules; how often the better half there holds the final best; and how many of the final top 3 ASHA
would have stopped, had it judged there. Trials that were stopped early have no end, so only campaigns without early
stopping answer this without bias. Lower values are better.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m results.fidelity")

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.table import Table
from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.console import Console
from terminal.counted import counted

from results.named_campaigns import add_campaign, named_campaigns
from results.statistics.halving import REDUCTION
from results.statistics.leaderboard import Correlation, rank_correlation
from results.store import frames
from results.store.frames import Results
from results.store.row_parts import on_the_way

TOP = 3
DRAWS = 1000  # bootstrap samples, and orders of arrival
FEWEST = 4  # trials that a correlation needs
SHARED = 1 / 2  # a part of the budget is printed if more than so many trials have it, of those at the commonest part

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rung:
    """Agreement with the end of the values at one part of the budget."""

    part: float  # of the budget
    trials: int
    overall: Correlation | None
    within: Correlation | None  # with the mean rank of each schedule taken out
    holds_best: float  # probability that the better half here holds the final best
    top_lost: float  # mean number of the final top 3 that ASHA with this one rung would have stopped
    cost: float  # mean extra training until here, in budgets


def curves(results: Results) -> pd.DataFrame:
    """A row a completed trial and milestone: ``trial``, ``group`` (its schedule), ``part`` of its budget, ``value``,
    ``final`` value, ``cost`` (training beside it so far, in budgets).
    """
    columns = ["trial", "group", "part", "value", "final", "cost"]
    trials = results.rows[(results.rows["status"] == "completed") & results.rows["value"].notna()]
    if trials.empty:
        return pd.DataFrame(columns=columns)
    objective = str(trials["objective"].iloc[0])
    judged = on_the_way(objective)
    measured = judged if judged in results.reports else "val_bpb"  # some are known at the end only
    if results.campaign.get("own_train") is not None:
        measured = "reported_value"
    found = results.reports.merge(trials[["key", "budget", "value", "config"]], on="key")
    found = found[(found["milestone"] < found["budget"]) & found[measured].notna()]
    found = found.sort_values("attempt").drop_duplicates(["key", "milestone"], keep="last")
    extra = found["extra_spent"].fillna(0.0) if "extra_spent" in found else 0.0
    return pd.DataFrame(
        {
            "trial": found["key"],
            "group": found["config"].map(schedule_of),
            "part": (found["milestone"] / found["budget"]).round(
                2
            ),  # budgets of other sizes have rungs at nearly the same parts
            "value": found[measured],
            "final": found["value"],
            "cost": extra / found["budget"],
        }
    )[columns]


def schedule_of(config: str) -> str:
    """The kind of schedule in the JSON of a config; ``unknown`` where it names none."""
    found = json.loads(config)
    schedule = found.get("schedule") if isinstance(found, dict) else None
    return str(schedule.get("type")).partition("@")[0] if isinstance(schedule, dict) else "unknown"


def judged_parts(table: pd.DataFrame) -> list[Rung]:
    """The judgement of each part of the budget at which at least 4 of the trials in ``curves`` have a value."""
    parts = {float(part): table[table["part"] == part] for part in sorted(table["part"].unique())}
    return [_rung(part, rows.reset_index(drop=True)) for part, rows in parts.items() if len(rows) >= FEWEST]


def _rung(part: float, rows: pd.DataFrame) -> Rung:
    values, finals = rows["value"].to_numpy(float), rows["final"].to_numpy(float)
    return Rung(
        part=part,
        trials=len(rows),
        overall=rank_correlation(rows["value"], rows["final"], len(rows)),
        within=within_groups(rows),
        holds_best=holds_best(values, finals),
        top_lost=top_lost(values, finals),
        cost=float(rows["cost"].mean()),
    )


def within_groups(rows: pd.DataFrame) -> Correlation | None:
    """Rank correlation inside groups: each value's rank among its own group, as a part of it, around the middle.

    A group of one says nothing and is left out; the interval counts one trial less for each further group.
    """
    grouped = rows.groupby("group")
    size = grouped["value"].transform("size")
    rows, size = rows[size > 1], size[size > 1]
    if rows.empty:
        return None
    places = [(rows.groupby("group")[name].rank() - 0.5) / size for name in ("value", "final")]
    return rank_correlation(places[0], places[1], len(rows) - rows["group"].nunique() + 1)


def holds_best(values: Values, finals: Values, draws: int = DRAWS, seed: int = 0) -> float:
    """Probability that the better half by ``values`` holds the best by ``finals``, in bootstrap samples."""
    draw = np.random.default_rng(seed)
    kept = max(1, round(len(values) / REDUCTION))
    hits = 0
    for _ in range(draws):
        sample = draw.integers(len(values), size=len(values))
        best = values[sample[np.argmin(finals[sample])]]
        hits += int(np.sum(values[sample] < best) < kept)
    return hits / draws


def top_lost(values: Values, finals: Values, draws: int = DRAWS, seed: int = 0) -> float:
    """Mean number of the final top 3 that ASHA's rule stops at one rung, over random orders of arrival.

    The rule is that of Ray: the first one passes; then a value must not exceed the median of the earlier ones.
    """
    draw, top = np.random.default_rng(seed), np.argsort(finals, kind="stable")[:TOP]
    lost = 0
    for _ in range(draws):
        order = draw.permutation(len(values))
        for place in np.flatnonzero(np.isin(order, top)).tolist():
            if place:
                lost += bool(values[order[place]] > np.quantile(values[order[:place]], 1 / REDUCTION))
    return lost / draws


def print_rungs(console: Console, title: str, table: pd.DataFrame, every: bool = False, hint: str = "") -> None:
    """The table in the terminal, or one line that says why there is none.

    Parts that few trials share (each was a rung of some budgets only) are left out with a line, unless asked for.
    ``hint`` is what that line ends with.
    """
    found = judged_parts(table)
    if not found:
        console.print(f"{title}: under {FEWEST} completed trials have a value on the way: nothing to correlate")
        return
    least = 0 if every else SHARED * max(rung.trials for rung in found)
    rare = [rung for rung in found if rung.trials <= least]
    found = [rung for rung in found if rung.trials > least]
    kinds = table["group"].nunique()
    shown = Table(
        title=f"{title}: {counted(table['trial'].nunique(), 'completed trial')}, {counted(kinds, 'kind')}",
        title_justify="left",
    )
    heads = ("part", "trials", "with the end", "in its kind", "better half holds best", f"top {TOP} lost", "cost")
    for head in heads:
        shown.add_column(head, justify="right")
    for rung in found:
        cells = (_text(rung.overall), _text(rung.within), f"{rung.holds_best:.0%}", f"{rung.top_lost:.2f}")
        shown.add_row(f"{rung.part:g}", str(rung.trials), *cells, f"{rung.cost:.2f}")
    console.print(shown, soft_wrap=False)
    if rare:
        most = max(rung.trials for rung in rare)
        console.print(f"parts with values of at most {counted(most, 'trial')}, left out: {len(rare)}{hint}")


def _text(found: Correlation | None) -> str:
    return "-" if found is None else f"{found.value:+.2f} ({found.low:+.2f}..{found.high:+.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of each campaign. Exit code 2 and one line where one cannot be read."""
    about = "How well do values on the way predict the end? Spearman with 95 % intervals, of completed trials."
    parser = OneLineParser(prog="python -m results.fidelity", description=about, epilog=EXIT_CODES_OF_LOOKING)
    add_campaign(parser, "folders", "campaigns: names, folders or URLs", nargs="+")
    parser.add_argument("--every-part", action="store_true", help="also parts of the budget that few trials share")
    options = parser.parse_args(arguments)
    console = Console(width=max(120, Console().width))
    try:
        folders = named_campaigns(options.folders, options)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    for folder in folders:
        try:
            results = frames.load(folder)
        except (ValueError, OSError) as error:
            return parser.refuse(error)
        print_rungs(console, folder.name, curves(results), options.every_part, " (--every-part shows them)")
    return 0


if __name__ == "__main__":
    program.end(main())
