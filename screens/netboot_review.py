"""The plans of booting over the network: a tree, an evening of serving, configuration. What leaves a tree is typed."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import folded
from smartos_wizard.screens.netboot_model import HTTP, OWN, BuildAnswers, ServeAnswers, TreeFacts
from smartos_wizard.screens.netboot_words import UEFI, build_words, serve_words
from smartos_wizard.screens.reinstall_review import MachineReview


class NetbootReview(MachineReview):
    """A plan about a tree or a network."""

    HEADING = "What will happen, in this order"

    def more(self) -> list[tuple[str, str, str]]:
        """What else has to be known: a word, its style, the sentence."""
        return []

    def _draw(self) -> None:
        super()._draw()
        if self._plan is None or not self.query("#untouched"):
            return
        width = max(40, self.app.size.width - (48 if self.app.size.width >= 110 else 6))
        lines = []
        for word, style, words in self.more():
            head, *rest = folded(words, width - len(word) - 1) or [""]
            lines.append(Content.assemble((f"{word} ", style), head))
            lines += [Content(" " * (len(word) + 1) + part) for part in rest]
        place = self.query_one("#untouched", Static)
        place.update(
            Content("\n").join(
                [
                    *lines,
                    Content(str(place.content)) if not isinstance(place.content, Content) else place.content,
                ]
            )
        )


class BuildReview(NetbootReview):
    """The plan of a tree."""

    GO = "Build it"
    HELP = """
### What is this?
The whole plan: which releases come and go, what is written beside them. Nothing is done that is not in it.

### What happens?
**Build it** begins. A release takes its name only when it is whole and checked; scripts come last, and then every file a
script names is read back. What is to leave the tree is typed, stamp by stamp. Whatever fails, the tree is as it was.

### What is not touched?
Everything else in that directory, and every other one.
"""

    def __init__(self, said: BuildAnswers) -> None:
        super().__init__()
        self.wanted = said
        self._facts: TreeFacts | None = None
        self._warned: tuple[str, ...] = ()

    def make_plan(self) -> Plan:
        """Of this tree."""
        desk = self.wizard.desk.netboot
        plan = desk.build_plan(self.wanted)
        self._facts, self._warned = desk.look(self.wanted.directory), desk.warnings(self.wanted)
        return plan

    def words(self) -> str:
        """The same by command."""
        return f"netboot {build_words(self.wanted, self.tokens if hasattr(self, '_plan') else ())}"

    def _planned(self, plan: Plan) -> None:
        super()._planned(plan)
        self.query_one("#same", Static).update(self._same())
        if not self.tokens:  # nothing is lost by it
            self.query_one("#go").focus()

    def more(self) -> list[tuple[str, str, str]]:
        """The room there is, and what everybody can read."""
        mark = self.marks.warn
        lines = [(mark, "bold $warning", f"{words[:1].upper()}{words[1:]}") for words in self._warned]
        if self.tokens:
            verb = "leaves" if len(self.tokens) == 1 else "leave"
            lines.append((mark, "bold $error", f"{', '.join(self.tokens)} {verb} the tree, last of all."))
        if self._facts is not None and self._facts.free is not None:
            lines.append(("Room:", "bold", f"{text.size(self._facts.free)} are free there."))
        return lines

    def action_back(self) -> None:
        """To the form, as it was."""
        from smartos_wizard.screens.netboot_build import BuildTree

        self.wizard.show(BuildTree(self.wanted))


class BuildAgain(NetbootReview):
    """A build that was left unfinished, from its own plan."""

    GO = "Build it"
    HELP = BuildReview.HELP

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._again = plan

    def make_plan(self) -> Plan:
        """The very same: it was not begun, or what was begun of it was taken back."""
        return self._again

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()


class ServeReview(NetbootReview):
    """The plan of an evening, or of configuration for other servers."""

    GO = "Serve it"
    HELP = """
### What is this?
The whole plan. Nothing is done that is not in it.

### What happens?
The tree is compared with its hashes; the wire is asked who gives addresses, and whoever answers is named. Then the files
are served, and dnsmasq tells machines where to boot from. It takes root's rights, asked for once. You see a table of
machines, and it goes on until you stop, also when this window closes.

### What is not touched?
The tree, every other network of this computer, its own configuration and services.
"""

    def __init__(self, said: ServeAnswers) -> None:
        super().__init__()
        self.wanted = said

    def make_plan(self) -> Plan:
        """Of this evening."""
        desk = self.wizard.desk.netboot
        return desk.config_plan(self.wanted) if self.wanted.config else desk.serve_plan(self.wanted)

    def words(self) -> str:
        """The same by command."""
        return f"netboot {serve_words(self.wanted)}"

    def more(self) -> list[tuple[str, str, str]]:
        """Danger, rights, and what UEFI machines are told."""
        said, lines = self.wanted, []
        boot = next((step for step in self._plan.steps if step.id == "boot"), None) if self._plan else None
        if said.gives != OWN and boot is not None and self.app.size.height < 32:
            lines.append(("DHCP:", "bold", boot.details[0]))
        if said.gives == OWN:
            lines.append((self.marks.warn, "bold $warning", f"Addresses are given on {said.interface}: nothing else may hang on it that gives some."))  # fmt: skip
        if not said.config and said.gives != HTTP and not self.wizard.desk.world.practice:
            lines.append(("Root:", "bold", "sudo or doas asks for your password once, for dnsmasq alone."))
        if not said.config and self.app.size.height >= 30:
            lines.append(("UEFI:", "bold", UEFI))
        return lines

    def action_back(self) -> None:
        """To the form, as it was."""
        from smartos_wizard.screens.netboot_wire import ChooseWire

        self.wizard.show(ChooseWire(self.wanted))


class ConfigReview(ServeReview):
    """The plan of configuration for other servers."""

    GO = "Write them"
    HELP = """
### What is this?
Configuration for dnsmasq, ISC dhcpd, Kea and nginx over the same tree, and a README that says which go together.

### What happens?
**Write them** makes the files in a new directory. Nothing is started, and no server of yours is changed.

### What is not touched?
The tree, and every server of this computer.
"""
