//! The bucket put together: what all visits share, and its life from bound ports to the last goodbye.

mod assembly;

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, SystemTime},
};

use decoy::Machine;
use russh::keys::HashAlg;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::EventKind;

use crate::{
    admission::Admission,
    artifacts::{ArtifactError, Artifacts},
    birth::{Birth, BirthError},
    config::{Config, Listener},
    event_log::{self, EventLog, EventLogError},
    handler::Bounds,
    listener::{self, BindError},
    management::{self, Management, ManagementError},
    oracle::{Mind, facts::JournalError},
    registration::{self, RegistrationError},
    remembered::{Remembered, RememberedError},
    session::Sensor,
    shares::Shares,
    ssh::{
        self,
        host_keys::{self, HostKeyError},
    },
    tls::{SnakeoilError, Speaker},
    vitals::Vitals,
};
use assembly::{assemble, registration_settings};

/// How long visits may go on after the order to stop.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a bucket does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Name, token or keys.
    #[error("the bucket's identity cannot be read or made")]
    Birth(#[from] BirthError),
    /// The event log.
    #[error("the event log cannot be opened")]
    Log(#[from] EventLogError),
    /// The folder for captured files.
    #[error("the artifacts folder cannot be opened")]
    Artifacts(#[from] ArtifactError),
    /// The folder of visitors' changes.
    #[error("what visitors changed cannot be kept")]
    Remembered(#[from] RememberedError),
    /// SSH host keys.
    #[error("the SSH host keys cannot be read or made")]
    HostKeys(#[from] HostKeyError),
    /// What the model said before.
    #[error("the facts cannot be opened")]
    Facts(#[from] JournalError),
    /// What was spent before.
    #[error("the sum of the day cannot be kept in {path}")]
    Spent {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// STARTTLS certificate.
    #[error("the certificate of the machine cannot be read or made")]
    Snakeoil(#[from] SnakeoilError),
    /// Ports, every one that cannot be had.
    #[error("{}", .0.iter().map(|e| format!("{e}: {}", e.source)).collect::<Vec<_>>().join("; "))]
    Ports(Vec<BindError>),
    /// The management port.
    #[error("the management port cannot be served")]
    Management(#[from] ManagementError),
    /// The registry's URL or certificate authority.
    #[error("the registry cannot be registered with")]
    Registration(#[from] RegistrationError),
}

/// What all visits share.
pub struct Bucket {
    pub(crate) log: EventLog,
    pub(crate) sensor: Sensor,
    pub(crate) machine: Arc<Machine>,
    pub(crate) mind: Arc<Mind>,
    pub(crate) artifacts: Arc<Artifacts>,
    pub(crate) admission: Admission,
    tls: Speaker,
    /// Of ports that speak TLS from the first byte on.
    port_tls: Vec<(String, Speaker)>,
    pub(crate) bounds: Bounds,
    pub(crate) dialogue_limits: decoy::Limits,
    daemons: Vec<(String, ssh::Daemon)>,
}

impl Bucket {
    /// What a listener's visitors are shown when they ask for TLS: the port's own certificate, or the machine's.
    pub(crate) fn tls_of(&self, name: &str) -> Speaker {
        let own = self.port_tls.iter().find(|(known, _)| known == name).map(|(_, tls)| tls);
        own.unwrap_or(&self.tls).clone()
    }

    /// The SSH daemon of a listener; each has its own banner, all have the same keys.
    pub(crate) fn ssh_daemon(&self, name: &str) -> Option<&ssh::Daemon> {
        self.daemons.iter().find(|(known, _)| known == name).map(|(_, daemon)| daemon)
    }
}

/// Every port bound, nothing served.
pub struct Ports {
    traps: Vec<(Arc<Listener>, TcpListener)>,
    management: TcpListener,
}

impl Ports {
    /// Binds every port, or names every one that cannot be had. Needs a runtime around it.
    pub fn bind(config: &Config) -> Result<Self, StartError> {
        let mut faults = Vec::new();
        let mut traps = Vec::new();
        for entry in &config.listeners {
            match listener::bind(&format!("ports.{}", entry.name), entry.address, entry.port) {
                Ok(socket) => traps.push((Arc::new(entry.clone()), socket)),
                Err(fault) => faults.push(fault),
            }
        }
        let management = listener::bind("management.port", config.management.address, config.management.port)
            .map_err(|fault| faults.push(fault))
            .ok();
        match management {
            Some(management) if faults.is_empty() => Ok(Self { traps, management }),
            _ => Err(StartError::Ports(faults)),
        }
    }
}

impl Ports {
    /// Where each trap port listens, by its name in `[ports]`; with port 0 in the settings the system chose.
    pub fn traps(&self) -> impl Iterator<Item = (&str, io::Result<SocketAddr>)> {
        self.traps.iter().map(|(entry, socket)| (entry.name.as_str(), socket.local_addr()))
    }

    /// Where the management port listens.
    pub fn management(&self) -> io::Result<SocketAddr> {
        self.management.local_addr()
    }
}

/// Starts the bucket on its ports, serves until `stop`, and ends in order.
pub async fn serve(
    config: Config,
    birth: Birth,
    ports: Ports,
    stop: CancellationToken,
) -> Result<(), StartError> {
    let sensor = Sensor {
        name: birth.name.as_str().into(),
        uuid: Arc::clone(&birth.uuid),
        bait: config.labels.bait,
        shares: Shares::new(config.limits.shares),
    };
    let log = EventLog::open(event_log::Options {
        log_directory: config.general.log_directory.clone(),
        state_directory: config.general.state_directory.clone(),
        retention_days: config.general.log_retention_days,
        max_bytes: config.general.log_max_bytes,
        registry: config.registration.url.is_some(),
        sensor: Arc::clone(&sensor.name),
        uuid: Arc::clone(&sensor.uuid),
        clock: event_log::system_clock(),
    })?;
    let open = Arc::new(AtomicUsize::new(0));
    let bucket = Arc::new(assemble(&config, &birth, &log, sensor, Arc::clone(&open))?);

    let listeners: Vec<String> = ports.traps.iter().map(|(entry, socket)| describe(entry, socket)).collect();
    let vitals = Vitals::new(config.general.log_directory.clone(), open);
    let management_port = ports.management.local_addr().map(|address| address.port()).unwrap_or_default();
    let registration = registration_settings(&config.registration, management_port)?;
    let management = Management::start(
        into_std(ports.management)?,
        management::Deps {
            birth: birth.clone(),
            log: log.clone(),
            artifacts: Arc::clone(&bucket.artifacts),
            chat_metrics: {
                let mind = Arc::clone(&bucket.mind);
                Arc::new(move || mind.metrics())
            },
            vitals: vitals.clone(),
            ip_address: config.registration.ip_address,
            listeners: listeners.clone(),
        },
    )?;
    let _started = log.append_own(EventKind::Start {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        listeners: listeners.clone(),
    });
    tracing::info!(name = %birth.name.as_str(), listeners = ?listeners, management_port, "bucket serves");

    let visits = TaskTracker::new();
    let artifacts = Arc::clone(&bucket.artifacts);
    let doors = TaskTracker::new();
    doors.spawn(sweep(Arc::clone(&bucket), stop.clone()));
    let remembered = Remembered::open(
        &config.general.state_directory.join("visitors"),
        config.limits.memory,
        SystemTime::now(),
    )?;
    let recall = Arc::clone(&remembered);
    bucket.machine.remember_with(Box::new(move |source| recall.recall(source)));
    let gone = CancellationToken::new();
    let saving = tokio::spawn(remembered.save_all(Arc::clone(&bucket.machine), gone.clone()));
    doors.spawn(sync(Arc::clone(&artifacts), stop.clone()));
    for (entry, socket) in ports.traps {
        doors.spawn(listener::accept(Arc::clone(&bucket), entry, socket, visits.clone(), stop.clone()));
    }
    match registration {
        Some(settings) => {
            doors.spawn(registration::register_instance(settings, birth, vitals, stop.clone()));
        }
        None => tracing::warn!(
            "no registry is set: events stay on this machine; set registration.rustbucket_registry_url"
        ),
    }

    stop.cancelled().await;
    doors.close();
    doors.wait().await;
    visits.close();
    if tokio::time::timeout(FAREWELL, visits.wait()).await.is_err() {
        tracing::info!(visits = visits.len(), "visits are cut off");
    }
    gone.cancel();
    if let Err(error) = saving.await {
        tracing::error!(%error, "visitors' last changes may not be saved");
    }
    let _stopped = log.append_own(EventKind::Stop { reason: "signal".to_owned() });
    management.stop();
    bucket.mind.save();
    artifacts.sync()?;
    log.close()?;
    Ok(())
}

/// Keeps what all visitors changed together within its bound, and tells of those turned away since.
async fn sweep(bucket: Arc<Bucket>, stop: CancellationToken) {
    let mut pace = tokio::time::interval(Duration::from_secs(5));
    loop {
        let stopped = tokio::select! {
            () = stop.cancelled() => true,
            _ = pace.tick() => false,
        };
        for (who, count) in bucket.admission.untold() {
            listener::tell_turned_away(&bucket, who, count);
        }
        if stopped {
            return;
        }
        let forgotten = bucket.machine.sweep();
        if forgotten > 0 {
            tracing::warn!(forgotten, "visitors' changes are forgotten: limits.memory is reached");
        }
    }
}

/// Brings captured files to the disk about once a second.
async fn sync(artifacts: Arc<Artifacts>, stop: CancellationToken) {
    let mut pace = tokio::time::interval(Duration::from_secs(1));
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = pace.tick() => {}
        }
        let artifacts = Arc::clone(&artifacts);
        match tokio::task::spawn_blocking(move || artifacts.sync()).await {
            Ok(Ok(())) => failing = false,
            // Told once for each change of state.
            Ok(Err(error)) if !failing => {
                failing = true;
                tracing::error!(%error, "captured files could not be synced; check the disk of the state folder");
            }
            Ok(Err(_)) => {}
            Err(error) => tracing::error!(%error, "the task that syncs captured files failed"),
        }
    }
}

fn describe(entry: &Listener, socket: &TcpListener) -> String {
    let port = socket.local_addr().map_or(entry.port, |address| address.port());
    format!("{}:{port}", entry.name)
}

fn into_std(listener: TcpListener) -> Result<StdListener, ManagementError> {
    listener.into_std().map_err(ManagementError::from_io)
}

/// Who the bucket is, for people: name, and the fingerprints of what it shows.
pub fn fingerprints(config: &Config, birth: &Birth) -> Result<String, StartError> {
    let mut lines = vec![
        format!("name         {}", birth.name),
        format!("uuid         {}", birth.uuid),
        format!("certificate  sha256:{}", birth.certificate_sha256),
    ];
    for key in host_keys::load(&config.general.state_directory)? {
        lines.push(format!("ssh host key {} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256)));
    }
    Ok(lines.join("\n"))
}

/// Asks the system for as many open files as it allows: every visitor is one.
pub fn raise_open_files() -> io::Result<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// How many connections so many open files carry: one each, one more for data (FTP), and some for the bucket itself.
pub fn connections_within(files: u64) -> usize {
    const OWN_FILES: u64 = 512;
    usize::try_from(files.saturating_sub(OWN_FILES) / 2).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_open_files_for_the_bucket() {
        assert_eq!(connections_within(2 * 8192 + 512), 8192);
        assert_eq!(connections_within(1024), 256);
        assert_eq!(connections_within(100), 1);
    }
}
