"""Values between the wire and the app's own `azure.functions` converters.

Source of rules and texts: Azure/azure-functions-python-worker: bindings/meta.py, datumdef.py,
generic.py; Azure/azure-functions-python-library: meta.py, http.py.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from http.cookies import Morsel
from typing import Any

from .extensions import Extensions
from .web import WebExtension
from .wire import Value

NUMBERS = ("int", "double")
"""Kinds of TypedData that the worker sends and does not read. Source: datumdef.py (Datum)."""


HTTP_TRIGGER = "httpTrigger"
HTTP_OUTPUT = "http"


@dataclass(frozen=True)
class Port:
    """One parameter or return value: the binding type whose converter serves it, its annotation."""

    binding_type: str
    pytype: Any = None


class GenericBinding:
    """The converter of every binding type that the library does not know."""

    @staticmethod
    def has_trigger_support() -> bool:
        """Trigger metadata is never given."""
        return False

    @staticmethod
    def has_implicit_output() -> bool:
        """One unknown binding is enough for a function to return a value without `$return`."""
        return True

    @staticmethod
    def check_input_type_annotation(pytype: type) -> bool:
        """Text or bytes."""
        return issubclass(pytype, (str, bytes))

    @staticmethod
    def check_output_type_annotation(pytype: type) -> bool:
        """Text or bytes."""
        return issubclass(pytype, (str, bytes, bytearray))

    @staticmethod
    def decode(data: Any, *, trigger_metadata: Any) -> Any:
        """Give the raw value: JSON stays text."""
        del trigger_metadata
        if data is None or data.type is None:
            return None
        if data.type in ("string", "bytes", "json"):
            return data.value
        raise ValueError(
            f'unexpected type of data received for the "generic" binding : {data.type!r}'
        )

    @staticmethod
    def encode(obj: Any, *, expected_type: Any) -> Any:
        """Give (kind, value) for what JSON and text can carry; None for None."""
        del expected_type
        if obj is None:
            return None
        if isinstance(obj, (bytes, bytearray)):
            return "bytes", bytes(obj)
        for kinds, kind in (
            (str, "string"), (dict, "dict"), (list, "list"), (bool, "bool"), (int, "int"),
            (float, "double"),
        ):  # fmt: skip
            if isinstance(obj, kinds):
                return kind, obj
        raise NotImplementedError


# The name in error texts is the real worker's.
GenericBinding.__module__ = "azure_functions_worker.bindings.generic"


class _Collection:
    """Several values, as the field of a protobuf message that the converters look for."""

    def __init__(self, field: str, values: Sequence[Any]) -> None:
        setattr(self, field, values)


class Library:
    """The app's `azure.functions`, imported when the app is loaded."""

    def __init__(self) -> None:
        """Import it. Errors: ImportError when the app's environment lacks it."""
        functions = importlib.import_module("azure.functions")
        meta = importlib.import_module("azure.functions.meta")
        self.function_register: type = functions.FunctionRegister
        self.extensions = Extensions(functions)
        self.web: WebExtension | None = None
        self._datum = meta.Datum
        self._registry = meta.get_binding_registry()

    def converter(self, binding_type: str) -> Any:
        """The converter of a binding type."""
        return self._registry.get(binding_type) or GenericBinding

    def has_implicit_output(self, binding_type: str) -> bool:
        """Whether a return value is this binding's without a `$return`."""
        return bool(getattr(self.converter(binding_type), "has_implicit_output", bool)())

    def accepts(self, port: Port, *, is_out: bool) -> bool:
        """Whether the converter, or the web extension in its place, takes the annotation."""
        if self.web and port.binding_type == (HTTP_OUTPUT if is_out else HTTP_TRIGGER):
            return self.web.accepts(port.pytype, is_out=is_out)
        converter = self.converter(port.binding_type)
        if is_out:
            return bool(converter.check_output_type_annotation(port.pytype))
        return bool(converter.check_input_type_annotation(port.pytype))

    def decode(self, port: Port, value: Value | None, metadata: Mapping[str, Value | None]) -> Any:
        """The Python value of an input."""
        converter = self._registry.get(port.binding_type) or GenericBinding
        told: dict[str, Any] = {}
        if metadata and converter.has_trigger_support():
            told = {name: self._to_datum(one) for name, one in metadata.items()}
        datum = self._to_datum(value)
        try:
            return converter.decode(datum, trigger_metadata=told)
        except NotImplementedError:
            kind = value[0] if value else None
            raise TypeError(
                "unable to decode incoming TypedData: unsupported combination of TypedData field"
                f" {kind!r} and expected binding type {converter}"
            ) from None

    def encode(self, port: Port, result: Any) -> Value | None:
        """The wire value of an output."""
        converter = self._registry.get(port.binding_type) or GenericBinding
        try:
            datum = converter.encode(result, expected_type=port.pytype)
        except NotImplementedError:
            raise TypeError(
                f'unable to encode outgoing TypedData: unsupported type "{converter}" for Python'
                f' type "{type(result).__name__}"'
            ) from None
        if datum is None or isinstance(datum, tuple):
            return _to_wire(*datum) if datum else None
        return _to_wire(datum.type, datum.value)

    def _to_datum(self, value: Value | None) -> Any:
        if value is None:
            return None
        kind, content = value
        if kind in NUMBERS:
            raise NotImplementedError(f"unsupported TypeData kind: {kind!r}")
        if kind == "http":
            content = {
                **{name: self._datum(content[name], "string") for name in ("method", "url")},
                **{
                    name: {key: self._datum(one, "string") for key, one in content[name].items()}
                    for name in ("headers", "query", "params")
                },
                "body": self._datum(content["body"], "bytes"),
            }
        elif kind.startswith("collection_"):
            content = _Collection(kind.partition("_")[2], content)
        return self._datum(content, kind)


def _to_wire(kind: str | None, value: Any) -> Value | None:
    if kind is None:
        return None
    if kind in ("dict", "list"):
        return "json", json.dumps(value)
    if kind == "bool":
        return "int", int(value)
    if kind == "http":
        return kind, _response(value)
    if kind in ("string", "json", "bytes", "int", "double"):
        return kind, value
    raise NotImplementedError(f"unexpected Datum type: {kind!r}")


def _response(value: Mapping[str, Any]) -> dict[str, Any]:
    cookies = [
        fields
        for jar in value["cookies"] or ()
        for name, morsel in jar.items()
        if (fields := _cookie(name, morsel)) is not None
    ]
    return {
        "status": value["status_code"].value,
        "headers": {name: datum.value for name, datum in value["headers"].items()},
        "cookies": cookies,
        "body": value["body"].value,
    }


def _cookie(name: str, morsel: "Morsel[str]") -> dict[str, Any] | None:
    """RpcHttpCookie's fields; None when max-age is no number, as the platform then sends no cookie.

    Units: expires is RFC 3339 in UTC, max_age seconds. Errors: ValueError for an unreadable date.
    """
    expires = None
    if morsel["expires"]:
        when = parsedate_to_datetime(morsel["expires"])
        expires = when.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    try:
        max_age = float(morsel["max-age"]) if morsel["max-age"] else None
    except ValueError:
        return None
    return {
        "name": name,
        "value": morsel.value,
        "domain": morsel["domain"],
        "path": morsel["path"],
        "expires": expires,
        "secure": bool(morsel["secure"]),
        "http_only": bool(morsel["httponly"]),
        "same_site": {"lax": "Lax", "strict": "Strict", "none": "ExplicitNone"}.get(
            morsel["samesite"].lower(), "None"
        ),
        "max_age": max_age,
    }
