"""What every hook promises; a new file in trainable/hooks is held to it without being listed here."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trainable.component import components
from trainable.hooks.hook import Step

HOOKS = pytest.mark.parametrize("hook", components("hook"))
OURS = [hook for hook in components("hook") if hook.__module__.startswith("trainable.")]


@HOOKS
def test_neutral_is_bit_identical_to_absent(hook, tiny, with_component, run_to_end, first_difference):
    neutral, example = hook.neutral(), hook.example()
    if neutral is None:
        pytest.skip(f"{hook.__name__} says that it has no neutral setting")
    ints = [f.name for f in dataclasses.fields(hook) if type(getattr(example, f.name)) is int]
    counts = {name: getattr(example, name) for name in ints if type(getattr(neutral, name)) is int}
    absent = run_to_end(tiny).numbers
    # The second one comes round as often as the example does, so that a neutral setting cannot pass by never acting.
    for setting in (neutral, dataclasses.replace(neutral, **counts)):
        present = run_to_end(with_component(setting)).numbers
        present["hooks"], present["report"]["logged"] = {}, {}
        assert first_difference(absent, present) is None


class Computed(TorchDispatchMode):
    """Counts what is computed; a view computes nothing."""

    number = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        self.number += not function.is_view
        return function(*arguments, **(keywords or {}))


@pytest.mark.parametrize("hook", OURS)
def test_at_its_neutral_setting_it_computes_nothing(hook, tiny):
    """Its passes over all weights would cost each step of every trial of a space that offers the trick.

    A user's own trick may cost what it likes.
    """
    neutral = hook.neutral()
    if neutral is None:
        pytest.skip(f"{hook.__name__} says that it has no neutral setting")
    network = tiny.model.build(260, 16)
    for p in network.parameters():
        p.grad = torch.ones_like(p)
    state, tokens = neutral.start(network), torch.zeros(2, 8, dtype=torch.long)
    step = Step(network, 50, 0.5, 0.8, torch.Generator(), tokens, tokens, lambda step: torch.zeros(()))
    for moment in ("before_forward", "after_backward", "after_update"):
        with Computed() as computed:
            getattr(neutral, moment)(step, state)
        assert computed.number == 0, moment


@HOOKS
def test_the_example_changes_the_run_within_a_few_steps(hook, tiny, with_component, run_to_end, first_difference):
    with_hook, without = run_to_end(with_component(hook.example())), run_to_end(tiny)
    weights_differ = first_difference(with_hook.numbers["network"], without.numbers["network"])
    assert weights_differ or with_hook.last.val_loss != without.last.val_loss


@HOOKS
def test_the_same_seed_gives_the_same_run_and_another_seed_another(hook, with_component, run_to_end, first_difference):
    config = with_component(hook.example())
    first, again = run_to_end(config), run_to_end(config)
    other = run_to_end(dataclasses.replace(config, seed=config.seed + 1))
    assert first_difference(first.numbers, again.numbers) is None
    assert first_difference(first.numbers["network"], other.numbers["network"])


@HOOKS
def test_a_run_resumed_from_any_step_is_bit_identical_to_the_straight_run(
    hook, with_component, assert_resumes_identically
):
    assert_resumes_identically(with_component(hook.example()))


@HOOKS
def test_it_leaves_the_global_generator_alone(hook, tiny, with_component, run_to_end, first_difference):
    run_to_end(tiny)  # the loop seeds it anew at every step
    without = torch.get_rng_state()
    run_to_end(with_component(hook.example()))
    assert first_difference(without, torch.get_rng_state()) is None
