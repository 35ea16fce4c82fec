"""Functions that show what they were asked, and answer in every way that HTTP has."""

import json
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def seen(req: func.HttpRequest) -> func.HttpResponse:
    asked = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(asked), mimetype="application/json")


@app.route("seen/{number:int}/{rest?}")
def numbered(req: func.HttpRequest) -> func.HttpResponse:
    return seen(req)


@app.route("seen/{name=nobody}.{kind:alpha}")
def named(req: func.HttpRequest) -> func.HttpResponse:
    return seen(req)


@app.route("files/{*path}")
def files(req: func.HttpRequest) -> func.HttpResponse:
    return seen(req)


@app.route("products/{id}", methods=["GET"])
def details(req: func.HttpRequest) -> str:
    return f"details of {req.route_params['id']}"


@app.route("products/list", methods=["GET", "POST", "HEAD"])
def listed(req: func.HttpRequest) -> str:
    return "the list"


@app.route("bad/{id")
def bad(req: func.HttpRequest) -> str:
    return "never"


@app.route("keyed", auth_level=func.AuthLevel.FUNCTION)
def keyed(req: func.HttpRequest) -> str:
    return "keyed"


@app.route("answer")
def answer(req: func.HttpRequest) -> func.HttpResponse:
    asked = req.get_json()
    response = func.HttpResponse(
        asked.get("body"),
        status_code=asked.get("status"),
        headers=asked.get("headers"),
        mimetype=asked.get("mimetype"),
        charset=asked.get("charset"),
    )
    for name, value in asked.get("more", ()):
        response.headers.add(name, value)
    return response


@app.route("large")
def large(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(b"x" * int(req.params["size"]))


@app.route("wait")
def wait(req: func.HttpRequest) -> str:
    time.sleep(float(req.params["seconds"]))
    return "waited"
