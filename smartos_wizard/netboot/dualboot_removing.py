"""Takes SmartOS away from beside a Linux: the entry first, its files last, so that no entry ever leads nowhere.

May be repeated: each step does what is left to do, after a whole installation, a part of one, or a part of a removal.
"""

from __future__ import annotations

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Work
from smartos_wizard.netboot import dualboot_files as files
from smartos_wizard.netboot.dualboot_menu import generate
from smartos_wizard.netboot.dualboot_model import HOMES, SCRIPT, Installed
from smartos_wizard.netboot.dualboot_ports import DualBootWorld, Linux
from smartos_wizard.netboot.dualboot_run import R, linux_of, require_rights


def installed(linux: Linux) -> Installed | None:
    """What the record says, of the first home that has one. Raises Refused `record-unreadable`."""
    found = (files.read_record(linux, home) for home in HOMES)
    return next((record for record in found if record is not None), None)


def traces(linux: Linux) -> tuple[str, ...]:
    """The homes that exist. Raises Refused `not-ours` where the script is somebody else's."""
    script = linux.at(SCRIPT)
    if (script.exists() or script.is_symlink()) and not files.is_ours(script):
        raise Refused(
            "not-ours", f"{SCRIPT} was not made by this program. Nothing was changed.",
            hint="Rename it, so that it does not stand in the way.", context=str(script),
        )  # fmt: skip
    return files.homes_here(linux)


def _unlist(run: R, _step: Step) -> Work:
    yield from ()
    linux = linux_of(run)
    require_rights(linux)
    traces(linux)
    run.state = lambda: "Stopped half-way. Run `smartos-wizard dualboot remove` again; it goes on from there."
    linux.at(SCRIPT).unlink(missing_ok=True)
    files.sweep_aside(linux.at(SCRIPT))
    return {}


def _menu(run: R, step: Step) -> Work:
    linux, cfg = linux_of(run), run.plan.params["grub_cfg"]
    files.sweep_aside(linux.at(cfg))
    record = installed(linux)
    now = files.read_menu(linux, cfg)
    if now is None or not files.has_ours(now[0]):
        return {"menu": "had no entry"}
    old = _before(linux, record)
    same = old is not None and record is not None and (
        files.digest(now[0]) == record.after or files.without_ours(now[0]) == files.without_ours(old)
    )  # fmt: skip
    if same and old is not None and record is not None and record.before is not None:
        files.put(linux.at(cfg), old, record.before[1])
        return {"menu": "as it was, byte for byte"}
    following = f"{cfg}.smartos-wizard-next"
    try:
        yield from generate(run, step, linux, following)
        made = linux.at(following).read_bytes()
        if files.has_ours(made):
            raise Refused(
                "entry-stays",
                f"{run.plan.params['generator']} still makes an entry for SmartOS.",
                hint=f"What calls {SCRIPT}?",
            )
        files.put(linux.at(cfg), made, now[1])
    finally:
        for name in (following, f"{following}.new"):
            linux.at(name).unlink(missing_ok=True)
    yield Noted(
        run.clock(),
        step.id,
        "GRUB's menu was changed since the installation: it was made anew, without SmartOS.",
    )
    return {"menu": "made anew"}


def _before(linux: Linux, record: Installed | None) -> bytes | None:
    """The menu as it was, if the copy of it is whole."""
    if record is None or record.before is None:
        return None
    try:
        data = linux.at(f"{record.home}/{files.BEFORE}").read_bytes()
    except OSError:
        return None
    return data if files.digest(data) == record.before[0] else None


def _files(run: R, step: Step) -> Work:
    yield from ()
    linux, home = linux_of(run), step.params["home"]
    if home not in files.homes_here(linux):
        return {}
    record = files.read_record(linux, home)
    left = files.remove_files(linux, home, record.files if record else ())
    if left:
        raise Refused(
            "others-files", f"{home} holds files that this program did not put there: {', '.join(left[:5])}. They stay.",
            hint="Take them out, and run `smartos-wizard dualboot remove` again.", context=home,
        )  # fmt: skip
    run.result["say"] = ["SmartOS is no longer beside this Linux. Its pool, if there is one, is as it was."]
    return {}


REMOVE_ACTIONS: dict[str, Action[DualBootWorld]] = {
    "unlist": Action(_unlist),
    "menu": Action(_menu),
    "files": Action(_files),
}
