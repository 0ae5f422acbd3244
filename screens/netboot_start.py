"""Boot machines over the network: what may be done, and the trees there are."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.screens.netboot_model import BuildAnswers, ServeAnswers, TreeFacts
from smartos_wizard.screens.netboot_page import NetbootPage
from smartos_wizard.screens.netboot_words import UEFI, tree_line
from smartos_wizard.screens.options_boxes import Pick
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.widgets.choices import Choices

_WAYS = (
    Offer("build", "Build a tree", "releases, a menu, scripts: what is served"),
    Offer("serve", "Serve a tree", "for an evening, to machines on one network"),
    Offer("check", "Check a tree", "file by file, here or on a web server"),
    Offer("config", "For servers of your own", "settings for dnsmasq, dhcpd, Kea, nginx"),
)
_NARROW = 76  # columns below which a way is its name alone
_NONE = "None yet that the wizard built or served. Build one; nothing else in its directory is touched."


def page_of(way: str, directory: str) -> Page:
    """The page on which that way begins; loaded when it is wanted."""
    match way:
        case "build":
            from smartos_wizard.screens.netboot_build import BuildTree

            return BuildTree(BuildAnswers(directory))
        case "check":
            from smartos_wizard.screens.netboot_check import CheckTree

            return CheckTree(directory)
        case _:
            from smartos_wizard.screens.netboot_wire import ChooseWire

            return ChooseWire(ServeAnswers(directory, config=way == "config"))


class _TreesCard(Vertical):
    """Holds the trees, and has their rows made anew when its width changes: the side panel may come later."""

    def on_resize(self) -> None:
        """Tell the screen; the window itself may have kept its size."""
        if isinstance(self.screen, NetbootStart):
            self.screen.resized()


class NetbootStart(NetbootPage):
    """Build a tree, serve it, check one."""

    HELP = """
### What is this?
BIOS machines start SmartOS **without a key**: their firmware asks by DHCP where to boot from, is given iPXE, and iPXE
fetches a menu, the kernel and the boot archive by HTTP. A **tree** is the directory with all of that.

### What happens?
**Build** a tree of one or more releases, then **serve** it on one network until you stop. **Check** says whether a tree
is whole, here or on any web server. A fleet is served by servers of your own: their **configuration** is written for you.
UEFI machines cannot start SmartOS this way: they are told so, on their screens.

### What is not touched?
Nothing is served before you chose the network. By default no address is given to anybody: the network's own DHCP
server goes on. When it is stopped, nothing of it is left.
"""

    def body(self) -> ComposeResult:
        """What may be done, the trees, what works."""
        with Vertical(classes="card", id="ways-card") as card:
            card.border_title = "Boot SmartOS over the network"
            yield Choices(self.marks, id="ways")
        with _TreesCard(classes="card", id="trees-card") as card:
            card.border_title = "Trees on this computer"
            yield Choices(self.marks, id="trees")
            yield Static(f"  {_NONE}", id="no-trees", classes="muted", markup=False)
        with Vertical(classes="card -quiet", id="uefi-card") as card:
            card.border_title = "UEFI"
            yield Static(UEFI, id="uefi", markup=False)

    def ready(self) -> None:
        """The ways at once, the trees when they are read."""
        self._known: tuple[TreeFacts, ...] = ()
        self._proposed = ""
        self.query_one("#ways").focus()
        self.query_one("#trees").display = False
        self._fill()
        self.ask_rooms(lambda: (self.desk.known(), self.desk.proposed()), self._there, self.wrong)

    def words(self) -> str:
        """The commands of the room."""
        return "--help"

    def _there(self, found: tuple[tuple[TreeFacts, ...], str]) -> None:
        self._known, self._proposed = found
        trees = self.query_one("#trees", Choices)
        trees.display, self.query_one("#no-trees").display = bool(self._known), not self._known
        self._fill()

    def _fill(self) -> None:
        if not self.query("#trees"):
            return
        short = self.app.size.width < _NARROW
        ways = [
            (
                way.value,
                Content.assemble("  ", (f"{way.words:<25}", "bold"), ("" if short else way.more, "$dim")),
                True,
            )
            for way in _WAYS
        ]
        menu = self.query_one("#ways", Choices)
        menu.fill(ways, keep=menu.chosen or "build")
        trees = self.query_one("#trees", Choices)
        width = max(30, (self.query_one("#trees-card").content_region.width or self.app.size.width - 8) - 1)
        trees.fill(
            [(f"t{n}", self._tree(facts, width), True) for n, facts in enumerate(self._known)],
            keep=trees.chosen,
        )

    def _tree(self, facts: TreeFacts, width: int) -> Content:
        said = tree_line(facts).rpartition(" · ")[0] or tree_line(facts)
        room = max(16, width - len(said) - 4)
        name = facts.directory if len(facts.directory) <= room else "…" + facts.directory[-(room - 1) :]
        return Content.assemble("  ", (f"{name:<{room}}  ", "bold"), (said, "$dim"))

    def resized(self) -> None:
        """Rows follow the width."""
        if hasattr(self, "_known"):
            self.call_after_refresh(self._fill)

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """On with it; of a tree, what is to be done with it."""
        name = event.option.id or ""
        if event.option_list.id == "ways":
            self.wizard.show(page_of(name, self._proposed))
            return
        directory = self._known[int(name[1:])].directory

        def picked(way: str | None) -> None:
            if way is not None:
                self.wizard.show(page_of(way, directory))

        ways = (Offer("serve", "Serve it", _WAYS[1].more), Offer("build", "Renew it", "another release, other scripts"),
                Offer("check", "Check it", "every file against its hash"), Offer("config", _WAYS[3].words, _WAYS[3].more))  # fmt: skip
        _ = self.app.push_screen(Pick(directory, ways, self.marks, "serve"), picked)

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()
