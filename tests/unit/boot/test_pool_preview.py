"""What a person is told of the pool: the picture, what may break, what is left, and the traps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.boot.disklayout import NoLayoutError, lay_out
from smartos_wizard.boot.pool_picture import pool_picture, shown_name, sold
from smartos_wizard.boot.pool_preview import preview_of, summary, what_to_do

GB = 10**9
TB = 10**12
GIB = 1 << 30


def disks(count: int, size: int = 600 * GB, *, solid: bool = False, prefix: str = "d") -> list[ListedDisk]:
    return [ListedDisk("SCSI", f"{prefix}{n}", "MFG", "DISK", str(size), solid=solid) for n in range(count)]


def told(some: list[ListedDisk], layout: str = "", **more: Any) -> dict[str, str]:
    return dict(summary(preview_of(some, layout, **more)))


def noted(some: list[ListedDisk], layout: str = "", **more: Any) -> dict[str, str]:
    return {note.reference: note.level for note in preview_of(some, layout, **more).notes}


def test_the_picture_shows_vdevs_spares_log_and_cache() -> None:
    some = [*disks(7), *disks(2, 100 * GB, solid=True, prefix="s"), *disks(1, 300 * GB, prefix="x")]
    assert pool_picture(lay_out(some)) == [
        "zones  1.8 TB for data",
        "├─ mirror  2 disks, 1 of 2 may fail",
        "│  [d0 600 GB] [d1 600 GB]",
        "├─ mirror  2 disks, 1 of 2 may fail",
        "│  [d2 600 GB] [d3 600 GB]",
        "├─ mirror  2 disks, 1 of 2 may fail",
        "│  [d4 600 GB] [d5 600 GB]",
        "├─ 1 spare  in place of a disk that failed",
        "│  [d6 600 GB]",
        "├─ log  2 disks: writes that must not wait",
        "│  [s0 100 GB ssd] [s1 100 GB ssd]",
        "└─ cache  1 disk: reads that come again",
        "   [x0 300 GB]",
    ]


def test_the_picture_in_ascii() -> None:
    drawn = pool_picture(lay_out(disks(2)), ascii=True)
    assert drawn[1:] == ["`- mirror  2 disks, 1 of 2 may fail", "   [d0 600 GB] [d1 600 GB]"]


def test_a_thousand_disks_fit_a_screen_unless_all_are_asked_for() -> None:
    made = lay_out(disks(1000))
    assert len(pool_picture(made)) < 24
    assert any("81 more raidz2 like these" in line for line in pool_picture(made))
    whole = "\n".join(pool_picture(made, whole=True))
    assert all(f"[d{n} " in whole for n in range(1000))


@given(
    st.integers(1, 60),
    st.integers(40, 200),
    st.booleans(),
    st.sampled_from([*range(GB, 4 * GB, GB), 600 * GB, 4 * TB]),
    st.booleans(),
)
def test_lines_are_no_wider_than_asked(count: int, width: int, ascii: bool, size: int, whole: bool) -> None:
    drawn = pool_picture(lay_out(disks(count, size)), width, ascii, whole=whole)
    assert max(map(len, drawn)) <= width + (5 if width < 50 else 0)
    assert not ascii or "".join(drawn).isascii()


def test_every_disk_of_a_small_pool_is_in_the_picture_once() -> None:
    drawn = "\n".join(pool_picture(lay_out(disks(16))))
    assert all(drawn.count(f"[d{n} ") == 1 for n in range(16))


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (600127266816, "600 GB"),
        (1600321314816, "1.6 TB"),
        (3840755982336, "3.84 TB"),
        (999_700_000_000, "1 TB"),
        (10**27, "1e+03 YB"),
        (0, "size unknown"),
        (float("nan"), "size unknown"),
        (float("inf"), "size unknown"),
    ],
)
def test_sizes_as_sold(count: float, words: str) -> None:
    assert sold(count) == words


def test_a_name_cannot_lie() -> None:
    assert shown_name("c0\x1b[31m\u202ed0é") == "c0[31md0?"


@pytest.mark.parametrize(
    ("count", "layout", "least", "most"),
    [
        (1, "", 0, 0),
        (2, "", 1, 1),
        (4, "", 1, 1),
        (6, "", 2, 2),
        (7, "", 1, 3),
        (12, "raidz3", 3, 3),
        (24, "", 2, 4),
    ],
)
def test_how_many_disks_may_fail(count: int, layout: str, least: int, most: int) -> None:
    made = preview_of(disks(count), layout)
    assert (made.any_may_fail, made.most_may_fail) == (least, most)


def test_swap_and_dump_come_off_the_pool() -> None:
    made = preview_of(disks(2), ram=64 * GIB)
    assert (made.swap, made.dump, made.left) == (64 * GIB, GIB, 600 * GB - 65 * GIB)
    assert preview_of(disks(2)).left is None
    assert "Left" not in told(disks(2))
    assert told(disks(2), ram=64 * GIB)["Swap"] == "64.0 GiB, as much as the RAM."


def test_a_pool_that_cannot_hold_swap_is_an_error() -> None:
    assert noted(disks(2, 20 * GB), ram=64 * GIB)["pool-too-small"] == "error"
    assert "pool-nearly-full" in noted(disks(2, 20 * GB), ram=12 * GIB)
    assert noted(disks(2, 600 * GB), ram=64 * GIB) == {}


def test_the_size_is_told_as_setup_shows_it() -> None:
    assert "“1676.74 GB”" in told(disks(7, 600127266816))["Usable"]


@pytest.mark.parametrize(
    ("layout", "note"), [("mirror", "only-when-asked"), ("raidz1", "only-by-hand"), ("", None)]
)
def test_what_setup_cannot_be_asked_for_is_told(layout: str, note: str | None) -> None:
    assert set(noted(disks(4), layout)) == ({note} if note else set())


def test_spares_widths_and_no_cache_are_made_by_hand() -> None:
    for more in ({"spares": 1}, {"width": 2}, {"cache": False}):
        assert "only-by-hand" in noted(disks(8), **more)


def test_a_disk_that_stands_alone_is_told() -> None:
    assert noted(disks(1)) == {"no-redundancy": "warning"}
    assert noted(disks(5), "mirror", spares=0)["mirror-of-one"] == "error"


def test_one_larger_disk_that_turns_all_others_into_cache_is_told() -> None:
    some = [*disks(8, 4 * TB), *disks(1, 6 * TB, prefix="big")]
    assert noted(some) == {"no-redundancy": "warning", "spinning-cache": "warning"}
    assert noted([*disks(8, 4 * TB), *disks(5, 400 * GB, solid=True, prefix="s")]) == {}


def test_uneven_sizes_and_usb_and_sizes_that_are_none_are_told() -> None:
    assert noted([*disks(1), *disks(1, 619 * GB, prefix="e")]) == {"uneven-sizes": "info"}
    usb = ListedDisk("USB", "u", "", "", str(600 * GB))
    assert "usb-disk" in noted([usb, *disks(2)])
    odd = [ListedDisk("SCSI", name, "", "", "abc") for name in "ab"]
    made = preview_of(odd)
    assert (made.capacity, noted(odd)["size-unknown"]) == (0, "error")
    assert "size unknown" in "\n".join(pool_picture(made.layout))


def test_what_is_not_used_is_told_with_the_reason() -> None:
    key = ListedDisk("USB", "key", "", "", str(16 * GB), removable=True)
    some = [key, *disks(1, 10**8, prefix="tiny"), *disks(5, 100 * GB, solid=True, prefix="s"), *disks(2)]
    made = dict(summary(preview_of(some, cache=False)))
    assert made["Not used"] == "key (removable); tiny0 (too small); s0, s1, s2, s3, s4 (would be cache)."
    assert told(disks(3), "single")["Not used"] == "d1, d2 (not wanted)."
    assert told(disks(10), "raidz1", spares=1, width=4)["Not used"] == "d8 (left over)."


ERRORS: list[tuple[list[ListedDisk], dict[str, Any]]] = [
    ([], {}),
    (disks(3), {"spares": 2}),
    (disks(19), {"spares": 0}),
    (disks(3), {"layout": "zfs"}),
    (disks(1), {"layout": "mirror"}),
    (disks(3), {"layout": "single", "spares": 1}),
    (disks(2), {"layout": "raidz1"}),
    (disks(9), {"layout": "raidz1", "width": 2}),
]


def test_every_error_has_advice_of_its_own() -> None:
    advice = []
    for some, options in ERRORS:
        with pytest.raises(NoLayoutError) as caught:
            preview_of(some, **options)
        advice.append(what_to_do(caught.value))
    assert len(set(advice)) == len(ERRORS)
