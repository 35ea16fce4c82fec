"""The address of links that no request gives an origin."""

import pytest

from durahost.config.public_url import origin_of_host_name, parse_public_url
from durahost.model.errors import ConfigError

pytestmark = pytest.mark.feature("Functions host", "`WEBSITE_HOSTNAME`, `--public-url`")


@pytest.mark.parametrize(
    ("host_name", "origin"),
    [
        ("localhost:7071", "http://localhost:7071"),
        ("LocalHost:80", "http://localhost"),
        ("localhost", "https://localhost"),
        ("127.0.0.1:7071", "https://127.0.0.1:7071"),
        ("My-App.azurewebsites.net", "https://my-app.azurewebsites.net"),
        ("app.example:443", "https://app.example"),
        ("[::1]:7071", "https://[::1]:7071"),
        ("0.0.0.0:7071", None),
        ("[::]:7071", None),
        ("", None),
        (None, None),
    ],
)
def test_host_names(host_name, origin):
    assert origin_of_host_name(host_name) == origin


@pytest.mark.parametrize("host_name", ["http://h", "h/x", "a b", "h:port", "h?", "user@h"])
def test_what_is_no_host_name(host_name):
    with pytest.raises(ConfigError, match="which is no host name") as caught:
        origin_of_host_name(host_name)
    assert "WEBSITE_HOSTNAME" in caught.value.advice


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://App.example", "https://app.example"),
        ("HTTPS://app.example:443/", "https://app.example"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_public_urls(url, origin):
    assert parse_public_url(url) == origin


@pytest.mark.parametrize(
    "url", ["app.example", "ftp://h", "http://", "http://h/path", "http://h?q", "http://u@h", ""]
)
def test_what_is_no_public_url(url):
    with pytest.raises(ValueError, match="not of the form http"):
        parse_public_url(url)


@pytest.mark.parametrize("url", ["http://0.0.0.0:7071", "https://[::]"])
def test_the_address_that_means_any_is_no_public_url(url):
    with pytest.raises(ValueError, match="no host that a client could reach"):
        parse_public_url(url)
