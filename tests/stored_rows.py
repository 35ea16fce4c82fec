"""What stands in a store, as rows of one shape: read from a database file, or out of memory."""

import sqlite3
from contextlib import closing, contextmanager

from durahost.store.sqlite.rows import state_values, to_microseconds


class FileRows:
    """All hubs of a database file."""

    def __init__(self, database):
        self._database = database
        views = "SELECT name FROM sqlite_master WHERE type = 'view'"
        # No schema stands in a file whose host died before it had made one (C28).
        is_made = ("instance_state",) in map(tuple, database.execute(views))
        rows = database.execute("SELECT * FROM instance_state").fetchall() if is_made else []
        self.instances = rows

    def of(self, instance):
        """History, inbox and activities of one instance."""
        return {
            table: self._database.execute(
                f"SELECT * FROM {table} WHERE instance_row = ? ORDER BY 1, 2",
                (instance["instance_row"],),
            ).fetchall()
            for table in ("history", "inbox", "task")
        }

    def orphans(self):
        """How many rows of each table belong to no instance."""
        if not self.instances:
            return {}
        query = (
            "SELECT count(*) FROM {} WHERE instance_row NOT IN (SELECT instance_row FROM instance)"
        )
        tables = ("history", "inbox", "task", "input")
        return {t: self._database.execute(query.format(t)).fetchone()[0] for t in tables}


@contextmanager
def read_file(path):
    """One committed state of the file, also while a host writes it."""
    uri = f"file:{path}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        database.execute("BEGIN")
        yield FileRows(database)


class MemoryRows:
    """One hub of a store in memory, with the columns of a database."""

    def __init__(self, name, hub):
        self._found = {id(one): one for one in hub._instances.values()}
        self._tasks = list(hub._tasks.values())
        self.instances = [_instance(name, one) for one in self._found.values()]

    def of(self, instance):
        """History, inbox and activities of one instance."""
        one = self._found[instance["instance_row"]]
        inbox = [
            {
                "message_id": message_id,
                "execution_id": message.execution_id,
                "visible_at": to_microseconds(message.visible_at),
                **_event(message.event),
            }
            for message_id, message in one.inbox.items()
        ]
        task = [{"task_id": t.task.task_id} for t in self._tasks if t.instance is one]
        return {"history": event_rows(one.history), "inbox": inbox, "task": task}

    def orphans(self):
        """How many activities belong to no instance."""
        return {"task": sum(id(task.instance) not in self._found for task in self._tasks)}


def _instance(hub, one):
    due_at = one.due_at
    return {
        **instance_row(one.state, one.history),
        "instance_row": id(one),
        "itself": one,  # as long as the row is known, no other instance has its number
        "hub": hub,
        "due_at": None if due_at is None else to_microseconds(due_at),
        "claim_owner": one.claim.owner,
    }


def _event(event):
    return {
        "kind": event.kind.value,
        "timestamp": to_microseconds(event.timestamp),
        "task_id": event.task_id,
        "name": event.name,
        "payload": event.text,
    }


def event_rows(history):
    """A history in memory as rows."""
    return [{"seq": seq, **_event(event)} for seq, event in enumerate(history)]


def instance_row(state, history):
    """A row as a store would keep it beside this history, without messages."""
    return {
        **state_values(state),
        "hub": "",
        "next_seq": len(history),
        "due_at": None,
        "claim_owner": None,
    }
