-- name: find_instance
-- What decides whether a message is accepted and an id may be used again.
SELECT instance_row, status, execution_id,
  parent_id, parent_execution_id, parent_name, parent_version, parent_task_id
FROM instance WHERE hub = :hub AND id = :id;

-- name: read_instance
-- The columns of an instance's state, in the order of rows.read_state.
SELECT
  id, execution_id, name, status, created_at, updated_at, version, generation, input, output,
  custom_status, completed_at, scheduled_at, parent_id, parent_execution_id, parent_name,
  parent_version, parent_task_id, tags
FROM instance_state WHERE hub = :hub AND id = :id;

-- name: query_instances
-- One page by id. x'FF' stands behind every UTF-8 character, so the range is exactly the prefix.
-- statuses is a bit mask over the status numbers.
SELECT
  id, execution_id, name, status, created_at, updated_at, version, generation, input, output,
  custom_status, completed_at, scheduled_at, parent_id, parent_execution_id, parent_name,
  parent_version, parent_task_id, tags
FROM instance_state
WHERE hub = :hub AND id >= :low AND id < :prefix || x'FF' AND id <> :after
  AND created_at BETWEEN :created_from AND :created_to
  AND (:statuses >> status) & 1
ORDER BY id
LIMIT :at_most;

-- name: read_history
SELECT kind, timestamp, payload, task_id, history.name, site
FROM instance JOIN history USING (instance_row)
WHERE instance.hub = :hub AND instance.id = :id
ORDER BY seq;

-- name: insert_instance
INSERT INTO instance (
  hub, id, execution_id, name, status, created_at, updated_at, version, generation, output,
  custom_status, completed_at, scheduled_at, parent_id, parent_execution_id, parent_name,
  parent_version, parent_task_id, tags
) VALUES (
  :hub, :id, :execution_id, :name, :status, :created_at, :updated_at, :version, :generation,
  :output, :custom_status, :completed_at, :scheduled_at, :parent_id, :parent_execution_id,
  :parent_name, :parent_version, :parent_task_id, :tags
)
RETURNING instance_row;

-- name: insert_input
INSERT INTO input (instance_row, input) VALUES (:instance_row, :input);

-- name: update_instance
-- A change that is no episode's own; a claim on the instance is void by it.
UPDATE instance
SET execution_id = :execution_id, status = :status, updated_at = :updated_at,
  completed_at = :completed_at, output = :output,
  parent_id = :parent_id, parent_execution_id = :parent_execution_id, parent_name = :parent_name,
  parent_version = :parent_version, parent_task_id = :parent_task_id,
  claim_token = claim_token + 1
WHERE hub = :hub AND id = :id
RETURNING instance_row;

-- name: find_idle_instance
-- The execution is still current, and no message waits for it.
SELECT instance_row FROM instance
WHERE hub = :hub AND id = :id AND execution_id = :execution_id AND due_at IS NULL;

-- name: restart_sequence
-- After a history was written anew.
UPDATE instance SET next_seq = :next_seq WHERE instance_row = :instance_row;

-- name: delete_instance
DELETE FROM instance WHERE instance_row = :instance_row;

-- name: delete_input
DELETE FROM input WHERE instance_row = :instance_row;

-- name: delete_history
DELETE FROM history WHERE instance_row = :instance_row;

-- name: delete_inbox
DELETE FROM inbox WHERE instance_row = :instance_row;

-- name: delete_tasks
DELETE FROM task WHERE instance_row = :instance_row
RETURNING task_row, instance_row, execution_id, task_id;

-- name: insert_message
-- To an instance whose row is known; refresh_due follows. No row: it is there already.
INSERT INTO inbox (
  instance_row, hub, execution_id, visible_at, is_carried, dedupe_key,
  kind, timestamp, payload, task_id, name, site
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (hub, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
RETURNING message_id;

-- name: last_message
SELECT ifnull(max(message_id), 0) FROM inbox;

-- name: find_sent
-- Kind 14: EventSent.
SELECT kind, timestamp, payload, task_id, name, site
FROM history WHERE instance_row = :instance_row AND kind = 14 AND instr(payload, :request_id);

-- name: readdress_messages
-- The inbox holds nothing but answers.
UPDATE inbox SET execution_id = :execution_id WHERE instance_row = :instance_row;

-- name: refresh_due
-- Status 3: what is in the inbox of a Failed instance waits for a rewind.
UPDATE instance
SET due_at = (
  SELECT max(visible_at, ifnull(instance.scheduled_at, visible_at))
  FROM inbox WHERE inbox.instance_row = instance.instance_row AND instance.status <> 3
  ORDER BY visible_at LIMIT 1
)
WHERE instance_row = :instance_row
RETURNING due_at;
