-- name: read_value
SELECT value FROM host WHERE key = :key;

-- name: read_values
SELECT key, value FROM host ORDER BY key;

-- name: write_value
INSERT INTO host (key, value) VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: write_value_if_absent
INSERT INTO host (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING;

-- name: delete_value
DELETE FROM host WHERE key = :key;

-- name: count_opening
-- How often the file was opened; tokens of a later opening are greater than those of all before.
INSERT INTO meta (key, value) VALUES ('openings', 1)
ON CONFLICT (key) DO UPDATE SET value = value + 1
RETURNING value;
