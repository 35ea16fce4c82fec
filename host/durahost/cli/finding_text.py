"""Findings as text for a person."""

from collections.abc import Iterable

import click

from durahost.model.findings import Finding, Severity

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: None}


def show_finding(finding: Finding, *, is_error_output: bool = False) -> None:
    """Print one finding: what, where, the app's own frames, what now."""
    start = ""
    if finding.severity is Severity.ERROR and finding.function:
        # Azure/azure-functions-host: ScriptHost.cs (LogHostFunctionErrors).
        start = f"The '{finding.function}' function is in error: "
    elif finding.function:
        start = f"Function {finding.function}: "
    text = f"{start}{finding.message}"
    click.secho(text, fg=_COLORS[finding.severity], err=is_error_output)
    below = []
    if finding.file and (finding.line or finding.file not in finding.message):
        place = f"{finding.file}, line {finding.line}" if finding.line else finding.file
        below.append(f"in {place}")
    below += (finding.frames or "").rstrip().splitlines()
    below += (finding.advice or "").splitlines()
    for line in below:
        click.echo(f"  {line}", err=is_error_output)


def show_findings(findings: Iterable[Finding]) -> None:
    """Print findings, an empty line after each but notes."""
    for finding in findings:
        show_finding(finding)
        if finding.severity is not Severity.NOTE:
            click.echo()
