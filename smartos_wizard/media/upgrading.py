"""Carries out upgrading and rolling back: the new platform beside the old, one switch, and the proof."""

from __future__ import annotations

from collections.abc import Iterator

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.media.as_json import image_from_json, target_from_json
from smartos_wizard.media.contents import ARCHIVE, KERNEL
from smartos_wizard.media.copying import compare_copy, copy_platform
from smartos_wizard.media.edit_run import (
    UNCHANGED,
    UNPROVEN,
    Editing,
    at_work,
    editing_of,
    fill_editing,
    open_for_change,
    unmount,
)
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.file_changes import Asked, prove_files
from smartos_wizard.media.opened import open_target
from smartos_wizard.media.platform_tarball import Platform, check_platform
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.root_volume import require_smartos
from smartos_wizard.media.upgrade_plan import PLATFORM, PREVIOUS, look, plan_rollback, plan_upgrade
from smartos_wizard.media.watching import in_thread
from smartos_wizard.media.what_stays import before_of, swapped

__all__ = ["ROLLBACK_ACTIONS", "UPGRADE_ACTIONS", "plan_rollback", "plan_upgrade"]

_KEPT_GONE = "The kept platform was taken away to make room; what it starts has not changed."
_SHOW = "The change was made but is not proven; `smartos-wizard key show` says what it starts now."


def _source(run: Run[MediaWorld], step: Step) -> Work:
    image = image_from_json(run.plan.params["image"])
    try:
        size = image.path.stat().st_size
    except OSError as error:
        raise Refused(
            "image-missing", f"The platform is gone: {image.path}.", context=str(image.path)
        ) from error
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done = count

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, done, size)

    platform = yield from in_thread(run, lambda: check_platform(image, told, run.cancel.check), tick)
    run.found["image"], run.found["platform"] = image, platform
    if not platform.hashed:
        words = "It brings no hash of its boot archive, so SmartOS will not check it at boot either."
        yield Noted(run.clock(), step.id, words, level="warning", reference="no-archive-hash")
    return {"files": len(platform.members), "bytes": sum(m.size for m in platform.members)}


def _opened(run: Run[MediaWorld], step: Step) -> Work:
    """Open, finish what was cut short, and see that nothing changed since the plan and that there is room."""
    yield from open_for_change(run, step)
    editing = editing_of(run)

    def work() -> None:
        editor = FatEditor(editing.volume(), now=float(run.plan.params["now"]))
        require_smartos(editor, editing.target.path)
        now = look(editor)
        platform: Platform | None = run.found.get("platform")
        if platform is not None and now.stamp == platform.stamp:
            raise Refused(
                "there-already", f"{editing.target.path} starts {now.stamp} already. Nothing was changed."
            )
        if now.stamp != run.plan.params["was"]:
            raise Refused(
                "changed-meanwhile",
                f"{editing.target.path} holds {now.stamp or 'another platform'} now, not what was planned for. "
                "Nothing was changed.",
                hint="Give the same command again: it looks afresh.",
            )
        if platform is not None:
            _require_room(
                platform, now.free + (now.kept_size if run.plan.params["room"] else 0), now.cluster, editing
            )
        run.found["editor"] = editor

    yield from at_work(run, step, editing, work)
    return {}


def _require_room(platform: Platform, free: int, cluster: int, editing: Editing) -> None:
    needed = platform.clusters(cluster) * cluster
    if needed > free:
        raise Refused(
            "no-space",
            f"{editing.target.path} is too full for a second platform: {text.size(needed)} are needed, "
            f"{text.size(free)} are free. Nothing was changed.",
            hint="Take files of your own off it, or write it anew with `smartos-wizard key write`.",
            context=editing.target.path, needed=needed, free=free,
        )  # fmt: skip


def _room(run: Run[MediaWorld], step: Step) -> Work:
    editing, editor = editing_of(run), run.found["editor"]

    def work() -> None:
        editor.remove(PREVIOUS)
        editing.commit(editor, "")
        editing.begun, editing.before = False, _KEPT_GONE

    yield from at_work(run, step, editing, work)
    return {}


def _switch(run: Run[MediaWorld], step: Step) -> Work:
    editing, editor = editing_of(run), run.found["editor"]

    def work() -> None:
        tree = editor.tree(run.found["staged"])
        editor.remove(PREVIOUS)
        editor.exchange(PLATFORM, tree, PREVIOUS)
        editing.commit(editor, PLATFORM)
        editing.left = UNPROVEN

    yield from at_work(run, step, editing, work)
    platform: Platform = run.found["platform"]
    before: Asked = run.found["before"]
    asked = Asked(before.files | {f"{PLATFORM}/{m.path}": m.digest for m in platform.members})
    for path, size in before.others.items():
        if path.startswith(f"{PREVIOUS}/"):
            continue
        asked.others[f"previous/{path}" if path.startswith(f"{PLATFORM}/") else path] = size
    run.found["asked"] = asked
    editing.found |= {"platform": platform.stamp, "kept": run.plan.params["was"]}
    return {}


