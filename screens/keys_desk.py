"""What looking after a key may ask of the engine: its choices, its platforms, its password. No Textual here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.model import ImageKind, Target, VerifiedImage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.boot.passwords import Rule
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.releases.model import Artifact, Checksum
    from smartos_wizard.screens.desk import Offer, ReleaseRow
    from smartos_wizard.world import World

_LOADER_SINCE = (
    "20190410"  # keys of older releases start by GRUB (smartos-live: tools/build_iso until 2019-04)
)
_DETAILS = 12


@dataclass(frozen=True, slots=True)
class Password:
    """The password built into a key's release, where it was read, and which of root's passwords counts when."""

    word: str = field(repr=False)
    stamp: str
    place: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a key tells its machine at boot; `grub` is for keys from before 2019-04, which take less."""

    choices: BootChoices = field(repr=False)
    grub: bool = False


class KeyDesk:
    """Asks the rooms about one key. Each call may take seconds."""

    def __init__(self, world: World) -> None:
        self.world = world

    # ------------------------------------------------------------------ what it says at boot

    def told(self, target: Target) -> Told:
        """What this program made the key say before. Raises Refused, and what opening raises."""
        return self._told(target, {})

    def told_by(self, plan: Plan, target: Target) -> Told:
        """What an unfinished change was to make the key say; what it says now where that is no longer kept."""
        from smartos_wizard.boot.packed import unpack_changes
        from smartos_wizard.core.vault import Vault

        try:
            kept = Vault(self.world.paths).get(str(plan.params.get("changes", "")))
        except Refused:
            return self.told(target)
        return self._told(target, {change.path: change.new for change in unpack_changes(kept)})

    def _told(self, target: Target, instead: Mapping[str, bytes | None]) -> Told:
        """What the key says, with some files taken from elsewhere."""
        from smartos_wizard.boot.present import present_choices
        from smartos_wizard.media.configuring import draft_of, reading
        from smartos_wizard.media.file_changes import LARGEST

        with reading(self.world, target) as device:
            root, _draft, editor = draft_of(device)

            def content(path: str) -> bytes | None:
                return instead[path] if path in instead else editor.read(path, limit=LARGEST)

            return Told(present_choices(content, legacy=root.legacy), root.legacy)

    def configure_plan(self, target: Target, choices: BootChoices) -> Plan:
        """The plan that makes the key say exactly that. Raises Refused, UsageProblem."""
        from smartos_wizard.media.configuring import plan_configure

        return plan_configure(target, choices, self.world, reset=True)

    # ------------------------------------------------------------------ which platform it starts

    def platform(self, stamp: str) -> VerifiedImage | None:
        """The platform of that release if it is here and verified."""
        from smartos_wizard.releases.model import ArtifactKind
        from smartos_wizard.releases.store import Store

        file = Store(self.world.paths.store).find(stamp, ArtifactKind.PLATFORM)
        return None if file is None else _image(file.artifact, str(file.path), file.verified, file.source)

    def platform_download(self, stamp: str) -> tuple[Plan, VerifiedImage]:
        """The plan to have that platform, and the file it will give. Raises NetworkFailed, ChecksumFailed, Refused."""
        from smartos_wizard.releases.download import plan_download, require_checksum
        from smartos_wizard.releases.listing import read_release
        from smartos_wizard.releases.model import ArtifactKind
        from smartos_wizard.releases.store import Store

        mirror, store = self.world.mirror(), Store(self.world.paths.store)
        release = read_release(mirror, stamp, self.world.paths.cache)
        artifact = release.artifact(ArtifactKind.PLATFORM)
        if artifact is None:
            raise Refused(
                "no-platform-image", f"Release {stamp} has no platform tarball.", hint="Choose another one."
            )
        checksum = require_checksum(release, artifact)
        image = _image(artifact, str(store.path_of(artifact)), checksum, mirror.base)
        return plan_download(release, artifact, None, store, mirror.base), image

    def platforms(self, offer: Offer, *, details: bool) -> Offer:
        """The same releases, with what is told of them told of their platforms. Raises NetworkFailed."""
        from smartos_wizard.releases.listing import read_releases
        from smartos_wizard.releases.model import ArtifactKind
        from smartos_wizard.releases.store import Store

        files = Store(self.world.paths.store).list()
        here = {f.artifact.stamp for f in files if f.artifact.kind is ArtifactKind.PLATFORM}
        stamps = tuple(row.stamp for row in offer.rows[:_DETAILS]) if details else ()
        found = dict(read_releases(self.world.mirror(), stamps, self.world.paths.cache)) if stamps else {}
        return replace(
            offer,
            rows=tuple(_of_platform(row, found.get(row.stamp), row.stamp in here) for row in offer.rows),
        )

    def upgrade_plan(self, target: Target, image: VerifiedImage) -> Plan:
        """The plan that puts that platform beside the present one; its file may still be missing. Raises Refused."""
        from smartos_wizard.media.upgrading import plan_upgrade

        return plan_upgrade(target, image, self.world)

    def rollback_plan(self, target: Target, to: str = "") -> Plan:
        """The plan that goes back to the kept platform, or finishes a change that was cut short. Raises Refused."""
        from smartos_wizard.media.upgrading import plan_rollback

        return plan_rollback(target, self.world, to)

    # ------------------------------------------------------------------ root's password

    def password(self, target: Target) -> Password:
        """Read from the key, and kept nowhere. Raises Refused, UsageProblem, and what opening raises."""
        from smartos_wizard.boot.passwords import rules, shadow_of_settings
        from smartos_wizard.media.contents import read_contents
        from smartos_wizard.media.root_password import of_pread
        from smartos_wizard.media.showing import read_key

        contents, found = read_key(
            self.world,
            target,
            lambda pread, size: (read_contents(pread, size), of_pread(pread, size, target.path)),
        )
        stamp = found.stamp or contents.stamp
        grub = contents.layout == "mbr" or (bool(stamp) and stamp < _LOADER_SINCE)
        told = rules(shadow_of_settings(contents.settings), grub=grub)
        return Password(found.word, stamp, f"{found.member} on {found.medium}", told)


def _image(artifact: Artifact, path: str, checksum: Checksum, source: str) -> VerifiedImage:
    from pathlib import Path

    vouched = f"the release's own {checksum.algorithm} list"
    return VerifiedImage(
        Path(path), ImageKind.PLATFORM, checksum.algorithm, checksum.digest, vouched, artifact.stamp, source
    )


def _of_platform(row: ReleaseRow, release: object, stored: bool) -> ReleaseRow:
    """The row with what is known of the release's platform; sizes are known once its own list was read."""
    from smartos_wizard.releases.model import ArtifactKind, Release

    row = replace(row, stored=stored, size=None, checksum="", problem="")
    if not isinstance(release, Release):
        return row
    artifact = release.artifact(ArtifactKind.PLATFORM)
    if artifact is None:
        return replace(row, problem="no platform")
    best = artifact.best
    return replace(row, size=artifact.size, checksum=best.algorithm if best else "none")
