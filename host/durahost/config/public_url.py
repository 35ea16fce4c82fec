"""The address at which clients reach the app, for links that no request gives an origin.

Source: Azure/azure-functions-host: WebHooks/DefaultScriptWebHookProvider.cs
(GetExtensionWebHookRoute), HostNameProvider.cs.
"""

import re

from durahost.model.errors import ConfigError

HOST_NAME_SETTING = "WEBSITE_HOSTNAME"

_AUTHORITY = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_ANY_ADDRESS = re.compile(r"(?:0\.0\.0\.0|\[::\])(?::[0-9]+)?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def parse_public_url(url: str) -> str:
    """The origin in a public URL, canonical: lower-case, no default port.

    Errors: ValueError, its text says what is wrong, for what is more or less than an origin.
    """
    scheme, separator, rest = url.strip().partition("://")
    authority = rest.removesuffix("/")
    if not separator or scheme.lower() not in _DEFAULT_PORTS or not _AUTHORITY.fullmatch(authority):
        raise ValueError(f"'{url}' is not of the form http(s)://host or http(s)://host:port.")
    if _ANY_ADDRESS.fullmatch(authority):
        raise ValueError(f"'{url}' names no host that a client could reach.")
    return _origin(scheme.lower(), authority)


def origin_of_host_name(host_name: str | None) -> str | None:
    """The origin that WEBSITE_HOSTNAME of the process environment gives.

    Only `localhost:` means http, as on Azure. An address that means any gives nothing.
    Errors: ConfigError for what is no host name.
    """
    if not host_name or _ANY_ADDRESS.fullmatch(host_name):
        return None
    if not _AUTHORITY.fullmatch(host_name):
        raise ConfigError(
            f"{HOST_NAME_SETTING} is '{host_name}', which is no host name.",
            advice=f"Set {HOST_NAME_SETTING} to host or host:port, or unset it.",
        )
    is_local = host_name.lower().startswith("localhost:")
    return _origin("http" if is_local else "https", host_name)


def _origin(scheme: str, authority: str) -> str:
    return f"{scheme}://{authority.lower().removesuffix(_DEFAULT_PORTS[scheme])}"
