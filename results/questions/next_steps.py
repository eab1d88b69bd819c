"""Next steps of a campaign: what each would be expected to give, how long it would take, and its command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from storage import files
from terminal.counted import counted, counted_range
from terminal.duration import about
from terminal.short import short, shortened, signed

from results.design import DEFAULT, MOST_SEEDS, Design
from results.inert_changes import without_effect
from results.questions.asked_again import asked_again
from results.questions.carry_over import carry_over
from results.questions.edges import edges
from results.questions.expected_gain import FEWEST_LATER, INTERVAL, ExpectedGain, expected_gain
from results.questions.finished_once import GOES_ON, finished_once
from results.questions.framed import COUNT, NUMBER, WORDS, framed, objectives_of
from results.questions.one_ruler import FEWEST_THERE, Ruler, ruler_of
from results.questions.pace import RecordedPace, recorded_pace
from results.questions.readable import Readable
from results.questions.to_come import ablation_to_come, confirmation_to_come, design_of, seconds_to_come
from results.statistics.confirmation import Round, rounds, smallest_established, standing
from results.statistics.judgement import Verdict
from results.statistics.leaderboard import Noise, begun
from results.statistics.runs_to_come import NO_ABLATION, AblationToCome, ConfirmationToCome
from results.store.find import RUNS
from results.store.frames import Results
from results.store.limits import TRIALS
from results.store.resume_command import RUN_PROGRAM, from_anywhere, resume_command
from results.store.statuses import UNFINISHED
from results.unmet_limits import nearest_to_limits
from results.verdicts import ended_in_words, plain_rows_of, searched_rows

MORE_TRIALS = 24
TRIALS_ANEW = 5  # of a campaign that only confirms the best of another one

KEPT_SOURCES = "sources"  # folder of a campaign's, with the user's own files (trainable/own/source.py)
MOST_SOURCE_BYTES = 256 * 1024
_TYPES = {
    "step": WORDS, "why": WORDS, "takes": WORDS, "runs": COUNT, "seconds": NUMBER, "most_seconds": NUMBER,
    "gain": NUMBER, "low": NUMBER, "high": NUMBER, "chance": NUMBER, "command": WORDS,
}  # fmt: skip


def next_steps(campaign: Readable, trials: int = MORE_TRIALS) -> pd.DataFrame:
    """What is worth doing next? A row a step, the one to take first on top; empty for a replay.

    - ``step``: finish, other limit (where no trial met those there are), carry over (to a larger scale), confirm, more
      seeds, take apart, more trials or widen
    - ``why``, in words with its numbers
    - ``takes``: its runs and their time in words. ``runs``: trainings that it takes at least (count; of "more trials" a
      part of them is stopped early), ``seconds`` on a clock, and ``most_seconds`` where all of it is needed: by the
      campaign's own runs, on as many slots as it had, without the start of Ray. The confirmation and the ablation that
      the command would go on with are in it. Null while no run has ended. ``--dry-run`` of the command says the same
    - ``gain`` (unit of the objective): by how much the lowest value of the search is expected to fall, ``low`` to
      ``high`` in 80 % of campaigns, and the ``chance`` that it falls at all. They are of single runs, of which the
      lowest is lucky; null where it is no question of the lowest value, and where too few trials have ended to say
    - ``command`` to copy; of "widen" the change of the space

    Seeds come before trials where the best has not been told from noise, and trials that would be expected to gain less
    than a confirmation could establish come last. Of two objectives it is about the first. A ValueError for ``trials``
    that is none of 1 to 50,000, the most that a campaign has.
    """
    if isinstance(trials, bool) or not isinstance(trials, int) or not 1 <= trials <= TRIALS:
        raise ValueError(f"trials is {shortened(trials)} but must be a whole number from 1 to {TRIALS:,}")
    results = campaign.read()
    found: pd.DataFrame = results.once(f"next steps, {trials}", lambda: _next_steps(results, trials))
    return found.copy()


def _next_steps(results: Results, trials: int) -> pd.DataFrame:
    if results.campaign.get("replay") is not None:
        return framed([], _TYPES)
    ruler = ruler_of(results)
    found = rounds(plain_rows_of(results))
    if results.campaign.get("carried") is not None:  # nothing is searched there
        pace = recorded_pace(results)
        return framed(finished_once([*_unfinished(results, pace), *_seeds(results, found, pace)]), _TYPES)
    gain = expected_gain(ruler, trials)
    noise, pace = _noise(found), recorded_pace(results)
    more = _more_trials(results, ruler, trials, gain, noise) | _of_more_trials(results, trials, pace)
    widen = list(_widen(results, pace))
    worth = gain is None or noise is None or gain.high >= _told_apart(noise, found)
    last = [more, *widen] if worth and not widen else [*widen, more]
    first = [*_unfinished(results, pace), *_eased(results, pace)]
    steps = [*first, *carry_over(results, found, _command), *_seeds(results, found, pace), *last]
    frame = framed(finished_once(steps), _TYPES)
    frame.attrs = {"about": ruler.about}
    return frame


def _command(results: Results, option: str = "") -> str:
    own_train = bool(results.campaign.get("own_train"))
    own_files = "" if own_train else _own_files(results)
    return resume_command(from_anywhere(results.store.folder), f"{option} {own_files}".strip(), own_train)


def _own_files(results: Results, but: str = "") -> str:
    """The user's own files as a command asks for them, where the campaign keeps them: the files ``but`` one."""
    found = [file for file in _files_of_own(results) if file != but]
    return " ".join(f"--import {shlex.quote(file)}" for file in found)


