//! `findmnt`.

use super::{
    Call, columns, disks,
    smartcols::{Column, Form, Row, Table, size},
    usage,
};
use crate::{machine::files::mount_table, shell::commands::Said};

const KNOWN: &[Column] = &[
    Column::left("TARGET"),
    Column::left("SOURCE"),
    Column::left("FSTYPE"),
    Column::left("OPTIONS"),
    Column::left("VFS-OPTIONS"),
    Column::left("FS-OPTIONS"),
    Column::right("SIZE"),
    Column::right("USED"),
    Column::right("AVAIL"),
    Column::right("USE%"),
    Column::left("UUID"),
    Column::left("LABEL"),
    Column::left("PARTUUID"),
    Column::left("MAJ:MIN"),
    Column::left("FSROOT"),
    Column::number("ID"),
    Column::number("PARENT"),
    Column::left("PROPAGATION"),
];

type Mount = (String, &'static str, &'static str, String);

pub(in crate::shell::commands) fn findmnt(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("findmnt", call.args) {
        return said;
    }
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

/// `--long` and `--long=VALUE` as the letters that mean the same.
fn shortened(args: &[String]) -> Vec<String> {
    const LONG: &[(&str, &str)] = &[
        ("noheadings", "-n"),
        ("output", "-o"),
        ("list", "-l"),
        ("raw", "-r"),
        ("pairs", "-P"),
        ("json", "-J"),
        ("types", "-t"),
        ("df", "-D"),
        ("target", "-T"),
        ("source", "-S"),
        ("mountpoint", "-M"),
        ("fstab", "-s"),
        ("bytes", "-b"),
        ("ascii", "-a"),
        ("first-only", "-f"),
        ("all", "-A"),
        ("options", "-O"),
        ("kernel", "-k"),
        ("mtab", "-m"),
        ("evaluate", "-e"),
        ("invert", "-i"),
        ("submounts", "-R"),
        ("nofsroot", "-v"),
        ("uniq", "-u"),
    ];
    let mut all = Vec::new();
    for arg in args {
        let Some(long) = arg.strip_prefix("--") else {
            all.push(arg.clone());
            continue;
        };
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        all.extend(LONG.iter().find(|(known, _)| *known == name).map(|(_, short)| (*short).to_owned()));
        all.extend(value.map(str::to_owned));
    }
    all
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let args = shortened(call.args);
    let options = super::super::Options::of(&args, "dFNOoStTMpwx");
    let usual = if options.has('D') {
        "SOURCE,FSTYPE,SIZE,USED,AVAIL,USE%,TARGET"
    } else {
        "TARGET,SOURCE,FSTYPE,OPTIONS"
    };
    let list = options.value('o').unwrap_or(usual);
    let list = if list.starts_with('+') {
        format!("{usual},{}", list.trim_start_matches('+'))
    } else {
        list.to_owned()
    };
    let columns = columns(call, &list, KNOWN, |column| column.name)?;
    let mut mounts = if options.has('s') { of_fstab(call) } else { mount_table(call.identity()) };
    let everything = mounts.len();
    if let Some(kinds) = options.value('t') {
        let (negative, kinds) = kinds.strip_prefix("no").map_or((false, kinds), |rest| (true, rest));
        mounts.retain(|mount| kinds.split(',').any(|kind| kind == mount.2) != negative);
    }
    if let Some(source) = options.value('S') {
        let source = source_of(call, source);
        mounts.retain(|mount| mount.0 == source);
    }
    if let Some(path) = options.value('M') {
        mounts.retain(|mount| mount.1 == call.path(path));
    }
    if let Some(path) = options.value('T') {
        let target = disks::mounted_on(call, path);
        mounts.retain(|mount| mount.1 == target);
    }
    if options.has('D') {
        mounts.retain(|mount| matches!(mount.2, "ext4" | "tmpfs" | "devtmpfs"));
    }
    if let Some(first) = options.operands.first() {
        let (source, path) = (source_of(call, first), call.path(first));
        mounts.retain(|mount| mount.0 == source || mount.1 == path);
        if let Some(second) = options.operands.get(1) {
            let path = call.path(second);
            mounts.retain(|mount| mount.1 == path);
        }
    }
    if mounts.is_empty() {
        return Err(Said::nothing(1));
    }
    let row = |mount: &Mount| {
        Row::new(columns.iter().map(|column| cell(call, mount, column.name, options.has('b'))).collect())
    };
    let form = match () {
        () if options.has('J') => Form::Json,
        () if options.has('P') => Form::Pairs,
        () if options.has('r') => Form::Raw,
        () => Form::Plain,
    };
    let in_tree = mounts.len() == everything
        && form != Form::Pairs
        && !options.has('l')
        && !options.has('D')
        && !options.has('r')
        && !options.has('s');
    let rows = if in_tree { tree(&mounts, &row) } else { mounts.iter().map(row).collect() };
    let at = columns.iter().position(|column| column.name == "TARGET");
    let table = Table {
        columns: columns.into_iter().copied().collect(),
        rows,
        form,
        headings: !options.has('n'),
        tree: at,
        ascii: options.has('a'),
        name: "filesystems",
    };
    Ok(Said::out(table.write()))
}

/// Mounts within mounts.
fn tree(mounts: &[Mount], row: &dyn Fn(&Mount) -> Row) -> Vec<Row> {
    fn under(parent: &str, mounts: &[Mount], row: &dyn Fn(&Mount) -> Row, depth: usize) -> Vec<Row> {
        let parent_of = |path: &str| {
            let holds = |mount: &&Mount| {
                mount.1 != path
                    && (mount.1 == "/"
                        || path.strip_prefix(mount.1).is_some_and(|rest| rest.starts_with('/')))
            };
            mounts.iter().filter(holds).max_by_key(|mount| mount.1.len()).map_or("", |mount| mount.1)
        };
        let own = mounts.iter().filter(|mount| parent_of(mount.1) == parent);
        own.map(|mount| {
            let children = if depth < 16 { under(mount.1, mounts, row, depth + 1) } else { Vec::new() };
            Row { children, ..row(mount) }
        })
        .collect()
    }
    under("", mounts, row, 0)
}

/// `UUID=…` and `LABEL=…` stand for devices.
fn source_of(call: &Call<'_>, text: &str) -> String {
    let device = format!("/dev/{}", call.identity().disk);
    match text.split_once('=') {
        Some(("UUID", uuid)) if uuid.trim_matches('"') == call.identity().disk_uuid => device,
        _ => text.to_owned(),
    }
}

fn of_fstab(call: &Call<'_>) -> Vec<Mount> {
    let text = call.files().read("/etc/fstab").unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let read = |line: &str| {
        let mut words = line.split_whitespace();
        let source = words.next().filter(|word| !word.starts_with('#'))?.to_owned();
        let target = if words.next()? == "/" { "/" } else { "none" };
        let kind = if words.next()? == "swap" { "swap" } else { "ext4" };
        Some((source, target, kind, words.next().unwrap_or_default().to_owned()))
    };
    text.lines().filter_map(read).collect()
}

fn cell(call: &Call<'_>, mount: &Mount, column: &str, bytes: bool) -> String {
    let (source, target, kind, options) = mount;
    let sized = |blocks: u64| match (blocks * 4096, bytes) {
        (0, _) => "0".to_owned(),
        (size, true) => size.to_string(),
        (bytes, false) => size(bytes),
    };
    let facts = || disks::facts(call, target);
    let is_root = *kind == "ext4";
    match column {
        "TARGET" => (*target).to_owned(),
        "SOURCE" => source.clone(),
        "FSTYPE" => (*kind).to_owned(),
        "OPTIONS" => options.clone(),
        "VFS-OPTIONS" => {
            let of_kernel = |word: &&str| {
                matches!(*word, "rw" | "ro" | "nosuid" | "nodev" | "noexec" | "relatime" | "noatime")
            };
            options.split(',').filter(of_kernel).collect::<Vec<_>>().join(",")
        }
        "FS-OPTIONS" => {
            let own = |word: &&str| !matches!(*word, "nosuid" | "nodev" | "noexec" | "relatime" | "noatime");
            options.split(',').filter(own).collect::<Vec<_>>().join(",")
        }
        "SIZE" => sized(facts().blocks),
        "USED" => sized(facts().blocks.saturating_sub(facts().free)),
        "AVAIL" => sized(facts().available),
        "USE%" => {
            let facts = facts();
            format!("{}%", facts.blocks.saturating_sub(facts.free) * 100 / facts.blocks.max(1))
        }
        "UUID" if is_root => call.identity().disk_uuid.clone(),
        "FSROOT" => "/".to_owned(),
        "PROPAGATION" => "shared".to_owned(),
        "MAJ:MIN" if is_root => if source.starts_with("/dev/vd") { "254:1" } else { "8:1" }.to_owned(),
        "MAJ:MIN" => format!("0:{}", 20 + target.len()),
        "ID" => (20 + target.len()).to_string(),
        "PARENT" => "28".to_owned(),
        _ => String::new(),
    }
}
