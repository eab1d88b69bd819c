from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from storage.location import Url, absolute, argument, location


def test_a_path_stays_a_path_and_a_url_has_the_names_that_a_path_has() -> None:
    assert location("runs/a") == Path("runs/a") and location("file:///tmp/a") == Path("/tmp/a")
    place = location("s3://bucket//runs/night/")
    assert isinstance(place, Url) and str(place) == "s3://bucket/runs/night" and place.scheme == "s3"
    assert str(place / "trials" / "k.parquet") == "s3://bucket/runs/night/trials/k.parquet"
    assert (place.name, str(place.parent), str(place.with_name("day"))) == (
        "night",
        "s3://bucket/runs",
        "s3://bucket/runs/day",
    )
    bucket = location("s3://bucket/")
    assert (bucket.name, bucket.parent, str(bucket / "a")) == ("", bucket, "s3://bucket/a")


def test_an_absolute_name_is_understood_from_anywhere(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute(Path("runs")) == str(tmp_path / "runs")
    assert absolute(location("s3://bucket/runs")) == "s3://bucket/runs"


def test_an_account_in_an_azure_url_is_no_secret() -> None:
    url = "abfs://container@account.dfs.core.windows.net/runs"
    assert str(location(url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:hidden@bucket/runs",
        "s3://bucket/runs?secret_key=hidden",
        "abfs://c@a.dfs.core.windows.net/runs?sig=hidden",
        "s3://bucket/runs#hidden",
    ],
)
def test_a_url_with_a_secret_is_refused_without_repeating_it(url) -> None:
    with pytest.raises(ValueError, match="must hold no credentials and no query") as error:
        location(url)
    assert "hidden" not in str(error.value)
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        argument(url)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(("url", "why"), [("s3:///runs", "names no bucket"), ("s3://bucket/../other", "must not hold")])
def test_a_url_that_names_no_place_is_refused(url, why) -> None:
    with pytest.raises(ValueError, match=why):
        location(url)


def test_a_loop_of_links_is_a_place_all_the_same(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    assert absolute(location("loop")) == str(tmp_path / "loop"), "whoever opens it says what is wrong"
    assert absolute(location("loop/..")).startswith(str(tmp_path))