def _files_of_own(results: Results) -> list[str]:
    """The files that the campaign was begun with, as it keeps them; where it keeps no single one, by their names."""
    folder, found = results.store.folder, []
    for source in results.campaign.get("imports") or ():
        top, dot, _ = source.partition("@")[0].partition(".")
        kept = folder / KEPT_SOURCES / f"{top}.py"
        if not dot and isinstance(kept, Path) and kept.is_file():
            found.append(str(from_anywhere(folder) / KEPT_SOURCES / kept.name))  # type: ignore[arg-type]
        else:
            found.append(top if dot else f"{top}.py")
    return found


def _file_of_space(results: Results) -> str | None:
    """The file that defines the campaign's space, where the campaign keeps one that names it; else None."""
    name = re.compile(rf"""name\s*=\s*(["']){re.escape(str(results.campaign.get("space")))}\1""")
    paths = [file for file in _files_of_own(results) if Path(file).parent.name == KEPT_SOURCES]
    named = [file for file in paths if name.search(_text_of(results, file))]
    return named[0] if len(named) == 1 else None


def _may_define_a_space(results: Results) -> bool:
    """Tell whether the space may be one of the user's own files: one defines some space, or is not kept here."""
    found = _files_of_own(results)
    return any(Path(file).parent.name != KEPT_SOURCES or "Space(" in _text_of(results, file) for file in found)


def _text_of(results: Results, file: str) -> str:
    try:
        content = files.read(results.store.folder / KEPT_SOURCES / Path(file).name, MOST_SOURCE_BYTES)
    except OSError:
        return ""
    return content.decode(errors="replace")


def _takes(runs: str, seconds: float | None, most: float | None = None) -> dict[str, Any]:
    """The columns that say how long a step takes: seconds at least and at most, and ``runs`` in words."""
    most = seconds if most is None else most
    words = runs if seconds is None else f"{runs}, {about(seconds, most)}"
    return {"takes": words, "counts": runs, "seconds": seconds, "most_seconds": most}


def _of_trials(trials: int, pace: RecordedPace) -> dict[str, Any]:
    return {"runs": trials, **_takes(counted(trials, "trial"), pace.of_trials(trials))}


