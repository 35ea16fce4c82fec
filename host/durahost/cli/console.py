"""What the terminal shows: reports, failures and log lines, in the shape of `func start`.

Shapes: Azure/azure-functions-core-tools: Common/DisplayFunctionsInfoUtilities.cs,
Diagnostics/ColoredConsoleLogger.cs; Azure/azure-functions-host: ScriptHost.cs
(LogHostFunctionErrors).
"""

import contextlib
import errno
import io
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import assert_never

import click

from durahost import __version__
from durahost.cli.finding_text import show_finding, show_findings
from durahost.cli.line_writer import LineWriter
from durahost.cli.log_filter import INVOCATIONS, LevelFilter
from durahost.model.errors import HostError
from durahost.model.functions import FunctionMetadata
from durahost.reports import (
    Configured,
    Notice,
    Reloaded,
    ReloadFailed,
    Report,
    Serving,
    SettingsExamined,
)
from durahost.user_logs import SYSTEM_LOGS, USER_LOGS

HOST_LOGS = ("durahost", "asyncio", "uvicorn", "watchfiles", "aiohttp")
"""The host's own loggers and those of its libraries."""

RUN_TRIGGERS = (
    "httptrigger", "orchestrationtrigger", "activitytrigger", "entitytrigger", "timertrigger",
)  # fmt: skip

GONE = (errno.EPIPE, errno.EIO, errno.EINVAL)
"""What writing gives once nobody reads: a pipe, a terminal, a pipe on Windows."""

_COLORS = tuple(
    (level, click.style("", fg=color, reset=False))
    for level, color in (
        (logging.ERROR, "red"),
        (logging.WARNING, "yellow"),
        (logging.INFO, "cyan"),
        (logging.NOTSET, "green"),
    )
)
_GREY = click.style("", fg="bright_black", reset=False)
_RESET = click.style("")


_filter = LevelFilter()


def set_up_logging(
    *, is_verbose: bool = False, user_level: int | None = None, is_error_output: bool = False
) -> None:
    """Show user logs and invocations from Information, the host's own from Warning (or
    Information), until host.json says otherwise.

    is_error_output: where a program reads the output, the log goes to stderr.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    handler = _ConsoleHandler(is_error_output)
    _filter.is_verbose, _filter.user_level = is_verbose, user_level
    handler.addFilter(_filter)
    for name in (*HOST_LOGS, USER_LOGS, SYSTEM_LOGS):
        # Not at the root: with --in-process that is where the app's own records begin.
        own = logging.getLogger(name)
        own.handlers[:], own.propagate = [handler], False
    _set_levels()


def _set_levels() -> None:
    """Let no logger make records that nothing shows."""
    for name in (*HOST_LOGS, SYSTEM_LOGS):
        logging.getLogger(name).setLevel(_filter.lowest(of_functions=False))
    for name in (USER_LOGS, INVOCATIONS):
        logging.getLogger(name).setLevel(_filter.lowest(of_functions=True))


def show(report: Report) -> None:
    """Print one report, after the records before it."""
    for handler in logging.getLogger(USER_LOGS).handlers:
        handler.flush()
    with _printing():
        _show(report)


@contextlib.contextmanager
def _printing() -> Iterator[None]:
    """A terminal that is gone is no reason to stop serving, nor for another exit code.

    What is still buffered for it would make the interpreter's own last flush fail.
    """
    try:
        yield
    except OSError as error:
        if error.errno in GONE:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, sys.stdout.fileno())
            os.close(nothing)


def _show(report: Report) -> None:
    match report:
        case Serving():
            _show_serving(report)
        case Configured():
            _filter.apply(report.log_levels)
            _set_levels()
        case SettingsExamined():
            show_findings(report.findings)
        case Reloaded():
            show_findings(report.findings)
            names = ", ".join(report.changed[:3]) + (" ..." if len(report.changed) > 3 else "")
            click.secho(f"reloaded in {report.milliseconds} ms ({names})", fg="green")
        case ReloadFailed():
            show_findings(report.findings)
            click.secho("not reloaded: the code from before goes on serving", fg="yellow")
        case Notice():
            click.secho(report.text, fg="yellow" if report.is_warning else None)
        case _:
            assert_never(report)


def show_error(error: HostError) -> None:
    """Print why the program ends, on stderr, and what else is wrong."""
    # What explains an error is not needed before there is one, and its many patterns take time.
    from durahost import problems

    for index, finding in enumerate(problems.of_error(error)):
        if index:
            click.echo(err=True)
        show_finding(finding, is_error_output=True)


def show_package(count: int, target: Path) -> None:
    """Print how many files were packed."""
    click.echo(f"Packed {count} files into {target}")


def show_keys(keys: Sequence[tuple[str, str, str]]) -> None:
    """Print keys as a table: what each opens, its name, its value."""
    rows = [("OPENS", "NAME", "VALUE"), *keys]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for scope, name, value in rows:
        click.echo(f"{scope.ljust(widths[0])}  {name.ljust(widths[1])}  {value}")


def _describe_trigger(function: FunctionMetadata) -> str:
    """The trigger's type, and of one that nothing here fires how to run it."""
    kind = function.trigger.type
    if kind.lower() in RUN_TRIGGERS:
        return kind
    note = f"(not listened to; POST /admin/functions/{function.name} runs it)"
    return f"{kind} {click.style(note, fg='yellow')}"


