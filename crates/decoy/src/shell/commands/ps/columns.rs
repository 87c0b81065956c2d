//! The columns of `ps`: their names, headings and widths, and what stands in them.

use chrono::{DateTime, Utc};

use super::super::{Call, running};
use crate::machine::processes::Process;

/// Columns by their name: heading, width (negative: left), what is shown.
const COLUMNS: &[(&str, &str, i32, Column)] = &[
    ("pid", "PID", 7, Column::Pid),
    ("ppid", "PPID", 7, Column::Parent),
    ("pgid", "PGID", 7, Column::Pid),
    ("sid", "SID", 7, Column::Pid),
    ("spid", "SPID", 7, Column::Pid),
    ("lwp", "LWP", 7, Column::Pid),
    ("user", "USER", -8, Column::User),
    ("euser", "EUSER", -8, Column::User),
    ("ruser", "RUSER", -8, Column::User),
    ("uname", "USER", -8, Column::User),
    ("uid", "UID", 5, Column::Uid),
    ("euid", "EUID", 5, Column::Uid),
    ("gid", "GID", 5, Column::Uid),
    ("egid", "EGID", 5, Column::Uid),
    ("rgid", "RGID", 5, Column::Uid),
    ("ruid", "RUID", 5, Column::Uid),
    ("fuser", "FUSER", -8, Column::User),
    ("suser", "SUSER", -8, Column::User),
    ("group", "GROUP", -8, Column::User),
    ("egroup", "EGROUP", -8, Column::User),
    ("rgroup", "RGROUP", -8, Column::User),
    ("pgrp", "PGRP", 7, Column::Pid),
    ("sess", "SESS", 7, Column::Pid),
    ("session", "SESS", 7, Column::Pid),
    ("tid", "TID", 7, Column::Pid),
    ("tgid", "TGID", 7, Column::Pid),
    ("tpgid", "TPGID", 7, Column::Group),
    ("sgi_p", "P", 1, Column::Star),
    ("cp", "CP", 3, Column::Zero),
    ("rsz", "RSZ", 5, Column::Resident),
    ("size", "SIZE", 5, Column::Pages),
    ("drs", "DRS", 5, Column::Virtual),
    ("trs", "TRS", 4, Column::Zero),
    ("bsdtime", "TIME", 6, Column::BsdTime),
    ("bsdstart", "START", 6, Column::Start),
    ("times", "TIME", 8, Column::Cpu),
    ("fname", "COMMAND", -8, Column::Name),
    ("tmout", "TMOUT", 5, Column::Dash),
    ("cls", "CLS", 3, Column::Class),
    ("class", "CLS", 3, Column::Class),
    ("policy", "POL", 3, Column::Class),
    ("sched", "SCH", 3, Column::Zero),
    ("rtprio", "RTPRIO", 6, Column::Dash),
    ("label", "LABEL", -31, Column::Label),
    ("context", "CONTEXT", -31, Column::Label),
    ("cgroup", "CGROUP", -27, Column::Cgroup),
    ("unit", "UNIT", -31, Column::Unit),
    ("slice", "SLICE", -31, Column::Slice),
    ("lsession", "SESSION", -11, Column::Dash),
    ("machine", "MACHINE", -31, Column::Dash),
    ("ouid", "OWNER", 5, Column::Dash),
    ("seat", "SEAT", -11, Column::Dash),
    ("pcpu", "%CPU", 4, Column::Cpu),
    ("%cpu", "%CPU", 4, Column::Cpu),
    ("c", "C", 2, Column::Zero),
    ("pmem", "%MEM", 4, Column::Memory),
    ("%mem", "%MEM", 4, Column::Memory),
    ("vsz", "VSZ", 6, Column::Virtual),
    ("vsize", "VSZ", 6, Column::Virtual),
    ("rss", "RSS", 5, Column::Resident),
    ("rssize", "RSS", 5, Column::Resident),
    ("sz", "SZ", 5, Column::Pages),
    ("tty", "TT", -8, Column::Tty),
    ("tt", "TT", -8, Column::Tty),
    ("tname", "TTY", -8, Column::Tty),
    ("stat", "STAT", -4, Column::State),
    ("state", "S", -1, Column::Letter),
    ("s", "S", -1, Column::Letter),
    ("start", "STARTED", 8, Column::Start),
    ("start_time", "START", 5, Column::Start),
    ("stime", "STIME", 5, Column::Start),
    ("lstart", "STARTED", 24, Column::Long),
    ("time", "TIME", 8, Column::Time),
    ("cputime", "TIME", 8, Column::Time),
    ("etime", "ELAPSED", 11, Column::Elapsed),
    ("etimes", "ELAPSED", 7, Column::Seconds),
    ("nlwp", "NLWP", 4, Column::One),
    ("thcount", "THCNT", 5, Column::One),
    ("ni", "NI", 3, Column::Zero),
    ("nice", "NI", 3, Column::Zero),
    ("pri", "PRI", 3, Column::Priority),
    ("psr", "PSR", 3, Column::Zero),
    ("wchan", "WCHAN", -6, Column::Dash),
    ("maj_flt", "MAJFLT", 6, Column::Zero),
    ("min_flt", "MINFLT", 6, Column::Pages),
    ("majflt", "MAJFLT", 6, Column::Zero),
    ("minflt", "MINFLT", 6, Column::Pages),
    ("f", "F", 1, Column::Flags),
    ("flags", "F", 1, Column::Flags),
    ("comm", "COMMAND", -15, Column::Name),
    ("ucmd", "CMD", -15, Column::Name),
    ("ucomm", "COMMAND", -15, Column::Name),
    ("exe", "EXE", -27, Column::Executable),
    ("args", "COMMAND", -27, Column::Command),
    ("cmd", "CMD", -27, Column::Command),
    ("command", "COMMAND", -27, Column::Command),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Pid,
    Parent,
    User,
    Uid,
    Cpu,
    Memory,
    Virtual,
    Resident,
    Pages,
    Tty,
    State,
    Letter,
    Start,
    Long,
    Time,
    BsdTime,
    Elapsed,
    Seconds,
    Zero,
    One,
    Priority,
    Flags,
    Dash,
    Name,
    Executable,
    Command,
    /// The address, which nobody is told any more, and the size in pages.
    Place,
    Group,
    Star,
    Class,
    Label,
    Cgroup,
    Unit,
    Slice,
}

