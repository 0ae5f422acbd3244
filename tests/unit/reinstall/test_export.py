"""Plans exported for Ansible: what is refused, what stands in the files, whose files are written over."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from smartos_wizard.cli.main import main
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Plan
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.export import exported, host_vars, is_ours
from smartos_wizard.reinstall.model import Mode, Nic, Way
from smartos_wizard.reinstall.planning import plan_reinstall
from tests.unit.reinstall.played_fleet import played_fleet
from tests.unit.reinstall.surveys import DISKS, NOW, ZONES, survey, two_pools

NAMES = [
    "README.md",
    "inventory.yml",
    "look.yml",
    "recheck.yml",
    "reinstall.yml",
    "verified.yml",
    "verify.yml",
]
Run = Callable[..., tuple[int, str, str]]


def planned(
    way: Way = Way.RESET, *consents: str, limited: bool = False, found: Any = None, **more: Any
) -> Plan:
    choices = Choices(way, limited, ("no-backup", *consents))
    return plan_reinstall(found or survey(**more), choices, NOW)


def in_rescue() -> Plan:
    pools = (replace(ZONES, imported=False),)
    return planned(Way.RESCUE, "contents-unknown", mode=Mode.RESCUE, pools=pools, disks=DISKS, datasets=())


def with_params(plan: Plan, *path: str, value: Any) -> Plan:
    """The plan as somebody may have changed it in its file."""
    data = json.loads(json.dumps(plan.to_json()))
    place = data["params"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return Plan.from_json(data)


@pytest.fixture
def wizard(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["smartos-wizard", *words])
        with pytest.raises(SystemExit) as left:
            main(list(words))
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def kept(tmp_path: Path) -> Callable[..., str]:
    def keep(plan: Plan, name: str = "plan.json") -> str:
        (tmp_path / name).write_text(json.dumps(plan.to_json()))
        return str(tmp_path / name)

    return keep


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (planned(Way.LOADER), "loader's prompt"),
        (planned(Way.RESET, "box:tank", limited=True, found=two_pools()), "limit is typed"),
        (planned(Way.RESCUE), "chosen at the console"),
        (planned(Way.RESET, "box:tank", "manual-layout", found=two_pools()), "made by hand in setup"),
        (with_params(planned(), "console", value="guest:x"), "serial console"),
        (with_params(planned(), "way", value="D"), "nobody knows its way"),
    ],
)
def test_what_needs_hands_is_refused_with_the_reason(plan: Plan, why: str) -> None:
    with pytest.raises(Refused, match="box") as raised:
        exported([plan])
    assert raised.value.reference == "not-for-ansible" and why in raised.value.message and raised.value.hint


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("identity", "hostid"), "$(reboot)"),
        (("identity", "hostid"), "{{ lookup('pipe','id') }}"),
        (("identity", "stamp"), "2026 x"),
        (("pool", "guid"), "1111; reboot"),
        (("kept",), [{"name": "a", "guid": "{{ x }}"}]),
        (("dying",), [{"name": "zones' x", "guid": "1", "fate": "destroyed"}]),
        (("identity", "pools"), [{"name": "z\nb", "guid": "1", "imported": True}]),
        (("identity", "instances"), ["not-a-uuid"]),
        (("identity", "macs"), ["0:1"]),
        (("address", "host"), "-oProxyCommand=id"),
        (("address", "user"), "root -oProxyCommand=id"),
        (("address", "jump"), "x -o y"),
        (("address", "identity"), "{{ x }}"),
        (("address", "host"), 5),
    ],
)
def test_whatever_a_shell_or_jinja_would_read_otherwise_is_refused(path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(Refused) as raised:
        exported([with_params(planned(), *path, value=value)])
    assert raised.value.reference == "odd-name"


def test_an_odd_host_name_or_token_is_refused() -> None:
    for name in ("two words", "{{x}}", "<b>"):
        with pytest.raises(Refused):
            exported([planned(hostname=name)])


def test_the_same_machine_or_name_twice_is_refused() -> None:
    for other in (planned(hostname="box2"), planned(hostid="77")):
        with pytest.raises(Refused, match="Two of these plans"):
            exported([planned(), other])


def test_the_inventory_holds_what_is_compared_and_no_secret() -> None:
    card = Nic("00:08:20:0a:00:01", "igb0")
    plan = with_params(planned(nics=(card,)), "address", "password", value="hunter2")
    files = {file.name: file.text for file in exported([plan, in_rescue_of("box2")])}
    assert sorted(files) == NAMES and all(is_ours(text) for text in files.values())
    assert not any("hunter2" in text for text in files.values())
    hosts = yaml.safe_load(files["inventory.yml"])["smartos_reinstall"]["hosts"]
    assert list(hosts) == ["box", "box2"]
    box = hosts["box"]
    assert box["ansible_host"] == "192.0.2.7" and box["ansible_user"] == "root"
    assert (box["reinstall_hostid"], box["reinstall_pool"]) == ("4d2a0001", {"name": "zones", "guid": "1111"})
    assert box["reinstall_imported"] == ["zones 1111"] and box["reinstall_macs"] == ["0:8:20:a:0:1"]
    assert box["reinstall_tokens"] == ["box:zones", "no-backup"] and box["reinstall_watch"] is True
    assert hosts["box2"]["reinstall_attached"] == ["zones 1111"]
    assert (
        "zones (guid 1111)" in files["README.md"]
        and "-e reinstall_confirm=box:zones,no-backup" in files["README.md"]
    )


def in_rescue_of(name: str) -> Plan:
    pools = (replace(ZONES, imported=False),)
    return planned(Way.RESCUE, "contents-unknown", mode=Mode.RESCUE, pools=pools, datasets=(), hostname=name, hostid="99")  # fmt: skip


def test_a_number_that_yaml_would_change_stays_a_text() -> None:
    found = yaml.safe_load(
        next(f.text for f in exported([planned(hostid="0123456")]) if f.name == "inventory.yml")
    )
    assert found["smartos_reinstall"]["hosts"]["box"]["reinstall_hostid"] == "0123456"


def test_a_machine_behind_a_jump_host_is_not_watched() -> None:
    found = host_vars(with_params(planned(), "address", "jump", value="me@gate:2222"))
    assert (
        found["ansible_ssh_common_args"] == "-o ProxyJump=me@gate:2222" and found["reinstall_watch"] is False
    )


def test_the_playbook_uses_nothing_but_builtin_modules_and_one_machine_at_a_time() -> None:
    modules: set[str] = set()

    def walk(task: dict[str, Any]) -> None:
        modules.update(name for name in task if "." in name)
        for part in ("block", "rescue", "tasks"):
            for inner in task.get(part, []):
                walk(inner)

    for file in exported([planned()]):
        if file.name.endswith(".yml") and file.name != "inventory.yml":
            for each in yaml.safe_load(file.text):
                walk(each)
                if "hosts" in each:
                    assert each["gather_facts"] is False
            if file.name == "reinstall.yml":
                look, work = yaml.safe_load(file.text)
                assert work["serial"] == 1
                for play in (look, work):
                    assert play["any_errors_fatal"] is True and play["max_fail_percentage"] == 0
    assert modules <= {f"ansible.builtin.{name}" for name in ("raw", "assert", "set_fact", "debug", "fail", "import_tasks", "wait_for")}  # fmt: skip


def test_the_command_writes_once_again_and_never_over_what_is_not_its_own(
    wizard: Run, kept: Callable[..., str], tmp_path: Path
) -> None:
    fleet = tmp_path / "fleet"
    words = ("reinstall", "export", kept(planned()), "--ansible", str(fleet))
    code, _, err = wizard(*words)
    assert code == 0 and "7 files" in err and sorted(path.name for path in fleet.iterdir()) == NAMES
    (fleet / "mine.yml").write_text("mine")
    code, out, _ = wizard("reinstall", "export", kept(in_rescue()), "--ansible", str(fleet), "--json")
    assert code == 0 and len(json.loads(out.splitlines()[-1])["result"]["files"]) == 7
    assert 'reinstall_way: "C"' in (fleet / "inventory.yml").read_text()
    assert (fleet / "mine.yml").read_text() == "mine"
    before = (fleet / "reinstall.yml").read_text()
    (fleet / "reinstall.yml").write_text(before + "# my line\n")
    code, _, err = wizard(*words)
    assert code == 4 and "not-ours" in err and "# my line" in (fleet / "reinstall.yml").read_text()
    assert 'reinstall_way: "C"' in (fleet / "inventory.yml").read_text(), "all or nothing"
    (fleet / "reinstall.yml").unlink()
    (fleet / "reinstall.yml").symlink_to(fleet / "mine.yml")
    assert wizard(*words)[0] == 4
    assert wizard("reinstall", "export", kept(planned()), "--ansible", str(fleet / "mine.yml"))[0] == 4


def test_a_dry_run_prints_every_file_and_writes_none(
    wizard: Run, kept: Callable[..., str], tmp_path: Path
) -> None:
    words = ("reinstall", "export", kept(planned()), "--ansible", str(tmp_path / "fleet"), "--dry-run")
    code, out, _ = wizard(*words)
    assert code == 0 and [line[4:-4] for line in out.splitlines() if line.startswith("==> ")] == [
        *(n for n in ("reinstall.yml", "recheck.yml", "look.yml", "verified.yml", "verify.yml", "inventory.yml")), "README.md",
    ]  # fmt: skip
    code, out, _ = wizard(*words, "--json")
    assert code == 0 and [step["effect"] for step in json.loads(out)["steps"]] == ["creates"] * 7
    assert not (tmp_path / "fleet").exists()


def test_nonsense_is_named(wizard: Run, kept: Callable[..., str], tmp_path: Path) -> None:
    fleet = ("--ansible", str(tmp_path / "fleet"))
    assert wizard("reinstall", "export", *fleet)[0] == 2
    assert wizard("reinstall", "export", kept(planned()))[0] == 2
    for text in ("", "{}", "[]", '{"plan": "key-write"}'):
        (tmp_path / "odd.json").write_text(text)
        code, _, err = wizard("reinstall", "export", str(tmp_path / "odd.json"), *fleet)
        assert code == 2 and "no plan" in err
    code, out, _ = wizard("reinstall", "export", kept(planned(Way.LOADER)), *fleet, "--json")
    assert code == 4 and json.loads(out)["reference"] == "not-for-ansible"
    assert not (tmp_path / "fleet").exists()


def test_practice_says_so(wizard: Run, kept: Callable[..., str], tmp_path: Path) -> None:
    code, out, _ = wizard("--practice", "reinstall", "export", kept(planned()), "--ansible", str(tmp_path / "f"), "--dry-run")  # fmt: skip
    assert code == 0 and out.count("PRACTICE") == 2


@pytest.mark.slow
def test_ansible_runs_it_and_the_right_machine_alone_is_wiped(tmp_path: Path) -> None:
    directory = tmp_path / "fleet"
    directory.mkdir()
    for file in exported([planned()]):
        (directory / file.name).write_text(file.text)
    played = played_fleet(tmp_path / "played")
    for book in ("reinstall.yml", "verify.yml"):
        code, said = played.ansible(directory, "--syntax-check", book=book)
        assert code == 0 and "WARNING" not in said, said
    confirm = ("-e", "reinstall_confirm=box:zones,no-backup", "-e", "reinstall_watch=false")
    played.put(hostid="deadbeef")
    code, said = played.ansible(directory, *confirm)
    assert code != 0 and "is not the surveyed machine" in " ".join(said.split()) and not played.changes, said
    played.put(hostid="4d2a0001")
    code, said = played.ansible(directory, *confirm)
    assert code == 0 and played.rebooted() and played.state["pools"] == [], said
    assert played.changes == ["zfs set smartdc:factoryreset=yes zones/var", "reboot"]


def test_every_raw_line_is_posix_sh(tmp_path: Path) -> None:
    look = next(f.text for f in exported([planned()]) if f.name == "look.yml")
    script = yaml.safe_load(look)[0]["ansible.builtin.raw"]
    script = "\n".join(line for line in script.splitlines() if "{%" not in line)
    for shell in ("dash", "bash --posix"):
        done = subprocess.run(
            [*shell.split(), "-n"], input=script, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0 and not done.stderr
