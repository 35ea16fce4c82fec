"""What each recorded orchestration of tests/histories proves, as rows of docs/compatibility.md."""

import pytest

CALLS = ("Orchestrations", "Activity calls")
COMPOUNDS = ("Orchestrations", "`task_all` and `task_any`")
NESTED = ("Orchestrations", "Compounds in compounds")
OPEN = ("Orchestrations", "Open work holds completion")
VALUES = ("Orchestrations", "Inputs and outputs as the SDK gives them")
ERRORS = ("Orchestrations", "Orchestrator errors with the SDK's state")
CHILDREN = ("Sub-orchestrations", "Calls")
RACES = ("Timers", "Races with activities")
LONG = ("Timers", "Timers of more than six days")
WAITS = ("External events", "Waiting and raising")
SAME_NAME = ("External events", "Several events and waits of one name")
EARLY = ("External events", "Events that come before the wait")
ATTEMPTS = ("Retries", "Attempts, back-off, longest interval")
ENTITY_CALLS = ("Entities", "Calls")
HTTP = ("Durable HTTP", "Requests: method, headers, content")

FEATURES = {
    "activity_failure_uncaught": [CALLS, ERRORS],
    "activity_retry_exhausted": [ATTEMPTS, ("Retries", "The extra timer after the last attempt")],
    "activity_retry_success": [ATTEMPTS],
    "call_http_200": [HTTP],
    "call_http_202_no_polling": [("Durable HTTP", "A 202 is handed back unless polling is asked")],
    "continue_as_new": [("Continue-as-new", "The next generation: input, fresh history")],
    "continue_as_new_carries_events": [("Continue-as-new", "Carry-over of events")],
    "custom_object_output": [VALUES],
    "custom_status": [("Orchestrations", "Custom status and its limit of 16 KB")],
    "deterministic_values": [("Orchestrations", "`new_guid`, `new_uuid`, time, `is_replaying`")],
    "entity_call_error": [ENTITY_CALLS, ("Entities", "Failures of operations")],
    "entity_call_host_timeout": [ENTITY_CALLS, ("Entities", "Failures of operations")],
    "entity_signal_and_call": [ENTITY_CALLS, ("Entities", "Signals")],
    "event_before_wait": [EARLY],
    "event_from_python_client": [WAITS],
    "exception_with_outstanding_task": [ERRORS, OPEN],
    "external_event": [WAITS],
    "fan_out_fan_in": [CALLS, COMPOUNDS],
    "function_chaining": [CALLS, VALUES],
    "long_timer_race": [LONG, RACES],
    "long_timer_v3": [LONG],
    "long_timer_without_durations": [LONG],
    "nested_compound": [NESTED],
    "non_generator": [("Orchestrations", "Orchestrators that are no generators")],
    "one_buffered_event_two_waits": [SAME_NAME, EARLY],
    "orchestration_version": [
        ("Versions", "`context.version`"),
        ("Versions", "Versions of children"),
    ],
    "orchestrator_exception": [ERRORS],
    "retry_in_fan_out": [("Retries", "Retried calls side by side")],
    "same_task_yielded_twice": [
        ("Orchestrations", "A task that is yielded again, empty compounds")
    ],
    "schema_v1": [("Orchestrations", "Replay schema V1")],
    "schema_v2": [("Orchestrations", "Replay schema V2")],
    "sub_orchestration": [
        CHILDREN,
        ("Sub-orchestrations", "Default ids"),
        ("Sub-orchestrations", "Given ids"),
    ],
    "sub_orchestration_failure": [("Sub-orchestrations", "Failures are raised in the caller")],
    "sub_orchestration_retry": [("Sub-orchestrations", "Calls with retry")],
    "suspend_resume": [("Orchestrations", "Suspension holds results back")],
    "task_all_failure": [COMPOUNDS],
    "task_any_loop": [COMPOUNDS, NESTED],
    "terminate": [("Orchestrations", "Termination with work outstanding")],
    "timer_race_activity_wins": [RACES, ("Timers", "Cancelled timers")],
    "timer_race_no_cancel": [RACES, OPEN],
    "timer_race_timer_wins": [RACES, OPEN],
    "two_buffered_events_same_name": [SAME_NAME, EARLY],
    "two_concurrent_waits_same_name": [SAME_NAME],
    "yielding_a_signal": [("Entities", "Signals")],
}
V3 = ("Orchestrations", "Replay schema V3")


def marks_of(recorded):
    """The markers of one recording."""
    is_v3 = recorded["episodes"][0]["context"].get("upperSchemaVersionNew") == 2
    features = [*FEATURES[recorded["name"]], *([V3] if is_v3 else [])]
    return [pytest.mark.feature(*feature) for feature in features]
