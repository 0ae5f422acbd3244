"""Which acceleration is taken, with a QEMU that plays how fast each is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smartos_wizard.guests.qemu import probe


def qemu(place: Path, kvm: float, tcg: float) -> str:
    """A program that says the word after so many seconds, by its accelerator."""
    program = place / "qemu"
    program.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *accel=tcg*) sleep {tcg} ;; *) sleep {kvm} ;; esac\n'
        'for each; do case $each in file:*) echo "SmartOS Wizard probe" > "${each#file:}" ;; esac; done\n'
    )
    program.chmod(0o755)
    return str(program)


@pytest.fixture(autouse=True)
def ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "ladder", lambda: (("kvm", "host"), ("tcg", "Haswell")))
    monkeypatch.setattr(probe, "_LATE", 0.4)


@pytest.mark.parametrize(
    ("kvm", "tcg", "taken"),
    [(0.0, 0.0, "kvm"), (1.2, 0.0, "tcg"), (0.6, 0.3, "kvm")],
)
def test_an_acceleration_far_slower_than_imitating_is_none(
    tmp_path: Path, kvm: float, tcg: float, taken: str
) -> None:
    engine = probe.find_engine(qemu(tmp_path, kvm, tcg), "9.9.9", tmp_path / "cache")
    assert engine is not None
    assert engine.accelerator == taken
    assert ("imitating the processor" in engine.note) == (taken == "tcg")
    assert json.loads((tmp_path / "cache" / "qemu-engine.json").read_text())["accelerator"] == taken


def test_the_word_is_taken_from_a_machine_that_has_ended_already(tmp_path: Path) -> None:
    assert probe._try(qemu(tmp_path, 0, 0), "kvm", "host") is None
    (tmp_path / "qemu").write_text("#!/bin/sh\necho 'no such processor' >&2; exit 1\n")
    assert probe._try(str(tmp_path / "qemu"), "kvm", "host") == "no such processor"


def test_the_boot_sector_is_one_and_stops_or_resets() -> None:
    for resets in (False, True):
        sector = probe.boot_sector(resets=resets)
        assert len(sector) == 512
        assert sector[510:] == b"\x55\xaa"
        at = sector.index(probe.WORD)
        assert int.from_bytes(sector[5:7], "little") == 0x7C00 + at
        assert (b"\xba\xf9\x0c\xb0\x06\xee" in sector[:at]) == resets
