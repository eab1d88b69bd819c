"""The protocol of a model variant: its knobs, and the network that it builds from them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from terminal.nearest import rule_of_names

from trainable.component import Component

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class Model(Component):
    """A model variant: its knobs are fields, its verb is :meth:`build`."""

    kind: ClassVar[str] = "model"
    abstract: ClassVar[bool] = True
    tables: ClassVar[tuple[str, ...]] = ("embedding",)  # roles of the lookup tables that the network has
    tables_of_source: ClassVar[tuple[str, ...]] = ()  # those that the source of the model keeps in bfloat16

    bf16_tables: tuple[str, ...] | None = None  # roles of tables in bfloat16 under precision bf16; null: as the source

    def __post_init__(self) -> None:
        super().__post_init__()
        for role in self.bf16_tables or ():
            self.check(role in self.tables, "bf16_tables", f"a list, each {rule_of_names(role, self.tables)}")

    @property
    def low_precision_tables(self) -> tuple[str, ...]:
        """Name the tables that are kept in bfloat16 where the precision is bf16."""
        return self.tables_of_source if self.bf16_tables is None else self.bf16_tables

    @property
    def has_learned_positions(self) -> bool:
        """Tell whether places beyond the training length are untrained, so that nothing longer may be evaluated."""
        return False

    @abstractmethod
    def build(self, vocab_size: int, seq_len: int) -> Network:
        """The initialised network, on the CPU, drawn from torch's global generator (the loop seeds it)."""

    @abstractmethod
    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        """Floating-point operations of one forward and backward pass, per token: 6 per matrix weight plus attention."""
