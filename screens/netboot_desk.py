"""What booting over the network may ask of the rooms: trees, releases, interfaces, plans. No Textual here.

Every call may take long; screens make them in worker threads.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.core import journal
from smartos_wizard.core.errors import UsageProblem, WizardError
from smartos_wizard.core.text import tame
from smartos_wizard.screens.netboot_model import HTTP, OWN, BuildAnswers, ServeAnswers, TreeFacts

if TYPE_CHECKING:
    from smartos_wizard.core.errors import ErrorReport
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.netboot.build_plan import Source
    from smartos_wizard.netboot.interface import Interface
    from smartos_wizard.netboot.serve_plan import Serving
    from smartos_wizard.netboot.tree import Wishes
    from smartos_wizard.screens.desk import Offer
    from smartos_wizard.screens.keys_desk import KeyDesk
    from smartos_wizard.world import World

_MOST = 5  # trees that are remembered
_NAME = "smartos-netboot"
OFFICIAL = "https://netboot.smartos.org/smartos.ipxe"
"""The project's own tree (smartos-netboot-server)."""


def place_of(directory: str) -> Path:
    """The directory that was typed, whole. Raises UsageProblem `no-directory` where nothing was."""
    if not directory.strip():
        raise UsageProblem("no-directory", "Which directory? None was named.")
    try:
        return Path(directory.strip()).expanduser().absolute()
    except RuntimeError as error:
        raise UsageProblem("no-directory", f"{tame(directory)} names nobody's home.") from error


