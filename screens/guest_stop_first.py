"""What wants a guest that is off: the reason, and the offer to stop it first and then go on."""

from __future__ import annotations

from collections.abc import Callable

from smartos_wizard.core.journal import Job
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.page import Page, error_words


def stop_first(page: Page, name: str, why: str, then: Callable[[], None], words: str) -> None:
    """Ask whether to stop the guest; once it is off, a button that says `words` leads to `then`.

    `why` is the reason it has to be off. Nothing happens where the user leaves it on.
    """
    wizard = page.wizard

    def answered(answer: str | None) -> None:
        if answer not in ("ask", "force"):
            return
        desk = wizard.desk

        def started(job: Job) -> None:
            from smartos_wizard.screens.guest_work import GuestWork

            wizard.watch_job(job, screen=GuestWork(job, None, then, words=words))

        page.ask_rooms(
            lambda: desk.start(desk.guests.stop_plan(name, force=answer == "force")), started,
            lambda error: wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),))),
        )  # fmt: skip

    told = (
        f"{why}\n\nAsked to shut down, SmartOS ends its services and its zones; after 90 s it is switched off "
        "anyway. Switched off at once, it is as if somebody pulled the plug."
    )
    buttons = (("no", "Leave it on"), ("ask", "Ask it to shut down"), ("!force", "Switch it off"))
    wizard.ask(Asking(f"Stop {name} first?", told, buttons), answered)
