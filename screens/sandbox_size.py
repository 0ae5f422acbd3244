"""How large shall the guest be? The judgement and the pool follow every key."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input

from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_fields import Row, Turning, put, typed
from smartos_wizard.screens.pool_model import sentences
from smartos_wizard.screens.sandbox_form import GuestForm
from smartos_wizard.screens.sandbox_model import NESTED, SIZE_FIELDS, counts

_LEVELS = {"error": "bold $error", "warning": "bold $warning", "info": "$accent"}


class ChooseSize(GuestForm):
    """Name, memory, processors, disks; below them the pool that SmartOS makes of those."""

    STAGE = Stage.SIZE
    HEAD: ClassVar[str] = "How large shall the guest be?"
    BELOW: ClassVar[str] = "The pool"
    FIELDS: ClassVar[tuple[str, ...]] = SIZE_FIELDS
    HELP = """
### What is this?
The guest's name and its size. What is left empty is chosen well; it stands in grey.

### What happens?
`Up` and `Down` go from row to row, `Left` and `Right` change a value, `Enter` shows all values.
The number of disks decides the layout of the pool, drawn below: one disk has no second copy, two are a mirror.
Disks are files that **grow as they are used**: a large one costs nothing at first.
What cannot work here is said beside its row, and nobody goes on with it.

### What is not touched?
Nothing is made yet. This machine keeps 2 GiB of memory for itself.
"""

    def rows(self) -> ComposeResult:
        """The fields."""
        guest, marks = self.guest, self.marks
        yield Row("name", "Name", typed(guest.name, id="name", example="lab"), marks)
        yield Row("memory", "Memory", typed(guest.memory, id="memory", example="4 GiB"), marks)
        yield Row("cpus", "Processors", typed(guest.cpus, id="cpus", example="2"), marks)
        yield Row("count", "Data disks", Turning(counts(), guest.count, id="count"), marks)
        yield Row("each", "Size of each", typed(guest.each, id="each", example="40 GiB"), marks)
        nested = Turning(NESTED, "yes" if guest.nested else "", id="nested")
        yield Row("nested", "Nested machines", nested, marks)

    def ready(self) -> None:
        """With a name that is free, unless one was given."""
        super().ready()
        if not self.guest.name:
            self.ask_rooms(self.wizard.desk.sandbox.free_name, self._named, lambda _error: None)

    def _named(self, name: str) -> None:
        field = self.query_one("#name", Input)
        if not field.value:
            put(field, name)
            field.cursor_position = len(name)
            self.decide(name=name)

    def value_of(self, turned: Turning) -> Any:
        """Nested is yes or no."""
        return turned.value == "yes" if turned.id == "nested" else turned.value

    def beside(self, name: str) -> str:
        """The layout beside the disks; what a nested guest may do."""
        if name == "count":
            return self._judged.pool.chosen
        if name == "nested":
            return "it may run bhyve" if self.guest.nested else "zones only, no bhyve"
        return super().beside(name)

    def _draw(self) -> None:
        for name in ("memory", "cpus", "each"):
            default = self._judged.beside.get(f"default-{name}", "")
            if default and not getattr(self.guest, name):
                self.query_one(f"#{name}", Input).placeholder = default
        pool = self._judged.pool
        title = f"The pool   {pool.headline}" if pool.headline else "The pool"
        self.query_one("#comes").border_title = title
        super()._draw()

    def below(self) -> list[Content]:
        """The pool SmartOS makes of these disks."""
        pool, width = self._judged.pool, self._width()
        if pool.why:
            return [
                Content.assemble((f"{self.marks.failed} There is no such pool. ", "bold $error"), pool.why)
            ]
        if not pool.picture:
            return [Content.assemble(("Shown once the disks make sense.", "$dim"))]
        parts = [Content(line) for line in pool.picture]
        parts += [
            Content.assemble((f"{n:<10}", _LEVELS.get(n, "$dim")), w) for n, w in sentences(pool, width)
        ]
        return parts

    def sum_up(self) -> str:
        """The whole machine in a line."""
        spec = self._judged.spec
        if spec is None:
            return ""
        from smartos_wizard.core import text

        disks = f"{len(spec.disks)} x {text.size(spec.disks[0].size)}"
        cpus = "1 processor" if spec.cpus == 1 else f"{spec.cpus} processors"
        return f"{text.size(spec.memory << 20)}, {cpus}, {disks}"
