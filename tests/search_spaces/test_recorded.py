"""Recorded runs: what a row must be, both readings, and that the campaigns' facts came through unharmed."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

import search_spaces
from search_spaces import recorded
from search_spaces.recorded import RecordedRun
from search_spaces.space import Scale, Space
from tests.hooks_of_scripts import PARAMETER_GOLF, SCRIPTS
from trainable.component import component
from trainable.component_paths import with_values
from trainable.config import Budget, TrainConfig
from trainable.models.gpt import GPT
from trainable.schedules import Cosine, Tidal

HEADER = "id,phase,name,base,overrides_as_logged,overrides_as_run,val_bpb,steps,status,note"
FULL = TrainConfig(budget=Budget(steps=240))
PROXY = replace(FULL, model=GPT(model_dim=64))
SPACE = Space(
    name="made_up",
    question="?",
    objective="val_bpb",
    scales={
        "full": Scale(FULL, trials=1, about="full"),
        "proxy": Scale(PROXY, trials=1, about="proxy", sizes={"model.model_dim": {512: 64, 640: 96}}),
    },
    knobs=(),
)


@pytest.fixture
def written(tmp_path: Path):
    """Rows as (id, base, overrides as logged, overrides as run) to the runs of a file that holds them."""

    def write(*rows: tuple[str, str, object, object], header: str = HEADER) -> dict[str, RecordedRun]:
        path = tmp_path / "runs.csv"
        with path.open("w", newline="") as file:
            file.write(header + "\n")
            for name, base, logged, run in rows:
                texts = [value if isinstance(value, str) else json.dumps(value) for value in (logged, run)]
                csv.writer(file).writerow([name, "1", "a name", base, *texts, "1.5", "240", "Good", "a note"])
        runs = recorded.read(path)
        recorded.check(SPACE, runs)
        return runs

    return write


def test_overrides_are_applied_from_the_root_to_the_run(written):
    runs = written(
        ("C", "B", {"model.logit_softcap": 15.0}, {"model.logit_softcap": 15.0}),
        ("B", "A", {"optimizer.matrix_lr": 0.06}, {"optimizer.matrix_lr": 0.06}),
        ("A", "root", {"schedule": "Tidal"}, {"schedule": "Tidal", "horizon.steps": 400}),
    )
    logged = recorded.recorded_config(SPACE, runs, "C", "as_logged", "full")
    assert (logged.model.logit_softcap, logged.optimizer.matrix_lr) == (15.0, 0.06)
    assert (logged.schedule, logged.horizon) == (Tidal(), None)
    assert recorded.recorded_config(SPACE, runs, "C", "as_run", "full") == replace(logged, horizon=Budget(steps=400))


def test_a_size_takes_the_value_that_the_scale_gives_it(written):
    runs = written(("A", "root", {"model.model_dim": 640}, {"model.model_dim": 640, "model.num_layers": 7}))
    assert recorded.recorded_config(SPACE, runs, "A", "as_run", "full").model == GPT(model_dim=640, num_layers=7)
    assert recorded.recorded_config(SPACE, runs, "A", "as_run", "proxy").model == GPT(model_dim=96, num_layers=7)


BAD_ROWS = [
    (("A", "root", {"model.num_layer": 8}, {}), r"run 'A' as_logged at scale full: .*'num_layer'.*'model.num_layers'"),
    (("A", "root", {}, {"schedule": "Tidle"}), r"run 'A' as_run at scale full: 'Tidle' is not a schedule.*'Tidal'"),
    (("A", "root", {"hooks.GradientClp.max_norm": 1.0}, {}), r"run 'A' .*'GradientClp'.*'GradientClip'"),
    (("A", "root", {"model.num_layers": "nine"}, {}), r"run 'A' .*GPT.num_layers is 'nine' but must be a whole number"),
    (("A", "root", {"model.num_heads": 7}, {}), r"run 'A' .*GPT.model_dim is 512 but must be a multiple"),
    (("A", "root", {"model.model_dim": 1024}, {}), r"run 'A' as_logged at scale proxy: model.model_dim is 1024"),
    (("A", "bas", {}, {}), r"run 'A' has an unknown base 'bas'"),
    (("A", "A", {}, {}), r"run 'A' is its own base"),
    (("A", "", {"model.num_layers": 8}, {}), r"run 'A' has overrides but no base"),
    (("A", "root", "{model: 1}", {}), r"run 'A': overrides_as_logged is '\{model: 1\}', which is no JSON"),
    (("A", "root", '{"seed": 1, "seed": 2}', {}), r"run 'A'.*seed is set twice"),
    (("A", "root", {}, [1]), r"run 'A': overrides_as_run is .* must be a JSON object"),
]


@pytest.mark.parametrize(("row", "message"), BAD_ROWS)
def test_a_wrong_row_is_refused_by_its_id(row, message, written):
    with pytest.raises(ValueError, match=message):
        written(row)


def test_an_id_that_stands_twice_is_refused(written):
    with pytest.raises(ValueError, match="run 'A' stands there twice"):
        written(("A", "root", {}, {}), ("A", "root", {}, {}))


def test_a_row_based_on_one_without_a_config_is_refused(written):
    with pytest.raises(ValueError, match="run 'B' is based on 'A', whose config was never published"):
        written(("A", "", {}, {}), ("B", "A", {}, {}))


def test_columns_that_are_not_those_of_recorded_runs_are_refused(written):
    with pytest.raises(ValueError, match="columns"):
        written(header=HEADER.replace("base", "parent"))


def test_a_metric_that_is_no_number_is_refused_by_its_row(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(f"{HEADER}\nA,1,name,root,{{}},{{}},good,240,Good,\n")
    with pytest.raises(ValueError, match="run 'A': val_bpb is 'good' but must be a number"):
        recorded.read(path)


# --- every campaign ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=search_spaces.names())
def space(request) -> Space:
    return search_spaces.load(request.param)


def test_every_row_resolves_in_both_readings_at_both_scales(space):
    """Loading does it, so that a row that does not is found before anything runs; here is the proof that it looks."""
    runs = recorded.load(space)
    configs = {
        (run.id, reading, scale): recorded.resolve(space, run.id, reading, scale)
        for run in runs
        if run.base is not None
        for reading in recorded.READINGS
        for scale in space.scales
    }
    assert len(configs) == 2 * len(space.scales) * sum(run.base is not None for run in runs)
    assert all(isinstance(config, TrainConfig) for config in configs.values())


def test_a_run_that_is_not_recorded_is_refused_with_the_nearest_id(space):
    known = recorded.load(space)[0].id
    with pytest.raises(ValueError, match=f"has no recorded run '{known}x'.*{known}"):
        recorded.resolve(space, known + "x")


def test_an_unknown_reading_is_refused(space):
    with pytest.raises(ValueError, match=r"unknown reading 'as_ran'.*as_run"):
        recorded.resolve(space, recorded.load(space)[0].id, reading="as_ran")


# --- parameter golf ---------------------------------------------------------------------------------------------------

# Runs that come to one computation once inert knobs are dropped: the campaign's own measure of its noise.
REPLICATES = [
    {"N2", "NF8", "NF10", "W7"},
    {"BASE", "N3", "N4"},
    {"NF14", "W0a"},
    {"W0b", "W0e"},
    {"W1", "W3"},
    {"B4", "C9", "C13", "C14"},
    {"C10", "C11", "D3", "D10"},
    {"D6", "E10"},
    {"E8", "F8", "F10"},
]
# Not quite nothing, so as_run keeps them; but noise of 1e-4 now and then, and a factor that Muon and Adam divide out.
NEARLY_INERT = ("WeightPerturbation", "Canopy")
NEARLY_INERT_RUNS = {"N4", "NF10", "W1", "W6", "W7"}


@pytest.fixture(scope="module")
def golf() -> dict[str, RecordedRun]:
    return {run.id: run for run in recorded.load(search_spaces.load("parameter_golf"))}


def as_run(run_id: str) -> TrainConfig:
    return recorded.resolve(search_spaces.load("parameter_golf"), run_id, "as_run", "full")


def test_parameter_golf_has_its_baseline_and_131_rows(golf):
    assert len(golf) == 132
    assert [run.id for run in golf.values() if run.base is None] == ["P10-E2..E25"]
    unmeasured = {f"U{i}" for i in range(1, 11)} | {"N5", "N6", "P10-E2..E25"}
    scored = {run.id for run in golf.values() if run.metrics and run.metrics["val_bpb"] < 4}
    assert scored == set(golf) - unmeasured


@pytest.mark.parametrize(
    ("run_id", "val_bpb", "steps"),
    [
        ("BASE", 1.6117, 240),
        ("3", 1.6145, 240),
        ("NF5", 1.7239, 240),
        ("NF11", 1.6620, 197),
        ("A7", 1.5600, 260),
        ("D6", 1.5377, 266),
        ("H1", 1.5207, 276),
        ("H5", 1.6974, 244),
        ("W3", 1.8581, None),
    ],
)
def test_recorded_metrics_are_those_of_the_log(golf, run_id, val_bpb, steps):
    assert (golf[run_id].metrics, golf[run_id].steps) == ({"val_bpb": val_bpb}, steps)


def replicate_groups(golf, drop: tuple[str, ...]) -> list[set[str]]:
    groups = defaultdict(set)
    for run in golf.values():
        if run.base is not None:
            config = as_run(run.id)
            kept = tuple(hook for hook in config.hooks if type(hook).__name__ not in drop)
            groups[replace(config, hooks=kept).key("data")].add(run.id)
    return [group for group in groups.values() if len(group) > 1]


def test_runs_without_their_inert_knobs_are_the_known_replicates(golf):
    found = replicate_groups(golf, NEARLY_INERT)
    assert sorted(map(sorted, found)) == sorted(map(sorted, REPLICATES))
    strict = [group - NEARLY_INERT_RUNS for group in REPLICATES]
    expected = [group for group in strict if len(group) > 1]
    assert sorted(map(sorted, replicate_groups(golf, ()))) == sorted(map(sorted, expected))


def test_the_schedules_as_run_are_the_truncated_ones(golf):
    """Multipliers at the last step as the reference notes give them: step 240 of 400 and so on."""
    for run_id, last_step, multiplier in [("BASE", 240, 0.41), ("N2", 240, 0.76), ("H1", 276, 0.56), ("NF1", 240, 1.0)]:
        config = as_run(run_id)
        assert (config.budget, config.horizon) == (Budget(steps=last_step), Budget(steps=400))
        assert config.schedule(last_step / 400) == pytest.approx(multiplier, abs=0.01)
    config = as_run("W3")
    assert config.horizon is None
    multipliers = [config.schedule(step / 240) for step in (0, 1, 240)]
    assert multipliers == [1.0, pytest.approx(0.2, abs=0.001), pytest.approx(0.0)]


def test_the_readings_differ_where_log_and_code_do(golf):
    space = search_spaces.load("parameter_golf")

    def both(run_id: str) -> tuple[TrainConfig, TrainConfig]:
        return tuple(recorded.resolve(space, run_id, reading) for reading in recorded.READINGS)

    logged, ran = both("H6")
    assert (logged.model.encoder_layers, ran.model.encoder_layers) == (0, 1)
    logged, ran = both("E10")
    assert (logged.model.encoder_layers, ran.model.encoder_layers) == (2, 1)
    logged, ran = both("F8")
    assert (logged.schedule.warmup_frac, ran.schedule.warmup_frac) == (0.3, 0.382)
    logged, ran = both("H1")
    assert ran.optimizer.embed_lr == logged.optimizer.embed_lr == 0.8  # live again, now that embeddings are untied
    logged, ran = both("C9")
    assert (logged.optimizer.embed_lr, ran.optimizer.embed_lr) == (1.0, 0.6)
    logged, ran = both("NF16")
    assert (logged.budget.steps, logged.horizon, ran.budget.steps, ran.horizon) == (3000, None, 240, Budget(steps=3000))
    assert both("BASE")[0].schedule == Cosine()


# Inside one step of the published script, after the backward pass; its SAM is UphillDrift, not SharpnessAware.
ORDER = ("SharpnessAware", *SCRIPTS[PARAMETER_GOLF])


def names_of(config: TrainConfig) -> list[str]:
    return [type(hook).__name__ for hook in config.hooks if type(hook).__name__ in ORDER]


def test_hooks_run_in_the_order_of_the_published_script(golf):
    space = search_spaces.load("parameter_golf")
    for scale in space.scales.values():
        assert names_of(scale.base) == list(ORDER)
        examples = {f"hooks.{name}": component(name, "hook").example() for name in reversed(ORDER)}
        assert names_of(with_values(scale.base, examples)) == list(ORDER)
    assert names_of(as_run("W6")) == ["Canopy", "Mycorrhizal"]
