from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import results
from results import load
from results.compact import compact
from results.store import places, row_places
from results.store.campaign_folder import Store
from storage.location import Url

ASKED = {"space": "s", "scale": "proxy", "objective": "val_bpb"}


def asked(home: Path) -> dict[str, object]:
    return {
        **ASKED,
        "overrides": {"data.source": str(home / "texts" / "a.txt"), "seed": 1},
        "base": {"data": {"source": str(home / "texts" / "a.txt")}},
        "reuse": [str(home / "runs" / "earlier"), "s3://bucket/runs/a"],
        "warm_start": ["recorded", str(home / "runs" / "night" / "kept")],
    }


def test_a_campaign_names_what_it_needs_relative_to_its_folder_and_reads_it_whole(tmp_path) -> None:
    folder = tmp_path / "runs" / "night"
    assert Store.create(folder, asked(tmp_path), {}).campaign["base"] == asked(tmp_path)["base"]
    written = json.loads((folder / "campaign.json").read_text())
    assert str(tmp_path) not in json.dumps(written)
    assert written["overrides"] == {"data.source": "../../texts/a.txt", "seed": 1}
    assert written["reuse"] == ["../earlier", "s3://bucket/runs/a"] and written["warm_start"] == ["recorded", "./kept"]
    assert {name: Store.open(folder).campaign[name] for name in asked(tmp_path)} == asked(tmp_path)


def test_a_campaign_that_is_moved_with_what_it_needs_finds_it(tmp_path) -> None:
    Store.create(tmp_path / "old" / "runs" / "night", asked(tmp_path / "old"), {})
    (tmp_path / "old").rename(tmp_path / "new")
    moved = Store.open(tmp_path / "new" / "runs" / "night").campaign
    assert {name: moved[name] for name in asked(tmp_path)} == asked(tmp_path / "new")


def test_a_folder_that_is_reached_by_a_link_is_where_it_really_is(tmp_path) -> None:
    (tmp_path / "disk" / "deep").mkdir(parents=True)
    (tmp_path / "runs").symlink_to(tmp_path / "disk" / "deep")
    Store.create(tmp_path / "runs" / "night", asked(tmp_path), {})
    for folder in (tmp_path / "runs" / "night", tmp_path / "disk" / "deep" / "night"):
        assert Store.open(folder).campaign["base"] == asked(tmp_path)["base"]


@pytest.mark.parametrize("source", ["stdlib", "fineweb10B_sp1024", "no/such", "/elsewhere/a.txt"])
def test_a_name_and_what_shares_only_the_root_stay_as_they_are(source) -> None:
    folder = Path("/made-up/runs/night")
    campaign = {"base": {"data": {"source": source}}}
    assert places.relative(folder, campaign) == campaign == places.whole(folder, campaign)
    assert places.relative(Url("s3://b/night"), asked(Path("/x"))) == asked(Path("/x"))


def test_what_is_no_campaign_is_left_to_those_who_check_it() -> None:
    for odd in ({"base": {"data": 1}}, {"overrides": {"data.source": 3}}, {"reuse": None}, {}):
        assert places.relative(Path("/a/b"), odd) == odd == places.whole(Path("/a/b"), odd)


@pytest.fixture
def trial() -> dict[str, object]:
    return {
        "key": "k1", "campaign": "night", "status": "completed", "number": 0, "value": 1.0, "last_value": 1.0,
        "overrides": "{}", "config": "null", "objective": "val_bpb", "is_base": True, "attempt": 1, "budget": 9.0,
        "budget_unit": "steps", "seed": 1, "data": "x",
    }  # fmt: skip


def data_of(row: dict[str, object]) -> tuple[str, str]:
    return json.loads(str(row["config"]))["data"]["source"], json.loads(str(row["overrides"]))["data.source"]


def on_data(trial: dict[str, object], source: object) -> dict[str, object]:
    text = json.dumps(str(source))
    config = (
        f'{{"hooks": [{{"source": "/made/up"}}], "data": {{"source": {text}, "vocab_size": 1e+22}}, "\\u00e4": NaN}}'
    )
    return trial | {"config": config, "overrides": f'{{"data.source": {text}, "seed": 1}}'}


def test_a_trial_names_its_data_relative_to_the_folder_and_is_read_as_it_was(tmp_path, trial) -> None:
    folder, source = tmp_path / "runs" / "night", tmp_path / "texts" / "ä.txt"
    store = Store.create(folder, ASKED, {})
    store.write_trial(row := on_data(trial, source))
    (written,) = pd.read_parquet(folder / "trials").to_dict("records")
    assert data_of(written) == ("../../texts/ä.txt", "../../texts/ä.txt") and str(tmp_path) not in written["config"]
    (found,) = Store.open(folder).trials()
    assert (found["config"], found["overrides"]) == (row["config"], row["overrides"])
    store.write_trial(found)
    assert pd.read_parquet(folder / "trials").to_dict("records")[0]["config"] == written["config"]


