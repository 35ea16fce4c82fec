"""The command `durahost`: its sub-commands and exit codes.

Exit codes: 0 clean end, 1 failed start or operation, 2 wrong usage.
"""

import gc
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from durahost import __version__
from durahost.cli import console
from durahost.cli.contract import contract
from durahost.config.log_levels import parse_level
from durahost.model.errors import HostError

FAILED = 1

NEW_OBJECTS = 10_000
"""How many come before those without a user are looked for among them. With many requests at once
most are in use, and looking every 700, as the interpreter does, took a twelfth of the host's time.
"""

LEVEL_NAMES = ("Trace", "Debug", "Information", "Warning", "Error", "Critical", "None")

script_root_option = click.option(
    "--script-root",
    "--prefix",
    type=click.Path(path_type=Path),
    help="Folder of the app: the one with host.json. Default: here, or the nearest folder above.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", message="%(version)s")
def cli() -> None:
    """Run Azure Functions apps with Durable Functions, in Python alone."""


def _parse_public_url(value: str) -> str:
    from durahost.config.public_url import parse_public_url

    try:
        return parse_public_url(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@cli.command()
@script_root_option
@click.option("--port", "-p", type=click.IntRange(0, 65535), help="Default 7071; 0 takes any.")
@click.option("--address", help="Address to listen on. Default 127.0.0.1.")
@click.option("--python", "interpreter", help="Interpreter for the app. Default: VIRTUAL_ENV's.")
@click.option(
    "--enable-auth",
    "--enableAuth",
    "is_auth_enabled",
    is_flag=True,
    help="Ask for keys, as on Azure; `durahost keys` shows them.",
)
@click.option(
    "--public-url",
    callback=lambda _, __, value: value and _parse_public_url(value),
    help="Where clients reach the app: https://host[:port], for links without a request.",
)
@click.option(
    "--cors", metavar="ORIGINS", help="Origins whose pages may call, comma-separated; * is any."
)
@click.option("--cors-credentials", is_flag=True, help="Let those pages send cookies and the like.")
@click.option("--ephemeral", is_flag=True, help="Keep instances in memory only.")
@click.option("--in-process", is_flag=True, help="Run the app in this process, for debuggers.")
@click.option("--no-reload", is_flag=True, help="Do not watch the app's files.")
@click.option(
    "--functions",
    multiple=True,
    metavar="NAME...",
    help="Serve these functions only; several names follow with blanks between.",
)
@click.argument("more_functions", nargs=-1, metavar="")
@click.option(
    "--user-log-level",
    type=click.Choice(LEVEL_NAMES, case_sensitive=False),
    help="From which level the app's own log is shown; wins over host.json.",
)
@click.option("--no-build", is_flag=True, help="Accepted as by func; nothing is built anyway.")
@click.option("--verbose", is_flag=True, help="Show the host's own log too.")
def start(
    script_root: Path | None,
    port: int | None,
    address: str | None,
    interpreter: str | None,
    public_url: str | None,
    cors: str | None,
    functions: tuple[str, ...],
    more_functions: tuple[str, ...],
    user_log_level: str | None,
    *,
    is_auth_enabled: bool,
    cors_credentials: bool,
    ephemeral: bool,
    in_process: bool,
    no_reload: bool,
    no_build: bool,
    verbose: bool,
) -> None:
    """Serve the app: HTTP functions, the Durable management API, orchestrations.

    Ctrl-C stops it. Exit codes: 0 clean stop, 1 failed start, 2 wrong usage.
    """
    # The server's imports take longer than printing a version or a help page should.
    from durahost.opening import StartOptions
    from durahost.starting import run

    names = _names(functions, more_functions)
    user_level = parse_level(user_log_level) if user_log_level else None
    console.set_up_logging(is_verbose=verbose, user_level=user_level)
    options = StartOptions(
        script_root=script_root,
        port=port,
        address=address,
        interpreter=interpreter,
        is_ephemeral=ephemeral,
        is_in_process=in_process,
        is_watching=not no_reload,
        is_auth_enabled=is_auth_enabled,
        public_url=public_url,
        functions=names,
        cors=cors,
        has_cors_credentials=cors_credentials,
    )
    gc.set_threshold(NEW_OBJECTS)
    run(options, cwd=Path.cwd(), environ=os.environ, report=console.show)


def _names(named: tuple[str, ...], more: tuple[str, ...]) -> frozenset[str]:
    """The names of `--functions A B C`, also `--functions A,B` and the option repeated."""
    if more and not named:
        raise click.UsageError(f"Got unexpected extra argument ({more[0]})")
    return frozenset(name for text in (*named, *more) for name in text.replace(",", " ").split())


@cli.command()
@script_root_option
@click.option("--python", "interpreter", help="Interpreter for the app. Default: VIRTUAL_ENV's.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="For a person, a program, or a code scanner (SARIF 2.1.0).",
)
def check(script_root: Path | None, interpreter: str | None, shape: str) -> None:
    """Tell everything that is wrong with the app, without serving it.

    The app's code is loaded once, as at a start; no port and no task hub is opened. Exit codes: 0
    no errors (there may be warnings), 1 errors, 2 wrong usage.
    """
    from durahost.app import check as check_app
    from durahost.cli import findings
    from durahost.opening import StartOptions

    console.set_up_logging(is_error_output=True)
    options = StartOptions(script_root=script_root, interpreter=interpreter)
    examined = check_app(options, cwd=Path.cwd(), environ=os.environ)
    if shape == "text":
        findings.as_text(examined)
    else:
        show = findings.as_json if shape == "json" else findings.as_sarif
        click.echo(show(examined))
    if examined.has_errors:
        sys.exit(FAILED)


@cli.command()
@script_root_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The zip to write. Default: the app folder's name in the current folder.",
)
def pack(script_root: Path | None, output: Path | None) -> None:
    """Write the zip that Azure deploys: host.json and the function folders at its root."""
    from durahost.config.load import load_app
    from durahost.functions.package import write_package

    app = load_app(script_root, Path.cwd(), os.environ)
    target = output or Path.cwd() / f"{app.root.name}.zip"
    summary = write_package(app, target)
    console.show_package(len(summary.files), target)


@cli.command()
@script_root_option
def keys(script_root: Path | None) -> None:
    """Show the keys of the app, which `start --enable-auth` asks for."""
    from durahost.app import read_keys

    found = read_keys(script_root, Path.cwd())
    console.show_keys([(key.scope, key.name, key.value) for key in found])


cli.add_command(contract)


def main() -> NoReturn:
    """Run the command line; the fourth edge where every exception is caught."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(FAILED)
    except HostError as error:
        console.show_error(error)
        sys.exit(FAILED)
    sys.exit(0)
