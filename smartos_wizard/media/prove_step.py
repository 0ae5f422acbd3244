"""The step that proves: the only place that gives a key the state `proven`."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from smartos_wizard.core.errors import ProofFailed, WizardError
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.media import resume
from smartos_wizard.media.keys import Key, Keys, fail, keys_of
from smartos_wizard.media.optioning import prove_options
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.proving import Prover, difference
from smartos_wizard.media.watching import watch


def prove(run: Run[MediaWorld], step: Step) -> Work:
    """Read every key back and compare. A key to which nothing was written was proven by comparing."""
    keys = keys_of(run)
    provers: dict[Key, Prover] = {}
    for key in keys.alive:
        if _compared_whole(key):
            key.proof = "compared"
            words = f"{key.target.path} held the image already: every byte was read from it and compared; nothing was written."
            yield Noted(run.clock(), step.id, words, target=key.target.path, reference="unchanged")
        else:
            key.proof = "read-back"
            provers[key] = Prover(key.opened, keys.digests, keys.size, key.originals, key.changed)
    yield from _run_all(run, step, keys, provers)
    for key in keys.alive:
        key.state = "proven"
        key.opened.reread_partitions()
    return {"proven": [key.target.path for key in keys.alive]}


def _compared_whole(key: Key) -> bool:
    writer = key.writing
    return not key.originals and not writer.touched and writer.written == 0 and writer.delta.looked_at_all


def _run_all(run: Run[MediaWorld], step: Step, keys: Keys, provers: dict[Key, Prover]) -> Iterator[Event]:
    failed: dict[Key, WizardError] = {}
    threads = [
        threading.Thread(target=_one, args=(keys, key, prover, failed), name=key.target.path, daemon=True)
        for key, prover in provers.items()
    ]
    for thread in threads:
        thread.start()

    def ended(seconds: float) -> bool:
        until = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def tick() -> Iterator[Event]:
        for key, prover in provers.items():
            yield Advanced(
                run.clock(), step.id, prover.done, keys.size, prover.done, key.target.path, "the key"
            )

    def abandon() -> None:
        for prover in provers.values():
            prover.stopped = True

    yield from watch(
        run,
        ended,
        tick,
        abandon,
        lambda: "Everything was written, but it is not proven. Prove it with `smartos-wizard key check`.",
    )
    for key, error in failed.items():
        resume.forget(run.world.paths, key.target)
        yield from fail(run, step.id, key, error)


def _one(keys: Keys, key: Key, prover: Prover, failed: dict[Key, WizardError]) -> None:
    begun = time.monotonic()
    try:
        prover.run()
        if prover.different is not None:
            raise difference(keys.image, key.opened, *prover.different)
        if not prover.stopped and prover.done != keys.size:
            raise ProofFailed(
                "proof-failed",
                f"Only {prover.done:,} of {keys.size:,} bytes could be compared.",
                offset=prover.done,
            )
        if key.changes and not prover.stopped:
            prove_options(key)
    except WizardError as error:
        failed[key] = error
        _take_boot_away(key, error)
    except Exception as error:
        failed[key] = ProofFailed("internal-error", f"{type(error).__name__}: {error}", offset=prover.done)
        _take_boot_away(key, failed[key])
    finally:
        key.proof_seconds = time.monotonic() - begun


def _take_boot_away(key: Key, error: WizardError) -> None:
    """A key that failed its proof must not boot by mistake: zeros over its boot sectors, where it lets us."""
    with contextlib.suppress(OSError):
        key.writing.disarm()
        error.message += " Its boot sectors were taken away again, so that nobody boots from it by mistake."
