"""The actions that an orchestrator lists, as text: what it lists again need not be read again.

The SDK lists everything at each replay, what is new behind what it listed before. So where a state
has the very characters of the one before up to the end of that one's list, the actions there are
the same. Known are states as the SDK writes them (a dict of these members in this order, by
`json.dumps`) under replay schemas V2 and V3; of any other nothing is left out.
Source: Azure/azure-functions-durable-python: models/OrchestratorState.py (to_json).
"""

import json
import re
from collections.abc import Sequence

from durahost.model.actions import Listed

_BEGINNING = re.compile(r'\{"isDone": (?:true|false)(, "schemaVersion": \d, "actions": \[\[)')
_BETWEEN, _END = ", ", "]"
_JSON = json.JSONDecoder()


def leave_out(
    text: str, sites: Sequence[str | None], earlier: Listed | None
) -> tuple[str, int, Listed | None]:
    """The state without the actions that `earlier` has, how many those are, and what it lists.

    sites: of all its actions; other places make another list.
    """
    beginning = _BEGINNING.match(text)
    if beginning is None:
        return text, 0, None
    start, first = beginning.start(1), beginning.end()
    new, kept = text, 0
    if earlier is not None and sites[: earlier.count] == earlier.sites:
        rest = text[start + len(earlier.text) :]
        if text.startswith(earlier.text, start) and rest.startswith((_BETWEEN, _END)):
            new, kept = text[:first] + rest.removeprefix(_BETWEEN), earlier.count
    try:
        actions, end = _JSON.raw_decode(new, first - 1)
    except (ValueError, RecursionError):
        return text, 0, None
    count = kept + len(actions)
    if not new.startswith(_END, end) or len(sites) not in (0, count):
        return text, 0, None
    whole = text[start : end - 1 + len(text) - len(new)]
    return new, kept, Listed(whole, sites, count)
