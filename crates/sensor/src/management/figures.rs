//! `/metrics` in the Prometheus text format.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use super::Deps;
use super::door::Door;

/// All lines. Writing to a `String` has no way to fail, so its results carry nothing.
pub fn text(deps: &Deps, door: &Door) -> String {
    let mut out = String::new();
    let mut line = |name: &str, kind: &str, help: &str, value: u64| {
        write!(
            out,
            "# HELP rustbucket_{name} {help}\n# TYPE rustbucket_{name} {kind}\nrustbucket_{name} {value}\n"
        )
        .unwrap_or_default();
    };
    let (counters, positions) = (deps.log.counters(), deps.log.positions());
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    line("events_written_total", "counter", "Events written to the log.", read(&counters.written));
    line("event_bytes_written_total", "counter", "Bytes written to the log.", read(&counters.bytes));
    line(
        "events_lost_total",
        "counter",
        "Events that could not be written, or were deleted before the registry had them.",
        read(&counters.lost),
    );
    line("log_sync_errors_total", "counter", "Failed syncs of the log.", read(&counters.sync_errors));
    line("log_first_seq", "gauge", "Oldest sequence number in the log.", positions.first_seq);
    line("log_last_seq", "gauge", "Newest sequence number in the log.", positions.last_seq);
    line("log_acknowledged_seq", "gauge", "The registry has everything up to here.", positions.acknowledged);
    line("connections", "gauge", "Open trap connections.", deps.vitals.connections() as u64);
    line(
        "management_refused_total",
        "counter",
        "Management requests without the right token.",
        door.refused(),
    );
    let (count, bytes) = deps.artifacts.totals();
    line("artifacts", "gauge", "Captured files kept.", count as u64);
    line("artifact_bytes", "gauge", "Bytes of captured files kept.", bytes);
    out.push_str(&(deps.chat_metrics)());
    out
}
