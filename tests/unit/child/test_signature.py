"""The texts of the real worker's signature checks, in its order, on the real converters."""

import functools
import typing
from collections.abc import Sequence

import azure.functions as func
import pytest

from durahost.child.conversion import Library
from durahost.child.signature import BindingInfo, FunctionLoadError, check

pytestmark = pytest.mark.feature("Functions host", "Signature checks of the Python worker")


REQ = BindingInfo("req", "httpTrigger", "in")
RETURN = BindingInfo("$return", "http", "out")
START = "cannot load the f function: "


def load(call, *bindings):
    return check(Library(), "f", "/app/f", call, bindings)


def out_plain(req, o: str): ...
def out_annotated(req: func.Out[str]): ...
def out_bare(req, o: func.Out): ...
def optional(req: typing.Optional[str]): ...  # noqa: UP045
def builtin_generic(req: list[str]): ...
def typed_tuple(req: tuple[str]): ...
def context_text(req, context: str): ...
def extra(req, other=1): ...
def wrong_type(req: int): ...
def returns_out(req) -> func.Out[str]: ...
def returns_list(req) -> list[str]: ...
def returns_dict(req) -> dict: ...
def returns_none(req) -> None: ...
def plain(req): ...


OUT = BindingInfo("o", "queue", "out")


@pytest.mark.parametrize(
    ("call", "bindings", "text"),
    [
        (plain, [BindingInfo("req", "blob", "inout")], '"inout" bindings are not supported'),
        (
            plain,
            [REQ, BindingInfo("$return", "http", "in")],
            '"$return" binding must have direction set to "out"',
        ),
        (
            context_text,
            [REQ],
            'the "context" parameter is expected to be of type azure.functions.Context, got'
            " <class 'str'>",
        ),
        (
            extra,
            [REQ],
            "the following parameters are declared in Python but not in function.json: {'other'}",
        ),
        (
            plain,
            [REQ, OUT],
            "the following parameters are declared in function.json but not in Python: {'o'}",
        ),
        (out_bare, [REQ, OUT], f"binding o has invalid Out annotation {func.Out!r}"),
        (
            optional,
            [REQ],
            "binding req has invalid non-type annotation typing.Optional[str]",
        ),
        (builtin_generic, [REQ], "binding req has invalid non-type annotation list[str]"),
        (typed_tuple, [REQ], "binding req has invalid non-type annotation tuple[str]"),
        (
            out_plain,
            [REQ, OUT],
            'binding o is declared to have the "out" direction, but its annotation in Python is not'
            " a subclass of azure.functions.Out",
        ),
        (
            out_annotated,
            [REQ],
            'binding req is declared to have the "in" direction in function.json, but its'
            " annotation is azure.functions.Out in Python",
        ),
        (
            wrong_type,
            [REQ],
            'type of req binding in function.json "httpTrigger" does not match its Python'
            ' annotation "int"',
        ),
        (
            wrong_type,
            [BindingInfo("req", "httpTrigger", "in", 1)],
            '\'req\' binding type "httpTrigger" and dataType "1" in function.json do not match the'
            ' corresponding function parameter\'s Python type annotation "int"',
        ),
        (
            wrong_type,
            [BindingInfo("req", "httpTrigger", "in", None)],
            '\'req\' binding type "httpTrigger" and dataType "None" in function.json do not match'
            ' the corresponding function parameter\'s Python type annotation "int"',
        ),
        (returns_out, [REQ, RETURN], "return annotation should not be azure.functions.Out"),
        (returns_list, [REQ, RETURN], "has invalid non-type return annotation list[str]"),
        (
            returns_dict,
            [REQ, RETURN],
            'Python return annotation "dict" does not match binding type "http"',
        ),
        (
            returns_none,
            [REQ, RETURN],
            'Python return annotation "NoneType" does not match binding type "http"',
        ),
    ],
)
def test_texts(call, bindings, text):
    with pytest.raises(FunctionLoadError) as caught:
        load(call, *bindings)
    assert str(caught.value) == START + text


def test_what_the_platform_accepts():
    def f(req: func.HttpRequest, context: func.Context, o: func.Out[str]) -> func.HttpResponse: ...

    callee = load(f, REQ, RETURN, OUT)
    assert callee.takes_context
    assert list(callee.inputs) == ["req"]
    assert list(callee.outputs) == ["o"]
    assert callee.outputs["o"].binding_type == "generic"
    assert callee.returns.binding_type == "http"


def test_an_activity_takes_generics_of_typing_and_returns_anything():
    def f(value: typing.List[str]) -> Sequence[int]: ...  # noqa: UP006

    callee = load(f, BindingInfo("value", "activityTrigger", "in"))
    assert callee.returns.binding_type == "activityTrigger"
    assert callee.returns.pytype == Sequence[int]
    assert not callee.is_episode


def test_a_binding_named_context_wins():
    def f(context): ...

    callee = load(f, BindingInfo("context", "orchestrationTrigger", "in"))
    assert not callee.takes_context
    assert callee.is_episode


def test_unknown_bindings_allow_a_return_value():
    callee = load(plain, BindingInfo("req", "signalR", "in"))
    assert callee.returns.binding_type == "signalR"


@pytest.mark.parametrize("call", [functools.partial(plain), type("C", (), {"__call__": plain})()])
def test_what_is_no_function_is_refused(call):
    with pytest.raises(TypeError, match="is not a module, class, method, or function"):
        load(call, REQ)


def test_names_that_cannot_be_resolved_are_an_error():
    def f(req: "Nowhere"): ...  # noqa: F821

    with pytest.raises(NameError, match="Nowhere"):
        load(f, REQ)
