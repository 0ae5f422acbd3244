"""The file that holds a release's root password: what may be in it, and the words where it is not so.

One line of 16 letters and digits (smartos-live: tools/build_live, create_password). The password is in no message
of an error and in no `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from smartos_wizard.boot.passwords import MEMBER
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.text import exact, tame

LONGEST = 128
"""Bytes a password file may have; a real one has 17."""


@dataclass(frozen=True, slots=True)
class RootPassword:
    """The password `word` of a release. `medium` is the path it was read from, `member` the file in it.

    `stamp` is the release, where the medium tells it; `proof` names what vouches for the medium (`sha256`),
    empty where nothing does.
    """

    word: str = field(repr=False)
    medium: str
    member: str = MEMBER
    stamp: str = ""
    proof: str = ""


def password_in(data: bytes, medium: str, member: str = MEMBER) -> str:
    """The one line in `data`. Raises Refused `odd-root-password` for anything that is no password on one line."""
    check_size(len(data), medium, member)
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise odd(medium, member, "it holds bytes that are no text") from None
    if not text:
        raise odd(medium, member, "it is empty")
    if " " in text or tame(text, LONGEST) != text:
        raise odd(medium, member, "it holds more than one word, or characters that cannot be shown")
    return text


def check_size(size: int, medium: str, member: str = MEMBER) -> None:
    """Raise Refused `odd-root-password` where a file is too large to hold one password."""
    if size > LONGEST:
        raise odd(medium, member, f"it has {exact(size)} bytes, where one short line is expected")


def odd(medium: str, member: str, why: str) -> Refused:
    """The error for a file that is there but is no password."""
    return Refused(
        "odd-root-password",
        f"{member} in {medium} holds no password: {why}. Its content is not shown.",
        hint="SmartOS's build writes one line of 16 letters and digits. This medium was changed or is damaged.",
        context=medium,
    )


def missing(medium: str) -> Refused:
    """The error for a medium without the file."""
    return Refused(
        "no-root-password",
        f"There is no root.password in the platform of {medium}.",
        hint="SmartOS's build puts one into every release: this was changed, or is not of SmartOS. The same "
        "password is published beside the release: smartos-wizard release show STAMP --root-password",
        context=medium,
    )


def damaged(medium: str, why: str) -> UsageProblem:
    """The error for a medium that cannot be read so far."""
    return UsageProblem(
        "damaged-medium",
        f"Root's password cannot be read from {medium}: {why}",
        hint="Nothing was changed. `smartos-wizard release verify FILE` tells whether a file is whole.",
        context=medium,
    )


def no_medium(medium: str, what: str) -> UsageProblem:
    """The error for what holds none; `what` is a verb and what it is or lacks."""
    return UsageProblem(
        "not-a-medium",
        f"{medium} {what}: there is no root password to read in it.",
        hint="A key, a USB image (.img, .img.gz, .img.bz2), an ISO, a platform tarball or the VMware bundle is needed.",
        context=medium,
    )
