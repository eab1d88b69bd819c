"""A worker that was cut off goes on writing while its trial runs elsewhere, has ended, or the whole campaign has."""

from __future__ import annotations

from results import Store
from trainable.worker.attempt import folder_of
from tuner.campaign.trial_files import TrialFiles

ON_A_DEAD_NODE = "The actor died because its node has died. Node Id: 1 (made up)\n"


def test_a_late_writer_changes_nothing_in_a_search_and_leaves_nothing(bench, result_of) -> None:
    search = bench.search(trials=1)
    first = search.next()
    search.start(first.key)
    cut_off = first.begun()
    cut_off.save({"position": 50})
    search.die(first.key, ON_A_DEAD_NODE)

    second = search.next()
    assert (second.attempt, second.checkpoints) == (2, ["a1-1.safetensors"])
    search.start(second.key)
    cut_off.save({"position": 60})
    search.die(second.key, ON_A_DEAD_NODE)
    third = search.next()
    assert (third.attempt, third.checkpoints) == (3, ["a1-1.safetensors"]), "what was there when the second began"
    search.start(third.key)
    result = result_of(bench.base, 240.0, 1.5, "completed")
    search.report(third.key, result)
    search.end(third.key, result)
    assert not folder_of(bench.folder, first.key).exists() and not cut_off.in_force()

    cut_off.save({"position": 70})
    search.abandon()
    assert list((bench.folder / "checkpoints").iterdir()) == []
    before = bench.rows()
    cut_off.save({"position": 80})
    assert bench.search(trials=1).exhausted and bench.rows() == before
    assert list((bench.folder / "checkpoints").iterdir()) == []


def test_an_attempt_that_no_row_tells_of_is_not_taken_for_the_next(bench) -> None:
    """The driver died between putting it in force and writing down that it began."""
    search = bench.search(trials=1)
    search.start(search.next().key)
    search.die(bench.base_key, ON_A_DEAD_NODE)
    assert search.next().attempt == 2
    assert bench.search(trials=1).next().attempt == 3


def test_what_killed_writers_left_is_removed_and_nothing_else(bench) -> None:
    search = bench.search(trials=2)
    first = search.next()
    search.start(first.key)
    first.begun().save({"position": 50})
    files = ["checkpoints/{0}/a1-1.safetensors", "checkpoints/{0}/attempt.json", "trials/{0}.parquet"]
    files += [
        "trials/0-empty.parquet",
        "reports/{0}.parquet",
        "curves/{0}.parquet",
        "errors/{0}.txt",
        "campaign.json",
        "optuna.journal",
    ]
    ours = [bench.folder / file.format(first.key) for file in files]
    theirs = [bench.folder / "trials" / "notes.txt", bench.folder / "checkpoints" / first.key / "my.safetensors"]
    (bench.folder / "errors").mkdir(exist_ok=True)
    before = {path for path in bench.folder.rglob("*") if path.is_file()}
    for file in (*ours, *theirs):
        file.with_name(f".{file.name}.0123abcd").write_bytes(b"half")
    Store.open(bench.folder).remove_half_written()
    TrialFiles(bench.folder).remove_half_written()
    left = {path for path in bench.folder.rglob("*") if path.is_file()} - before
    assert left == {file.with_name(f".{file.name}.0123abcd") for file in theirs}
    assert before <= {path for path in bench.folder.rglob("*") if path.is_file()}


def test_the_text_of_an_error_is_kept_whole_also_where_it_is_no_text(tmp_path) -> None:
    TrialFiles(tmp_path).crashed("k", "a\udc80b\nlast")
    assert (tmp_path / "errors" / "k.txt").read_text() == "a?b\nlast"
