import azure.functions as func


def main(message: func.QueueMessage, copy: func.Out[str]) -> None:
    copy.set(f"{message.get_body().decode()} ({message.dequeue_count})")
