//! How the host is doing, as the text the registry shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sysinfo::{Disks, System};

/// Readings younger than this are given again.
const FRESH: Duration = Duration::from_secs(1);
/// For what cannot be found out.
const UNKNOWN: &str = "unknown";

/// One reading, in the words of the registration and of `/update_bucket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// For example `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// Percent of all processors, for example `3.2%`.
    pub cpu_usage: String,
    /// For example `412 MiB / 1983 MiB`.
    pub memory_usage: String,
    /// Of the disk the log lies on, for example `11.4 GiB free of 39.0 GiB`.
    pub disk_space: String,
    /// Whole seconds the host is up.
    pub uptime: String,
    /// Open trap connections.
    pub connections: String,
}

/// Takes readings. They cost some reads of `/proc`, at most once a second. Clones share them.
#[derive(Clone)]
pub struct Vitals {
    shared: Arc<Shared>,
}

struct Shared {
    log_directory: PathBuf,
    connections: Arc<AtomicUsize>,
    operating_system: String,
    gauge: Mutex<Gauge>,
}

struct Gauge {
    /// Nothing on a system that sysinfo does not know.
    system: Option<System>,
    last: Option<(Instant, Readings)>,
}

impl std::fmt::Debug for Vitals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vitals").field("log_directory", &self.shared.log_directory).finish_non_exhaustive()
    }
}

impl Vitals {
    /// `connections` is counted up and down by the listeners.
    pub fn new(log_directory: PathBuf, connections: Arc<AtomicUsize>) -> Self {
        let mut system = match System::new() {
            Ok(system) => Some(system),
            Err(error) => {
                tracing::warn!(%error, "the vitals of this host cannot be read");
                None
            }
        };
        if let Some(system) = &mut system {
            // Processor load is a difference: this is its beginning.
            system.refresh_cpu_usage();
        }
        let shared = Shared {
            // Disks are found by the beginning of the real path.
            log_directory: log_directory.canonicalize().unwrap_or(log_directory),
            connections,
            operating_system: operating_system(),
            gauge: Mutex::new(Gauge { system, last: None }),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Open trap connections.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How the host is doing now.
    pub fn read(&self) -> Readings {
        let mut gauge = self.shared.gauge.lock();
        if let Some((taken, readings)) = &gauge.last
            && taken.elapsed() < FRESH
        {
            return Readings { connections: self.connections().to_string(), ..readings.clone() };
        }
        let (cpu_usage, memory_usage) = match &mut gauge.system {
            Some(system) => {
                system.refresh_cpu_usage();
                system.refresh_memory();
                let (used, total) = (system.used_memory(), system.total_memory());
                (
                    format!("{:.1}%", system.global_cpu_usage()),
                    format!("{} MiB / {} MiB", used >> 20, total >> 20),
                )
            }
            None => (UNKNOWN.to_owned(), UNKNOWN.to_owned()),
        };
        let readings = Readings {
            operating_system: self.shared.operating_system.clone(),
            cpu_usage,
            memory_usage,
            disk_space: disk_space(&self.shared.log_directory),
            uptime: System::uptime().map_or_else(|_| UNKNOWN.to_owned(), |seconds| seconds.to_string()),
            connections: self.connections().to_string(),
        };
        gauge.last = Some((Instant::now(), readings.clone()));
        readings
    }
}

fn operating_system() -> String {
    // os-release(5): PRETTY_NAME is "suitable for presentation to the user".
    std::fs::read_to_string("/etc/os-release")
        .ok()
        .and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
            Some(line.trim().trim_matches(['"', '\'']).to_owned())
        })
        .or_else(|| System::long_os_version().ok())
        .unwrap_or_else(|| UNKNOWN.to_owned())
}

fn disk_space(folder: &Path) -> String {
    let disks = match Disks::new_with_refreshed_list() {
        Ok(disks) => disks,
        Err(error) => {
            tracing::debug!(%error, "disks cannot be listed");
            return UNKNOWN.to_owned();
        }
    };
    let disk = disks
        .iter()
        .filter(|disk| folder.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len());
    match disk {
        Some(disk) => {
            let gib = |bytes: u64| bytes as f64 / f64::from(1u32 << 30);
            format!("{:.1} GiB free of {:.1} GiB", gib(disk.available_space()), gib(disk.total_space()))
        }
        None => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> f64 {
        text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
    }

    #[test]
    fn readings_have_the_shapes_the_registry_expects() {
        let connections = Arc::new(AtomicUsize::new(3));
        let folder = tempfile::tempdir().unwrap();
        let vitals = Vitals::new(folder.path().to_owned(), Arc::clone(&connections));
        let readings = vitals.read();
        let cpu = number(readings.cpu_usage.strip_suffix('%').unwrap());
        assert!((0.0..=100.0).contains(&cpu), "{cpu}");
        let (used, total) = readings.memory_usage.split_once(" / ").unwrap();
        let mib = |text: &str| number(text.strip_suffix(" MiB").unwrap());
        assert!(mib(used) > 0.0 && mib(used) <= mib(total), "{}", readings.memory_usage);
        assert!(number(&readings.uptime) > 0.0);
        assert!(!readings.operating_system.is_empty() && !readings.operating_system.contains('"'));
        if readings.disk_space != UNKNOWN {
            let (free, total) = readings.disk_space.split_once(" GiB free of ").unwrap();
            assert!(number(free) <= number(total.strip_suffix(" GiB").unwrap()));
        }
        connections.store(5, Ordering::Relaxed);
        assert_eq!((readings.connections.as_str(), vitals.read().connections.as_str()), ("3", "5"));
    }
}
