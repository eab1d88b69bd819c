from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from trainable.models.mlp import LeakyRelu2, Relu2
from trainable.schedules import Cosine, Tidal


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_a_range_holds_its_bounds_and_what_lies_between(value):
    for domain in (Uniform(0.1, 0.9), LogUniform(0.1, 0.9)):
        assert (value in domain) == (0.1 <= value <= 0.9)
        assert domain.low in domain and domain.high in domain


def test_an_integer_is_not_a_boolean_nor_a_float():
    domain = Integer(0, 4)
    assert 0 in domain and 4 in domain and 5 not in domain and -1 not in domain
    for other in (True, 2.0, "2", None):
        assert other not in domain


def test_a_number_in_a_range_is_not_a_boolean_nor_text():
    assert 1 in Uniform(0.0, 2.0)
    for other in (True, "1", None):
        assert other not in Uniform(0.0, 2.0)


def test_labels_are_told_apart_by_type():
    assert 1 in Choice(1, 2) and True not in Choice(1, 2) and 1.0 not in Choice(1, 2)
    assert True in Choice(True, False) and 1 not in Choice(True, False)
    assert None in Choice(None, 0.3) and "None" not in Choice(None, 0.3)


def test_components_are_labelled_by_their_class_or_by_a_name_given():
    domain = Choice(Cosine(), Tidal(), slow=Tidal(warmup_frac=0.6))
    assert domain.labels == ("Cosine", "Tidal", "slow")
    assert domain.options["slow"] == Tidal(warmup_frac=0.6)
    assert Choice.of({"0.01": LeakyRelu2(), "none": Relu2()}).labels == ("0.01", "none")


@pytest.mark.parametrize(
    ("domain", "column"),
    [
        (Uniform(0.0, 1.0), "float64"),
        (LogUniform(0.1, 1.0), "float64"),
        (Integer(0, 3), "int64"),
        (Choice(True, False), "bool"),
        (Choice(1, 2), "int64"),
        (Choice(None, 0.3), "float64"),
        (Choice(1, 0.5), "float64"),
        (Choice(Cosine(), Tidal()), "string"),
        (Choice(True, "learned"), "string"),
    ],
)
def test_the_column_of_the_results_can_hold_every_label(domain, column):
    assert domain.column_type == column


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Uniform(1.0, 1.0), "goes from 1.0 to 1.0 but must go up"),
        (lambda: Integer(3, 1), "goes from 3 to 1 but must go up"),
        (lambda: LogUniform(0.0, 1.0), "lower bound of a LogUniform is 0.0 but must be positive"),
        (lambda: LogUniform(2.0, 1.0), "must go up"),
        (lambda: Uniform(0.0, float("inf")), "is inf but must be a finite number"),
        (lambda: Uniform(float("nan"), 1.0), "is nan but must be a finite number"),
        (lambda: Uniform("0", 1.0), "is '0' but must be a finite number"),
        (lambda: Integer(0.5, 3), "bound of an Integer is 0.5 but must be a whole number"),
        (lambda: Integer(False, 3), "bound of an Integer is False but must be a whole number"),
        (lambda: Choice(1), "at least two options with labels of their own"),
        (lambda: Choice(Tidal(), Tidal(warmup_frac=0.6)), "at least two options with labels of their own"),
        (lambda: Choice(1, True), "at least two options with labels of their own"),
    ],
)
def test_a_domain_that_is_none_is_refused(build, says):
    with pytest.raises(ValueError, match=says):
        build()


def test_a_domain_reads_as_it_is_written_in_a_plan():
    domains = (Uniform(0.0, 0.4), LogUniform(0.001, 3.0), Integer(0, 4), Choice(None, 0.3, True))
    assert [str(d) for d in domains] == ["0 .. 0.4", "0.001 .. 3 (log)", "0 .. 4", "null | 0.3 | true"]
