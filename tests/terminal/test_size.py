from __future__ import annotations

import pytest

from terminal.size import size


@pytest.mark.parametrize(
    ("num_bytes", "said"),
    [
        (0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (1_058_000, "1.06 MB"), (68_317_184, "68.3 MB"),
        (999_600_000, "1,000 MB"), (1e9, "1 GB"), (123_400_000_000_000, "123,400 GB"),
    ],
)  # fmt: skip
def test_bytes_are_said_in_decimal_units(num_bytes, said) -> None:
    assert size(num_bytes) == said