def _show_serving(report: Serving) -> None:
    click.echo(f"durahost {__version__}\n")
    show_findings(report.findings)
    if report.functions:
        click.secho("Functions:\n", fg="yellow")
    served = [f for f in report.functions if f.name not in report.disabled]
    for function in served:
        if function.name in report.urls:
            methods = f"[{','.join(report.methods[function.name])}]".replace("[]", "")
            name = click.style(f"{function.name}:", fg="yellow")
            url = click.style(f"{methods} {report.urls[function.name]}", fg="green")
            click.echo(f"\t{name} {url}\n")
    for function in served:
        if function.name not in report.urls:
            name = click.style(f"{function.name}:", fg="yellow")
            click.echo(f"\t{name} {_describe_trigger(function)}\n")
    for name in sorted(report.disabled, key=str.lower):
        click.secho(f"Function {name} is disabled.", fg="yellow")
    click.echo(f"Listening on {report.base_url} (started in {report.seconds:.2f} s). Ctrl-C stops.")


@lru_cache(maxsize=64)
def _color(level: int) -> str:
    return next(color for lowest, color in _COLORS if level >= lowest)


class _ConsoleHandler(logging.Handler):
    """One stamped line for each physical line of a message, in the level's colour."""

    def __init__(self, is_error_output: bool) -> None:
        super().__init__()
        self._is_error_output = is_error_output
        self._lines = LineWriter(self._write)
        self._second = -1
        self._stamp = ""

    def emit(self, record: logging.LogRecord) -> None:  # type: ignore[explicit-override] # needs 3.12
        """Have the record printed; one that tells of a fault at once, lest it be the last."""
        try:
            start, color = self._start(record.created), _color(record.levelno)
            # The formatter adds these to a message, and costs more than all else here.
            is_whole = not (record.exc_info or record.exc_text or record.stack_info)
            text = record.getMessage() if is_whole else self.format(record)
            lines = text.splitlines() or [""]
            self._lines.put("".join([f"{start}{color}{line}{_RESET}\n" for line in lines]))
        except ValueError:
            self.handleError(record)
            return
        if record.levelno >= logging.ERROR:
            self.flush()

    def flush(self) -> None:  # type: ignore[explicit-override] # needs 3.12
        """Print what waits."""
        self._lines.flush()

    def _start(self, created: float) -> str:
        """The styled stamp; what is the same for a whole second is made once for it."""
        second = int(created)
        if second != self._second:
            when = datetime.fromtimestamp(second, UTC)
            self._second, self._stamp = second, f"{_GREY}[{when:%Y-%m-%dT%H:%M:%S}."
        return f"{self._stamp}{int(created * 1000) % 1000:03}Z]{_RESET} "

    def _write(self, text: str) -> None:
        with _printing():
            click.echo(text, err=self._is_error_output, nl=False)
