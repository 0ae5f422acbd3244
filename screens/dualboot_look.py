"""Beside the Linux of this computer: what is here, and what may be done."""

from __future__ import annotations

from textual.app import ComposeResult

from smartos_wizard.screens.page import Page


class DualbootLook(Page):
    """This Linux as it boots now."""

    def body(self) -> ComposeResult:
        """Nothing yet."""
        yield from ()
