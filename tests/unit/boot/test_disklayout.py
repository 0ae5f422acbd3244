"""Which pool is made of which disks: SmartOS's own rules, its errors word for word, and what holds for any disks."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.disk_classes import ListedDisk, size_class
from smartos_wizard.boot.disklayout import LAYOUTS, Layout, NoLayoutError, excluded, lay_out
from smartos_wizard.boot.disklayout_text import layout_text

GB = 10**9
TB = 10**12


def disks(count: int, size: int = 600 * GB, *, solid: bool = False, prefix: str = "d") -> list[ListedDisk]:
    return [
        ListedDisk("SCSI", f"{prefix}{n:04}", "MFG", "DISK", str(size), solid=solid) for n in range(count)
    ]


def shape(layout: Layout) -> tuple[str, list[int], int]:
    return layout.name, [len(vdev.disks) for vdev in layout.vdevs], len(layout.spares)


def names(some: tuple[ListedDisk, ...]) -> list[str]:
    return [disk.name for disk in some]


def error(*args: object, **more: object) -> str:
    with pytest.raises(NoLayoutError) as caught:
        lay_out(*args, **more)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    ("count", "made"),
    [
        (1, ("single", [1], 0)),
        (2, ("mirror", [2], 0)),
        (3, ("raidz1", [3], 0)),
        (4, ("raidz1", [4], 0)),
        (5, ("raidz2", [5], 0)),
        (6, ("raidz2", [6], 0)),
        (7, ("mirror", [2] * 3, 1)),
        (8, ("mirror", [2] * 3, 2)),
        (16, ("mirror", [2] * 7, 2)),
        (17, ("raidz2", [8] * 2, 1)),
    ],
)
def test_the_default_for_spinning_disks(count: int, made: tuple[str, list[int], int]) -> None:
    assert shape(lay_out(disks(count))) == made


@pytest.mark.parametrize(
    ("count", "made"),
    [
        (5, ("raidz1", [5], 0)),
        (6, ("raidz1", [3, 3], 0)),
        (7, ("raidz2", [7], 0)),
        (11, ("raidz2", [11], 0)),
        (12, ("mirror", [2] * 5, 2)),
    ],
)
def test_the_default_for_solid_state_disks(count: int, made: tuple[str, list[int], int]) -> None:
    assert shape(lay_out(disks(count, solid=True))) == made


@pytest.mark.parametrize(
    ("count", "size", "name"),
    [(7, 4 * TB, "mirror"), (8, 4 * TB, "raidz2"), (8, 1500 * GB, "mirror"), (8, 1500 * GB + 1, "raidz2")],
)
def test_more_than_seven_large_disks_become_raidz2(count: int, size: int, name: str) -> None:
    assert lay_out(disks(count, size)).name == name


@pytest.mark.parametrize(
    ("count", "spares", "made"),
    [
        (3, 1, ("mirror", [2], 1)),
        (6, 0, ("raidz1", [3, 3], 0)),
        (6, 1, ("raidz1", [5], 1)),
        (7, 0, ("raidz2", [7], 0)),
        (13, 0, ("raidz3", [13], 0)),
        (15, 0, ("raidz1", [3] * 5, 0)),
        (16, 1, ("raidz1", [3] * 5, 1)),
        (8, 0, ("mirror", [2] * 4, 0)),
        (26, 0, ("raidz1", [], 0)),
    ][:-1],
)
def test_spares_that_are_asked_for_change_the_layout(count: int, spares: int, made: object) -> None:
    assert shape(lay_out(disks(count), spares=spares)) == made


@pytest.mark.parametrize(
    ("width", "made"),
    [
        (2, ("mirror", [2] * 6, 0)),
        (5, ("raidz1", [5, 5], 2)),
        (7, ("raidz2", [7], 5)),
        (12, ("raidz2", [12], 0)),
    ],
)
def test_a_width_that_is_asked_for_chooses_the_layout(width: int, made: object) -> None:
    assert shape(lay_out(disks(12), width=width)) == made


def test_a_wide_raidz_may_be_asked_for() -> None:
    assert shape(lay_out(disks(30), "raidz1", width=15)) == ("raidz1", [15, 15], 0)
    assert shape(lay_out(disks(21), width=21)) == ("raidz3", [21], 0)


def test_disks_that_do_not_fill_a_vdev_of_the_asked_width_are_left() -> None:
    made = lay_out(disks(10), "raidz1", spares=1, width=4)
    assert (shape(made), names(made.left)) == (("raidz1", [4, 4], 1), ["d0008"])
    assert names(made.spares) == ["d0009"]


def test_without_a_width_a_mirror_of_one_can_remain() -> None:
    assert shape(lay_out(disks(5), "mirror", spares=0)) == ("mirror", [2, 2, 1], 0)


def test_single_takes_the_smallest_disk_and_leaves_the_others() -> None:
    made = lay_out([*disks(1, 610 * GB, prefix="b"), *disks(1, 600 * GB, prefix="a")], "single")
    assert (names(made.vdevs[0].disks), names(made.left)) == (["a0000"], ["b0000"])


@pytest.mark.parametrize(
    ("count", "options", "said"),
    [
        (0, {}, "no primary storage disks available"),
        (1, {"spares": 1}, "too many spares (1) for this disk configuration"),
        (3, {"spares": 10**22}, "too many spares (1e+22) for this disk configuration"),
        (19, {"spares": 2}, "invalid number of spares (2) for this disk configuration"),
        (67, {"spares": 0}, "invalid number of spares (0) for this disk configuration"),
        (3, {"layout": "raidz"}, "unknown layout raidz"),
        (3, {"layout": "Mirror"}, "unknown layout Mirror"),
        (1, {"layout": "mirror"}, "at least 2 disks are required for mirroring"),
        (3, {"layout": "single", "spares": 1}, "spares are not allowed for a single disk pool"),
        (9, {"layout": "mirror", "spares": 6, "width": 4}, "4 is an invalid width for mirroring and 3 disks"),
        (2, {"layout": "raidz1"}, "no acceptable raidz layout is possible with 2 disks"),
        (4, {"layout": "raidz2"}, "no acceptable raidz2 layout is possible with 4 disks"),
        (6, {"layout": "raidz2", "spares": 1}, "no acceptable raidz2 layout is possible with 6 disks"),
        (14, {"layout": "raidz2", "spares": 1}, "no acceptable raidz2 layout is possible with 14 disks and 1 spare"),
        (9, {"layout": "raidz1", "spares": 2}, "no acceptable raidz layout is possible with 9 disks and 2 spares"),
        (9, {"layout": "raidz1", "width": 2}, "2 is an invalid width for raidz and 9 disks (min: 3, default max: 6)"),
        (5, {"layout": "raidz2", "width": 7}, "7 is an invalid width for raidz2 and 5 disks (min: 5, default max: 5)"),
        (20, {"layout": "raidz3", "width": 8}, "8 is an invalid width for raidz3 and 20 disks (min: 9, default max: 20)"),
        (9, {"layout": "raidz1", "spares": 1, "width": 9}, "9 is an invalid width for raidz and 1 spares"),
    ],
)  # fmt: skip
def test_errors_are_disklayouts_own_words(count: int, options: dict[str, object], said: str) -> None:
    assert error(disks(count), **options) == said


def test_the_spares_are_judged_before_the_layout() -> None:
    assert error(disks(2), "nonsense", spares=2).startswith("too many spares")


@pytest.mark.parametrize(
    ("size", "gigabytes"),
    [
        (20 << 30, 22.5),
        (25 << 30, 27),
        (32 << 30, 36),
        (1_940_000_256, 2),
        (600127266816, 600),
        (1600321314816, 1600),
        (499_999_999, 0),
        (500_000_000, 1),
        (0, 0),
    ],
)
def test_the_size_class(size: int, gigabytes: float) -> None:
    assert size_class(float(size)) == gigabytes


def test_sizes_within_five_per_cent_are_one_class() -> None:
    assert shape(lay_out([*disks(2, 600 * GB), *disks(2, 619 * GB, prefix="e")])) == ("raidz1", [4], 0)
    apart = lay_out([*disks(2, 600 * GB), *disks(2, 700 * GB, prefix="e")])
    assert (shape(apart), names(apart.cache)) == (("mirror", [2], 0), ["d0000", "d0001"])


def test_the_largest_spinning_disks_store_and_few_small_ssds_are_the_log() -> None:
    some = [
        *disks(4, 100 * GB, solid=True, prefix="log"),
        *disks(2, 800 * GB, solid=True, prefix="cache"),
        *disks(2),
    ]
    made = lay_out(some)
    assert (shape(made), len(made.logs), names(made.cache)) == (
        ("mirror", [2], 0),
        4,
        ["cache0000", "cache0001"],
    )


def test_five_small_ssds_are_cache() -> None:
    made = lay_out([*disks(5, 100 * GB, solid=True), *disks(2)])
    assert (made.logs, len(made.cache)) == ((), 5)


def test_without_cache_those_disks_are_not_used() -> None:
    made = lay_out([*disks(5, 100 * GB, solid=True), *disks(2)], cache=False)
    assert (made.cache, len(made.ignored)) == ((), 5)


def test_only_ssds_the_largest_store() -> None:
    some = [*disks(3, 1600 * GB, solid=True, prefix="big"), *disks(2, 100 * GB, solid=True)]
    made = lay_out(some)
    assert (shape(made), names(made.logs)) == (("raidz1", [3], 0), ["d0000", "d0001"])


def test_removable_and_tiny_disks_are_not_used() -> None:
    key = ListedDisk("USB", "key", "", "", "15737028608", removable=True)
    made = lay_out([key, *disks(1, 400_000_000, prefix="tiny"), *disks(2)])
    assert (shape(made), names(made.ignored)) == (("mirror", [2], 0), ["key", "tiny0000"])


def test_the_largest_disks_are_the_spares() -> None:
    some = [*disks(6), *disks(1, 601 * GB, prefix="a")]
    assert names(lay_out(some).spares) == ["a0000"]


def test_a_disk_may_be_left_out_in_any_case() -> None:
    assert names(excluded(disks(3), "D0001,d0000")) == ["d0002"]
    assert names(excluded(disks(2), "D0001, d0000")) == ["d0000"]  # a blank belongs to the name, as there


SIZES = st.sampled_from(
    [
        400_000_000,
        20 << 30,
        100 * GB,
        480 * GB,
        600127266816,
        619 * GB,
        960 * GB,
        1600321314816,
        4 * TB,
        18 * TB,
    ]
) | st.integers(1, 30 * TB)
DISKS = st.lists(
    st.builds(
        lambda number, size, removable, solid: ListedDisk(
            "SCSI", f"d{number}", "V", "P", str(size), removable, solid
        ),
        st.integers(0, 10**6),
        SIZES,
        st.sampled_from([False] * 9 + [True]),
        st.booleans(),
    ),
    max_size=40,
    unique_by=lambda disk: disk.name,
)
ASKED = st.sampled_from(["", *LAYOUTS])
NUMBER = st.none() | st.integers(0, 12)


def made_of(
    some: list[ListedDisk], layout: str, spares: int | None, width: int | None, cache: bool
) -> Layout:
    try:
        return lay_out(some, layout, spares=spares, width=None if width is None else width + 2, cache=cache)
    except NoLayoutError:
        assume(False)
        raise


@settings(max_examples=60)
@given(DISKS, ASKED, NUMBER, NUMBER, st.booleans())
def test_every_disk_has_exactly_one_place(
    some: list[ListedDisk], layout: str, spares: int | None, width: int | None, cache: bool
) -> None:
    made = made_of(some, layout, spares, width, cache)
    placed = [disk for vdev in made.vdevs for disk in vdev.disks]
    placed += [*made.spares, *made.logs, *made.cache, *made.left, *made.ignored]
    assert Counter(placed) == Counter(some)
    if spares is not None:
        assert len(made.spares) == spares


@settings(max_examples=60)
@given(DISKS, ASKED, NUMBER, NUMBER, st.booleans())
def test_the_capacity_is_what_the_smallest_disk_of_each_vdev_allows(
    some: list[ListedDisk], layout: str, spares: int | None, width: int | None, cache: bool
) -> None:
    made = made_of(some, layout, spares, width, cache)
    parity = {"raidz": 1, "raidz2": 2, "raidz3": 3}
    total = 0.0
    for vdev in made.vdevs:
        data = len(vdev.disks) - parity[vdev.kind] if vdev.kind in parity else 1
        total += data * min(disk.bytes for disk in vdev.disks)
    assert made.capacity == total
    biggest = max(disk.bytes for vdev in made.vdevs for disk in vdev.disks)
    assert all(spare.bytes >= biggest for spare in made.spares)


@given(DISKS, ASKED, st.randoms(use_true_random=False))
def test_the_order_of_the_listing_does_not_matter_for_disks_of_one_class(
    some: list[ListedDisk], layout: str, chance: random.Random
) -> None:
    alike = [ListedDisk("SCSI", disk.name, "V", "P", "600127266816") for disk in some]
    made = made_of(alike, layout, None, None, True)
    chance.shuffle(alike)
    assert layout_text(lay_out(alike, layout)) == layout_text(made)


@pytest.mark.parametrize("growth", [1.0, 1.012, 1.06])
def test_a_thousand_disks_take_less_than_a_twentieth_of_a_second(growth: float) -> None:
    many = [ListedDisk("SCSI", f"d{n}", "V", "P", str(int(4 * TB * growth**n))) for n in range(1000)]
    random.Random(1).shuffle(many)
    best = 9.0
    for _ in range(10):  # of this process alone: what else the machine does is not counted
        start = time.process_time()
        layout_text(lay_out(many))
        best = min(best, time.process_time() - start)
    assert best < 0.05
