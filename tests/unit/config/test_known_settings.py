"""App settings of the platform: the docs, the table and the code agree on what each does."""

import re
from pathlib import Path

import pytest

from durahost.config import known_settings
from durahost.config.known_settings import NO_EFFECT, NOT_NEEDED, find_without_effect

pytestmark = pytest.mark.feature("Functions host", "App settings of the platform")

PACKAGE = Path(known_settings.__file__).parents[1]
DOCS = PACKAGE.parents[1] / "docs" / "settings.md"
TABLE = PACKAGE / "config" / "known_settings.py"


def documented():
    text = DOCS.read_text(encoding="utf-8").partition("## App settings")[2]
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, re.MULTILINE))


def is_used(name):
    """Whether the code has the name, or what stands before a placeholder in it."""
    start = re.split(r"[<*]", name)[0].rstrip("_")
    written = re.compile(rf"[\"']{re.escape(start)}", re.IGNORECASE)
    sources = (one for one in PACKAGE.rglob("*.py") if one != TABLE)
    return any(written.search(one.read_text(encoding="utf-8")) for one in sources)


def test_settings_without_effect_are_documented_as_such():
    without = {name for name, text in documented().items() if text.startswith("No effect")}
    assert without == set(NO_EFFECT)
    assert all(documented()[name].startswith("Not needed") for name in NOT_NEEDED)


def test_settings_without_effect_are_used_nowhere():
    """Whoever makes one of them work takes it out of the table and mends its row in the docs."""
    assert [name for name in NO_EFFECT if is_used(name)] == []


def test_settings_with_an_effect_are_used():
    acted_on = set(documented()) - set(NO_EFFECT) - set(NOT_NEEDED)
    assert len(acted_on) > 10
    assert [name for name in acted_on if not is_used(name)] == []


def test_names_compare_without_case():
    assert find_without_effect(["A", "enable_oryx_build"]) == ["enable_oryx_build"]
