"""The benchmark of compiling: each form has the loss of the others, and a process of its own."""

from __future__ import annotations

import pytest

from benchmarks import compile_seconds
from benchmarks.compile_seconds import FORMS, SPACES, main, measured, proxy, texts
from trainable.evaluation.evaluate import num_targets


@pytest.mark.filterwarnings("ignore")  # the tracer's own
def test_all_forms_have_one_loss_and_only_compiled_ones_take_seconds(counting_compiler, monkeypatch) -> None:
    monkeypatch.setattr(compile_seconds, "STEPS", 4)
    rows = {form: measured(proxy("parameter_golf", 2), runtime) for form, runtime in FORMS.items()}
    assert [row["loss"] for row in rows.values()] == pytest.approx([rows["eager"]["loss"]] * 3, rel=1e-6)
    assert rows["eager"]["seconds"] < 0.1 < min(rows["whole"]["seconds"], rows["blocks"]["seconds"])


def test_a_line_for_each_form_compares_it_with_the_eager_one(capsys, monkeypatch) -> None:
    asked = []

    def found(arguments):
        asked.append(arguments)
        return {"seconds": 2.0, "milliseconds": 30.0, "loss": 7.0 if "eager" in arguments else 7.001}

    monkeypatch.setattr(compile_seconds, "in_a_process", found)
    main(["--space", "nanochat", "--layers", "8"])
    assert [arguments[-1] for arguments in asked] == list(FORMS)
    assert all(arguments[:4] == ["--space", "nanochat", "--layers", "8"] for arguments in asked)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("nanochat, 8 layers")
    assert "blocks: 2.0 s to compile, 30.0 ms a pass, loss off by 1.0e-03" in lines[3]


def test_a_proxy_keeps_its_layers_unless_others_are_asked_for() -> None:
    assert proxy("parameter_golf", None).model.num_layers == 9
    assert (proxy("parameter_golf", 4).model.num_layers, proxy("nanochat", 8).model.num_layers) == (4, 8)


@pytest.mark.parametrize("space", SPACES)
def test_the_made_up_text_is_long_enough_for_the_evaluation_that_is_compiled(space) -> None:
    config = proxy(space, None)
    assert num_targets(texts(config), config.evaluation.plain) > 0
