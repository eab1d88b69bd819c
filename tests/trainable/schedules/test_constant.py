from __future__ import annotations

from trainable.schedules import Constant


def test_constant_is_one():
    assert Constant()(0.0) == Constant()(1.0) == 1
