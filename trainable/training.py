"""A training as a search sees it, whatever it is that trains: a seed, a budget and an identity."""

from __future__ import annotations

from dataclasses import Field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from trainable.config import Budget


class Training(Protocol):
    """A frozen dataclass that decides the result of a training: ``TrainConfig``, or the config of a user's function."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # so that ``replace`` takes it

    @property
    def seed(self) -> int:
        """The seed of all its draws."""

    @property
    def budget(self) -> Budget:
        """The training that it is given."""

    def key(self, data_fingerprint: str) -> str:
        """Return its identity: equal keys are the same computation."""
