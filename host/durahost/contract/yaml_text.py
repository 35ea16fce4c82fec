"""YAML as people mean it in cases: dates are text, and a key stands only once."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from durahost.contract.errors import CaseError


class _Loader(yaml.SafeLoader):
    pass


def _build_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    """Build a mapping, refusing a key that is there twice."""
    keys = [key.value for key, _ in node.value]
    for (key, _), name in zip(node.value, keys, strict=True):
        if isinstance(name, str) and keys.count(name) > 1:
            problem = f"the key '{name}' is there twice"
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _build_mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> dict[str, Any]:
    """Read a file whose top is a mapping. Errors: CaseError."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.YAMLError as error:
        raise CaseError(f"{path.name} is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise CaseError(f"{path.name} holds no mapping; docs/contract.md shows the format.")
    return document
