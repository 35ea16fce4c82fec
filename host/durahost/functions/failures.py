"""Functions the host refuses, in the host's words."""

from durahost.model.functions import FunctionFailure, FunctionMetadata


def build_failure(
    name: str,
    message: str,
    *,
    file: str | None = None,
    advice: str | None = None,
    function: FunctionMetadata | None = None,
) -> FunctionFailure:
    """Build a failure; a message that lacks its full stop gets one.

    Source: Azure/azure-functions-host: Utility.cs (FlattenException).
    """
    text = message if message.endswith(".") else f"{message}."
    return FunctionFailure(name, text, file=file, advice=advice, function=function)
