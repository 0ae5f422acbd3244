"""From what a user names to what a plan takes: releases and files as sources, addresses and profiles as machines.

Reads the store, the mirror and files; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from smartos_wizard.boot.answers_check import check_answers, check_file
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.boot.profile import ProfileStore
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import tame
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.media.platform_tarball import expected_size
from smartos_wizard.netboot.build_plan import Source
from smartos_wizard.netboot.model import Machine, mac_of
from smartos_wizard.netboot.scripts import has_password, not_served
from smartos_wizard.netboot.tree import Wishes

_ANSWERS_MOST = 64 << 10


def source_of_release(image: VerifiedImage, download: Plan | None) -> Source:
    """A release's platform, in the store or still to come."""
    return Source(image.stamp, image, download, expected_size(image.path))


def source_of_file(image: VerifiedImage) -> Source:
    """A tarball or an ISO of the user's. Raises UsageProblem `no-stamp`, `not-a-platform`."""
    stamp, size = image.stamp, None
    if image.kind is ImageKind.PLATFORM:
        from smartos_wizard.netboot.tarball import stamp_inside

        stamp, size = stamp or stamp_inside(image.path), expected_size(image.path)
    if not stamp:
        raise UsageProblem(
            "no-stamp", f"Neither the name nor the content of {image.path.name} tells which release it is.",
            context=str(image.path), hint="Give it its published name: platform-…-STAMP.tgz or smartos-STAMP.iso.",
        )  # fmt: skip
    return Source(stamp, image, None, size)


def machines_of(given: Iterable[str], paths: Paths) -> tuple[Machine, ...]:
    """Machines from `MAC=PROFILE` and `MAC=FILE.json`; both of one address add up.

    Raises UsageProblem `bad-mac`, `no-pair`; Refused `no-such-profile`, `bad-answers`.
    """
    found: dict[str, BootChoices] = {}
    for each in given:
        left, equals, right = each.partition("=")
        if not equals or not right:
            raise UsageProblem(
                "no-pair", f"--mac takes an address and a profile or answers file, not “{tame(each)}”.",
                hint="--mac 52:54:00:12:34:56=rack7 or --mac 52:54:00:12:34:56=answers.json",
            )  # fmt: skip
        mac = mac_of(left)
        before = found.get(mac, BootChoices())
        if right.endswith(".json") or "/" in right:
            found[mac] = before.with_(answers=answers_at(Path(right)))
        else:
            found[mac] = before.over(choices_of(right, paths))
    return tuple(Machine(mac, choices) for mac, choices in sorted(found.items()))


def wishes_of(
    before: Wishes, paths: Paths, *, profile: str = "", console: str = "", macs: Iterable[str] = (),
    forget: Iterable[str] = (),
) -> Wishes:  # fmt: skip
    """What machines are told after these changes. `profile` names choices that are saved, `none` takes them back.

    Raises as `machines_of` and `choices_of`, and UsageProblem `no-such-machine` for one to forget that has nothing of its own.
    """
    gone = tuple(mac_of(mac) for mac in forget)
    unknown = [mac for mac in gone if mac not in {m.mac for m in before.machines}]
    if unknown:
        raise UsageProblem("no-such-machine", f"{unknown[0]} has no script of its own in this tree.")
    wishes = before.with_machines(machines_of(macs, paths), gone)
    if profile:
        menu = BootChoices() if profile == "none" else choices_of(profile, paths)
        wishes = replace(wishes, menu=menu)
    if console and console != wishes.menu.console:
        wishes = replace(wishes, menu=wishes.menu.with_(console=console, speed=None))
    return wishes


def warnings_of(wishes: Wishes) -> tuple[str, ...]:
    """What has to be known of them before they are served, as sentences."""
    found = []
    if has_password(wishes):
        found.append("root's password or its hash is in the tree; whoever reaches the server can read it.")
    for choices in (wishes.menu, *(m.choices for m in wishes.machines)):
        found += [
            f"{path} of the profile is a file for a key; machines that boot over the network do not get it."
            for path in not_served(choices)
        ]
    return tuple(found)


def choices_of(name: str, paths: Paths) -> BootChoices:
    """The choices saved under a name. Raises Refused `no-such-profile`, `bad-answers`."""
    choices = ProfileStore(paths).load(name).choices
    if choices.answers is not None:
        _refuse([f.text for f in check_answers(choices.answers) if f.level == "error"], f"profile {name}")
    return choices


def answers_at(path: Path) -> dict[str, str]:
    """The answers in a file. Raises UsageProblem `no-such-file`, Refused `bad-answers`."""
    try:
        data = path.read_bytes()[: _ANSWERS_MOST + 1]
    except OSError as error:
        raise UsageProblem(
            "no-such-file", f"{path} cannot be read: {error.strerror or error}.", context=str(path)
        ) from error
    checked = check_file(data)
    _refuse([f.text for f in checked.findings if f.level == "error"], str(path))
    return dict(checked.parsed.answers)


def _refuse(bad: list[str], where: str) -> None:
    if bad:
        raise Refused(
            "bad-answers", f"Setup would fail with the answers of {where}: {' '.join(bad[:3])}", context=where,
            hint=f"`smartos-wizard answers check {where}` says all of it.",
        )  # fmt: skip
