from __future__ import annotations

import numpy as np
import pytest

from trainable.losses.logit_temperature import LogitTemperature


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_with_cross_entropy_it_is_that_of_divided_logits(temperature, make_outputs):
    outputs = make_outputs()
    z = outputs.logits.detach().numpy().reshape(10, 7) / temperature
    expected = (np.log(np.exp(z).sum(1)) - z[np.arange(10), outputs.targets.numpy().reshape(10)]).mean()
    total = outputs.cross_entropy + LogitTemperature(temperature=temperature)(outputs)
    assert total.item() == pytest.approx(expected, rel=1e-12)


def test_its_ranges():
    for wrong in ({"weight": 0.0}, {"temperature": 0.0}):
        with pytest.raises(ValueError, match=r"LogitTemperature\..* but must be"):
            LogitTemperature(**wrong)
