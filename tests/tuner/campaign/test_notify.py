"""What a command of ``--notify`` is told, and that nothing of it touches the campaign."""

from __future__ import annotations

import io
import os
import shlex
import signal
import time

import pytest

from results.design import Design
from terminal.console import Console
from tuner.campaign import notify
from tuner.campaign.endings import EndedEarlyError
from tuner.campaign.notify import BELL, notifying, told
from tuner.python.arguments import options_given


def console(terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal)


def writes(path) -> str:
    """A command that writes what it is told."""
    return f"env | grep ^TUNER_ > {shlex.quote(str(path))}"


def ran(path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_a_command_gets_the_exit_code_the_campaign_and_its_verdict(bench, play, tmp_path) -> None:
    play(bench.search(trials=3, stopper="none")).run()
    out = tmp_path / "a file"
    with notifying(console(), writes(out)) as notice:
        notice.store, notice.code = bench.store(), 1
    found = ran(out)
    best = min((row for row in bench.rows() if row["value"] is not None), key=lambda row: row["value"])
    assert found["TUNER_EXIT_CODE"] == "1" and found["TUNER_CAMPAIGN"] == bench.folder.name
    assert found["TUNER_FOLDER"] == str(bench.folder) and found["TUNER_WINNER"] == found["TUNER_DIFFERENCE"] == ""
    assert found["TUNER_VERDICT"] == (
        f"not confirmed: trial {best['number']} has the lowest val_bpb, {best['value']:.4f}"
    )


def test_a_winner_is_named_with_its_difference_and_interval(bench, play) -> None:
    search = bench.search(trials=6, stopper="none", confirm=Design(2, 3, 3))
    play(search).run()
    found = told(bench.store(), 0)
    winner = search.confirmation.round.judgement.winner
    if winner is None:
        assert found["TUNER_VERDICT"] == "not established: no candidate is better than the base"
        assert found["TUNER_WINNER"] == ""
        return
    number = next(str(row["number"]) for row in bench.rows() if row["key"] == winner.arm)
    assert found["TUNER_WINNER"] == number
    assert float(found["TUNER_DIFFERENCE"]) == pytest.approx(winner.difference, rel=1e-5)
    assert found["TUNER_VERDICT"].startswith(f"established: trial {number} is better than the base, -")


def test_a_confirmation_that_was_ended_is_not_decided(bench, play) -> None:
    search = bench.search(trials=4, slots=1, stopper="none", confirm=Design(2, 3, 3))
    tune = play(search)
    while sum(row["stage"] == "confirm" and row["status"] == "completed" for row in bench.rows()) < 4:
        tune.step()
    assert told(bench.store(), 130)["TUNER_VERDICT"] == "not decided"


def test_a_campaign_without_a_completed_trial_says_so(bench) -> None:
    assert told(bench.store(), 1)["TUNER_VERDICT"] == "no trial completed"


@pytest.mark.parametrize(
    ("error", "code"),
    [(EndedEarlyError("Ray has died", 7), 7), (KeyboardInterrupt(), 130), (OSError(), 1), (ValueError(), 2)],
)
def test_a_campaign_that_fails_is_told_with_its_exit_code(bench, tmp_path, error, code) -> None:
    out = tmp_path / "told"
    with pytest.raises(type(error)), notifying(console(), writes(out)) as notice:
        notice.store = bench.store()
        raise error
    assert ran(out)["TUNER_EXIT_CODE"] == str(code)


def test_nothing_is_run_before_a_campaign_has_begun(tmp_path) -> None:
    with pytest.raises(ValueError), notifying(console(), writes(tmp_path / "told")):
        raise ValueError("bad input")
    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "--notify: the command ended with exit code 3"),
        ("echo one >&2; echo 'no \033[31mmail' >&2; exit 1", "with exit code 1: no \\x1b[31mmail"),
        ("kill -9 $$", "--notify: the command ended with signal 9"),
        ("nonesuch-of-tuner", "exit code 127: "),
    ],
)
def test_a_command_that_fails_is_one_line_and_changes_nothing(bench, capfd, command, said) -> None:
    with notifying(console(), command) as notice:
        notice.store = bench.store()
    error = capfd.readouterr().err
    assert notice.code == 0 and error.count("\n") == 1 and said in error


def test_a_command_that_succeeds_says_what_it_likes_on_stdout_only(bench, capfd) -> None:
    with notifying(console(), "echo hello; echo careful >&2") as notice:
        notice.store = bench.store()
    assert capfd.readouterr() == ("hello\n", "")


def test_a_command_that_takes_too_long_is_ended_with_all_it_has_started(bench, tmp_path, capfd) -> None:
    child = tmp_path / "child"
    command = f"sleep 600 & echo $! > {shlex.quote(str(child))}; wait"
    notify.notify(console(), command, bench.store(), 0, seconds=0.5)
    assert "took over 0.5 s, and was ended" in capfd.readouterr().err
    number = int(child.read_text())
    for _ in range(100):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return
        with open(f"/proc/{number}/stat") as state:
            if state.read().split()[2] == "Z":  # ended; nobody has asked for its exit code
                return
        time.sleep(0.1)
    os.kill(number, signal.SIGKILL)
    raise AssertionError("it still runs")


def test_a_hostile_folder_is_data(make_bench, tmp_path) -> None:
    folder, out = tmp_path / "a; touch owned $(touch owned)", tmp_path / "told"
    folder.mkdir()
    with notifying(console(), writes(out)) as notice:
        notice.store = make_bench(f"{folder.name}/night").store()
    assert ran(out)["TUNER_FOLDER"] == str(folder / "night") and not list(tmp_path.rglob("owned"))


def test_the_bell_rings_on_a_terminal_and_elsewhere_says_that_it_cannot(bench, capfd) -> None:
    rings, silent = console(terminal=True), console()
    for each in (rings, silent):
        with notifying(each, BELL) as notice:
            notice.store = bench.store()
    assert rings.file.getvalue() == "\a" and silent.file.getvalue() == ""
    assert capfd.readouterr().err.endswith("--notify bell: standard output is no terminal, which would ring\n")


def test_storage_that_fails_is_a_verdict_too(bench, monkeypatch) -> None:
    store = bench.store()
    monkeypatch.setattr(store, "trials", lambda: (_ for _ in ()).throw(OSError("no route")))
    assert told(store, 1)["TUNER_VERDICT"] == "not known: no route"


@pytest.mark.parametrize("value", ["", "  ", "a\0b", "x" * 10_001])
def test_what_is_no_line_of_shell_is_refused_in_one_line(value) -> None:
    with pytest.raises(ValueError, match="is no line of shell: 1 to 10,000 characters"):
        options_given("a search", "search", {"notify": value})
