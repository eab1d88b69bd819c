"""The noise of a run: how far two results of one config lie apart by the seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, framed
from results.questions.readable import Readable
from results.replays.comparison import compare
from results.statistics.chi_square import sd_interval
from results.statistics.confirmation import Round, rounds
from results.statistics.leaderboard import CONFIDENCE, Noise, pooled_noise
from results.store.frames import Results
from results.verdicts import plain_rows_of

_TYPES = {
    "source": WORDS, "paired": YES_NO, "sd": NUMBER, "low": NUMBER, "high": NUMBER, "degrees_of_freedom": COUNT,
    "configs": COUNT, "runs": COUNT, "smallest_difference": NUMBER,
}  # fmt: skip


def noise(campaign: Readable) -> pd.DataFrame:
    """How much do runs of one config differ by their seed alone? A row a source of replicates, the best one first.

    Empty where no config was run on two seeds: then no difference can be told from noise.

    - ``source``: ``confirmation N`` (N from 1, the latest first), ``replicates`` (configs of the search on several
      seeds), ``replay`` (recorded runs that were trained several times here), ``record`` (those in their log)
    - ``paired``: whether what a seed does to every config alike is taken out, as it drops out of differences between
      runs on the same seed
    - ``sd``: standard deviation of a single run (unit of the objective), ``low`` and ``high`` its 95 % interval, by the
      chi-square distribution of normal noise
    - ``degrees_of_freedom``, ``configs`` and ``runs`` (counts): what it rests on
    - ``smallest_difference`` (unit of the objective): what two single runs must differ by to be told apart at 95 %, by
      Student's t
    """
    return framed(_sources(campaign.read()), _TYPES)


def noise_of_trials(results: Results) -> tuple[Noise, str] | None:
    """The noise by which single trials of a search are judged, and its source; None where there are no replicates."""
    found = _of_confirmations(results) or _of_replicates(results)
    return (found[0][1], found[0][0]) if found else None


def _sources(results: Results) -> Iterator[dict[str, Any]]:
    is_replay = results.campaign.get("recorded") is not None
    found = _of_replay(results) if is_replay else [*_of_confirmations(results), *_of_replicates(results)]
    for source, known, configs, runs in found:
        low, high = sd_interval(known.sd, known.degrees_of_freedom, CONFIDENCE)
        yield {
            "source": source,
            "paired": source.startswith("confirmation"),
            "sd": known.sd,
            "low": low,
            "high": high,
            "degrees_of_freedom": known.degrees_of_freedom,
            "configs": configs,
            "runs": runs,
            "smallest_difference": known.smallest_difference(1, 1),
        }


_Source = tuple[str, Noise, int, int]


def _of_confirmations(results: Results) -> list[_Source]:
    found = []
    for one in reversed(rounds(plain_rows_of(results))):
        if (known := one.judgement.noise) is not None:
            found.append((f"confirmation {one.number + 1}", known, *_size(one)))
    return found


def _size(one: Round) -> tuple[int, int]:
    """Configs and runs that the noise of a round rests on: those of the looks so far, without configs that failed."""
    judgement = one.judgement
    arms = {one.base, *(arm for arm, verdict in judgement.verdicts.items() if not verdict.reason)}
    seen = set(one.seeds[: judgement.seeds])
    used = [arm for (arm, seed), run in one.runs.items() if arm in arms and seed in seen and run.value is not None]
    return len(set(used)), len(used)


def _of_replicates(results: Results) -> list[_Source]:
    """Configs of the search that ran on several seeds. Those of a confirmation are paired, and stand for themselves."""
    found: list[_Source] = results.once("noise of replicates", lambda: _among_replicates(results.trials))
    return found


def _among_replicates(trials: pd.DataFrame) -> list[_Source]:
    done = trials[(trials["status"] == "completed") & trials["value"].notna()]
    done = done[done.duplicated(["overrides", "data"], keep=False)]  # a group takes a millisecond
    if done.empty:  # to group nothing takes pandas long
        return []
    groups = [
        group.drop_duplicates("seed")["value"].tolist()
        for _, group in done.groupby(["overrides", "data"], dropna=False)
        if group["seed"].nunique() > 1
    ]
    known = pooled_noise(groups)
    return [] if known is None else [("replicates", known, len(groups), sum(map(len, groups)))]


def _of_replay(results: Results) -> list[_Source]:
    comparison = compare(results)
    trainings = comparison.runs.drop_duplicates("training")
    several = trainings.loc[trainings["measured_runs"] > 1, "measured_runs"]
    found: list[_Source] = []
    if comparison.measured_noise is not None:
        found.append(("replay", comparison.measured_noise, len(several), int(several.sum())))
    if comparison.recorded_noise is not None:
        groups = [group for group in results.campaign["recorded"]["replicates"] if len(group) > 1]
        members = comparison.runs.set_index("id")
        kept = members["recorded"].notna() & ~members["recorded_plateau"]
        sizes = [n for n in (int(kept[group].sum()) for group in groups) if n > 1]
        found.append(("record", comparison.recorded_noise, len(sizes), sum(sizes)))
    return found
