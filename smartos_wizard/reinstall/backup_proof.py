"""A backup as `reinstall plan` takes it: whole, read back, and of this machine."""

from __future__ import annotations

from pathlib import Path

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.text import age, tame
from smartos_wizard.reinstall.backup_files import read_back
from smartos_wizard.reinstall.backup_manifest import Manifest, read
from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.saying import host_name, listed


def backup_words(directory: Path, survey: Survey, now: float) -> str:
    """What stands in `Choices.backup`: what the backup holds, how old it is, and which instances it does not hold.

    Every file is read back. Raises UsageProblem where there is no finished backup, ProofFailed `backup-damaged`,
    Refused `other-host`, `backup-not-verified`.
    """
    manifest = read(directory)
    if manifest.host.get("hostid") != survey.hostid:
        raise Refused("other-host", f"{tame(str(directory), 255)} is a backup of {tame(str(manifest.host.get('hostname')))}, not of {host_name(survey)}.", hint="Name the backup of this machine.")  # fmt: skip
    if manifest.verified is None:
        raise Refused("backup-not-verified", f"{tame(str(directory), 255)} was never read back.", hint="Make the backup again.")  # fmt: skip
    for kept in manifest.files:
        for _ in read_back(directory, kept):
            pass
    return words_of(manifest, directory, survey, now)


def words_of(manifest: Manifest, directory: Path, survey: Survey, now: float) -> str:
    """The same of a backup that was read back at this moment."""
    held = {group.name for group in manifest.groups}
    lost = [tame(each.title) for each in survey.instances if each.uuid not in held]
    when = age(max(0.0, now - (manifest.verified or 0.0)))
    without = f"; WITHOUT {listed(lost, most=4)}" if lost else ""
    return f"{directory}, {'of today' if when == 'today' else when + ' old'}{without}: {manifest.words}"
