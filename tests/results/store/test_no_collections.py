"""The garbage collector rests while a large campaign is read, and is left as it was."""

from __future__ import annotations

import gc

import pytest

from results.store.no_collections import no_collections


@pytest.mark.parametrize("is_on", [True, False])
def test_it_rests_in_the_block_and_is_as_before_behind_it_also_after_an_error(is_on: bool) -> None:
    was_on = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        with pytest.raises(ValueError, match="bad"), no_collections():
            with no_collections():
                assert not gc.isenabled()
            assert not gc.isenabled(), "the block around it goes on"
            raise ValueError("bad")
        assert gc.isenabled() == is_on
    finally:
        (gc.enable if was_on else gc.disable)()
