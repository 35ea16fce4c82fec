"""The page at `/` of an app that has no function there.

Source: Azure/azure-functions-host: Middleware/HomepageMiddleware.cs, HostController.cs.
"""

from starlette.responses import Response

_PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Your Functions 4.0 app is up and running</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36rem;padding:0 1rem}
</style></head>
<body><h1>Your Functions 4.0 app is up and running</h1>
<p>Served by durahost. The functions and their addresses are listed where it was started.</p>
</body>
</html>
"""


def home_page() -> Response:
    """The page; any method gets it."""
    return Response(_PAGE, headers={"content-type": "text/html"})
