-- Who the visitor of a session was taken for, as the bucket said when it ended.
CREATE TABLE IF NOT EXISTS session_labels (
    bucket_id BIGINT NOT NULL,
    session VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    label VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (bucket_id, session),
    KEY session_labels_by_label (label),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
