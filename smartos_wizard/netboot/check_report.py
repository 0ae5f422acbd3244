"""What a check of a tree found: findings, counts, every file with whether it is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from smartos_wizard.core.errors import ChecksumFailed, ProofFailed

if TYPE_CHECKING:
    from smartos_wizard.netboot.checking import Wanted


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (`error`) or worth knowing (`warning`): a stable name, a sentence, the file or line.

    `path` is the file that is not right, where it is one.
    """

    level: str
    reference: str
    text: str
    where: str = ""
    path: str = ""

    def to_json(self) -> dict[str, str]:
        """As one flat object."""
        return {"level": self.level, "reference": self.reference, "text": self.text, "where": self.where}


@dataclass(slots=True)
class Report:
    """What a check found; `hashed` counts archives that were read whole, `unread` those that were not."""

    findings: list[Finding] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    hashed: int = 0
    unread: int = 0
    whole: set[str] = field(default_factory=set)
    """Files that were read whole and have their hash."""

    def wrong(self, reference: str, text: str, where: str = "", path: str = "") -> None:
        """Add an error, once."""
        found = Finding("error", reference, text, where, path)
        if found not in self.findings:
            self.findings.append(found)

    def odd(self, reference: str, text: str, where: str = "") -> None:
        """Add a warning, once."""
        found = Finding("warning", reference, text, where)
        if found not in self.findings:
            self.findings.append(found)

    @property
    def errors(self) -> list[Finding]:
        """What is wrong."""
        return [f for f in self.findings if f.level == "error"]

    def each(self, wanted: Wanted, sizes: dict[str, int]) -> list[dict[str, Any]]:
        """Every script and file: its path, its size where it was asked for, and `good`, `bad` or `unread` (a hash of it is
        there and was not compared)."""
        bad = {f.path for f in self.errors if f.path}
        rows = []
        for path in dict.fromkeys((*self.scripts, *sorted(wanted.files))):
            unread = path not in self.whole and bool(wanted.guarded.get(path))
            state = "bad" if path in bad else "unread" if unread else "good"
            rows.append({"path": path, "size": sizes.get(path), "state": state})
        return rows

    def require(self) -> None:
        """Raise ChecksumFailed `hash-mismatch` where a hash does not hold, ProofFailed `tree-broken` for all else."""
        errors = self.errors
        if not errors:
            return
        first = next((f for f in errors if f.reference == "hash-mismatch"), errors[0])
        more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
        kind = ChecksumFailed if first.reference == "hash-mismatch" else ProofFailed
        raise kind(
            first.reference if kind is ChecksumFailed else "tree-broken", f"{first.text}{more}", context=first.where,
            hint="`smartos-wizard netboot build DIR --release STAMP --again` unpacks a release anew.",
            findings=[f.to_json() for f in self.findings],
        )  # fmt: skip
