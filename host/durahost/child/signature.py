"""Checks a function's signature against its bindings and says how to call it.

Order and texts: Azure/azure-functions-python-worker (4.34): functions.py (Registry).
"""

import collections.abc
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .conversion import HTTP_TRIGGER, Library, Port

RETURN = "$return"
EPISODES = ("orchestrationTrigger", "entityTrigger")
DATA_TYPES = {"string": 1, "binary": 2, "stream": 3}


class FunctionLoadError(RuntimeError):
    """A signature and its bindings do not agree."""

    def __init__(self, function: str, text: str) -> None:
        super().__init__(f"cannot load the {function} function: {text}")


@dataclass(frozen=True)
class BindingInfo:
    """A binding as far as the child needs it.

    data_type: 0 when undefined; None in the decorator model when not given, which is not undefined.
    """

    name: str
    type: str
    direction: str
    data_type: int | None = 0

    @classmethod
    def of(cls, written: Mapping[str, Any], undefined: int | None = 0) -> "BindingInfo":
        """Read a binding as function.json or a decorator writes it."""
        data_type = str(written.get("dataType") or "").lower()
        return cls(
            name=str(written["name"]),
            type=str(written["type"]),
            direction=str(written.get("direction") or "in").lower(),
            data_type=DATA_TYPES.get(data_type, undefined),
        )


@dataclass(frozen=True)
class Callee:
    """A loaded function: what to call, and which of its parameters are what.

    web_parameter: the one that gets the request of the web extension's server.
    """

    name: str
    directory: str
    call: Callable[..., Any]
    is_async: bool
    is_episode: bool
    takes_context: bool
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    returns: Port | None
    web_parameter: str | None = None


def check(
    library: Library,
    name: str,
    directory: str,
    call: Callable[..., Any],
    bindings: Sequence[BindingInfo],
) -> Callee:
    """Check the function. Errors: FunctionLoadError; TypeError, NameError from `inspect`."""
    parameters = set(inspect.signature(call).parameters)
    hints = typing.get_type_hints(call)
    returning = _check_directions(library, name, bindings)
    bound = {binding.name: binding for binding in bindings if binding.name != RETURN}
    takes_context = "context" in parameters and "context" not in bound
    if takes_context:
        parameters.discard("context")
        _check_context(name, hints)
    _check_names(name, parameters, set(bound))
    ports = {
        binding.name: _Parameter(library, name, binding, hints).port() for binding in bound.values()
    }
    if "return" in hints:
        if any(binding.name == RETURN for binding in bindings):
            _check_return(library, name, returning, hints["return"])
        # An implied output takes any annotation, and its converter sees it.
        returning = Port(returning.binding_type, hints["return"]) if returning else None
    inputs = {n: port for n, port in ports.items() if bound[n].direction != "out"}
    triggers = [n for n, port in inputs.items() if port.binding_type == HTTP_TRIGGER]
    return Callee(
        name=name,
        directory=directory,
        call=call,
        is_async=inspect.iscoroutinefunction(call),
        is_episode=any(binding.type in EPISODES for binding in bindings),
        takes_context=takes_context,
        inputs=inputs,
        outputs={n: port for n, port in ports.items() if bound[n].direction == "out"},
        returns=returning,
        web_parameter=triggers[0] if triggers and library.web else None,
    )


def _check_directions(library: Library, name: str, bindings: Sequence[BindingInfo]) -> Port | None:
    """Refuse directions that cannot be, and choose the binding of the return value."""
    explicit = implicit = None
    for binding in bindings:
        if binding.direction == "inout":
            raise FunctionLoadError(name, '"inout" bindings are not supported')
        if binding.name == RETURN:
            if binding.direction != "out":
                text = '"$return" binding must have direction set to "out"'
                raise FunctionLoadError(name, text)
            explicit = Port(binding.type)
        elif library.has_implicit_output(binding.type):
            implicit = Port(binding.type)
    return explicit or implicit


def _check_context(name: str, hints: Mapping[str, Any]) -> None:
    annotation = hints.get("context")
    if annotation is None:
        return
    if not isinstance(annotation, type) or annotation.__name__ != "Context":
        raise FunctionLoadError(
            name,
            'the "context" parameter is expected to be of type azure.functions.Context, got'
            f" {annotation!r}",
        )


