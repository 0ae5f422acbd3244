from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.core import text


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.00 KiB"),
        (1_940_000_256, "1.81 GiB"),
        (30_752_000_000, "28.6 GiB"),
    ],
)
def test_sizes_are_binary_with_three_figures(count: int, words: str) -> None:
    assert text.size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (40, "40 s"), (70, "1 min 10 s"), (1500, "25 min"), (7500, "2 h 5 min")],
)
def test_durations_are_no_more_exact_than_they_deserve(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize(
    ("days", "words"), [(0, "today"), (1, "1 day"), (13, "13 days"), (80, "11 weeks"), (400, "13 months")]
)
def test_ages(days: int, words: str) -> None:
    assert text.age(days * 86400) == words


@given(st.text())
def test_a_tamed_name_holds_no_control_or_direction_characters(name: str) -> None:
    tame = text.tame(name)
    assert len(tame) <= 64
    assert all(c.isprintable() for c in tame)
    assert not set(tame) & set("\u202e\u200f\x1b\n\t")


def test_a_hostile_name_cannot_turn_the_line_round() -> None:
    assert text.tame("San\u202eDisk\x1b[31m \n Ultra") == "SanDisk[31m Ultra"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("512", 512),
        ("16G", 16 << 30),
        ("16 GiB", 16 << 30),
        ("1.5t", 3 << 39),
        ("512MB", 512_000_000),
        ("4TB", 4 * 10**12),
        ("7 B", 7),
    ],
)
def test_a_size_is_read_as_zfs_prints_it_and_as_disks_are_sold(words: str, count: int) -> None:
    assert text.parse_size(words) == count


@pytest.mark.parametrize("words", ["", "G", "-1G", "1,5G", "1e9", "16 gigs", "٣G", "1 KBB", "9" * 400])
def test_what_is_no_size_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        text.parse_size(words)


def test_a_long_path_is_broken_after_a_slash() -> None:
    lines = text.folded("12 files in /home/me/.local/state/smartos-wizard/guests/lab", 40, indent="  ")
    assert lines == ["12 files in /home/me/.local/state/", "  smartos-wizard/guests/lab"]


@given(st.text("ab-/ ", max_size=90), st.integers(8, 40))
def test_folding_loses_nothing_and_keeps_the_width(words: str, width: int) -> None:
    lines = text.folded(words, width, indent="  ")
    assert all(len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(words.split())
