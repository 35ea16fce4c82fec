-- The input, which may be large, stands apart: SQLite writes a row whole, and a claim, a renewal or a
-- due time must not write megabytes again. One row per instance; instance_state joins the two.
CREATE TABLE input (
  instance_row INTEGER PRIMARY KEY,
  input TEXT
);
INSERT INTO input SELECT instance_row, input FROM instance;
ALTER TABLE instance DROP COLUMN input;
CREATE VIEW instance_state AS SELECT * FROM instance JOIN input USING (instance_row);
