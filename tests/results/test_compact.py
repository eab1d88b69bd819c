"""A compacted campaign reads like the one it was made of, and is not resumed."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from results import Store, load
from results.compact import compact, main
from results.statistics.leaderboard import leaderboard
from storage import inside

Row = dict[str, Any]


@pytest.fixture
def finished(campaign: Path, make_trial: Callable[..., Row]) -> Path:
    """The made-up campaign with its running trial ended, and with names that mean nothing elsewhere."""
    row = make_trial(7, "crashed", reason="out of memory", worker="host:12", checkpoint="checkpoints/7")
    Store.open(campaign).write_trial(row)
    return campaign


def test_a_compacted_campaign_reads_the_same(finished: Path, tmp_path: Path) -> None:
    compact(finished, tmp_path / "kept")
    before, after = load(finished), load(tmp_path / "kept")
    left_out = ["worker", "checkpoint", "campaign"]  # the last is the folder's name
    pd.testing.assert_frame_equal(after.trials.drop(columns=left_out), before.trials.drop(columns=left_out))
    assert set(after.trials["campaign"]) == {"kept"} and set(before.trials["campaign"]) == {finished.name}
    pd.testing.assert_frame_equal(after.reports, before.reports)
    pd.testing.assert_frame_equal(
        leaderboard(after.trials)[["key", "rank"]], leaderboard(before.trials)[["key", "rank"]]
    )
    assert after.campaign == before.campaign | {"compacted": True}
    assert Store.open(tmp_path / "kept").reports(f"{3:016x}") == Store.open(finished).reports(f"{3:016x}") != []


@pytest.mark.parametrize("trials", [0, 1])
def test_a_campaign_without_a_report_or_a_trial_reads_the_same(
    store: Store, tmp_path: Path, make_trial: Callable[..., Row], trials: int
) -> None:
    for number in range(trials):
        store.write_trial(make_trial(number, "completed", 1.0))
    compact(store.folder, tmp_path / "kept")
    found = load(tmp_path / "kept")
    assert (len(found.trials), len(found.reports)) == (trials, 0)
    assert list(found.reports.columns) == list(load(store.folder).reports.columns)
    assert len(pd.read_parquet(tmp_path / "kept" / "reports")) == 0


def test_it_is_one_file_a_dataset_that_pandas_opens(finished: Path, tmp_path: Path) -> None:
    compact(finished, tmp_path / "kept")
    files = sorted(str(path.relative_to(tmp_path / "kept")) for path in (tmp_path / "kept").rglob("*.*"))
    assert files == ["campaign.json", "reports/part-0.parquet", "trials/part-0.parquet"]
    assert len(pd.read_parquet(tmp_path / "kept" / "trials")) == 8
    assert (pq.read_schema(tmp_path / "kept" / files[2]).field("val_bpb").metadata or {})[b"unit"] == b"bits/byte"


def test_names_of_workers_and_paths_of_checkpoints_are_left_out(finished: Path, tmp_path: Path) -> None:
    assert load(finished).trials["worker"].notna().any()
    compact(finished, tmp_path / "kept")
    assert load(tmp_path / "kept").trials[["worker", "checkpoint"]].isna().all(axis=None)


def test_a_compacted_campaign_can_be_compacted_again(finished: Path, tmp_path: Path) -> None:
    for source, target in ((finished, "a/kept"), (tmp_path / "a" / "kept", "b/kept")):
        compact(source, tmp_path / target)
    for file in ("campaign.json", "trials/part-0.parquet", "reports/part-0.parquet"):
        assert (tmp_path / "b" / "kept" / file).read_bytes() == (tmp_path / "a" / "kept" / file).read_bytes()


def test_a_compacted_campaign_is_not_gone_on_with(
    finished: Path, tmp_path: Path, make_trial: Callable[..., Row]
) -> None:
    compact(finished, tmp_path / "kept")
    with pytest.raises(ValueError, match="kept is compacted: it can be read, but not resumed"):
        Store.open(tmp_path / "kept").set_damaged_aside(lambda path, why: None)
    with pytest.raises(ValueError, match="is compacted"):
        Store.open(tmp_path / "kept").write_trial(make_trial(9, "completed", 1.0))


@pytest.mark.parametrize("dataset", ["trials", "reports"])
def test_a_compacted_campaign_that_was_not_copied_whole_is_refused(finished: Path, tmp_path: Path, dataset) -> None:
    compact(finished, tmp_path / "kept")
    shutil.rmtree(tmp_path / "kept" / dataset)
    with pytest.raises(ValueError, match=f"is compacted but holds no {dataset}: it was not copied whole"):
        load(tmp_path / "kept")


def test_a_column_that_is_newer_than_a_file_is_null(finished: Path, tmp_path: Path) -> None:
    compact(finished, tmp_path / "kept")
    path = tmp_path / "kept" / "trials" / "part-0.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["val_loss_quantised", "artifact_bytes"]), path)
    after, before = load(tmp_path / "kept").trials, load(finished).trials
    assert after.columns.tolist() == before.columns.tolist()
    assert after["artifact_bytes"].isna().all() and after["artifact_bytes"].dtype == before["artifact_bytes"].dtype
    assert after["value"].equals(before["value"])


def test_what_cannot_be_compacted_is_one_line(
    campaign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used = tmp_path / "used"
    used.mkdir()
    (used / "note.txt").touch()
    for source, target, message in (
        (campaign, tmp_path / "kept", "has 1 run not ended yet"),
        (tmp_path / "nothing", tmp_path / "kept", "is no campaign"),
        (campaign, used, "used exists already"),
        (campaign, tmp_path / "a b", "campaign name 'a b' must begin"),
    ):
        assert main([str(source), str(target)]) == 2
        printed = capsys.readouterr()
        assert message in printed.err and printed.err.count("\n") == 1
    assert not (tmp_path / "kept").exists()


def test_the_command_says_how_large_it_became(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(finished), str(tmp_path / "kept")]) == 0
    assert capsys.readouterr().out.endswith("bytes in 3 files, without the training curves\n")
    assert json.loads((tmp_path / "kept" / "campaign.json").read_text())["space"] == "parameter_golf"


def test_a_full_disk_leaves_nothing_and_the_command_works_again(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = inside.write

    def full(folder: Path, name: str, content: bytes, **how: Any) -> None:
        if name.startswith("reports/"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(folder, name, content, **how)

    monkeypatch.setattr(inside, "write", full)
    assert main([str(finished), str(tmp_path / "kept")]) == 1
    assert (
        capsys.readouterr().err == f"python -m results.compact: not written: {tmp_path}/kept: No space left on device\n"
    )
    assert not (tmp_path / "kept").exists()
    monkeypatch.setattr(inside, "write", real)
    assert main([str(finished), str(tmp_path / "kept")]) == 0
