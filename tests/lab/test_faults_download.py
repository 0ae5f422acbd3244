"""What the mirror and the way to it do wrong: F18, F19, F20, and the full disk of F22 (tests/lab/README.md)."""

from __future__ import annotations

import hashlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.rig import command, parts
from tests.lab.rig.mirror import MIB, NAME, STAMP, Faults, misbehaving, release

pytestmark = pytest.mark.lab

FILES = release()
GOOD = FILES[f"{STAMP}/{NAME}"]


def download(home: Path, url: str, to: Path, *more: str) -> command.Outcome:
    return command.run(home, "release", "download", STAMP, "--mirror", url, "--to", to, "--json", *more)


def failed(outcome: command.Outcome, code: int, to: Path) -> None:
    """It failed with that code, said so, and left nothing that could be taken for the release."""
    assert outcome.code == code, outcome.told()
    assert outcome.last["exit_code"] == code
    assert outcome.reference
    assert not (to / NAME).exists()


@pytest.fixture
def to(space: Path, home: Path) -> Iterator[Path]:
    path = home / "downloads"
    path.mkdir()
    return path


def arrived(outcome: command.Outcome, to: Path, data: bytes = GOOD) -> None:
    assert outcome.code == 0, outcome.told()
    assert (to / NAME).read_bytes() == data


def test_f18_a_connection_reset_each_mib_is_resumed_to_the_end(home: Path, to: Path) -> None:
    with misbehaving(FILES, Faults(cut_every=MIB)) as mirror:
        arrived(download(home, mirror.url, to), to)
        assert mirror.sent <= len(GOOD) + MIB, "more than 1 MiB was fetched again"
        assert len(mirror.big()) >= 6


def test_f18_a_wrong_content_length_is_decided_by_the_digest(home: Path, to: Path) -> None:
    with misbehaving(FILES, Faults(declare=5)) as mirror:
        arrived(download(home, mirror.url, to), to)


def test_f18_a_mirror_that_never_sends_the_end_is_given_up(home: Path, to: Path) -> None:
    with misbehaving(FILES, Faults(stop_at=len(GOOD) - 1000)) as mirror:
        failed(download(home, mirror.url, to), 5, to)


def test_f18_a_killed_download_goes_on_in_the_next_process(home: Path, to: Path) -> None:
    with misbehaving(FILES, Faults(hang_at=4 * MIB)) as mirror:
        words = ["release", "download", STAMP, "--mirror", mirror.url, "--to", str(to), "--json"]
        work = command.Running(command.argv(*words), home)
        work.wait_for(lambda event: event.get("event") == "advanced" and event["done"] >= 4 * MIB)
        work.kill()
        work.end()
        before = mirror.sent
        mirror.faults.hang_at = 0
        arrived(download(home, mirror.url, to), to)
        assert mirror.sent - before <= len(GOOD) - 4 * MIB + MIB


def test_f19_a_server_that_ignores_ranges_is_read_from_the_beginning(home: Path, to: Path) -> None:
    with misbehaving(FILES, Faults(cut_every=2 * MIB, cuts=1, ignore_range=True)) as mirror:
        arrived(download(home, mirror.url, to), to)


def test_f19_a_refused_range_begins_again(home: Path, to: Path) -> None:
    with misbehaving(FILES, Faults(cut_every=2 * MIB, cuts=1, refuse_range=True)) as mirror:
        arrived(download(home, mirror.url, to), to)


@pytest.mark.parametrize("no_etag", [False, True])
def test_f19_a_file_that_changes_meanwhile_is_never_spliced(home: Path, to: Path, no_etag: bool) -> None:
    # the new file is not the one the checksum list speaks of: whole and alone it must fail
    with misbehaving(FILES, Faults(cut_every=2 * MIB, cuts=1, change_after=1, no_etag=no_etag)) as mirror:
        failed(download(home, mirror.url, to), 6, to)
        assert not list(to.glob("*.part")), "the wrong file was kept to be resumed"


def test_f20_a_file_with_another_digest_is_refused(home: Path, to: Path) -> None:
    files = {**FILES, f"{STAMP}/{NAME}": GOOD[:-1] + b"?"}
    with misbehaving(files) as mirror:
        outcome = download(home, mirror.url, to)
        failed(outcome, 6, to)
        assert hashlib.sha256(GOOD).hexdigest() in outcome.stdout


