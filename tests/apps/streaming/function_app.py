"""HTTP functions whose bodies stream both ways, through the FastAPI extension."""

import asyncio
import logging
import os
import time
from pathlib import Path

import azure.functions as func
from azurefunctions.extensions.http.fastapi import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Request,
    Response,
    StreamingResponse,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
GATES = Path(os.environ["GATES"])


async def gate(name):
    """Wait until the test makes the file."""
    while not (GATES / name).exists():  # noqa: ASYNC110  # another process makes it
        await asyncio.sleep(0.01)


def note(name):
    (GATES / name).touch()


@app.route("ticks/{number:int}")
async def ticks(req: Request) -> StreamingResponse:
    async def parts():
        try:
            for tick in range(int(req.path_params["number"])):
                yield f"tick {tick}\n"
                logging.info("sent %d", tick)
                await gate(f"tick{tick}")
            if "fail" in req.query_params:
                raise ValueError("in the middle")
            if "die" in req.query_params:
                os._exit(3)
        finally:
            note("closed")

    return StreamingResponse(parts(), media_type="text/event-stream")


@app.route("much")
def much(req: Request) -> StreamingResponse:
    made = GATES / "made"

    def parts():
        for number in range(int(req.query_params["parts"])):
            made.write_text(str(number))
            yield b"x" * 2**20

    return StreamingResponse(parts())


@app.route("upload", methods=["POST", "PUT"])
async def upload(req: Request) -> PlainTextResponse:
    got = ""
    async for part in req.stream():
        got += part.decode()
        note(f"got {part.decode()}")
    return PlainTextResponse(got)


@app.route("size", methods=["POST"])
async def size(req: Request) -> JSONResponse:
    count = largest = 0
    async for part in req.stream():
        count, largest = count + len(part), max(largest, len(part))
    return JSONResponse({"size": count, "largest": largest})


@app.route("ignores", methods=["POST"])
def ignores(req: Request) -> PlainTextResponse:
    return PlainTextResponse("not read")


@app.route("seen/{name}/{kind?}")
async def seen(req: Request, context: func.Context) -> JSONResponse:
    return JSONResponse(
        {
            "method": req.method,
            "url": str(req.url),
            "headers": req.headers.items(),
            "query": req.query_params.multi_items(),
            "path": dict(req.path_params),
            "body": (await req.body()).decode(),
            "client": req.client.host,
            "invocation": context.invocation_id,
        },
        status_code=201,
        headers={"x-own": "yes"},
    )


@app.route("kinds/{kind}")
def kinds(req: Request):
    """Whatever a route of FastAPI may return."""
    return {
        "text": lambda: "text",
        "number": lambda: 5,
        "list": lambda: [1, {"a": None}],
        "html": lambda: HTMLResponse("<p>"),
        "plain": lambda: PlainTextResponse("plain", headers={"set-cookie": "a=b; Path=/"}),
        "moved": lambda: RedirectResponse("/api/kinds/text"),
        "empty": lambda: Response(status_code=204),
        "file": lambda: FileResponse(__file__, media_type="text/x-python"),
        "none": lambda: None,
        "unknown": object,
        "raises": lambda: 1 / 0,
    }[req.path_params["kind"]]()


@app.route("slow")
def slow(req: Request) -> PlainTextResponse:
    time.sleep(float(req.query_params["seconds"]))
    return PlainTextResponse("awake")


@app.route("dies")
def dies(req: Request) -> Response:
    os._exit(3)


@app.function_name("Never")
@app.timer_trigger("timer", schedule="0 0 0 1 1 *")
def never(timer: func.TimerRequest) -> None:
    logging.info("the timer ran")
