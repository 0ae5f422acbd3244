"""The one counter between the interface and the rooms: what it may ask of the engine. No Textual here.

Every call may take long; the full-screen interface makes them in worker threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos_wizard.core import journal
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Plan
from smartos_wizard.media.model import ImageKind, Judged, KeyContents, Target, VerifiedImage
from smartos_wizard.screens.dualboot_desk import DualbootDesk
from smartos_wizard.screens.guests_desk import GuestsDesk
from smartos_wizard.screens.job_rows import JobRow, job_row
from smartos_wizard.screens.keys_desk import KeyDesk
from smartos_wizard.screens.machine_desk import MachineDesk
from smartos_wizard.screens.netboot_desk import NetbootDesk
from smartos_wizard.screens.options_desk import BootDesk
from smartos_wizard.screens.reinstall_desk import ReinstallDesk
from smartos_wizard.screens.restore_desk import RestoreDesk
from smartos_wizard.screens.sandbox_desk import SandboxDesk

if TYPE_CHECKING:
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.releases.model import Listing, Release
    from smartos_wizard.world import World

__all__ = ["Desk", "JobRow", "Offer", "ReleaseRow", "job_row"]

_DETAILS = 12  # releases whose own lists are read for the screen
_NAMES = {"usb": "USB image", "iso": "ISO", "vmware": "bundle for VMware"}


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release as the list shows it. `age` is in seconds; `size` in bytes, None where not looked up yet."""

    stamp: str
    age: float
    latest: bool = False
    stored: bool = False
    size: int | None = None
    checksum: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """The releases there are, newest first. `offline` says since when the list is old, in words."""

    rows: tuple[ReleaseRow, ...]
    offline: str = ""
    base: str = ""