def _of_more_trials(results: Results, trials: int, pace: RecordedPace) -> dict[str, Any]:
    """The columns of more trials, with the confirmation and, where it is set, the ablation that follow them."""
    design = design_of(results)
    later = confirmation_to_come(results, design, trials)
    apart = NO_ABLATION
    if design is not None and results.campaign.get("ablate"):
        knobs = len(results.campaign.get("knobs") or ())
        apart = ablation_to_come(results, design.first, knobs, another=True)
    fewest, most = (a + b for a, b in zip(later.runs, apart.runs, strict=True))
    why = f" ({later.why_a_span})" if later.why_a_span else ""
    then = f", then {counted_range(fewest, most, 'run')} on fresh seeds{why}" if most else ""
    found = _takes(
        f"{counted(trials, 'more trial')}{then}", *(seconds_to_come(pace, trials, later, apart) or (None, None))
    )
    return {"runs": trials + fewest, **found}


def of_runs_to_come(come: ConfirmationToCome | AblationToCome, pace: RecordedPace) -> dict[str, Any]:
    """The runs of a confirmation or of an ablation, with their time."""
    whole = pace.whole_seconds
    ends = (None, None) if whole is None else tuple(whole * waves for waves in come.waves(pace.slots))
    return {"runs": come.runs[0], **_takes(counted_range(*come.runs, "run"), *ends)}


def _unfinished(results: Results, pace: RecordedPace) -> Iterator[dict[str, Any]]:
    """Yield what is left of the search itself: trials without an end, and those not begun."""
    left = int(results.trials["status"].isin(UNFINISHED).sum())
    asked, started = int(results.campaign.get("trials") or 0), len(begun(results.trials))
    if left or started < asked:
        said = [f"{counted(left, 'trial')} not finished"] if left else []
        said += [f"{started} of {counted(asked, 'trial')} begun"] if started < asked else []
        yield {
            "step": "finish",
            "why": f"{', '.join(said)} ({GOES_ON})",
            "command": _command(results),
            **_of_trials(left + max(0, asked - started), pace),
        }


def _eased(results: Results, pace: RecordedPace) -> Iterator[dict[str, Any]]:
    """Yield the search with a limit that a trial meets, where none met those of this one."""
    unmet = nearest_to_limits(results.campaign, searched_rows(results))
    if unmet is None:
        return
    asked = int(results.campaign.get("trials") or 0) or len(begun(results.trials))
    longer = f"; longer trials may meet what there is ({unmet.longer})" if unmet.longer else ""
    yield {
        "step": "other limit",
        "why": f"trial {unmet.trial} would meet {unmet.options}{longer}",
        "command": _anew(results, {"trials": asked, **unmet.changes(results.campaign)}),
        **_of_trials(asked, pace),
    }


def _seeds(results: Results, found: list[Round], pace: RecordedPace) -> Iterator[dict[str, Any]]:
    """Yield the steps on fresh seeds: what those would still say of the best trials and of the winner."""
    trials = results.trials
    candidates = int(((trials["status"] == "completed") & ~trials["is_base"].fillna(False).astype(bool)).sum())
    if len(results.campaign.get("objectives") or ()) > 1 or not candidates or base_is_beyond(results):
        return
    if not found:
        own = design_of(results)
        design = replace(DEFAULT, candidates=min(DEFAULT.candidates, candidates))
        come = ConfirmationToCome(design, design) if own is None else confirmation_to_come(results, own, 0)
        yield {
            "step": "confirm",
            "why": "the lowest of many noisy values is lucky: only runs on fresh seeds say whether it is better",
            "command": _command(results, f"--confirm {design}" if own is None else ""),
            **of_runs_to_come(come, pace),
        }
        return
    stands, last = standing(found), found[-1]
    if stands is None or not last.judgement.over:
        yield from _undecided(results, last, pace)
    else:
        yield from _apart(results, stands, pace)