class NetbootDesk:
    """Asks the rooms about trees and networks."""

    def __init__(self, world: World, keys: KeyDesk) -> None:
        self.world, self._keys = world, keys

    # ------------------------------------------------------------------ trees

    def proposed(self) -> str:
        """Where a tree is proposed to lie: where the last one was built, else below this user's home."""
        known = self.known()
        if known:
            return known[0].directory
        place = self.world.paths.state if self.world.practice else Path.home()
        return str(place / _NAME)

    def known(self) -> tuple[TreeFacts, ...]:
        """Trees that the wizard built, served or checked lately and that are still there, last used first."""
        found: dict[str, TreeFacts] = {}
        for job in reversed(journal.list_jobs(self.world.paths.jobs)):
            with suppress(OSError, ValueError, KeyError):
                plan = job.plan()
                root = str(plan.params.get("root") or plan.params.get("where") or "")
                if not plan.kind.startswith("netboot-") or "://" in root or not root or root in found:
                    continue
                facts = self.look(root)
                if facts.state == "tree" and not facts.problem:
                    found[root] = facts
            if len(found) == _MOST:
                break
        return tuple(found.values())

    def look(self, directory: str) -> TreeFacts:
        """What is in a directory, and how much room is there. Never raises: what is wrong is in `problem`."""
        from smartos_wizard.netboot.tree import read_tree

        try:
            root = place_of(directory)
            tree = read_tree(root)
            state = "tree" if tree.stamps or tree.scripts else "new"
            if state == "new" and root.is_dir():
                state = "other" if any(root.iterdir()) else "empty"
        except WizardError as error:
            return TreeFacts(directory, "other", problem=error.message)
        except OSError as error:
            return TreeFacts(directory, "other", problem=f"It cannot be read: {error.strerror or error}.")
        size = sum(held.size for held in tree.releases.values())
        macs = tuple(m.mac.replace("-", ":") for m in tree.wishes.machines)
        return TreeFacts(str(root), state, tree.stamps, size, macs, _free(root))

    def profiles(self) -> tuple[str, ...]:
        """The names under which choices are saved."""
        from smartos_wizard.boot.profile import ProfileStore

        return ProfileStore(self.world.paths).list()

    def platforms(self, offer: Offer, *, details: bool) -> Offer:
        """The releases with what is told of their platforms. Raises NetworkFailed."""
        return self._keys.platforms(offer, details=details)

    def build_plan(self, said: BuildAnswers) -> Plan:
        """The plan of a tree; what machines are told waits in the vault. Raises Refused, UsageProblem, NetworkFailed."""
        from smartos_wizard.core.vault import Vault
        from smartos_wizard.netboot.build_plan import Asked, plan_build
        from smartos_wizard.netboot.tree import read_tree

        tree = read_tree(place_of(said.directory))
        wishes = self._wishes(said, tree.wishes)
        sources = tuple(
            self._source(stamp, there=tree.is_there(stamp) and not said.again) for stamp in said.stamps
        )
        vault = Vault(self.world.paths)
        secret = vault.put(wishes.pack())
        try:
            return plan_build(tree, Asked(sources, wishes, secret, said.kept, said.again))
        except BaseException:
            vault.forget(secret)
            raise

    def warnings(self, said: BuildAnswers) -> tuple[str, ...]:
        """What has to be known of what machines are told. Raises as `build_plan`."""
        from smartos_wizard.netboot.asking import warnings_of
        from smartos_wizard.netboot.tree import read_tree

        return warnings_of(self._wishes(said, read_tree(place_of(said.directory)).wishes))

    def _wishes(self, said: BuildAnswers, before: Wishes) -> Wishes:
        from smartos_wizard.netboot.asking import wishes_of

        return wishes_of(before, self.world.paths, profile=said.profile, console=said.console, macs=said.told)

    def _source(self, stamp: str, *, there: bool) -> Source:
        """A release for the tree; for what is in it already nobody is asked."""
        from smartos_wizard.media.model import ImageKind, VerifiedImage
        from smartos_wizard.netboot.asking import source_of_release
        from smartos_wizard.netboot.build_plan import Source

        if there:
            return Source(stamp, VerifiedImage(Path(stamp), ImageKind.PLATFORM, "none", "", "", stamp))
        image = self._keys.platform(stamp)
        if image is not None:
            return source_of_release(image, None)
        download, image = self._keys.platform_download(stamp)
        return source_of_release(image, download)

    # ------------------------------------------------------------------ serving

    def cards(self) -> tuple[Interface, ...]:
        """Every interface but loopback, those that can be served on first."""
        every = self.world.wire.every_interface()
        return tuple(sorted(every, key=lambda each: (not (each.up and each.address), each.name)))

    def missing(self) -> ErrorReport | None:
        """What serving would lack on this machine besides an interface; None where all is there."""
        try:
            self.world.wire.dnsmasq()
            self.world.wire.loader("")
        except WizardError as error:
            return error.report()
        return None

    def serve_plan(self, said: ServeAnswers) -> Plan:
        """The plan of an evening. Raises UsageProblem, and WizardError where a program is missing."""
        from smartos_wizard.netboot.serve_plan import plan_serve

        if said.gives != HTTP:
            self.world.wire.dnsmasq()
            self.world.wire.loader("")
        return plan_serve(self._serving(said))

    def config_plan(self, said: ServeAnswers) -> Plan:
        """The plan to write configuration for other servers. Raises UsageProblem."""
        from smartos_wizard.netboot.site_config import plan_config

        return plan_config(self._serving(said), place_of(said.into))

    def _serving(self, said: ServeAnswers) -> Serving:
        from smartos_wizard.netboot.interface import range_of
        from smartos_wizard.netboot.serve_plan import Serving

        root = place_of(said.directory)
        facts = self.look(said.directory)
        if facts.state != "tree" and not (root / "boot.ipxe").is_file():
            raise UsageProblem(
                "no-tree", f"There is no netboot tree in {root}.", hint="Build one first.", context=str(root)
            )
        where = self.world.wire.interface(said.interface)
        first, last = range_of(said.addresses, where) if said.gives == OWN else ("", "")
        return Serving(root, where, port_of(said.port), first, last, said.gives == HTTP, elsewhere=True)

    # ------------------------------------------------------------------ checking

    def check_plan(self, where: str, *, full: bool) -> Plan:
        """The plan to check a directory or a server's tree. Raises UsageProblem."""
        from smartos_wizard.netboot.check_steps import plan_check

        return plan_check(where.strip() if "://" in where else str(place_of(where)), full=full)


def port_of(words: str) -> int:
    """A port. Raises UsageProblem `bad-port`."""
    plain = words.strip()
    if not (plain.isascii() and plain.isdigit() and 0 < int(plain[:6]) < 65536):
        raise UsageProblem("bad-port", "A port is a number from 1 to 65535.", hint="8080 takes no rights.")
    return int(plain)


def _free(root: Path) -> int | None:
    with suppress(OSError):
        return shutil.disk_usage(next(p for p in (root, *root.parents) if p.exists())).free
    return None
