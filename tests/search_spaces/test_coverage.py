"""Coverage: what it counts, what it calls a failure, and that it looks at every row. Nothing big is trained here."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

import search_spaces
from search_spaces import coverage, recorded
from search_spaces.coverage import TrainingOutcome
from trainable.component_json import canonical_json
from trainable.component_paths import with_values
from trainable.config import Budget
from trainable.schedules import Phases

GOOD = TrainingOutcome(parameters=10, graphs=1, train_loss=6.5, val_loss=6.6)


@pytest.fixture
def untrained(monkeypatch):
    """Coverage without its training: every config's outcome is ``GOOD``, or what is given for its recorded id."""

    def outcomes(configs, jobs, backend, journal):
        return dict.fromkeys(configs, GOOD)

    monkeypatch.setattr(coverage, "train_all", outcomes)


def test_a_run_is_compressed_with_all_that_happens_in_it(tiny):
    config = with_values(
        tiny,
        {
            "budget.steps": 240,
            "horizon.steps": 400,
            "hooks.ControlledBurn.every_steps": 96,
            "hooks.MutationDecay.after_step": 20,
            "optimizer.muon_ns_steps": 5,
        },
    )
    short = coverage.compressed(config, 5)
    assert (short.budget, short.horizon) == (Budget(steps=5), Budget(steps=9))
    assert (short.hooks[0].every_steps, short.hooks[1].after_step) == (2, 1)
    assert short.optimizer == config.optimizer
    assert (short.model, short.data) == (config.model, config.data)


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        (Budget(steps=7), 7),
        (Budget(tokens=640), 10),
        (
            Budget(param_data_ratio=1.0),
            (2 * 7168 + 260 * 32) / 64,
        ),  # two layers' matrices and the table, 64 tokens a step
    ],
)
def test_budgets_in_other_units_are_counted_in_steps(budget, steps, tiny):
    assert coverage.in_steps(budget, tiny) == pytest.approx(steps, rel=0.01)


def test_a_budget_of_seconds_is_refused(tiny):
    with pytest.raises(ValueError, match="seconds"):
        coverage.in_steps(Budget(seconds=1.0), tiny)


def test_a_training_is_judged_by_its_end_its_losses_and_its_graphs():
    assert coverage.judged(GOOD, "completed").problem == ""
    assert coverage.judged(GOOD, "diverged").problem == "ended as diverged"
    assert coverage.judged(replace(GOOD, train_loss=float("nan")), "completed").problem == "a loss is not finite"
    assert coverage.judged(replace(GOOD, val_loss=float("inf")), "completed").problem == "a loss is not finite"
    assert coverage.judged(replace(GOOD, graphs=2), "completed").problem == "2 graphs"
    assert coverage.judged(replace(GOOD, graphs=0), "completed").problem == "0 graphs"


@pytest.mark.filterwarnings("ignore")  # the tracer's own
def test_graphs_are_counted_where_they_run_whether_compiled_now_or_before():
    def double(x):
        return x * 2

    torch._dynamo.reset()
    with coverage.counted_graphs("eager") as used:
        torch.compile(double, dynamic=False)(torch.ones(2))
    assert len(used) == 1
    with coverage.counted_graphs("eager") as used:  # a shape seen before and a new one
        compiled = torch.compile(double, dynamic=False)
        compiled(torch.ones(2))
        assert len(used) == 1
        compiled(torch.ones(3))
    assert len(used) == 2
    assert torch.compiler.get_default_backend() == "inductor"
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore")
def test_a_config_is_trained_by_the_real_loop(tiny, dataset, monkeypatch):
    monkeypatch.setattr(coverage, "dataset", lambda config: dataset)
    outcome = coverage.attempt(canonical_json(coverage.compressed(tiny, 2)), "eager")
    assert (outcome.problem, outcome.graphs) == ("", 1)
    assert 4 < outcome.train_loss < 7 and 4 < outcome.val_loss < 7


def test_whatever_a_component_raises_is_the_problem_of_its_row(tiny, dataset, monkeypatch):
    def fail(*_):
        raise RuntimeError("no such kernel\nand more")

    monkeypatch.setattr(coverage, "dataset", lambda config: dataset)
    monkeypatch.setattr(coverage, "train", fail)
    assert coverage.attempt(canonical_json(tiny)).problem == "RuntimeError: no such kernel"
    assert "cosin" in coverage.attempt(json.dumps({"type": "cosin"})).problem


