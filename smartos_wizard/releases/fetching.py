"""Fetches a file to its end through broken lines: attempts, waiting, stalls named, the hash decides.

Imports core only. Time for waiting comes from the monotonic clock, time in events from the caller's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from smartos_wizard.core import text
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Cancelled, ChecksumFailed, NetworkFailed
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.releases.mirror import Mirror
from smartos_wizard.releases.model import Artifact, Checksum
from smartos_wizard.releases.part import Part
from smartos_wizard.releases.transfer import StartAgain, Transfer

STALL = 2.0
"""Seconds without a byte after which the silence is named."""
_TICK = 0.1
_FRUITLESS = 6  # attempts in a row that may bring next to nothing
_FRUIT = 65536  # bytes an attempt must bring to count as progress; this bounds the number of attempts
_RESTARTS = 3  # times the whole file may be begun again
_PATIENCE = 120.0  # the longest a mirror's Retry-After is followed, in seconds


class Fetching:
    """One file on its way in. `fetched` counts bytes that came over the network."""

    def __init__(
        self,
        mirror: Mirror,
        artifact: Artifact,
        expected: Checksum,
        part: Part,
        cancel: Cancel,
        clock: Callable[[], float],
    ) -> None:
        self._mirror = mirror
        self._artifact = artifact
        self._rel = f"{artifact.stamp}/{artifact.name}"
        self._expected = expected
        self._part = part
        self._cancel = cancel
        self._clock = clock
        self._total = artifact.size
        self._step = ""
        self._fruitless = 0
        self._restarts = 0
        self._spliced = part.have > 0
        self.fetched = 0
        self.resumed_from = part.have

    def work(self, step: str) -> Iterator[Event]:
        """Until the part is the expected file. Raises NetworkFailed, ChecksumFailed, Cancelled, OSError."""
        self._step = step
        yield from self._rehash()
        while not (self._part.have and self._matches()):
            before = self._part.have
            transfer = Transfer(self._mirror, self._rel, self._part)
            yield from self._watch(transfer)
            if transfer.total is not None:
                self._total = transfer.total
            if self._matches():
                break  # whatever the line or the headers said, the hash decides
            if transfer.error is None and not self._short():
                yield from self._mismatch()
                continue
            yield from self._after_trouble(transfer.error, self._part.have - before)
        yield Advanced(self._clock(), step, self._part.have, self._part.have, self._part.have)

    def _rehash(self) -> Iterator[Event]:
        part = self._part
        if not part.have:
            return
        words = f"{text.size(part.have)} are here from before; reading them again, then going on from there."
        yield self._note(words, "resuming", data={"from": part.have})
        for done in part.rehash():
            self._check_cancel()
            if done % (32 * 1024 * 1024) == 0:
                yield Advanced(
                    self._clock(), self._step, done, self._total, bottleneck="reading what is here"
                )

    def _watch(self, transfer: Transfer) -> Iterator[Event]:
        """Follow a transfer to its end, telling how far it is and when it is silent."""
        last, since, named = self._part.have, time.monotonic(), False
        begun = last
        transfer.start()
        try:
            while not transfer.ended.wait(_TICK):
                self._check_cancel(transfer)
                have, now = self._part.have, time.monotonic()
                silent = have == last and now - since >= STALL
                if have != last:
                    last, since, named = have, now, False
                if silent and not named:
                    named = True
                    yield self._note("Nothing came from the mirror for 2 s; waiting.", "stalled", "warning")
                if self._total is None and transfer.total is not None:
                    self._total = transfer.total
                yield Advanced(self._clock(), self._step, have, self._total, bottleneck="the network")
        finally:
            transfer.stop()
        restarted = bool(transfer.restarted)
        self._spliced = not restarted and self._spliced
        self.fetched += self._part.have - (0 if restarted else begun)
        if restarted:
            yield self._note(f"Beginning again: {transfer.restarted}.", "restarted", "warning")
            self._count_restart()

    def _after_trouble(self, error: Exception | None, gained: int) -> Iterator[Event]:
        """Decide what a failed attempt means: begin again, wait and go on, or give up (raises)."""
        if isinstance(error, StartAgain) or getattr(error, "reference", "") in (
            "range-refused",
            "wrong-range",
        ):
            yield self._note(f"Beginning again: {error}", "restarted", "warning")
            self._count_restart()
            self._part.start_again()
            self._spliced = False
            return
        if error is None:
            error = NetworkFailed(
                "cut-short", "The mirror ended the file early.", context=self._rel, passing=True
            )
        if not isinstance(error, NetworkFailed) or not error.details.get("passing"):
            raise error
        self._spliced = True
        self._fruitless = 0 if gained >= _FRUIT else self._fruitless + 1
        if self._fruitless >= _FRUITLESS:
            raise _given_up(error, self._part)
        pause = self._pause(error)
        if pause >= 1:
            yield self._note(
                f"{error.message} Trying again in {text.duration(pause)}.", "retrying", "warning",
                data={"seconds": pause, "error": error.reference},
            )  # fmt: skip
        else:
            yield self._note(f"{error.message} Going on at {text.size(self._part.have)}.", "retrying")
        self._cancel.wait(pause)
        self._check_cancel()

    def _pause(self, error: NetworkFailed) -> float:
        asked = error.details.get("retry_after")
        if isinstance(asked, int | float):
            return min(_PATIENCE, float(asked))
        return min(30.0, 0.5 * 2 ** (self._fruitless - 1)) if self._fruitless else 0.05

    def _mismatch(self) -> Iterator[Event]:
        """The whole file came and is not the published one: once again where it was pieced together."""
        actual = self._part.digest.hexdigest()
        if self._spliced:
            yield self._note(
                "The pieces do not make the published file; fetching it whole, once.", "restarted", "warning"
            )
            self._count_restart()
            self._part.start_again()
            self._spliced = False
            return
        self._part.discard()
        raise ChecksumFailed(
            "checksum-mismatch",
            f"{self._artifact.name} arrived whole, but it is not the file that was published. It was removed.\n"
            f"  published {self._expected.algorithm}: {self._expected.digest}\n"
            f"  arrived:          {actual}",
            context=self._mirror.base + self._rel,
            hint="Try again later or use another mirror; something between here and there may change files.",
            expected=self._expected.digest,
            actual=actual,
            algorithm=self._expected.algorithm,
        )

    def _matches(self) -> bool:
        return self._part.digest.copy().hexdigest() == self._expected.digest

    def _short(self) -> bool:
        """Whether the answer ended before the size its own header, or the mirror's listing, tells."""
        return any(size is not None and self._part.have < size for size in (self._artifact.size, self._total))

    def _count_restart(self) -> None:
        self._restarts += 1
        if self._restarts > _RESTARTS:
            raise NetworkFailed(
                "mirror-unsteady",
                "The mirror keeps sending something else than it announced.",
                context=self._mirror.base + self._rel,
                hint="Use another mirror, or try again later.",
            )

    def _check_cancel(self, transfer: Transfer | None = None) -> None:
        if not self._cancel.requested:
            return
        if transfer is not None:
            transfer.stop()
        have = self._part.have
        kept = f"{text.size(have)} are kept in {self._part.path}; the same command goes on from there."
        raise Cancelled(
            "cancelled", f"Download stopped. {kept}" if have else "Download stopped before a byte came."
        )

    def _note(
        self, words: str, reference: str, level: str = "info", data: dict[str, object] | None = None
    ) -> Noted:
        return Noted(self._clock(), self._step, words, level, reference=reference, data=data or {})


def _given_up(error: NetworkFailed, part: Part) -> NetworkFailed:
    kept = f" {text.size(part.have)} are kept; the same command goes on from there." if part.have else ""
    return NetworkFailed(
        error.reference,
        f"{error.message} Gave up after {_FRUITLESS} attempts.{kept}",
        context=error.context,
        hint=error.hint,
    )
