"""This package against the API's own description: models, options, routes and codes."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import httpx2
import left_out
import pytest

from llm_firecracker import models, options
from llm_firecracker._async.transport import DEFAULT_URL
from llm_firecracker._decode import JSON_NAME
from llm_firecracker._errors import CODES
from llm_firecracker._routes import ROUTES
from llm_firecracker.models import cells

pytestmark = pytest.mark.service

#: What else methods put into a request, besides the options.
REQUESTS: dict[str, tuple[Any, set[str]]] = {
    "ExecuteRequest": (options.RunOptions, {"code", "language"}),
    "SandboxRequest": (options.SandboxOptions, {"language"}),
    "SandboxLimits": (options.SandboxLimits, set()),
    "ProcessRequest": (options.ProcessOptions, {"cmd", "argv", "background"}),
    "ProcessLimitsRequest": (options.ProcessLimits, set()),
    "SizeBody": (options.PtySize, set()),
    "ExecuteCellRequest": (options.CellOptions, {"code", "context", "language"}),
    "ContextRequest": (options.ContextOptions, {"language"}),
    "ExtendRequest": (None, {"timeout"}),
    "SignalRequest": (None, {"signal", "to"}),
    "FolderRequest": (None, {"path"}),
    "MoveRequest": (None, {"from", "to"}),
    "RequestFile": (None, {"path", "content", "data"}),
}
MODELS: list[Any] = [
    value
    for module in (models, cells)
    for value in vars(module).values()
    if dataclasses.is_dataclass(value) and isinstance(value, type) and getattr(value, "SCHEMAS", None)
]


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    import os

    answer = httpx2.get(os.environ.get("LLM_FIRECRACKER_URL", DEFAULT_URL) + "/openapi.json")
    found: dict[str, Any] = answer.json()
    return found


def properties(api: dict[str, Any], schemas: tuple[str, ...]) -> tuple[dict[str, Any], set[str]]:
    """Properties of schemas together, and those that are required; of `allOf` and `oneOf` what stands in them."""
    found: dict[str, Any] = {}
    required: set[str] = set()
    for name in schemas:
        schema = api["components"]["schemas"][name]
        for part in [schema, *schema.get("allOf", ()), *schema.get("oneOf", ())]:
            found |= part.get("properties", {})
            required |= set(part.get("required", ()))
    return found, required


def fits(annotation: Any, schema: Mapping[str, Any], api: dict[str, Any]) -> bool:
    """Whether a Python type holds what the schema allows."""
    if annotation is Any:
        return True
    inner = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) in (Union, types.UnionType):
        if len(inner) > 1:
            return any(fits(one, schema, api) for one in inner)
        return fits(inner[0], schema, api)
    if "oneOf" in schema:
        return any(fits(annotation, one, api) for one in schema["oneOf"] if one.get("type") != "null")
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        if dataclasses.is_dataclass(annotation):
            return name in annotation.SCHEMAS  # type: ignore[union-attr]
        if name in REQUESTS and REQUESTS[name][0] is annotation:
            return True
        return fits(annotation, api["components"]["schemas"][name], api)
    kinds = schema.get("type", "any")
    kind = next(iter(one for one in kinds if one != "null")) if isinstance(kinds, list) else kinds
    if kind == "array":
        # Files are a map here, made to the API's list by `request_files`.
        return get_origin(annotation) is tuple or "Sequence" in str(annotation) or annotation == options.Files
    if kind == "object":
        return get_origin(annotation) in (dict, Mapping) or "Mapping" in str(annotation)
    allowed = {"string": (str, datetime), "integer": (int,), "number": (float,), "boolean": (bool,)}[kind]
    return annotation in allowed or (kind == "string" and get_origin(annotation) is Literal)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_has_the_fields_of_its_schema(api: dict[str, Any], model: Any) -> None:
    theirs, required = properties(api, model.SCHEMAS)
    hints = get_type_hints(model)
    ours = {field.metadata.get(JSON_NAME, field.name): field for field in dataclasses.fields(model)}
    for name, field in ours.items():
        if field.metadata.get("event"):
            continue
        assert name in theirs, f"{model.__name__}.{name} is not in the API"
        assert fits(hints[field.name], theirs[name], api), f"{model.__name__}.{name}: {theirs[name]}"
        is_sure = field.default is dataclasses.MISSING
        nullable = "null" in str(theirs[name].get("type", theirs[name].get("oneOf", "")))
        assert not is_sure or name in required or nullable, f"{model.__name__}.{name} may be absent"
    if model.SCHEMAS == ("WatchBody",):
        return  # several models share the schema
    for name in theirs.keys() - ours.keys():
        assert f"{model.SCHEMAS[0]}.{name}" in left_out.FIELDS, f"{model.SCHEMAS[0]}.{name} is not here, without a reason"


def test_watches_have_all_fields_together(api: dict[str, Any]) -> None:
    kinds = [model for model in MODELS if model.SCHEMAS == ("WatchBody",)]
    ours = {field.metadata.get(JSON_NAME, field.name) for model in kinds for field in dataclasses.fields(model)}
    assert properties(api, ("WatchBody",))[0].keys() <= ours


@pytest.mark.parametrize("schema", REQUESTS)
def test_requests_have_the_fields_of_the_api(api: dict[str, Any], schema: str) -> None:
    typed, besides = REQUESTS[schema]
    theirs, _ = properties(api, (schema,))
    hints = get_type_hints(typed) if typed else {}
    assert hints.keys() | besides <= theirs.keys()
    missing = {name for name in theirs.keys() - hints.keys() - besides if f"{schema}.{name}" not in left_out.FIELDS}
    assert not missing, f"{schema}: {missing} are not here, without a reason"
    for name, hint in hints.items():
        assert fits(hint, theirs[name], api), f"{schema}.{name}: {theirs[name]}"


def test_every_schema_is_here_or_has_a_reason(api: dict[str, Any]) -> None:
    here = {name for model in MODELS for name in model.SCHEMAS} | REQUESTS.keys()
    theirs = set(api["components"]["schemas"])
    assert theirs - here - left_out.SCHEMAS.keys() == set()
    assert here <= theirs and not here & left_out.SCHEMAS.keys()
    assert set(left_out.SCHEMAS) - theirs == set(), "reasons for what the API has no more"


def test_every_route_is_used_or_has_a_reason(api: dict[str, Any]) -> None:
    methods = {"get", "put", "post", "patch", "delete"}
    theirs = {f"{method.upper()} {path}" for path, item in api["paths"].items() for method in item if method in methods}
    here = {f"{route.method} {route.path}" for route in ROUTES}
    assert here <= theirs, "not in the API"
    assert theirs - here == set(left_out.ROUTES)


def test_every_code_has_its_class(api: dict[str, Any]) -> None:
    told: set[str] = set()
    for item in api["paths"].values():
        for operation in item.values():
            for status, answer in operation.get("responses", {}).items():
                if not status.startswith("2"):
                    told |= set(re.findall(r"`([a-z0-9_]+)`", answer["description"]))
    assert len(told) > 50
    assert told - CODES.keys() == set(), "codes of the API that are not here"
    assert CODES.keys() - told - {"method_not_allowed", "upgrade_required", "not_found"} == set(), "codes the API has no more"
