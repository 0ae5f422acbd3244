"""The promises of a download: resumed, never spliced, the hash decides."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Advanced, Event, Noted, PlanCancelled, PlanFinished, from_json, to_json
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.releases import fetching, part, web
from smartos_wizard.releases.download import DOWNLOAD_ACTIONS, plan_download
from smartos_wizard.releases.listing import read_release
from smartos_wizard.releases.model import ArtifactKind
from smartos_wizard.releases.part import claim
from smartos_wizard.releases.store import Store

MIB = 1024 * 1024
NEW = "20260903T001557Z"
MD5 = "20250724T001011Z"


def plan_for(world, stamp=NEW, to=None, force=False):
    mirror = world.mirror()
    release = read_release(mirror, stamp, world.paths.cache)
    artifact = release.artifact(ArtifactKind.USB)
    return plan_download(release, artifact, to, Store(world.paths.store), mirror.base, force=force)


def run(world, plan, cancel=None) -> list[Event]:
    plan = Plan.from_json(json.loads(json.dumps(plan.to_json())))  # it runs in another process, too
    events = list(execute(plan, DOWNLOAD_ACTIONS, world, cancel))
    return [from_json(json.loads(json.dumps(to_json(e)))) for e in events]


def usb_sent(served) -> int:
    return sum(count for path, count in served.site.sent.items() if "USB" in path)


def notes(events) -> list[str]:
    return [e.reference for e in events if isinstance(e, Noted)]


def assert_good(world, served, events, stamp=NEW) -> Path:
    end = events[-1]
    assert isinstance(end, PlanFinished), end
    assert end.exit_code == 0, end.error
    path = Path(end.result["path"])
    assert path.read_bytes() == served.site.files[served.site.usb(stamp)]
    leftovers = [p.name for p in path.parent.iterdir() if p.name.startswith(path.name) and p != path]
    assert leftovers == []
    return path


def part_of(world, served, stamp=NEW) -> Path:
    return world.paths.store / (served.site.usb(stamp) + ".part")


def leave_part(world, served, count) -> None:
    """A download that another run left after `count` bytes."""
    cancel = Cancel()

    def stop_there(handler, path, body):
        if "USB" not in path:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", handler.server.site.etags[path])
        handler.end_headers()
        handler.body(body[:count], path)
        handler.wfile.flush()
        while not cancel.requested:
            if part_of(world, served).exists() and part_of(world, served).stat().st_size >= count:
                cancel.request()
            time.sleep(0.01)
        handler.close_connection = True
        return True

    served.site.fault = stop_there
    events = run(world, plan_for(world), cancel)
    assert isinstance(events[-1], PlanCancelled)
    assert part_of(world, served).stat().st_size == count
    served.site.fault = None
    served.site.sent.clear()


def test_a_download_arrives_verified_and_is_remembered(world, served):
    events = run(world, plan_for(world))
    path = assert_good(world, served, events)
    result = events[-1].result
    assert result["algorithm"] == "sha256"
    assert result["digest"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert result["size"] == path.stat().st_size
    assert result["stamp"] == NEW
    stored = Store(world.paths.store).find(NEW, ArtifactKind.USB)
    assert stored is not None
    assert stored.path == path
    assert stored.verified.digest == result["digest"]


def test_md5_is_used_and_named_where_there_is_no_sha256(world, served):
    events = run(world, plan_for(world, MD5))
    assert_good(world, served, events, MD5)
    assert events[-1].result["algorithm"] == "md5"
    assert "no sha256" in " ".join(events[-1].result["say"])


def test_a_verified_file_is_not_fetched_again(world, served):
    run(world, plan_for(world))
    served.site.sent.clear()
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    assert usb_sent(served) == 0
    run(world, plan_for(world, force=True))
    assert served.site.sent[served.site.usb(NEW)] > 0


def test_a_file_touched_since_is_fetched_again(world, served):
    path = assert_good(world, served, run(world, plan_for(world)))
    path.write_bytes(b"X" + path.read_bytes()[1:])
    served.site.sent.clear()
    assert_good(world, served, run(world, plan_for(world)))
    assert served.site.sent[served.site.usb(NEW)] == path.stat().st_size


def test_a_right_file_from_elsewhere_is_taken_without_fetching(world, served, tmp_path):
    name = served.site.usb(NEW)
    (tmp_path / "dl").mkdir()
    (tmp_path / "dl" / Path(name).name).write_bytes(served.site.files[name])
    assert_good(world, served, run(world, plan_for(world, to=tmp_path / "dl")))
    assert usb_sent(served) == 0


def test_another_file_of_that_name_is_left_alone(world, served, tmp_path):
    mine = tmp_path / Path(served.site.usb(NEW)).name
    mine.write_bytes(b"my own")
    end = run(world, plan_for(world, to=tmp_path))[-1]
    assert (end.exit_code, end.error.reference) == (4, "file-in-the-way")
    assert mine.read_bytes() == b"my own"
    assert_good(world, served, run(world, plan_for(world, to=tmp_path, force=True)))


def test_a_stopped_download_goes_on_and_fetches_at_most_one_mebibyte_again(world, served):
    leave_part(world, served, 2 * MIB + 17)
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    size = len(served.site.files[served.site.usb(NEW)])
    assert served.site.sent[served.site.usb(NEW)] <= size - (2 * MIB + 17) + MIB
    asked = next(h for _, p, h in reversed(served.site.requests) if "USB" in p)
    assert asked["Range"] == f"bytes={2 * MIB + 17}-"
    assert asked["If-Range"] == served.site.etags[served.site.usb(NEW)]
    assert asked["Accept-Encoding"] == "identity"
    assert asked["User-Agent"].startswith("smartos-wizard/")


def test_a_download_goes_on_from_another_mirror_only_where_the_file_is_the_same(
    world, served, served_tls, certificate, monkeypatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    leave_part(world, served, MIB)
    name, size = served.site.usb(NEW), len(served.site.files[served.site.usb(NEW)])
    world.default = served_tls.url
    assert_good(world, served, run(world, plan_for(world)))
    assert served_tls.site.sent[name] == size - MIB

    world.default = served.url
    Path(world.paths.store / name).unlink()
    leave_part(world, served, MIB)
    world.default = served_tls.url
    served_tls.site.etags[name] = '"another"'
    served_tls.site.sent.clear()
    assert_good(world, served, run(world, plan_for(world)))
    assert served_tls.site.sent[name] == size


def test_a_killed_download_goes_on(world, served):
    """kill -9 in the middle: what was written is used, nothing is believed."""

    def slow(handler, path, body):
        if "USB" not in path or handler.asked_start(path):
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", handler.server.site.etags[path])
        handler.end_headers()
        handler.body(body[: 2 * MIB], path)
        time.sleep(20)
        return True

    served.site.fault = slow
    env = {**os.environ, "SMARTOS_WIZARD_HOME": str(world.paths.cache.parent)}
    with subprocess.Popen(
        [sys.executable, "-m", "smartos_wizard", "release", "download", NEW, "--mirror", served.url, "--json"],
        env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        until = time.monotonic() + 15
        file = part_of(world, served)
        while time.monotonic() < until and not (file.exists() and file.stat().st_size == 2 * MIB):
            time.sleep(0.02)
        process.kill()
    assert file.stat().st_size == 2 * MIB
    served.site.sent.clear()
    assert_good(world, served, run(world, plan_for(world)))
    size = len(served.site.files[served.site.usb(NEW)])
    assert served.site.sent[served.site.usb(NEW)] == size - 2 * MIB


def test_a_connection_reset_every_mebibyte_still_arrives(world, served):
    def breaks(handler, path, body):
        if "USB" not in path:
            return False
        start = handler.asked_start(path)
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body) - start))
        handler.send_header("ETag", handler.server.site.etags[path])
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        handler.end_headers()
        piece = body[start : start + MIB]
        handler.body(piece, path)
        if start + len(piece) < len(body):
            time.sleep(0.05)
            handler.reset()
        return True

    served.site.fault = breaks
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    assert "retrying" in notes(events)
    size = len(served.site.files[served.site.usb(NEW)])
    assert served.site.sent[served.site.usb(NEW)] <= size + MIB


def test_a_server_that_ignores_ranges_makes_a_clean_restart(world, served):
    leave_part(world, served, MIB)

    def ignores(handler, path, body):
        del handler.headers["Range"]
        return False

    served.site.fault = ignores
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    assert "restarted" in notes(events)


def test_an_answer_416_makes_a_clean_restart(world, served):
    leave_part(world, served, MIB)

    def refuses(handler, path, body):
        if handler.headers.get("Range"):
            handler.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            return True
        return False

    served.site.fault = refuses
    assert_good(world, served, run(world, plan_for(world)))


def test_a_file_that_changed_meanwhile_is_never_spliced(world, served):
    leave_part(world, served, MIB)
    name = served.site.usb(NEW)
    served.site.etags[name] = '"another"'
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    assert served.site.sent[name] == len(served.site.files[name])


def test_a_206_with_another_etag_is_never_spliced(world, served):
    leave_part(world, served, MIB)
    name = served.site.usb(NEW)

    def careless(handler, path, body):  # it does not look at If-Range
        if "USB" in path and handler.headers.get("Range"):
            span = f"bytes {MIB}-{len(body) - 1}/{len(body)}"
            handler.answer(206, body[MIB:], {"ETag": '"another"', "Content-Range": span})
            return True
        return False

    served.site.fault = careless
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    assert served.site.sent[name] == len(served.site.files[name])
    assert any("changed meanwhile" in e.text for e in events if isinstance(e, Noted))


def test_a_wrong_content_range_start_is_refused(world, served):
    leave_part(world, served, MIB)

    def elsewhere(handler, path, body):
        if "USB" in path and handler.headers.get("Range"):
            span = f"bytes {MIB - 5}-{len(body) - 1}/{len(body)}"
            handler.answer(
                206, body[MIB - 5 :], {"ETag": handler.server.site.etags[path], "Content-Range": span}
            )
            return True
        return False

    served.site.fault = elsewhere
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    assert "restarted" in notes(events)


@pytest.mark.parametrize("lie", [-1000, 1000])
def test_a_wrong_content_length_is_overruled_by_the_hash(world, served, lie, monkeypatch):
    monkeypatch.setattr(fetching, "_FRUITLESS", 2)

    def lies(handler, path, body):
        if "USB" not in path or handler.headers.get("Range"):
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body) + lie))
        handler.send_header("ETag", handler.server.site.etags[path])
        handler.end_headers()
        handler.body(body[: len(body) + min(0, lie)], path)
        handler.close_connection = True
        return True

    served.site.fault = lies
    assert_good(world, served, run(world, plan_for(world)))


def test_a_part_that_a_crash_spoiled_is_fetched_whole_once(world, served):
    leave_part(world, served, MIB)
    with part_of(world, served).open("r+b") as file:
        file.write(bytes(4096))
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    assert "restarted" in notes(events)


def test_a_wrong_file_is_removed_and_named(world, served):
    name = served.site.usb(NEW)
    plan = plan_for(world)
    good = served.site.files[name]
    served.site.put(name, good[:-1] + b"\0")
    events = run(world, plan)
    end = events[-1]
    assert (end.exit_code, end.error.reference) == (6, "checksum-mismatch")
    assert end.error.details["expected"] == hashlib.sha256(good).hexdigest()
    assert end.error.details["actual"] == hashlib.sha256(served.site.files[name]).hexdigest()
    assert not part_of(world, served).exists()
    assert list(part_of(world, served).parent.iterdir()) == []


def test_a_republished_file_is_refused_with_both_digests(world, served):
    run(world, plan_for(world))
    name = served.site.usb(NEW)
    old = hashlib.sha256(served.site.files[name]).hexdigest()
    files = {
        p.partition("/")[2]: b for p, b in served.site.files.items() if p.startswith(NEW) and "sums" not in p
    }
    files[name.partition("/")[2]] = b"other content"
    served.site.release(NEW, files, ("md5", "sha256"))
    end = run(world, plan_for(world))[-1]
    assert (end.exit_code, end.error.reference) == (6, "republished")
    assert old in end.error.message
    assert hashlib.sha256(b"other content").hexdigest() in end.error.message


def test_a_stall_is_named_after_two_seconds(world, served):
    def stalls(handler, path, body):
        if "USB" not in path or handler.asked_start(path):
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", handler.server.site.etags[path])
        handler.end_headers()
        handler.body(body[:MIB], path)
        time.sleep(2.6)
        handler.body(body[MIB:], path)
        return True

    served.site.fault = stalls
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    begun = next(e.at for e in events if isinstance(e, Advanced) and e.done >= MIB)
    said = next(e.at for e in events if isinstance(e, Noted) and e.reference == "stalled")
    assert 1.8 <= said - begun <= 2.5
    assert {e.bottleneck for e in events if isinstance(e, Advanced) and e.done == MIB} == {"the network"}


def test_a_silent_mirror_is_given_up_and_what_came_is_kept(world, served, monkeypatch):
    monkeypatch.setattr(web, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(fetching, "_FRUITLESS", 2)
    stop = threading.Event()

    def silent(handler, path, body):
        if "USB" not in path:
            return False
        start = handler.asked_start(path)
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body) - start))
        handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        handler.send_header("ETag", handler.server.site.etags[path])
        handler.end_headers()
        if not start:
            handler.body(body[:MIB], path)
        stop.wait(20)
        return True

    served.site.fault = silent
    end = run(world, plan_for(world))[-1]
    stop.set()
    assert end.exit_code == 5
    assert end.error.reference == "mirror-silent"
    assert "1.00 MiB are kept" in end.error.message
    assert part_of(world, served).stat().st_size == MIB


@pytest.mark.parametrize("line", ["kept open", "closed after", "encrypted"])
def test_cancel_is_prompt_even_when_nothing_comes_and_keeps_what_came(
    world, served, served_tls, certificate, monkeypatch, line
):
    stop = threading.Event()
    if line == "encrypted":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
        served, world.default = served_tls, served_tls.url

    def silent(handler, path, body):
        if "USB" not in path:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        if line == "closed after":
            handler.send_header("Connection", "close")
        handler.end_headers()
        handler.body(body[:MIB], path)
        stop.wait(20)
        return True

    served.site.fault = silent
    cancel = Cancel()
    threading.Timer(0.5, cancel.request).start()
    begun = time.monotonic()
    end = run(world, plan_for(world), cancel)[-1]
    took = time.monotonic() - begun
    stop.set()
    assert isinstance(end, PlanCancelled)
    assert took < 2
    assert "1.00 MiB are kept" in end.state
    assert part_of(world, served).stat().st_size == MIB


def test_cancel_is_prompt_while_the_mirror_does_not_even_answer(world, served):
    stop = threading.Event()

    def mute(handler, path, body):
        if "USB" in path:
            stop.wait(20)
        return False

    plan = plan_for(world)
    served.site.fault = mute
    cancel = Cancel()
    threading.Timer(0.3, cancel.request).start()
    begun = time.monotonic()
    end = run(world, plan, cancel)[-1]
    took = time.monotonic() - begun
    stop.set()
    assert isinstance(end, PlanCancelled)
    assert took < 2


def test_a_busy_mirror_is_asked_again_when_it_says(world, served):
    asked: list[float] = []

    def busy(handler, path, body):
        if "USB" not in path:
            return False
        asked.append(time.monotonic())
        if len(asked) == 1:
            handler.answer(503, b"", {"Retry-After": "1"})
            return True
        return False

    served.site.fault = busy
    events = run(world, plan_for(world))
    assert_good(world, served, events)
    assert asked[1] - asked[0] >= 1.0
    assert "retrying" in notes(events)


def test_a_file_that_is_gone_fails_at_once(world, served):
    plan = plan_for(world)
    del served.site.files[served.site.usb(NEW)]
    end = run(world, plan)[-1]
    assert (end.exit_code, end.error.reference) == (5, "not-on-mirror")


def test_two_processes_never_write_the_same_file(world, served):
    with claim(part_of(world, served), "sha256"):
        end = run(world, plan_for(world))[-1]
    assert (end.exit_code, end.error.reference) == (4, "being-downloaded")
    assert usb_sent(served) == 0
    assert_good(world, served, run(world, plan_for(world)))


def test_room_is_checked_before_the_first_byte(world, served, monkeypatch):
    monkeypatch.setattr(part, "_MARGIN", 1 << 62)
    end = run(world, plan_for(world))[-1]
    assert (end.exit_code, end.error.reference) == (4, "no-space")
    assert usb_sent(served) == 0


def test_a_store_that_cannot_be_written_is_said_clearly(world, served):
    world.paths.store.mkdir(parents=True)
    (world.paths.store / NEW).write_text("in the way")
    end = run(world, plan_for(world))[-1]
    assert (end.exit_code, end.error.reference) == (5, "cannot-save")


def test_a_directory_serves_as_a_mirror_and_resumes(world, served, tmp_path):
    world.default = str(served.site.copy_to(tmp_path / "gap"))
    assert_good(world, served, run(world, plan_for(world)))
