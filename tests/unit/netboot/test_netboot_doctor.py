"""`doctor` names what serving over the network needs: where it is, and otherwise what for and how to get it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from smartos_wizard.cli.main import cli
from smartos_wizard.netboot import boot_programs


def needs(monkeypatch: pytest.MonkeyPatch, there: Path) -> dict[str, dict[str, Any]]:
    """What the real machine would say of those directories alone."""
    monkeypatch.setenv("PATH", str(there))
    monkeypatch.setattr(boot_programs, "_PATH", str(there))
    monkeypatch.setattr(boot_programs, "LOADERS", (str(there),))
    shown = CliRunner().invoke(cli, ["doctor", "--json"], standalone_mode=False)
    return {need["name"]: need for need in json.loads(shown.stdout)["needs"]}


def test_what_is_lacking_is_named_with_how_to_get_it_and_a_key_needs_none_of_it(monkeypatch, tmp_path):
    found = needs(monkeypatch, tmp_path)
    for name, package in (("dnsmasq", "dnsmasq-base"), ("undionly.kpxe", "apt install ipxe")):
        need = found[name]
        assert not need["there"]
        assert not need["needed"]
        assert "netboot serve" in need["purpose"]
        assert package in need["how"]


def test_what_is_there_is_said_with_its_place(monkeypatch, tmp_path):
    program = tmp_path / "dnsmasq"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "undionly.kpxe").write_bytes(b"x")
    found = needs(monkeypatch, tmp_path)
    assert found["dnsmasq"]["found"] == str(program.resolve())
    assert found["undionly.kpxe"]["found"] == str(tmp_path / "undionly.kpxe")
