"""The step of writing that puts the user's choices on a key, after the image and before the boot sectors.

What it overwrites is kept, so that the proof can compare every other byte with the release, and these by
themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from smartos_wizard.boot.key_files import files_for
from smartos_wizard.boot.loader_write import settings_of
from smartos_wizard.boot.model import MENU_LST, BootChoices, FileChange
from smartos_wizard.boot.packed import pack_choices, unpack_choices
from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.core.vault import Vault
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.faults import device_failed
from smartos_wizard.media.file_changes import LARGEST, asked_for, change_files, prove_files
from smartos_wizard.media.held import HeldDevice
from smartos_wizard.media.keys import Key, Keys, keys_of
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.proving import Reader
from smartos_wizard.media.root_volume import root_of
from smartos_wizard.media.volume import DeviceVolume

LOADER_SINCE = "20190411"
"""Releases from this day on start by the loader, earlier ones by GRUB (smartos-live: tools/build_boot_image)."""
GRUB_SIZE = 2_000_000_000
"""Size of the image in the days of GRUB (smartos-live: tools/build_iso)."""


def is_legacy(image: VerifiedImage) -> bool:
    """Whether the image starts with GRUB, as far as its name or size tells before it is written."""
    if image.stamp:
        return image.stamp[:8] < LOADER_SINCE
    return image.raw_size == GRUB_SIZE


def options_step(image: VerifiedImage, choices: BootChoices, world: MediaWorld) -> Step:
    """The step that puts `choices` on the keys; they wait in the vault. Raises UsageProblem, Refused."""
    legacy = is_legacy(image)
    settings_of(choices)  # whatever makes no sense is said before anything is written
    changes = files_for(choices, _menu if legacy else _nothing, legacy=legacy)
    return Step(
        "options",
        "options",
        f"{len(changes)} file{'s' if len(changes) != 1 else ''} with what its machine is told at boot",
        Effect.CREATES,
        tuple(_lines(changes, legacy)),
        undo="`smartos-wizard key configure --reset`",
        params={
            "choices": Vault(world.paths).put(pack_choices(choices)),
            "files": [change.path for change in changes],
        },
    )


def _nothing(_path: str) -> bytes | None:
    return None


_MENU = (
    b"timeout=10\nvariable os_console vga\ntitle SmartOS\n"
    b"   kernel$ /platform/i86pc/kernel/amd64/unix -B console=${os_console},smartos=true\n"
    b"   module /platform/i86pc/amd64/boot_archive\n"
)


def _menu(path: str) -> bytes | None:
    """What a menu of those days must have, to see whether these choices can be put into one."""
    return _MENU if path == MENU_LST else None


def _lines(changes: Sequence[FileChange], legacy: bool) -> list[str]:
    from smartos_wizard.media.configuring import change_lines

    if not legacy:
        return change_lines(changes)
    shown = [change for change in changes if change.path != MENU_LST]
    return [f"{MENU_LST}: lines of the entry that starts by itself", *change_lines(shown)]


def with_choices(first: Callable[[Run[MediaWorld], Step], Work]) -> Callable[[Run[MediaWorld], Step], Work]:
    """The first step of writing, which fetches the choices too: where they are gone, no key is touched."""

    def do(run: Run[MediaWorld], step: Step) -> Work:
        for other in run.plan.steps:
            if other.action == "options":
                keys_of(run).choices = unpack_choices(Vault(run.world.paths).get(other.params["choices"]))
        return (yield from first(run, step))

    return do


def put_options(run: Run[MediaWorld], step: Step) -> Work:
    """Put the choices on every key that is still well."""
    from smartos_wizard.media.writing import each_key

    keys = keys_of(run)
    choices, now = keys.choices, run.clock()
    run.on_end.append(lambda: _forget(run, step))

    def work(key: Key) -> None:
        try:
            _put(key, choices, now)
        except WizardError as error:
            if isinstance(
                error, Refused
            ):  # the image may be on the key by now, and then this is not true any more
                error.message = error.message.replace("Nothing was changed.", key.writing.state)
            raise
        except OSError as error:
            raise device_failed(error, key.opened, "writing the options", 0, key.writing.state) from error

    yield from each_key(run, step, keys, work, lambda: _stopped(keys))
    return {"files": step.params["files"]}


def _stopped(keys: Keys) -> str:
    return " ".join(f"{k.target.path}: the options are not on it. {k.writing.state}" for k in keys.alive)


def _put(key: Key, choices: BootChoices, now: float) -> None:
    writer = key.writing
    writer.sync()
    device = HeldDevice(writer)
    root = root_of(Reader(device), device.size, device.name)
    volume = DeviceVolume(device, root.first, root.size, keep=True)
    editor = FatEditor(volume, now=now)
    changes = files_for(choices, partial(editor.read, limit=LARGEST), legacy=root.legacy)
    try:
        change_files(editor, changes, device.name)
    finally:
        key.originals, key.changed = volume.originals, volume.latest
    key.changes = changes


def prove_options(key: Key) -> None:
    """Read the changed files back from the key and judge its file system. Raises ProofFailed, OSError."""
    reader = Reader(key.opened)
    root = root_of(reader, key.opened.size, key.opened.name)
    prove_files(reader, root, asked_for(key.changes), key.opened.name)


def _forget(run: Run[MediaWorld], step: Step) -> None:
    """The choices are needed no more once every key is proven; after a failure the same plan may run again."""
    if all(key.state == "proven" for key in keys_of(run).keys):
        Vault(run.world.paths).forget(step.params["choices"])
