"""The make-believe console behaves at its loader as the real one does, for the same program."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartos_wizard.core.errors import NetworkFailed
from smartos_wizard.core.paths import below
from smartos_wizard.practice.host_console import PracticeConsole
from smartos_wizard.reinstall.console_loader import Loader
from smartos_wizard.reinstall.console_reading import Reader, Seen, look
from smartos_wizard.world import practice_world


def test_rescue_mode_is_reached() -> None:
    console = PracticeConsole("guest:plain")
    loader = Loader(console)
    loader.menu(2)
    loader.rescue()
    assert console.environment == {"noimport": "true", "standalone": "true", "smartos": "false"}
    assert look(Reader(console), 1) is Seen.LOGIN


def test_lines_are_read_back_and_forgotten_by_a_reboot() -> None:
    console = PracticeConsole("guest:plain")
    loader = Loader(console)
    loader.menu(2)
    loader.prompt()
    loader.type_lines(["set zpools=zones", "set destroy_zpools=true"])
    loader.reboot()
    assert console.environment == {"smartos": "true"}
    loader = Loader(console)
    loader.menu(2)
    loader.prompt()
    loader.type_lines(["set destroy_zpools=true"])
    loader.boot()
    assert console.environment == {"smartos": "true", "destroy_zpools": "true"}


def test_in_practice_no_console_is_a_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartos_wizard.world.user_paths", lambda: below(tmp_path))
    world = practice_world()
    try:
        for where in ("guest:plain", "/nowhere/at/all", "127.0.0.1:1"):
            assert isinstance(world.console(where), PracticeConsole)
        host = world.console_host("guest:plain", "")
        assert b"".join(host.stream("vmadm list"))
        with pytest.raises(NetworkFailed):
            world.console_host("guest:nobody", "")
    finally:
        world.close()
