"""A campaign in an object store: killed, resumed, watched, reused. Its rows must be those of the same one on a disk."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pandas as pd
import pytest

from results import Store, load
from results.compact import compact
from results.store.campaigns import CAMPAIGN, campaigns
from results.store.find import latest
from results.store.names import campaign_folder
from storage import files, inside
from storage.location import location
from trainable.worker.attempt import STOP_FILE
from tuner import run, start, status
from tuner.cli import options
from tuner.cluster import nodes
from tuner.cluster.placement import Node
from tuner.proposals.reuse import Library

TIMES = {"started_at", "ended_at", "campaign"}


@pytest.fixture
def in_memory(make_bench):
    """A bench whose folder is in fsspec's memory."""
    bench = make_bench()
    bench.folder = location(f"memory://{uuid.uuid4().hex}/runs/night")
    return bench


def ended_after_a_kill_and_an_interruption(bench, play) -> list[dict]:
    """Three starts: killed without a word, interrupted, and run to the end."""
    play(bench.search(trials=12, slots=3), seed=1, checkpoint_chance=0.6).run(25)
    search = bench.search(trials=12, slots=3)
    tune = play(search, seed=2, checkpoint_chance=0.6).run(8)
    search.stop("interrupted")
    tune.run()
    search.abandon()
    last = play(bench.search(trials=12, slots=3), seed=3, checkpoint_chance=0.6).run()
    assert last.resumed, "a trial went on from its checkpoint"
    last.search.abandon()
    return [{name: value for name, value in row.items() if name not in TIMES} for row in bench.rows()]


def test_sampler_rungs_and_checkpoints_survive_as_on_a_disk(bench, in_memory, play) -> None:
    expected = ended_after_a_kill_and_an_interruption(bench, play)
    found = ended_after_a_kill_and_an_interruption(in_memory, play)
    assert found == expected
    assert {row["status"] for row in found} >= {"completed", "stopped"}
    resumed = [b.search(trials=12).proposals.sampler.study.trials for b in (bench, in_memory)]
    studies = [[(t.state, t.params, t.values) for t in trials] for trials in resumed]
    assert studies[0] == studies[1] and len(studies[0]) == len(expected)


def test_nothing_but_rows_is_left_and_what_is_written_holds_no_secret(in_memory, play, monkeypatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
    ended_after_a_kill_and_an_interruption(in_memory, play)
    folder = in_memory.folder
    assert files.names(folder / "checkpoints") == files.names(folder / "stalls") == []
    assert not files.exists(folder / STOP_FILE)
    assert b"made-up-secret" not in files.read(folder / CAMPAIGN)


def test_it_is_read_watched_reused_listed_and_compacted_by_its_url(in_memory, play) -> None:
    ended_after_a_kill_and_an_interruption(in_memory, play)
    folder = in_memory.folder
    results = load(str(folder))
    assert len(results.trials) == len(in_memory.rows()) and len(results.reports) > len(results.trials) / 2
    assert len(pd.read_parquet(f"{folder}/trials")) == len(results.trials)
    lines = status.status(folder, datetime.now(UTC))
    assert lines[0].startswith("campaign: night, space toy") and lines[1].startswith("driver: none")
    assert len(Library([folder])) > 0
    assert campaigns(folder.parent) == [folder] and latest(folder.parent, "resume") == folder
    assert start.usable_campaign(location("runs"), str(folder)) == folder
    target = location(f"memory://{uuid.uuid4().hex}/kept")
    assert compact(folder, target) > 0 and len(load(target).trials) == len(results.trials)
    with pytest.raises(ValueError, match="exists already"):
        compact(folder, target)


def test_a_damaged_row_is_set_aside_and_an_unreachable_store_is_not_taken_for_damage(
    in_memory, play, monkeypatch
) -> None:
    play(in_memory.search(trials=3)).run()
    folder, key = in_memory.folder, in_memory.base_key
    whole = files.read(folder / "trials" / "part-000000.parquet")
    inside.write(folder, "trials/part-000000.parquet", whole[:-9])
    aside: list[str] = []
    Store.open(folder).set_damaged_aside(lambda path, why: aside.append(path.name))
    assert aside == ["part-000000.parquet"] * 2  # its rows, and with them their reports
    assert key not in [row["key"] for row in in_memory.rows()]

    before = files.names(folder / "trials")
    read = files.read

    def cut_off(path, most_bytes=None):
        if path.name.endswith(".parquet"):
            raise OSError(f"{path}: timed out")
        return read(path, most_bytes)

    monkeypatch.setattr(files, "read", cut_off)
    with pytest.raises(OSError, match="timed out"):
        Store.open(folder).set_damaged_aside(lambda path, why: aside.append(path.name))
    assert len(aside) == 2 and files.names(folder / "trials") == before


def test_each_node_is_asked_whether_it_sees_the_bucket(monkeypatch, dataset) -> None:
    monkeypatch.setattr(nodes, "prepare", lambda config, train_tokens_needed=None: dataset)
    results = location(f"memory://{uuid.uuid4().hex}/runs")
    found = [Node("1", "head", 0, 0.0)]
    ask = lambda _, question: [nodes.answer(*question)]  # noqa: E731
    assert nodes.check(found, results, None, "made-up", None, ask) == {"1": nodes.processor()}
    assert files.names(results) == []

    def elsewhere(_, question):
        inside.remove(location(question[0]).parent, location(question[0]).name)
        return [nodes.answer(*question)]

    with pytest.raises(ValueError, match=r"--results 'memory://.*' is not shared"):
        nodes.check(found, results, None, "made-up", None, elsewhere)


@pytest.mark.parametrize("option", ["--results", "--reuse"])
def test_a_url_with_a_secret_is_refused_by_the_command_line_in_one_line(option, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        options.parse(["--space", "parameter_golf", option, "s3://key:hidden@bucket/runs"])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.count("\n") == 1 and "hidden" not in error and "environment" in error


def test_a_bucket_that_is_not_there_is_one_line_and_exit_code_2(bucket, capsys) -> None:
    url = "s3://elsewhere/runs"
    for arguments in (["--space", "parameter_golf", "--results", url, "--no-audit"], ["--resume", f"{url}/night"]):
        assert run.main(arguments) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "s3://elsewhere/runs cannot be used" in error and "NO_SUCH_BUCKET" in error


def test_the_folder_of_a_campaign_is_below_that_of_all() -> None:
    assert str(campaign_folder(location("s3://bucket/runs"), "night")) == "s3://bucket/runs/night"
