from __future__ import annotations

from dataclasses import replace

import pytest

from search_spaces import constraints
from search_spaces.constraints import Constraint, excesses, num_parameters, parse_all, violation
from trainable.evaluation.artifact import Artifact
from trainable.run import Run
from trainable.runtime import Runtime


def test_a_constraint_reads_back_as_it_was_written() -> None:
    limit = Constraint.parse("artifact_bytes <= 16e6 margin 1%")
    assert limit == Constraint("artifact_bytes", 16_000_000.0, 1.0) and limit.bound == 15_840_000
    assert str(limit) == "artifact_bytes<=16000000 margin 1%" and Constraint.parse(str(limit)) == limit
    assert Constraint.parse("core>=1").bound == 1
    assert Constraint.parse("step_seconds<=0.25") == Constraint("step_seconds", 0.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("artifact_bytes<16e6", "a constraint is artifact_bytes<=LIMIT"),
        ("artifact_bytes", r"a constraint is artifact_bytes<=LIMIT or artifact_bytes<=LIMIT margin PERCENT%, not"),
        ("core>0.25", r"a constraint is core>=LIMIT or core>=LIMIT margin PERCENT%, not 'core>0.25'$"),
        ("0.25", r"a constraint is MEASURE<=LIMIT .*\(for core: >=\), not '0.25'"),
        ("core>=25.65", r"no trial keeps the constraint 'core>=25.65': core is at most 1$"),
        ("core>=0.95 margin 6%", "no trial keeps the constraint 'core>=0.95 margin 6%': core is at most 1$"),
        ("artefact_bytes<=16e6", "unknown measure: .*artifact_bytes"),
        ("parameters<=many", "has 'many' where a number should stand"),
        ("parameters<=0", "a limit above 0"),
        ("parameters<=nan", "has .nan. where a number should stand"),
        ("parameters<=9 margin 100%", "a margin of 0 to below 100 percent"),
    ],
)
def test_a_mistake_in_a_constraint_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Constraint.parse(text)


def test_a_score_may_be_limited_where_runs_give_it(tiny) -> None:
    constraints.check(parse_all(["val_bpb<=1.2"]), tiny)
    with pytest.raises(ValueError, match=r"^the constraint val_bpb_quantised<=1\.2 needs an artifact: --set art"):
        constraints.check(parse_all(["val_bpb_quantised<=1.2"]), tiny)
    assert "val_bpb 1.3 > 1.2" in violation(parse_all(["val_bpb<=1.2"]), {"val_bpb": 1.3})
    said = violation(parse_all(["val_bpb<=1.2"]), {"val_bpb": 3.09079})
    assert said == "val_bpb 3.0908 > 1.2 (val_bpb<=1.2)", "as the leaderboard has it"
    brief = violation(parse_all(["step_seconds<=1e-9"]), {"train_seconds": 1e-7, "steps": 10})
    assert brief == "step_seconds 1e-08 > 1e-09 (step_seconds<=1e-09)"
    assert excesses(parse_all(["val_bpb<=1.2"]), {"val_bpb": float("nan")}, tiny) == {"val_bpb<=1.2": 1.0}


def test_what_is_better_when_larger_is_limited_from_below(tiny) -> None:
    (limit,) = parse_all(["core >= 0.25 margin 10%"])
    assert limit.bound == pytest.approx(0.275) and str(limit) == "core>=0.25 margin 10%"
    assert Constraint.parse(str(limit)) == limit
    assert limit.excess(0.55) == pytest.approx(-1.0) and limit.excess(0.22) == pytest.approx(0.2)
    assert violation([limit], {"core": 0.26}) == "core 0.26 < 0.275 (core>=0.25 margin 10%)"
    assert violation([limit], {"core": 0.3}) == violation([limit], {"core": None}) == ""
    for text in ("core<=0.25", "parameters>=9"):
        with pytest.raises(ValueError, match=f"the constraint '{text}' must have .=: .* is better when"):
            parse_all([text])
    with pytest.raises(
        ValueError, match=r"the constraint core>=0\.25 margin 10% needs the questions of CORE: --set eval"
    ):
        constraints.check([limit], tiny)


def test_the_fewest_minutes_need_something_to_reach() -> None:
    with pytest.raises(ValueError, match="or the run that learns least would win: give --constraint"):
        constraints.check_minutes(["train_minutes"], parse_all(["parameters<=9"]))
    constraints.check_minutes(["train_minutes"], parse_all(["val_bpb<=1.2"]))
    constraints.check_minutes(["train_minutes", "val_bpb"], ())
    constraints.check_minutes(["val_bpb"], parse_all(["train_minutes<=10"]))


def test_one_measure_has_one_constraint() -> None:
    with pytest.raises(ValueError, match="parameters has two constraints"):
        parse_all(["parameters<=9", "parameters<=8"])


def test_excess_is_a_part_of_the_bound_and_unknown_measures_break_nothing(tiny) -> None:
    limits = parse_all(["artifact_bytes<=1000 margin 10%", "step_seconds<=0.5", "peak_memory_bytes<=1"])
    row = {"artifact_bytes": 990, "train_seconds": 40.0, "steps": 100, "peak_memory_bytes": None}
    found = excesses(limits, row, tiny)
    assert found == {str(limits[0]): pytest.approx(0.1), str(limits[1]): pytest.approx(-0.2)}
    assert violation(limits, row) == "artifact_bytes 990 > 900 (artifact_bytes<=1000 margin 10%)"
    assert violation(limits, row | {"artifact_bytes": 900}) == ""


def test_the_artifacts_own_limit_counts_as_a_constraint(tiny) -> None:
    config = replace(tiny, artifact=Artifact(limit_bytes=1000))
    assert excesses((), {"artifact_bytes": 1500}, config) == {"artifact_bytes<=1000": pytest.approx(0.5)}


def test_parameters_are_counted_before_training_as_a_run_has_them(tiny, dataset) -> None:
    built = Run.start(tiny, dataset, Runtime()).num_parameters
    assert num_parameters(tiny, dataset.vocab_size) == built
    constraints.check(parse_all([f"parameters<={built}"]), tiny, dataset.vocab_size)
    with pytest.raises(ValueError, match="the base breaks a constraint: parameters "):
        constraints.check(parse_all([f"parameters<={built - 1}"]), tiny, dataset.vocab_size)


def test_a_limit_on_the_artifact_needs_one(tiny) -> None:
    limits = parse_all(["artifact_bytes<=16e6"])
    constraints.check(limits, replace(tiny, artifact=Artifact()))
    with pytest.raises(ValueError, match="needs an artifact: --set artifact=Artifact"):
        constraints.check(limits, tiny)
