"""Documents from Python objects."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from . import _errors

Document: TypeAlias = Mapping[str, Any] | str | bytes
"""What can be promoted: a mapping of names to values, or the same as JSON text."""


def _convert(value: object) -> object:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        raise TypeError("a set has no order: write a list")
    raise TypeError(f"a {type(value).__name__} cannot be a value: {value!r:.80}")


def to_json(document: Document) -> str:
    """The document as JSON text, which the engine checks."""
    if isinstance(document, str):
        return document
    try:
        if isinstance(document, (bytes, bytearray, memoryview)):
            return str(document, "utf-8")
        if isinstance(document, Mapping):
            return json.dumps(dict(document), ensure_ascii=False, allow_nan=False, check_circular=True, default=_convert)
    except UnicodeDecodeError as error:
        raise _errors.make(3, "not UTF-8", f"the document is not UTF-8: {error}", "parse", "") from error
    except RecursionError as error:
        message = "the mapping is nested deeper than Python can write it"
        raise _errors.make(203, "limit exceeded", message, "parse", "") from error
    except (TypeError, ValueError) as error:
        raise _errors.make(200, "invalid document", f"the mapping is no document: {error}", "parse", "") from error
    raise TypeError(f"a document is a mapping or JSON text, not a {type(document).__name__}")
