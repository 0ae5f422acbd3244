"""The practice place is made at once, by any number of processes, and nothing outside it is ever opened."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.paths import below
from smartos_wizard.media.disks.judge import file_target, fingerprint_of
from smartos_wizard.media.model import Disk, Fingerprint, Target
from smartos_wizard.practice.place import PracticePlace
from smartos_wizard.practice.stamps import NEWEST

ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[PracticePlace]:
    made = PracticePlace.prepare(below(tmp_path))
    yield made
    made.close()


def forged(path: str, *, regular_file: bool = False, size: int = 4096) -> Target:
    disk = Disk(path, size, serial="X", removable=True, read_only=False, sector=512)
    return Target(disk, Fingerprint(path, size, serial="X"), regular_file=regular_file)


def quietly(_reference: str, _data: dict[str, str]) -> None:
    pass


def test_preparing_and_listing_disks_takes_less_than_a_blink(tmp_path):
    begun = time.monotonic()
    place = PracticePlace.prepare(below(tmp_path))
    assert len(place.disks.list()) > 8
    assert place.mirror_url.startswith("http://127.0.0.1:")
    took = time.monotonic() - begun
    place.close()
    assert took < 0.5


def test_the_first_listing_and_the_first_sums_come_within_seconds(place):
    begun = time.monotonic()
    assert requests.get(place.mirror_url, timeout=20).ok
    assert requests.get(f"{place.mirror_url}{NEWEST}/sha256sums.txt", timeout=20).ok
    assert time.monotonic() - begun < 5


def test_practice_keeps_its_own_settings_store_and_jobs(tmp_path, place):
    real = below(tmp_path)
    for name in ("config", "cache", "state", "runtime"):
        mine = getattr(place.paths, name)
        assert mine.is_relative_to(real.cache / "practice")
    assert place.paths.jobs != real.jobs
    assert not real.state.exists()
    assert not real.config.exists()


@pytest.mark.parametrize(
    "path",
    ["/dev/null", "/dev/sda", "/dev/vda", "/etc/passwd", "/practice/../dev/null", "/practice/sdb/../../dev/null",
     "/practice/sdz", "/practice/", "", "sdb", "/practice/sr0", "../keys/sdb.img"],
)  # fmt: skip
@pytest.mark.parametrize("write", [True, False])
def test_no_other_disk_is_opened_whatever_the_target_claims(place, path, write):
    with pytest.raises(Refused) as no:
        place.opener.open(forged(path), write=write, notify=quietly)
    assert no.value.reference == "outside-practice"


@pytest.mark.parametrize("write", [True, False])
def test_no_file_outside_the_practice_directory_is_opened(tmp_path, place, write):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    link = place.root / "link"
    link.symlink_to(victim)
    door = place.root / "door"
    door.symlink_to(tmp_path)
    hard = place.root / "hard"
    os.link(victim, hard)
    os.mkfifo(place.root / "pipe")
    hostile = [victim, link, door / "victim", door / "new", hard, place.root / "pipe", Path("/dev/null")]
    hostile += [place.root / ".." / ".." / ".." / "victim", Path("/dev/vda"), Path("relative")]
    for path in hostile:
        with pytest.raises((Refused, FileNotFoundError)):
            place.opener.open(forged(str(path), regular_file=True), write=write, notify=quietly)
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "new").exists()


def test_a_keys_file_replaced_by_a_link_is_not_followed(tmp_path, place):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    disk = next(d for d in place.disks.list() if d.path == "/practice/sdb")
    target = Target(disk, fingerprint_of(disk))
    keys = place.root / "keys"
    keys.mkdir()
    (keys / "sdb.img").symlink_to(victim)
    with pytest.raises(Refused):
        place.opener.open(target, write=True, notify=quietly)
    (keys / "sdb.img").unlink()
    keys.rmdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    keys.symlink_to(outside)
    with pytest.raises(Refused):
        place.opener.open(target, write=True, notify=quietly)
    assert victim.read_bytes() == b"precious"
    assert list(outside.iterdir()) == []


def test_a_file_below_the_practice_directory_may_be_written(place):
    path = place.root / "machine.img"
    device = place.opener.open(file_target(path, 1 << 20), write=True, notify=quietly)
    with mmap.mmap(-1, 4096) as page:  # aligned, as the port asks
        page.write(b"x" * 4096)
        with memoryview(page) as view:
            assert device.pwrite(view, 4096) == 4096
    device.close()
    assert path.stat().st_size == 1 << 20
    assert path.read_bytes()[4096:8192] == b"x" * 4096


def test_two_processes_may_prepare_and_build_at_once(tmp_path):
    program = (
        "import sys; from pathlib import Path; from smartos_wizard.core.paths import below;"
        "from smartos_wizard.practice.place import PracticePlace;"
        "p = PracticePlace.prepare(below(Path(sys.argv[1])));"
        "[p.control.unplug('sdb') for _ in range(20)];"
        f"print(sorted((e.name, e.md5) for e in p.tree.children('{NEWEST}'))); p.close()"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
        for _ in range(2)
    ]
    first, second = (p.communicate()[0] for p in both)
    assert [p.returncode for p in both] == [0, 0]
    assert first == second and b"USB.img.gz" in first
    place = PracticePlace.prepare(below(tmp_path))
    assert place.control.state("sdb").turns == 40
    place.close()


def test_what_an_older_version_left_is_removed_once_nobody_uses_it(tmp_path):
    import fcntl

    old = tmp_path / "cache" / "practice" / "0.0.1-0"
    used = tmp_path / "cache" / "practice" / "0.0.2-0"
    for directory in (old, used):
        directory.mkdir(parents=True)
        (directory / "in-use").touch()
        (directory / "big").write_bytes(b"x")
    stranger = tmp_path / "cache" / "practice" / "notes"
    stranger.mkdir()
    with (used / "in-use").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        PracticePlace.prepare(below(tmp_path)).close()
    assert not old.exists()
    assert (used / "big").exists()
    assert stranger.exists()


def test_the_address_of_the_mirror_is_the_same_the_next_day(tmp_path):
    first = PracticePlace.prepare(below(tmp_path))
    url = first.mirror_url
    assert requests.get(url + "latest", timeout=10).ok
    first.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "latest", timeout=10)
    second = PracticePlace.prepare(below(tmp_path))
    assert second.mirror_url == url
    assert requests.get(url + "latest", timeout=10).ok
    second.close()


def test_a_release_fetched_from_the_practice_mirror_is_one_this_program_trusts(place, monkeypatch):
    monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "0")
    from smartos_wizard.releases.listing import list_releases, read_release
    from smartos_wizard.releases.mirror import open_mirror
    from smartos_wizard.releases.model import ArtifactKind

    mirror = open_mirror(place.mirror_url)
    listing = list_releases(mirror, place.paths.cache, time.time())
    assert listing.latest == listing.releases[0].stamp == NEWEST
    assert len(listing.releases) > 300
    for stamp, algorithm in ((NEWEST, "sha256"), ("20250724T001011Z", "md5"), ("20150123T200224Z", "md5")):
        artifact = read_release(mirror, stamp, place.paths.cache).artifact(ArtifactKind.USB)
        assert artifact is not None and artifact.best is not None
        assert artifact.best.algorithm == algorithm


def test_an_unknown_key_cannot_be_pulled(place):
    with pytest.raises(KeyError):
        place.unplug("../../x")


def test_errors_of_practice_are_errors_of_this_program(place):
    with pytest.raises(WizardError):
        place.opener.eject("/dev/sda")
