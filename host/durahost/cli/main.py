"""The command `durahost`: its sub-commands and exit codes.

Exit codes: 0 clean end, 1 failed start or operation, 2 wrong usage.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from durahost import __version__
from durahost.cli import console
from durahost.cli.contract import contract
from durahost.model.errors import ConfigError, HostError

FAILED = 1

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
@click.option("--ephemeral", is_flag=True, help="Keep instances in memory only.")
@click.option("--in-process", is_flag=True, help="Run the app in this process, for debuggers.")
@click.option("--no-reload", is_flag=True, help="Do not watch the app's files.")
@click.option("--verbose", is_flag=True, help="Show the host's own log too.")
def start(
    script_root: Path | None,
    port: int | None,
    address: str | None,
    interpreter: str | None,
    public_url: str | None,
    *,
    is_auth_enabled: bool,
    ephemeral: bool,
    in_process: bool,
    no_reload: bool,
    verbose: bool,
) -> None:
    """Serve the app: HTTP functions, the Durable management API, orchestrations."""
    # The server's imports take longer than printing a version or a help page should.
    from durahost.app import StartOptions, run

    console.set_up_logging(is_verbose=verbose)
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
    )
    run(options, cwd=Path.cwd(), environ=os.environ, report=console.show)


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
    console.show_package(summary, target)


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
    except ConfigError as error:
        console.show_error(str(error), error.advice)
        sys.exit(FAILED)
    except HostError as error:
        console.show_error(str(error), None)
        sys.exit(FAILED)
    sys.exit(0)
