"""Whatever a machine says, the parser does not fail, and the survey claims nothing that was not said."""

import json
import string

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.answers import read_answers
from smartos_wizard.reinstall.as_json import survey_from_json, survey_to_json
from smartos_wizard.reinstall.outline import lines, outline
from smartos_wizard.reinstall.parse import survey_of
from smartos_wizard.reinstall.probes import NAMES
from smartos_wizard.reinstall.remarks import remarks
from smartos_wizard.reinstall.script import FIRST, LAST
from tests.unit.reinstall.parts_survey import RECORDED, recorded

SETTINGS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
MACHINES = {name: recorded(name) for name in RECORDED}
PIECES = sorted(
    {piece for text in MACHINES.values() for line in text.split("\n") for piece in (line[2:], *line.split())}
)
WHOLE = {
    "pools": ("pools",), "datasets": ("datasets",), "instances": ("instances",), "images": ("images",),
    "disks": ("disks",), "nics": ("cards",), "usbkey": ("usbkey",), "custom": ("custom",),
}  # fmt: skip

line = st.one_of(
    st.sampled_from(PIECES),
    st.text(string.printable, max_size=60),
    st.text(max_size=30).map(lambda text: text.replace("\n", " ")),
    st.lists(st.sampled_from(PIECES), max_size=8).map("\t".join),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(float("nan")),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["uuid", "manifest", "disks", "datasets", "state", "zfs_filesystem"]), inner, max_size=4),
        max_leaves=8,
    ).map(json.dumps),
)  # fmt: skip
answer = st.tuples(
    st.lists(line, max_size=8), st.lists(line, max_size=2), st.sampled_from([0, 0, 0, 1, 127, None])
)


def framed(said):
    out = [FIRST]
    for name, (output, complaints, status) in said:
        out += [f"? {name}", *(f"| {each}" for each in output), "| ", *(f"! {each}" for each in complaints)]
        out += [] if status is None else [f"= {status}"]
    return "\n".join([*out, f"{LAST} {len(said)}"])


def check(text):
    """The promises that hold for every input."""
    survey = survey_of(text, taken=None, how="file")
    answers = read_answers(text)
    gaps = {gap.probe for gap in survey.gaps}
    said = {name: found.text for name, found in answers.given.items()}
    for pool in survey.pools:
        source = said.get("pools" if pool.imported else "import", "")
        assert pool.name in source and pool.guid in source
        assert pool.imported or (pool.size is None and not pool.encrypted and not pool.bootable)
        assert all(disk.name in said["status" if pool.imported else "import"] for disk in pool.disks)
    for dataset in survey.datasets:
        assert dataset.name in said["datasets"]
        assert dataset.newest is None or str(dataset.newest) in said["snapshots"]
    for each in (*survey.instances, *survey.images):
        probe = "instances" if each in survey.instances else "images"
        assert each.uuid in tame(
            json.dumps(json.loads(said[probe]), ensure_ascii=False), 10**6
        ) or each.uuid in tame_all(said[probe])
    for disk in survey.disks:
        assert disk.name in said["disks"] and str(disk.size) in said["disks"]
    for name, probes in WHOLE.items():
        if not getattr(survey, name):
            for probe in probes:
                found = answers.whole(probe)
                assert found is not None or probe in gaps, f"{name}: nothing, and no gap says so"
    if survey.smartos:
        assert "SunOS" in said["system"] and "joyent_" in said["version"]
    if survey.root:
        assert "0" in said["user"]
    if not survey.zone and "zone" not in gaps:
        assert said["zone"].strip().startswith("global") or not survey.zone
    if survey.medium:
        assert "pcfs" in said["volumes"] or "hsfs" in said["volumes"]
    for pool in survey.imported:
        assert (
            pool.encrypted
            or "encryption" in gaps
            or pool.name in said["encryption"]
            or answers.given["encryption"].status
        )
    if survey.reset_pending:
        assert "yes" in said["reset"]
    if survey.firewall_rules is not None:
        assert answers.whole("firewall")
    if not answers.complete:
        assert "end" in gaps
    assert survey_from_json(json.loads(json.dumps(survey_to_json(survey)))) == survey
    drawn = "\n".join(lines(outline(survey, survey.taken + 5), ascii_only=True))
    assert drawn.isascii()
    assert not any(ord(letter) < 32 for letter in drawn.replace("\n", ""))
    remarks(survey, survey.taken)
    return survey


def tame_all(text):
    return tame(text.encode().decode("unicode_escape", "replace"), 10**6)


@SETTINGS
@given(st.text(max_size=400))
@example("")
@example(FIRST)
@example(f"{FIRST}\n? pools\n")
@example(f"{LAST} 0\n{FIRST}\n{LAST} 0")
def test_any_text_at_all(text):
    survey = check(text)
    assert not (survey.pools or survey.instances or survey.datasets or survey.smartos)


@SETTINGS
@given(st.lists(st.tuples(st.sampled_from(NAMES), answer), max_size=40))
def test_any_answers_in_the_frame(said):
    check(framed(said))


@SETTINGS
@given(st.data(), st.sampled_from(sorted(MACHINES)))
def test_a_recorded_machine_with_some_answers_put_out_of_order(data, name):
    text = MACHINES[name].split("\n")
    for _ in range(data.draw(st.integers(1, 6))):
        text = text or [""]
        place = data.draw(st.integers(0, len(text) - 1))
        match data.draw(st.sampled_from(["drop", "twice", "swap", "cut", "other", "end"])):
            case "drop":
                del text[place]
            case "twice":
                text.insert(place, text[place])
            case "swap":
                other = data.draw(st.integers(0, len(text) - 1))
                text[place], text[other] = text[other], text[place]
            case "cut":
                text[place] = text[place][: data.draw(st.integers(0, len(text[place])))]
            case "other":
                text[place] = text[place][:2] + data.draw(line).replace("\n", " ")
            case "end":
                text = text[: place + 1]
    check("\n".join(text))


def test_numbers_too_large_deep_json_and_control_characters():
    plain = MACHINES["plain"]
    for old, new in (
        ("12000000000000", "9" * 5000),
        ("| [\n", "| " + "[" * 100_000 + "\n"),
        ("Supermicro", "\x1b[31mred\x07\u202eder"),
        ("Memory size: 32676", "Memory size: " + "9" * 5000),
        ("1762000000", "1" * 400),
        ("c1t0d0", "c1t0d0; reboot"),
        ("20260903T101500Z", "99999999T999999Z"),
    ):
        assert old in plain
        check(plain.replace(old, new))


def test_a_pool_whose_name_could_not_be_typed_is_left_out_and_said():
    for name in ("-f", "$(reboot)", "a;b", "../x", "`id`", "é"):
        survey = check(MACHINES["second-pool"].replace("| tank\t", f"| {name}\t"))
        assert [pool.name for pool in survey.pools] == ["zones"]
        assert survey.missing("pools")