def base_is_beyond(results: Results) -> bool:
    """Tell whether the base itself breaks a limit, as on other seeds: then no run can be paired with it."""
    bases = results.trials[results.trials["is_base"].fillna(False).astype(bool)]
    return bool(len(bases)) and bool((bases["status"] == "infeasible").all())


def _apart(results: Results, stands: Round, pace: RecordedPace) -> Iterator[dict[str, Any]]:
    """Take the winner apart, or go on with that; nothing where that is done, or it has one change only."""
    come = ablation_to_come(results, stands.design.first, 0, another=False)
    if not come.most:
        return
    if come.begun:
        yield {
            "step": "finish",
            "why": f"the ablation of trial {come.trial} is not over: runs of it are still to come ({GOES_ON})",
            "command": _command(results),
            **of_runs_to_come(come, pace),
        }
    else:
        changed = f"{counted(come.changes or 0, 'knob')}{without_effect(come.inert)}"
        yield {
            "step": "take apart",
            "why": f"the winner changes {changed} at once: which of them does it need?",
            "command": _command(results, "--ablate"),
            **of_runs_to_come(come, pace),
        }


def _undecided(results: Results, last: Round, pace: RecordedPace) -> Iterator[dict[str, Any]]:
    """Go on with the latest design while it lasts, else more seeds for the best in a campaign of its own."""
    judgement = last.judgement
    if not judgement.over:
        yield {
            "step": "finish",
            "why": f"the confirmation {last.design} is not over, {ended_in_words(last)} ({GOES_ON})",
            "command": _command(results),
            **of_runs_to_come(ConfirmationToCome(last.design, last.design, len(last.runs)), pace),
        }
        return
    best = min((v for v in judgement.verdicts.values() if _ahead(v)), key=lambda v: v.difference or 0.0, default=None)
    if best is None or best.pairs_to_settle is None:
        return
    assert best.difference is not None and best.low is not None and best.high is not None, "it is judged"
    pairs = min(MOST_SEEDS, max(best.pairs_to_settle, best.pairs + 1))
    number = dict(zip(results.rows["key"], results.rows["number"], strict=True)).get(best.arm)
    yield {
        "step": "more seeds",
        "why": (
            f"trial {number} is {signed(best.difference)} against the base, but its interval is as wide as "
            f"{signed(best.low)} to {signed(best.high)} after {counted(best.pairs, 'pair')}: about "
            f"{best.pairs_to_settle} would "
            "settle it. A design cannot change once its results are known, so that takes a campaign of its own: "
            f"{counted(TRIALS_ANEW, 'trial')} that begin with the best of this one, then the pairs"
        ),
        "command": _confirm_anew(results, pairs),
        **_of_anew(pairs, pace),
    }


def _of_anew(pairs: int, pace: RecordedPace) -> dict[str, Any]:
    """The time of a campaign of a few trials whose best is confirmed on so many seeds."""
    trials, confirmation = pace.of_trials(TRIALS_ANEW), pace.of_confirmation(Design(1, pairs, pairs))
    seconds = None if trials is None or confirmation is None else trials + confirmation[0]
    return {"runs": 2 * pairs, **_takes(f"{counted(TRIALS_ANEW, 'trial')} and {counted(2 * pairs, 'run')}", seconds)}


def _ahead(verdict: Verdict) -> bool:
    return not verdict.refuted and verdict.difference is not None and verdict.difference < 0


def _confirm_anew(results: Results, pairs: int) -> str:
    """A campaign that begins with the best of this one and confirms the best of them on so many fresh seeds."""
    campaign = results.campaign
    if campaign.get("own_train"):
        return f"tuner.tune(train, space, ..., base=BASE, trials={TRIALS_ANEW}, confirm='1x{pairs}')"
    place = from_anywhere(results.store.folder)
    begins_with = place.name if place.parent == RUNS else str(place)
    return _anew(results, {"warm_start": [begins_with], "trials": TRIALS_ANEW, "confirm": f"1x{pairs}"})


