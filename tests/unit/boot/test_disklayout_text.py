"""Listings are read as `disklayout` reads them, and layouts printed byte for byte as it prints them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.boot.disklayout import NoLayoutError, lay_out
from smartos_wizard.boot.disklayout_text import error_text, layout_text, read_listing


def row(name: str, size: str = "600127266816", solid: str = "no", kind: str = "SCSI") -> str:
    return f"{kind}\t{name}\tMFG\tDISK\t{size}\tno\t{solid}\n"


def printed(text: str, layout: str = "", **more: Any) -> str:
    return layout_text(lay_out(read_listing(text).disks, layout, **more))


DEVICE = """{{
{t}	"name": "{name}",
{t}	"vid": "MFG",
{t}	"pid": "DISK",
{t}	"size": "{size}",
{t}	"solid_state": {solid}
{t}}}"""


def device(name: str, depth: int, size: str = "600127266816", solid: str = "false") -> str:
    return DEVICE.format(name=name, size=size, solid=solid, t="\t" * depth)


def test_a_single_disk_keeps_its_size_as_text() -> None:
    assert printed(row("a")) == (
        '{\n\t"vdevs": [\n\t\t' + device("a", 2) + '\n\t],\n\t"capacity": "600127266816"\n}\n'
    )


def test_spares_come_first_and_log_and_cache_last() -> None:
    text = "".join(map(row, "abc")) + row("l", "100030242816", "yes") + row("x", "300000000000")
    made = printed(text, "mirror", spares=1)
    assert made == (
        '{\n\t"spares": [\n\t\t' + device("c", 2) + '\n\t],\n\t"vdevs": [\n\t\t{\n\t\t\t"type": "mirror",\n'
        '\t\t\t"devices": [\n\t\t\t\t' + device("a", 4) + ",\n\t\t\t\t" + device("b", 4) + "\n\t\t\t]\n\t\t}\n\t],\n"
        '\t"capacity": 600127266816,\n\t"logs": [\n\t\t' + device("l", 2, "100030242816", "true") + "\n\t],\n"
        '\t"cache": [\n\t\t' + device("x", 2, "300000000000") + "\n\t]\n}\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "capacity"),
    [
        ("18014398509481985", "36028797018963970"),
        ("1000000000000000000000", "2e+21"),
        ("600127266816.5", "1200254533633"),
        ("600127266816.25", "1200254533632.5"),
        ("abc", "null"),
        ("Infinity", "null"),
    ],
)
def test_the_capacity_is_printed_as_javascript_prints_numbers(size: str, capacity: str) -> None:
    made = printed(row("a", size) + row("b", size) + row("c", size))
    assert made.splitlines()[-2] == f'\t"capacity": {capacity}'


def test_missing_columns_are_missing_in_the_output() -> None:
    made = printed("SCSI\ta\tMFG\n")
    assert made == '{\n\t"vdevs": [\n\t\t{\n\t\t\t"name": "a",\n\t\t\t"vid": "MFG",\n\t\t\t"solid_state": false\n\t\t}\n\t]\n}\n'  # fmt: skip


def test_text_is_escaped_as_json_and_otherwise_left_alone() -> None:
    made = printed('SCSI\ta"\\\x01é\U0001f600\tMFG\tDISK\t600127266816\tno\tno\n')
    assert '"name": "a\\"\\\\\\u0001é\U0001f600",' in made


def test_an_error_is_one_line() -> None:
    assert error_text(NoLayoutError("unknown layout x")) == "fatal error: unknown layout x\n"


@given(st.integers(1, 60), st.sampled_from(["", "mirror", "raidz1", "raidz2", "raidz3"]))
def test_what_is_printed_is_json_with_tabs(count: int, layout: str) -> None:
    text = "".join(row(f"d{n}") for n in range(count))
    try:
        made = printed(text, layout)
    except NoLayoutError:
        return
    assert json.dumps(json.loads(made), indent="\t") + "\n" == made


def test_nothing_but_space_lists_no_disk() -> None:
    for text in ("", "\n", " \t\n\n", "\ufeff\n"):
        assert read_listing(text).disks == ()


def test_lines_are_disks_whatever_they_say_but_without_a_name_they_are_none() -> None:
    listing = read_listing("SCSI\ta\n\nSCSI\nSCSI\t\tMFG\tDISK\t600127266816\tno\tno\n" + row("b", "0"))
    assert [disk.name for disk in listing.disks] == ["a", "b"]
    assert [number for number, _ in listing.odd] == [1, 3, 4, 5]


def test_only_the_word_yes_means_yes() -> None:
    listing = read_listing(row("a", solid="YES") + row("b", solid="yes") + row("c", solid=""))
    assert [disk.solid for disk in listing.disks] == [False, True, False]


def test_lines_from_windows_are_read() -> None:
    text = row("a", solid="yes") + row("b")
    assert read_listing(text.replace("\n", "\r\n")) == read_listing(text)


FOR_PEOPLE = """\
TYPE    DISK                    VID      PID              SIZE          RMV SSD
SCSI    c0t5000CCA05D3F0E50d0   HGST     HUSMM1640 ASS204  372.61 GiB    no  yes
SATA    c1t0d0                  ATA      WDC WD2000FYYZ-01 1863.02 GiB    no  no
USB     c2t0d0                  -        -                  14.91 GiB    yes no
NVME    c3t1d0 NVMe Samsung 960427851776 no yes
"""


def test_the_listing_for_people_is_read_too_with_rounded_sizes() -> None:
    listing = read_listing(FOR_PEOPLE)
    first, second, third, last = listing.disks
    assert (first.name, first.vendor, first.product) == ("c0t5000CCA05D3F0E50d0", "HGST", "HUSMM1640 ASS204")
    assert (first.solid, second.solid, third.removable) == (True, False, True)
    assert (second.product, second.bytes // 10**9) == ("WDC WD2000FYYZ-01", 2000)
    assert last == ListedDisk("NVME", "c3t1d0", "NVMe", "Samsung", "960427851776", False, True)
    assert (listing.odd, listing.rounded) == ((), True)


def test_headings_of_either_kind_are_no_disk() -> None:
    assert read_listing("TYPE\tDISK\tVID\tPID\tSIZE\tRMV\tSSD\n" + row("a")).odd == ()
    assert len(read_listing("TYPE\tDISK\tVID\tPID\tSIZE\tRMV\tSSD\n" + row("a")).disks) == 1


def test_sizes_with_a_unit_between_tabs() -> None:
    listing = read_listing(row("a", "558.91 GiB"))
    assert (listing.disks[0].size, listing.rounded) == (str(int(558.91 * 2**30)), True)


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    for disk in read_listing(text).disks:
        assert disk.name
