-- Whether a person has seen a generated password. What was made before this was asked counts as seen.
ALTER TABLE generated_values ADD COLUMN shown_at timestamptz;
UPDATE generated_values SET shown_at = created_at;