def _anew(results: Results, changes: Mapping[str, Any]) -> str:
    """The command of a new campaign that asks as this one did, but for ``changes`` of fields of campaign.json."""
    if (file := _file_of_space(results)) is not None:
        asked = asked_again({**results.campaign, "space": file}, changes)
        return f"{RUN_PROGRAM} {asked} {_own_files(results, but=file)}".rstrip()
    asked, own_files = asked_again(results.campaign, changes), _own_files(results)
    if own_files and _may_define_a_space(results):
        return f"{RUN_PROGRAM} {asked} {own_files}  # with the file of your space as --space"
    return f"{RUN_PROGRAM} {asked}"


def _more_trials(
    results: Results, ruler: Ruler, trials: int, gain: ExpectedGain | None, noise: Noise | None
) -> dict[str, Any]:
    whole = max(len(begun(results.trials)), int(results.campaign.get("trials") or 0)) + trials
    row: dict[str, Any] = {
        "step": "more trials",
        "command": _command(results, f"--trials {whole}"),
    }
    if gain is None:
        return row | {"why": f"cannot say what they would give: {_unsaid(ruler)}"}
    interval = f"{100 * INTERVAL:.0f} %: {short(gain.low)} to {short(gain.high)}"
    said = f"expected gain {short(gain.mean)} in {objectives_of(results)[0]} ({interval}); "
    said += f"chance of any gain {100 * gain.chance:.0f} %, of single runs, of which the lowest is lucky"
    if noise is not None:
        said += f"; noise of one run SD {short(noise.sd)}"
    return row | {"why": said, "gain": gain.mean, "low": gain.low, "high": gain.high, "chance": gain.chance}


def _unsaid(ruler: Ruler) -> str:
    """Say why nothing is known of the gain of more trials."""
    if ruler.at != "the end":
        there = f"{ruler.at_the_end} of at least {FEWEST_THERE} trials can be compared at the end"
        left = ", ".join(f"{number} {why}" for why, number in ruler.left_out.items())
        others = f", the others at {ruler.at} only" if len(ruler) > ruler.at_the_end else ""
        return f"{there}{f' ({left})' if left else ''}{others}"
    if len(ruler) < FEWEST_LATER:
        return f"{len(ruler)} of at least {FEWEST_LATER} trials can be compared at the end"
    return "no trial has a finite value at the end"


def _widen(results: Results, pace: RecordedPace) -> Iterator[dict[str, Any]]:
    """Yield a wider range each: a search of its own, of as many trials."""
    asked = int(results.campaign.get("trials") or 0) or len(begun(results.trials))
    for edge in edges(results).to_dict("records"):
        path, fixed, value = edge["change"].removeprefix("--set ").partition("=")
        left_out = bool(fixed) and edge["change"].startswith("--set ")
        command = _anew(results, {"trials": asked, "overrides": {path: value}}) if left_out else edge["change"]
        yield {
            "step": "widen",
            "why": f"{edge['suggestion']}: {edge['good_at_edge']} of the {edge['good']} best trials lie at that end",
            "command": command,
            **_takes(f"a search of {counted(asked, 'trial')}", pace.of_trials(asked)),
        }


def _noise(found: list[Round]) -> Noise | None:
    return next((noise for one in reversed(found) if (noise := one.judgement.noise) is not None), None)


def _told_apart(noise: Noise, found: list[Round]) -> float:
    """The smallest difference that the campaign's confirmation can establish with all of its seeds."""
    return smallest_established(found[-1].design, noise)


def step_in_words(row: Mapping[Any, Any]) -> str:
    """A row of :func:`next_steps` as a sentence: the step, how long it takes, and why."""
    takes = f" ({row['takes']})" if isinstance(row["takes"], str) else ""
    why = str(row["why"])
    return f"{row['step'].capitalize()}{takes}: {why}{'' if why.endswith(('.', '?')) else '.'}"
