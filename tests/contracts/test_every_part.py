"""What every part of a model promises; a new file of parts is held to it without being listed here."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch._dynamo

from trainable.component import components, without_neutral
from trainable.run import Run
from trainable.runtime import Runtime

FIELDS = {"stem part": "stem", "layer part": "layers", "attention part": "attention"}
PARTS = pytest.mark.parametrize("part", [p for kind in FIELDS for p in components(kind)])
TIME = 16


@pytest.fixture
def trained(part, with_component, run_to_end):
    """A network with the example in it, after the whole of a short run."""
    return run_to_end(with_component(part.example())).run.network


@PARTS
def test_neutral_is_bit_identical_to_absent(part, tiny, with_component, dataset, run_to_end, first_difference):
    neutral = part.neutral()
    if neutral is None:
        pytest.skip(f"{part.__name__} says that it has no neutral setting")
    drawn = [
        Run.start(config, dataset, Runtime()).state_dict()["network"] for config in (tiny, with_component(neutral))
    ]
    assert first_difference(*drawn) is None
    assert first_difference(run_to_end(tiny).numbers, run_to_end(with_component(neutral)).numbers) is None


@PARTS
def test_a_neutral_one_is_not_part_of_the_key(part, tiny, with_component):
    assert without_neutral(with_component(part.neutral())) == tiny
    assert with_component(part.neutral()).key("data") == tiny.key("data")
    assert with_component(part.example()).key("data") != tiny.key("data")


@PARTS
def test_the_example_changes_the_run_within_a_few_steps(part, tiny, with_component, run_to_end):
    with_part, without = run_to_end(with_component(part.example())).last, run_to_end(tiny).last
    assert (with_part.train_loss, with_part.val_loss) != (without.train_loss, without.val_loss)
    assert with_part.status == "completed"


@PARTS
def test_it_leaves_the_weights_of_the_rest_as_they_were_drawn(part, tiny, with_component, dataset):
    """Whoever compares with and without compares runs that start from the same weights."""
    with_part, without = (
        Run.start(config, dataset, Runtime()).network for config in (with_component(part.example()), tiny)
    )
    drawn = [p for p in with_part.parameters()]
    for parameter in without.parameters():
        assert any(p.shape == parameter.shape and torch.equal(p, parameter) for p in drawn)


@PARTS
def test_a_run_resumed_from_any_step_is_bit_identical_to_the_straight_run(
    part, with_component, assert_resumes_identically
):
    assert_resumes_identically(with_component(part.example()))


@PARTS
@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_a_token_changes_nothing_before_it(part, mode, trained):
    trained.train(mode == "training")

    def logits(tokens: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return trained(tokens).detach()

    tokens = torch.randint(250, (4, TIME))
    found = 0
    for row, place in ((0, 5), (1, 9), (2, TIME - 1)):
        changed = tokens.clone()
        changed[row, place] += 1
        difference = (logits(changed) - logits(tokens)).abs().amax(-1)
        assert not difference[:, :place].any()
        found += bool(difference[:, place:].any())
    assert found  # in training some of them may be dropped


@PARTS
def test_evaluation_draws_nothing_and_rows_do_not_see_each_other(part, trained):
    trained.eval()
    tokens = torch.randint(260, (3, TIME))
    before = torch.get_rng_state()
    logits = trained(tokens)
    assert torch.equal(before, torch.get_rng_state())
    torch.testing.assert_close(trained(tokens[1:2])[0], logits[1], atol=1e-5, rtol=1e-5)


@PARTS
def test_in_bfloat16_it_trains_near_fp32(part, with_component, run_to_end):
    config = with_component(part.example())
    bf16, fp32 = (run_to_end(config, runtime=Runtime(precision=precision)).last for precision in ("bf16", "fp32"))
    assert bf16.val_loss == pytest.approx(fp32.val_loss, rel=0.05)


class Compiler:
    """Stands in for torch's compiler: counts the graphs and runs them with one of its simpler backends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
        self.graphs, self.run = 0, torch._dynamo.lookup_backend(backend)
        compile = torch.compile
        monkeypatch.setattr(torch, "compile", lambda function, **options: compile(function, backend=self, **options))

    def __call__(self, graph, inputs):
        self.graphs += 1
        return self.run(graph, inputs)


@PARTS
@pytest.mark.filterwarnings("ignore")  # the tracer's own
def test_one_graph_serves_the_whole_run_and_every_value_of_a_knob(
    part, with_component, run_to_end, monkeypatch, fresh_compiler
):
    example = part.example()
    values = {f.name: getattr(example, f.name) for f in dataclasses.fields(part)}
    other = {name: 0.9 * value for name, value in values.items() if isinstance(value, float)}
    eager = run_to_end(with_component(example)).last
    compiler = Compiler(monkeypatch, "eager")
    last = run_to_end(with_component(example), range(1, 7), runtime=Runtime(compile=True)).last
    assert compiler.graphs == 2  # the step, and the evaluation
    assert last.val_loss == pytest.approx(eager.val_loss, rel=2e-4)
    run_to_end(with_component(dataclasses.replace(example, **other)), runtime=Runtime(compile=True))
    assert compiler.graphs == 2  # the step, and the evaluation


@pytest.mark.filterwarnings("ignore")
def test_all_of_them_together_train_in_one_graph_forward_and_backward(tiny, run_to_end, monkeypatch, fresh_compiler):
    parts = {FIELDS[kind]: tuple(p.example() for p in components(kind)) for kind in FIELDS}
    config = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, **parts))
    eager = run_to_end(config, [3]).last
    compiler = Compiler(monkeypatch, "aot_eager")
    last = run_to_end(config, [3], runtime=Runtime(compile=True)).last
    assert compiler.graphs == 2  # the step, and the evaluation
    assert last.val_loss == pytest.approx(eager.val_loss, rel=2e-3)
