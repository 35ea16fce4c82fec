-- name: claim_tasks
UPDATE task
SET claim_token = :token, claim_owner = :owner, claim_until = :until, attempts = attempts + 1
WHERE task_row IN (
  SELECT task_row FROM task
  WHERE hub = :hub AND claim_until <= :monotonic
  ORDER BY task_row
  LIMIT :at_most
)
RETURNING task_row, attempts,
  (SELECT id FROM instance WHERE instance.instance_row = task.instance_row),
  execution_id, task_id, name, input;

-- name: next_task_lapse
SELECT min(claim_until) FROM task WHERE hub = :hub;

-- name: complete_task
-- The fence: no row means that the claim is not ours any more.
DELETE FROM task
WHERE task_row = :key AND hub = :hub AND claim_token = :token AND claim_owner = :owner;

-- name: abandon_task
UPDATE task SET claim_owner = NULL, claim_until = :until
WHERE task_row = :key AND hub = :hub AND claim_token = :token AND claim_owner = :owner;

-- name: renew_task
UPDATE task SET claim_until = :until
WHERE task_row = :key AND hub = :hub AND claim_token = :token AND claim_owner = :owner;
