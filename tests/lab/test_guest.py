"""On a real USB bus: list, write as an ordinary user through sudo, prove, pull, swap, protect.

The machine is a QEMU guest whose disks are USB keys (vendor 46f4, product 0001). The user `tess` owns
nothing but may use sudo. Keys are sparse files of 2 GB on the host, which is where a test looks at them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.media.model import USB_IMAGE_SIZE
from smartos_wizard.practice.image import build_usb_image
from tests.lab.rig import disks
from tests.lab.rig.command import Outcome
from tests.lab.rig.guest import Guest, Key
from tests.lab.rig.images import MIB, Image

pytestmark = pytest.mark.lab

SIZE = 2_000_000_000 // 512 * 512
_serials = count(1)


@pytest.fixture
def plug(guest: Guest, space: Path) -> Callable[..., Key]:
    """Plugs a fresh key of 2 GB with somebody's old data on it."""

    def plugged(serial: str = "", **how: Any) -> Key:
        backing = how.pop("backing", None) or disks.backing_file(space, SIZE)
        return guest.plug(backing, serial or f"LAB{next(_serials):04}", **how)

    return plugged


def words(image: Image, *keys: Key) -> list[str]:
    confirmed = [word for key in keys for word in ("--confirm", key.serial)]
    return ["key", "write", *(key.device for key in keys), "--image", str(image.path),
            "--sha256", image.sha256, *confirmed, "--json"]  # fmt: skip


def blank(key: Key) -> bool:
    return not any(key.read(0, MIB))


def untouched(key: Key) -> bool:
    return key.read(0, len(disks.FILLING)) == disks.FILLING


def failed(outcome: Outcome, code: int) -> None:
    assert outcome.code == code, outcome.told()
    assert outcome.last["exit_code"] == code, outcome.told()
    assert not [key for key in outcome.keys if key["state"] == "proven"], outcome.told()


def listed(guest: Guest, *more: str) -> list[dict[str, Any]]:
    outcome = guest.wizard("key", "list", "--json", *more)
    assert outcome.code == 0, outcome.told()
    found: list[dict[str, Any]] = outcome.document
    return found


def test_an_empty_bus_is_an_empty_list_and_no_error(guest: Guest) -> None:
    assert listed(guest) == []


def test_a_key_is_listed_with_what_the_bus_tells(guest: Guest, plug: Callable[..., Key]) -> None:
    key = plug("LAB0001X")
    (entry,) = listed(guest)
    assert (entry["path"], entry["size"], entry["serial"]) == (key.device, SIZE, "LAB0001X")
    assert (entry["transport"], entry["withheld"]) == ("usb", None)
    assert "QEMU" in entry["model"]
    assert (entry["usb"]["vid"], entry["usb"]["pid"]) == (0x46F4, 0x0001)
    assert entry["usb"]["serial"] == "LAB0001X"
    assert entry["usb"]["speed"] >= 480


def test_pyusb_and_sysfs_tell_root_and_the_user_the_same(guest: Guest, plug: Callable[..., Key]) -> None:
    plug("LAB0002X")
    (entry,) = listed(guest)
    as_root = guest.wizard("key", "list", "--json", user="root").document
    assert as_root == [entry]
    script = "import usb.core; d = usb.core.find(idVendor=0x46f4); print(d.serial_number)"
    assert guest.run(sys.executable, "-c", script).stdout.strip() == "LAB0002X"


