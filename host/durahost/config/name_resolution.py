"""Replacing `%NAME%` in configuration texts by app settings.

Source: Azure/azure-webjobs-sdk: NameResolverExtensions.cs (ResolveWholeString),
DefaultNameResolver.cs.
"""

from collections.abc import Mapping


class UnresolvedName(ValueError):
    """A `%NAME%` has no value, or no end; the text is the SDK's own."""


def get_setting(values: Mapping[str, str], name: str) -> str | None:
    """The app setting of this name; names compare without case, as .NET's configuration does."""
    if name in values:
        return values[name]
    return next((value for key, value in values.items() if key.lower() == name.lower()), None)


def resolve_names(text: str, values: Mapping[str, str]) -> str:
    """Replace each `%NAME%` by its app setting.

    Errors: UnresolvedName when a setting does not exist or a `%` stands alone.
    """
    parts: list[str] = []
    at = 0
    while (start := text.find("%", at)) >= 0:
        end = text.find("%", start + 1)
        if end < 0:
            raise UnresolvedName(f"The '%' at position {start} does not have a closing '%'")
        value = get_setting(values, text[start + 1 : end])
        if value is None:
            raise UnresolvedName(f"'{text[start : end + 1]}' does not resolve to a value.")
        parts += [text[at:start], value]
        at = end + 1
    return "".join([*parts, text[at:]])
