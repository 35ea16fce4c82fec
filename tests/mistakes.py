"""An app full of mistakes, one of each kind, and what is found of each."""

import json

HTTP = {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"}
OUT = {"name": "$return", "type": "http", "direction": "out"}
RES = {"name": "res", "type": "http", "direction": "out"}
TIMER = {"name": "timer", "type": "timerTrigger", "schedule": "0 * * * * *"}
CONTEXT = {"name": "context", "type": "orchestrationTrigger", "direction": "in"}
CLIENT = {"name": "starter", "type": "durableClient", "direction": "in"}
FINE = "def main(req):\n    return 'fine'\n"
FUNC = "import azure.functions as func\n"
DF = "import azure.durable_functions as df\n"
BLOB = {"name": "b", "type": "blob", "direction": "inout", "path": "x"}

# name: (bindings, code, further properties, rule, file, line)
MISTAKES = {
    "1st": ([HTTP, OUT], FINE, {}, "function-name", "function.json", None),
    "NoBindings": ([], FINE, {}, "bindings-missing", "function.json", 2),
    "Direction": ([{**HTTP, "direction": "up"}], FINE, {}, "binding-direction", "function.json", 3),
    "Source": (
        [HTTP, OUT], FINE, {"configurationSource": "x"}, "configuration-source", "function.json", 15
    ),
    "NoScript": ([HTTP], FINE, {"scriptFile": "no.py"}, "script-missing", "function.json", 10),
    "Retry": (
        [HTTP], FINE, {"retry": {"strategy": "fixedDelay"}}, "retry-incomplete", "function.json", 10
    ),
    "Hyphen": ([{**HTTP, "name": "my-req"}], FINE, {}, "binding-name", "function.json", 3),
    "ReturnIn": (
        [HTTP, {**OUT, "direction": "in"}], FINE, {}, "return-direction", "function.json", 2
    ),
    "NoType": ([{"name": "req"}], FINE, {}, "binding-type-missing", "function.json", 3),
    "SameName": ([HTTP, {**OUT, "name": "REQ"}], FINE, {}, "binding-duplicate", "function.json", 9),
    "TwoTriggers": ([HTTP, TIMER], FINE, {}, "trigger-several", "function.json", 2),
    "NoTrigger": ([OUT], FINE, {}, "trigger-missing", "function.json", 2),
    "UnknownType": (
        [HTTP, {**OUT, "type": "htp"}], FINE, {}, "binding-type-unknown", "function.json", 9
    ),
    "Taken": ([{**HTTP, "route": "FINE"}, OUT], FINE, {}, "route-conflict", "function.json", 8),
    "BadRoute": (
        [{**HTTP, "route": "a/{id"}, OUT], FINE, {}, "route-template", "function.json", 8
    ),
    "Admins": ([HTTP, OUT], FINE, {}, "route-reserved", "function.json", 2),
    "NoEntry": ([HTTP, OUT], "def run(req): ...\n", {}, "entry-point-missing", "__init__.py", None),
    "Syntax": ([HTTP, OUT], "\ndef main(req)\n", {}, "syntax", "__init__.py", 2),
    "Missing": ([HTTP, OUT], "import not_there\n" + FINE, {}, "module-missing", "__init__.py", 1),
    "Above": ([HTTP, OUT], "from ... import x\n" + FINE, {}, "import-relative", "__init__.py", 1),
    "Import": ([HTTP, OUT], "from json import x\n" + FINE, {}, "import-failed", "__init__.py", 1),
    "Exits": ([HTTP, OUT], "import sys\nsys.exit(3)\n" + FINE, {}, "import-exit", "__init__.py", 2),
    "Raises": (
        [HTTP, OUT], "def f():\n    1 / 0\n\nf()\n" + FINE, {}, "code-fails", "__init__.py", 2
    ),
    "Partial": (
        [HTTP, OUT], "import functools\nmain = functools.partial(print)\n", {}, "callable-kind",
        "__init__.py", None,
    ),
    "NoName": ([HTTP, OUT], "def main(req: 'Gone'): ...\n", {}, "annotation-unresolved",
               "__init__.py", 1),
    "InOut": ([HTTP, OUT, BLOB], "def main(req, b): ...\n", {}, "binding-inout", "__init__.py", 1),
    "Context": ([HTTP, OUT], "\ndef main(req, context: int): ...\n", {}, "context-annotation",
                "__init__.py", 2),
    "Extra": ([HTTP, OUT], "def main(req, more=1): ...\n", {}, "parameter-extra", "__init__.py", 1),
    "Less": ([HTTP, OUT], "def main(): ...\n", {}, "parameter-missing", "__init__.py", 1),
    "BareOut": ([HTTP, RES], FUNC + "def main(req, res: func.Out): ...\n", {}, "out-annotation",
                "__init__.py", 2),
    "Optional": ([HTTP, OUT], "import typing\ndef main(req: typing.Optional[str]): ...\n", {},
                 "annotation-kind", "__init__.py", 2),
    "NotOut": ([HTTP, RES], "def main(req, res: str): ...\n", {}, "out-direction",
               "__init__.py", 1),
    "NotIn": ([HTTP, OUT], FUNC + "def main(req: func.Out[str]): ...\n", {}, "in-direction",
              "__init__.py", 2),
    "Client": ([HTTP, OUT, CLIENT],
               DF + "def main(req, starter: df.DurableOrchestrationClient): ...\n", {},
               "client-annotation", "__init__.py", 2),
    "Flow": ([CONTEXT], DF + "def main(context: df.DurableOrchestrationContext): ...\n", {},
             "orchestration-annotation", "__init__.py", 2),
    "Dict": ([HTTP, OUT], "def main(req: dict): ...\n", {}, "annotation-mismatch",
             "__init__.py", 1),
    "ReturnOut": ([HTTP, OUT], FUNC + "def main(req) -> func.Out[str]: ...\n", {}, "return-out",
                  "__init__.py", 2),
    "ReturnList": ([HTTP, OUT], "def main(req) -> list[str]: ...\n", {}, "return-kind",
                   "__init__.py", 1),
    "ReturnDict": ([HTTP, OUT], "def main(req) -> dict: ...\n", {}, "return-mismatch",
                   "__init__.py", 1),
}  # fmt: skip
FOLDERS = {
    "NotJson": ({"function.json": '{\n"bindings" []}'}, "function-json-syntax", "function.json", 2),
    "Upper": (
        {"function.json": '{"Bindings": []}', "a.py": ""}, "bindings-missing", "function.json", 1
    ),
    "TwoScripts": (
        {"function.json": json.dumps({"bindings": [HTTP]}), "a.py": "", "b.py": ""},
        "script-unclear", "function.json", None,
    ),
    "ReadMe": (
        {"function.json": json.dumps({"bindings": [HTTP]}), "readme.md": "# Hello"},
        "script-not-python", "readme.md", None,
    ),
    "Outside": (
        {"function.json": json.dumps({"bindings": [HTTP], "scriptFile": "../../outside.py"})},
        "script-outside", None, None,
    ),
}  # fmt: skip
"""Mistakes in what a folder holds: its files, then rule, file, line."""
EVERY = [*MISTAKES, *FOLDERS]


def write(folder, name, bindings, code, **properties):
    directory = folder / name
    directory.mkdir(parents=True)
    document = {"bindings": bindings, **properties}
    (directory / "function.json").write_text(json.dumps(document, indent=1))
    (directory / "__init__.py").write_text(code)


def write_app(folder):
    """The app, and beside its folder a script that it must not reach."""
    folder.mkdir()
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder.parent / "outside.py").write_text(FINE)
    for name, (files, *_) in FOLDERS.items():
        (folder / name).mkdir()
        for file, text in files.items():
            (folder / name / file).write_text(text)
    write(folder, "Fine", [HTTP, OUT], FINE)
    for name, (bindings, code, properties, *_) in MISTAKES.items():
        write(folder, name, bindings, code, **properties)
    return folder
