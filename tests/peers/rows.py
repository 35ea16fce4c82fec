"""What a row of the table is, and short ways to write one."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Difference:
    """feature, note: the row of docs/compatibility.md."""

    feature: str
    note: str


WORDING = Difference(
    "Texts of load failures",
    "the worker's for Python up to 3.12 on every Python; the engine of 3.13 has others for some",
)
TUPLES = Difference(
    "Texts with an argument",
    "written out, as by the worker for Python up to 3.12; the engine of 3.13 shows the tuple",
)
CANCELLED = Difference(
    "A function that ends in CancelledError", "fails at once; the platform's worker never answers"
)
EXPIRES = Difference(
    "Cookies with an unusual `Expires`",
    "read as by the worker for Python up to 3.12; the engine of 3.13 fails the call",
)
MAX_AGE = Difference(
    "Cookies with a `Max-Age` that is no number",
    "left out, as the worker's tests say; the engine of 3.13 fails the call",
)


def http_request(body=b"", method="get", headers=None, query=None, params=None):
    return (
        "http",
        {
            "method": method,
            "url": "http://localhost:7071/api/f?a=1",
            "headers": headers or {},
            "query": query or {},
            "params": params or {},
            "body": body,
        },
    )


REQUEST = http_request()
HTTP = (
    {"name": "req", "type": "httpTrigger", "direction": "in"},
    {"name": "$return", "type": "http", "direction": "out"},
)
ACTIVITY = ({"name": "value", "type": "activityTrigger", "direction": "in"},)
RESULT = {"name": "$return", "type": "table", "direction": "out"}


@dataclass(frozen=True)
class Row:
    """bindings None: of the decorator model. fails: the whole app."""

    name: str
    code: str
    bindings: tuple | None
    inputs: dict
    metadata: dict = field(default_factory=dict)
    differs: Difference | None = None
    fails: bool = False


def bind(name, kind, direction="in", **more):
    return {"name": name, "type": kind, "direction": direction, **more}


def http(name, code, request=REQUEST, differs=None):
    source = f"import azure.functions as func\n{code}"
    return Row(name, source, HTTP, {"req": request}, differs=differs)


def responds(name, expression, differs=None):
    return http(name, f"def main(req): return {expression}", differs=differs)


def sees(name, expression, **request):
    code = f"import json\ndef main(req): return json.dumps({expression})"
    return http(name, code, http_request(**request))


def activity(name, code, value=("string", '"x"'), bindings=ACTIVITY, differs=None, **inputs):
    return Row(name, code, bindings, {"value": value, **inputs}, differs=differs)


def trigger(name, kind, value, expression, **metadata):
    """A function whose trigger's value is looked at, and told as a `table` output."""
    code = f"def main(trigger): return {expression}"
    bindings = (bind("trigger", kind), RESULT)
    given = {key: ("string", text) for key, text in metadata.items()}
    return Row(name, code, bindings, {"trigger": value}, given)


def puts(name, kind, expression, annotation="", differs=None):
    """An activity that sets an output of this type."""
    code = (
        "import typing\nimport azure.functions as func\n"
        f"def main(value, o{annotation}): o.set({expression})"
    )
    return activity(name, code, bindings=(*ACTIVITY, bind("o", kind, "out")), differs=differs)


def gives(name, kind, expression, differs=None):
    """An HTTP-triggered function whose return value is an output of this type."""
    code = f"import azure.functions as func\ndef main(req): return {expression}"
    return Row(name, code, (HTTP[0], bind("$return", kind, "out")), {"req": REQUEST}, {}, differs)


def refuses(name, parameters, bindings=HTTP, differs=None, returns=""):
    code = (
        "import typing\nimport azure.functions as func\nimport azure.durable_functions as df\n"
        f"def main({parameters}){returns}: pass"
    )
    return Row(name, code, bindings, {"req": REQUEST}, differs=differs)


def decorated(name, code, given=("string", '"x"'), **inputs):
    """`f` in the code is the row's name. given: the value of `value`, or all inputs."""
    inputs = given if isinstance(given, dict) else {"value": given, **inputs}
    return Row(name, re.sub(r"\bf\b", name, code), None, inputs)


def decorated_http(name, code):
    return decorated(name, code, {"req": REQUEST})


def fails(name, code, differs=None, head=None):
    return Row(name, (head or SHORT_HEAD) + code, None, {}, differs=differs, fails=True)


HEAD = """
import typing
import azure.durable_functions as df
import azure.functions as func
app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""
SHORT_HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"
