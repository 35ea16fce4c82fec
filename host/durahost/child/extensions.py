"""Worker extensions of azure-functions 1.x: hooks of packages around loading and calling functions.

They run when PYTHON_ENABLE_WORKER_EXTENSIONS says so, and never from Python 3.13 on, where the
platform's worker has none. A hook that raises is logged, and the call goes on.
Source: Azure/azure-functions-python-worker: extension.py (ExtensionManager).
"""

import logging
import os
import sys
from types import ModuleType
from typing import Any

logger = logging.getLogger("azure_functions_worker")

SETTING = "PYTHON_ENABLE_WORKER_EXTENSIONS"
LAST_PYTHON = (3, 12)
TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y"})


class Extensions:
    """The extensions that the app's code registers with its `azure.functions`."""

    def __init__(self, functions: ModuleType) -> None:
        is_on = os.environ.get(SETTING, "").strip().lower() in TRUE_WORDS
        self._meta = None
        if is_on and sys.version_info[:2] <= LAST_PYTHON:
            self._meta = getattr(functions, "ExtensionMeta", None)
            _tell(functions, self._meta is not None)

    @property
    def are_on(self) -> bool:
        """Whether any hook could run."""
        return self._meta is not None

    def loaded(self, function: str, directory: str) -> None:
        """A function stands: its own extensions are told, then those of the app."""
        if self._meta is None:
            return
        logger.info(
            "Python Worker Extension Manager is loading %s, current registered extensions: %s",
            function,
            self._meta.get_registered_extensions_json(),
        )
        for hook in self._hooks(function, "post_function_load"):
            _call(hook, logger, function, directory)
        for hook in self._app_hooks("post_function_load_app_level"):
            _call(hook, logger, function, directory)

    def before(self, context: Any, arguments: dict[str, Any]) -> None:
        """A call begins: the app's extensions first. They may change the arguments."""
        hooks = [
            *self._app_hooks("pre_invocation_app_level"),
            *self._hooks(context.function_name, "pre_invocation"),
        ]
        for hook in hooks:
            own = _logger_of(hook)
            _call(hook, own, own, context, arguments)

    def after(self, context: Any, arguments: dict[str, Any], result: Any) -> None:
        """A call returned: the app's extensions last."""
        hooks = [
            *self._hooks(context.function_name, "post_invocation"),
            *self._app_hooks("post_invocation_app_level"),
        ]
        for hook in hooks:
            own = _logger_of(hook)
            _call(hook, own, own, context, arguments, result)

    def _hooks(self, function: str, name: str) -> list[Any]:
        return _named(self._meta and self._meta.get_function_hooks(function), name)

    def _app_hooks(self, name: str) -> list[Any]:
        return _named(self._meta and self._meta.get_application_hooks(), name)


def _named(hooks: Any, name: str) -> list[Any]:
    return list(getattr(hooks, name, ())) if hooks else []


def _logger_of(hook: Any) -> logging.Logger:
    return logging.getLogger(f"azure_functions_worker.extension.{hook.ext_name}")


def _call(hook: Any, own: logging.Logger, *arguments: Any) -> None:
    try:
        hook.ext_impl(*arguments)
    except Exception as error:  # noqa: BLE001  # an extension must not fail the function
        own.error(error, exc_info=True)


def _tell(functions: ModuleType, has_extensions: bool) -> None:
    version = getattr(functions, "__version__", "undefined")
    if has_extensions:
        logger.info(
            "Python Worker Extension is enabled in azure.functions (%s). Sdk path: %s",
            version,
            functions.__file__,
        )
        return
    logger.warning(
        "The azure.functions (%s) does not support Python worker extensions. If you believe"
        " extensions are correctly installed, please set the PYTHON_ISOLATE_WORKER_DEPENDENCIES and"
        ' %s to "true"',
        version,
        SETTING,
    )
