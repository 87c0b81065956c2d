-- Event lines and analyses, as whoever reads the database expects them.
CREATE TABLE IF NOT EXISTS logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    ip_address TEXT NOT NULL,
    log TEXT NOT NULL,
    log_size INTEGER NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS logs_by_name ON logs (name, created_at);

CREATE TABLE IF NOT EXISTS log_analysis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    ip_address TEXT NOT NULL,
    log_analysis TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS log_analysis_by_name ON log_analysis (name, created_at);

-- The fleet. Times are milliseconds since 1970, UTC.
CREATE TABLE IF NOT EXISTS buckets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    ip_address TEXT NOT NULL,
    management_port INTEGER NOT NULL,
    certificate_sha256 TEXT,
    token_sealed TEXT NOT NULL,
    status TEXT NOT NULL,
    operating_system TEXT,
    cpu_usage TEXT,
    memory_usage TEXT,
    disk_space TEXT,
    uptime TEXT,
    connections TEXT,
    version TEXT,
    listeners TEXT,
    first_seq INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    acked_seq INTEGER NOT NULL DEFAULT 0,
    registered_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    last_contact_at INTEGER,
    last_error TEXT,
    last_error_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER NOT NULL DEFAULT 0
);

-- What lies in the archive.
CREATE TABLE IF NOT EXISTS objects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    object_key TEXT NOT NULL UNIQUE,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    line_count INTEGER NOT NULL,
    plain_bytes INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    parsed_at INTEGER,
    analysis_id INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    claim_until INTEGER NOT NULL DEFAULT 0,
    claim_fence INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS objects_by_bucket ON objects (bucket_id, state, analysis_id);
CREATE INDEX IF NOT EXISTS objects_by_state ON objects (state, id);

CREATE TABLE IF NOT EXISTS artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    size INTEGER NOT NULL DEFAULT 0,
    found_at INTEGER NOT NULL,
    stored_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    UNIQUE (bucket_id, sha256)
);
CREATE INDEX IF NOT EXISTS artifacts_by_sha256 ON artifacts (sha256, state);

CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    seq INTEGER NOT NULL,
    object_id INTEGER NOT NULL,
    log_id INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    event_uuid TEXT NOT NULL,
    eventid TEXT NOT NULL,
    session TEXT NOT NULL,
    protocol TEXT NOT NULL,
    src_ip TEXT NOT NULL,
    at INTEGER NOT NULL,
    message TEXT NOT NULL,
    username TEXT,
    password TEXT,
    input TEXT,
    shasum TEXT,
    UNIQUE (bucket_id, seq)
);
CREATE INDEX IF NOT EXISTS events_by_session ON events (bucket_id, session, seq);
CREATE INDEX IF NOT EXISTS events_by_object ON events (object_id);
CREATE INDEX IF NOT EXISTS events_by_time ON events (at);

CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    session TEXT NOT NULL,
    protocol TEXT NOT NULL,
    src_ip TEXT NOT NULL,
    src_port INTEGER NOT NULL,
    dst_port INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    ended_at INTEGER,
    duration_ms INTEGER,
    events INTEGER NOT NULL DEFAULT 0,
    logins_ok INTEGER NOT NULL DEFAULT 0,
    logins_failed INTEGER NOT NULL DEFAULT 0,
    commands INTEGER NOT NULL DEFAULT 0,
    uploads INTEGER NOT NULL DEFAULT 0,
    downloads INTEGER NOT NULL DEFAULT 0,
    username TEXT,
    client TEXT,
    UNIQUE (bucket_id, session)
);
CREATE INDEX IF NOT EXISTS sessions_by_start ON sessions (started_at, id);
CREATE INDEX IF NOT EXISTS sessions_by_source ON sessions (src_ip, started_at);
CREATE INDEX IF NOT EXISTS sessions_by_bucket ON sessions (bucket_id, started_at);

CREATE TABLE IF NOT EXISTS rejects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    object_id INTEGER NOT NULL,
    line_number INTEGER NOT NULL,
    reason TEXT NOT NULL,
    line TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    UNIQUE (object_id, line_number)
);

CREATE TABLE IF NOT EXISTS gaps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0,
    found_at INTEGER NOT NULL,
    UNIQUE (bucket_id, from_seq, to_seq, source)
);

-- What was thought about it.
CREATE TABLE IF NOT EXISTS analyses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    state TEXT NOT NULL,
    log_analysis_id INTEGER,
    provider TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    tokens_in INTEGER NOT NULL DEFAULT 0,
    tokens_out INTEGER NOT NULL DEFAULT 0,
    cost_usd REAL NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0,
    from_at INTEGER,
    to_at INTEGER,
    facts TEXT,
    opened_at INTEGER NOT NULL,
    finished_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
);
CREATE INDEX IF NOT EXISTS analyses_by_bucket ON analyses (bucket_id, state);
CREATE INDEX IF NOT EXISTS analyses_by_log_analysis ON analyses (log_analysis_id);

CREATE TABLE IF NOT EXISTS findings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id INTEGER REFERENCES buckets (id),
    analysis_id INTEGER,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    UNIQUE (bucket_id, kind, subject)
);

-- The work.
CREATE TABLE IF NOT EXISTS jobs (
    name TEXT PRIMARY KEY,
    next_due_at INTEGER NOT NULL,
    nudged INTEGER NOT NULL DEFAULT 0,
    owner TEXT NOT NULL DEFAULT '',
    fence INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    last_started_at INTEGER,
    last_finished_at INTEGER,
    last_status TEXT,
    last_report TEXT,
    runs INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS job_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    fence INTEGER NOT NULL,
    owner TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    status TEXT NOT NULL,
    report TEXT,
    UNIQUE (job, fence)
);

-- The people.
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS web_sessions (
    id_sha256 TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    csrf TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    token_sha256 TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
);

CREATE TABLE IF NOT EXISTS registration_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key_sha256 TEXT NOT NULL UNIQUE,
    uses_left INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
);

CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);
