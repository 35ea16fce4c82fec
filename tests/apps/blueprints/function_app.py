"""An app of several blueprints, plain and durable ones."""

import azure.durable_functions as df
import azure.functions as func
from parts import bindings, flows, greetings

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(greetings.bp)
app.register_blueprint(bindings.bp)
app.register_functions(flows.bp)


@app.function_name("own_name")
@app.route(route="named/{who:alpha?}", methods=["GET", func.HttpMethod.PUT])
def any_name(req: func.HttpRequest) -> str:
    return f"{req.method} {req.route_params.get('who')}"
