//! `cargo xtask up`: a registry and buckets as real processes on loopback, enrolled, approved and followed.

mod follow;
mod kept;
mod ports;
mod processes;
mod registry;
mod report;
mod settings;

use std::{
    collections::BTreeMap,
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
    time::sleep,
};

use crate::{cargo, failure::Failure};
use follow::Follower;
use kept::Kept;
use ports::BucketPorts;
use processes::Processes;
use registry::Registry;
use report::Bucket;
use settings::Layout;

/// What the person asked for.
pub struct Wanted {
    /// The data folder.
    pub data: PathBuf,
    /// How many buckets.
    pub buckets: u16,
    /// Whether cargo may use the network.
    pub offline: bool,
}

/// How long anything may take to answer after it was started.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked.
const POLL: Duration = Duration::from_millis(100);
/// How long nothing is done about a death: whoever killed it may want to start it himself.
const RESTART_AFTER: Duration = Duration::from_secs(2);
/// How many deaths are made good before `up` gives up.
const RESTARTS: u32 = 1000;
/// How often the event logs are read.
const FOLLOW_POLL: Duration = Duration::from_millis(250);

/// Starts everything, follows the events, and ends what it started.
pub async fn run(wanted: &Wanted) -> Result<(), Failure> {
    let plan = ports::plan(wanted.buckets)?;
    ports::probe(&plan)?;
    fs::create_dir_all(&wanted.data).map_err(Failure::file("make", &wanted.data))?;
    let data = fs::canonicalize(&wanted.data).map_err(Failure::file("find", &wanted.data))?;
    let layout = Layout { data };
    remove(&layout.up_json())?; // left by a start that was killed

    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Signals)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(Failure::Signals)?;
    let mut processes = Processes::new();
    let mut ready = false;
    let result = tokio::select! {
        result = start_and_follow(&layout, &plan, wanted.offline, &mut processes, &mut ready) => result,
        _ = interrupt.recv() => Err(Failure::Interrupted),
        _ = terminate.recv() => Err(Failure::Interrupted),
        _ = hang_up.recv() => Err(Failure::Interrupted),
    };
    if matches!(result, Err(Failure::Interrupted)) {
        println!("\nstopping");
    }
    let removed = remove(&layout.up_json());
    processes.stop().await;
    match result {
        Err(Failure::Interrupted) if ready => removed,
        other => other.and(removed),
    }
}

/// Ends only with a failure; Ctrl-C drops it.
async fn start_and_follow(
    layout: &Layout,
    plan: &[BucketPorts],
    offline: bool,
    processes: &mut Processes,
    ready: &mut bool,
) -> Result<(), Failure> {
    step("building rustbucket and rustbucket-registry (release)");
    let programs = build(offline).await?;
    raise_file_limit();

    let mut kept = Kept::open(&layout.data)?;
    step("preparing the registry: SQLite and a folder");
    let claude = ["ANTHROPIC_API_KEY", "CLAUDE_API_KEY"].iter().any(|key| std::env::var_os(key).is_some());
    settings::write(&layout.registry_settings(), &settings::registry(layout, claude))?;
    let registry = Registry::prepare(program(&programs, "rustbucket-registry")?, layout, &mut kept).await?;
    step("starting the registry");
    let mut registry_pid = registry.start(processes)?;
    or_death(processes, registry.answers()).await?;

    let mut buckets = Vec::new();
    let mut followers = Vec::new();
    for (number, ports) in plan.iter().enumerate() {
        let folder = settings::bucket_folder(number);
        step(&format!("starting {folder}"));
        let password = kept.bucket_password(&folder)?;
        let settings = settings::bucket(
            layout,
            number,
            ports,
            kept.get("registration_key").unwrap_or_default(),
            &password,
        );
        settings::write(&layout.bucket_settings(number), &settings)?;
        let logs = layout.bucket_logs(number);
        fs::create_dir_all(&logs).map_err(Failure::file("make", &logs))?;
        let mut follower = Follower::from_now(&logs);
        let pid = start_bucket(program(&programs, "rustbucket")?, layout, number, processes)?;
        let name = or_death(processes, serves(&folder, ports, &mut follower)).await?;
        buckets.push(Bucket {
            name,
            folder,
            ports: ports.clone(),
            password,
            logs,
            config: layout.bucket_settings(number),
            pid,
        });
        followers.push(follower);
    }
    for bucket in &buckets {
        step(&format!("enrolling {} ({})", bucket.name, bucket.folder));
        or_death(processes, registry.admits(&bucket.name)).await?;
    }

    kept::write_private(
        &layout.up_json(),
        &report::up_json(&registry.seen(layout, &kept, registry_pid), &buckets),
    )?;
    report::print(&registry.seen(layout, &kept, registry_pid), &buckets, claude);
    println!("ready");
    *ready = true;
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // Whoever is killed comes back, as a service manager would bring it back: a crash must cost no event, and `up` is
    // where one looks at that.
    let mut restarts = 0;
    loop {
        let (name, failure) = tokio::select! {
            result = follow_all(&buckets, &mut followers, colour) => return result,
            death = processes.next_death() => death,
        };
        eprintln!("{failure}");
        restarts += 1;
        if restarts > RESTARTS {
            return Err(failure);
        }
        sleep(RESTART_AFTER).await;
        let bucket = buckets.iter_mut().enumerate().find(|(_, bucket)| bucket.folder == name);
        let port = bucket.as_ref().map_or(ports::REGISTRY, |(_, bucket)| bucket.ports.management);
        if ports::is_listening(port) {
            eprintln!("{name}: somebody else has started it again; it is theirs now");
            continue;
        }
        match bucket {
            Some((number, bucket)) => {
                bucket.pid = start_bucket(program(&programs, "rustbucket")?, layout, number, processes)?;
            }
            None => registry_pid = registry.start(processes)?,
        }
        println!("» {name} runs again");
        kept::write_private(
            &layout.up_json(),
            &report::up_json(&registry.seen(layout, &kept, registry_pid), &buckets),
        )?;
    }
}

