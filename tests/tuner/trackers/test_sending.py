"""``python -m tuner.trackers``: a campaign that has been run is sent whole, in one process of the tracker's own."""

from __future__ import annotations

import pytest

from tests.tuner.trackers.test_outbox import WORKING
from tuner.trackers import __main__ as program


def test_a_campaign_that_has_been_run_is_sent_and_counted(bench, play, tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "trackio.py").write_text(WORKING)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("KEPT", str(tmp_path / "kept"))
    search = bench.search(trials=3)
    play(search).run()
    search.abandon()
    before = bench.rows()
    assert program.main([str(bench.folder), "--log", "trackio"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["log: trackio (project tuner)", "trackio has 3 runs of campaign"]
    assert said.err == "" and bench.rows() == before
    assert len((tmp_path / "kept").read_text().splitlines()) > 3


@pytest.mark.parametrize(
    ("source", "said"),
    [("import os\nos._exit(7)", "its process has ended with exit code 7"), ("1 / 0", "ZeroDivisionError")],
)
def test_a_tracker_that_fails_is_not_said_to_fail_beside_a_campaign_where_none_runs(
    bench, play, tmp_path, monkeypatch, capsys, source, said
) -> None:
    (tmp_path / "trackio.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    search = bench.search(trials=1)
    play(search).run()
    search.abandon()
    assert program.main([str(bench.folder), "--log", "trackio"]) == 1
    error = capsys.readouterr().err
    assert said in error and "Send it again" in error and "campaign goes on" not in error


def test_what_cannot_be_sent_is_one_line_and_code_2(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "trackio.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    for arguments, said in (
        (["nowhere", "--log", "trackio"], "nowhere"),
        (["nowhere", "--log", "trackyo"], "did you mean 'trackio'?"),
        (["nowhere", "--log", "trackio", "--log", "trackio:a"], "is given twice"),
    ):
        try:
            code = program.main([*arguments, "--results", str(tmp_path)])
        except SystemExit as ended:
            code = ended.code
        error = capsys.readouterr().err
        assert code == 2 and error.count("\n") == 1 and said in error
