"""A Flask app served whole."""

import azure.functions as func
import flask

web = flask.Flask(__name__)


@web.get("/items/<int:number>")
def item(number):
    environ = flask.request.environ
    return {
        "number": number,
        "q": flask.request.args.get("q"),
        "path": environ["PATH_INFO"],
        "azure": sorted(key for key in environ if key.startswith("azure_functions.")),
    }


@web.post("/form")
def form():
    file = flask.request.files["file"]
    return flask.jsonify([flask.request.form["name"], file.filename, file.read().decode()])


@web.get("/complains")
def complains():
    print("complaint", file=flask.request.environ["wsgi.errors"])
    return "never sent"


@web.get("/unavailable")
def unavailable():
    return "never sent", 503


app = func.WsgiFunctionApp(
    app=web.wsgi_app, http_auth_level=func.AuthLevel.ANONYMOUS, function_name="web"
)
