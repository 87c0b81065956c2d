//! Paths, headers and names of the HTTP interface between bucket and registry.

/// Bucket -> registry: enrolment.
pub const REGISTER_BUCKET: &str = "/register_bucket";
/// The older name of [`REGISTER_BUCKET`], kept for buckets that still use it.
pub const REGISTER: &str = "/register";
/// Registry -> bucket: vitals and log positions.
pub const UPDATE_BUCKET: &str = "/update_bucket";
/// Registry -> bucket: event lines after a cursor.
pub const EXTRACT_LOGS: &str = "/extract_logs";
/// Registry -> bucket: a captured file, followed by its SHA-256 in lower-case hex.
pub const ARTIFACTS: &str = "/artifacts";

/// Registration key, when it is not in the JSON body.
pub const API_KEY_HEADER: &str = "x-api-key";
/// Sequence number of the first event in an extract.
pub const FIRST_SEQ_HEADER: &str = "x-rustbucket-first-seq";
/// Sequence number of the last event in an extract.
pub const LAST_SEQ_HEADER: &str = "x-rustbucket-last-seq";
/// `true` when more events follow the extract.
pub const MORE_HEADER: &str = "x-rustbucket-more";
/// SHA-256 of the extract's plain bytes, lower-case hex.
pub const SHA256_HEADER: &str = "x-rustbucket-sha256";