def test_rows_follow_a_campaign_that_is_moved_compacted_or_renamed(tmp_path, trial) -> None:
    folder = tmp_path / "old" / "runs" / "night"
    Store.create(folder, ASKED, {}).write_trial(on_data(trial, tmp_path / "old" / "a.txt"))
    (tmp_path / "old").rename(tmp_path / "new")
    (tmp_path / "new" / "runs").rename(tmp_path / "new" / "deep")
    (tmp_path / "new" / "deep" / "night").rename(tmp_path / "new" / "deep" / "day")
    moved, there = Store.open(tmp_path / "new" / "deep" / "day"), str(tmp_path / "new" / "a.txt")
    assert data_of(moved.trials()[0]) == (there, there)
    assert moved.take_name() == 1 and data_of(moved.trials()[0]) == (there, there)
    moved.append_report({"key": "k1", "attempt": 1, "step": 9, "milestone": 9.0, "val_bpb": 1.0})
    compact(moved.folder, tmp_path / "kept")
    (written,) = pd.read_parquet(tmp_path / "kept" / "trials").to_dict("records")
    assert data_of(written) == ("../new/a.txt", "../new/a.txt")
    assert data_of(Store.open(tmp_path / "kept").trials()[0]) == (there, there)


@pytest.mark.parametrize("source", ["stdlib", "/elsewhere/a.txt", ".hidden", "no/such"])
def test_a_row_with_other_data_stays_as_it_is(source, tmp_path, trial) -> None:
    Store.create(tmp_path / "night", ASKED, {}).write_trial(row := on_data(trial, source))
    (written,) = pd.read_parquet(tmp_path / "night" / "trials").to_dict("records")
    (found,) = Store.open(tmp_path / "night").trials()
    assert data_of(written) == data_of(found) == (source, source)
    assert written["config"] == found["config"] == row["config"]


def test_a_row_from_before_rows_were_relative_is_read_as_it_is(tmp_path, trial, monkeypatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(row_places, "relative_cells", lambda folder, cells: cells)
        Store.create(tmp_path / "night", ASKED, {}).write_trial(on_data(trial, tmp_path / "a.txt"))
    (written,) = pd.read_parquet(tmp_path / "night" / "trials").to_dict("records")
    assert data_of(written) == data_of(Store.open(tmp_path / "night").trials()[0]) == (str(tmp_path / "a.txt"),) * 2


@pytest.mark.parametrize("config", ["null", '{"data": 1, "source": "/x"}', '{"data": {"source": ["/x"]}}', "{}"])
def test_a_config_of_another_form_is_left_to_those_who_check_it(config, tmp_path, trial) -> None:
    Store.create(tmp_path / "night", ASKED, {}).write_trial(trial | {"config": config})
    assert Store.open(tmp_path / "night").trials()[0]["config"] == config


def names_in(folder: Path) -> set[str]:
    return set(pd.read_parquet(folder / "trials")["campaign"])


def test_a_copied_or_renamed_campaign_is_under_its_folders_name(tmp_path, trial) -> None:
    Store.create(tmp_path / "night", ASKED, {}).write_trial(trial)
    shutil.copytree(tmp_path / "night", tmp_path / "copy")
    assert set(load(tmp_path / "copy").trials["campaign"]) == {"copy"}
    assert names_in(tmp_path / "copy") == {"night"}, "a reader changes nothing"

    copy = Store.open(tmp_path / "copy")
    copy.write_trial(trial | {"key": "k2", "campaign": "copy", "number": 1})
    assert {row["campaign"] for row in copy.trials()} == {"copy"}
    assert copy.take_name() == 1 and copy.take_name() == 0
    assert names_in(tmp_path / "copy") == {"copy"} and names_in(tmp_path / "night") == {"night"}

    (tmp_path / "night").rename(tmp_path / "day")
    Store.open(tmp_path / "day").append_report({"key": "k1", "attempt": 1, "step": 9, "milestone": 9.0, "val_bpb": 1.0})
    compact(tmp_path / "day", tmp_path / "kept")
    assert names_in(tmp_path / "kept") == {"kept"} == set(load(tmp_path / "kept").trials["campaign"])


def test_campaigns_that_are_kept_with_the_code_name_no_path_of_a_machine() -> None:
    recorded = Path(results.__file__).with_name("recorded")
    files = [*recorded.rglob("campaign.json"), *recorded.rglob("*.jsonl"), *recorded.rglob("*.txt")]
    assert len(files) >= 5
    assert not [file for file in files if re.search(r'["\s](/|[A-Z]:\\)\w', file.read_text(encoding="utf-8"))]