def test_written_by_an_ordinary_user_through_sudo_and_proven(
    guest: Guest, plug: Callable[..., Key], image: Image
) -> None:
    key = plug()
    assert guest.run("dd", f"of={key.device}", "if=/dev/zero", "count=1", user="tess").code != 0
    outcome = guest.wizard(*words(image, key))
    assert outcome.code == 0, outcome.told()
    assert [k["state"] for k in outcome.keys] == ["proven"]
    assert image.matches(key.backing)
    receipt = guest.run("cat", outcome.keys[0]["receipt"]).document
    assert receipt["device"]["serial"] == key.serial
    assert guest.run("stat", "-c", "%U", outcome.keys[0]["receipt"]).stdout.strip() == "tess"
    assert guest.run("pgrep", "-f", "opener.py").code == 1, "the opener outlives the work"
    checked = guest.wizard(
        "key", "check", key.device, "--image", image.path, "--sha256", image.sha256, "--json"
    )
    assert checked.code == 0, checked.told()


def test_pulled_in_mid_write_then_plugged_in_again(
    guest: Guest, plug: Callable[..., Key], image: Image
) -> None:
    key = plug("PULLED1", rate=6_000_000)
    work = guest.start_wizard(*words(image, key))
    work.advanced("write", 0.3)
    begun = time.monotonic()
    key.unplug()
    outcome = work.end(30)
    assert time.monotonic() - begun < 15
    failed(outcome, 10)
    assert "went away" in outcome.last["message"]
    assert blank(key)
    again = plug("PULLED1", backing=key.backing)
    outcome = guest.wizard(*words(image, again))
    assert outcome.code == 0, outcome.told()
    assert image.matches(key.backing)


def test_pulled_in_mid_proof_is_not_proven(guest: Guest, plug: Callable[..., Key], image: Image) -> None:
    key = plug(rate=12_000_000)
    work = guest.start_wizard(*words(image, key))
    work.advanced("prove", 0.2)
    key.unplug()
    failed(work.end(30), 10)
    jobs = guest.wizard("job", "list", "--json").document
    assert [job["state"] for job in jobs] == ["failed"]


@pytest.mark.parametrize("serial", ["OTHERKEY", ""], ids=["another key", "the same key plugged again"])
def test_a_key_swapped_between_confirmation_and_opening_is_refused(
    guest: Guest, plug: Callable[..., Key], image: Image, serial: str
) -> None:
    key = plug()
    planned = guest.wizard(*words(image, key), "--dry-run")
    assert planned.code == 0, planned.told()
    key.unplug()
    other = plug(serial or key.serial)
    assert other.device == key.device, "the other key did not get the same name"
    job = f"{guest.home}/state/jobs/20260101T000000Z-abcdef"
    plan = json.dumps({**planned.document, "practice": False, "confirmed": [key.serial]})
    script = f"mkdir -p {job} && cat > {job}/plan.json <<'END'\n{plan}\nEND"
    assert guest.run("sh", "-c", script, user="tess").code == 0
    outcome = guest.wizard("job", "run", "20260101T000000Z-abcdef")
    assert outcome.code == 4, outcome.told()
    last = json.loads(guest.run("tail", "-n", "1", f"{job}/journal.jsonl").stdout)
    assert last["reference"] == "identity-changed", last
    assert untouched(key)
    assert untouched(other)


def test_a_write_protected_key_is_withheld_and_refused(
    guest: Guest, plug: Callable[..., Key], image: Image
) -> None:
    key = plug(read_only=True)
    (entry,) = listed(guest, "--all")
    assert "read-only" in json.dumps(entry["reasons"]) or "write-protected" in json.dumps(entry["reasons"])
    failed(guest.wizard(*words(image, key)), 4)
    assert untouched(key)


def test_an_error_at_a_sector_ends_the_write(guest: Guest, plug: Callable[..., Key], image: Image) -> None:
    key = plug(write_error_at=20 * MIB)
    outcome = guest.wizard(*words(image, key))
    failed(outcome, 7)
    assert 16 * MIB <= outcome.last["offset"] <= 20 * MIB, outcome.told()
    assert blank(key)


def test_a_slow_key_is_named_as_what_is_waited_for(
    guest: Guest, plug: Callable[..., Key], image: Image
) -> None:
    key = plug(rate=4_000_000)
    outcome = guest.wizard(*words(image, key))
    assert outcome.code == 0, outcome.told()
    named = [e["bottleneck"] for e in outcome.events if e["event"] == "advanced" and e["step"] == "write"]
    assert named.count("the key") > len(named) / 2, named


