"""What a resume asks: the question that ``campaign.json`` keeps, and what around it has been moved or has gone since.

Data are known by their fingerprint, so that they may lie elsewhere than they did. Trials that were reused are rows of
the campaign's own, so that the campaign they came from is needed for further ones only.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from results.store import CAMPAIGN
from search_spaces import load as load_space
from storage import files
from storage.location import Location, absolute, location
from trainable.component import encode
from trainable.data import Dataset, check_source
from tuner.again import again
from tuner.question import Question, ask, ask_replay, asking
from tuner.replay import Replay

SOURCE = "data.source"


def question_of(folder: Location, was: Mapping[str, Any], given: argparse.Namespace) -> Question:
    """The question that the campaign in ``folder`` was begun with, its data at the place that ``--data`` gives.

    A ValueError where this code would ask another one, and where the data are no longer there.
    """
    space, scale, name = load_space(str(was["space"])), str(was["scale"]), folder.name
    overrides = dict(was["overrides"])
    if given.data is not None:
        if SOURCE not in overrides:
            raise ValueError(
                f"--data is for data that were moved: campaign {name!r} reads none from a place of its own"
            )
        overrides[SOURCE] = given.overrides[SOURCE]
    if was.get("replay") is not None:
        if given.trials is not None:
            raise ValueError(f"campaign {name!r} is a replay: it has the trials that it was started with")
        same = Replay(tuple(was["replay"]["selections"]), was["replay"]["reading"], was["replay"]["seeds"])
        question = ask_replay(space, scale, overrides, same, was["seed"])
    else:
        objective = ",".join(was.get("objectives", [was["objective"]]))
        asked = asking(space, objective, was.get("constraints", ()), was.get("likely", ()))
        question = ask(asked, scale, overrides, given.trials or int(was["trials"]), was["seed"])
    base = encode(question.base)
    if given.data is not None:
        base["data"]["source"] = was["overrides"][SOURCE]
    if base != was["base"] or question.space.column_types() != was["knobs"]:
        raise ValueError(
            f"campaign {name!r} was started with another version of space {was['space']!r}: start a new one"
        )
    try:
        check_source(question.base.data)
    except ValueError as error:
        raise ValueError(f"{error}. If the data were moved, say where they are: {again(folder)} --data PLACE") from None
    return question


def check_same_data(folder: Location, was: Mapping[str, Any], dataset: Dataset | None) -> None:
    """A ValueError for data with another fingerprint than the campaign's, which says what both are and what to do.

    None stands for data that are not prepared yet, in a plan.
    """
    if dataset is None or dataset.fingerprint == was["data"]:
        return
    began = f"{was['data_description']} ({was['data']})" if was.get("data_description") else was["data"]
    instead = "start a new campaign with another --name"
    if SOURCE in was["overrides"]:
        back = f"bring the campaign's data back, or say where they are: {again(folder)} --data PLACE"
    else:
        back = "go on where they are as they were (the standard library is that of the Python that runs)"
    raise ValueError(
        f"the data have changed since campaign {folder.name!r} began: it reads {began}, and now there is "
        f"{dataset.description} ({dataset.fingerprint}). To go on, {back}. To use what is there now, {instead}"
    )


def reused_by(folder: Location, was: Mapping[str, Any], given: argparse.Namespace) -> list[Location]:
    """The campaigns whose finished trials count: those that are given now, else those of the start.

    A ValueError for one of the start that is no longer there.
    """
    if given.reuse is not None:
        return list(given.reuse)
    found = [location(text) for text in was.get("reuse", ())]
    for place in found:
        if not files.is_file(place / CAMPAIGN):
            raise ValueError(
                f"campaign {folder.name!r} reuses trials of {place}, where no campaign is now: say where it is by "
                "--reuse FOLDER, or go on without it by --no-reuse (what was reused stays)"
            )
    return found


def changes(was: Mapping[str, Any], question: Question, reused: list[Location]) -> dict[str, Any]:
    """What ``campaign.json`` must say from now on, so that the next resume finds all that this one has found."""
    now = {
        "overrides": question.overrides,
        "base": encode(question.base),
        "reuse": [absolute(place) for place in reused],
    }
    return {name: value for name, value in now.items() if was.get(name, []) != value}