def _look(run: Run[MediaWorld], step: Step) -> Work:
    """Open for reading, to prove what is there already."""
    target = target_from_json(run.plan.params["target"])
    platform: Platform = run.found["platform"]
    device = yield from open_target(
        run, step, target, lambda notify: run.world.opener.open(target, write=False, notify=notify)
    )
    editing = run.found["editing"] = Editing(target, device)
    editing.found |= {"platform": platform.stamp, "kept": run.plan.params["kept"]}
    run.on_end.append(lambda: fill_editing(run, editing))
    run.found["asked"] = Asked({f"{PLATFORM}/{m.path}": m.digest for m in platform.members})
    run.found["only"] = True
    return {}


def _swap(run: Run[MediaWorld], step: Step) -> Work:
    editing, editor = editing_of(run), run.found["editor"]

    def work() -> None:
        before = before_of(editing)
        missing = [p for p in (KERNEL, ARCHIVE) if f"previous/{p}" not in before.others]
        if missing:
            raise Refused(
                "not-whole",
                f"The kept platform on {editing.target.path} is not whole: previous/{missing[0]} is missing. "
                "Nothing was changed.",
            )
        run.found["asked"] = Asked(before.files, {swapped(p): size for p, size in before.others.items()})
        editor.swap(PLATFORM, PREVIOUS)
        editing.commit(editor, PLATFORM)
        editing.left = _SHOW

    yield from at_work(run, step, editing, work)
    editing.found |= {"platform": run.plan.params["kept"], "kept": run.plan.params["was"]}
    return {}


def _finish(run: Run[MediaWorld], step: Step) -> Work:
    """Opening it finished the change; now everything on it must be readable and whole."""
    editing = editing_of(run)

    def work() -> None:
        run.found["asked"] = before_of(editing)

    yield from at_work(run, step, editing, work)
    editing.found |= {"platform": run.plan.params["was"], "kept": run.plan.params["kept"]}
    return {}


def _prove(run: Run[MediaWorld], step: Step) -> Work:
    editing = editing_of(run)
    only = bool(run.found.get("only"))
    editing.left = UNCHANGED if only else UNPROVEN if run.plan.kind == "key-upgrade" else _SHOW

    def work() -> str:
        editing.device.drop_cache()
        return prove_files(editing.reader, editing.root(), run.found["asked"], editing.target.path)

    words = yield from at_work(run, step, editing, work)
    if only:
        editing.state = "proven"
        run.result["say"] = [
            f"PROVEN. {editing.target.path} starts {editing.found['platform']}, and every file of it was read back and "
            f"is right; {words}. Nothing was changed."
        ]
        return {"files": len(run.found["asked"].files)}
    editing.state = "upgraded" if run.plan.kind == "key-upgrade" else "rolled-back"
    editing.device.reread_partitions()
    now, kept = editing.found["platform"] or "the kept platform", editing.found["kept"] or "the other"
    run.result["say"] = [
        f"PROVEN. {editing.target.path} starts {now} from now on; {kept} is kept. {words[0].upper()}{words[1:]}.",
        f"To go back: smartos-wizard key rollback {editing.target.path}{' --file' if editing.target.regular_file else ''}",
    ]
    return {"files": len(run.found["asked"].files)}


def _same(run: Run[MediaWorld], step: Step) -> Work:
    target = target_from_json(run.plan.params["target"])
    run.result["keys"] = [
        {"path": target.path, "serial": target.disk.serial, "state": "unchanged", "error": None}
    ]
    run.result["say"] = [f"{target.path}: {step.title.removeprefix('what is on it: ')}; nothing was changed."]
    yield from ()
    return {}


UPGRADE_ACTIONS = {
    "source": Action(_source),
    "unmount": Action(unmount),
    "open": Action(_opened),
    "room": Action(_room),
    "copy": Action(copy_platform),
    "compare": Action(compare_copy),
    "look": Action(_look),
    "switch": Action(_switch),
    "finish": Action(_finish),
    "prove": Action(_prove),
    "same": Action(_same),
}
ROLLBACK_ACTIONS = {
    "unmount": Action(unmount),
    "open": Action(_opened),
    "swap": Action(_swap),
    "finish": Action(_finish),
    "prove": Action(_prove),
    "same": Action(_same),
}
