"""Monitors: what they say of a step, against numbers worked out apart, and that they change and wait for nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trainable import attention_probe, monitors
from trainable.config import Budget
from trainable.data.dataset import Dataset
from trainable.hooks.gradient_clip import GradientClip
from trainable.hooks.qk_logit_clip import QKLogitClip
from trainable.hooks.qk_weight_clip import QKWeightClip
from trainable.models.gpt2 import GPT2
from trainable.models.nanochat import Nanochat
from trainable.monitors import MONITORS, Monitors
from trainable.networks.causal_attention import CausalAttention
from trainable.optimizers.sgd import SGD
from trainable.recording import StepRecording
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.schedules import Cosine
from trainable.train import train
from trainable.worker import checkpoint

CLIPPED = (GradientClip(max_norm=1e-3), QKLogitClip(tau=0.01), QKWeightClip(tau=0.01))


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """At each second step, at most 4 of them."""
    monkeypatch.setattr(monitors, "EVERY_STEPS", 2)
    monkeypatch.setattr(monitors, "MONITORED_POINTS", 4)


@pytest.fixture
def start(dataset: Dataset) -> Callable[..., Run]:
    return lambda config, names=MONITORS, **ways: Run.start(config, dataset, Runtime(**ways), Monitors(names))


def curve_of(run: Run) -> dict[str, Any]:
    list(train(run))
    return run.curve.plain()


# --- what is said -----------------------------------------------------------------------------------------------------


def test_they_stand_at_some_steps_and_are_absent_at_the_others(tiny, start, often) -> None:
    curve = curve_of(start(replace(tiny, budget=Budget(steps=17), hooks=CLIPPED)))
    assert curve["steps"] == list(range(1, 18))
    assert curve["measured_at"]["update_norm.matrix"] == [1, 9, 17], "at most as many as may be, thinned"
    monitored = {n for n in curve["values"] if n.partition(".")[0] in monitors.MONITOR_UNITS}
    assert {n.partition(".")[0] for n in monitored} == set(monitors.MONITOR_UNITS) and set(
        curve["measured_at"]
    ) == monitored
    assert all(
        len(curve["values"][n]) == 3 and curve["units"][n] == monitors.MONITOR_UNITS[n.partition(".")[0]]
        for n in monitored
    )


@pytest.mark.parametrize("names", [(), ("updates",), ("weights", "logits"), ("clips",), ("attention",)])
def test_only_what_is_asked_for_is_measured(names, tiny, start, often) -> None:
    curve = curve_of(start(replace(tiny, budget=Budget(steps=3), hooks=CLIPPED), names))
    columns = {
        "updates": {"update_norm"}, "weights": {"weight_norm"}, "clips": {"clipped_share", "qk_clips"},
        "attention": {"attention_entropy"}, "logits": {"largest_logit"},
    }  # fmt: skip
    found = {n.partition(".")[0] for n in curve["values"]} & set(monitors.MONITOR_UNITS)
    assert found == set().union(*(columns[name] for name in names))


def test_norms_of_updates_and_weights_are_those_of_each_group(tiny, start, often) -> None:
    run = start(replace(tiny, budget=Budget(steps=1)))
    before = {g.name: [p.detach().clone() for p in g.parameters] for g in run.groups}
    values = curve_of(run)["values"]
    for group in run.groups:
        weights = torch.cat([p.detach().flatten().double() for p in group.parameters])
        moved = weights - torch.cat([p.flatten().double() for p in before[group.name]])
        assert values[f"weight_norm.{group.name}"] == [pytest.approx(float(weights.norm()), rel=1e-5)]
        assert values[f"update_norm.{group.name}"] == [pytest.approx(float(moved.norm()), rel=1e-5)]


def test_the_update_is_the_rules_own_and_not_what_hooks_do_behind_it(tiny, start, often) -> None:
    plain = replace(tiny, budget=Budget(steps=1), optimizer=SGD(lr=1.0, momentum=0.0))
    norms = [curve_of(start(replace(plain, hooks=h)))["values"] for h in ((), (QKWeightClip(tau=1e-9),))]
    updates = [n for n in norms[0] if n.startswith("update_norm")]
    assert updates and all(norms[0][n] == norms[1][n] for n in updates)
    assert any(norms[0][n] != norms[1][n] for n in norms[0] if n.startswith("weight_norm"))


def test_clips_are_counted_from_the_first_step_on(tiny, start, often) -> None:
    limit = curve_of(start(replace(tiny, budget=Budget(steps=9))))["values"]["gradient_norm"]
    hook = GradientClip(max_norm=sorted(limit)[4])
    run = start(replace(tiny, budget=Budget(steps=9), schedule=Cosine(), hooks=(hook, QKLogitClip(tau=1e-6))))
    curve = curve_of(run)
    clipped = [norm > hook.max_norm for norm in curve["values"]["gradient_norm"]]
    at = curve["measured_at"]["clipped_share"]
    assert curve["values"]["clipped_share"] == [pytest.approx(sum(clipped[:step]) / step) for step in at]
    assert 0 < curve["values"]["clipped_share"][-1] < 1
    assert curve["values"]["qk_clips.heads"] == [8.0 * step for step in at], "2 layers of 4 heads, each at every step"


@pytest.mark.parametrize("model", ["GPT", "GPT2", "Nanochat"])
def test_entropies_and_logits_are_those_of_the_formula(model, tiny, start, shrink, often) -> None:
    kind: Any = {"GPT": type(tiny.model), "GPT2": GPT2, "Nanochat": Nanochat}[model]
    run = start(replace(tiny, model=shrink(kind()), budget=Budget(steps=1)))
    values = curve_of(run)["values"]
    seen: list[tuple[torch.Tensor, torch.Tensor, int | None]] = []
    kernels = [m for m in run.network.modules() if isinstance(m, CausalAttention)]
    handles = [k.register_forward_hook(lambda m, given, _: seen.append((given[0], given[1], m.reach))) for k in kernels]
    run.network.eval()
    with torch.no_grad():
        largest_output = float(run.network(torch.from_numpy(run.dataset.validation[:16].astype("int64"))[None]).max())
    for handle in handles:
        handle.remove()
    largest = -math.inf
    for layer, (queries, keys, reach) in enumerate(seen):
        for head in range(queries.size(2)):
            entropies = []
            for t in range(queries.size(1)):
                first = 0 if reach is None else max(0, t - reach)
                shared = head * keys.size(2) // queries.size(2)
                logits = keys[0, first : t + 1, shared] @ queries[0, t, head] / queries.size(-1) ** 0.5
                largest = max(largest, float(logits.max()))
                p = torch.softmax(logits.double(), 0)
                entropies.append(float(-(p * p.log()).sum()))
            mean = sum(entropies) / len(entropies)
            assert values[f"attention_entropy.{layer}.{head}"] == [pytest.approx(mean, abs=1e-5)]
    assert values["largest_logit.attention"] == [pytest.approx(largest, rel=1e-5)]
    assert values["largest_logit.output"] == [pytest.approx(largest_output, rel=1e-5)]


def test_of_a_network_of_very_many_heads_each_layer_has_its_mean(tiny, start, often, monkeypatch) -> None:
    of_heads = curve_of(start(replace(tiny, budget=Budget(steps=1))))["values"]
    monkeypatch.setattr(attention_probe, "MOST_HEADS", 7)
    of_layers = curve_of(start(replace(tiny, budget=Budget(steps=1))))["values"]
    assert [n for n in of_layers if n.startswith("attention")] == ["attention_entropy.0", "attention_entropy.1"]
    mean = sum(of_heads[f"attention_entropy.1.{head}"][0] for head in range(4)) / 4
    assert of_layers["attention_entropy.1"] == [pytest.approx(mean, rel=1e-6)]


# --- what they change -------------------------------------------------------------------------------------------------


def test_training_is_the_same_without_them(tiny, start, often, first_difference) -> None:
    config = replace(tiny, hooks=CLIPPED)
    states = []
    for names in (MONITORS, ()):
        run = start(config, names)
        reports = list(train(run, [2, 4]))
        state = run.state_dict() | {"curve": None, "spent": None, "eval_seconds": None}
        states.append(state | {"losses": [(r.train_loss, r.val_loss, r.logged) for r in reports]})
    assert first_difference(*states) is None


def test_a_resumed_run_has_the_monitors_of_one_that_was_not_interrupted(tiny, start, often, tmp_path) -> None:
    config = replace(tiny, budget=Budget(steps=21), hooks=CLIPPED)
    whole = curve_of(start(config))
    for steps in (1, 2, 9, 17):
        broken, seen = start(config), []
        list(train(broken, [], lambda seen=seen, steps=steps: seen.append(1) or len(seen) > steps))
        checkpoint.save(tmp_path, "c", broken.state_dict(), "key")
        resumed = start(config)
        resumed.load_state_dict(checkpoint.load(tmp_path / "c", "key"))
        assert curve_of(resumed) == whole


def test_a_resume_may_ask_for_other_monitors(tiny, start, often, tmp_path) -> None:
    config = replace(tiny, budget=Budget(steps=5))
    broken, seen = start(config, ("updates",)), []
    list(train(broken, [], lambda: seen.append(1) or len(seen) > 3))
    checkpoint.save(tmp_path, "c", broken.state_dict(), "key")
    resumed = start(config, ("weights",))
    resumed.load_state_dict(checkpoint.load(tmp_path / "c", "key"))
    at = curve_of(resumed)["measured_at"]
    assert (at["update_norm.matrix"], at["weight_norm.matrix"]) == ([1, 3], [5])


class NoReads(TorchDispatchMode):
    """Fails on whatever would wait for the device."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert "_local_scalar_dense" not in str(function) and "nonzero" not in str(function), function
        return function(*args, **(kwargs or {}))


