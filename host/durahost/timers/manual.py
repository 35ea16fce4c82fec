"""A timer function's call beside its schedule, as `POST /admin/functions/{name}` makes it.

Source: Azure/azure-webjobs-sdk-extensions: TimerTriggerBinding.cs (BindAsync): what a caller gives
as input is no TimerInfo and does not count; the schedule goes on as if nothing had been.
"""

from durahost.codec.timers import timer_info
from durahost.functions.timer_trigger import read_trigger
from durahost.invocations import Call
from durahost.model.functions import FunctionMetadata
from durahost.timers.listener import TimerBench
from durahost.worker.base import TypedData


async def manual_call(function: FunctionMetadata, bench: TimerBench) -> Call:
    """What to invoke a timer function with, once and without its retry policy.

    Shape: the timer's stored status when it is monitored; IsPastDue is false.
    Errors: StoreError.
    """
    trigger = read_trigger(function.trigger)
    is_monitored = trigger.is_monitored(bench.clock.now(), bench.zone)
    status = await bench.monitor.read(function.name) if is_monitored else None
    info = timer_info(
        status, bench.zone, adjusts_for_dst=trigger.schedule.adjusts_for_dst, is_past_due=False
    )
    return Call(trigger=TypedData("json", info))
