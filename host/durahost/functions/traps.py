"""The known mistakes of an app, as one table: a name, what it is, how to know it, what to do.

A trap with a pattern is known by the platform's own text, whose named groups its hint may use; one
without is looked for in the app's files (`function_checks`, `app_checks`).
Sources of the texts: beside the code that raises each of them; here are their beginnings.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from durahost.model.findings import Severity


@dataclass(frozen=True, slots=True)
class Trap:
    """One mistake.

    hint: what to do about it, "" when the code that finds it says that more exactly.
    """

    rule: str
    summary: str
    pattern: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR


_SIGNATURE = r"cannot load the (?P<function>.+?) function: "

TRAPS = (
    # The folder and its function.json.
    Trap("function-name", "A function's name is not valid", r"is not a valid function name\."),
    Trap("bindings-missing", "function.json has no bindings", r"At least one binding must be"),
    Trap(
        "binding-shape",
        "A binding is no JSON object",
        r"A binding must be a JSON object\.",
    ),
    Trap("binding-direction", "A direction is none", r"is not a valid binding direction\."),
    Trap(
        "configuration-source",
        "configurationSource has a wrong value",
        r"for 'configurationSource' property",
    ),
    Trap(
        "script-missing",
        "scriptFile names a file that is not there",
        r"The 'scriptFile' property is set to a file that does not exist\.",
    ),
    Trap(
        "script-unclear",
        "Which file is the script cannot be told",
        r"Unable to determine the primary function script\.",
    ),
    Trap(
        "schedule",
        "A timer's schedule is not valid",
        r"The schedule expression '.*' was not recognized|Error indexing method 'Functions\..*'\. "
        r"System\.Private\.CoreLib: .*(?:\(Parameter 'type'\)|an Int32\.|a valid Boolean\.)",
    ),
    Trap("retry-incomplete", "A retry policy lacks a value", r"Value cannot be null\. \(Parameter"),
    Trap(
        "binding-name",
        "A binding's name is not valid",
        r"The binding name .* is invalid\.",
        "A binding's name is a Python parameter's: letters, digits and _, not beginning with a "
        "digit, no hyphen; or $return.",
    ),
    Trap(
        "return-direction",
        "$return is an input",
        r"\$return bindings must specify a direction of 'out'",
        'Give $return "direction": "out"; without a direction a binding is an input.',
    ),
    Trap("binding-type-missing", "A binding has no type", r"Bindings must specify a Type\."),
    Trap(
        "binding-duplicate",
        "Two bindings have one name",
        r"Multiple bindings with name",
        "Rename one of them; names compare without case.",
    ),
    Trap(
        "trigger-several",
        "A function has several triggers",
        r"Multiple trigger bindings defined\.",
        "Make one function folder for each trigger; they may share a script with scriptFile.",
    ),
    Trap(
        "trigger-missing",
        "A function has no trigger",
        r"No trigger binding specified\.|does not have a trigger\.",
        "Give it one binding whose type ends in Trigger, httpTrigger for instance; in the "
        "decorator model one trigger decorator, @app.route(...) for instance.",
    ),
    Trap(
        "binding-type-unknown",
        "A binding's type is not known",
        r"The binding type\(s\) '.*' (?:were not found|are not registered)",
    ),
    Trap("route-conflict", "Two functions have one route", r"The route specified conflicts with"),
    Trap("route-reserved", "A route is the host's own", r"conflicts with one or more built in"),
    Trap(
        "route-template",
        "A route is no template",
        r"An error occurred while creating the route with name",
    ),
    Trap(
        "function-duplicate",
        "Two functions have one name",
        r"must be unique within the function app|does not have a unique function name",
        "Rename one of them; case does not count.",
    ),
    Trap("setting-unresolved", "A %NAME% has no value", r"does not resolve to a value|closing '%'"),
    # The script.
    Trap(
        "script-not-python",
        "The script is no Python file",
        r"invalid Python filename (?P<script>.+)",
        "The only file beside function.json is the script, whatever its name: add an __init__.py, "
        'or "scriptFile" to function.json.',
    ),
    Trap(
        "script-outside",
        "The script lies outside the app",
        r"is not relative to the specified directory",
        "Move the script below the app root; function folders and what they share lie there.",
    ),
    Trap(
        "entry-point-missing",
        "The script has no entry point",
        r": function (?P<entry>\w+)\(\) is not present in (?P<script>[^\n]+?)\.?$",
        "Define {entry} in {script} (def {entry}(...)), or name another function with entryPoint "
        "in function.json.",
    ),
    Trap(
        "syntax",
        "The code is no Python",
        r"(?:SyntaxError|IndentationError|TabError): ",
        "Correct the line above the mark, or the one before it.",
    ),
    Trap(
        "import-relative",
        "A relative import has nothing to be relative to",
        r"attempted relative import with no known parent package|attempted relative import beyond",
        "In the decorator model import by the plain name (import helper). In the folder model "
        "'from . import x' looks in the function's folder, 'from .. import x' in the app root, and "
        "nothing looks above that.",
    ),
    Trap("module-missing", "A module is not there", r"ModuleNotFoundError: No module named"),
    Trap("import-failed", "An import fails", r"ImportError: "),
    Trap(
        "import-exit",
        "The code ends the process while it is imported",
        r"SystemExit: |KeyboardInterrupt: ",
        "A module must not end the process while it is imported; remove the call, or put it below "
        "if __name__ == '__main__'.",
    ),
    Trap(
        "callable-kind",
        "The entry point is no function",
        r"is not a module, class, method, or function",
        "Make the entry point a def: functools.partial and objects with __call__ cannot be one, "
        "their annotations cannot be read.",
    ),
    Trap(
        "annotation-unresolved",
        "An annotation names what is not there",
        r"NameError: name '(?P<name>.+?)' is not defined",
        "Import or define {name}: annotations are evaluated while the function loads, also under "
        "'from __future__ import annotations' and TYPE_CHECKING.",
    ),
    # The signature against the bindings, in the worker's order.
    Trap(
        "binding-inout",
        "A binding is inout",
        _SIGNATURE + r'"inout" bindings are not supported',
        "Use one binding with direction in and one with direction out.",
    ),
    Trap(
        "context-annotation",
        "context is annotated as something else",
        _SIGNATURE + r'the "context" parameter is expected',
        "A parameter named context that no binding has is the invocation's func.Context. An "
        "orchestrator's and an entity's binding must itself be named context (in function.json, or "
        'context_name="context").',
    ),
    Trap(
        "parameter-extra",
        "A parameter has no binding",
        _SIGNATURE + r"the following parameters are declared in Python but not in",
        "Each parameter needs a binding of its name, those with a default, *args and **kwargs too. "
        "A decorator around the function needs functools.wraps.",
    ),
    Trap(
        "parameter-missing",
        "A binding has no parameter",
        _SIGNATURE + r"(?:the following parameters are declared in function\.json|Extra param)",
        "Add a parameter of each of these names, spelled alike; or name the http output $return. "
        "An orchestrator's and an entity's binding must be named context.",
    ),
    Trap(
        "out-annotation",
        "Out has no type, or several",
        _SIGNATURE + r"binding .* has invalid Out annotation",
        "Write func.Out[str], func.Out[bytes] or the like, with one type between the brackets.",
    ),
    Trap(
        "annotation-kind",
        "An annotation is no class",
        _SIGNATURE + r"binding .* has invalid non-type annotation",
        "Optional[...], X | None, unions, list[...] and dict[...] are refused on every binding; "
        "annotate with a plain class (str, dict, func.HttpRequest) or not at all.",
    ),
    Trap(
        "out-direction",
        "An output is not annotated as Out",
        _SIGNATURE + r'binding .* is declared to have the "out" direction',
        "Annotate the parameter with func.Out[...], or make the binding's direction in.",
    ),
    Trap(
        "in-direction",
        "An input is annotated as Out",
        _SIGNATURE + r'binding .* is declared to have the "in" direction',
        'Give the binding "direction": "out", or annotate the parameter with the input\'s type.',
    ),
    Trap(
        "client-annotation",
        "The durable client is annotated with its class",
        _SIGNATURE + r'.*"(?:durableClient|orchestrationClient)".*annotation',
        "Annotate the client parameter as str, or not at all, and make the client in the function: "
        "client = df.DurableOrchestrationClient(starter).",
    ),
    Trap(
        "orchestration-annotation",
        "The orchestrator's context is annotated with its class",
        _SIGNATURE + r'.*"(?:orchestrationTrigger|entityTrigger)".*annotation',
        "Leave the entry point to the SDK: main = df.Orchestrator.create(orchestrator_function), "
        "or df.Entity.create; only the function given to it may be annotated.",
    ),
    Trap(
        "http-streaming",
        "An HTTP function has the types of HTTP streaming",
        _SIGNATURE + r'.*annotation "(?:Request|(?:Streaming|JSON|HTML|PlainText|File|Redirect)?'
        r'Response)"',
        "Import these types from azurefunctions.extensions.http.fastapi (of "
        "azurefunctions-extensions-http-fastapi), and do not set PYTHON_ENABLE_INIT_INDEXING to 0; "
        "below Python 3.13 it must be 1.",
    ),
    Trap(
        "http-streaming-mixed",
        "An HTTP function of an app with HTTP streaming has the types of one without",
        _SIGNATURE + r'.*(?:"httpTrigger".*annotation "HttpRequest"|'
        r'annotation "HttpResponse" does not match binding type "http")',
        "The app imports azurefunctions.extensions.http.fastapi: then every HTTP function takes "
        "its Request and returns its responses, never func.HttpRequest and func.HttpResponse.",
    ),
    Trap(
        "annotation-mismatch",
        "A parameter's annotation does not fit its binding",
        _SIGNATURE + r"(?:type of .* binding|'.*' binding type)",
        "Annotate it with the binding's own type (func.HttpRequest for httpTrigger, "
        "func.TimerRequest for timerTrigger, ...), or not at all.",
    ),
    Trap(
        "return-out",
        "The return value is annotated as Out",
        _SIGNATURE + r"return annotation should not be azure\.functions\.Out",
        "Return the value itself; Out is for parameters.",
    ),
    Trap(
        "return-kind",
        "The return annotation is no class",
        _SIGNATURE + r"has invalid non-type return annotation",
        "Annotate the return value with a plain class (func.HttpResponse, str) or not at all.",
    ),
    Trap(
        "return-mismatch",
        "The return annotation does not fit the $return binding",
        _SIGNATURE + r"Python return annotation .* does not match binding type",
        "An http function returns func.HttpResponse or str: dict, bytes and None are refused. "
        "json.dumps(...) and func.HttpResponse(...) make one of them.",
    ),
    # The decorator model.
    Trap(
        "app-missing",
        "The script has no app object",
        r"Could not find top level function app instances in (?P<script>.+?)\.?$",
        "Define app = func.FunctionApp() (or df.DFApp()) at the top level of {script}; a Blueprint "
        "must be registered with app.register_functions(...).",
    ),
    Trap(
        "app-several",
        "The script has several app objects",
        r"or other top level function app instances are",
        "Keep one; also a second name for the same object counts. Use func.Blueprint() for parts.",
    ),
    Trap(
        "trigger-second",
        "A function is given a second trigger",
        r"A trigger was already registered to this function\.",
        "Keep one trigger decorator on each function.",
    ),
    Trap(
        "decorated-kind",
        "A decorator stands on what is no function",
        r"Unsupported type for function app decorator found\.",
        "Put the decorators on a def, below nothing that returns something else.",
    ),
    Trap(
        "durable-missing",
        "A durable decorator without the durable package",
        r"Attempted to use a Durable Functions decorator, but",
        "Install azure-functions-durable where the app runs and add it to requirements.txt.",
    ),
    Trap(
        "auth-level",
        "An auth level is spelled wrongly",
        r"KeyError: '(?:anonymous|function|admin)'|Can not parse '.*' to (?:Optional\[)?.*Auth",
        "Write func.AuthLevel.ANONYMOUS (FUNCTION, ADMIN); as text http_auth_level takes upper "
        "case only.",
    ),
    Trap(
        "script-setting",
        "PYTHON_SCRIPT_FILE_NAME is no file name",
        r"Invalid file name: ",
        "PYTHON_SCRIPT_FILE_NAME is the name of a .py file in the app root, without a folder.",
    ),
    # Files of the app as a whole.
    Trap(
        "settings-unreadable",
        "local.settings.json cannot be read",
        r"Failed to read app settings file at",
        "Until then the app runs without any of its settings.",
        Severity.WARNING,
    ),
    Trap("settings-encrypted", "Settings are encrypted", r"Failed to decrypt settings\."),
    Trap("setting-reserved", "A setting is the host's own", r"An item with the same key has"),
    Trap(
        "setting-rewritten",
        "A setting's text is changed",
        r"is '.*' for the app, not|already exists with value",
        severity=Severity.WARNING,
    ),
    Trap(
        "setting-skipped",
        "A setting of the file does not count",
        r"^Skipping ",
        severity=Severity.NOTE,
    ),
    Trap("host-json-syntax", "host.json is no JSON", r"Unable to parse host configuration file"),
    Trap(
        "host-json-version",
        "host.json's version is not 2.0",
        r"host\.json file is missing the required 'version'|for host\.json 'version' property",
    ),
    Trap("language", "The app is not Python", r"Did not find functions with language"),
    Trap(
        "custom-handler",
        "The app has a custom handler",
        r"the app's functions run in a program of its own",
    ),
    Trap(
        "timespan-days",
        "A duration reads as days",
        r"which is read as \d+ days",
        severity=Severity.WARNING,
    ),
    Trap(
        "section-unknown",
        "A section of host.json is not known",
        r"^host\.json: '.*' is not known",
        severity=Severity.WARNING,
    ),
    Trap(
        "key-vault",
        "A Key Vault reference is not resolved",
        r"is a Key Vault reference, which is not resolved",
        "Set the variable of that name to the secret itself where durahost runs; it wins over the "
        "file.",
        Severity.WARNING,
    ),
    Trap(
        "setting-value",
        "An app setting has a value that cannot be used",
        r"^(?:FUNCTIONS_WORKER_PROCESS_COUNT|WEBSITE_TIME_ZONE|TZ) is ",
        severity=Severity.WARNING,
    ),
    Trap(
        "section-without-effect",
        "A section of host.json changes nothing here",
        r"^host\.json: no effect here:",
        severity=Severity.NOTE,
    ),
    Trap("function-json-syntax", "function.json is no JSON", r" Path '.*', line \d+, position \d+"),
    # What loads, and then does otherwise than it seems.
    Trap(
        "disabled-in-file",
        '"disabled" in function.json has no effect',
        hint="Set the app setting AzureWebJobs.{function}.Disabled to true instead; since version "
        "2 of the platform it alone counts.",
        severity=Severity.WARNING,
    ),
    Trap(
        "http-annotation",
        "An HTTP request is annotated as text",
        hint="Annotate it as func.HttpRequest; with str or bytes the function loads and every "
        "call fails.",
        severity=Severity.WARNING,
    ),
    Trap(
        "positional-only",
        "A parameter is positional only",
        hint="Remove the '/': functions are called with keyword arguments, so that every call "
        "fails.",
        severity=Severity.WARNING,
    ),
    Trap(
        "http-output-missing",
        "An HTTP function returns something and has no http output",
        hint='Add {{"type": "http", "direction": "out", "name": "$return"}} to the bindings; '
        "without it a returned value fails the call, and the answer is 204 or 500.",
        severity=Severity.WARNING,
    ),
    Trap(
        "http-returns-nothing",
        "An HTTP function never returns a value",
        hint="Return a func.HttpResponse or a str: None through $return is answered with 500.",
        severity=Severity.WARNING,
    ),
    Trap(
        "client-sync",
        "A function with the durable client is not async",
        hint="Write async def, and await what the client answers: the SDK awaits the function, so "
        "that each call fails after its code has run.",
        severity=Severity.WARNING,
    ),
    Trap(
        "orchestrator-plain",
        "An orchestrator is not wrapped by the SDK",
        hint="Give the generator to the SDK: main = df.Orchestrator.create({entry}), under a name "
        "of its own.",
        severity=Severity.WARNING,
    ),
    Trap(
        "orchestrator-async",
        "An orchestrator is async",
        hint="Write def with yield: the SDK replays a generator, not a coroutine.",
        severity=Severity.WARNING,
    ),
    Trap(
        "shared-twice",
        "A module is imported under two names",
        hint="Import it in one way everywhere: through '..' and by its plain name it is two "
        "modules, with two sets of globals.",
        severity=Severity.WARNING,
    ),
    Trap(
        "schedule-days",
        "A timer's interval reads as days",
        hint="24:00:00 is 24 days; an interval below a day is hh:mm:ss, a daily one the cron "
        "expression 0 0 0 * * *.",
        severity=Severity.WARNING,
    ),
    Trap(
        "schedule-never",
        "A timer never fires",
        hint="No date has this day, month and day of the week together: day of month and day of "
        "week must both match.",
        severity=Severity.WARNING,
    ),
    Trap(
        "schedule-pauseless",
        "A timer's interval is no time at all",
        hint="Write an interval above zero: this one runs the function again and again without a "
        "pause.",
        severity=Severity.WARNING,
    ),
    Trap(
        "connection-missing",
        "A binding's connection is no app setting",
        hint="Add {setting} to Values of local.settings.json, or to the environment.",
        severity=Severity.WARNING,
    ),
    Trap(
        "mixed-app",
        "An app has both models",
        hint="Move them into one model: function.json folders are not read beside the decorator "
        "model's file.",
        severity=Severity.WARNING,
    ),
    Trap(
        "retry-ignored",
        "A retry policy stands where it changes nothing",
        hint="Remove it: the trigger never repeats a failed call. An orchestrator repeats its "
        "activities with call_activity_with_retry.",
        severity=Severity.WARNING,
    ),
    Trap(
        "proxies",
        "proxies.json is not supported",
        hint="Remove it; version 4 of the platform does not read it.",
        severity=Severity.WARNING,
    ),
    Trap(
        "function-nested",
        "A function folder lies too deep",
        hint="Move the folder directly below {root}: the host looks one level down only.",
        severity=Severity.WARNING,
    ),
    Trap(
        "function-json-case",
        "function.json is spelled otherwise",
        hint="Rename it to function.json; where file names have case the host does not see it.",
        severity=Severity.WARNING,
    ),
    Trap(
        "allow-list",
        "The list of functions names one that is not there",
        hint="Correct functions in host.json (or --functions); an empty list serves all.",
        severity=Severity.WARNING,
    ),
    Trap(
        "allow-list-used",
        "Only some functions are served",
        severity=Severity.NOTE,
    ),
    Trap(
        "storage-missing",
        "AzureWebJobsStorage is not set",
        hint="durahost needs none; func and Azure do, for timers too.",
        severity=Severity.NOTE,
    ),
    Trap(
        "disabled-unknown",
        "A function that is not there is disabled",
        hint="Correct the name in the app setting, or remove it.",
        severity=Severity.WARNING,
    ),
    Trap(
        "setting-without-effect",
        "An app setting changes nothing here",
        hint="docs/settings.md says why.",
        severity=Severity.NOTE,
    ),
    # What no other names.
    Trap("host-json-value", "A value of host.json is not valid"),
    Trap("configuration", "The app cannot be started as it is"),
    Trap(
        "worker",
        "The app's interpreter does not run the app",
        hint="See what it said; check --python, VIRTUAL_ENV and the packages of that environment.",
    ),
    Trap("function", "A function does not load"),
    Trap(
        "no-functions",
        "The app has no function",
        hint="A function is a folder with a function.json directly below the app's folder, or a "
        "decorated function of function_app.py.",
        severity=Severity.WARNING,
    ),
    Trap("advice", "Worth knowing", severity=Severity.WARNING),
    Trap(
        "code-fails", "The code fails while it is imported", r"^[A-Za-z_]\w*(?:Error|Exception): "
    ),
)
"""In this order a message is looked up; the first whose pattern it has counts."""

BY_RULE: Mapping[str, Trap] = {trap.rule: trap for trap in TRAPS}

_PATTERNS = [(re.compile(trap.pattern, re.DOTALL), trap) for trap in TRAPS if trap.pattern]


def explain(message: str) -> tuple[Trap, str] | None:
    """The trap that a message tells of, and its hint; None when it is none of them."""
    for pattern, trap in _PATTERNS:
        if found := pattern.search(message):
            return trap, trap.hint.format(**found.groupdict())
    return None
