"""Next steps of a campaign: the gain that each would be expected to give, and its command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pandas as pd
from terminal.counted import counted
from terminal.short import short

from results.design import DEFAULT, MOST_SEEDS, Design
from results.questions.edges import edges
from results.questions.expected_gain import FEWEST_LATER, ExpectedGain, expected_gain
from results.questions.framed import COUNT, NUMBER, WORDS, framed
from results.questions.one_ruler import Ruler, one_ruler
from results.questions.readable import Readable
from results.statistics.ablation import ablation
from results.statistics.confirmation import Round, Verdict, rounds, standing
from results.statistics.leaderboard import Noise
from results.store.frames import Results
from results.store.resume_command import RUN_PROGRAM, resume_command
from results.store.statuses import UNFINISHED
from results.verdicts import plain_rows

MORE_TRIALS = 24

_TYPES = {
    "step": WORDS, "why": WORDS, "runs": COUNT, "gain": NUMBER, "low": NUMBER, "high": NUMBER, "chance": NUMBER,
    "command": WORDS,
}  # fmt: skip


def next_steps(campaign: Readable, trials: int = MORE_TRIALS) -> pd.DataFrame:
    """What is worth doing next? A row a step, the one to take first on top; empty for a replay.

    - ``step``: finish, confirm, more seeds, take apart, more trials or widen; ``why``, in words with its numbers
    - ``runs``: trainings that it takes at least (count; of "more trials" a part of them is stopped early)
    - ``gain`` (unit of the objective): by how much the lowest value of the search is expected to fall, ``low`` to
      ``high`` in 80 % of campaigns, and the ``chance`` that it falls at all. They are of single runs, of which the
      lowest is lucky; null where it is no question of the lowest value, and where too few trials have ended to say
    - ``command`` to copy; of "widen" the change of the space

    Seeds come before trials where the best has not been told from noise, and trials that would be expected to gain less
    than a confirmation could establish come last. Of two objectives it is about the first. A ValueError for ``trials``
    below 1.
    """
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise ValueError(f"trials is {trials!r} but must be a whole number from 1")
    results = campaign.read()
    if results.campaign.get("replay") is not None:
        return framed([], _TYPES)
    ruler = one_ruler(results.trials, results.reports)
    found = rounds(plain_rows(results.rows))
    gain = expected_gain(ruler, trials)
    noise = _noise(found)
    more = _more_trials(results, ruler, trials, gain, noise)
    widen = list(_widen(results))
    worth = gain is None or noise is None or gain.high >= _told_apart(noise, found)
    last = [more, *widen] if worth and not widen else [*widen, more]
    steps = [*_unfinished(results), *_seeds(results, found), *last]
    frame = framed(steps, _TYPES)
    frame.attrs = {"about": ruler.about}
    return frame


def _command(results: Results, option: str = "") -> str:
    own_train = bool(results.campaign.get("own_train"))
    own_files = "" if own_train else _own_files(results)
    return resume_command(results.store.folder, f"{option} {own_files}".strip(), own_train)


def _own_files(results: Results) -> str:
    """The user's own files as a command asks for them; where they lie, only the user knows."""
    names = [source.partition("@")[0].partition(".") for source in results.campaign.get("imports") or ()]
    return " ".join(f"--import {shlex.quote(top if dot else f'{top}.py')}" for top, dot, _ in names)


def _unfinished(results: Results) -> Iterator[dict[str, Any]]:
    left = int(results.rows["status"].isin(UNFINISHED).sum())
    asked, begun = int(results.campaign.get("trials") or 0), int((results.trials["status"] != "infeasible").sum())
    if left or begun < asked:
        said = [f"{counted(left, 'run')} not finished"] if left else []
        said += [f"{begun} of {counted(asked, 'trial')} begun"] if begun < asked else []
        yield {
            "step": "finish",
            "why": f"{', '.join(said)} (still running, or cut off: then go on with it)",
            "runs": left + max(0, asked - begun),
            "command": _command(results),
        }


def _seeds(results: Results, found: list[Round]) -> Iterator[dict[str, Any]]:
    """Yield the steps on fresh seeds: what those would still say of the best trials and of the winner."""
    trials = results.trials
    candidates = int(((trials["status"] == "completed") & ~trials["is_base"].fillna(False).astype(bool)).sum())
    if len(results.campaign.get("objectives") or ()) > 1 or not candidates:
        return
    if not found:
        design = Design(min(DEFAULT.candidates, candidates), DEFAULT.first, DEFAULT.last)
        yield {
            "step": "confirm",
            "why": "the lowest of many noisy values is lucky: only runs on fresh seeds say whether it is better",
            "runs": design.fewest_runs,
            "command": _command(results, f"--confirm {design}"),
        }
        return
    stands, last = standing(found), found[-1]
    if stands is None:
        yield from _undecided(results, last)
    elif (taken := ablation(stands, plain_rows(results.rows))) is None and (
        changes := _num_changes(results, stands)
    ) > 1:
        yield {
            "step": "take apart",
            "why": f"the winner changes {changes} knobs at once: which of them does it need?",
            "command": _command(results, "--ablate"),
        }
    elif taken is not None and taken.decision.wanted:
        yield {
            "step": "finish",
            "why": f"{counted(len(taken.decision.wanted), 'group')} of the winner's changes still to be undone",
            "command": _command(results),
        }


