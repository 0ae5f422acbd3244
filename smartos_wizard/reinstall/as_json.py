"""A survey as JSON and back. The names are those of the model; `schema` says which version wrote it.

Imports nothing that connects or reads.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import Enum
from functools import cache
from typing import Any

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.reinstall import model
from smartos_wizard.reinstall.model import SCHEMA, Survey

_HINT = "Survey the machine again, and keep the file as it is."


def survey_to_json(survey: Survey) -> dict[str, Any]:
    """The survey as one object of plain lists, texts, numbers and truth values."""
    document: dict[str, Any] = dataclasses.asdict(survey)
    return document


def survey_from_json(data: object) -> Survey:
    """The inverse of `survey_to_json`. Raises UsageProblem `not-a-survey` or `other-survey-version`."""
    if not isinstance(data, dict) or "schema" not in data or "hostname" not in data:
        raise UsageProblem("not-a-survey", "This is no survey of a machine.", hint=_HINT)
    if data["schema"] != SCHEMA:
        raise UsageProblem(
            "other-survey-version",
            f"This survey was written by another version of this program (its number is {data['schema']!r}, here it is {SCHEMA}).",
            hint="Survey the machine again with this version.",
        )
    try:
        survey: Survey = _built(Survey, data)
    except (TypeError, ValueError) as error:
        raise UsageProblem("not-a-survey", f"This survey is damaged: {error}", hint=_HINT) from None
    return survey


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind, vars(model))


def _built(kind: Any, value: Any) -> Any:
    """The value as that type. Raises ValueError where it is of another, KeyError never: what is missing has its default."""
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        return None if value is None else _built(typing.get_args(kind)[0], value)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{value!r:.40} is no list")
        inner = typing.get_args(kind)
        if inner[-1] is Ellipsis:
            return tuple(_built(inner[0], each) for each in value)
        if len(value) != len(inner):
            raise ValueError(f"{value!r:.40} has not {len(inner)} parts")
        return tuple(_built(each, part) for each, part in zip(inner, value, strict=True))
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise ValueError(f"{value!r:.40} is no object")
        hints = _hints(typing.cast(type, kind))
        return typing.cast(type, kind)(
            **{name: _built(hints[name], each) for name, each in value.items() if name in hints}
        )
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{value!r:.40} is no {kind.__name__}")
    return value
