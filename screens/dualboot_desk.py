"""What the screens of dual boot may ask of the engine. No Textual here; each call may take seconds."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import PrivilegeFailed, Refused, WizardError
from smartos_wizard.netboot.dualboot_model import HOMES, SCRIPT, Volume, Way
from smartos_wizard.screens.dualboot_model import Beside, Drawn, Opinion, Seen

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.netboot.dualboot_model import Setup
    from smartos_wizard.screens.desk import Desk
    from smartos_wizard.world import World


class DualbootDesk:
    """Asks the room. Every plan is that of the command of the same name."""

    def __init__(self, world: World, releases: Desk) -> None:
        """`releases` is asked what is stored, and how the rest is had."""
        self.world, self._releases = world, releases

    # ------------------------------------------------------------------ this Linux

    def linuxes(self) -> tuple[tuple[str, str, str], ...]:
        """The make-believe Linuxes: name, host name, what stands in the way. None in the real world."""
        if not self.world.practice:
            return ()
        from smartos_wizard.practice.linux_kinds import KINDS

        return tuple((kind.name, kind.hostname, kind.words) for kind in KINDS)

    def look(self, root: str = "") -> Seen:
        """How that Linux starts, whether SmartOS can stand beside it, and whether it does. Nothing is changed."""
        from smartos_wizard.netboot.dualboot_judging import dangers
        from smartos_wizard.netboot.dualboot_removing import installed
        from smartos_wizard.netboot.dualboot_setup import read_setup
        from smartos_wizard.netboot.grub_entry import DEFAULT_POOLS

        linux = self.world.linux(root)
        setup = read_setup(linux)
        ways = opinions(setup)
        best = next((o.way for o in ways if o.recommended), Way.UNPACKED)
        record, unreadable = None, ""
        try:
            record = installed(linux) if setup.installed else None
        except WizardError as error:
            unreadable = error.message
        return Seen(
            root, setup, ways, dangers(setup, best, DEFAULT_POOLS), self.traces(root), record, unreadable, linux.may_change()
        )  # fmt: skip

    def may_change(self, root: str = "") -> bool:
        """Whether this process has the rights to change how that Linux starts."""
        return self.world.linux(root).may_change()

    def traces(self, root: str = "") -> tuple[str, ...]:
        """Every file and directory of ours that is there, and GRUB's menu where it still has an entry of ours.

        What may not be looked into without root's rights is named by its directory.
        """
        from smartos_wizard.netboot.dualboot_files import has_ours, is_ours
        from smartos_wizard.netboot.dualboot_setup import read_setup

        linux = self.world.linux(root)
        found = [SCRIPT] if is_ours(linux.at(SCRIPT)) else []
        for home in HOMES:
            place = linux.at(home)
            if place.is_dir() and not place.is_symlink():
                found.append(home)
                found += sorted(f"{home}/{p.relative_to(place)}" for p in place.rglob("*") if p.is_file())
        menu = read_setup(linux).grub_cfg
        try:
            if menu != "/grub.cfg" and has_ours(linux.at(menu).read_bytes()):
                found.append(f"{menu} (its section of {SCRIPT})")
        except OSError:
            pass  # not there, or for root alone to read
        return tuple(found)

    # ------------------------------------------------------------------ what comes beside it

    def image(self, stamp: str, way: Way) -> VerifiedImage | None:
        """That release in the form this way takes, if it is here and verified."""
        desk = self._releases
        return desk.stored_image(stamp, "iso") if way is Way.ISO else desk.care.platform(stamp)

    def download_plan(self, stamp: str, way: Way) -> Plan:
        """The plan to have it. Raises NetworkFailed, ChecksumFailed, Refused."""
        desk = self._releases
        return desk.download_plan(stamp, "iso") if way is Way.ISO else desk.care.platform_download(stamp)[0]

    def refuse(self, said: Beside) -> None:
        """Raise Refused for what speaks against it as far as it is decided, UsageProblem for choices that mean nothing here."""
        from smartos_wizard.netboot.dualboot_draft import refuse_choices
        from smartos_wizard.netboot.dualboot_planning import problems_of, refuse

        refuse_choices(said.choices)
        refuse(problems_of(said.seen.setup, said.way, said.choices, None, said.uuid))

    def drawn(self, said: Beside) -> Drawn:
        """The files and entries as they would be. Raises what looking into the release raises, and UsageProblem."""
        from smartos_wizard.netboot.dualboot_copy import sizes_of
        from smartos_wizard.netboot.dualboot_draft import draft, files_of, refuse_choices
        from smartos_wizard.netboot.dualboot_judging import home_for
        from smartos_wizard.netboot.dualboot_planning import problems_of

        refuse_choices(said.choices)
        setup = said.seen.setup
        if said.way is not Way.CHAINLOAD and said.image is None:
            raise Refused("not-in-store", "The release is not in the store.", hint="Choose it again.")
        stamp = "loader" if said.image is None else said.stamp
        files = files_of(said.way, stamp, sizes_of(said.image, said.way, stamp)) if said.image else ()
        home = home_for(setup, sum(f.size for f in files) or None) or HOMES[0]
        volume = setup.volumes[HOMES.index(home)] or Volume("/", "", "")
        made = draft(said.way, home, volume, stamp, files, said.choices, said.uuid)
        return Drawn(made, volume, problems_of(setup, said.way, said.choices, made.size, said.uuid))

    def plan(self, said: Beside) -> Plan:
        """The plan of the installation, from this Linux as it is now. Raises Refused for all that speaks against it."""
        from dataclasses import replace

        from smartos_wizard.netboot.dualboot_planning import plan_install

        fresh = replace(said, seen=self.look(said.seen.root))
        drawn = self.drawn(fresh)
        return plan_install(fresh.seen.setup, drawn.draft, drawn.volume, said.image, said.choices, self.world, said.seen.root)  # fmt: skip

    def remove_plan(self, root: str = "") -> Plan:
        """The plan that takes it away. Raises Refused where nothing is there, and what reading the record raises."""
        from smartos_wizard.netboot.dualboot_planning import plan_remove
        from smartos_wizard.netboot.dualboot_removing import installed, traces
        from smartos_wizard.netboot.dualboot_setup import read_setup

        linux = self.world.linux(root)
        setup = read_setup(linux)
        if not setup.installed:
            raise Refused(
                "nothing-here", "SmartOS is not beside this Linux.", hint="There is nothing to take away."
            )
        return plan_remove(setup, installed(linux), traces(linux), root)

    # ------------------------------------------------------------------ root's rights

    def as_root(self, words: str) -> str:
        """The command `dualboot …` to be given as root, whole; empty where nothing here makes one root.

        It is this very program, and what it is told are the words of the command.
        """
        tool = next((name for name in ("sudo", "doas") if shutil.which(name)), "")
        if not tool:
            return ""
        practice = ["--practice"] if self.world.practice else []
        return f"{tool} {shlex.join([*_program(), *practice])} {words}"

    def run_as_root(self, command: str) -> int:
        """Run it on the terminal, which must be free; its exit code, -1 where it could not be started."""
        from smartos_wizard.netboot.dualboot_attended import run_as_root

        return run_as_root(command)

    def source_words(self, said: Beside) -> list[str]:
        """The release as root takes it: root has another store, so the file is named with its SHA-256. May take seconds.

        Raises PrivilegeFailed where answers stand in no file, which root could read, and ChecksumFailed.
        """
        from smartos_wizard.media.verified import verify_now
        from smartos_wizard.releases.verify import digests_of

        if said.choices.answers is not None and not said.given.answers_file:
            raise PrivilegeFailed("answers-in-no-file", "The answers stand in no file that root could read.", hint="Keep them in a file, and name that.")  # fmt: skip
        if said.image is None:
            return ["--chainload", said.uuid]
        image = said.image
        if image.algorithm != "sha256":
            verify_now(image)
        digest = image.digest if image.algorithm == "sha256" else digests_of(image.path)["sha256"]
        return ["--image", str(image.path), "--sha256", digest]


def _program() -> list[str]:
    path = Path(sys.argv[0])
    if path.name == "smartos-wizard" and path.exists():
        return [str(path.resolve())]
    return [sys.executable, "-m", "smartos_wizard"]


def opinions(setup: Setup) -> tuple[Opinion, ...]:
    """Each way with what speaks against it; the first that nothing refuses is the one to take. Pure.

    By BIOS the smaller files come first; a loader is chained from the first SmartOS key that is seen.
    """
    from dataclasses import replace

    from smartos_wizard.netboot.dualboot_judging import stops

    key = next((fat.uuid for fat in setup.fats if fat.smartos), "")
    found = []
    for way, uuid in ((Way.UNPACKED, ""), (Way.ISO, ""), (Way.CHAINLOAD, key)):
        against = stops(setup, way, 0, uuid)
        found.append(Opinion(way, against, uuid))
    best = next((n for n, o in enumerate(found) if o.possible), None)
    return tuple(replace(o, recommended=n == best) for n, o in enumerate(found))
