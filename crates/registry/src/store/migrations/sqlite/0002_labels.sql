-- Who the visitor of a session was taken for, as the bucket said when it ended.
CREATE TABLE IF NOT EXISTS session_labels (
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    session TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (bucket_id, session)
);
CREATE INDEX IF NOT EXISTS session_labels_by_label ON session_labels (label);