@pytest.mark.parametrize("name", search_spaces.names())
def test_every_row_that_has_a_config_is_covered_in_both_readings(name, untrained, capsys):
    runs = [run for run in recorded.load(search_spaces.load(name)) if run.base is not None]
    assert coverage.main(["--space", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{len(runs)} rows, {len(runs)} passed"
    assert [line.split(" | ")[1] for line in lines[2:-2]] == [run.id for run in runs]
    assert all(line.count("1, 6.500 / 6.600") == 2 for line in lines[2:-2])


def test_one_row_that_fails_fails_the_command(untrained, capsys, monkeypatch):
    def outcomes(configs, jobs, backend, journal):
        failed = replace(GOOD, problem="2 graphs")
        return {key: failed if isinstance(c.schedule, Phases) else GOOD for key, c in configs.items()}

    monkeypatch.setattr(coverage, "train_all", outcomes)
    assert coverage.main(["--space", "parameter_golf"]) == 1
    out = capsys.readouterr().out
    assert out.endswith("131 rows, 127 passed\n")
    failed = [line.split(" | ")[1] for line in out.splitlines() if "FAILED" in line]
    assert failed == ["W1", "W2", "W3", "W6"]


def test_a_row_that_does_not_resolve_is_shown_and_fails(untrained, capsys, monkeypatch):
    run = next(iter(recorded.load(search_spaces.load("ngpt"))))
    broken = replace(run, overrides_as_run={"model.num_layer": 2})
    monkeypatch.setattr(coverage.recorded, "read", lambda path: {run.id: broken})
    assert coverage.main(["--space", "ngpt"]) == 1
    assert "num_layer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--space", "parameter_gulf"], "parameter_golf"), (["--space", "parameter_golf", "--only", "H11"], "'H1'")],
)
def test_a_name_that_does_not_exist_is_refused_with_the_nearest(arguments, message, capsys):
    assert coverage.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_sample_of_the_rows_can_be_covered_and_trains_no_other(monkeypatch, capsys):
    trained = {}

    def outcomes(configs, jobs, backend, journal):
        trained.update(configs)
        return dict.fromkeys(configs, GOOD)

    monkeypatch.setattr(coverage, "train_all", outcomes)
    assert coverage.main(["--space", "ngpt", "--every", "6", "--backend", "inductor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    runs = recorded.load(search_spaces.load("ngpt"))
    assert lines[-1] == "4 rows, 4 passed"
    assert [line.split(" | ")[1] for line in lines[2:-2]] == [run.id for run in runs[::6]]
    assert 4 <= len(trained) <= 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--every", "0"], "'0' is not a whole number"), (["--every", "2", "--write", "x.md"], "has every row")],
)
def test_a_sample_that_makes_no_sense_is_one_clear_line(arguments, message, capsys):
    try:
        code = coverage.main(["--space", "ngpt", *arguments])
    except SystemExit as end:
        code = end.code
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.fixture
def attempts(monkeypatch) -> list[tuple[int, str]]:
    """What would have been trained, as (steps, backend), in order: configs of three steps fail."""
    made: list[tuple[int, str]] = []

    def attempt(text, backend):
        steps = coverage.decode_config(text).budget.steps
        made.append((steps, backend))
        return TrainingOutcome(problem="3 graphs") if steps == 3 else GOOD

    monkeypatch.setattr(coverage, "attempt", attempt)
    monkeypatch.setattr(coverage, "dataset", lambda config: None)
    return made


def test_what_passed_by_the_journal_is_not_trained_again_and_what_failed_is(tiny, attempts, tmp_path, capsys):
    configs = {f"{n} steps": replace(tiny, budget=Budget(steps=n)) for n in (2, 3, 4)}
    journal = tmp_path / "journal.jsonl"
    first = coverage.train_all({key: configs[key] for key in ("2 steps", "3 steps")}, 1, "eager", journal)
    assert attempts == [(2, "eager"), (3, "eager")]
    attempts.clear()
    again = coverage.train_all(configs, 1, "eager", journal)
    assert attempts == [(3, "eager"), (4, "eager")]
    failed = again.pop("3 steps")  # by its problem: its losses are NaN, which Python 3.13 compares as such
    assert again == {"2 steps": GOOD, "4 steps": GOOD} and first["2 steps"] == GOOD
    assert failed.problem == first["3 steps"].problem == "3 graphs"
    assert "3 steps: 3 graphs" in capsys.readouterr().err


def test_a_journal_of_another_backend_says_nothing_and_without_one_everything_is_trained(tiny, attempts, tmp_path):
    configs = {"2 steps": replace(tiny, budget=Budget(steps=2))}
    journal = tmp_path / "journal.jsonl"
    for backend in ("eager", "inductor", "eager", "inductor"):
        assert coverage.train_all(configs, 1, backend, journal) == {"2 steps": GOOD}
    assert attempts == [(2, "eager"), (2, "inductor")]
    coverage.train_all(configs, 1, "eager")
    assert len(attempts) == 3 and len(journal.read_text().splitlines()) == 2


def test_outcomes_are_in_the_journal_as_they_come_in(tiny, attempts, tmp_path, monkeypatch):
    """A process that is stopped loses only what was under way."""
    configs = {f"{n} steps": replace(tiny, budget=Budget(steps=n)) for n in (2, 4)}
    trained = coverage.attempt

    def interrupted(text, backend):
        if attempts:
            raise KeyboardInterrupt
        return trained(text, backend)

    journal = tmp_path / "journal.jsonl"
    monkeypatch.setattr(coverage, "attempt", interrupted)
    with pytest.raises(KeyboardInterrupt):
        coverage.train_all(configs, 1, "eager", journal)
    assert coverage.passed_before(journal, "eager") == {"2 steps": GOOD}


def test_the_table_can_be_written_too(untrained, tmp_path, capsys):
    path = tmp_path / "coverage.md"
    assert coverage.main(["--space", "ngpt", "--write", str(path)]) == 0
    text = path.read_text()
    assert text.startswith("# Coverage") and text.rstrip().endswith("20 rows, 20 passed")
    assert capsys.readouterr().out.splitlines()[2] in text
