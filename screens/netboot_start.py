"""Boot machines over the network: what may be done."""

from __future__ import annotations

from textual.app import ComposeResult

from smartos_wizard.screens.page import Page


class NetbootStart(Page):
    """Build a tree, serve it, check one."""

    def body(self) -> ComposeResult:
        """Nothing yet."""
        yield from ()
