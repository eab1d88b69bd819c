"""Names of campaigns at a larger scale, and which folders are a search's."""

from __future__ import annotations

import pytest

from results.store.campaign_folder import Store
from results.store.larger import campaigns_at, free_name, name_at


def made(folder, scale="full", search="night"):
    carried = {"campaign": search, "scale": "proxy", "trials": [{"number": 1, "values": {}, "value": 1.0}]}
    return Store.create(folder, {"space": "s", "scale": scale, "objective": "val_bpb", "carried": carried}, {})


def test_the_campaigns_of_a_search_are_found_by_its_name_oldest_first(tmp_path) -> None:
    search = tmp_path / "night"
    assert campaigns_at(search, "full") == [] and free_name(search, "full") == "night-at-full"
    for name in ("night-at-full", "night-at-full-2", "night-at-replay"):
        made(tmp_path / name, scale=name.split("-")[2])
    assert [store.folder.name for store in campaigns_at(search, "full")] == ["night-at-full", "night-at-full-2"]
    assert free_name(search, "full") == "night-at-full-3"


def test_a_folder_of_that_name_which_is_another_searchs_is_passed_by(tmp_path) -> None:
    made(tmp_path / "night-at-full", search="day")
    made(tmp_path / "night-at-full-2")
    assert [store.folder.name for store in campaigns_at(tmp_path / "night", "full")] == ["night-at-full-2"]


def test_the_name_of_a_scale_that_is_none_of_a_file_is_made_one() -> None:
    assert name_at("night", "one half/of it") == "night-at-one_half_of_it"


def test_a_campaign_that_says_something_wrong_of_what_it_carries_cannot_be_read(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"carried\.campaign is '\.\./x' but must"):
        made(tmp_path / "night-at-full", search="../x")
