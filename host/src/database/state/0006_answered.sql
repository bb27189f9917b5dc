-- When a version last answered what no other was drawn for: those that did so last are kept. Empty of one that never did.
ALTER TABLE versions ADD COLUMN answered_at timestamptz;
UPDATE versions v SET answered_at = (
    SELECT max(h.at) FROM version_history h
    WHERE (h.application, h.component, h.number) = (v.application, v.component, v.number) AND h.what = 'active');
