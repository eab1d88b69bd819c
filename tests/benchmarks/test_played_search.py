from __future__ import annotations

from benchmarks.played_search import played_search
from benchmarks.simulated_campaign import SCALE, SPACE, played_result
from results.store.campaign_folder import Store
from search_spaces import load


def test_a_played_search_asks_for_no_point_ahead_as_the_trials_that_it_stands_for_would_not(tmp_path) -> None:
    space = load(SPACE)
    base = space.scale(SCALE).base
    described = {"space": SPACE, "scale": SCALE, "objective": space.objective}
    store = Store.create(tmp_path / "campaign", described, space.column_types())
    search = played_search(space, base, store, trials=6, slots=2, seed=0)
    keys = [search.next().key for _ in range(2)]
    for key in keys:
        search.start(key)
    search.end(keys[0], played_result(base, base.budget.amount, 1.0, True))
    assert search.next() is not None and search.next() is None
    states = [trial.state.name for trial in search.proposals.sampler.study.get_trials(deepcopy=False)]
    assert states.count("RUNNING") == 2
