"""Functions that return what the test says, through every kind of HTTP output."""

import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def said(req):
    """The value of the expression that the test sends."""
    return eval(req.get_body(), {"func": func})


@app.route("asked/{name}/{kind?}")
def asked(req: func.HttpRequest) -> func.HttpResponse:
    told = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "any case": req.headers.get("X-OnE"),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().hex(),
    }
    return func.HttpResponse(json.dumps(told), mimetype="application/json")


@app.route("json")
def read_json(req: func.HttpRequest) -> func.HttpResponse:
    try:
        return func.HttpResponse(repr(req.get_json()))
    except ValueError:
        return func.HttpResponse("ValueError")


@app.route("form")
def read_form(req: func.HttpRequest) -> func.HttpResponse:
    files = {name: [file.filename, file.read().decode()] for name, file in req.files.items()}
    return func.HttpResponse(json.dumps([dict(req.form), files]))


@app.route("returns")
def returns(req: func.HttpRequest):
    return said(req)


@app.route("adds")
def adds(req: func.HttpRequest) -> func.HttpResponse:
    """Headers of one name, which a dict cannot hold."""
    response = func.HttpResponse("added")
    for name, value in said(req):
        response.headers.add(name, value)
    return response


@app.generic_trigger("req", type="httpTrigger", route="silent", authLevel="anonymous")
def silent(req: func.HttpRequest):
    return said(req)


@app.generic_trigger("req", type="httpTrigger", route="named", authLevel="anonymous")
@app.generic_output_binding("res", type="http")
def named(req: func.HttpRequest, res: func.Out[func.HttpResponse]):
    value, returned = said(req)
    if value is not None:
        res.set(value)
    return returned