def _check_names(name: str, parameters: set[str], bound: set[str]) -> None:
    if extra := parameters - bound:
        raise FunctionLoadError(
            name,
            f"the following parameters are declared in Python but not in function.json: {extra!r}",
        )
    if missing := bound - parameters:
        raise FunctionLoadError(
            name,
            "the following parameters are declared in function.json but not in Python:"
            f" {missing!r}",
        )


class _Parameter:
    """One bound parameter under check."""

    def __init__(
        self, library: Library, function: str, binding: BindingInfo, hints: Mapping[str, Any]
    ) -> None:
        self._library = library
        self._function = function
        self._binding = binding
        self._is_annotated = binding.name in hints
        self._annotation = hints.get(binding.name)
        self._is_out = binding.direction == "out"

    def port(self) -> Port:
        """Check the annotation and name the converter."""
        if not self._is_annotated:
            return Port(self._binding.type)
        pytype = self._unwrapped()
        self._check_kind(pytype)
        port = self._chosen(pytype)
        if not self._library.accepts(port, is_out=self._is_out):
            raise self._mismatch(pytype)
        return port

    def _unwrapped(self) -> Any:
        """The annotation, or what stands between the brackets of Out."""
        if not _is_out(self._annotation):
            return self._annotation
        arguments = typing.get_args(self._annotation)
        if len(arguments) != 1:
            raise self._error(
                f"binding {self._binding.name} has invalid Out annotation {self._annotation!r}"
            )
        return arguments[0]

    def _check_kind(self, pytype: Any) -> None:
        start = f"binding {self._binding.name}"
        if not _is_class(pytype) and not _is_generic(pytype):
            raise self._error(f"{start} has invalid non-type annotation {pytype!r}")
        if self._is_out and not _is_out(self._annotation):
            raise self._error(
                f'{start} is declared to have the "out" direction, but its annotation in Python is'
                " not a subclass of azure.functions.Out"
            )
        if not self._is_out and _is_out(self._annotation):
            raise self._error(
                f'{start} is declared to have the "in" direction in function.json, but its'
                " annotation is azure.functions.Out in Python"
            )

    def _chosen(self, pytype: Any) -> Port:
        """Text and bytes go through the generic converter where no return value is implied."""
        if pytype in (str, bytes) and not self._library.has_implicit_output(self._binding.type):
            return Port("generic", pytype)
        return Port(self._binding.type, pytype)

    def _mismatch(self, pytype: Any) -> FunctionLoadError:
        binding, annotated = self._binding, getattr(pytype, "__name__", repr(pytype))
        if binding.data_type == 0:
            return self._error(
                f'type of {binding.name} binding in function.json "{binding.type}" does not match'
                f' its Python annotation "{annotated}"'
            )
        return self._error(
            f"'{binding.name}' binding type \"{binding.type}\" and dataType"
            f' "{binding.data_type}" in function.json do not match the corresponding function'
            f' parameter\'s Python type annotation "{annotated}"'
        )

    def _error(self, text: str) -> FunctionLoadError:
        return FunctionLoadError(self._function, text)


def _check_return(library: Library, name: str, returning: Port | None, annotation: Any) -> None:
    if _is_out(annotation):
        raise FunctionLoadError(name, "return annotation should not be azure.functions.Out")
    if not _is_class(annotation):
        raise FunctionLoadError(name, f"has invalid non-type return annotation {annotation!r}")
    binding_type = returning.binding_type if returning else ""
    if not library.accepts(Port(binding_type, annotation), is_out=True):
        raise FunctionLoadError(
            name,
            f'Python return annotation "{annotation.__name__}" does not match binding type'
            f' "{binding_type}"',
        )


def _is_class(annotation: Any) -> bool:
    # Under 3.10 `list[str]` passes for a class; the newer answer is taken everywhere.
    return isinstance(annotation, type) and typing.get_origin(annotation) is None


def _is_generic(annotation: Any) -> bool:
    """Whether it is a generic of `typing`, as typing_inspect (is_generic_type) tells it."""
    alias: type = typing._GenericAlias  # type: ignore[attr-defined]  # no public name for it
    if isinstance(annotation, alias):
        special = (typing.Union, tuple, typing.ClassVar, collections.abc.Callable)
        return typing.get_origin(annotation) not in special
    return isinstance(annotation, type) and typing.Generic in annotation.__mro__


def _is_out(annotation: Any) -> bool:
    """The worker looks at the class name only, so that any copy of the library will do."""
    origin = typing.get_origin(annotation) or annotation
    return isinstance(origin, type) and origin.__name__ == "Out"
