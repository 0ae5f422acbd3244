"""Numbers as JavaScript reads and prints them: SmartOS's `disklayout` is a JavaScript program, and its output is copied.

Pure; the standard library only. Facts: ECMA-262, StringToNumber, Number::toString, parseInt.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What JavaScript's `trim` takes off: not the same set as Python's `strip`."""

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BASED = re.compile(r"0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_PLAIN = 21  # digits before the point from which on numbers are printed with an exponent
_SMALL = -6  # the same for zeros after the point


def number_of(text: str | None) -> float:
    """The number in `text`, NaN where there is none; 0 for empty text, NaN for None."""
    if text is None:
        return math.nan
    bare = text.strip(SPACE)
    if _DECIMAL.fullmatch(bare):
        return float(bare)
    if not bare:
        return 0.0
    if match := _BASED.fullmatch(bare):
        for digits, base in zip(match.groups(), (16, 8, 2), strict=True):
            if digits:
                return _of_digits(digits, base)
    unsigned = bare.removeprefix("-") if bare.startswith("-") else bare.removeprefix("+")
    if unsigned == "Infinity":
        return -math.inf if bare.startswith("-") else math.inf
    return math.nan


def _of_digits(digits: str, base: int) -> float:
    try:
        return float(int(digits, base))
    except OverflowError:
        return math.inf


def number_text(value: float) -> str:
    """The number as JavaScript prints it: `600127266816`, `0.5`, `1e+21`, `NaN`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    shortest = Decimal(repr(abs(value))).normalize().as_tuple()
    digits = "".join(map(str, shortest.digits))
    point = len(digits) + int(shortest.exponent)
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """The digits with the decimal point after `point` of them, or with an exponent where that is far away."""
    if len(digits) <= point <= _PLAIN:
        return digits + "0" * (point - len(digits))
    if 0 < point <= _PLAIN:
        return f"{digits[:point]}.{digits[point:]}"
    if _SMALL < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"


def count_of(text: str, least: int) -> int:
    """A number of disks as `disklayout` reads the value of an option.

    Raises ValueError where it is no whole number, smaller than `least`, or endless.
    """
    match = _WHOLE.match(text.strip(SPACE))
    if match is None:
        raise ValueError(text)
    value = float(match.group())
    if value != number_of(text) or math.isinf(value) or value < least:
        raise ValueError(text)
    return int(value)


def floor(value: float) -> float:
    """`Math.floor`: what is not finite stays as it is."""
    return float(math.floor(value)) if math.isfinite(value) else value


def half_up(value: float) -> float:
    """`Math.round`: halves go up."""
    below = floor(value)
    return below + 1 if value - below >= 0.5 else below
