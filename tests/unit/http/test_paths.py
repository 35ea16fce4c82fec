"""What a path names before any function is asked."""

import pytest

from durahost.http.paths import find_extension, is_admin

pytestmark = pytest.mark.feature("Functions host", "Host endpoints come before the app's routes")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/admin", True), ("/ADMIN/x", True), ("/%61dmin/x", True), ("/administrators", False),
        ("/api/admin", False), ("/admin%2Fx", False), ("/", False),
    ],
)  # fmt: skip
def test_admin_paths(path, expected):
    assert is_admin(path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/runtime/webhooks/durabletask/instances", "durabletask"),
        ("/Runtime/Webhooks/DurableTask", "durabletask"),
        ("/runtime/web%68ooks/a+b/c", "a b"),
        ("/runtime/webhooks/", None),
        ("/runtime/webhooks", None),
        ("/api/runtime/webhooks/x", None),
    ],
)
def test_extensions(path, expected):
    assert find_extension(path) == expected
