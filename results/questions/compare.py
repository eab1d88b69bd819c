"""Campaigns side by side: ranked together where they are measured alike, and apart, by name, where they are not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import pandas as pd
from terminal.counted import counted
from terminal.short import shortened

from results.frames_in_short import short_of_frames
from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, changes_of, changes_text, framed, objectives_of
from results.questions.knobs import domain_text
from results.questions.noise import noise
from results.questions.readable import Readable
from results.questions.winner import winner
from results.store.frames import Results
from results.store.row_parts import identity_of
from results.tally import tally_of

FEWEST = 2
_Ruler = Mapping[str, str]  # what values are measured by: field -> its value, as text
_NONE = "none"
_EVALUATION = ("evaluation", "artifact", "target")  # fields of a config
_TOLD_ELSEWHERE = ("budget", "data", "seed", *_EVALUATION)  # why campaigns are not ranked together, or a column of each
_ON_THE_WAY = "evaluation.tokens_on_the_way"

_CAMPAIGNS = {
    "campaign": WORDS, "ruler": COUNT, "space": WORDS, "scale": WORDS, "objective": WORDS, "budget": WORDS,
    "data": WORDS, "data_description": WORDS, "seed": COUNT, "trials": COUNT, "completed": COUNT, "base_value": NUMBER,
    "best_value": NUMBER, "device": WORDS, "code_version": WORDS,
}  # fmt: skip
_DIFFERENCES = {
    "field": WORDS, "campaign": WORDS, "value": WORDS, "other_campaign": WORDS, "other_value": WORDS,
}  # fmt: skip
_LEADERBOARD = {
    "ruler": COUNT, "rank": COUNT, "campaign": WORDS, "trial": COUNT, "key": WORDS, "value": NUMBER,
    "versus_base": NUMBER, "is_base": YES_NO, "changes": WORDS, "why_not_ranked": WORDS,
}  # fmt: skip
_WINNERS = {
    "campaign": WORDS, "ruler": COUNT, "trial": COUNT, "value": NUMBER, "versus_base": NUMBER, "difference": NUMBER,
    "low": NUMBER, "high": NUMBER, "confirmed": YES_NO, "verdict": WORDS, "changes": WORDS,
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Campaigns:
    """Answer of :func:`compare_campaigns`: a frame for each part, in each of which ``campaign`` is the name of one.

    - ``campaigns``, a row each: ``ruler`` (a number from 0; campaigns of one ruler are measured alike), ``space``,
      ``scale``, ``objective`` (two, separated by a comma, are a front), ``budget`` (with its unit), ``data`` (their
      fingerprint), ``data_description``, ``seed``, ``trials`` and ``completed`` (counts), ``base_value`` and
      ``best_value`` of the search (unit of the objective), ``device``, ``code_version``
    - ``differences``, why campaigns of two rulers are not ranked together, a row a ``field``: its ``value`` in one
      ``campaign``, and ``other_value`` in ``other_campaign``
    - ``leaderboard``, a row a completed trial of a search: ``rank`` from 1 within its ruler, by ``value`` (unit of the
      objective); ``versus_base``, against the base of its own campaign; ``changes`` from that base; a trial with
      another budget, data or evaluation than its campaign's base has no rank, nor has a run that another campaign has
      too, and ``why_not_ranked`` says so
    - ``winners``, a row a campaign, as :func:`results.questions.winner.winner` has it; null for two objectives,
      and for a replay, which seeks none
    - ``knobs``, a row a ``knob`` of any of them, with a column ``in NAME`` for each campaign: its range there, or
      ``= value`` where it is fixed, null where there is no such knob; ``same``: whether all are equal. A setting
      (``--set``) of what is a knob in none of them has a row where it is not the same in all
    - ``noise``, as :func:`results.questions.noise.noise` has it, with the campaign
    """

    campaigns: pd.DataFrame
    differences: pd.DataFrame
    leaderboard: pd.DataFrame
    winners: pd.DataFrame
    knobs: pd.DataFrame
    noise: pd.DataFrame

    def __repr__(self) -> str:
        return short_of_frames(self, f"{counted(len(self.campaigns), 'campaign')} side by side")


@dataclass(frozen=True)
class _One:
    """A campaign among those that are compared."""

    name: str
    results: Results
    measured_by: _Ruler
    ruler: int = 0


def compare_campaigns(campaigns: Sequence[Readable]) -> Campaigns:
    """Which of several campaigns found more, and are they comparable at all?

    They are ranked together where objective, data, budget and evaluation are the same. The single values of a search
    say little of one trial: see ``noise``, and ``winners`` for what was confirmed. A run that two of them have, as one
    reused it or is a copy that went on, is ranked once. A ValueError for fewer than two, and for a copy of another.
    """
    if not isinstance(campaigns, Sequence) or not all(hasattr(campaign, "read") for campaign in campaigns):
        raise ValueError(f"{shortened(campaigns)} is no list of campaigns, as results.load and tuner.load give them")
    if len(campaigns) < FEWEST:
        raise ValueError(f"a comparison is of at least {FEWEST} campaigns, not {len(campaigns)}")
    ones = _numbered([campaign.read() for campaign in campaigns])
    _refuse_copies(ones)
    noises = [noise(one.results).assign(campaign=one.name) for one in ones]
    return Campaigns(
        campaigns=framed(map(_about, ones), _CAMPAIGNS),
        differences=framed(_differences(ones), _DIFFERENCES),
        leaderboard=_leaderboard(ones),
        winners=framed(map(_winner, ones), _WINNERS),
        knobs=framed(_knobs(ones), {"knob": WORDS, "same": YES_NO, **{f"in {one.name}": WORDS for one in ones}}),
        noise=pd.concat(noises, ignore_index=True)[["campaign", *noises[0].columns.drop("campaign")]],
    )


def _numbered(found: Sequence[Results]) -> list[_One]:
    """Give each campaign a name of its own, and the number of the ruler that it is measured by."""
    ones: list[_One] = []
    rulers: list[_Ruler] = []
    for results in found:
        name = results.name or "campaign"
        again = sum(one.results.name == results.name for one in ones)
        measured_by = _ruler(results)
        if measured_by not in rulers:
            rulers.append(measured_by)
        ones.append(_One(f"{name} ({again + 1})" if again else name, results, measured_by, rulers.index(measured_by)))
    return ones


# --- what values are measured by --------------------------------------------------------------------------------------


def _ruler(results: Results) -> _Ruler:
    """Field -> value of all that must be the same for values to be comparable, those of the campaign's base."""
    campaign = results.campaign
    base = campaign.get("base") or {}
    found = {"objective": ",".join(objectives_of(results)), "budget": _budget(results)}
    if campaign.get("own_train") is not None:  # it does its own evaluation, on its own data
        return {**found, "train function": str(campaign["own_train"].get("fingerprint"))}
    return {**found, "data": _data(results), **_evaluation(base)}