/// A column with its own heading.
pub(super) type Shown = (String, i32, Column);

/// A column by its name.
pub(super) fn named(name: &str, heading: Option<&str>) -> Option<Shown> {
    let (name, asked) = match name.split_once(':') {
        Some((name, width)) => {
            (name, Some(width.parse::<i32>().ok().filter(|width| (1..1000).contains(width))?))
        }
        None => (name, None),
    };
    let (_, shown, width, column) = COLUMNS.iter().find(|(known, ..)| *known == name)?;
    let heading = heading.unwrap_or(shown).to_owned();
    let wider = asked.unwrap_or_else(|| (heading.len() as i32).max(width.abs()));
    Some((heading, if *width < 0 { -wider } else { wider }, *column))
}

/// Whether processes can be sorted by this.
pub(super) fn is_sortable(name: &str) -> bool {
    COLUMNS.iter().any(|(known, ..)| *known == name)
}

/// What stands in a column.
pub(super) fn cell(call: &Call<'_>, process: &Process, column: Column) -> String {
    let identity = call.identity();
    let now: DateTime<Utc> = call.now().into();
    let start = running::start(call, process);
    let seconds = process.seconds_per_day * (identity.uptime(call.now()).as_secs() / 86_400);
    let memory = process.resident_kib * 1000 / (identity.memory_bytes / 1024).max(1);
    let age = now.signed_duration_since(start).num_seconds().max(0);
    match column {
        Column::Pid => process.pid.to_string(),
        Column::Parent => process.parent.to_string(),
        Column::User => running::user_name(call, process),
        Column::Uid => process.uid.to_string(),
        Column::Cpu => "0.0".to_owned(),
        Column::Memory => format!("{}.{}", memory / 10, memory % 10),
        Column::Virtual => process.virtual_kib.to_string(),
        Column::Resident => process.resident_kib.to_string(),
        Column::Pages => (process.virtual_kib / 4).to_string(),
        Column::Tty => process.tty.to_string(),
        Column::State => process.state.to_string(),
        Column::Letter => process.state.chars().next().unwrap_or('S').to_string(),
        Column::Start if age < 86_400 => start.format("%H:%M").to_string(),
        Column::Start => start.format("%b%d").to_string(),
        Column::Long => start.format("%a %b %e %H:%M:%S %Y").to_string(),
        Column::Time => format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
        Column::BsdTime => format!("{}:{:02}", seconds / 60, seconds % 60),
        Column::Elapsed => {
            let (days, hours, minutes) = (age / 86_400, age / 3600 % 24, age / 60 % 60);
            match (days, hours) {
                (0, 0) => format!("{minutes:02}:{:02}", age % 60),
                (0, _) => format!("{hours:02}:{minutes:02}:{:02}", age % 60),
                _ => format!("{days}-{hours:02}:{minutes:02}:{:02}", age % 60),
            }
        }
        Column::Seconds => age.to_string(),
        Column::Zero => "0".to_owned(),
        Column::One => "1".to_owned(),
        Column::Priority => "80".to_owned(),
        Column::Flags => if process.uid == 0 { "4" } else { "0" }.to_owned(),
        Column::Dash => "-".to_owned(),
        Column::Name => process.name(),
        Column::Executable => process.executable().unwrap_or("-").to_owned(),
        Column::Command => process.command.clone(),
        Column::Group => {
            if process.tty == "?" {
                "-1".to_owned()
            } else {
                process.pid.to_string()
            }
        }
        Column::Place => format!("- {:>5}", process.virtual_kib / 4),
        Column::Star => "*".to_owned(),
        Column::Class => "TS".to_owned(),
        Column::Label => "unconfined".to_owned(),
        Column::Cgroup => format!("0::{}", control_group(call, process)),
        Column::Unit => match control_group(call, process).rsplit('/').next() {
            Some(unit) if unit.contains('.') => unit.to_owned(),
            _ => "-".to_owned(),
        },
        Column::Slice => {
            match control_group(call, process).split('/').find(|part| part.ends_with(".slice")) {
                Some(_) if process.tty.starts_with("pts/") => format!("user-{}.slice", process.uid),
                Some(slice) => slice.to_owned(),
                None => "-.slice".to_owned(),
            }
        }
    }
}

/// Where systemd has put the process, as `/proc/PID/cgroup` says.
fn control_group(call: &Call<'_>, process: &Process) -> String {
    let text = call.files().read(&format!("/proc/{}/cgroup", process.pid)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.trim_end().strip_prefix("0::").unwrap_or("/").to_owned()
}
