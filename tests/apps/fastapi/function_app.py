"""A FastAPI app served whole."""

import contextlib

import azure.functions as func
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

EVENTS: list[str] = []


@contextlib.asynccontextmanager
async def lifespan(_):
    EVENTS.append("started")
    yield
    EVENTS.append("stopped")


web = FastAPI(lifespan=lifespan)


@web.get("/items/{number}")
async def item(number: int, request: Request, q: str = ""):
    scope = request.scope
    return {
        "number": number,
        "q": q,
        "events": EVENTS,
        "path": scope["path"],
        "client": scope["client"],
        "http_version": scope["http_version"],
        "azure": sorted(key for key in scope if key.startswith("azure_functions.")),
        "function": scope["azure_functions.function_name"],
    }


@web.post("/echo")
async def echo(request: Request):
    body = await request.body()
    kind = request.headers["content-type"]
    return Response(body, status_code=201, headers={"X-Size": str(len(body))}, media_type=kind)


@web.get("/stream")
def stream():
    return StreamingResponse(iter(["a", "b"]), media_type="text/plain")


@web.get("/cookies")
def cookies(response: Response):
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return "ok"


@web.get("/fails")
def fails():
    raise ValueError("no")


app = func.AsgiFunctionApp(app=web, http_auth_level=func.AuthLevel.ANONYMOUS)
