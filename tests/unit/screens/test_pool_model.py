"""What is shown of a pool as one types: picture, words, and what is wrong, without a screen."""

from __future__ import annotations

import shlex
import time

import pytest

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.boot.disk_specs import MOST_DISKS, from_specs, spec_of, words_of
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.media.host_disks import Host
from smartos_wizard.screens.pool_model import EXAMPLE, LAYOUTS, MOST, SPARES, Asked, flags_of, look, sentences

HOST = Host(
    tuple(ListedDisk("SCSI", f"sd{x}", "-", "-", "4000787030016", solid=False) for x in "bcd"),
    (("sde", "on USB"),), ("sdb",), 32 << 30,
)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("8x4TB 400GB:ssd", ["8x4TB", "400GB:ssd"]),
        (" 8 x 4 TB , 400 GB : ssd ;", ["8x4TB", "400GB:ssd"]),
        ("2×1TiB+3*500gb", ["2x1TiB", "3x500gb"]),
        ("4TB", ["4TB"]),
        ("", []),
        (" ,;+ ", []),
    ],
)
def test_disks_are_read_as_people_write_them(line: str, words: list[str]) -> None:
    assert list(words_of(line)) == words
    assert all(spec_of(word).size for word in words)


@pytest.mark.parametrize("word", ["", "x", "8x", "x4TB", "0x4TB", "4", "0", "4TBB", "4TB:", "4TB:nvme", "-4TB", "8x8x4TB", "NaN", "1e999TB", "٤TB"])  # fmt: skip
def test_what_is_no_disk_is_said_in_a_sentence(word: str) -> None:
    if word == "4":  # four bytes are a size, though of no disk that is used
        assert spec_of(word).size == 4
        return
    with pytest.raises(ValueError, match=r"\.$"):
        spec_of(word)


def test_more_disks_than_anybody_has_are_refused() -> None:
    with pytest.raises(UsageProblem, match="more than this command"):
        from_specs([spec_of(f"{MOST_DISKS + 1}x4TB")])


def test_the_pool_is_drawn_with_what_matters() -> None:
    seen = look(Asked("8x4TB 400GB:ssd"), 76)
    assert any("raidz2" in line for line in seen.picture)
    assert seen.said == "9 disks, 1 of them SSD, 32.4 TB together"
    assert seen.headline == "21.8 TiB usable, any 2 disks may fail"
    assert not seen.wrong
    assert all(len(line) <= 76 for line in seen.picture)


def test_ascii_is_ascii() -> None:
    assert "".join(look(Asked(EXAMPLE), 60, ascii_only=True).picture).isascii()


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        (Asked("8x4TB nonsense"), "disks", "'nonsense' is no disk"),
        (Asked(f"{MOST + 1}x4TB"), "disks", "the command below"),
        (Asked("100kB"), "disks", "none of these"),
        (Asked("2x4TB", spares="2"), "spares", "too many"),
        (Asked("4TB", layout="single", spares="1"), "spares", "too many"),
        (Asked("4TB", layout="mirror"), "layout", "second disk"),
        (Asked("2x4TB", layout="raidz3"), "layout", "not with these"),
        (Asked("2x4TB", ram="lots"), "ram", "“lots” is no size"),
        (Asked("2x4TB", ram="[bold]"), "ram", "no size"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(asked: Asked, field: str, words: str) -> None:
    seen = look(asked, 76)
    assert list(seen.wrong) == [field]
    assert words in seen.wrong[field]
    assert bool(seen.picture) == (field == "ram")
    computed = words in ("none of these", "too many", "second disk", "not with these")
    assert bool(seen.why) == computed  # the rest was not even a question


def test_nothing_typed_is_nothing_wrong() -> None:
    seen = look(Asked(), 76)
    assert not seen.wrong
    assert not seen.picture
    assert "alike" in seen.said


def test_every_layout_and_number_of_spares_gives_a_pool_or_words() -> None:
    for layout in LAYOUTS:
        for spares in SPARES:
            for line in ("4TB", "2x4TB", "3x4TB", "8x4TB 2x400GB:ssd", "24x8TB", "4TB 3TB 2TB"):
                seen = look(Asked(line, layout=layout.value, spares=spares.value), 60)
                assert bool(seen.picture) != bool(seen.why), (layout, spares, line)
                said = " ".join([seen.why, *(s for _, s in seen.rows), *(s for _, s in seen.notes)])
                assert " -s" not in said, said
                assert "--" not in said, said


def test_the_disks_of_this_machine_take_the_place_of_those_typed() -> None:
    seen = look(Asked("nonsense", HOST), 76)
    assert seen.said.startswith("this machine's: 3 disks, 12 TB")
    assert any("sdb" in line for line in seen.picture)
    assert any("32.0 GiB" in sentence for word, sentence in seen.rows if word == "Swap")
    assert HOST.remarks == (
        "Left out by setup: sde (on USB).",
        "sdb holds what runs on this machine now; setup would erase it.",
    )


def test_the_memory_that_is_typed_counts_before_that_of_this_machine() -> None:
    seen = look(Asked(host=HOST, ram="64GiB"), 76)
    assert any("64.0 GiB" in sentence for word, sentence in seen.rows if word == "Swap")


def test_the_command_that_does_the_same() -> None:
    from smartos_wizard.cli.pool_preview import preview_command

    asked = Asked(" 8 x 4 TB, 400GB:ssd", layout="mirror", spares="2", ram="64 GiB")
    words = shlex.split(flags_of(asked))
    assert words == [
        "--disk",
        "8x4TB",
        "--disk",
        "400GB:ssd",
        "--layout",
        "mirror",
        "-s",
        "2",
        "--ram",
        "64 GiB",
    ]
    context = preview_command.make_context("preview", words)
    assert [str(s.count) for s in context.params["specs"]] == ["8", "1"]
    assert flags_of(Asked("x", HOST)) == "--this-host"


def test_sentences_stay_within_their_width() -> None:
    seen = look(Asked("3x4TB 2x2TB", spares="0", layout="raidz1"), 60)
    lines = [f"{word:<10}{rest}" for word, rest in sentences(seen, 60)]
    assert all(len(line) <= 60 for line in lines)
    assert sum(not line.strip() for line in lines) == 1 + bool(seen.notes)


def test_a_thousand_disks_are_drawn_at_once() -> None:
    look(Asked("9x4TB"), 76)
    taken = []
    for _ in range(5):  # the best of them: others may be at work on this machine too
        begin = time.process_time()
        assert look(Asked("980x4TB 20x400GB:ssd"), 76).picture
        taken.append(time.process_time() - begin)
    assert min(taken) < 0.1
