-- name: find_instances
-- The instances that have been ready longest; those that are claimed, which the memory knows, are
-- among them. claim_token counts how often the instance changed hands: by a commit, or by a change
-- that is no episode's.
SELECT due_at, id, instance_row, claim_token, next_seq, 1 FROM instance
WHERE hub = :hub AND due_at <= :now
ORDER BY due_at, id
LIMIT :at_most;

-- name: find_answered
-- The same of an instance that an activity has answered, while the execution is the same.
SELECT instance_row, claim_token, next_seq, due_at IS NOT NULL FROM instance
WHERE instance_row = :instance_row AND execution_id = :execution_id;

-- name: find_claimed
SELECT 1 FROM instance WHERE instance_row = :instance_row AND claim_token = :mark;

-- name: load_state
-- The columns of an instance's state, in the order of rows.read_state.
SELECT
  id, execution_id, name, status, created_at, updated_at, version, generation, input, output,
  custom_status, completed_at, scheduled_at, parent_id, parent_execution_id, parent_name,
  parent_version, parent_task_id, tags
FROM instance_state WHERE instance_row = :instance_row AND claim_token = :mark;

-- name: next_due
-- When the next instance becomes due by the app's time.
SELECT min(due_at) FROM instance WHERE hub = :hub AND due_at > :now;

-- name: load_history
-- From the first event that is not known: seq counts the events of an execution from 0.
SELECT kind, timestamp, payload, task_id, name, site
FROM history WHERE instance_row = :instance_row AND seq >= :left_out ORDER BY seq;

-- name: load_inbox
-- The visible messages in delivery order; the event's columns stand first.
SELECT kind, timestamp, payload, task_id, name, site,
  message_id, execution_id, visible_at, is_carried, dedupe_key
FROM inbox WHERE instance_row = :instance_row AND visible_at <= :now
ORDER BY is_carried DESC, message_id;

-- name: commit_instance
-- What an episode may change within an execution. The fence: no row means that the claim is not ours
-- any more.
UPDATE instance
SET status = ?, updated_at = ?, completed_at = ?, custom_status = ?, output = ?,
  next_seq = next_seq + ?, claim_token = claim_token + 1
WHERE instance_row = ? AND claim_token = ?
RETURNING next_seq, due_at;

-- name: begin_generation
-- The same by an episode that begins the next execution, which may change all.
UPDATE instance
SET execution_id = :execution_id, name = :name, version = :version, status = :status,
  generation = :generation, created_at = :created_at, updated_at = :updated_at,
  completed_at = :completed_at, scheduled_at = :scheduled_at, parent_id = :parent_id,
  parent_execution_id = :parent_execution_id, parent_name = :parent_name,
  parent_version = :parent_version, parent_task_id = :parent_task_id, tags = :tags,
  custom_status = :custom_status, output = :output,
  next_seq = :appended, claim_token = claim_token + 1
WHERE instance_row = :instance_row AND claim_token = :mark
RETURNING next_seq, due_at;

-- name: write_input
-- It is an execution's from its first event on, so only the next execution has another one.
UPDATE input SET input = :input WHERE instance_row = :instance_row AND input IS NOT :input;

-- name: append_event
-- The second fence: a sequence number that exists already means that somebody else wrote it.
INSERT INTO history (instance_row, seq, kind, timestamp, payload, task_id, name, site)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: consume_message
DELETE FROM inbox WHERE instance_row = ? AND message_id = ?;

-- name: schedule_task
INSERT INTO task (instance_row, hub, execution_id, task_id, name, input)
VALUES (?, ?, ?, ?, ?, ?)
RETURNING task_row;

-- name: drop_addressed_messages
-- Messages to an execution that has ended; the inbox holds none for another one.
DELETE FROM inbox WHERE instance_row = :instance_row AND execution_id IS NOT NULL;

-- name: drop_all_but_answers
-- Kind 15 (EventRaised) for one execution: an entity's answer, which a rewind may need.
DELETE FROM inbox
WHERE instance_row = :instance_row AND NOT (kind = 15 AND execution_id IS NOT NULL);
