from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    tool = [sys.executable, str(ROOT / "packaging" / "command_docs.py"), "--check"]
    out = subprocess.run(tool, capture_output=True, text=True, cwd=ROOT, check=False)
    assert out.returncode == 0, out.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_and_picture_in_the_docs_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [
        link
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
        if not link.startswith(("http://", "https://")) and not (page.parent / link).exists()
    ]
    assert missing == []


def test_the_readme_gives_the_two_commands_near_the_top() -> None:
    top = (ROOT / "README.md").read_text(encoding="utf-8")[:2500]
    assert "make run" in top
    assert "make test" in top
    assert "PRACTICE=1" in top