class Desk:
    """Asks the rooms. One per running interface."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.boot = BootDesk(world)
        self.machine = MachineDesk(world)
        self.care = KeyDesk(world)
        self.sandbox = SandboxDesk(world)
        self.guests = GuestsDesk(world)
        self.reinstall = ReinstallDesk(world)
        self.netboot = NetbootDesk(world, self.care)
        self.restore = RestoreDesk(world)
        self.dualboot = DualbootDesk(world, self)

    def listing(self) -> Listing:
        """The mirror's listing, or the last good one. Raises NetworkFailed."""
        from smartos_wizard.releases.listing import list_releases

        return list_releases(self.world.mirror(), self.world.paths.cache, self.world.now())

    def offer(self, *, details: bool, kind: str = "usb") -> Offer:
        """The releases; with `details` the newest ones with size and checksum of that kind of artifact, `usb` or `iso`.

        Raises NetworkFailed.
        """
        from smartos_wizard.releases.listing import read_releases
        from smartos_wizard.releases.model import Release

        listing = self.listing()
        stored = self.stored(kind)
        found: dict[str, object] = {}
        if details:
            stamps = tuple(e.stamp for e in listing.releases[:_DETAILS])
            found = dict(read_releases(self.world.mirror(), stamps, self.world.paths.cache))
        newest = listing.latest or (listing.releases[0].stamp if listing.releases else "")
        rows = []
        for entry in listing.releases:
            age = self.world.now() - entry.built.timestamp()
            row = ReleaseRow(entry.stamp, age, entry.stamp == newest, entry.stamp in stored)
            detail = found.get(entry.stamp)
            if isinstance(detail, Release):
                row = _detailed(row, detail, kind)
            rows.append(row)
        since = listing.offline_since
        offline = f"{since:%Y-%m-%d %H:%M} UTC" if since is not None else ""
        return Offer(tuple(rows), offline, listing.base)

    def offer_stored(self, kind: str = "usb") -> Offer:
        """The releases that are stored here, for when the mirror cannot be asked."""
        from smartos_wizard.releases.model import ReleaseEntry

        now = self.world.now()
        entries = [ReleaseEntry(stamp) for stamp in sorted(self.stored(kind), reverse=True)]
        rows = [ReleaseRow(e.stamp, now - e.built.timestamp(), stored=True) for e in entries]
        return Offer(tuple(rows))

    def stored(self, kind: str = "usb") -> frozenset[str]:
        """The stamps whose USB image (or ISO) is here and verified."""
        from smartos_wizard.releases.model import ArtifactKind
        from smartos_wizard.releases.store import Store

        files = Store(self.world.paths.store).list()
        return frozenset(f.artifact.stamp for f in files if f.artifact.kind is ArtifactKind(kind))

    def stored_image(self, stamp: str, kind: str = "usb") -> VerifiedImage | None:
        """The USB image (or ISO) of that release if it was downloaded and verified before and not touched since."""
        from smartos_wizard.releases.model import ArtifactKind
        from smartos_wizard.releases.store import Store

        file = Store(self.world.paths.store).find(stamp, ArtifactKind(kind))
        if file is None:
            return None
        packed = {".bz2": ImageKind.BZIP2, ".iso": ImageKind.ISO}.get(file.path.suffix, ImageKind.GZIP)
        vouched = f"the release's own {file.verified.algorithm} list"
        return VerifiedImage(
            file.path, packed, file.verified.algorithm, file.verified.digest, vouched, stamp, file.source
        )

    def download_plan(self, stamp: str, kind: str = "usb") -> Plan:
        """The plan to have that release's USB image, or its ISO. Raises NetworkFailed, ChecksumFailed, Refused."""
        from smartos_wizard.releases.download import plan_download
        from smartos_wizard.releases.listing import read_release
        from smartos_wizard.releases.model import ArtifactKind
        from smartos_wizard.releases.store import Store

        mirror = self.world.mirror()
        release = read_release(mirror, stamp, self.world.paths.cache)
        artifact = release.artifact(ArtifactKind(kind))
        if artifact is None:
            raise Refused(
                f"no-{kind}-image", f"Release {stamp} has no {_NAMES[kind]}.", hint="Choose another one."
            )
        return plan_download(release, artifact, None, Store(self.world.paths.store), mirror.base)

    def judged(self) -> tuple[Judged, ...]:
        """Every disk, as a target or withheld. Raises WizardError where they cannot be listed."""
        from smartos_wizard.media.disks.judge import judge_all

        return tuple(judge_all(self.world.disks.list()))

    def same_again(self, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """The same disks as they are attached now, wherever. Raises Refused where one is not there."""
        here = [d for d in self.judged() if isinstance(d, Target)]
        found = []
        for old in targets:
            again = next((d for d in here if _is_same(old, d)), None)
            if again is None:
                raise Refused(
                    "no-such-disk",
                    f"{old.disk.name} {old.disk.serial} is not here, or may not be written now.",
                    hint="Plug it in again, then take the work up.",
                    context=old.path,
                )
            found.append(again)
        return tuple(found)

    def disks_changed(self, seconds: float) -> bool:
        """Wait up to `seconds` for a disk to come or go."""
        return self.world.disks.changed(seconds)

    def write_plan(
        self, image: VerifiedImage, targets: tuple[Target, ...], choices: BootChoices | None = None
    ) -> Plan:
        """The plan to write and prove, with what the machine is told at boot. Raises Refused, UsageProblem."""
        from smartos_wizard.media.writing import plan_write

        return plan_write(image, targets, self.world, choices=choices)

    def check_plan(self, image: VerifiedImage, target: Target) -> Plan:
        """The plan to compare a key with an image."""
        from smartos_wizard.media.checking import plan_check

        return plan_check(image, (target,))

    def restore_plan(self, target: Target) -> Plan:
        """The plan to make a key a plain stick again. Raises Refused."""
        from smartos_wizard.media.restoring import plan_restore

        return plan_restore(target)

    def boot_test_plan(self, target: Target) -> Plan:
        """The plan to start a key in QEMU. Raises Refused where it is missing."""
        from smartos_wizard.media.boottest import plan_boot_test

        return plan_boot_test((target,))

    def contents(self, target: Target) -> KeyContents:
        """What is on a key."""
        from smartos_wizard.media.showing import show_key

        return show_key(self.world, target)

    def start(self, plan: Plan, confirm: tuple[str, ...] = ()) -> journal.Job:
        """Start a plan in a process of its own. Raises Refused where it is not confirmed."""
        from smartos_wizard.core.jobs import start_job

        return start_job(self.world, plan, confirm)

    def eject(self, path: str) -> str:
        """Make it safe to pull; what was done, in words."""
        return self.world.opener.eject(path)

    def root_password(self, stamp: str) -> str:
        """The single-user root password of that build. Raises NetworkFailed."""
        from smartos_wizard.releases.listing import read_root_password

        return read_root_password(self.world.mirror(), stamp)

    def jobs(self) -> tuple[JobRow, ...]:
        """Running jobs first, then what was left unfinished, newest first."""
        paths = self.world.paths
        running = [j for j in journal.list_jobs(paths.jobs) if j.running() and j.progress().ended is None]
        left = journal.unfinished(paths.jobs)
        return tuple(job_row(j) for j in (*reversed(running), *reversed(left)))


def _is_same(old: Target, new: Target) -> bool:
    one, other = old.fingerprint, new.fingerprint
    if one.serial:
        return (one.serial, one.size, one.model) == (other.serial, other.size, other.model)
    return (one.path, one.size, one.model, one.diskseq) == (
        other.path,
        other.size,
        other.model,
        other.diskseq,
    )


def _detailed(row: ReleaseRow, release: Release, kind: str) -> ReleaseRow:
    from dataclasses import replace

    from smartos_wizard.releases.model import ArtifactKind

    artifact = release.artifact(ArtifactKind(kind))
    if artifact is None:
        return replace(row, problem=f"no {_NAMES[kind]}")
    best = artifact.best
    return replace(row, size=artifact.size, checksum=best.algorithm if best else "none")
