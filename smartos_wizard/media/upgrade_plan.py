"""What upgrading a key and rolling it back will do, in order, before anything is done. Reads the key only."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.media.as_json import image_to_json, target_to_json
from smartos_wizard.media.configuring import draft_of, reading
from smartos_wizard.media.edit_run import confirmation, first_steps
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.model import Target, VerifiedImage
from smartos_wizard.media.platform_tarball import expected_size
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.root_volume import require_sound

PLATFORM, PREVIOUS = "platform", "previous/platform"
_VERSION = "etc/version/platform"
_UNTOUCHED = (
    "settings, answers and your own files on it", "the boot loader on it", "every other disk",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Now:
    """What is on the key now: stamps ("" where there is none), free bytes, bytes of the kept platform."""

    stamp: str
    kept: str
    has_kept: bool
    free: int
    kept_size: int
    cluster: int
    unfinished: bool


def look(editor: FatEditor) -> Now:
    """The platforms on a key."""
    has_kept = editor.find(PREVIOUS) is not None
    return Now(
        stamp=_stamp(editor, PLATFORM),
        kept=_stamp(editor, PREVIOUS) if has_kept else "",
        has_kept=has_kept,
        free=editor.free,
        kept_size=editor.size_of(PREVIOUS) if has_kept else 0,
        cluster=editor.geometry.cluster_size,
        unfinished=editor.recovered,
    )


def plan_upgrade(target: Target, image: VerifiedImage, world: MediaWorld) -> Plan:
    """The plan that puts the platform in `image` on the key, beside the present one, and lets them change places.

    The image may still have to be downloaded. Raises Refused where there is no SmartOS, on GRUB keys
    (`legacy-key`), and `no-space` where it cannot fit, as far as the tarball tells its size.
    """
    now = _look_at(target, world)
    if image.stamp and image.stamp == now.stamp:
        if not now.unfinished and image.path.is_file():
            return _proof_only(target, image, now)
        return _there_already("key-upgrade", target, now, world)
    size = expected_size(image.path)
    room = size is not None and size > now.free
    if size is not None and size > now.free + now.kept_size:
        raise Refused(
            "no-space",
            f"{target.path} is too full for a second platform: {text.size(size)} are needed, {text.size(now.free)} are "
            f"free{f', and {text.size(now.kept_size)} more without the kept one' if now.has_kept else ''}. Nothing was changed.",
            hint="Take files of your own off it, or write it anew with `smartos-wizard key write`.",
            context=target.path, needed=size, free=now.free,
        )  # fmt: skip
    steps = [_source(image), *first_steps(target)]
    if room:
        steps.append(_make_room(now))
    steps += [_copy(image), _compare(), _switch(image, now, room), _prove()]
    params = {"image": image_to_json(image), "room": room, "was": now.stamp, "now": world.now()}
    title = (
        f"Bring {target.path} from {now.stamp or 'an unknown release'} to {image.stamp or image.path.name}"
    )
    return _plan("key-upgrade", title, target, steps, params, seconds=(size or 600 << 20) / 20e6)


def plan_rollback(target: Target, world: MediaWorld, to: str = "") -> Plan:
    """The plan that makes the platform kept at the last upgrade the first again.

    With `to` only where that is the release `to`; a key that starts it already stays as it is, and so does
    one on which a change was cut short: that is finished first, and no more. Raises Refused `nothing-kept`,
    `other-kept`.
    """
    now = _look_at(target, world)
    if now.unfinished or (to and to == now.stamp):
        return _there_already("key-rollback", target, now, world)
    if to and now.has_kept and to != now.kept:
        raise Refused(
            "other-kept",
            f"{target.path} keeps {now.kept or 'an unknown release'}, not {to}. Nothing was changed.",
            context=target.path,
        )
    if not now.has_kept:
        raise Refused(
            "nothing-kept",
            f"{target.path} holds no earlier platform, so there is nothing to go back to. Nothing was changed.",
            hint="`key upgrade` keeps one; `key write` with an older release makes the key anew.",
            context=target.path,
        )
    back, away = now.kept or "the kept platform", now.stamp or "the present one"
    switch = Step(
        "switch", "swap", f"{back} and {away} change places, at once", Effect.CHANGES,
        (f"/platform is then {back}; {away} is kept as /previous/platform.",),
        undo="`smartos-wizard key rollback` once more",
    )  # fmt: skip
    params = {"was": now.stamp, "kept": now.kept, "now": world.now()}
    steps = [*first_steps(target), switch, _prove()]
    return _plan("key-rollback", f"Bring {target.path} back to {back}", target, steps, params, seconds=10.0)


def _proof_only(target: Target, image: VerifiedImage, now: Now) -> Plan:
    """It is there, and the tarball is at hand: then it is compared, as after an upgrade that was cut short."""
    look_at = Step("look", "look", f"opens {target.path} for reading", Effect.READS)
    params: dict[str, object] = {"image": image_to_json(image), "was": now.stamp, "kept": now.kept}
    steps = [_source(image), look_at, _prove()]
    return _plan("key-upgrade", f"See that {target.path} is {now.stamp}", target, steps, params, asks=False)


def _there_already(kind: str, target: Target, now: Now, world: MediaWorld) -> Plan:
    """Nothing to do, but for finishing what was cut short."""
    if not now.unfinished:
        same = Step("same", "same", f"what is on it: it is {now.stamp} already", Effect.READS)
        return _plan(kind, f"See that {target.path} is {now.stamp}", target, [same], {}, asks=False)
    finish = Step(
        "finish", "finish", f"the change of {target.path} that was cut short", Effect.CHANGES,
        (f"It then starts {now.stamp or 'what it holds'}, and nothing else changes. To change more, give the command again.",),
    )  # fmt: skip
    steps = [*first_steps(target), finish, _prove()]
    params: dict[str, object] = {"was": now.stamp, "kept": now.kept, "now": world.now()}
    return _plan(kind, f"Finish what was begun on {target.path}", target, steps, params, seconds=10.0)


def _plan(
    kind: str, title: str, target: Target, steps: list[Step], params: dict[str, object], *,
    asks: bool = True, seconds: float | None = None,
) -> Plan:  # fmt: skip
    return Plan(
        kind=kind, title=title, steps=tuple(steps), untouched=_UNTOUCHED,
        confirmation=confirmation(target) if asks else None, seconds=seconds, locks=(target.path,),
        params={"target": target_to_json(target), **params},
    )  # fmt: skip


def _look_at(target: Target, world: MediaWorld) -> Now:
    with reading(world, target) as device:
        root, draft, editor = draft_of(device)
        if root.legacy:
            raise Refused(
                "legacy-key",
                f"{target.path} is a GRUB key from before April 2019; it cannot be upgraded. Nothing was changed.",
                hint="Write a newer release to it: `smartos-wizard key write`.",
                context=target.path,
            )
        editor.commit()
        require_sound(draft)
        return look(editor)


def _stamp(editor: FatEditor, place: str) -> str:
    return text.tame((editor.read(f"{place}/{_VERSION}") or b"").decode("ascii", "replace").strip())


def _source(image: VerifiedImage) -> Step:
    words = f"{image.algorithm} {image.digest[:4]}…{image.digest[-4:]}" if image.digest else "no checksum"
    checker = {"sha256": "sha256sum", "md5": "md5sum"}.get(image.algorithm, "sha256sum")
    return Step(
        "source", "source", image.path.name, Effect.READS,
        (f"{words}: {image.vouched_by or 'nobody vouches for it'}", "its boot archive against the SHA-1 beside it"),
        by_hand=f"{checker} {shlex.quote(str(image.path))}",
    )  # fmt: skip


def _make_room(now: Now) -> Step:
    return Step(
        "room", "room", f"the platform kept since the last upgrade, {now.kept or 'of unknown release'}", Effect.DESTROYS,
        ("There is not room for three. The one in use stays; until the end there is none to go back to.",),
    )  # fmt: skip


def _copy(image: VerifiedImage) -> Step:
    return Step(
        "copy", "copy", f"{image.stamp or 'the new platform'} beside the present one", Effect.CREATES,
        ("In free space only: whatever happens, the key boots as before.",),
    )  # fmt: skip


def _compare() -> Step:
    return Step(
        "compare", "compare", "every byte of the copy back from the key, and compares", Effect.READS,
        ("Before anything in use changes: a key that keeps something else starts the present platform still.",),
    )  # fmt: skip


def _switch(image: VerifiedImage, now: Now, room: bool) -> Step:
    details = [f"{now.stamp or 'The present one'} is kept as /previous/platform, to go back to."]
    if now.has_kept and not room:
        details.append(f"The one kept until now, {now.kept or 'of unknown release'}, goes.")
    return Step(
        "switch", "switch", f"the two change places, at once: /platform is then {image.stamp or 'the new one'}",
        Effect.DESTROYS if now.has_kept and not room else Effect.CHANGES, tuple(details),
        undo="`smartos-wizard key rollback`",
    )  # fmt: skip


def _prove() -> Step:
    return Step(
        "prove", "prove", "every file of the platform back from the key, and compares", Effect.READS,
        ("settings, answers and other small files too; of large ones their size; and the file system as a whole",),
    )  # fmt: skip
