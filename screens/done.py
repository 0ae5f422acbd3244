"""The end: proven or not, what to do next, and what else may be done with the key."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.media.model import Target
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_words import after_boot
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.widgets.rail import Rail

_NEXT = """1  Remove the key (e makes it safe to pull).
2  Boot the machine from it: F12, F11 or F8 at power-on.
3  {}
4  {}
5  {}"""
_CARE = "Do not write the ISO to a key, and do not “repair” its partition table."


class Done(Page):
    """What came of writing."""

    STAGE = Stage.DONE
    HELP = """
### What is this?
The result. **PROVEN** means: every byte was read back from the device, past every cache, and equals the release.

### What happens now?
`e` makes the key safe to pull. `b` starts it here in QEMU, without writing to it. `a` makes another key.
`p` makes it a plain stick again. `r` shows the single-user root password of this build.

### What was not touched?
Every other disk, the network, this computer's own boot set-up.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "home", "Home", key_display="Esc", id="done.home"),
        Binding("e", "eject", "Eject", id="done.eject", tooltip="Make it safe to pull"),
        Binding("b", "boot_test", "Boot-test", id="done.boot", tooltip="Start it here, read-only"),
        Binding("a", "another", "Another", id="done.another", tooltip="The same release onto another key"),
        Binding(
            "r",
            "password",
            "Password",
            id="done.password",
            tooltip="The single-user root password of this build",
        ),
        Binding(
            "p",
            "plain",
            "Plain stick",
            id="done.plain",
            show=False,
            tooltip="One empty FAT32 partition again",
        ),
        Binding("t", "again", "Try again", id="done.again", tooltip="Review the same plan again"),
    ]

    def __init__(self, result: dict[str, Any], error: ErrorReport | None = None) -> None:
        super().__init__()
        self.result, self.error = result, error
        self.keys: list[dict[str, Any]] = list(result.get("keys", []))

    @property
    def good(self) -> bool:
        """Whether every key is proven."""
        return bool(self.keys) and all(k.get("state") == "proven" for k in self.keys)

    def body(self) -> ComposeResult:
        """Verdict, next steps, care."""
        with Vertical(classes=f"card {'-good' if self.good else '-bad'}") as card:
            card.id = "proven" if self.good else "failed"
            card.border_title = "Done" if self.good else "Not proven"
            yield Static(
                Content("\n").join([self._verdict(k) for k in self.keys]), id="verdict", markup=False
            )
        if any(k.get("state") == "proven" for k in self.keys):
            with Vertical(classes="card") as steps:
                steps.border_title = "Next"
                yield Static(
                    _NEXT.format(*after_boot(self.wizard.flow.answers.choices)), id="next", markup=False
                )
            yield Static(_CARE, classes="muted", markup=False)
        if self.good:
            words = Content.assemble(
                ("b", "bold $accent"), " boot-test it here first   ", ("a", "bold $accent"), " another key   ",
                ("p", "bold $accent"), " make it a plain stick again",
            )  # fmt: skip
            yield Static(words, markup=False, id="more")

    def ready(self) -> None:
        """The rail tells whether it went well."""
        if not self.good:
            proof = any((k.get("error") or {}).get("exit_code") == 8 for k in self.keys)
            self.query_one(Rail).move(Stage.PROVE if proof else Stage.WRITE, failed=True)

    def _verdict(self, key: dict[str, Any]) -> Content:
        path = str(key.get("path", ""))
        if key.get("state") != "proven":
            head = Content.assemble(
                (f"{self.marks.failed} {str(key.get('state', 'failed')).upper()}. ", "bold $error"),
                (path, "bold"),
            )
            error = key.get("error") or (self.error.to_json() if self.error else None)
            return Content("\n").join([head, error_words(ErrorReport.from_json(error))] if error else [head])
        stamp = self.wizard.flow.answers.stamp
        written = int(key.get("written") or 0)
        write, proof = float(key.get("write_seconds") or 0), float(key.get("proof_seconds") or 0)
        spent = f"write {text.duration(write)}, proof {text.duration(proof)}"
        if not written:
            spent = f"nothing needed writing; proof {text.duration(proof)}"
        facts = f"{stamp} · {text.exact(int(key.get('bytes') or 0))} bytes · {spent}"
        return Content.assemble(
            (f" {self.marks.good} PROVEN ", "bold $background on $success"), ("  " + path, "bold"),
            f"\n  {_read_back(key)}",
            (f"\n  {facts}" + ("\n  A receipt was saved." if key.get("receipt") else ""), "$dim"),
        )  # fmt: skip

    @property
    def targets(self) -> tuple[Target, ...]:
        """The keys that were written."""
        return self.wizard.flow.answers.targets

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What fits how it ended."""
        del parameters
        proven = any(k.get("state") == "proven" for k in self.keys)
        if action in ("boot_test", "password", "eject"):
            return proven
        return action != "again" or not self.good

    def action_home(self) -> None:
        """Home."""
        self.wizard.go_home()

    def action_eject(self) -> None:
        """Make the proven keys safe to pull."""
        paths = [str(k["path"]) for k in self.keys if k.get("state") == "proven"]
        desk = self.wizard.desk
        self.ask_rooms(
            lambda: "\n".join(desk.eject(p) for p in paths),
            lambda words: self.notify(words, title="Eject"),
            self._failed,
        )

    def action_boot_test(self) -> None:
        """Start it here."""
        desk, target = self.wizard.desk, self.targets[0]
        self.ask_rooms(lambda: desk.start(desk.boot_test_plan(target)), self._follow, self._failed)

    def _follow(self, job: Job) -> None:
        self.wizard.watch_job(job)

    def action_another(self) -> None:
        """The same release onto another key."""
        self.wizard.go(self.wizard.flow.another())

    def action_again(self) -> None:
        """Review the same plan again, with the disks as they are now."""
        desk = self.wizard.desk
        self.ask_rooms(lambda: desk.same_again(self.targets), self._review, self._failed)

    def _review(self, targets: tuple[Target, ...]) -> None:
        from smartos_wizard.screens.flow import Flow

        flow = self.wizard.flow
        from dataclasses import replace

        self.wizard.go(Flow(Stage.REVIEW, replace(flow.answers, targets=targets), flow.behind))

    def action_plain(self) -> None:
        """Make it a plain stick again."""
        from smartos_wizard.screens.keys_review import RestoreReview

        desk = self.wizard.desk
        self.ask_rooms(
            lambda: desk.same_again(self.targets[:1]),
            lambda t: self.wizard.show(RestoreReview(t[0])),
            self._failed,
        )

    def action_password(self) -> None:
        """Fetch and show the single-user password; it is kept nowhere."""
        desk, stamp = self.wizard.desk, self.wizard.flow.answers.stamp
        self.ask_rooms(lambda: desk.root_password(stamp), self._password, self._failed)

    def _password(self, word: str) -> None:
        words = Content.assemble(
            "Single-user root password of this build:\n\n",
            (f"  {word}", "bold $accent"),
            "\n\nIt is published with the release and kept nowhere here.",
        )
        self.wizard.ask(Asking("Single-user password", words, (("ok", "Close"),)))

    def _failed(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))


def _read_back(key: dict[str, Any]) -> str:
    """What the proof says, to the word: with options a key is not the release alone."""
    files = len(key.get("files") or ())
    if not files:
        return "Every byte was read back from it and equals the release."
    yours = "the file" if files == 1 else f"the {files} files"
    return f"Read back: {yours} you asked for, every other byte as released."