/// Starts a bucket's program; gives its process id.
fn start_bucket(
    program: &Path,
    layout: &Layout,
    number: usize,
    processes: &mut Processes,
) -> Result<u32, Failure> {
    let mut command = Command::new(program);
    command.args(["run", "--config"]).arg(layout.bucket_settings(number));
    let home = layout.bucket(number);
    processes.start(&settings::bucket_folder(number), &mut command, &home, home.join("diagnostics.log"))
}

/// Both programs, by the name of their executable.
async fn build(offline: bool) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut arguments = vec!["--release", "--locked", "-p", "sensor", "-p", "registry"];
    if offline {
        arguments.push("--offline");
    }
    cargo::build(&arguments).await
}

fn program<'a>(programs: &'a BTreeMap<String, PathBuf>, name: &'static str) -> Result<&'a Path, Failure> {
    let printed = || programs.keys().cloned().collect::<Vec<_>>().join(", ");
    programs.get(name).map(PathBuf::as_path).ok_or_else(|| Failure::Output {
        program: "cargo build".into(),
        wanted: "the path of each program",
        printed: printed(),
    })
}

/// Waits for something, but not for longer than every process lives.
async fn or_death<T>(
    processes: &mut Processes,
    wanted: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = wanted => result,
        failure = processes.one_dies() => Err(failure),
    }
}

/// Waits until every port of a bucket is open and its log says that it started; gives its name.
async fn serves(folder: &str, ports: &BucketPorts, follower: &mut Follower) -> Result<String, Failure> {
    let since = Instant::now();
    let mut name = None;
    loop {
        for event in follower.next()? {
            if event.get("eventid").and_then(|id| id.as_str()) == Some("rustbucket.start") {
                name = event.get("sensor").and_then(|sensor| sensor.as_str()).map(str::to_owned);
            }
        }
        let closed: Vec<u16> = ports
            .all(0)
            .into_iter()
            .map(|(_, port)| port)
            .filter(|port| !ports::is_listening(*port))
            .collect();
        match name {
            Some(name) if closed.is_empty() => return Ok(name),
            _ if since.elapsed() > PATIENCE => {
                return Err(Failure::Late(format!(
                    "{folder} does not serve after {} s (closed ports: {closed:?}; see its diagnostics.log)",
                    PATIENCE.as_secs()
                )));
            }
            _ => sleep(POLL).await,
        }
    }
}

/// Prints events as they come, for ever.
async fn follow_all(buckets: &[Bucket], followers: &mut [Follower], colour: bool) -> Result<(), Failure> {
    loop {
        for (bucket, follower) in buckets.iter().zip(followers.iter_mut()) {
            for event in follower.next()? {
                println!("{}", follow::line(&bucket.folder, &event, colour));
            }
        }
        sleep(FOLLOW_POLL).await;
    }
}

/// Thousands of connections need as many files; the buckets inherit our limit.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
    {
        eprintln!("the limit of open files stays at {:?}: {error}", limit.current);
    }
}

fn step(text: &str) {
    println!("» {text}");
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}