def test_two_keys_at_once_and_one_of_them_pulled(
    guest: Guest, plug: Callable[..., Key], image: Image
) -> None:
    one, two = plug(), plug(rate=5_000_000)
    work = guest.start_wizard(*words(image, one, two))
    work.wait_for(
        lambda e: (
            e.get("event") == "advanced" and e["target"] == two.device and e["done"] > 8 * MIB and e["total"]
        )
    )
    two.unplug()
    outcome = work.end(60)
    assert outcome.code == 10, outcome.told()
    assert {key["path"]: key["state"] for key in outcome.keys} == {one.device: "proven", two.device: "failed"}
    assert image.matches(one.backing)
    assert blank(two)


def test_two_keys_at_once_are_both_proven(guest: Guest, plug: Callable[..., Key], image: Image) -> None:
    keys = plug(), plug()
    outcome = guest.wizard(*words(image, *keys))
    assert outcome.code == 0, outcome.told()
    assert [key["state"] for key in outcome.keys] == ["proven", "proven"]
    assert all(image.matches(key.backing) for key in keys)


FOLLOW = """
import glob, threading, time
from smartos_wizard.media.disks.platform import system_disks
disks = system_disks()
def sizes():
    found = {}
    for name in glob.glob('/sys/block/sd*/size'):
        try:
            found[name] = open(name).read()
        except OSError:
            pass
    return found
def watch():
    had = sizes()
    while True:
        time.sleep(0.02)
        has = sizes()
        if has != had:
            print('kernel', time.monotonic(), flush=True)
        had = has
disks.list()
threading.Thread(target=watch, daemon=True).start()
print('ready', 0, flush=True)
before = {d.path for d in disks.list()}
while True:
    disks.changed(5)
    now = {d.path for d in disks.list()}
    if now != before:
        print('list', time.monotonic(), flush=True)
        before = now
"""


def test_the_list_follows_the_bus_within_a_second(guest: Guest, plug: Callable[..., Key]) -> None:
    plug()  # so that everything that is loaded only for keys is loaded before the clock runs
    started = guest.ask(op="start", argv=[sys.executable, "-c", FOLLOW], user="tess", env=guest.environment)
    handle = int(started["out"])

    def seen(what: str) -> list[float]:
        out: str = guest.ask(op="look", handle=handle)["out"]
        return [float(line.split()[1]) for line in out.splitlines() if line.startswith(what)]

    guest.wait_until(lambda: bool(seen("ready")), 30)
    took = []
    for cycle in range(3):
        key = plug(f"HOTPLUG{cycle}")
        guest.wait_until(lambda wanted=2 * cycle + 1: len(seen("list")) == wanted, 15)
        came = seen("kernel")[-1]
        took.append(seen("list")[-1] - came)
        key.unplug()
        guest.wait_until(lambda wanted=2 * cycle + 2: len(seen("list")) == wanted, 15)
        took.append(seen("list")[-1] - seen("kernel")[-1])
    guest.ask(op="stop", handle=handle, signal=9)
    # The machine is emulated and shares its processors: what it can do is its best, not its worst.
    assert min(took[0::2]) < 1.0, took
    assert min(took[1::2]) < 1.0, took


def test_f23_a_key_the_user_mounted_is_unmounted_and_one_in_use_is_refused(
    guest: Guest, plug: Callable[..., Key], image: Image
) -> None:
    key = plug()
    guest.run("mkfs.vfat", "-I", key.device)
    guest.run("mkdir", "-p", "/media/tess/STICK", "/srv/data")
    assert guest.run("mount", key.device, "/srv/data").code == 0
    failed(guest.wizard(*words(image, key)), 4)
    guest.run("umount", "/srv/data")
    assert guest.run("mount", key.device, "/media/tess/STICK").code == 0
    (entry,) = listed(guest)
    assert entry["unmount"] == ["/media/tess/STICK"]
    outcome = guest.wizard(*words(image, key))
    assert outcome.code == 0, outcome.told()
    assert guest.run("mountpoint", "-q", "/media/tess/STICK").code != 0
    assert image.matches(key.backing)