@pytest.mark.parametrize(
    ("lists", "why"),
    [
        ({"sha256sums.txt": b"<html>login first</html>\n"}, "malformed"),
        ({"sha256sums.txt": b""}, "empty"),
        ({"sha256sums.txt": b"0123 " + NAME.encode() + b"\n"}, "too short"),
        (
            {"sha256sums.txt": hashlib.sha256(GOOD).hexdigest().encode() + b"  x" + NAME.encode()},
            "wrong name",
        ),
        ({}, "missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_f20_a_list_that_vouches_for_nothing_fails_closed(
    home: Path, to: Path, lists: dict[str, bytes], why: str
) -> None:
    files = {name: data for name, data in FILES.items() if not name.endswith("sums.txt")}
    files |= {f"{STAMP}/{name}": data for name, data in lists.items()}
    with misbehaving(files) as mirror:
        failed(download(home, mirror.url, to), 6, to)
        assert not mirror.big(), "a file that nothing vouches for was fetched"


@pytest.mark.parametrize(
    "line",
    [
        "{0} {1}\n",
        "{0}  {1}\n",
        "{0}  {1}\r\n",
        "# a comment\n{0} *{1}\n\nmore\n",
    ],
    ids=["one space", "two spaces", "CRLF", "extra lines"],
)
def test_f20_honest_lists_of_every_shape_are_understood(home: Path, to: Path, line: str) -> None:
    text = line.format(hashlib.sha256(GOOD).hexdigest(), NAME)
    with misbehaving({**FILES, f"{STAMP}/sha256sums.txt": text.encode()}) as mirror:
        arrived(download(home, mirror.url, to), to)


def test_a_file_published_again_under_the_same_stamp_is_refused(home: Path, to: Path) -> None:
    with misbehaving(FILES) as mirror:
        arrived(download(home, mirror.url, to), to)
    other = release(seed=4)
    again = home / "again"
    again.mkdir()
    with misbehaving(other) as mirror:
        outcome = download(home, mirror.url, again)
        failed(outcome, 6, again)
        for data in (GOOD, other[f"{STAMP}/{NAME}"]):
            assert hashlib.sha256(data).hexdigest() in outcome.stdout


def test_f22_a_full_disk_is_told_before_anything_is_fetched(home: Path, space: Path) -> None:
    parts.need_root()
    small = space / f"{home.name}-full"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "lab", str(small)], check=True)
    try:
        with misbehaving(FILES) as mirror:
            outcome = download(home, mirror.url, small)
            assert (outcome.code, outcome.reference) == (4, "no-space"), outcome.told()
            assert not (small / NAME).exists()
            assert mirror.sent == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_f22_a_read_only_cache_is_a_clear_word(home: Path, space: Path) -> None:
    parts.need_root()
    cache = home / "cache"
    cache.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "lab", str(cache)], check=True)
    try:
        with misbehaving(FILES) as mirror:
            outcome = command.run(home, "release", "download", STAMP, "--mirror", mirror.url, "--json")
            assert outcome.code not in (0, 130), outcome.told()
            assert outcome.reference != "internal-error", outcome.told()
            assert str(cache) in outcome.stdout
    finally:
        subprocess.run(["umount", str(cache)], check=True)


def test_f22_two_downloads_never_write_the_same_file(home: Path, to: Path) -> None:
    with misbehaving(FILES, Faults(hang_at=3 * MIB)) as mirror:
        words = ["release", "download", STAMP, "--mirror", mirror.url, "--to", str(to), "--json"]
        first = command.Running(command.argv(*words), home)
        first.wait_for(lambda event: event.get("event") == "advanced" and event["done"] >= MIB)
        second = download(home, mirror.url, to)
        assert second.code == 4, second.told()
        mirror.faults.hang_at = 0
        arrived(first.end(), to)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_cancelled_download_keeps_what_came(home: Path, to: Path, name: str) -> None:
    with misbehaving(FILES, Faults(hang_at=3 * MIB)) as mirror:
        words = ["release", "download", STAMP, "--mirror", mirror.url, "--to", str(to), "--json"]
        work = command.Running(command.argv(*words), home)
        work.wait_for(lambda event: event.get("event") == "advanced" and event["done"] >= 2 * MIB)
        work.signal(signal.Signals[name])
        outcome = work.end(5)
        assert outcome.code == 3, outcome.told()
        kept = [path.stat().st_size for path in to.glob("*.part*") if path.is_file()]
        assert max(kept) >= 2 * MIB
