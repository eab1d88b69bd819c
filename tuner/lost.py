"""Lost nodes: a trial whose machine vanished did nothing wrong, and is tried again; a trial that raised is not.

Ray's own ``max_failures`` cannot tell the two apart, and puts what it retries behind the trials that wait.
"""

from __future__ import annotations

import re

LOSSES = 5  # nodes that one trial may lose in one start of the campaign, before it counts as crashed

# What Ray writes, at the start of a line, of an actor whose node died or can no longer be reached. Of a worker that was
# killed on a living node it says something else, and an exception of the trial's own comes with its type in front.
_SIGNS = re.compile(r"^(The actor died because its node has died\.|The actor \S+ is unavailable: )", re.MULTILINE)


def by_node_loss(error: str) -> bool:
    """Whether the text of a trial's error says that the trial's node is gone."""
    return bool(_SIGNS.search(error))