def _evaluation(config: Mapping[str, Any]) -> _Ruler:
    """The leaves of a config's evaluation, and of what else its values depend on that is not trained.

    All are ranked by their values at the end, so that what is scored on the way is no part of it.
    """
    leaves = (leaf for name in _EVALUATION for leaf in _leaves(name, config.get(name)))
    return {path: value for path, value in leaves if path != _ON_THE_WAY}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(f"{path}.{name}", member)
    elif value is not None:
        yield path, _text(value)


def _budget(results: Results) -> str:
    """Return the base's budget: from its row, else from its config."""
    rows = results.trials
    bases = rows[rows["is_base"].fillna(False).astype(bool) & rows["budget"].notna()]
    if len(bases):
        return _amount(bases["budget"].iloc[0], bases["budget_unit"].iloc[0])
    base = results.campaign.get("base") or {}
    known = base.get("budget") or {"steps": base.get("steps")}
    given = [_amount(value, unit) for unit, value in known.items() if isinstance(value, int | float)]
    return given[0] if given else "unknown"


def _amount(amount: float, unit: str) -> str:
    return f"{amount:g} {unit}" if amount < 10**6 else f"{amount:.0f} {unit}"


def _data(results: Results) -> str:
    known = results.campaign.get("data") or next(iter(results.trials["data"].dropna()), None)
    return str(known or "unknown")


def _differences(ones: Sequence[_One]) -> Iterator[dict[str, str]]:
    """Yield, for the first campaigns of every two rulers, each field in which they differ."""
    firsts = {one.ruler: one for one in reversed(ones)}
    for first, other in combinations([firsts[number] for number in sorted(firsts)], 2):
        for field in dict.fromkeys([*first.measured_by, *other.measured_by]):
            value, other_value = (one.measured_by.get(field, _NONE) for one in (first, other))
            if value != other_value:
                yield {
                    "field": field,
                    "campaign": first.name,
                    "value": value,
                    "other_campaign": other.name,
                    "other_value": other_value,
                }


# --- the frames -------------------------------------------------------------------------------------------------------


def _completed(one: _One) -> pd.DataFrame:
    trials = one.results.trials
    return trials[(trials["status"] == "completed") & trials["value"].notna()]


def _base_value(one: _One) -> float | None:
    done = _completed(one)
    found = done.loc[done["is_base"].fillna(False).astype(bool), "value"]
    return float(found.mean()) if len(found) else None


def _about(one: _One) -> dict[str, Any]:
    campaign, done = one.results.campaign, _completed(one)
    devices = one.results.rows["device"].dropna().unique()
    return {
        "campaign": one.name,
        "ruler": one.ruler,
        **{name: campaign.get(name) for name in ("space", "scale", "seed", "data_description", "code_version")},
        **{name: one.measured_by.get(name) for name in ("objective", "budget", "data")},
        "trials": tally_of(one.results.trials).trials,
        "completed": len(done),
        "base_value": _base_value(one),
        "best_value": float(done["value"].min()) if len(done) else None,
        "device": ", ".join(sorted(devices)) or None,
    }


