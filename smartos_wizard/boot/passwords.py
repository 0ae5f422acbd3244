"""Which of root's passwords counts when. Pure: rules as data, for the commands, the screens and the docs.

SmartOS's own order (illumos: usr/src/cmd/svc/milestone/smartdc-config): where setup was not done and `smartos=true`
is set, the script ends before it sets any password, so the one built into the release stays; else /usbkey/shadow,
else the boot parameter root_shadow, else root_shadow of /usbkey/config, else again the one of the release.
The release's is random, made for each build, and lies in platform/root.password (smartos-live: tools/build_live,
create_password); SINGLE_USER_ROOT_PASSWORD.txt is a copy of that file (smartos-live: Makefile, smartos-publish).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MEMBER = "platform/root.password"
"""Where a medium keeps the password of its release."""
AS_RELEASED = "(as released)"
"""What is shown for a root_shadow that is the loader's own."""

_SCRIPT = "illumos: smartdc-config"
_LOADER = "smartos-live: tools/build_boot_image"


class Shadow(StrEnum):
    """What is known of the loader's root_shadow setting."""

    RELEASED = "released"
    CHANGED = "changed"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Whose(StrEnum):
    """Where the password that counts comes from."""

    SETUP = "set-up"
    LOADER = "loader"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to start a machine. `reference` never changes; `when` and `password` are words for people."""

    reference: str
    when: str
    password: str
    whose: Whose
    source: str

    def to_json(self) -> dict[str, Any]:
        """JSON object. Holds no secret."""
        return {
            "reference": self.reference,
            "when": self.when,
            "password": self.password,
            "whose": self.whose.value,
            "source": self.source,
        }


_RANDOM = "the release's own"
_OF_LOADER = {
    Shadow.RELEASED: "root",
    Shadow.CHANGED: "the one you set for this key (root_shadow); only its hash is kept",
    Shadow.ABSENT: f"{_RANDOM}, because no root_shadow is set",
    Shadow.UNKNOWN: "root, unless the boot settings give another root_shadow",
}


def shadow_of_settings(settings: dict[str, str]) -> Shadow:
    """What the settings of a loader key say, as `key show` tells them (the hash itself is not among them)."""
    told = settings.get("root_shadow")
    if told is None:
        return Shadow.ABSENT if settings else Shadow.UNKNOWN
    return Shadow.RELEASED if told == AS_RELEASED else Shadow.CHANGED


def rules(shadow: Shadow = Shadow.RELEASED, *, grub: bool = False) -> tuple[Rule, ...]:
    """Every case, the usual ones first. `grub` is for a key from before 2019-04, which has another menu."""
    return (
        Rule(
            "set-up",
            "A machine that is set up, started as usual",
            "the one given at setup, typed or from answers.json; it is kept in the pool (/usbkey/shadow)",
            Whose.SETUP,
            f"{_SCRIPT}; smartos-live: smartos_prompt_config.sh",
        ),
        Rule(
            "not-set-up",
            "A machine that is not set up (setup was left, or no pool of SmartOS was found)",
            f"{_RANDOM}; root_shadow does not count there",
            Whose.RELEASE,
            _SCRIPT,
        ),
        _recovery_by_grub() if grub else _rescue(shadow),
        Rule(
            "noimport",
            "noimport=true typed at the loader's prompt with smartos=true left on, or netboot.xyz's rescue entry",
            f"{_RANDOM}; root_shadow does not count there",
            Whose.RELEASE,
            f"{_SCRIPT}; netboot.xyz: smartos.ipxe.j2",
        ),
        *(() if grub else (_shadow_file_lost(shadow),)),
    )


def _rescue(shadow: Shadow) -> Rule:
    return Rule(
        "rescue",
        "Rescue Mode, from the loader's boot options",
        _OF_LOADER[shadow],
        Whose.RELEASE if shadow is Shadow.ABSENT else Whose.LOADER,
        f"{_SCRIPT}; illumos: menu-commands.4th; {_LOADER}",
    )


def _recovery_by_grub() -> Rule:
    return Rule(
        "recovery",
        "The noinstall/recovery entry of the GRUB menu (keys of 2017 to 2019-04)",
        "root, as the entry's title says",
        Whose.LOADER,
        "smartos-live: tools/build_iso before 2019-04",
    )


def _shadow_file_lost(shadow: Shadow) -> Rule:
    loader = _OF_LOADER[shadow]
    return Rule(
        "shadow-lost",
        "A machine that is set up but whose /usbkey/shadow is gone",
        f"{_RANDOM}, unless /usbkey/config sets root_shadow" if shadow is Shadow.ABSENT else loader,
        Whose.RELEASE if shadow is Shadow.ABSENT else Whose.LOADER,
        _SCRIPT,
    )


def explanation(shadow: Shadow = Shadow.RELEASED, *, grub: bool = False) -> tuple[str, ...]:
    """The rules as lines of text, without a line end, for a terminal of 80 columns or more."""
    lines = ["which of root's passwords counts:"]
    for rule in rules(shadow, grub=grub):
        lines += [f"  {rule.when}:", f"      {rule.password}"]
    return tuple(lines)
