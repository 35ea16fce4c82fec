"""The HTTP floor: Starlette on uvicorn calls one azure-functions function on a thread.

`floor_http.py serve PORT` is the server; uvloop and httptools, no access log, no host.
"""

import asyncio
import subprocess
import sys

from http_client import wait_until_served
from load import report
from processes import free_port, stop, wrk


def serve(port):
    import azure.functions as func
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    def hello(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(f"Hello, {req.params.get('name', 'World')}")

    async def endpoint(request):
        made = func.HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            params=dict(request.query_params),
            route_params=request.path_params,
            body=await request.body(),
        )
        answer = await asyncio.get_running_loop().run_in_executor(None, hello, made)
        return Response(answer.get_body(), answer.status_code, media_type=answer.mimetype)

    app = Starlette(routes=[Route("/api/hello", endpoint, methods=["GET", "POST"])])
    quiet = {"log_level": "warning", "access_log": False}
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", **quiet)


def main(wanted):
    if "W5-64" not in wanted:
        return
    port = free_port()
    server = subprocess.Popen([sys.executable, __file__, "serve", str(port)])
    try:
        asyncio.run(wait_until_served(port, "/api/hello"))
        per_s = wrk(f"http://127.0.0.1:{port}/api/hello?name=World", 64)
    finally:
        stop(server)
    found = {"per_s": per_s} if per_s is not None else {"missing": "wrk is not installed"}
    report("W5-64", **found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    else:
        main(sys.argv[1:])
