-- Claims and delays are in the memory of the process that holds the file; claim_token stays as the
-- count of how often an instance changed hands, which is what commits are fenced by.
DROP VIEW instance_state;
ALTER TABLE instance DROP COLUMN claim_owner;
ALTER TABLE instance DROP COLUMN claim_until;
ALTER TABLE instance DROP COLUMN attempts;
ALTER TABLE task DROP COLUMN claim_token;
ALTER TABLE task DROP COLUMN claim_owner;
ALTER TABLE task DROP COLUMN claim_until;
ALTER TABLE task DROP COLUMN attempts;
CREATE VIEW instance_state AS SELECT * FROM instance JOIN input USING (instance_row);
