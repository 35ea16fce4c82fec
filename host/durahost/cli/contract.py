"""`durahost contract`: the suite's cases against this host or any other.

Exit codes: 0 as expected, 1 a case failed, recordings differ or the target cannot be used, 2 wrong
usage.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from durahost.contract.errors import ContractError

if TYPE_CHECKING:
    from durahost.contract.cases import Case
    from durahost.contract.runner import Result
    from durahost.contract.target import HttpTarget

FAILED = 1

P = ParamSpec("P")
T = TypeVar("T")

_out_file = click.Path(path_type=Path, dir_okay=False)
_in_file = click.Path(path_type=Path, dir_okay=False, exists=True)
_select_option = click.option("--select", metavar="PATTERN", help="Only cases of this name.")


@click.group()
def contract() -> None:
    """Check a host against the contract of the Durable management API."""


def _told(command: Callable[P, T]) -> Callable[P, T]:
    """Turn what stops the suite into a message and exit code 1."""

    @wraps(command)
    def run_and_tell(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except ContractError as error:
            raise click.ClickException(str(error)) from error

    return run_and_tell


@contract.command()
@click.option("--target", metavar="URL", help="The app's address. Default: a host of its own.")
@click.option(
    "--code", metavar="KEY", help="Master key of the target, or its durabletask_extension."
)
@click.option("--enable-auth", is_flag=True, help="The host of its own asks for keys.")
@_select_option
@click.option("--disposable", is_flag=True, help="The target may lose instances of others.")
@click.option("--record", type=_out_file, help="Write every exchange, for `contract diff`.")
@click.option("--junit", type=_out_file, help="Write the results as JUnit XML.")
@click.option("--json", "json_file", type=_out_file, help="Write the results as JSON.")
@_told
def run(
    target: str | None,
    code: str | None,
    select: str | None,
    *,
    enable_auth: bool,
    disposable: bool,
    record: Path | None,
    junit: Path | None,
    json_file: Path | None,
) -> None:
    """Run the cases against this host, or against any other that runs the contract app."""
    from durahost.contract import report
    from durahost.contract.recorder import Recorder
    from durahost.contract.runner import Outcome, run_case

    if target is None and (code or disposable):
        raise click.UsageError("--code and --disposable are said of a --target.")
    if target is not None and enable_auth:
        raise click.UsageError("--enable-auth is said of a host of its own, not of a --target.")
    cases = _load(select)
    results: list[Result] = []
    with _open(target, code, disposable, enable_auth) as opened:
        recorder = Recorder(opened)
        click.echo(f"Running {len(cases)} cases against {opened.origin}")
        for case in cases:
            result = run_case(case, opened)
            results.append(result)
            recorder.add(result)
            if result.outcome is Outcome.FAILED:
                click.secho(report.format_failure(result), fg="red")
    if record is not None:
        recorder.write(record)
    if junit is not None:
        junit.write_text(report.to_junit(results), encoding="utf-8")
    if json_file is not None:
        json_file.write_text(report.to_json(results, opened.origin), encoding="utf-8")
    click.echo(report.format_table(results))
    if any(one.outcome is Outcome.FAILED for one in results):
        sys.exit(FAILED)


@contract.command()
@click.argument("before", type=_in_file)
@click.argument("after", type=_in_file)
@click.option("--allow", type=_in_file, help="File of differences that are known, one a line.")
@_told
def diff(before: Path, after: Path, allow: Path | None) -> None:
    """Show what differs in meaning between two recordings."""
    from durahost.contract import diff as comparison
    from durahost.contract import report
    from durahost.contract.recorder import read_recording

    found = comparison.compare(read_recording(before), read_recording(after))
    left = comparison.without(found, comparison.read_allowed(allow) if allow else [])
    if left:
        click.echo(report.format_groups(comparison.group(left)))
    click.echo(f"{len(left)} differences, {len(found) - len(left)} more are allowed")
    if left:
        sys.exit(FAILED)


@contract.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@_told
def app(folder: Path) -> None:
    """Write the function app that the cases need, ready to be deployed."""
    from durahost.contract.target import write_app

    write_app(folder)
    click.echo(f"Wrote the contract app into {folder}")


@contract.command("list")
@_select_option
@_told
def list_cases(select: str | None) -> None:
    """List the cases and what each needs of a target."""
    for case in _load(select):
        needs = f"  (needs {', '.join(case.needs)})" if case.needs else ""
        click.echo(case.name + needs)


def _load(select: str | None) -> "Sequence[Case]":
    from durahost.contract.cases import load_cases

    cases = load_cases(select)
    if not cases:
        raise click.UsageError(f"No case's name holds '{select}'; see `durahost contract list`.")
    return cases


def _open(
    target: str | None, code: str | None, is_disposable: bool, asks_for_keys: bool
) -> "AbstractContextManager[HttpTarget]":
    from durahost.contract.target import REMOTE_LIMIT_S, open_target, own_host

    if target is None:
        return own_host(asks_for_keys=asks_for_keys)
    return open_target(target, code, is_disposable=is_disposable, limit_s=REMOTE_LIMIT_S)
