-- The manifest's file that a start served last: a later start serves its own only if that is another one. It is unknown of what
-- stood before this was asked.
ALTER TABLE standings ADD COLUMN file_hash text CHECK (file_hash ~ '^[0-9a-f]{64}$');
