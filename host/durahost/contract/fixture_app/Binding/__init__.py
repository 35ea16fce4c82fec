"""Shows the durableClient binding as a function gets it."""

import azure.functions as func


def main(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """Answer with the binding's text."""
    return func.HttpResponse(client, mimetype="application/json")