def _refuse_copies(ones: Sequence[_One]) -> None:
    """Raise a ValueError for a campaign all of whose own runs are those of another: the same evidence once more."""
    own = [_own_runs(one) for one in ones]
    for (number, one), (other_number, other) in permutations(enumerate(ones), 2):
        runs, others = own[number], own[other_number]
        if runs and runs <= others and (runs != others or number > other_number):
            raise ValueError(
                f"{one.results.store.folder} is a copy of {other.results.store.folder}, or of a part of it: all of its "
                f"{counted(len(runs), 'run')} began there at the same moments, and count once; leave one of them out"
            )


def _own_runs(one: _One) -> set[tuple[Any, ...]]:
    rows = one.results.rows
    found = map(identity_of, rows[rows["reused_from"].isna()].to_dict("records"))
    return {run for run in found if run is not None}


def _leaderboard(ones: Sequence[_One]) -> pd.DataFrame:
    known: dict[tuple[Any, ...], str] = {}  # run -> where it is ranked
    board = framed((row for one in ones for row in _trials(one, known)), _LEADERBOARD)
    ranked = board["why_not_ranked"].isna()
    board["rank"] = board[ranked].groupby("ruler")["value"].rank(method="min").astype("Int64")
    return board.sort_values(["ruler", "rank", "value", "key"], na_position="last", ignore_index=True)


def _trials(one: _One, known: dict[tuple[Any, ...], str]) -> Iterator[dict[str, Any]]:
    base_value = _base_value(one)
    for row in _completed(one).to_dict("records"):
        run, here, again = identity_of(row), f"trial {row['number']} of {one.name}", None
        if run is not None and (first := known.setdefault(run, here)) != here:
            again = f"the same run as {first}"
        yield {
            "ruler": one.ruler,
            "campaign": one.name,
            "trial": row["number"],
            "key": row["key"],
            "value": row["value"],
            "versus_base": None if base_value is None or row["is_base"] is True else row["value"] - base_value,
            "is_base": row["is_base"],
            "changes": changes_text(changes_of(row)),
            "why_not_ranked": _off_the_ruler(row, one.measured_by) or again,
        }


def _off_the_ruler(row: Mapping[Any, Any], ruler: _Ruler) -> str | None:
    """Name how a trial is measured otherwise than its campaign's base; None where it is not."""
    found = {"budget": _amount(row["budget"], row["budget_unit"])}
    if "data" in ruler:
        found["data"] = str(row["data"])
    config = json.loads(row["config"])
    if isinstance(config, dict) and "evaluation" in config:
        fields = (path for path in ruler if path.partition(".")[0] in _EVALUATION)
        found |= {**dict.fromkeys(fields, _NONE), **_evaluation(config)}
    pairs = [(field, value, ruler.get(field, _NONE)) for field, value in found.items()]
    return "; ".join(f"{field} {value}, not {of_base}" for field, value, of_base in pairs if value != of_base) or None


def _winner(one: _One) -> dict[str, Any]:
    known = {"campaign": one.name, "ruler": one.ruler}
    if "," in one.measured_by["objective"] or one.results.campaign.get("recorded") is not None:
        return known
    return {**dict(*winner(one.results).to_dict("records")), **known}


def _knobs(ones: Sequence[_One]) -> Iterator[dict[str, Any]]:
    knobs = dict.fromkeys(path for one in ones for path in one.results.campaign["knobs"])
    settings = dict.fromkeys(path for one in ones for path in one.results.campaign.get("overrides") or ())
    for path in knobs | settings:
        ranges = {f"in {one.name}": _range(one.results.campaign, path) for one in ones}
        same = len(set(ranges.values())) == 1
        if path in knobs or not (same or path.partition(".")[0] in _TOLD_ELSEWHERE):
            yield {"knob": path, "same": same, **ranges}


def _range(campaign: Mapping[str, Any], path: str) -> str | None:
    """Return the range that a knob is drawn from; ``= value`` where the campaign holds it fixed."""
    if path in campaign["knobs"]:
        known = (campaign.get("ranges") or {}).get(path) or {}
        return domain_text(known) or "unknown"
    base = campaign.get("base") or {}
    value: Any = base.get("values", {}).get(path, base)
    for part in path.split(".") if value is base else ():
        if isinstance(value, list):
            value = next((one for one in value if isinstance(one, dict) and one.get("type") == part), None)
        else:
            value = value.get(part) if isinstance(value, dict) else None
    if value is None or value is base:
        return None
    kind = value.get("type") if isinstance(value, dict) else None  # of a component of a user's own: NAME@HASH
    return f"= {_text(value) if kind is None else str(kind).partition('@')[0]}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
