import azure.functions as func
from shared.notes import note

app = func.FunctionApp()


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def every_second(timer: func.TimerRequest) -> None:
    note("every_second", timer)


@app.schedule(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True, use_monitor=False)
def at_start(timer: func.TimerRequest) -> None:
    note("at_start", timer)
