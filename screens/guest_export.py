"""A guest for other programs: as what, where to, the plan with what the format leaves behind, and the file."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from smartos_wizard.screens.guest_review import GuestChange
from smartos_wizard.screens.guest_stop_first import stop_first
from smartos_wizard.screens.guests_words import by_command, runs
from smartos_wizard.screens.options_boxes import Asked, Box, Pick
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.sandbox_start import path_of

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.guests.looking import Look

FORMATS = (
    Offer(
        "ova", "OVA, for VirtualBox and VMware", "One file with its disks in it, proven once it is written."
    ),
    Offer(
        "libvirt",
        "libvirt domain, for virsh and virt-manager",
        "A description; the disks stay where they are.",
    ),
    Offer("utm", "UTM bundle, for a Mac", "A folder with copies of its disks."),
)
WHY = "It runs. An export copies disks, and those of a running guest change while they are read."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write, and where; `manifest` is the digest of an OVA's manifest."""

    kind: str = "ova"
    target: str = ""
    manifest: str = "sha256"


def ask_export(page: Page, name: str, seen: Look | None, then: Callable[[], None], said: Wanted | None = None) -> None:  # fmt: skip
    """Ask as what and where to, then show the plan. A guest that runs is offered to be stopped first."""
    if seen is not None and runs(seen):
        wizard = page.wizard

        def off() -> None:
            wizard.show(ExportReview(name, said or Wanted(target=_proposed(name, "ova")), then))

        stop_first(page, name, WHY, off, "The export")
        return
    now = said or Wanted()

    def chosen(kind: str | None) -> None:
        if kind:
            _ask_where(page, name, replace(now, kind=kind), then)

    words = f"Of {name} a copy is made; it stays as it is."
    _ = page.app.push_screen(Pick("Export it as what?", FORMATS, page.marks, now.kind, words), chosen)


def _ask_where(page: Page, name: str, said: Wanted, then: Callable[[], None]) -> None:
    target = said.target if said.target.endswith(_ending(said.kind)) else _proposed(name, said.kind)
    fields = [Asked("target", "File", target)]
    if said.kind == "ova":
        fields.append(Asked("manifest", "Digest", said.manifest, "sha256, or sha1 for old readers"))

    def typed(found: dict[str, str] | None) -> None:
        if found is not None:
            manifest = found.get("manifest", "sha256").strip().lower()
            wanted = Wanted(said.kind, str(path_of(found["target"])), manifest)
            page.wizard.show(ExportReview(name, wanted, then))

    words = "It must be new: nothing is overwritten."
    if said.kind == "ova":
        words += " The digest is that of its manifest: sha256, or sha1 for old readers."
    _ = page.app.push_screen(Box("Export it to where?", words, fields, _wrong, "The plan"), typed)


def _wrong(found: dict[str, str]) -> str:
    if not found["target"].strip():
        return "Which file?"
    manifest = found.get("manifest", "sha256").strip().lower()
    return "" if manifest in ("sha256", "sha1") else "The digest is sha256 or sha1."


def _ending(kind: str) -> str:
    return {"ova": ".ova", "libvirt": ".xml", "utm": ".utm"}[kind]


def _proposed(name: str, kind: str) -> str:
    """A new file in the home directory."""
    from smartos_wizard.guests.export.words import file_stem

    stems = [file_stem(name), *(f"{file_stem(name)}-{n}" for n in range(2, 100))]
    files = (Path.home() / f"{stem}{_ending(kind)}" for stem in stems)
    return str(
        next((file for file in files if not file.exists()), Path.home() / f"{stems[0]}{_ending(kind)}")
    )


def notes_of(plan: Plan) -> tuple[str, ...]:
    """What the format of a plan to export cannot carry, one sentence or two each."""
    found = (step.params.get("notes") for step in plan.steps)
    return tuple(str(note) for note in next((notes for notes in found if notes), ()))


class ExportReview(GuestChange):
    """The plan to export a guest. It loses nothing, so nothing is to be typed."""

    HEADING = "Export it: what will happen"
    GO = "Export"
    HELP = """
### What is this?
The plan to write the guest for another program. What the format **cannot carry** is named, with what to do about it
after the import. `f` shows every detail of the steps.

### What happens?
**Export** writes one new file (for UTM one new folder) and reads an OVA back whole to prove it. Cancelled or failed,
what was begun is taken away again.

### What is not touched?
The guest itself, its disks, and every other file.
"""

    def __init__(self, name: str, wanted: Wanted, then: Callable[[], None]) -> None:
        super().__init__(name, then)
        self.wanted = wanted

    def ready(self) -> None:
        """Nothing dangerous is in it."""
        self.query_one("#go").remove_class("-danger")
        super().ready()

    def make_plan(self) -> Plan:
        """As `guest export` makes it. Raises WizardError."""
        wanted = self.wanted
        return self.wizard.desk.guests.export_plan(
            self.name_of_guest, wanted.kind, Path(wanted.target), wanted.manifest
        )

    def _planned(self, plan: Plan) -> None:
        super()._planned(plan)
        self.query_one("#go").focus()

    def _draw(self) -> None:
        super()._draw()
        if self._plan is None or not self.query("#steps"):
            return
        self.query_one("#confirm").border_title = "Write it?"
        place, width = self.query_one("#steps", Static), self._width()
        lines = [Content.assemble(("\nWhat does not come along, and what to do about it", "bold"))]
        for note in notes_of(self._plan):
            first, *rest = textwrap.wrap(note, max(20, width - 4), break_on_hyphens=False)
            lines += [Content(f"  - {first}"), *(Content(f"    {part}") for part in rest)]
        shown = place.content
        assert isinstance(shown, Content)
        place.update(Content("\n").join([shown, *lines]) if len(lines) > 1 else shown)
        self.call_after_refresh(self._hint)

    def _judge(self) -> None:
        super()._judge()
        words = "" if self._plan is None or self._started else "  Nothing is lost by this."
        self.query_one("#state", Static).update(Content.assemble((words, "$dim")))

    def command(self) -> str:
        """The same by command."""
        import shlex

        wanted = self.wanted
        sha1 = " --manifest sha1" if wanted.kind == "ova" and wanted.manifest == "sha1" else ""
        after = f"--to {shlex.quote(wanted.target)} --format {wanted.kind}{sha1}"
        return by_command("export", self.name_of_guest, practice=self.wizard.desk.world.practice, after=after)
