"""A runbook line by line: one step at a time, with marks that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartos_wizard.cli.plain_work import PlainWork

if TYPE_CHECKING:
    from smartos_wizard.reinstall.runbook_steps import Todo
    from smartos_wizard.screens.runbook_keep import Kept

_FORMS = ("text", "markdown", "html")


class PlainRunbook:
    """Reads steps out, and marks them."""

    def __init__(self, work: PlainWork) -> None:
        self.work, self.voice, self.desk = work, work.voice, work.desk.reinstall

    def begun(self) -> None:
        """Choose one that was begun, and go on with it."""
        found = self.desk.runbooks()
        if not found:
            self.voice.say("No runbook was begun yet. One is made where the way is chosen.")
            return
        for number, each in enumerate(found, 1):
            way = dict(each.book.facts).get("Way", "")
            self.voice.say(
                f"{number}. {each.host}, way {way}: {len(each.done)} of {len(each.book.todos)} steps done"
            )
        chosen = self.voice.choose("Which runbook?", len(found))
        if chosen is not None:
            self.walk(found[chosen])

    def walk(self, kept: Kept) -> None:
        """Step after step, until the user goes back or all are marked."""
        from smartos_wizard.reinstall.runbook_text import sections

        say, book = self.voice.say, kept.book
        say(f"{book.title}. {book.practice}".strip())
        for word, fact in book.facts:
            say(f"{word}: {fact}")
        for title, items in sections(book):
            for item in items:
                say(f"{title}: {item.removeprefix('- ')}")
        at = kept.next
        while True:
            self._step(kept, at)
            say(
                "1. Done, the next one. 2. Another step. 3. Write the runbook to a file. b leaves; the marks are kept."
            )
            match self.voice.choose(f"Step {at + 1} of {len(book.todos)}?", 3):
                case 0:
                    kept = self.desk.mark_runbook(kept, kept.done | {at})
                    if len(kept.done) == len(book.todos):
                        say("Every step is marked.")
                        return
                    at = kept.next
                case 1:
                    chosen = self.voice.choose("Which step?", len(book.todos))
                    at = at if chosen is None else chosen
                case 2:
                    self.work.guarded(lambda k=kept: self._export(k))  # type: ignore[misc]
                case _:
                    return

    def _step(self, kept: Kept, at: int) -> None:
        todo: Todo = kept.book.todos[at]
        say = self.voice.say
        say()
        say(f"Step {at + 1}: {todo.title}." + (" This step is marked as done." if at in kept.done else ""))
        if todo.final:
            say("From here on it cannot be taken back.")
        for word, rows in todo.acts:
            for row in rows:
                say(f"{word}: {row}")
        for row in todo.see:
            say(f"See: {row}")
        for seen, act in todo.otherwise:
            say(f"Otherwise, {seen}: {act}")

    def _export(self, kept: Kept) -> None:
        self.voice.say("1. Text. 2. Markdown. 3. HTML.")
        form = self.voice.choose("As what?", 3)
        if form is None:
            return
        path = self.voice.ask("Which file? It must not be there yet; b for back")
        if path not in ("b", ""):
            self.voice.say(f"Written: {self.desk.export_runbook(kept.book, _FORMS[form], path)}")
