"""The script of a survey asks and nothing else: by its words, by shellcheck, and by running it among fake commands."""

import itertools
import re
import shlex
import shutil
import subprocess

import pytest

from smartos_wizard.reinstall.answers import read_answers
from smartos_wizard.reinstall.parse import survey_of
from smartos_wizard.reinstall.probes import NAMES, PROBES
from smartos_wizard.reinstall.script import FIRST, LAST, survey_script
from tests.unit.reinstall.parts_survey import fake_commands, fake_smartos, ran, surveyed

# Every way in which a command may be called, in full. What is not here is not sent.
ALLOWED = {
    "date": {"-u '+%Y%m%dT%H%M%SZ'"},
    "uname": {"-s", "-v", "-n"},
    "cat": {"/etc/release", "/mnt/usbkey/etc/version/boot"},
    "zonename": {""},
    "id": {"-u"},
    "hostid": {""},
    "bootparams": {""},
    "prtconf": {""},
    "smbios": {"-t SMB_TYPE_SYSTEM"},
    "zpool": {"list -Hpo name,guid,health,size,allocated,bootfs", "status", "import"},
    "svcprop": {"-p config/zpool smartdc/init"},
    "zfs": {
        "get -Hpo name,value -t filesystem -s local,received,inherited smartdc:factoryreset",
        "list -Hpo name,type,used,referenced,origin,mountpoint -t filesystem,volume",
        "get -Hpo name,value -t filesystem,volume encryption",
        "list -Hpo name,creation -t snapshot",
    },
    "vmadm": {
        "lookup -j -o uuid,alias,brand,state,zone_state,owner_uuid,ram,max_physical_memory,autoboot,"
        "zfs_filesystem,zpool,disks,datasets"
    },
    "imgadm": {"list -j"},
    "diskinfo": {"-Hp"},
    "disklist": {"-a"},
    "fstyp": {'"/dev/dsk/$disk$part"', '-v "/dev/dsk/$disk$part"'},
    "dladm": {"show-phys -pmo link,address", "show-phys -po link,state"},
    "svcs": {"-x"},
    "find": {
        "/usbkey -xdev -type f -exec ls -ln {} +",
        "/opt/custom -xdev -type f -exec ls -ln {} +",
        "/var/fw/rules -type f -name '*.json'",
    },
    "sed": {
        "'/^root_shadow=/d'",
        "-n '/^Memory size:/p'",
        "-n '/^[A-Za-z0-9_]*_nic=/p' /usbkey/config",
        "-n 's/^Volume Label: *//p'",
        "5001q",
        "-n '/upgradedToVer/p' \"$conf\"",
    },
    "echo": None,
    "printf": None,
}
WORDS_OF_SH = {"if", "then", "else", "elif", "fi", "]", "for", "do", "done", "in", "return", "continue", "["}
SHELLS = [name for name in ("dash", "bash", "busybox sh", "ksh93", "mksh") if shutil.which(name.split()[0])]


def commands_of(line):
    """The simple commands of a line: what stands between separators, substitutions taken out."""
    line = re.sub(r"\b[a-z]+=\$\(([^()]*)\)", r"\1", line)  # name=$(command)
    line = re.sub(r"2>/dev/null|>&2", "", line)
    line = re.sub(r'"\$\(([^()]*)\)"', r"$said; \1;", line)  # "$(command)"
    parts = shlex.shlex(line, posix=False, punctuation_chars="|;&<>")
    parts.whitespace_split = True
    parts.commenters = ""
    command: list[str] = []
    for word in parts:
        if word in ("|", ";", "||", "&&"):
            yield command
            command = []
        else:
            assert not set(word) & set("<>") or word[0] in "'\"", f"a redirection: {line}"
            command.append(word)
    yield command


def test_every_command_is_on_the_list_word_by_word():
    seen = set()
    for probe in PROBES:
        for line in probe.command.split("\n"):
            for said in commands_of(line.strip()):
                words = list(itertools.dropwhile({"if", "then", "else", "do"}.__contains__, said))
                if not words or words[0] in WORDS_OF_SH or re.fullmatch(r"[a-z]+=\S+", words[0]):
                    continue
                assert words[0] in ALLOWED, f"{probe.name}: {words}"
                allowed = ALLOWED[words[0]]
                assert allowed is None or " ".join(words[1:]) in allowed, f"{probe.name}: {words}"
                seen.add(words[0])
    assert seen == set(ALLOWED), "the list holds what is not asked any more"


def test_nothing_is_written_or_mounted_or_asked_with_force():
    script = survey_script()
    asked = "\n".join(probe.command for probe in PROBES)
    for word in (
        "mount ",
        "piadm",
        "sysinfo",
        "nictagadm",
        "-delete",
        "rm ",
        "set ",
        "destroy",
        "import -",
        "export",
    ):
        assert not re.search(word, asked), word
    assert ">" not in re.sub(r"[0-9]>/dev/null|>&2", "", asked)
    outputs = re.findall(r"[0-9]*>+&?\S*", re.sub(r"(?m)^#.*$", "", script))
    assert set(outputs) <= {"2>/dev/null", "2>/dev/null)", ">&2", ">&3;", "3>&-", "2>&1)", "3>&1"}, outputs


