"""Numbers are read and printed as JavaScript does it, because `disklayout` is JavaScript."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.boot.disk_numbers import count_of, floor, half_up, number_of, number_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (600127266816.0, "600127266816"),
        (2.0**53, "9007199254740992"),
        (2.0**65, "36893488147419103000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e21, "1.5e+21"),
        (123456789012345678901234.0, "1.2345678901234569e+23"),
        (0.5, "0.5"),
        (22.5, "22.5"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-1.25e-9, "-1.25e-9"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_a_number_is_printed_as_javascript_prints_it(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("600127266816", 600127266816.0),
        ("", 0.0),
        (" \t12\ufeff", 12.0),
        ("0100", 100.0),
        ("1e12", 1e12),
        (".5", 0.5),
        ("5.", 5.0),
        ("-5", -5.0),
        ("0x10", 16.0),
        ("0b11", 3.0),
        ("0o17", 15.0),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("9" * 400, math.inf),
        ("0x" + "f" * 400, math.inf),
    ],
)
def test_text_is_read_as_javascript_reads_it(text: str, value: float) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize(
    "text", ["abc", "1_000", "nan", "inf", "12 34", "-0x10", "1e", "--Infinity", "٣", None]
)
def test_what_is_no_number_there_is_none_here(text: str | None) -> None:
    assert math.isnan(number_of(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("12", 12), (" 2 ", 2), ("+1", 1), ("007", 7), ("1.0", 1), ("1" + "0" * 22, 10**22)],
)
def test_a_number_of_disks(text: str, count: int) -> None:
    assert count_of(text, 0) == count


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1e1", "0x10", "1 2", "9" * 400])
def test_no_number_of_disks(text: str) -> None:
    with pytest.raises(ValueError):
        count_of(text, 0)


def test_a_number_of_disks_can_be_too_small() -> None:
    assert count_of("2", 2) == 2
    with pytest.raises(ValueError):
        count_of("1", 2)


@given(st.floats(allow_nan=False))
def test_what_is_printed_is_read_back(value: float) -> None:
    assert number_of(number_text(value)) == value


@given(st.integers(0, 10**21 - 10**6))
def test_whole_numbers_have_no_exponent_and_no_point(value: int) -> None:
    assert number_text(float(value)).isdigit()


@pytest.mark.parametrize(
    ("value", "rounded"), [(0.5, 1), (1.5, 2), (2.5, 3), (0.49, 0), (-0.5, 0), (-1.5, -1)]
)
def test_halves_go_up(value: float, rounded: float) -> None:
    assert half_up(value) == rounded


def test_endless_numbers_stay() -> None:
    assert (floor(math.inf), half_up(-math.inf)) == (math.inf, -math.inf)
    assert math.isnan(floor(math.nan))
