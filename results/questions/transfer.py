"""Transfer of a search's order of configs to the larger scale at which its best were trained (``--confirm-scale``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from terminal.counted import counted
from terminal.short import decimals, in_column, signed

from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, framed, objectives_of
from results.questions.readable import Readable
from results.statistics.confirmation import Round, rounds
from results.statistics.judgement import Verdict
from results.statistics.leaderboard import Correlation, rank_correlation
from results.store.frames import Results, results_of
from results.store.larger import campaigns_at
from results.verdicts import plain_rows_of, searched_rows, verdict_in_words

_TYPES = {
    "trial": COUNT, "search_trial": COUNT, "is_base": YES_NO, "search_rank": COUNT, "search_value": NUMBER,
    "search_versus_base": NUMBER, "rank": COUNT, "value": NUMBER, "versus_base": NUMBER, "difference": NUMBER,
    "low": NUMBER, "high": NUMBER, "verdict": WORDS,
}  # fmt: skip
FEWEST = 4  # configs of a rank correlation


def transfer(campaign: Readable) -> pd.DataFrame:
    """How did the order of a search's best carry over to the larger scale? A row a config, in the search's order.

    Asked of the search or of the campaign at the larger scale; empty where nothing was carried over.

    - ``trial``: its number at the larger scale, null before it is begun; ``search_trial``: that in the search
    - ``search_rank``: its place among these configs in the search, by ``search_value``, the objective of one run there;
      ``search_versus_base``: that minus the base's (in the unit of the objective)
    - ``rank``, ``value``, ``versus_base``: the same at the larger scale, of one run; null of one that did not complete
    - ``difference`` from the base on fresh seeds at the larger scale, the mean of pairs, with its 95 % interval ``low``
      to ``high`` (unit of the objective), and the ``verdict`` in words; null where it was not tried there

    ``attrs["lines"]`` say it in words: the rank correlation of the two values with its 95 % interval (Spearman's, by
    Fisher's z), and whether the search's winner holds. ``attrs["correlation"]`` has it as numbers, None for too few.
    """
    results = at_larger(campaign.read())
    if results is None:
        return _with(framed([], _TYPES), None, [])
    rows = _rows(results)
    table = framed(rows, _TYPES)
    both = table[table["value"].notna() & table["search_value"].notna()]
    found = rank_correlation(both["search_value"].astype(float), both["value"].astype(float), len(both))
    return _with(table, found, [_order(results, found, len(both)), *_winner(results, rows)])


def at_larger(results: Results) -> Results | None:
    """The campaign at the larger scale: this one, or the latest that a search's best were carried over to."""
    if results.campaign.get("carried") is not None:
        return results
    wanted = results.campaign.get("confirm_scale")
    found = campaigns_at(results.store.folder, wanted) if isinstance(wanted, str) else []
    return results_of(found[-1]) if found else None


def _with(table: pd.DataFrame, found: Correlation | None, lines: list[str]) -> pd.DataFrame:
    known = None if found is None else {"value": found.value, "low": found.low, "high": found.high}
    table.attrs = {"correlation": known, "lines": lines}
    return table


def _rows(results: Results) -> list[dict[str, Any]]:
    carried = results.campaign["carried"]
    base, trials = carried.get("base"), searched_rows(results)
    judged = rounds(plain_rows_of(results))
    known = [{**(base or {}), "row": next((row for row in trials if row["is_base"]), None), "is_base": True}]
    known += [{**one, "row": _row_of(one["values"], trials), "is_base": False} for one in carried["trials"]]
    here = next((row["value"] for row in trials if row["is_base"] and row["status"] == "completed"), None)
    there = None if base is None else base["value"]
    ranks = _ranks([one.get("value") for one in known]), _ranks([_value(one["row"]) for one in known])
    found = []
    for one, search_rank, rank in zip(known, *ranks, strict=True):
        value, row, is_base = _value(one["row"]), one["row"], one["is_base"]
        found.append({
            "trial": None if row is None else row["number"],
            "search_trial": one.get("number"),
            "is_base": is_base,
            "search_rank": search_rank,
            "search_value": one.get("value"),
            "search_versus_base": None if is_base or there is None else one["value"] - there,
            "rank": rank,
            "value": value,
            "versus_base": None if is_base or value is None or here is None else value - here,
            **_on_fresh_seeds(row, judged),
        })  # fmt: skip
    return sorted(found, key=lambda row: (row["search_rank"] is None, row["search_rank"]))


def _row_of(values: Mapping[str, Any], trials: Any) -> Any:
    """The trial that has these values; None where it has not begun."""
    return next((row for row in trials if all(row.get(path) == value for path, value in values.items())), None)


def _value(row: Mapping[str, Any] | None) -> float | None:
    return None if row is None or row["status"] != "completed" else row["value"]


def _ranks(values: list[float | None]) -> list[int | None]:
    order = sorted(value for value in values if value is not None)
    return [None if value is None else 1 + order.index(value) for value in values]


def _on_fresh_seeds(row: Mapping[str, Any] | None, judged: list[Round]) -> dict[str, Any]:
    verdict = None if row is None else _verdict(str(row["key"]), judged)
    if verdict is None:
        return {"judged": None}
    found = {"difference": verdict.difference, "low": verdict.low, "high": verdict.high}
    return {**found, "verdict": verdict_in_words(verdict), "judged": verdict}


def _verdict(key: str, judged: list[Round]) -> Verdict | None:
    return next((one.judgement.verdicts[key] for one in reversed(judged) if key in one.judgement.verdicts), None)


def _order(results: Results, found: Correlation | None, count: int) -> str:
    carried, here = results.campaign["carried"], results.campaign.get("scale")
    between = f"between scale {carried['scale']} (campaign {carried['campaign']}) and scale {here}"
    if found is None:
        return f"Order {between}: {counted(count, 'config')} with both values, at least {FEWEST} are needed to say."
    interval = f"95 % interval {found.low:.2f} to {found.high:.2f}"
    said = f"Order {between}: rank correlation {found.value:.2f} over {counted(count, 'config')} ({interval})"
    if found.low <= 0 <= found.high:
        return f"{said}: so few configs do not tell whether the order carries over."
    return f"{said}: the order {'carries over' if found.value > 0 else 'is turned round'}."


def _winner(results: Results, rows: list[dict[str, Any]]) -> list[str]:
    """Say whether the first of the search, its winner where one was confirmed, is better than the base here too."""
    first, base = results.campaign["carried"]["trials"][0], results.campaign["carried"].get("base")
    row = next(row for row in rows if row["search_trial"] == first["number"] and not row["is_base"])
    what = "winner" if first["confirmed"] else "best trial, which was not confirmed there,"
    name = f"The search's {what} (trial {first['number']}"
    name += ")" if base is None else f", {signed(first['value'] - base['value'])} against the base there)"
    scale = results.campaign.get("scale")
    if (judged := row["judged"]) is not None:
        holds = "holds" if judged.better else "does not hold" if judged.refuted else "is not settled"
        difference = "" if judged.difference is None else f"{signed(judged.difference)} against the base, "
        return [f"{name} {holds} at scale {scale}: {difference}{row['verdict']}."]
    if row["value"] is None:
        return [f"{name} has no value at scale {scale} yet, or did not complete there."]
    of = f"rank {row['rank']} of {sum(one['rank'] is not None for one in rows)}"
    objective = objectives_of(results)[0]
    versus = "" if row["versus_base"] is None else f", {signed(row['versus_base'])} against the base"
    said = f"{objective} {decimals(row['value'])}{versus}, {of}"
    return [f"{name} at scale {scale} is so far one run: {said}. It was not among those tried on fresh seeds."]


def transfer_lines(results: Results) -> list[str]:
    """Say in words and in a table of ranks beside each other what carried over; nothing where nothing was."""
    try:
        table = transfer(results)
    except ValueError as error:
        return [f"The campaign at scale {results.campaign.get('confirm_scale')} cannot be read: {error}"]
    if table.empty:
        return []
    there = at_larger(results)
    where = (
        [] if there is None or there.name == results.name else [f"All of it: campaign {there.name}, beside this one."]
    )
    return [*table.attrs["lines"], *table_lines(table), *where]


def table_lines(table: pd.DataFrame) -> list[str]:
    """The table as lines of text: ranks beside each other."""
    heads = ("search", "rank", "value", "vs base", "here", "rank", "value", "vs base", "on fresh seeds")
    names = {"search_value": decimals, "search_versus_base": signed, "value": decimals, "versus_base": signed}
    forms = {name: in_column(table[name], form) for name, form in names.items()}
    forms["fresh"] = in_column([*table["difference"], *table["low"], *table["high"]], signed)
    cells = [heads, *(_cells(row, forms) for row in table.to_dict("records"))]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads) - 1)]
    return [
        "  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in cells
    ]


def _cells(row: Mapping[Any, Any], forms: Mapping[str, Callable[[Any], str]]) -> tuple[str, ...]:
    def said(name: str) -> str:
        return forms[name](row[name])

    def count(name: str) -> str:
        return "-" if pd.isna(row[name]) else str(int(row[name]))

    of_fresh = forms["fresh"]
    fresh = "" if pd.isna(row["verdict"]) else str(row["verdict"])
    if fresh and not pd.isna(row["low"]):
        fresh = f"{of_fresh(row['difference'])} ({of_fresh(row['low'])} .. {of_fresh(row['high'])}), {fresh}"
    base = "(base) " if row["is_base"] else ""
    return (
        f"{base}{count('search_trial')}", count("search_rank"), said("search_value"), said("search_versus_base"),
        count("trial"), count("rank"), said("value"), said("versus_base"), fresh,
    )  # fmt: skip
