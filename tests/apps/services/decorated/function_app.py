"""Functions of services that nothing listens to here, and a timer."""

import json
import logging
from typing import List  # noqa: UP035 - likewise

import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger("message", queue_name="names", connection="Storage")
@app.blob_output("copy", path="copies/{id}", connection="Storage")
def OnMessage(message: func.QueueMessage, copy: func.Out[str]) -> None:
    copy.set(f"{message.get_body().decode()} ({message.dequeue_count})")


@app.blob_trigger("blob", path="samples/{name}", connection="Storage")
@app.queue_output("names", queue_name="names", connection="Storage")
def OnBlob(blob: func.InputStream, names: func.Out[bytes]) -> None:
    names.set(blob.read() + f" of {blob.name}, {blob.length}".encode())


@app.event_hub_message_trigger(
    "events", event_hub_name="hub", connection="Hub", cardinality=func.Cardinality.MANY
)
@app.service_bus_queue_output("$return", queue_name="counts", connection="Bus")
def OnEvents(events: List[func.EventHubEvent]) -> str:  # noqa: UP006 - the worker refuses list[...]
    return json.dumps([event.get_body().decode() for event in events])


@app.service_bus_queue_trigger("message", queue_name="counts", connection="Bus")
@app.cosmos_db_output("document", database_name="d", container_name="c", connection="Cosmos")
def OnCount(message: func.ServiceBusMessage, document: func.Out[func.Document]) -> None:
    document.set(func.Document({"id": "1", "body": message.get_body().decode()}))


@app.timer_trigger("timer", schedule="0 0 0 1 1 *")
@app.queue_output("names", queue_name="names", connection="Storage")
def OnTime(timer: func.TimerRequest, names: func.Out[str]) -> None:
    names.set(f"{timer.past_due} {timer.schedule}")


@app.cosmos_db_input("documents", database_name="d", container_name="c", connection="Cosmos")
@app.queue_trigger("message", queue_name="other", connection="Storage")
def Read(message: func.QueueMessage, documents: func.DocumentList) -> None:
    logging.info("documents: %s", documents)
    raise ValueError(message.get_body().decode())
