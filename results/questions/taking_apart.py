"""Changes of a winner that an ablation can undo alone, by the conditions of the space in ``campaign.json``."""

from __future__ import annotations

from collections.abc import Sequence

from results.questions.framed import changes_of
from results.questions.knobs import active, knobs_of
from results.store.frames import Results


def parts_of(results: Results, key: str) -> Sequence[str]:
    """Paths of those changes of a trial that can be undone alone; the others go with one of them.

    A change goes with another one where its knob does not act any more once that one has the base's value.
    """
    trials = results.trials
    own = trials[trials["key"] == key].astype(object)
    bases = trials[trials["is_base"].fillna(False).astype(bool)]
    changes = list(changes_of(own.to_dict("records")[0])) if len(own) else []
    if bases.empty:
        return changes
    knobs = [knob for knob in knobs_of(results.campaign, trials) if knob.path in trials]
    gone: set[str] = set()
    for path in changes:
        if path not in gone and path in trials:
            live = active(knobs, own.assign(**{path: [bases[path].iloc[0]]}))
            gone |= {other for other in changes if other != path and other in live and not live[other][0]}
    return [path for path in changes if path not in gone]
