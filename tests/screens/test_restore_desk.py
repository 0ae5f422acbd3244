"""What the desk of the way back says of a machine whose commands really run, over real ssh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.paths import Paths
from smartos_wizard.screens.reinstall_desk import Call
from smartos_wizard.screens.restore_desk import RestoreDesk
from smartos_wizard.screens.restore_model import Restoring, Ticks, restore_words
from tests.unit.reinstall.parts_backup import (
    DATA,
    WEB,
    BackupWorld,
    address,
    backup_plan,
    found,
    good,
    machine,
    run,
)
from tests.unit.reinstall.shell_server import serving
from tests.unit.reinstall.test_backup_restore import wipe


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with serving(machine(tmp_path / "machine")) as running:
        # The machine answers every command but the survey's script, whose answers are made of what it holds.
        monkeypatch.setattr("smartos_wizard.reinstall.survey.take", lambda _host, _now: found(running))
        yield running


@pytest.fixture
def asked(server: Any, tmp_path: Path, paths: Paths) -> Any:
    """The desk, a backup, and how the machine is compared with it."""
    good(run(backup_plan(server, tmp_path / "kept"), paths))
    desk = RestoreDesk(BackupWorld(paths))  # type: ignore[arg-type]
    backup = desk.backup_in(str(tmp_path / "kept"))

    def compare(ticks: Ticks | None = None) -> Restoring:
        return Restoring(backup, address(server), desk.compare(backup, address(server), Call()), ticks)

    return desk, compare


def fates(said: Restoring) -> dict[str, str]:
    assert said.found is not None
    return {fate.group.name: fate.state for fate in said.found.fates}


def test_one_instance_comes_back_with_what_it_is_made_from(server: Any, asked: Any, paths: Paths) -> None:
    desk, compare = asked
    assert set(fates(compare()).values()) == {"there"}
    assert not compare().chosen.any
    wipe(server)
    said = compare()
    assert set(fates(said).values()) == {"free"}
    assert said.chosen.groups == {WEB, "zones/precious"}  # the image comes with the instance, unasked
    assert said.chosen.places == {"usbkey", "opt/custom"}
    plan = desk.plan(compare(Ticks(groups=frozenset({WEB}))))
    good(run(plan, paths))
    assert {name for name in server.datasets if name in DATA} == set(DATA) - {"zones/precious"}
    assert not (server.root / "usbkey/ssh/key").exists()
    assert fates(compare()) == {**dict.fromkeys(fates(said), "there"), "zones/precious": "free"}


def test_half_a_dataset_is_offered_and_never_proposed(server: Any, asked: Any, tmp_path: Path) -> None:
    desk, compare = asked
    wipe(server)
    notes = tmp_path / "kept" / f"restored-{found(server).hostid}.json"
    notes.write_text('{"began": ["zones/precious"], "finished": []}')
    server.dataset("zones/precious", b"half")
    said = compare()
    assert fates(said)["zones/precious"] == "half"
    assert "zones/precious" not in said.chosen.groups
    plan = desk.plan(compare(Ticks(groups=frozenset({"zones/precious"}))))
    assert plan.destroys
    assert plan.confirmation.tokens == ("box", "box:zones/precious")


def test_a_file_that_differs_alone_is_put_back_and_the_command_says_so(
    server: Any, asked: Any, paths: Paths
) -> None:
    desk, compare = asked
    wipe(server)
    said = compare(Ticks(overwrite=frozenset({"usbkey/config"})))
    assert "--config --place none --overwrite /usbkey/config" in restore_words(said)
    good(run(desk.plan(said), paths))
    assert "hostname=box" in (server.root / "usbkey/config").read_text()
    assert not (server.root / "usbkey/ssh/key").exists()
    assert not (server.root / "opt/custom/smf/a.xml").exists()


def test_what_a_plan_was_to_put_back_is_found_in_it_again(server: Any, asked: Any) -> None:
    desk, compare = asked
    wipe(server)
    ticks = Ticks(frozenset({"opt/custom"}), frozenset({"usbkey/config"}), frozenset({WEB, "zones/precious"}))
    again = desk.again(desk.plan(compare(ticks)))
    assert again.ticks == ticks
    assert again.address.host == "127.0.0.1"
    assert again.address.accept == (server.key.get_fingerprint(),)


@pytest.mark.parametrize(
    ("words", "directory"),
    [
        ("/b/kestrel, of today: configuration, web", "/b/kestrel"),
        ("/b/a, b, 3 days old; WITHOUT db: configuration", "/b/a, b"),
        ("/b/kestrel", "/b/kestrel"),
    ],
)
def test_the_directory_of_a_backup_is_read_from_the_words_of_a_plan(words: str, directory: str) -> None:
    from smartos_wizard.screens.restore_model import directory_of

    assert directory_of(words) == directory