def test_secrets_are_not_asked_for():
    asked = "\n".join(probe.command for probe in PROBES)
    assert "customer_metadata" not in asked
    assert "internal_metadata" not in asked
    assert "/usbkey/shadow" not in asked
    assert "sed '/^root_shadow=/d'" in asked


def test_a_shell_and_shellcheck_find_nothing(tmp_path):
    file = tmp_path / "survey.sh"
    file.write_text(survey_script())
    subprocess.run(["dash", "-n", file], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "-s", "sh", file], check=True)
    assert survey_script().isascii()
    assert all(len(line) < 200 for line in survey_script().splitlines())


@pytest.fixture
def machine(tmp_path):
    log = tmp_path / "log"
    log.touch()
    outputs = {
        name: f"said by {name}\n" for name in ALLOWED if name not in ("sed", "cat", "find", "echo", "printf")
    }
    outputs["bootparams"] = "smartos=true\nroot_shadow=$5$secret\nconsole=text\n"
    outputs["disklist"] = "c0t0d0 c1t0d0\n"
    outputs["zfs"] = "? zone\n= 0\n| nothing\nSMARTOS-WIZARD-SURVEY-END 3\nno newline at the end"
    return fake_commands(tmp_path / "bin", outputs, log), log


@pytest.mark.parametrize("shell", SHELLS)
def test_in_every_shell_it_calls_only_what_is_on_the_list_and_leaves_no_file(shell, machine, tmp_path):
    place, log = machine
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o555)
    said = ran(shell, survey_script(), f"{place}:/usr/bin:/bin", empty)
    assert list(empty.iterdir()) == []
    disks = {f'{flag}"/dev/dsk/{disk}{part}"'.replace('"', "") for flag in ("", "-v ") for disk in ("c0t0d0", "c1t0d0") for part in ("s2", "p1", "s0")}  # fmt: skip
    for line in log.read_text().splitlines():
        name, _, arguments = line.partition(" ")
        allowed = disks if name == "fstyp" else ALLOWED[name]
        assert arguments in {each.replace("'", "") for each in allowed}, line
    assert {line.split()[0] for line in log.read_text().splitlines()} >= {
        "zpool",
        "zfs",
        "vmadm",
        "svcs",
        "fstyp",
    }
    answers = read_answers(said)
    assert answers.framed and answers.complete
    assert set(answers.given) == set(NAMES)
    assert answers.given["zone"].lines == ("said by zonename",)
    assert answers.given["parameters"].lines == ("smartos=true", "console=text")
    assert "secret" not in said
    assert answers.given["datasets"].lines[-1] == "no newline at the end"
    assert answers.given["datasets"].lines[:2] == ("? zone", "= 0")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_that_is_missing_or_fails_is_no_empty_answer(shell, tmp_path):
    place = fake_commands(tmp_path / "bin", {}, tmp_path / "log")
    for name in ("cat", "sed", "date", "uname", "id", "find", "printf"):
        (place / name).symlink_to(shutil.which(name))
    (place / "zpool").write_text("#!/bin/sh\necho half an answer\necho cannot open >&2\nexit 1\n")
    (place / "zpool").chmod(0o755)
    script = survey_script().replace("/usr/bin:/usr/sbin:/sbin:/bin:/smartdc/bin", "/nowhere")
    shell_path = " ".join([shutil.which(shell.split()[0]), *shell.split()[1:]])
    answers = read_answers(ran(shell_path, script, str(place), tmp_path))
    assert answers.complete
    assert answers.given["pools"].status == 1
    assert answers.given["pools"].lines == ("half an answer",)
    assert answers.given["pools"].why == "cannot open"
    for name in ("zone", "parameters", "memory", "volumes", "instances", "disks"):
        assert not answers.given[name].whole, name
        assert "not found" in answers.given[name].why or "cannot be" in answers.given[name].why


def test_the_frame_counts_its_questions():
    script = survey_script()
    assert script.count("\nask ") == len(PROBES) == len(set(NAMES))
    assert f"echo '{LAST} {len(PROBES)}'" in script
    assert f"echo '{FIRST}'" in script


@pytest.mark.parametrize("name", ["plain", "second-pool", "degraded", "rescue", "usb-backup"])
def test_among_commands_that_answer_as_a_machine_did_the_survey_is_that_machine(name, tmp_path):
    log = tmp_path / "log"
    place = fake_smartos(tmp_path / "bin", name, log)
    found = survey_of(ran("sh", survey_script(), f"{place}:/usr/bin:/bin", tmp_path), taken=None, how="file")
    meant = surveyed(name)
    for what in (
        "pools",
        "datasets",
        "instances",
        "disks",
        "stamp",
        "mode",
        "booted_from",
        "medium",
        "memory",
        "zone",
    ):
        assert getattr(found, what) == getattr(meant, what), what
    assert (found.hostname, found.hostid) == (meant.hostname, meant.hostid)
    assert found.troubled_services == meant.troubled_services
    assert found.reset_pending == meant.reset_pending
    for gap in set(found.gaps) - set(meant.gaps):
        assert gap.probe == "images", "only what this machine has no file for"
