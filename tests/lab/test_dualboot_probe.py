"""The probe that stands in SmartOS' place tells the truth: QEMU's own loader hands over what is known beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.rig import probe

pytestmark = pytest.mark.lab

SIZES = (0, 1, 55, 56, 63, 64, 119, 120, 1 << 20)
"""Around the edges of SHA-1's padding."""


@pytest.fixture(scope="module")
def tree(space: Path) -> Path:
    probe.need()
    return probe.platform_tree(space / "probe", 1 << 20)


def direct(tree: Path, place: Path, line: str, modules: list[tuple[Path, str]]) -> probe.Ran:
    words = ",".join(f"{path} {said}".rstrip() for path, said in modules)
    media = ["-kernel", str(tree / probe.UNIX), "-append", line, "-initrd", words]
    return probe.started(place, media)


def test_the_line_and_every_module_are_told_with_their_true_sizes_and_sums(tree, tmp_path):
    files = []
    for size in SIZES:
        path = tmp_path / f"f{size}"
        path.write_bytes(probe.noise(size))
        files.append((path, f"type=file name=n{size}"))
    files[0][0].write_bytes(b"x")  # QEMU hands no empty module over
    ran = direct(tree, tmp_path / "run", "-v -B console=text,a=$5$x,b='1,2'", files)
    assert ran.code == probe.ENDED, ran
    report = ran.report
    assert report.line == f"{tree / probe.UNIX} -v -B console=text,a=$5$x,b='1,2'"
    assert report.properties == {"console": "text", "a": "$5$x", "b": "1,2"}
    assert report.loader == "qemu"
    told = [(m.size, m.sha1, m.path, m.words) for m in report.modules]
    assert told == [
        (len(data), probe.sha1(data), str(path), ("type=file", f"name={path.name.replace('f', 'n')}"))
        for path, _ in files
        for data in [path.read_bytes()]
    ]


@pytest.mark.parametrize(
    ("line", "code", "verdict"), [(None, probe.ENDED, "ok"), ("0" * 40, probe.WRONG_HASH, "mismatch")]
)
@pytest.mark.parametrize("typed", [True, False])
def test_a_hash_that_does_not_hold_is_told_and_ends_otherwise(tmp_path, line, code, verdict, typed):
    probe.need()
    tree = probe.platform_tree(tmp_path / "os", 100_001, hash_line=line)
    archive, hash_ = tree / probe.ARCHIVE, tree / f"{probe.ARCHIVE}.hash"
    modules = [(archive, "type=rootfs name=ramdisk"), (hash_, "type=hash name=ramdisk")]
    ran = direct(tree, tmp_path / "run", "", modules if typed else [(archive, ""), (hash_, "")])
    assert ran.code == code, ran
    assert ran.report.hashes == {"ramdisk" if typed else str(archive): verdict}


def test_a_report_that_was_cut_off_is_none():
    with pytest.raises(AssertionError, match="no whole report"):
        probe.report("probe x\nline y\nmodule 1 aa b\n")
