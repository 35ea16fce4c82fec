"""The app taken offline by a file in its root, and brought back by the file's removal.

Source: Azure/azure-functions-host: Extensions/HttpContextExtensions.cs (SetOfflineResponseAsync),
FileMonitoringService.cs (SetAppOfflineState), ScriptConstants.cs.
"""

from starlette.responses import Response

from durahost.host_state import Generation, HostState
from durahost.http.errors import empty

OFFLINE_FILE = "app_offline.htm"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Offline</title></head>
<body><h1>This app is offline</h1></body>
</html>
"""


def offline_response(state: HostState) -> Response:
    """503 with the file's content; without a body when the file is gone again."""
    try:
        page = state.offline_page.read_bytes() if state.offline_page else b""
    except OSError:
        page = b""
    return Response(page, 503, headers={"content-type": "text/html"})


async def await_app(state: HostState, hold_s: float) -> Generation | Response:
    """What an admin action that needs the app works with, or its refusal.

    Source: the same (WaitForRunningHostAsync); ExceptionMiddleware.cs drops the text.
    """
    if state.is_offline:
        return offline_response(state)
    return await state.wait_until_running(hold_s) or empty(503)


def take_offline(state: HostState) -> None:
    """Write the file. Errors: OSError."""
    if state.offline_page is None:
        raise FileNotFoundError("No file takes this app offline.")
    state.offline_page.write_text(_PAGE, encoding="utf-8")
    state.look_again()


def bring_back(state: HostState) -> None:
    """Remove the file. Errors: OSError."""
    if state.offline_page is not None:
        state.offline_page.unlink(missing_ok=True)
        state.look_again()
