"""``python -m tuner.trackers.process``: the process in which one tracker works, away from the search.

Its standard input has a line of JSON for the tracker and its place, and one for each word of a trial;
``{"over": code}`` asks it to finish. It answers on its standard output. A tracker that hangs, prints, crashes or fills
the memory does that here. Where the driver is gone, its input ends: what is open is closed, within seconds.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Mapping
from typing import IO, Any

from results.store.campaign_folder import Store
from storage.location import location
from tuner.trackers.catalogue import TRACKERS
from tuner.trackers.failure import failure
from tuner.trackers.follower import Follower, Told

GRACE_SECONDS = 10.0  # to close what is open, once the driver is gone
QUIET = {  # of the trackers' packages: nothing is told to their makers, and nothing is asked
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "WANDB_ERROR_REPORTING": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def main() -> None:
    """Follow a campaign until the driver says that it is over, or is gone."""
    words, answers = _private_streams()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)

    def say(what: Mapping[str, Any]) -> None:
        try:
            answers.write(json.dumps(what) + "\n")
            answers.flush()
        except OSError:  # nobody listens any more
            os._exit(1)

    try:
        asked = json.loads(words.readline())
        follower = Follower(Store.open(location(asked["folder"])), TRACKERS[asked["tracker"]], asked["place"], say)
    except Exception as error:
        say({"failed": failure(error), "over": -1})
        os._exit(1)
    heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(words, heard), daemon=True).start()
    code = _follow(follower, heard)
    if code is None:
        _close(follower)
    else:
        say({"over": follower.finish(code)})
    os._exit(0)  # without what packages would still do at an exit


def _follow(follower: Follower, heard: queue.SimpleQueue[dict[str, Any] | None]) -> int | None:
    """Work until it is over, and return the exit code of the campaign; None where the driver is gone."""
    while True:
        try:
            word = heard.get(timeout=follower.idle_seconds)
        except queue.Empty:
            follower.work()
            continue
        if word is None:
            return None
        if "over" in word:
            return int(word["over"])
        follower.hear(Told.of_json(word))


def _listen(words: IO[str], heard: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    """Hand on what the driver says, also while the tracker is at work; its end is the end of this process."""
    for line in words:
        heard.put(json.loads(line))
    heard.put(None)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)


def _close(follower: Follower) -> None:
    if follower.begun:
        try:
            follower.tracker.close()
        except Exception:  # nobody is there to be told
            os._exit(1)


def _private_streams() -> tuple[IO[str], IO[str]]:
    """Take the standard streams away: what a package prints, or asks for, has nothing to do with the driver."""
    words, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return words, answers


if __name__ == "__main__":
    main()
