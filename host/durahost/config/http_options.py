"""`extensions.http` of host.json.

Sources: Azure/azure-webjobs-sdk-extensions: HttpOptions.cs; Azure/azure-functions-host:
HostHstsOptions.cs, CustomHttpHeadersOptionsSetup.cs.
"""

import re

from durahost.config.option_tree import OptionTree
from durahost.config.settings import HstsSettings, HttpSettings

PATH = "extensions:http"
NOT_ACTED_ON = frozenset({"dynamicthrottlesenabled", "enablechunkedrequestbinding"})
"""Keys that change nothing here, lower case."""


_NOT_IN_NAME = re.compile(r"[^-!#$%&'*+.^_`|~0-9A-Za-z]")
_NOT_IN_VALUE = re.compile(r"[^\t\x20-\x7e]")
_SERVER_OWNED = frozenset({"connection", "content-length", "date", "transfer-encoding"})
"""What frames an answer; none of these can be added."""


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
        custom_headers=_build_headers(options),
    )


def _build_headers(options: OptionTree) -> dict[str, str]:
    """Each as host.json has it; a name or value that no header may have is a fault.

    Source of the text: dotnet/aspnetcore: Kestrel/Core/src/CoreStrings.resx
    (InvalidAsciiOrControlChar); there each answer fails with it.
    """
    headers: dict[str, str] = {}
    for name in options.names(f"{PATH}:customHeaders"):
        path = f"{PATH}:customHeaders:{name}"
        value = options.text(path) or ""
        wrong = _NOT_IN_NAME.search(name) or _NOT_IN_VALUE.search(value)
        if wrong:
            options.refuse(
                path,
                f"Invalid non-ASCII or control character in header: 0x{ord(wrong.group()):04X}",
                f"Correct {path.replace(':', '.')}; a header is plain ASCII.",
            )
        elif name.lower() not in _SERVER_OWNED:
            headers[name] = value
    return headers


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
