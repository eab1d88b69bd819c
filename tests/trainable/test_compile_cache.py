"""Compiled code is kept in the product's cache, and where the user wants it if he says so."""

from __future__ import annotations

import os

import pytest
import torch

from trainable import compile_cache
from trainable.compiled_objective import build_objective
from trainable.run import Run
from trainable.runtime import Runtime


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(compile_cache.VARIABLE, "any")
    monkeypatch.delenv(compile_cache.VARIABLE)  # and so what the test sets is taken back afterwards
    return tmp_path / "tuner" / "inductor"


def found() -> str:
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    return cache_dir()


def test_a_compiled_run_keeps_its_graphs_beside_the_data(cache, tiny, dataset, counting_compiler) -> None:
    build_objective(Run.start(tiny, dataset, Runtime()))
    assert not cache.exists()
    build_objective(Run.start(tiny, dataset, Runtime(compile=True)))
    assert cache.is_dir() and found() == str(cache)


def test_the_users_own_place_stays(cache, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(compile_cache.VARIABLE, str(tmp_path / "mine"))
    compile_cache.share()
    assert found() == str(tmp_path / "mine") and not cache.exists()


def test_where_no_folder_can_be_made_torch_keeps_its_own_place(cache, tmp_path) -> None:
    (tmp_path / "tuner").write_text("a file where the folder would be")
    compile_cache.share()
    assert compile_cache.VARIABLE not in os.environ


def test_the_place_that_torch_itself_has_set_is_no_wish_of_the_users(cache, monkeypatch) -> None:
    assert "torchinductor_" in found() and os.environ[compile_cache.VARIABLE] == found()
    compile_cache.share()
    assert found() == str(cache)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch's own
def test_a_second_process_finds_what_the_first_compiled(cache, tiny, dataset, fresh_compiler) -> None:
    from torch._dynamo.utils import counters

    for hits in (False, True):
        torch._dynamo.reset()
        counters.clear()
        build_objective(Run.start(tiny, dataset, Runtime(compile=True)))
        assert bool(counters["aot_autograd"]["autograd_cache_hit"]) is hits
