"""Carries out the plan of writing keys: open, write, boot sectors, prove, receipt.

Several keys share one decode and each has its own result: a failed one is dropped, the others go on. The
word "proven" and exit code 0 come from one place only, the end of the pass that read everything back.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator

from smartos_wizard.core import text
from smartos_wizard.core.errors import ChecksumFailed, Refused, WizardError, WriteFailed
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.media import resume
from smartos_wizard.media.faults import WILL_NOT_BOOT
from smartos_wizard.media.keys import Key, Keys, fail, keys_of, lock_targets
from smartos_wizard.media.lane import Writer
from smartos_wizard.media.opened import open_key
from smartos_wizard.media.optioning import put_options, with_choices
from smartos_wizard.media.pipeline import Lane, Stream
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.prove_step import prove
from smartos_wizard.media.receipt import write_receipt
from smartos_wizard.media.said import what_next
from smartos_wizard.media.ticking import Ticker
from smartos_wizard.media.verified import mismatch
from smartos_wizard.media.vouching import Voucher
from smartos_wizard.media.watching import watch
from smartos_wizard.media.write_plan import plan_write

__all__ = ["WRITE_ACTIONS", "plan_write"]


def _source(run: Run[MediaWorld], step: Step) -> Work:
    """Look at the image, lock the targets, keep the machine awake until the end."""
    keys = keys_of(run)
    try:
        size = keys.image.path.stat().st_size
    except OSError as error:
        raise Refused(
            "image-missing", f"The image is gone: {keys.image.path}.", context=str(keys.image.path)
        ) from error
    stack = contextlib.ExitStack()
    run.on_end.append(stack.close)
    lock_targets(stack, run.world.paths, [key.target for key in keys.keys])
    stack.enter_context(run.world.stay_awake("writing a SmartOS key"))
    yield Noted(
        run.clock(),
        step.id,
        f"{keys.image.path.name}: {keys.image.vouched_by or 'not verified'}",
        data={"digest": keys.image.digest, "algorithm": keys.image.algorithm, "size": size},
    )
    for key in keys.keys:
        yield from _recalled(run, step, key)
    return {"path": str(keys.image.path), "size": size}


def _recalled(run: Run[MediaWorld], step: Step, key: Key) -> Iterator[Event]:
    record = resume.recall(run.world.paths, key.target, keys_of(run).image.digest)
    if record is not None and record.durable:
        total = keys_of(run).image.raw_size
        of = f" of {text.size(total)}" if total else ""
        words = f"{key.target.path} was interrupted before: {text.size(record.durable)}{of} should be right already."
        yield Noted(
            run.clock(),
            step.id,
            words,
            target=key.target.path,
            reference="resumed",
            data={"durable": record.durable},
        )


def _unmount(run: Run[MediaWorld], step: Step) -> Work:
    """The opener unmounts in the same breath as it opens, so that nothing can come between."""
    yield Noted(run.clock(), step.id, "It is unmounted together with opening.")
    return {}


def _open(run: Run[MediaWorld], step: Step) -> Work:
    keys = keys_of(run)
    for key in keys.keys:
        try:
            yield from open_key(run, step, key, write=True)
        except (WizardError, OSError) as error:
            yield from fail(run, step.id, key, _as_error(error, key))
            continue
        key.writer = _writer(run, keys, key)
    return {"opened": [key.target.path for key in keys.alive]}


def _as_error(error: WizardError | OSError, key: Key) -> WizardError:
    if isinstance(error, WizardError):
        return error
    return WriteFailed(
        "not-opened", f"{key.target.path} could not be opened: {error}", context=key.target.path
    )


def _writer(run: Run[MediaWorld], keys: Keys, key: Key) -> Writer:
    last = 0.0

    def durable(count: int) -> None:
        nonlocal last
        now = time.monotonic()
        if count and now - last >= 1.0:  # a record each second is enough, and costs the key nothing
            last = now
            remember(count)

    def remember(count: int) -> None:
        resume.remember(run.world.paths, key.target, keys.image.digest, count, run.clock())

    def at_end() -> None:
        writer = key.writing
        if key.state != "proven" and writer.touched and not writer.booting and writer.durable:
            remember(writer.durable)

    run.on_end.append(at_end)
    return Writer(key.opened, delta=bool(run.plan.params.get("delta", True)), on_durable=durable)


def _write(run: Run[MediaWorld], step: Step) -> Work:
    """Everything but the boot sectors, then compare the digest of what was read."""
    keys = keys_of(run)
    run.state = lambda: _stopped(keys)
    begun = time.monotonic()
    if not keys.image.checked:
        voucher = Voucher(keys.image, lambda: run.cancel.requested)
        for key in keys.alive:
            key.writing.before_change = voucher.require
    waiting = [(key, 0) for key in keys.alive]
    while waiting:  # more than once only where a key was so slow that the others went on without it
        waiting = yield from _round(run, step, keys, dict(waiting))
    for key in keys.keys:
        key.write_seconds = time.monotonic() - begun
    return {"bytes": keys.size}


def _round(
    run: Run[MediaWorld], step: Step, keys: Keys, group: dict[Key, int]
) -> Generator[Event, None, list[tuple[Key, int]]]:
    lanes = {key: Lane(key.target.path, key.writing, start) for key, start in group.items()}
    limit = keys.image.raw_size or max(key.opened.size for key in group)
    stream = Stream(keys.image, list(lanes.values()), limit)
    ticker = Ticker(run, step, keys, stream, lanes)
    stream.begin()
    yield from watch(run, stream.wait, ticker.tick, stream.abandon, lambda: _stopped(keys))
    for key, lane in lanes.items():
        if lane.error is not None:
            yield from fail(run, step.id, key, lane.error)
    if stream.error is not None:
        raise _of_source(keys, stream.error)
    done = [key for key in group if key.alive and not lanes[key].left_behind]
    if done:
        _check_source(keys, stream)
    late = [key for key in group if key.alive and lanes[key].left_behind]
    for key in late:  # its thread may still be inside the kernel with the last slot it took
        yield from watch(run, lanes[key].finished.wait, ticker.tick, stream.abandon, lambda: _stopped(keys))
    return [(key, lanes[key].next) for key in late]


def _of_source(keys: Keys, error: WizardError) -> WizardError:
    """An error of the image while keys were being written: say what that means for them."""
    error.message = f"{error.message} {_left(keys)}"
    return error


def _left(keys: Keys) -> str:
    """What an end before the boot sectors leaves, in words."""
    touched = any(key.writer is not None and key.writer.touched for key in keys.keys)
    return f"Writing stopped. {WILL_NOT_BOOT}" if touched else "Nothing on the key has changed."


def _check_source(keys: Keys, stream: Stream) -> None:
    """Raise unless what was decoded is the whole image, from a file with the expected digest."""
    image = keys.image
    if stream.size == 0:
        raise WriteFailed("empty-image", "The image holds nothing.", context=str(image.path))
    if stream.declared is not None and stream.size < stream.declared:
        raise WriteFailed(
            "truncated-image",
            f"The image ends at byte {text.exact(stream.size)}; its partition table speaks of "
            f"{text.exact(stream.declared)}. {_left(keys)}",
            context=str(image.path),
            hint="Download it again.",
            offset=stream.size,
        )
    if image.algorithm != "none" and stream.source_digest != image.digest.lower():
        if not image.checked and not any(key.writing.touched for key in keys.alive):
            raise mismatch(image, stream.source_digest)
        raise ChecksumFailed(
            "image-changed",
            f"The image changed after it was verified, or the disk it lies on reads badly. {_left(keys)}",
            context=str(image.path),
            hint="Download it again.",
            expected=image.digest,
            got=stream.source_digest,
        )
    keys.size, keys.digests, keys.source_digest = stream.size, stream.digests, stream.source_digest


def _stopped(keys: Keys) -> str:
    parts = []
    for key in keys.keys:
        if key.writer is None or not key.writer.touched:
            parts.append(f"{key.target.path}: nothing on it has changed.")
        elif key.writer.booting:
            parts.append(f"{key.target.path}: written but not proven.")
        else:
            parts.append(
                f"{key.target.path}: {WILL_NOT_BOOT} {text.size(key.writer.durable)} are safe on it; "
                "writing the same image again continues from there."
            )
    return " ".join(parts)


def _boot_sectors(run: Run[MediaWorld], step: Step) -> Work:
    keys = keys_of(run)
    yield from each_key(run, step, keys, lambda key: key.writing.arm(), lambda: _stopped(keys))
    return {}


def each_key(
    run: Run[MediaWorld], step: Step, keys: Keys, work: Callable[[Key], None], state: Callable[[], str]
) -> Iterator[Event]:
    """Do `work` for every key that has not failed, all at once."""
    failed: dict[Key, WizardError] = {}
    threads: list[threading.Thread] = []

    def body(key: Key) -> None:
        try:
            work(key)
        except WizardError as error:
            failed[key] = error
        except Exception as error:
            failed[key] = WriteFailed("internal-error", f"{type(error).__name__}: {error}")

    for key in keys.alive:
        thread = threading.Thread(target=body, args=(key,), name=key.target.path, daemon=True)
        thread.start()
        threads.append(thread)

    def ended(seconds: float) -> bool:
        until = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def tick() -> Iterator[Event]:
        for key in keys.alive:
            yield Advanced(
                run.clock(), step.id, key.writing.done, keys.size, key.writing.durable, key.target.path
            )

    yield from watch(run, ended, tick, lambda: None, state)
    for key, error in failed.items():
        yield from fail(run, step.id, key, error)


def _receipt(run: Run[MediaWorld], step: Step) -> Work:
    keys = keys_of(run)
    for key in keys.alive:
        facts = {
            "result": key.state,
            "proof": key.proof,
            "source_digest": keys.source_digest,
            "bytes": keys.size,
            "written": key.writing.written,
            "unchanged": key.writing.skipped,
            "write_seconds": round(key.write_seconds, 3),
            "proof_seconds": round(key.proof_seconds, 3),
        }
        if key.changes:
            facts["options"] = [change.path for change in key.changes]
        path = write_receipt(run.world.paths, keys.image, key.target, keys.digests, run.clock(), facts)
        key.receipt = str(path)
        resume.forget(run.world.paths, key.target)
        yield Noted(
            run.clock(),
            step.id,
            f"Receipt: {path}",
            target=key.target.path,
            reference="receipt",
            data={"path": str(path)},
        )
    run.result["say"] = what_next(keys)
    return {"receipts": [key.receipt for key in keys.alive]}


WRITE_ACTIONS = {
    "source": Action(with_choices(_source)),
    "unmount": Action(_unmount),
    "open": Action(_open),
    "write": Action(_write),
    "options": Action(put_options),
    "boot-sectors": Action(_boot_sectors),
    "prove": Action(prove),
    "receipt": Action(_receipt),
}
