"""The script that the app's interpreter runs: it loads the child's package under a private name.

Nothing but the interpreter's own library is imported before the pipe is taken, and the folder this
file lies in never stays on the path: it holds module names that are nobody else's business.
"""

import sys

PACKAGE = "_durahost_child"


def main() -> None:
    """Serve the host at the other end of stdin and stdout until it closes them."""
    if sys.version_info < (3, 10):  # noqa: UP036 - this very check is for older ones
        found = ".".join(str(part) for part in sys.version_info[:2])
        raise SystemExit(
            f"the app's interpreter {sys.executable} is Python {found}; 3.10 or newer is needed"
        )
    folder = __file__.replace("\\", "/").rpartition("/")[0]
    if sys.path and sys.path[0].replace("\\", "/") == folder:
        del sys.path[0]
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        PACKAGE, f"{folder}/__init__.py", submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise SystemExit(f"the worker's package cannot be loaded from {folder}; reinstall durahost")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    pipe = importlib.import_module(f"{PACKAGE}.pipe")
    pipe.serve()


if __name__ == "__main__":
    main()
