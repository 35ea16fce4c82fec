"""Collects the `feature` markers of the tests for docs/compatibility.md (scripts/compatibility.py).

    pytest --collect-only -q -p features_plugin --features FILE

FILE becomes a JSON list of {area, name, note, test}: one object per feature and test function.
"""

import json
from pathlib import Path


def pytest_addoption(parser):
    parser.addoption("--features", metavar="FILE", help="write the tests' feature markers as JSON")


def pytest_collection_finish(session):
    path = session.config.getoption("--features")
    if path is None:
        return
    found = {}
    for item in session.items:
        for marker in item.iter_markers("feature"):
            feature = _feature(*marker.args, **marker.kwargs)
            test = item.nodeid.partition("[")[0]
            found[*feature.values(), test] = {**feature, "test": test}
    Path(path).write_text(json.dumps(list(found.values())), encoding="utf-8")


def _feature(area, name, note=None):
    return {"area": area, "name": name, "note": note}