def _undecided(results: Results, last: Round) -> Iterator[dict[str, Any]]:
    """No winner stands: go on with the design while it lasts, else more seeds for the best in a campaign of its own."""
    judgement = last.judgement
    if not judgement.over:
        wanted = len(judgement.wanted)
        yield {
            "step": "finish",
            "why": f"the confirmation {last.design} is not over",
            "runs": wanted or None,
            "command": _command(results),
        }
        return
    best = min((v for v in judgement.verdicts.values() if _ahead(v)), key=lambda v: v.difference or 0.0, default=None)
    if best is None or best.pairs_to_settle is None:
        return
    pairs = min(MOST_SEEDS, max(best.pairs_to_settle, last.design.last + 1))
    number = dict(zip(results.rows["key"], results.rows["number"], strict=True)).get(best.arm)
    yield {
        "step": "more seeds",
        "why": (
            f"trial {number} is {best.difference:+.4f} against the base, but its interval is as wide as +-"
            f"{best.half_width:.4f} after {counted(best.pairs, 'pair')}: about {best.pairs_to_settle} would settle it. "
            "A design cannot change once its results are known, so that takes a campaign of its own"
        ),
        "runs": 2 * pairs,
        "command": _confirm_anew(results, pairs),
    }


def _ahead(verdict: Verdict) -> bool:
    return not verdict.refuted and verdict.difference is not None and verdict.difference < 0


def _confirm_anew(results: Results, pairs: int) -> str:
    """A campaign that begins with the best of this one and confirms the best of them on so many fresh seeds."""
    campaign = results.campaign
    if campaign.get("own_train"):
        return f"tuner.tune(train, space, ..., base=BASE, trials=5, confirm='1x{pairs}')"
    options = f"--warm-start {shlex.quote(str(results.store.folder))} --trials 5 --confirm 1x{pairs}"
    own_files = _own_files(results)
    asked = f"--space {campaign.get('space')} --scale {campaign.get('scale')}"
    if own_files:
        return f"{RUN_PROGRAM} {asked} {own_files} {options}  # with the file of your space as --space"
    return f"{RUN_PROGRAM} {asked} {options}  # and the options that it began with"


def _num_changes(results: Results, stands: Round) -> int:
    winner = stands.judgement.winner
    assert winner is not None, "it stands"
    rows = results.rows[results.rows["key"] == winner.arm]
    return len(json.loads(rows["overrides"].iloc[0])) if len(rows) else 0


def _more_trials(
    results: Results, ruler: Ruler, trials: int, gain: ExpectedGain | None, noise: Noise | None
) -> dict[str, Any]:
    begun = int((results.trials["status"] != "infeasible").sum())
    whole = max(begun, int(results.campaign.get("trials") or 0)) + trials
    row: dict[str, Any] = {
        "step": "more trials",
        "runs": trials,
        "command": _command(results, f"--trials {whole}"),
    }
    if gain is None:
        compared = f"{len(ruler)} of at least {FEWEST_LATER} trials can be compared at the end"
        return row | {"why": f"cannot say what they would give: {compared}"}
    said = f"{counted(trials, 'trial')} like the later ones would lower the best by {short(gain.mean)}"
    said += f" ({short(gain.low)} to {short(gain.high)} in 80 % of campaigns), if at all ({gain.chance:.0%})"
    if noise is not None:
        said += f"; one run differs from the next of its config by SD {short(noise.sd)}"
    return row | {"why": said, "gain": gain.mean, "low": gain.low, "high": gain.high, "chance": gain.chance}


def _widen(results: Results) -> Iterator[dict[str, Any]]:
    for edge in edges(results).to_dict("records"):
        yield {
            "step": "widen",
            "why": f"{edge['suggestion']}: {edge['good_at_edge']} of the {edge['good']} best trials lie at that end",
            "command": edge["change"],
        }


def _noise(found: list[Round]) -> Noise | None:
    return next((noise for one in reversed(found) if (noise := one.judgement.noise) is not None), None)


def _told_apart(noise: Noise, found: list[Round]) -> float:
    """The smallest difference that the campaign's confirmation can establish with all of its seeds."""
    design = found[-1].design
    return noise.smallest_difference(design.last, design.last, design.confidence(design.last))
