"""User code's records as records of the host's logging, under the categories that Azure gives
them.
"""

import logging

from durahost.worker.base import WorkerLog

USER_LOGS = "Function"
"""Below it: `Function.<name>.User`. Source: Azure/azure-functions-host: LogCategories.cs."""

SYSTEM_LOGS = "Worker"


def write_user_log(record: WorkerLog) -> None:
    """Hand one record of a worker to the host's logging."""
    if record.is_system:
        name = f"{SYSTEM_LOGS}.{record.category}"
    else:
        name = f"{USER_LOGS}.{record.function}.User" if record.function else USER_LOGS
    extra = {"function": record.function, "invocation_id": record.invocation_id}
    logging.getLogger(name).log(record.level, "%s", record.message, extra=extra)
