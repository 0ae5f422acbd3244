"""GRUB's menu with SmartOS in it: made aside by the distribution's own generator, checked, and put in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Work
from smartos_wizard.core.text import tame
from smartos_wizard.media.watching import in_thread
from smartos_wizard.netboot import dualboot_files as files
from smartos_wizard.netboot.dualboot_model import SCRIPT
from smartos_wizard.netboot.dualboot_ports import Linux
from smartos_wizard.netboot.dualboot_run import R, linux_of


def make_menu(run: R, step: Step) -> Work:
    """The step that has a new menu made aside, and looks whether it is what it should be."""
    linux, params = linux_of(run), run.plan.params
    yield from generate(run, step, linux, f"{params['home']}/{files.NEXT}")
    made = linux.at(f"{params['home']}/{files.NEXT}").read_bytes()
    lost = [title for title in params["titles"] if title.encode() not in made]
    if lost or not files.has_ours(made):
        raise WizardError(
            "entries-missing", f"The menu that {params['generator']} made has no entry “{(lost or params['titles'])[0]}”.",
            hint=f"Does something keep it from running {SCRIPT}? What was done is taken back.",
        )  # fmt: skip
    if files.default_moves(made):
        raise Refused(
            "default-would-move", "What starts by itself is named by a number in /etc/default/grub, and with SmartOS in the menu that "
            "number would mean something else. What was done is taken back.",
            hint="Set GRUB_DEFAULT to the title of the entry, or to a number that there is (they count from 0).",
        )  # fmt: skip
    before: tuple[bytes, int] = run.found["menu"]
    if files.without_ours(made) != before[0]:
        yield Noted(
            run.clock(), step.id,
            "Beside SmartOS' entries the new menu differs from the old one: it was changed by hand, or is older than the kernels and "
            f"settings here. The old one is kept in {params['home']}/{files.BEFORE}, and `dualboot remove` puts it back.",
            level="warning", reference="menu-differs",
        )  # fmt: skip
    return {}


def generate(run: R, step: Step, linux: Linux, to: str) -> Iterator[Event]:
    """Have the generator make a menu at `to`, and check it. Raises WizardError `generator-failed`, `menu-not-valid`."""

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, 0)

    params = run.plan.params
    ran = yield from in_thread(run, lambda: linux.run([params["generator"], "-o", to]), tick, lambda: False)
    if ran.code != 0 or not linux.at(to).is_file():
        raise WizardError(
            "generator-failed", f"{params['generator']} did not make a menu (it ended with {ran.code}).", context=_tail(ran.said),
            hint=f"Run {params['generator']} by itself to see what is wrong; the menu in use was not touched.",
        )  # fmt: skip
    ran = linux.run([params["checker"], to])
    if ran.code != 0:
        raise WizardError(
            "menu-not-valid", "GRUB would not understand the menu that was made; the menu in use was not touched.",
            context=_tail(ran.said), hint="Please report this with `smartos-wizard dualboot plan --json`.",
        )  # fmt: skip


def _tail(said: str) -> str:
    return " / ".join(tame(line, 160) for line in said.splitlines()[-3:])


def make_menu_back(run: R, _step: Step) -> Work:
    """Its undoing."""
    yield from ()
    linux, home = linux_of(run), run.plan.params["home"]
    for name in (files.NEXT, f"{files.NEXT}.new"):
        linux.at(f"{home}/{name}").unlink(missing_ok=True)
    return {}


def switch(run: R, _step: Step) -> Work:
    """The step that puts the new menu in the place of the old: one rename."""
    yield from ()
    linux, params = linux_of(run), run.plan.params
    following = linux.at(f"{params['home']}/{files.NEXT}")
    made, (old, mode) = following.read_bytes(), run.found["menu"]
    now = files.read_menu(linux, params["grub_cfg"])
    if now is None or now[0] != old:
        raise Refused(
            "changed-meanwhile", f"{params['grub_cfg']} was changed by somebody else meanwhile. What was done is taken back.",
            hint="Was a kernel installed just now? Give the same command again.",
        )  # fmt: skip
    record = replace(run.found["record"], after=files.digest(made))
    files.write_record(linux, record)
    files.put(linux.at(params["grub_cfg"]), made, mode)
    following.unlink()
    files.write_record(linux, replace(record, done=True))
    run.result["dualboot"] = {
        "home": params["home"], "script": SCRIPT, "entries": params["titles"], "grub_cfg": params["grub_cfg"],
    }  # fmt: skip
    run.result["say"] = [
        f"GRUB's menu has it now: {params['titles'][0]}. What starts by itself is what did before.",
        "When SmartOS' setup asks for the pool layout, answer manual and name a disk: its default takes this Linux's disk too.",
        "To take it away: smartos-wizard dualboot remove",
    ]
    return {}


def switch_back(run: R, _step: Step) -> Work:
    """Its undoing: the old menu, byte for byte."""
    yield from ()
    linux, params = linux_of(run), run.plan.params
    path = linux.at(params["grub_cfg"])
    now = files.read_menu(linux, params["grub_cfg"])
    old, mode = run.found["menu"]
    if now is not None and now[0] != old and files.has_ours(now[0]):
        files.put(path, old, mode)
    files.sweep_aside(path)
    return {}
