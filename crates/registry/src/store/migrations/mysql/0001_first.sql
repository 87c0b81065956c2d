-- Event lines and analyses, as whoever reads the database expects them.
CREATE TABLE IF NOT EXISTS logs (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    ip_address VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    log MEDIUMTEXT NOT NULL,
    log_size INT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    KEY logs_by_name (name, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS log_analysis (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    ip_address VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    log_analysis MEDIUMTEXT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    KEY log_analysis_by_name (name, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The fleet. Times are milliseconds since 1970, UTC.
CREATE TABLE IF NOT EXISTS buckets (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) COLLATE utf8mb4_bin NOT NULL UNIQUE,
    ip_address VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    management_port BIGINT NOT NULL,
    certificate_sha256 TEXT,
    token_sealed TEXT NOT NULL,
    status VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    operating_system TEXT,
    cpu_usage TEXT,
    memory_usage TEXT,
    disk_space TEXT,
    uptime TEXT,
    connections TEXT,
    version TEXT,
    listeners TEXT,
    first_seq BIGINT NOT NULL DEFAULT 0,
    last_seq BIGINT NOT NULL DEFAULT 0,
    acked_seq BIGINT NOT NULL DEFAULT 0,
    registered_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by VARCHAR(255) COLLATE utf8mb4_bin,
    last_contact_at BIGINT,
    last_error TEXT,
    last_error_at BIGINT,
    failures BIGINT NOT NULL DEFAULT 0,
    next_try_at BIGINT NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What lies in the archive.
CREATE TABLE IF NOT EXISTS objects (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    object_key VARCHAR(512) COLLATE utf8mb4_bin NOT NULL UNIQUE,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    plain_bytes BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    sha256 CHAR(64) COLLATE utf8mb4_bin NOT NULL,
    state VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    stored_at BIGINT NOT NULL,
    parsed_at BIGINT,
    analysis_id BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    claim_until BIGINT NOT NULL DEFAULT 0,
    claim_fence BIGINT NOT NULL DEFAULT 0,
    KEY objects_by_bucket (bucket_id, state, analysis_id),
    KEY objects_by_state (state, id),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS artifacts (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    sha256 CHAR(64) COLLATE utf8mb4_bin NOT NULL,
    state VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    size BIGINT NOT NULL DEFAULT 0,
    found_at BIGINT NOT NULL,
    stored_at BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_try_at BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    UNIQUE (bucket_id, sha256),
    KEY artifacts_by_sha256 (sha256, state),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS events (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    log_id BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    event_uuid VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    eventid VARCHAR(128) COLLATE utf8mb4_bin NOT NULL,
    session VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    protocol VARCHAR(32) COLLATE utf8mb4_bin NOT NULL,
    src_ip VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    at BIGINT NOT NULL,
    message MEDIUMTEXT NOT NULL,
    username MEDIUMTEXT COLLATE utf8mb4_bin,
    password MEDIUMTEXT COLLATE utf8mb4_bin,
    input MEDIUMTEXT COLLATE utf8mb4_bin,
    shasum VARCHAR(128) COLLATE utf8mb4_bin,
    UNIQUE (bucket_id, seq),
    KEY events_by_session (bucket_id, session, seq),
    KEY events_by_object (object_id),
    KEY events_by_time (at),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS sessions (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    session VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    protocol VARCHAR(32) COLLATE utf8mb4_bin NOT NULL,
    src_ip VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    src_port BIGINT NOT NULL,
    dst_port BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    ended_at BIGINT,
    duration_ms BIGINT,
    events BIGINT NOT NULL DEFAULT 0,
    logins_ok BIGINT NOT NULL DEFAULT 0,
    logins_failed BIGINT NOT NULL DEFAULT 0,
    commands BIGINT NOT NULL DEFAULT 0,
    uploads BIGINT NOT NULL DEFAULT 0,
    downloads BIGINT NOT NULL DEFAULT 0,
    username MEDIUMTEXT COLLATE utf8mb4_bin,
    client TEXT,
    UNIQUE (bucket_id, session),
    KEY sessions_by_start (started_at, id),
    KEY sessions_by_source (src_ip, started_at),
    KEY sessions_by_bucket (bucket_id, started_at),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS rejects (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    line_number BIGINT NOT NULL,
    reason TEXT NOT NULL,
    line MEDIUMTEXT NOT NULL,
    found_at BIGINT NOT NULL,
    UNIQUE (object_id, line_number),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS gaps (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    from_seq BIGINT NOT NULL,
    to_seq BIGINT NOT NULL,
    source VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    reason TEXT NOT NULL,
    bytes BIGINT NOT NULL DEFAULT 0,
    found_at BIGINT NOT NULL,
    UNIQUE (bucket_id, from_seq, to_seq, source),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What was thought about it.
CREATE TABLE IF NOT EXISTS analyses (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    state VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    log_analysis_id BIGINT,
    provider VARCHAR(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    model VARCHAR(128) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    tokens_in BIGINT NOT NULL DEFAULT 0,
    tokens_out BIGINT NOT NULL DEFAULT 0,
    cost_usd DOUBLE NOT NULL DEFAULT 0,
    events BIGINT NOT NULL DEFAULT 0,
    from_at BIGINT,
    to_at BIGINT,
    facts MEDIUMTEXT,
    opened_at BIGINT NOT NULL,
    finished_at BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    KEY analyses_by_bucket (bucket_id, state),
    KEY analyses_by_log_analysis (log_analysis_id),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS findings (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket_id BIGINT,
    analysis_id BIGINT,
    kind VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    severity VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    subject VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    detail TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    UNIQUE (bucket_id, kind, subject),
    FOREIGN KEY (bucket_id) REFERENCES buckets (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The work.
CREATE TABLE IF NOT EXISTS jobs (
    name VARCHAR(255) COLLATE utf8mb4_bin PRIMARY KEY,
    next_due_at BIGINT NOT NULL,
    nudged BIGINT NOT NULL DEFAULT 0,
    owner VARCHAR(128) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    fence BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    last_started_at BIGINT,
    last_finished_at BIGINT,
    last_status VARCHAR(16) COLLATE utf8mb4_bin,
    last_report MEDIUMTEXT,
    runs BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS job_runs (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    job VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    fence BIGINT NOT NULL,
    owner VARCHAR(128) COLLATE utf8mb4_bin NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    status VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    report MEDIUMTEXT,
    UNIQUE (job, fence)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The people.
CREATE TABLE IF NOT EXISTS users (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) COLLATE utf8mb4_bin NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    created_at BIGINT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS web_sessions (
    id_sha256 CHAR(64) COLLATE utf8mb4_bin PRIMARY KEY,
    user_id BIGINT NOT NULL,
    csrf VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS api_tokens (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    token_sha256 CHAR(64) COLLATE utf8mb4_bin NOT NULL UNIQUE,
    role VARCHAR(16) COLLATE utf8mb4_bin NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS registration_keys (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    key_sha256 CHAR(64) COLLATE utf8mb4_bin NOT NULL UNIQUE,
    uses_left BIGINT,
    created_at BIGINT NOT NULL,
    created_by VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS audit (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at BIGINT NOT NULL,
    who VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    action VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    subject VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    detail TEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
