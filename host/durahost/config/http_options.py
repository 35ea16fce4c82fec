"""`extensions.http` of host.json.

Sources: Azure/azure-webjobs-sdk-extensions: HttpOptions.cs; Azure/azure-functions-host:
HostHstsOptions.cs, CustomHttpHeadersOptionsSetup.cs.
"""

from durahost.config.option_tree import OptionTree
from durahost.config.settings import HstsSettings, HttpSettings

PATH = "extensions:http"
NOT_ACTED_ON = frozenset(
    {
        "dynamicthrottlesenabled",
        "enablechunkedrequestbinding",
        "maxoutstandingrequests",
        "maxconcurrentrequests",
        "hsts",
        "customheaders",
    }
)
"""Keys that change nothing here, lower case."""


def build_http_settings(options: OptionTree) -> HttpSettings:
    """Build the settings; a value of a wrong type is a fault of the options."""
    default = HttpSettings()
    prefix = options.text(f"{PATH}:routePrefix")
    for name in ("dynamicThrottlesEnabled", "enableChunkedRequestBinding"):
        options.boolean(f"{PATH}:{name}", False)
    return HttpSettings(
        route_prefix=default.route_prefix if prefix is None else prefix,
        max_outstanding_requests=_limit(options, "maxOutstandingRequests"),
        max_concurrent_requests=_limit(options, "maxConcurrentRequests"),
        hsts=_build_hsts(options),
        custom_headers={
            name: options.text(f"{PATH}:customHeaders:{name}") or ""
            for name in options.names(f"{PATH}:customHeaders")
        },
    )


def _limit(options: OptionTree, name: str) -> int:
    """-1, or at least 1.

    Source: Azure/azure-functions-host: HttpRequestQueue.cs; dotnet/runtime: DataflowBlockOptions.cs
    (its queue refuses the value).
    """
    path = f"{PATH}:{name}"
    value = options.integer(path, -1)
    if value == -1 or value > 0:
        return value
    options.refuse(
        path,
        "Specified argument was out of the range of valid values. (Parameter 'value')",
        f"{path.replace(':', '.')} is {value}; it must be at least 1, or -1 for no limit.",
    )
    return -1


def _build_hsts(options: OptionTree) -> HstsSettings:
    path, default = f"{PATH}:hsts", HstsSettings()
    return HstsSettings(
        is_enabled=options.boolean(f"{path}:isEnabled", default.is_enabled),
        max_age=options.timespan(f"{path}:maxAge", default.max_age),
        include_subdomains=options.boolean(f"{path}:includeSubDomains", default.include_subdomains),
        preload=options.boolean(f"{path}:preload", default.preload),
        # The binder adds to a list that has elements already.
        excluded_hosts=(*default.excluded_hosts, *options.texts(f"{path}:excludedHosts")),
    )
