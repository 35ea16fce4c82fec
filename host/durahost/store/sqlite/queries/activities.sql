-- name: find_tasks
-- The oldest activities; those that are claimed, which the memory knows, are among them.
SELECT task_row, task.instance_row,
  (SELECT id FROM instance WHERE instance.instance_row = task.instance_row),
  execution_id, task_id, name, input
FROM task WHERE hub = :hub
ORDER BY task_row
LIMIT :at_most;

-- name: find_task
SELECT 1 FROM task
WHERE task_row = :task_row AND instance_row = :instance_row AND execution_id = :execution_id
  AND task_id = :task_id;

-- name: complete_task
-- The fence: no row means that what was claimed is gone.
DELETE FROM task
WHERE task_row = :task_row AND instance_row = :instance_row AND execution_id = :execution_id
  AND task_id = :task_id;
