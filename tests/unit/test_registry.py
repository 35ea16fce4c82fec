"""Disabled durable functions: known, so requests are accepted, but nothing runs."""

from pathlib import Path

import pytest

from durahost.model.functions import Binding, FunctionMetadata
from durahost.registry import DurableKind, Registry


@pytest.mark.feature("Functions host", "Disabled functions")
@pytest.mark.parametrize("kind", list(DurableKind))
def test_a_disabled_function_is_known_but_does_not_run(kind):
    folder = Path("/app/F")
    trigger = Binding("x", kind.trigger_type, "in", {kind.name_property: "Durable"})
    function = FunctionMetadata("F", folder, folder / "x.py", "", [trigger])
    enabled = Registry.of([function])
    assert (enabled.find(kind, "durable"), enabled.knows(kind, "DURABLE")) == (function, True)
    disabled = Registry.of([function], disabled=frozenset({"F"}))
    assert (disabled.find(kind, "durable"), disabled.knows(kind, "DURABLE")) == (None, True)
    assert not disabled.knows(kind, "Other")
    assert disabled.get("F") is function
