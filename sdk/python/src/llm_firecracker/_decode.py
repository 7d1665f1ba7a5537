"""From JSON to the dataclasses of `models`: checked by their annotations.

What the service says besides is left alone, so an older client reads a newer service. What is missing, or of another
type, is a `ProtocolError`.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ._errors import ProtocolError

T = TypeVar("T")

#: Of a field whose name in JSON is another one: `from` is no name in Python.
JSON_NAME = "json"


def decode(kind: type[T], data: object) -> T:
    """A dataclass from a JSON object."""
    if not isinstance(data, Mapping):
        raise ProtocolError(f"{kind.__name__}: an object was expected")
    values: dict[str, Any] = {}
    for name, json_name, annotation, required in _fields(kind):
        given = data.get(json_name)
        if given is None and not required:
            continue
        values[name] = _value(annotation, given, f"{kind.__name__}.{json_name}")
    return kind(**values)


def decode_list(kind: type[T], data: object) -> list[T]:
    """Dataclasses from a JSON array."""
    if not isinstance(data, list):
        raise ProtocolError(f"a list of {kind.__name__} was expected")
    return [decode(kind, one) for one in data]


#: Of classes that were met: annotations are texts until they are looked up.
_KNOWN: dict[type[Any], list[tuple[str, str, Any, bool]]] = {}


def _fields(kind: type[Any]) -> list[tuple[str, str, Any, bool]]:
    """Name, name in JSON, annotation, and whether it must be there, of each field."""
    if kind not in _KNOWN:
        _KNOWN[kind] = _looked_up(kind)
    return _KNOWN[kind]


def _looked_up(kind: type[Any]) -> list[tuple[str, str, Any, bool]]:
    hints = get_type_hints(kind)
    found = []
    for field in dataclasses.fields(kind):
        has_default = (
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        )
        found.append((field.name, field.metadata.get(JSON_NAME, field.name), hints[field.name], not has_default))
    return found


def _value(annotation: Any, given: object, where: str) -> Any:
    origin = get_origin(annotation)
    if annotation is Any or annotation is object:
        return given
    if origin in (Union, types.UnionType):
        inner = [one for one in get_args(annotation) if one is not type(None)]
        return None if given is None else _value(inner[0], given, where)
    if origin is tuple:
        return tuple(_value(get_args(annotation)[0], one, where) for one in _as(list, given, where))
    if origin in (dict, Mapping):
        entries = _as(dict, given, where)
        return {key: _value(get_args(annotation)[1], one, where) for key, one in entries.items()}
    if origin is Literal:
        # The words are for type checkers: a newer service may know more of them.
        return _as(str, given, where)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return decode(annotation, given)
    return _plain(annotation, given, where)


def _plain(annotation: Any, given: object, where: str) -> Any:
    if annotation is float:
        # bool is an int in Python, not in JSON.
        if isinstance(given, bool):
            raise ProtocolError(f"{where}: a number was expected")
        return float(_as((int, float), given, where))
    if annotation is datetime:
        try:
            return datetime.fromisoformat(_as(str, given, where))
        except ValueError as error:
            raise ProtocolError(f"{where}: a time was expected") from error
    if annotation is int and isinstance(given, bool):
        raise ProtocolError(f"{where}: a whole number was expected")
    return _as(annotation, given, where)


def _as(kind: Any, given: object, where: str) -> Any:
    if not isinstance(given, kind):
        raise ProtocolError(f"{where}: {kind} was expected, not {type(given).__name__}")
    return given
