"""Files from a browser are recognised; old downloads go and nothing else does."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from smartos_wizard.core.errors import ChecksumFailed, NetworkFailed, Refused
from smartos_wizard.core.plan import require_confirmed
from smartos_wizard.core.runner import execute
from smartos_wizard.releases.download import DOWNLOAD_ACTIONS, plan_download
from smartos_wizard.releases.listing import read_release
from smartos_wizard.releases.mirror import open_mirror
from smartos_wizard.releases.model import ArtifactKind
from smartos_wizard.releases.part import claim
from smartos_wizard.releases.pins import pins_of
from smartos_wizard.releases.prune import PRUNE_ACTIONS, TOKEN, plan_prune
from smartos_wizard.releases.store import Store
from smartos_wizard.releases.verify import recognise_file

NEW = "20260903T001557Z"
MD5 = "20250724T001011Z"
BZ2 = "20190328T002516Z"


def recognise(world, path, stamp=""):
    return recognise_file(path, world.mirror(), pins_of(world.paths.state), world.paths.cache, stamp=stamp)


def browser_file(served, tmp_path, stamp, name) -> Path:
    path = tmp_path / name
    path.write_bytes(served.site.files[served.site.usb(stamp)])
    return path


@pytest.mark.parametrize(
    ("stamp", "name", "algorithm"),
    [
        (NEW, f"smartos-{NEW}-USB.img.gz", "sha256"),
        (NEW, f"smartos-{NEW}-USB.img (1).gz", "sha256"),
        (NEW, f"smartos-{NEW}-USB.img.gz (2)", "sha256"),
        (NEW, "smartos-latest-USB.img.gz", "sha256"),
        (NEW, "image.bin", "sha256"),
        (MD5, f"smartos-{MD5}-USB.img.gz", "md5"),
        (BZ2, f"smartos-{BZ2}-USB.img.bz2", "md5"),
    ],
)
def test_a_file_of_a_browser_is_recognised_by_name_or_content(
    world, served, tmp_path, stamp, name, algorithm
):
    found = recognise(world, browser_file(served, tmp_path, stamp, name))
    assert (found.artifact.stamp, found.artifact.kind) == (stamp, ArtifactKind.USB)
    assert found.artifact.name == served.site.usb(stamp).partition("/")[2]
    assert found.verified.algorithm == algorithm


def test_a_renamed_file_of_an_older_release_is_recognised_when_that_was_seen_before(world, served, tmp_path):
    path = browser_file(served, tmp_path, MD5, "smartos-latest-USB.img.gz")
    with pytest.raises(ChecksumFailed):
        recognise(world, path)
    read_release(world.mirror(), MD5, world.paths.cache)
    assert recognise(world, path).artifact.stamp == MD5


def test_a_stamp_given_is_insisted_on(world, served, tmp_path):
    path = browser_file(served, tmp_path, MD5, "image.gz")
    assert recognise(world, path, MD5).artifact.stamp == MD5
    with pytest.raises(ChecksumFailed) as caught:
        recognise(world, path, NEW)
    assert caught.value.reference in ("wrong-release", "unknown-file")


@pytest.mark.parametrize(
    ("name", "reference"),
    [(f"smartos-{NEW}-USB.img.gz", "checksum-mismatch"), ("holiday.jpg", "unknown-file")],
)
def test_a_wrong_file_is_named_as_such(world, served, tmp_path, name, reference):
    path = browser_file(served, tmp_path, NEW, name)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ChecksumFailed) as caught:
        recognise(world, path)
    assert caught.value.reference == reference
    assert int(caught.value.exit_code) == 6
    if reference == "checksum-mismatch":
        assert "cut short" in caught.value.message


def test_a_known_release_is_verified_without_the_network(world, served, tmp_path):
    path = browser_file(served, tmp_path, NEW, f"smartos-{NEW}-USB.img.gz")
    recognise(world, path)
    dead = open_mirror("http://localhost:9/")
    found = recognise_file(path, dead, pins_of(world.paths.state), world.paths.cache)
    assert found.artifact.stamp == NEW


def test_without_network_and_memory_the_network_is_to_blame(world, served, tmp_path):
    path = browser_file(served, tmp_path, NEW, f"smartos-{NEW}-USB.img.gz")
    with pytest.raises(NetworkFailed):
        recognise_file(
            path, open_mirror("http://localhost:9/"), pins_of(world.paths.state), world.paths.cache
        )


def test_a_republished_file_is_found_out(world, served, tmp_path):
    path = browser_file(served, tmp_path, NEW, f"smartos-{NEW}-USB.img.gz")
    recognise(world, path)
    path.write_bytes(b"other")
    served.site.release(NEW, {path.name: b"other"}, ("md5", "sha256"))
    with pytest.raises(ChecksumFailed) as caught:
        recognise(world, path)
    assert caught.value.reference == "republished"
    assert hashlib.sha256(b"other").hexdigest() in caught.value.message


def fill(world) -> Store:
    store = Store(world.paths.store)
    for stamp in (NEW, MD5, BZ2):
        mirror = world.mirror()
        release = read_release(mirror, stamp, world.paths.cache)
        plan = plan_download(release, release.artifact(ArtifactKind.ISO), None, store, mirror.base)
        assert list(execute(plan, DOWNLOAD_ACTIONS, world))[-1].exit_code == 0
    return store


def test_prune_removes_exactly_what_its_plan_lists(world, served, tmp_path):
    store = fill(world)
    outside = tmp_path / "outside.iso"
    outside.write_bytes(b"mine")
    (store.root / MD5 / "link.iso").symlink_to(outside)
    stranger = store.root / "not-a-release"
    stranger.mkdir()
    (stranger / "file").write_bytes(b"mine")
    plan = plan_prune(store, 1)
    listed = {Path(step.params["path"]) for step in plan.steps}
    assert listed == {store.root / MD5 / f"smartos-{MD5}.iso", store.root / BZ2 / f"smartos-{BZ2}.iso"}
    assert plan.params["bytes"] == 140000
    end = list(execute(plan, PRUNE_ACTIONS, world))[-1]
    assert end.exit_code == 0
    assert end.result["freed"] == 140000
    assert not any(path.exists() for path in listed)
    assert [f.artifact.stamp for f in store.list()] == [NEW]
    assert outside.read_bytes() == b"mine"
    assert (stranger / "file").exists()


def test_prune_wants_its_word(world, served):
    plan = plan_prune(fill(world), 0)
    with pytest.raises(Refused):
        require_confirmed(plan, ())
    with pytest.raises(Refused):
        require_confirmed(plan, ("yes",))
    require_confirmed(plan, (TOKEN,))


def test_prune_leaves_a_running_download_alone(world, served):
    store = fill(world)
    with claim(store.root / MD5 / "x.iso.part", "md5"):
        assert not any(".part" in step.title for step in plan_prune(store, 0).steps)
    assert any(".part" in step.title for step in plan_prune(store, 0).steps)


def test_prune_touches_nothing_outside_the_store_whatever_the_plan_says(world, served, tmp_path):
    store = fill(world)
    victim = tmp_path / NEW / "victim"
    victim.parent.mkdir()
    victim.write_bytes(b"x" * 70000)
    data = plan_prune(store, 0).to_json()
    data["steps"][0]["params"]["path"] = str(victim)
    from smartos_wizard.core.plan import Plan

    end = list(execute(Plan.from_json(data), PRUNE_ACTIONS, world))[-1]
    assert (end.exit_code, end.error.reference) == (4, "outside-store")
    assert victim.exists()


def test_prune_keeps_a_file_that_changed_after_the_plan(world, served):
    store = fill(world)
    plan = plan_prune(store, 2)
    path = Path(plan.steps[0].params["path"])
    path.write_bytes(b"another")
    end = list(execute(plan, PRUNE_ACTIONS, world))[-1]
    assert (end.exit_code, end.error.reference) == (4, "file-changed")
    assert path.exists()