def test_f23_swap_on_a_key_is_refused(guest: Guest, plug: Callable[..., Key], image: Image) -> None:
    key = plug()
    assert guest.run("mkswap", key.device).code == 0
    assert guest.run("swapon", key.device).code == 0
    try:
        (entry,) = listed(guest, "--all")
        assert "swap" in json.dumps(entry["withheld"]), entry
        failed(guest.wizard(*words(image, key)), 4)
    finally:
        guest.run("swapoff", key.device)


def test_f23_what_device_mapper_built_on_a_key_is_named(
    guest: Guest, plug: Callable[..., Key], image: Image
) -> None:
    key = plug()
    table = f"0 100000 linear {key.device} 0"
    made = guest.run("dmsetup", "create", "--noudevsync", "labhold", "--table", table)
    assert made.code == 0, made.told()
    try:
        entry = next(entry for entry in listed(guest, "--all") if entry["path"] == key.device)
        assert "labhold" in json.dumps(entry["withheld"]), entry
        failed(guest.wizard(*words(image, key)), 4)
        assert untouched(key)
    finally:
        guest.run("dmsetup", "remove", "--noudevsync", "labhold")


@pytest.mark.parametrize("step", ["write", "prove"])
def test_f15_without_its_opener_the_program_still_tells_the_truth(
    guest: Guest, plug: Callable[..., Key], image: Image, step: str
) -> None:
    key = plug(rate=8_000_000)
    work = guest.start_wizard(*words(image, key))
    work.advanced(step, 0.3)
    assert guest.run("pkill", "-9", "-f", "privileged/opener.py").code == 0
    outcome = work.end(60)
    if outcome.code == 0:
        assert image.matches(key.backing)
    else:
        failed(outcome, outcome.code)
        assert blank(key) or image.matches(key.backing)
    again = guest.wizard(*words(image, key))
    assert again.code == 0, again.told()
    assert image.matches(key.backing)


def test_f15_without_its_program_the_opener_lets_go(
    guest: Guest, plug: Callable[..., Key], image: Image
) -> None:
    key = plug(rate=8_000_000)
    work = guest.start_wizard(*words(image, key))
    work.advanced("write", 0.3)
    work.signal(9)
    guest.wait_until(lambda: guest.run("pgrep", "-f", "privileged/opener.py").code == 1, 10)
    assert blank(key)
    jobs = guest.wizard("job", "list", "--json").document
    assert [job["state"] for job in jobs] == ["interrupted"]
    outcome = guest.wizard(*words(image, key))
    assert outcome.code == 0, outcome.told()


def test_a_key_of_true_size_from_a_release_image(guest: Guest, plug: Callable[..., Key], space: Path) -> None:
    raw = space / "true.img"
    build_usb_image(raw, "20260903T001557Z", boot_archive_size=64 * MIB)
    assert raw.stat().st_size == USB_IMAGE_SIZE
    packed = space / "true.img.gz"
    with raw.open("rb") as source, gzip.open(packed, "wb", 1) as out:
        shutil.copyfileobj(source, out, 1 << 22)
    true = Image(packed, hashlib.sha256(packed.read_bytes()).hexdigest(), raw)
    key = plug()
    outcome = guest.wizard(*words(true, key), seconds=500)
    assert outcome.code == 0, outcome.told()
    assert true.matches(key.backing)
    shown = guest.wizard("key", "show", key.device, "--json")
    assert shown.code == 0, shown.told()
    assert shown.document["stamp"] == "20260903T001557Z"
