"""Root's password as SmartOS keeps it: a SHA-256 crypt string. The clear password is hashed here and not kept.

SmartOS's own setup makes the same kind (smartos-live: smartos_prompt_config.sh calls /usr/lib/cryptpass), and the
password `root` of a release's loader.conf is one.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Any

from smartos_wizard.core.errors import UsageProblem

_SHADOW = re.compile(r"\$5\$(?:rounds=[1-9][0-9]{3,8}\$)?[./0-9A-Za-z]{0,16}\$[./0-9A-Za-z]{43}\Z")
_OTHERS = re.compile(r"\$(?:1|2[abxy]?|6|md5)[$,]")
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is read for another
LONGEST = 256
"""Bytes of a password; illumos reads no more (illumos: libc/port/stdio/getpass.c)."""
SHORTEST = 6
"""Characters below which a password is warned of; SmartOS itself takes any (smartos-live: promptpw with nolen)."""


def shadow_of(password: str, *, salt: str | None = None, rounds: int | None = None) -> str:
    """The SHA-256 crypt of `password`, with a new random salt unless one is given.

    5,000 rounds unless told otherwise, which is what cryptpass and every crypt(3) take by themselves.
    Raises UsageProblem for a password that cannot be typed at a console.
    """
    check_password(password)
    chosen = _sha256_crypt().using(rounds=rounds or 5000, **({} if salt is None else {"salt": salt}))
    return str(chosen.hash(password))


def matches(password: str, shadow: str) -> bool:
    """Whether `password` gives `shadow`. False where `shadow` is of another kind."""
    if not _SHADOW.match(shadow):
        return False
    return bool(_sha256_crypt().verify(password, shadow))


def _sha256_crypt() -> Any:
    from passlib import hash as hashes

    return hashes.sha256_crypt  # type: ignore[attr-defined]


def check_password(password: str) -> None:
    """Raise UsageProblem for a password that is empty, too long for SmartOS to read, or with control characters."""
    if not password:
        raise UsageProblem(
            "empty-password", "The password is empty.", hint="Leave it out to be asked at setup."
        )
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in password):
        raise UsageProblem("untypable-password", "The password holds characters that no console can type.")
    if len(password.encode()) > LONGEST:
        raise UsageProblem(
            "too-long-password",
            f"SmartOS reads no more of a password than {LONGEST} bytes.",
            hint="Choose a shorter one.",
        )


def check_shadow(text: str) -> str:
    """`text` without white space around it, if it is a SHA-256 crypt string. Raises UsageProblem."""
    bare = text.strip()
    if _SHADOW.match(bare):
        return bare
    if _OTHERS.match(bare):
        raise UsageProblem(
            "other-hash",
            "That is a password hash of another kind than SmartOS's own set-up makes.",
            hint="Make one with `openssl passwd -5`, or give the password by --root-password-prompt.",
        )
    raise UsageProblem(
        "no-hash",
        "That is no password hash; it is not shown here, in case it is the password itself.",
        hint="A SHA-256 crypt string begins with $5$. For a password use --root-password-prompt.",
    )


def one_time_password() -> str:
    """A password to be changed after the first login: twelve letters and digits in three groups, 60 bits."""
    letters = [secrets.choice(_LETTERS) for _ in range(12)]
    return "-".join("".join(letters[i : i + 4]) for i in (0, 4, 8))
