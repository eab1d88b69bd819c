from __future__ import annotations

import io

import pytest

from terminal.console import Console
from trainable.models.mlp import Relu2
from tuner.audit import report as audit_report
from tuner.audit.overrides import IDLE, INERT, LIVE, NEARLY, RESTATED, Finding

INERT_RATE = Finding("optimizer.embed_lr", INERT, 0.8, 0.6, 0.0, "while model.tie_embeddings=true")
CANOPY = Finding("hooks.Canopy.min_scale", NEARLY, 0.3, 1.0, 0.0012)
CLIP = Finding("hooks.GradientClip.max_norm", IDLE, 5.0, None, 0.0)
CAP = Finding("model.logit_softcap", LIVE, 18.0, 20.0, 0.012)
CAP_OF_TWO = Finding("model.rope_base", LIVE, 18.0, 20.0, 0.012)


def printed(findings, **options) -> list[str]:
    console = Console(file=io.StringIO(), width=60)
    audit_report.print_findings(console, findings, 4.26, **options)
    return console.file.getvalue().splitlines()


def test_what_changes_nothing_is_named_first_with_what_it_hangs_on() -> None:
    assert printed([CAP, CANOPY, CLIP, INERT_RATE]) == [
        "audit: 1 of 4 knobs changes nothing here: optimizer.embed_lr (while model.tie_embeddings=true)",
        "audit: 1 of 4 knobs changes nothing at this value: hooks.GradientClip.max_norm",
        "audit: 1 of 4 knobs moves the weights of its shortened runs by less of their way than rounding to bf16 does "
        "(0.39 %; in fp32 it may be seen): hooks.Canopy.min_scale (0.12 %)",
    ]


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.0, "0 %"), (1e-9, "under 0.0001 %"), (2.34e-6, "0.00023 %"), (0.00123, "0.12 %"), (0.0123, "1.2 %"),
     (0.126, "13 %"), (1.4, "140 %"), (31.4, "3,140 %")],
)  # fmt: skip
def test_how_far_a_change_moves_the_weights_is_in_percent_whatever_its_size(part, text) -> None:
    assert audit_report.percent(part) == text
    assert audit_report.line(Finding("a", LIVE, 1, 2, part)).endswith(f": {LIVE}, {text}")


def test_where_everything_acts_one_line_says_so_and_how_long_it_took() -> None:
    assert printed([CAP], what="override") == ["audit: the only override changes the computation (4.3 s)"]


RESTATES = Finding("model.num_layers", RESTATED, 9, 9)
STEPS = Finding("budget.steps", LIVE, 30, 240, why="budget.steps: not in a shrunken run", seen=False)


def test_of_several_settings_each_is_counted_also_those_that_no_audit_sees() -> None:
    paths = [CAP.path, STEPS.path, "data.seq_len"]
    assert printed([CAP, STEPS], what="setting", asked=paths, why_not="for a reason") == [
        "audit: 1 of 3 settings cannot show in its shortened runs, which is no fault: budget.steps",
        "audit: 1 of 3 settings is not audited, for a reason: data.seq_len",
        "audit: 1 of 3 settings changes the computation (4.3 s)",
    ]
    assert printed([STEPS], what="setting", asked=[STEPS.path]) == [
        "audit: the only setting cannot show in its shortened runs, which is no fault: budget.steps"
    ]
    assert printed([], asked=["a", "b"], why_not="as no other value is valid") == [
        "audit: 2 of 2 knobs are not audited, as no other value is valid: a, b"
    ]


def test_a_setting_to_the_value_that_is_there_is_not_said_to_change_anything() -> None:
    assert printed([RESTATES], what="setting") == [
        "audit: the only setting sets what is there without it: model.num_layers"
    ]
    assert printed([CAP, RESTATES], what="setting") == [
        "audit: 1 of 2 settings sets what is there without it: model.num_layers"
    ]
    assert printed([CAP, CAP_OF_TWO], what="setting") == ["audit: each of 2 settings changes the computation (4.3 s)"]


def test_a_finding_is_one_line_with_both_values() -> None:
    assert audit_report.line(CLIP) == "hooks.GradientClip.max_norm null -> 5: idle, 0 %"
    mlp = Finding("model.mlp", LIVE, "SwiGLU", Relu2(), why="budget.steps: not in a shrunken run")
    assert audit_report.line(mlp) == "model.mlp Relu2 -> SwiGLU: live (budget.steps: not in a shrunken run)"


def test_rows_are_audited_from_the_command_line(capsys) -> None:
    assert audit_report.main(["--space", "parameter_golf", "--reading", "as_run", "--only", "BASE", "N3", "N4"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("parameter_golf as_run: 3 rows, 4 overrides in ")
    assert lines[:2] == [
        "  BASE: the published code did horizon.steps",
        "  N3: the published code did not act on losses.HeadDiversity.weight",
    ]
    assert lines[2].startswith("  N4: hooks.WeightPerturbation.scale 0 -> 0.0001: nearly inert, ")
    assert lines[3:] == [
        "one computation under several names (~ within bf16's rounding): 1 group",
        "  BASE = N3 ~ N4",
    ]


def test_both_readings_are_audited_unless_one_is_asked_for(capsys) -> None:
    assert audit_report.main(["--space", "parameter_golf", "--only", "D10"]) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if " row, " in line]
    assert [line.split(":")[0] for line in heads] == ["parameter_golf as_logged", "parameter_golf as_run"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--space", "parameter_gulf"], "did you mean 'parameter_golf'"),
        (["--space", "ngpt", "--reading", "as_ran"], "unknown reading 'as_ran': did you mean 'as_run'"),
        (["--space", "parameter_golf", "--only", "H11"], "no recorded run 'H11': did you mean 'H1'"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments, message, capsys) -> None:
    assert audit_report.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("python -m tuner.audit: ") and message in error
