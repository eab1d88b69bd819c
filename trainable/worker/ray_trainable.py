"""The thin shell that Ray sees: one reused actor hands each report of a trial to Tune.

What trains is loaded in the worker, with its first trial: the driver, which names this class, does without torch, a
third of its memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray import tune  # noqa: TID251  (the file that Ray sees)

if TYPE_CHECKING:
    from trainable.worker.trial_worker import TrialWorker


class RayTrainable(tune.Trainable):
    """Each ``step`` trains to the next milestone and returns its report."""

    worker: TrialWorker | None = None

    @staticmethod
    def new_worker() -> TrialWorker:
        from trainable.worker.trial_worker import TrialWorker

        return TrialWorker()

    def setup(self, config: dict[str, Any]) -> None:
        self.worker = self.new_worker()
        self.worker.setup(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        assert self.worker is not None, "it was set up"
        return self.worker.reset_config(new_config)

    def step(self) -> dict[str, Any]:
        assert self.worker is not None, "it was set up"
        return self.worker.step()

    def cleanup(self) -> None:
        if self.worker is not None:
            self.worker.cleanup()
