"""Operations of an update are counted without views, and printed for each space."""

from __future__ import annotations

import dataclasses

import torch

import search_spaces
from benchmarks.update_operations import counted_in, main, update_counts
from trainable.optimizers.sgd import SGD


def test_a_view_is_no_operation_and_a_list_of_tensors_is_one() -> None:
    tensors = [torch.ones(2, 3) for _ in range(5)]

    def call() -> None:
        torch._foreach_mul_(tensors, 2.0)
        tensors[0].t().add_(1.0)

    assert counted_in(call) == {"_foreach_mul_": 1, "add_": 1}


def test_matrices_on_an_accelerator_are_taken_whole_and_layers_add_nothing(tiny) -> None:
    wide = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, model_dim=512, num_heads=4))
    deep = dataclasses.replace(wide, model=dataclasses.replace(wide.model, num_layers=5))
    assert update_counts(tiny) == update_counts(wide) == update_counts(deep)
    assert update_counts(dataclasses.replace(tiny, optimizer=SGD())).total() == 4


def test_each_space_has_its_line(capsys) -> None:
    main([])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(search_spaces.names())
    assert all(int(line.split()[1]) > 0 for line in lines)
