"""What comes after the wipe: the pool setup will make of the surveyed disks, and what to answer.

Setup knows four answers: `yes` to its default layout, `mirror`, `raidz2`, and `manual`, a shell in which a pool
`zones` is made by hand. A pool made *before* setup does not help: setup finds swap and dump missing and never begins.

Pure. Facts: smartos-live: src/smartdc/lib/smartos_prompt_config.sh (promptpool, create_zpool); issue 459 there.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from smartos_wizard.boot.answers_traps import asked, trap_warnings
from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.boot.disklayout import Layout, NoLayoutError
from smartos_wizard.boot.model import Warned
from smartos_wizard.boot.pool_picture import sold
from smartos_wizard.boot.pool_preview import Preview, preview_of, what_to_do
from smartos_wizard.core.text import counted, tame
from smartos_wizard.reinstall.choices import AnswersFile
from smartos_wizard.reinstall.model import BootedFrom, Survey
from smartos_wizard.reinstall.saying import listed
from smartos_wizard.reinstall.ways import Outcome, as_setup_lists, in_reach

NEVER_BEFORE = "Do not make a pool zones before setup runs: setup would find its swap and dump missing and would never begin."


@dataclass(frozen=True, slots=True)
class After:
    """The next setup. `preview` is None where there is no layout, and `problem` says why in words.

    `answer` is what is typed where setup asks for the layout, `command` the one line that makes the pool where
    that is `manual`; `traps` are those of the answers file.
    """

    answer: str
    preview: Preview | None
    problem: str
    words: tuple[str, ...]
    command: str = ""
    traps: tuple[Warned, ...] = ()

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What is to be known of that pool."""
        return self.preview.notes if self.preview is not None else ()

    @property
    def fails(self) -> str:
        """Why setup cannot make that pool, in words; empty where it can."""
        if self.preview is None:
            return self.problem
        return next((note.text for note in self.preview.notes if note.level == "error"), "")


def after_setup(survey: Survey, outcome: Outcome, answers: AnswersFile | None = None) -> After:
    """What setup will make of the disks that are left to it, and what is to be typed then."""
    spared = (
        tuple(pool for pool in outcome.alive_if_by_hand if in_reach(survey, pool)) if outcome.by_hand else ()
    )
    disks = as_setup_lists(survey, without=spared)
    preview, problem = _preview(disks, survey.memory)
    command = _command(preview.layout) if preview is not None and outcome.by_hand else ""
    words = [
        *_layout_words(preview, problem, by_hand=outcome.by_hand),
        *_spared_words(survey, outcome, disks),
    ]
    words += [*_answers_words(survey, answers), NEVER_BEFORE]
    return After(
        "manual" if outcome.by_hand else "yes",
        preview,
        problem,
        tuple(words),
        command,
        _traps(survey, answers),
    )


def _preview(disks: tuple[ListedDisk, ...], ram: int | None) -> tuple[Preview | None, str]:
    try:
        return preview_of(disks, ram=ram), ""
    except NoLayoutError as error:
        return None, f"Setup finds no disk it can make a pool of ({error}). {what_to_do(error)}"


def _traps(survey: Survey, answers: AnswersFile | None) -> tuple[Warned, ...]:
    """What goes wrong although every answer is a good one. Room and console are told elsewhere."""
    return () if answers is None else trap_warnings(answers.values, survey.memory, console_set=True)


def _layout_words(preview: Preview | None, problem: str, *, by_hand: bool) -> list[str]:
    if preview is None:
        return [problem]
    layout = preview.layout
    parts = [_group_words(layout)]
    for word, members in (("spare", layout.spares), ("log", layout.logs), ("cache", layout.cache)):
        if members:
            parts.append(f"{word} {listed([tame(d.name, 32) for d in members])}")
    pool = f"{'; '.join(parts)}; {sold(preview.layout.capacity)} for data"
    if by_hand:
        return [f"Answer “manual” where setup asks for the layout. In its shell, what setup would have chosen of the disks left is: {pool}."]  # fmt: skip
    return [f"Setup will offer its default layout: {pool}. Type “yes” to take it."]


def _group_words(layout: Layout) -> str:
    return " + ".join(
        " ".join(filter(None, (vdev.kind, ", ".join(tame(d.name, 32) for d in vdev.disks))))
        for vdev in layout.vdevs
    )


def _spared_words(survey: Survey, outcome: Outcome, disks: tuple[ListedDisk, ...]) -> list[str]:
    if not outcome.by_hand:
        return []
    spared = [tame(p.name) for p in outcome.alive_if_by_hand if in_reach(survey, p)]
    left = f"{counted(len(disks), 'disk')} are left to the new pool" if len(disks) != 1 else "one disk is left to the new pool"  # fmt: skip
    words = []
    if spared:
        words.append(f"The disks of {listed(spared)} stay out of it; {left}. Never type “yes” there.")
    words.append(
        "Without -f `zpool create` refuses a disk that still belongs to another pool; so do not add -f."
    )
    return words


def _answers_words(survey: Survey, answers: AnswersFile | None) -> list[str]:
    if answers is None:
        return [
            "No answers file was named: setup asks its questions on the console, unless the medium holds one."
        ]
    where = {
        BootedFrom.NETWORK: "as a boot module answers.json of the network boot",
        BootedFrom.ISO: "as a boot module (setup does not look on a CD)",
    }.get(survey.booted_from, "on the key as private/answers.json (`smartos-wizard key configure --answers`)")
    stops = asked(answers.values)
    words = [f"Answers: {tame(answers.name)}, put {where} before."]
    if stops:
        words.append(f"With these answers setup still stops {counted(len(stops), 'time')}: it will {'; '.join(stops)}.")  # fmt: skip
    return words


def _command(layout: Layout) -> str:
    """The line that makes this pool by hand. Without -f, on purpose."""
    words = ["zpool", "create", "zones"]
    for vdev in layout.vdevs:
        words += [*([vdev.kind] if vdev.kind else []), *(shlex.quote(d.name) for d in vdev.disks)]
    for word, members in (("spare", layout.spares), ("log", layout.logs), ("cache", layout.cache)):
        if members:
            words += [word, *(shlex.quote(d.name) for d in members)]
    return " ".join(words)
