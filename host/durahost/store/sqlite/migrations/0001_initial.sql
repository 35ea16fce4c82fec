-- Times are integer microseconds UTC of the app's clock; claim_until is real monotonic seconds of
-- the process that holds the file, and void once another one opens it.
-- status is the number of DurableTask's OrchestrationStatus, kind that of its EventType.

-- due_at: when the earliest message may be delivered; NULL without messages. It is derived from the
-- inbox, so that finding ready instances costs nothing for those that only wait or have ended.
CREATE TABLE instance (
  instance_row INTEGER PRIMARY KEY AUTOINCREMENT,
  hub TEXT NOT NULL,
  id TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  due_at INTEGER,
  claim_token INTEGER NOT NULL DEFAULT 0,
  claim_owner TEXT,
  claim_until REAL NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_seq INTEGER NOT NULL DEFAULT 0,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  status INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  completed_at INTEGER,
  scheduled_at INTEGER,
  parent_id TEXT,
  parent_execution_id TEXT,
  parent_name TEXT,
  parent_version TEXT,
  parent_task_id INTEGER,
  tags TEXT,
  custom_status TEXT,
  input TEXT,
  output TEXT
);
CREATE UNIQUE INDEX instance_by_id ON instance (hub, id);
CREATE INDEX instance_by_due ON instance (hub, due_at, id) WHERE due_at IS NOT NULL;

-- The current execution only.
CREATE TABLE history (
  instance_row INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  task_id INTEGER,
  name TEXT,
  site TEXT,
  payload TEXT NOT NULL,
  PRIMARY KEY (instance_row, seq)
) WITHOUT ROWID;

-- execution_id NULL: for whichever execution is current.
CREATE TABLE inbox (
  message_id INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_row INTEGER NOT NULL,
  hub TEXT NOT NULL,
  execution_id TEXT,
  visible_at INTEGER NOT NULL,
  is_carried INTEGER NOT NULL,
  dedupe_key TEXT,
  kind INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  task_id INTEGER,
  name TEXT,
  site TEXT,
  payload TEXT NOT NULL
);
CREATE INDEX inbox_by_instance ON inbox (instance_row, visible_at);
CREATE UNIQUE INDEX inbox_by_dedupe_key ON inbox (hub, dedupe_key) WHERE dedupe_key IS NOT NULL;

CREATE TABLE task (
  task_row INTEGER PRIMARY KEY,
  instance_row INTEGER NOT NULL,
  hub TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  task_id INTEGER NOT NULL,
  claim_token INTEGER NOT NULL DEFAULT 0,
  claim_owner TEXT,
  claim_until REAL NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  name TEXT NOT NULL,
  input TEXT
);
CREATE UNIQUE INDEX task_by_instance ON task (instance_row, task_id);
CREATE INDEX task_by_hub ON task (hub);

CREATE TABLE host (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
