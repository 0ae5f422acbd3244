"""From what a user names to what a plan takes: releases and files as sources, addresses and profiles as machines.

Reads the store, the mirror and files; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
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
            found[mac] = before.over(profile(right, paths))
    return tuple(Machine(mac, choices) for mac, choices in sorted(found.items()))


def profile(name: str, paths: Paths) -> BootChoices:
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
