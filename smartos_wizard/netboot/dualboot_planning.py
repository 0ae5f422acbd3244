"""Plans SmartOS beside a Linux, and its removal. Reads nothing but what it is given and changes nothing.

Secrets (answers, a root hash) wait in the vault; the plan holds their name.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.boot.packed import pack_choices
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.core.text import size
from smartos_wizard.core.vault import Vault
from smartos_wizard.media.as_json import image_to_json
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.netboot.dualboot_draft import Draft
from smartos_wizard.netboot.dualboot_judging import answers_stop, dangers, stops
from smartos_wizard.netboot.dualboot_model import SCRIPT, Installed, Problem, Setup, Volume, Way
from smartos_wizard.netboot.dualboot_ports import DualBootWorld
from smartos_wizard.netboot.grub_entry import DEFAULT_POOLS

UNTOUCHED = (
    "the entry that starts by itself, and every other entry",
    "the boot sectors and GRUB itself",
    "every other file, partition and pool",
)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise Refused for the first problem that stops; all of them are in its details."""
    stopping = [p for p in problems if p.level == "stop"]
    if stopping:
        first = stopping[0]
        raise Refused(
            first.reference, f"{first.text} Nothing was changed.", hint=first.hint,
            problems=[p.to_json() for p in problems],
        )  # fmt: skip


def problems_of(
    setup: Setup, way: Way, choices: BootChoices, needed: int | None, uuid: str = ""
) -> tuple[Problem, ...]:
    """All that speaks against it, then what has to be known."""
    answers = answers_stop(choices.answers)
    found = (*stops(setup, way, needed, uuid), *((answers,) if answers else ()))
    return (*found, *dangers(setup, way, choices.pools or DEFAULT_POOLS))


def plan_install(
    setup: Setup, made: Draft, volume: Volume, image: VerifiedImage | None, choices: BootChoices, world: DualBootWorld, root: str = ""
) -> Plan:  # fmt: skip
    """The plan for a draft. Raises Refused for everything that speaks against it."""
    refuse(problems_of(setup, made.way, choices, made.size, made.uuid))
    home, steps = made.home, []
    steps.append(
        Step(
            "check", "check", "look once more: rights, room, and whether GRUB sees the same file system", Effect.READS,
            by_hand=f"grub-probe --target=fs_uuid {volume.point}",
        )
    )  # fmt: skip
    steps.append(
        Step(
            "begin", "begin", f"{home}: a record of what is done, and a copy of GRUB's menu as it is", Effect.CREATES,
            undo=f"remove {home}", by_hand=f"mkdir {home}; cp -p {setup.grub_cfg} {home}/",
        )
    )  # fmt: skip
    if made.files and image is not None:
        steps += _copy_steps(made, image)
    if made.own:
        steps.append(
            Step(
                "told", "told", f"{len(made.own)} file{'s' if len(made.own) > 1 else ''} with what SmartOS is told, for root only",
                Effect.CREATES, tuple(f"{home}/{path}  {size(len(data))}" for path, data in made.own.items()), undo="remove them",
            )
        )  # fmt: skip
    steps += _menu_steps(setup, made)
    return Plan(
        "dualboot-install",
        f"SmartOS {made.stamp} beside {setup.system} on {setup.hostname}".replace("  ", " "),
        tuple(steps),
        untouched=UNTOUCHED,
        confirmation=_confirmation(setup),
        seconds=10 + made.size / 40e6,
        locks=(f"dualboot {root or '/'}",),
        params={
            "root": root, "home": home, "stamp": made.stamp, "way": made.way.value, "point": volume.point, "uuid": volume.uuid,
            "inside": volume.inside, "needed": made.size, "grub_cfg": setup.grub_cfg, "generator": setup.generator,
            "checker": setup.checker, "entries": made.entries, "titles": list(made.titles),
            "files": [f.path for f in made.files], "own": list(made.own), "arch": setup.arch,
            "image": image_to_json(image) if image is not None else None,
            "choices": Vault(world.paths).put(pack_choices(choices)) if made.own else "",
        },
    )  # fmt: skip


def _copy_steps(made: Draft, image: VerifiedImage) -> list[Step]:
    whole = made.way is Way.ISO
    where = f"{made.home}/{made.stamp}"
    what = "the ISO as it is" if whole else f"the platform out of {image.path.name}"
    by_hand = (
        f"install -D {shlex.quote(str(image.path))} {where}/{made.files[0].path.partition('/')[2]}"
        if whole
        else f"mkdir {where}; tar -C {where} -xzf {shlex.quote(str(image.path))}; mv {where}/platform-* {where}/platform"
    )
    lines = tuple(f"{made.home}/{f.path}  {size(f.size) if f.size else '?'}" for f in made.files)
    return [
        Step("copy", "copy", f"copy {what}; its digest must be the published one", Effect.CREATES, lines,
             undo=f"remove {where}", by_hand=by_hand),
        Step("compare", "compare", "read the copies back from the disk and compare", Effect.READS),
    ]  # fmt: skip


def _menu_steps(setup: Setup, made: Draft) -> list[Step]:
    following = f"{made.home}/grub.cfg.next"
    return [
        Step("entry", "entry", f"{SCRIPT}: {len(made.titles)} entr{'ies' if len(made.titles) > 1 else 'y'} for GRUB's menu",
             Effect.CREATES, tuple(made.titles), undo="remove it", by_hand=f"edit {SCRIPT}; chmod 755 {SCRIPT}"),
        Step("generate", "generate", "have a new menu made aside, and check it", Effect.CREATES, undo="remove it",
             by_hand=f"{setup.generator} -o {following} && {setup.checker} {following}"),
        Step("switch", "switch", f"{setup.grub_cfg}: the new menu in the place of the old", Effect.CHANGES,
             undo="put the old menu back, byte for byte", by_hand=setup.by_hand),
    ]  # fmt: skip


def plan_remove(setup: Setup, found: Installed | None, present: Sequence[str], root: str = "") -> Plan:
    """The plan that takes it away: `present` are the homes that exist, `found` what the record says."""
    homes = list(present)
    cfg = found.grub_cfg if found else setup.grub_cfg
    steps = [
        Step("unlist", "unlist", f"remove {SCRIPT}", Effect.CHANGES, undo="`smartos-wizard dualboot install` again", by_hand=f"rm {SCRIPT}"),
        Step("menu", "menu", f"{cfg}: as it was before, or made anew without SmartOS", Effect.CHANGES,
             ("byte for byte as it was, if nothing else changed it since",), by_hand=setup.by_hand),
    ]  # fmt: skip
    for home in homes:
        lines = tuple(f"{home}/{name}" for name in (found.files if found and found.home == home else ()))
        steps.append(
            Step(f"files {home}", "files", f"remove SmartOS' files in {home}", Effect.CHANGES, lines, undo="`smartos-wizard dualboot install` again",
                 by_hand=f"rm -r {home}", params={"home": home})
        )  # fmt: skip
    return Plan(
        "dualboot-remove", f"Take SmartOS away from beside {setup.system} on {setup.hostname}", tuple(steps),
        untouched=("SmartOS' pool and everything on it", "every other entry of GRUB's menu", "GRUB itself"),
        confirmation=_confirmation(setup), seconds=10, locks=(f"dualboot {root or '/'}",),
        params={
            "root": root, "grub_cfg": cfg, "generator": found.generator if found else setup.generator,
            "checker": found.checker if found else setup.checker,
        },
    )  # fmt: skip


def _confirmation(setup: Setup) -> Confirmation:
    return Confirmation("To change how this machine starts, confirm its name", (setup.hostname,))
