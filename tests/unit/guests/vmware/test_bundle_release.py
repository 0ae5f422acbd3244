"""`guest create --release … --boot bundle`: SmartOS's own bundle is downloaded, checked, put right and made a guest."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smartos_wizard.cli.main import main
from smartos_wizard.guests.vmware.driver import VmwareDriver
from smartos_wizard.guests.vmware.vmx import Vmx
from smartos_wizard.world import World
from tests.unit.guests.vmware.parts import workstation

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def wizard(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Run]:
    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["--practice", "guest", *words])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    with tempfile.TemporaryDirectory(prefix="vmw") as name:
        monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "0")
        host = workstation(Path(name) / "root")
        monkeypatch.setattr(World, "hypervisors", lambda _self: (VmwareDriver(host.machine),))
        yield run


def test_the_bundle_of_a_release_becomes_a_guest(wizard: Run) -> None:
    code, out, err = wizard("create", "lab", "--release", "latest", "--boot", "bundle", "--dry-run")
    assert code == 0, err
    assert ".vmwarevm.tar.gz" in out
    code, _, err = wizard("create", "lab", "--release", "latest", "--boot", "bundle", "--memory", "2GiB")
    assert code == 0, err
    _, out, _ = wizard("show", "lab", "--json")
    shown = json.loads(out)
    folder = Path(shown["folder"])
    vmx = Vmx((folder / "smartos.vmx").read_text())
    assert vmx.get("memsize") == "2048"
    assert vmx.get("isolation.tools.copy.disable", "").upper() == "TRUE"
    assert (folder / "key.img").stat().st_size > 1 << 30
    assert "boot/loader.conf.local" in out or "settings" in out


@pytest.mark.parametrize(("words", "reference"), [
    (("--iso", "x.iso", "--boot", "bundle"), "iso-is-no-key"),
    (("--image", "x.img", "--boot", "bundle"), "bundle-is-an-image"),
])  # fmt: skip
def test_contradictions_are_named(wizard: Run, words: tuple[str, ...], reference: str) -> None:
    code, _, err = wizard("create", "lab", *words)
    assert code == 2
    assert reference in err


def test_other_hypervisors_are_told_to_take_the_usb_image(
    wizard: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smartos_wizard.practice.hypervisor import PracticeHypervisor

    monkeypatch.setattr(World, "hypervisors", lambda _self: (PracticeHypervisor(),))
    code, _, err = wizard("create", "lab", "--release", "latest", "--boot", "bundle")
    assert code == 4
    assert "bundle-needs-vmware" in err
