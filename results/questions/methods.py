"""The questions as methods of a campaign: each calls the function of its name, in the file of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from results.store.frames import Results

if TYPE_CHECKING:
    import pandas as pd


class Questions:
    """Questions that a campaign answers. The functions say in full what each frame holds."""

    def read(self) -> Results:
        """All that the campaign's files say at this moment."""
        raise NotImplementedError

    def leaderboard(self) -> pd.DataFrame:
        """Which trials are the best? A row a trial."""
        from results.questions.leaderboard import ranked

        return ranked(self)

    def winner(self) -> pd.DataFrame:
        """Which trial has won, and is that confirmed? One row, or none while nothing has completed."""
        from results.questions.winner import winner

        return winner(self)

    def verdicts(self) -> pd.DataFrame:
        """Which candidates are better than the base on fresh seeds? A row a candidate of the latest confirmation."""
        from results.questions.verdicts import verdicts

        return verdicts(self)

    def effects(self) -> pd.DataFrame:
        """What did each change do, and is it more than noise? A row a comparison."""
        from results.questions.effects import effects

        return effects(self)

    def noise(self) -> pd.DataFrame:
        """How much do runs of one config differ by their seed alone? A row a source of replicates."""
        from results.questions.noise import noise

        return noise(self)

    def progression(self, by: str = "trials") -> pd.DataFrame:
        """How fast did the best so far improve, beside the same trials in random order? A row a trial."""
        from results.questions.progression import progression

        return progression(self, by)

    def pareto(self) -> pd.DataFrame:
        """Which trials does no other one beat in both objectives? A row a trial of the front."""
        from results.questions.pareto import pareto

        return pareto(self)

    def front(self) -> pd.DataFrame:
        """The rows of the trials that no other one beats in both objectives. A ValueError for a campaign of one."""
        from results.questions.pareto import pareto

        found = self.read()
        return found.trials[found.trials["key"].isin(pareto(found)["key"])].reset_index(drop=True)

    def time(self) -> pd.DataFrame:
        """When did each run have its slot, and what took the seconds? A row a run."""
        from results.questions.time import time

        return time(self)

    def slots(self) -> pd.DataFrame:
        """Where did each slot's seconds go: training, evaluation, set-up, idle? A row a slot."""
        from results.questions.time import slot_seconds

        return slot_seconds(self)

    def importance(self) -> pd.DataFrame:
        """Which of my knobs matter? A row a knob, which also says whether these trials can tell."""
        from results.questions.importance import importance

        return importance(self)

    def edges(self) -> pd.DataFrame:
        """Which good values lie at the edge of their range, so that the best may lie beyond? A row an edge."""
        from results.questions.edges import edges

        return edges(self)

    def next_steps(self, trials: int = 24) -> pd.DataFrame:
        """What is worth doing next? A row a step, among them what ``trials`` more would be expected to give."""
        from results.questions.next_steps import next_steps

        return next_steps(self, trials)

    def transfer(self) -> pd.DataFrame:
        """How did the order of a search's best carry over to the larger scale? A row a config; empty where none did."""
        from results.questions.transfer import transfer

        return transfer(self)