def test_they_are_measured_without_reading_from_the_device(tiny, start, often, monkeypatch) -> None:
    ended, count = StepRecording.end, []

    def watched(self: StepRecording) -> None:
        with NoReads():
            ended(self)
        count.append(self.monitors.names)

    monkeypatch.setattr(StepRecording, "end", watched)
    curve_of(start(replace(tiny, hooks=CLIPPED, budget=Budget(steps=4))))
    assert count == [MONITORS, (), MONITORS, ()]


@pytest.mark.filterwarnings("ignore")  # the tracer's own
@pytest.mark.parametrize("ways", [{}, {"compile_blocks": True}], ids=["whole", "blocks"])
def test_a_compiled_step_has_the_graphs_that_it_has_without(ways, tiny, start, often, counting_compiler) -> None:
    counts = []
    for names in ((), MONITORS):
        torch._dynamo.reset()
        counting_compiler.clear()
        run = start(replace(tiny, budget=Budget(steps=5)), names, compile=True, **ways)
        values = curve_of(run)["values"]
        counts.append(counting_compiler.frame_count)
        assert ("attention_entropy.1.3" in values) == bool(names)
    assert counts[0] == counts[1] > 0


# --- the choice -------------------------------------------------------------------------------------------------------


def test_a_choice_is_read_from_its_text_and_written_as_one() -> None:
    for text, names in {
        "all": MONITORS,
        "none": (),
        "weights, updates": ("updates", "weights"),
        " all ": MONITORS,
    }.items():
        assert Monitors.of_text(text) == Monitors(names)
        assert Monitors.of_text(str(Monitors(names))) == Monitors(names)
    assert str(Monitors.of_text(",".join(MONITORS))) == "all"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("attentoin", "'attentoin' is no monitor: .*'attention'"),
        ("updates,al", "'al' is no monitor"),
        ("all,none", "'all' stands alone: give all, none, or some of updates, "),
        ("", "'' is no monitor"),
    ],
)
def test_a_text_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Monitors.of_text(text)


def test_steps_of_a_gpu_are_looked_at_less_often() -> None:
    assert (monitors.steps_between("cpu"), monitors.steps_between("cuda")) == (32, 64)
