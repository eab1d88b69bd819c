"""Question of a resume: the one that ``campaign.json`` keeps, checked against data and code that moved or went since.

Data are known by their fingerprint, so that they may lie elsewhere than they did. Trials that were reused are rows of
the campaign's own, so that the campaign they came from is needed for further ones only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from results.store.campaign_folder import Store
from results.store.campaign_json import require
from results.store.campaigns import CAMPAIGN
from results.store.places import SOURCE
from results.store.row_types import NEVER_A_TRIAL
from results.store.statuses import SEARCH
from storage import files
from storage.location import Location, location
from trainable.component_json import encode, what_acts
from trainable.data.dataset import Dataset
from trainable.data.preparation import check_source
from trainable.own.source import is_file_name
from tuner.campaign import precision
from tuner.campaign.again import again
from tuner.campaign.earlier_places import check_each_once
from tuner.campaign.record import asked_of
from tuner.command import Resume
from tuner.question import Question, check_checkpoints
from tuner.spec import ALWAYS_KEPT, CampaignSpec


def spec_of(store: Store, asked: Resume) -> CampaignSpec:
    """The spec that the campaign was begun with, changed as it is asked now; a ValueError where it cannot be."""
    was, name = store.campaign, store.folder.name
    require(store.folder / CAMPAIGN, was, ALWAYS_KEPT)
    if asked.space not in (None, was["space"]) and not is_file_name(asked.space):
        raise ValueError(f"campaign {name!r} searches {was['space']!r}, not {asked.space!r}")
    try:
        spec = CampaignSpec.of_json(was)
    except ValueError as error:
        raise ValueError(f"{store.folder / CAMPAIGN} cannot be resumed: {error}") from None
    if spec.replay is not None and "trials" in asked.changes:
        raise ValueError(f"campaign {name!r} is a replay: it has the trials that it was started with")
    if spec.carried is not None and (further := asked.changes.keys() & {"trials", "confirm_scale", "carry"}):
        search = spec.carried.campaign
        raise ValueError(
            f"campaign {name!r} has the best of campaign {search!r} at scale {spec.scale}, where nothing is searched: "
            f"--{min(further).replace('_', '-')} is for the search ({again(store.folder.parent / search)})"
        )
    if "trials" in asked.changes:
        _check_trials(store, asked.changes["trials"])
    if asked.data is not None:
        if SOURCE not in spec.overrides:
            raise ValueError(
                f"--data is for data that were moved: campaign {name!r} reads none from a place of its own"
            )
        spec = replace(spec, overrides={**spec.overrides, SOURCE: asked.data})
    changed = {field: value for field, value in asked.changes.items() if field != "imports"}
    return replace(spec, precision=precision.of_campaign(store), **changed)


def _check_trials(store: Store, trials: int) -> None:
    """Raise a ValueError for fewer trials than the search has started: none of them can be undone.

    Nothing has been set aside yet, so that what is damaged counts as it will then: as never begun.
    """
    rows = [row for row in store.readable_trials() if row["config"] != NEVER_A_TRIAL]
    started = sum((row["stage"] or SEARCH) == SEARCH for row in rows)
    if trials < started:
        raise ValueError(
            f"--trials {trials:,} is fewer than the {started:,} that campaign {store.folder.name!r} has started: "
            f"--trials {started:,} ends the search with those"
        )


def check_same_question(store: Store, question: Question) -> None:
    """Raise a ValueError where this code would ask another question than the campaign, or its data are not there."""
    was, name = store.campaign, store.folder.name
    base = encode(question.base)
    if SOURCE in was["overrides"]:  # which may have been moved: the fingerprint tells them
        base["data"]["source"] = was["overrides"][SOURCE]
    if what_acts(base) != what_acts(was["base"]) or question.space.column_types() != was["knobs"]:
        raise ValueError(
            f"campaign {name!r} was started with another version of space {was['space']!r}: start a new one"
        )
    try:
        check_source(question.base.data)
    except ValueError as error:
        hint = f"If the data were moved, say where they are: {again(store.folder)} --data PLACE"
        said = str(error)
        raise ValueError(f"{said}{'' if said.endswith(('?', '.')) else '.'} {hint}") from None


def check_same_data(folder: Location, was: Mapping[str, Any], dataset: Dataset | None) -> None:
    """Raise a ValueError for data with another fingerprint than the campaign's: it says what both are and what to do.

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


def check_asked_anew(asked: Resume, question: Question) -> None:
    """Raise a ValueError for what this resume asks for and a new campaign would refuse; what is kept stays as it is."""
    if "reuse" in asked.changes:
        check_each_once("--reuse", question.spec.reuse)
    if "checkpoint_every" in asked.changes:
        check_checkpoints(question)


def check_reused(folder: Location, spec: CampaignSpec) -> None:
    """Raise a ValueError where a campaign whose finished trials count is no longer there."""
    for name in spec.reuse:
        if not files.is_file(location(name) / CAMPAIGN):
            raise ValueError(
                f"campaign {folder.name!r} reuses trials of {name}, where no campaign is now: say where it is by "
                "--reuse FOLDER, or go on without it by --no-reuse (what was reused stays)"
            )


def changes(was: Mapping[str, Any], question: Question) -> dict[str, Any]:
    """Collect the new fields of ``campaign.json``, so that the next resume goes on as this one does."""
    now = json.loads(json.dumps(asked_of(question)))
    return {name: value for name, value in now.items() if name not in was or was[name] != value}
