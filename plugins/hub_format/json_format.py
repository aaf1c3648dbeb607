"""The reward `json-format`: the completion is JSON and fits a schema."""

import json
import re
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator, SchemaError  # noqa: TID253 - imported when first used
from jsonschema.validators import validator_for  # noqa: TID253
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

import hub
from hub.errors import OptionError

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})(.*)")


class JsonFormat:
    """1.0 where the completion is JSON and fits a schema, else 0.0.

    The JSON is strict: no NaN or Infinity, no number too large for a double, nothing around it but white
    space. The reasons for 0.0: `no_block`, `not_json`, `too_deep`, `unfit` (with what does not fit).

    Args:
        schema: a JSON schema, or the path of a file that holds one; None takes any JSON. Its `$schema`
            names the dialect, by default draft 2020-12. References to other documents are not followed;
            `format` is not checked.
        source: "completion" takes the whole completion, "fence" its last fenced block (``` or ~~~,
            closed, in whatever language it says it is).

    Raises:
        OptionError: the schema cannot be read or is not a schema.

    >>> reward = JsonFormat(schema={"type": "object", "required": ["answer"]})
    >>> reward(hub.Sample("", '{"answer": 4}')).value, reward(hub.Sample("", "{}")).reason
    (1.0, 'unfit')
    """

    def __init__(
        self,
        schema: dict[str, Any] | str | None = None,
        source: Literal["completion", "fence"] = "completion",
    ) -> None:
        self.fenced = source == "fence"
        self.validator = None if schema is None else _validator(_read(schema))

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion."""
        text = _last_block(sample.text) if self.fenced else sample.text
        if text is None:
            return hub.Score(0.0, "no_block")
        try:
            value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
            unfit = None if self.validator is None else next(self.validator.iter_errors(value), None)
        except RecursionError:
            return hub.Score(0.0, "too_deep")
        except ValueError as error:
            return hub.Score(0.0, "not_json", str(error)[:200])
        if unfit is not None:
            return hub.Score(0.0, "unfit", f"{unfit.json_path[:100]}: {unfit.message[:200]}")
        return hub.Score(1.0)


def _last_block(text: str) -> str | None:
    """Return what the last fenced block holds; None where there is none or it is not closed."""
    fence, lines, block = "", list[str](), None
    for line in text.splitlines():
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence, block = "", "\n".join(lines)
            else:
                lines.append(line)
        elif match:
            fence, lines, block = match[1], [], None
    return block


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise ValueError("a number is too large for a double")
    return value


def _read(schema: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if not isinstance(schema, str):
        return schema
    try:
        found = json.loads(Path(schema).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"the schema file {schema!r} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise OptionError(f"the schema file {schema!r} holds a {type(found).__name__}, not an object")
    return found


def _validator(schema: Mapping[str, Any]) -> Any:
    kind: Any = validator_for(schema, default=Draft202012Validator if "$schema" not in schema else None)
    if kind is None:
        raise OptionError(f"the schema's $schema names no known dialect: {schema['$schema']!r}")
    try:
        kind.check_schema(schema)
        resource = specification_with(kind.ID_OF(kind.META_SCHEMA)).create_resource(schema)
        known: Registry[Any] = REGISTRY.with_resource(resource.id() or "", resource)
        _check_references(resource, known.resolver(resource.id() or ""))
        validator = kind(schema, registry=REGISTRY)
        next(validator.iter_errors(None), None)
    except SchemaError as error:
        raise OptionError(f"not a JSON schema: at {error.json_path}: {error.message[:200]}") from error
    except Unresolvable as error:
        raise OptionError(f"a reference of the schema leads nowhere: {error}") from error
    except RecursionError:
        raise OptionError("the schema refers to itself without end") from None
    return validator


def _check_references(resource: Any, resolver: Any) -> None:
    """Look up every reference, so that a wrong one is found now and not at some sample."""
    contents = resource.contents
    if isinstance(contents, Mapping) and isinstance(contents.get("$ref"), str):
        resolver.lookup(contents["$ref"])
    for part in resource.subresources():
        _check_references(part, resolver.in_subresource(part))
