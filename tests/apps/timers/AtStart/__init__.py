import azure.functions as func

from ..shared.notes import note


def main(timer: func.TimerRequest) -> None:
    note("AtStart", timer)
