"""Frozen dataclasses to plain JSON values and back, strictly: what does not fit is an error, not a guess."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, time
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


class BadShape(ValueError):
    """The value does not fit the dataclass. `path` says where: "agenda.3.title"."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'document'}: {problem}")
        self.path, self.problem = path, problem


def to_plain(value: Any) -> Any:
    """The value as dicts, lists, strings, numbers; dates and times in ISO form."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, date | time):
        return value.isoformat()
    return value


def from_plain(kind: Any, value: Any, path: str = "") -> Any:
    """The value as `kind`: a dataclass, str, int, bool, date, time, `X | None` or `tuple[X, ...]`. Raises BadShape."""
    if get_origin(kind) is UnionType:
        return _optional(kind, value, path)
    if get_origin(kind) is tuple:
        return _many(get_args(kind)[0], value, path)
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind, value, path)
    if kind in (date, time):
        return _moment(kind, value, path)
    # bool is an int for Python, but `true` is no number of dots.
    if type(value) is not kind:
        raise BadShape(path, f"{kind.__name__} expected")
    return value


def _optional(kind: Any, value: Any, path: str) -> Any:
    if value is None:
        return None
    (inner,) = (option for option in get_args(kind) if option is not NoneType)
    return from_plain(inner, value, path)


def _many(kind: Any, value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise BadShape(path, "list expected")
    return tuple(from_plain(kind, item, _join(path, str(index))) for index, item in enumerate(value))


def _moment(kind: type[date] | type[time], value: Any, path: str) -> date | time:
    try:
        return kind.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadShape(path, f"{kind.__name__} expected") from None


def _record(kind: type, value: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise BadShape(path, "object expected")
    hints = _hints(kind)
    if unknown := sorted(set(value) - set(hints)):
        raise BadShape(_join(path, unknown[0]), "unknown")
    if missing := sorted(_required(kind) - set(value)):
        raise BadShape(_join(path, missing[0]), "missing")
    return kind(**{name: from_plain(hints[name], item, _join(path, name)) for name, item in value.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _required(kind: Any) -> frozenset[str]:
    return frozenset(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
