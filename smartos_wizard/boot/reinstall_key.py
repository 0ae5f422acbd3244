"""A re-install key: what it says at boot, and in words what it does then. It never destroys a pool by being booted.

Two kinds, by the same choices as every key. One starts Rescue Mode, where no pool is imported, for `zpool destroy` of one
named pool (way C). The other carries the answers for the setup that follows a wipe. Pure; imports core only. Facts:
illumos-joyent: usr/src/boot/sys/boot/forth/joyent.menu.rc, usr/src/cmd/svc/milestone/smartdc-config; smartos-live:
src/smartdc/lib/smartos_prompt_config.sh.
"""

from __future__ import annotations

from smartos_wizard.boot.answers_script import Does, does
from smartos_wizard.boot.answers_traps import asked
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem


def reinstall_choices(choices: BootChoices) -> BootChoices:
    """The choices of a re-install key: Rescue Mode, unless answers were given; those and Rescue Mode only where it is asked for.

    With answers Rescue Mode is said to be off, so that a key that had it on loses it. Raises UsageProblem
    `no-reinstall-key` where neither would be on it.
    """
    if choices.rescue is None:
        choices = choices.with_(rescue=choices.answers is None)
    if not choices.rescue and choices.answers is None:
        raise UsageProblem(
            "no-reinstall-key",
            "Without Rescue Mode and without answers it would be a key like any other.",
            hint="Leave --no-rescue out, or add --answers FILE.",
        )
    return choices


def reinstall_words(choices: BootChoices, target: str) -> tuple[str, ...]:
    """What the key does when it is booted, and what has to be done with it afterwards; a sentence or two each."""
    rescue = _rescue_words(choices, target) if choices.rescue else ()
    return (*rescue, *(_answers_words(choices) if choices.answers is not None else ()))


def _rescue_words(choices: BootChoices, target: str) -> tuple[str, ...]:
    password = "the password you set" if choices.root_shadow else "the password root"
    return (
        "Booted, it starts SmartOS in Rescue Mode: no pool is imported, setup does not begin, and nothing is destroyed by booting it.",
        f"There you log in as root, with {password}, and way C destroys the one pool that you name (`reinstall plan --way C`, `reinstall runbook --way C`).",
        f"Switch it off again before setup: until `smartos-wizard key configure {target} --no-rescue` every boot from it ends in Rescue Mode.",
    )  # fmt: skip


def _answers_words(choices: BootChoices) -> tuple[str, ...]:
    answers = choices.answers or {}
    after = "Then, with" if choices.rescue else "Booted in a machine with"
    words = [
        f"{after} a pool zones, it starts that machine as ever, and nothing is destroyed by booting it.",
        f"In a machine without one, as after the wipe, setup begins at once and takes its answers from the key; {_layout(answers)}. Boot it in no other machine.",
    ]  # fmt: skip
    left = asked(answers)
    words.append(f"Setup will still {'; '.join(left)}." if left else "Setup will ask nothing.")
    return tuple(words)


def _layout(answers: dict[str, str]) -> str:
    match does("zpool_confirm_layout", answers):
        case Does.ASKS:
            return "it asks before it takes the disks"
        case Does.SHELL:
            return "it opens a shell in which you make the pool by hand"
        case _:
            return "it makes one pool of every disk that is not on USB, whatever is on them, without asking"
