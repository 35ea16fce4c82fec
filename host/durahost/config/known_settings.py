"""App settings that the platform knows: what each does here.

Source of the names: Azure/azure-functions-host: EnvironmentSettingNames.cs, RpcWorkerConstants.cs;
Azure/azure-functions-python-worker: constants.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

NO_EFFECT: Mapping[str, str] = MappingProxyType(
    {
        "FUNCTIONS_WORKER_RUNTIME_VERSION": "the interpreter decides: see --python",
        "AzureWebJobsSecretStorageType": "keys are in .durahost",
        "AzureWebJobsFeatureFlags": "no feature is switched by a flag here",
        "AzureFunctionsWebHost__hostid": "the host id comes from the machine's name and the root",
        "PYTHON_ISOLATE_WORKER_DEPENDENCIES": "the app's packages are always alone",
        "PYTHON_ENABLE_OPENTELEMETRY": "no telemetry is sent",
        "APPINSIGHTS_INSTRUMENTATIONKEY": "no telemetry is sent",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "no telemetry is sent",
        "WEBSITE_RUN_FROM_PACKAGE": "the app runs from its folder",
        "SCM_DO_BUILD_DURING_DEPLOYMENT": "nothing is built here",
        "ENABLE_ORYX_BUILD": "nothing is built here",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING": "the app runs from its folder",
        "WEBSITE_CONTENTSHARE": "the app runs from its folder",
    }
)
"""Settings that mean something on Azure and change nothing here, and why."""

NOT_NEEDED = ("AzureWebJobsStorage", "FUNCTIONS_EXTENSION_VERSION")
"""Settings that every app has for Azure's sake; that they change nothing is no news."""


def find_without_effect(names: Iterable[str]) -> Sequence[str]:
    """Those among the names that change nothing here; names compare without case."""
    known = {name.lower() for name in NO_EFFECT}
    return [name for name in names if name.lower() in known]
