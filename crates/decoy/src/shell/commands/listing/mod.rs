//! `ls`, `dir` and `vdir` (coreutils 9.1).

mod layout;
mod long;
mod order;
mod plan;

use std::time::SystemTime;

use super::{Call, Said, patterns::is_like, quoting};
use crate::machine::{
    Access,
    files::{Attributes, Kind},
};
use long::long;
use plan::{Format, Hidden, Instant, Marks, Plan, Scale};

/// The most directories of one call that are looked into.
const MOST_FOLDERS: usize = 2000;

/// One name to be shown.
struct Row {
    /// As it is written.
    shown: String,
    name: String,
    /// Nothing where a link leads nowhere that was to be followed.
    attributes: Option<Attributes>,
    kind: Kind,
    link: Option<String>,
    is_folder: bool,
}

impl Row {
    fn size(&self) -> u64 {
        self.attributes.as_ref().map_or(0, |attributes| attributes.size)
    }

    fn time(&self, instant: Instant) -> SystemTime {
        self.attributes.as_ref().map_or(SystemTime::UNIX_EPOCH, |attributes| match instant {
            Instant::Modified => attributes.mtime,
            Instant::Accessed => attributes.atime,
            Instant::Changed | Instant::Born => attributes.ctime,
        })
    }
}

pub(super) fn ls(call: &Call<'_>) -> Said {
    let plan = match plan::plan(call) {
        Ok(plan) => plan,
        Err(said) => return said,
    };
    let mut said = Said::default();
    let operands = if plan.operands.is_empty() { vec![".".to_owned()] } else { plan.operands.clone() };
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for operand in &operands {
        match operand_row(call, &plan, operand) {
            Ok(row) if row.kind == Kind::Dir && !plan.itself => folders.push(row),
            Ok(row) => files.push(row),
            Err(text) => {
                let text = if call.applet {
                    format!("ls: {operand}: {text}\n")
                } else {
                    format!("{}: cannot access {}: {text}\n", call.name, quoting::quoted(operand))
                };
                said.err.extend(text.bytes());
                said.status = if call.applet { 1 } else { 2 };
            }
        }
    }
    let mut text = String::new();
    order::sort(&mut files, &plan);
    order::sort(&mut folders, &plan);
    if !files.is_empty() {
        text += &show(call, &plan, &files);
    }
    let headed = operands.len() > 1 || plan.recursive;
    let mut todo: Vec<(String, String)> =
        folders.iter().rev().map(|row| (row.name.clone(), call.path(&row.name))).collect();
    let mut visited = 0;
    while let Some((shown, path)) = todo.pop() {
        visited += 1;
        if visited > MOST_FOLDERS {
            break;
        }
        folder(call, &plan, (&shown, &path), headed, &mut text, &mut todo, &mut said);
    }
    said.out = text.into();
    said
}

/// What an operand names.
fn operand_row(call: &Call<'_>, plan: &Plan, operand: &str) -> Result<Row, &'static str> {
    if operand.is_empty() {
        return Err("No such file or directory");
    }
    let path = call.path(operand);
    let itself = call.files().lstat(&path).map_err(|error| error.errno_text())?;
    let followed = call.files().stat(&path);
    let follows = plan.follow_operands
        || operand.ends_with('/')
        || plan.follow_folders && followed.as_ref().is_ok_and(Attributes::is_dir);
    let attributes = match followed {
        Ok(target) if follows => target,
        Err(error) if plan.follow && itself.kind == Kind::Symlink => return Err(error.errno_text()),
        _ => itself,
    };
    Ok(row(call, plan, operand, &path, attributes))
}

fn row(call: &Call<'_>, plan: &Plan, name: &str, path: &str, attributes: Attributes) -> Row {
    let is_link = attributes.kind == Kind::Symlink;
    let target = if is_link { call.files().stat(path).ok().map(|target| target.kind) } else { None };
    let clean = if plan.question_marks && matches!(plan.style, quoting::Style::Literal) {
        name.replace(|c: char| c.is_control(), "?")
    } else {
        name.to_owned()
    };
    Row {
        shown: plan.style.write(&clean),
        name: name.to_owned(),
        kind: attributes.kind,
        link: if is_link { call.files().read_link(path).ok() } else { None },
        is_folder: order::is_folder(attributes.kind, target),
        attributes: Some(attributes),
    }
}

/// One directory, and what is below it still to be done.
fn folder(
    call: &Call<'_>,
    plan: &Plan,
    (shown, path): (&str, &str),
    headed: bool,
    text: &mut String,
    todo: &mut Vec<(String, String)>,
    said: &mut Said,
) {
    let who = call.session.who();
    let listed =
        call.files().may(who.uid, who.gid, path, Access::Read).and_then(|()| call.files().list(path));
    let entries = match listed {
        Ok(entries) => entries,
        Err(error) => {
            said.err.extend(
                format!("{}: cannot open directory '{shown}': {}\n", call.name, error.errno_text()).bytes(),
            );
            said.status = 2;
            return;
        }
    };
    if headed {
        if !text.is_empty() {
            text.push('\n');
        }
        *text += &format!("{}:\n", plan.style.write(shown));
    }
    let mut rows: Vec<Row> = Vec::with_capacity(entries.len() + 2);
    if plan.hidden == Hidden::Nothing {
        for name in [".", ".."] {
            let full = call.files().resolve(path, name);
            if let Ok(attributes) = call.files().stat(&full) {
                rows.push(row(call, plan, name, &full, attributes));
            }
        }
    }
    for entry in entries {
        if entry.name.starts_with('.') && plan.hidden == Hidden::Dotted
            || plan.ignored.iter().any(|pattern| is_ignored(&entry.name, pattern))
        {
            continue;
        }
        let full = format!("{}/{}", path.trim_end_matches('/'), entry.name);
        let mut lost = false;
        let attributes = if plan.follow && entry.attributes.kind == Kind::Symlink {
            call.files().stat(&full).unwrap_or_else(|error| {
                let join = if shown == "." { entry.name.clone() } else { join(shown, &entry.name) };
                said.err.extend(
                    format!(
                        "{}: cannot access {}: {}\n",
                        call.name,
                        quoting::quoted(&join),
                        error.errno_text()
                    )
                    .bytes(),
                );
                said.status = said.status.max(1);
                lost = true;
                entry.attributes
            })
        } else {
            entry.attributes
        };
        let mut row = row(call, plan, &entry.name, &full, attributes);
        if lost {
            row.attributes = None;
        }
        rows.push(row);
    }
    order::sort(&mut rows, plan);
    if plan.format == Format::Long || plan.blocks {
        let blocks: u64 = rows.iter().filter_map(|row| row.attributes.as_ref()).map(blocks).sum();
        *text += &format!("total {}\n", scaled(blocks * 1024, &plan.block_sizes));
    }
    *text += &show(call, plan, &rows);
    if plan.recursive {
        let below =
            rows.iter().rev().filter(|row| row.kind == Kind::Dir && row.name != "." && row.name != "..");
        for row in below {
            todo.push((join(shown, &row.name), join(path, &row.name)));
        }
    }
}

fn join(base: &str, name: &str) -> String {
    format!("{}/{name}", base.trim_end_matches('/'))
}

/// A leading dot is only matched by a dot.
fn is_ignored(name: &str, pattern: &str) -> bool {
    is_like(name, pattern) && (!name.starts_with('.') || pattern.starts_with('.'))
}

/// Kibibytes in use.
fn blocks(attributes: &Attributes) -> u64 {
    match attributes.kind {
        Kind::File | Kind::Dir => attributes.size.div_ceil(4096) * 4,
        _ => 0,
    }
}

fn show(call: &Call<'_>, plan: &Plan, rows: &[Row]) -> String {
    // Names without quotation marks stand in line with those that have them.
    let lines_up = matches!(plan.style, quoting::Style::Shell(false) | quoting::Style::ShellEscape(false))
        && (plan.format == Format::Long
            || matches!(plan.format, Format::Down | Format::Across) && plan.width > 0)
        && rows.iter().any(|row| row.shown != row.name);
    let name = |row: &Row| {
        let pad = if lines_up && row.shown == row.name { " " } else { "" };
        format!("{pad}{}", row.shown)
    };
    if plan.format == Format::Long {
        return long(call, plan, rows, &name);
    }
    let inodes = width(rows, |row| row.attributes.as_ref().map_or(1, |a| a.inode.to_string().len()));
    let sizes = width(rows, |row| block_text(plan, row).len());
    let cell = |row: &Row| {
        let (mut text, single) = (String::new(), matches!(plan.format, Format::Commas));
        if plan.inode {
            let inode = row.attributes.as_ref().map_or("?".to_owned(), |a| a.inode.to_string());
            text += &format!("{inode:>0$} ", if single { 0 } else { inodes });
        }
        if plan.blocks {
            text += &format!("{:>1$} ", block_text(plan, row), if single { 0 } else { sizes });
        }
        if plan.context {
            text += "? ";
        }
        text + &name(row) + mark(plan, row)
    };
    let names: Vec<String> = rows.iter().map(cell).collect();
    match plan.format {
        _ if names.is_empty() => String::new(),
        Format::Commas => layout::commas(&names, plan),
        Format::Down | Format::Across => layout::columns(&names, plan),
        Format::Long | Format::Single => names.iter().map(|name| format!("{name}{}", plan.end)).collect(),
    }
}

fn width(rows: &[Row], length: impl Fn(&Row) -> usize) -> usize {
    rows.iter().map(length).max().unwrap_or(0)
}

fn block_text(plan: &Plan, row: &Row) -> String {
    row.attributes
        .as_ref()
        .map_or("?".to_owned(), |attributes| scaled(blocks(attributes) * 1024, &plan.block_sizes))
}

/// What stands behind a name.
fn mark(plan: &Plan, row: &Row) -> &'static str {
    let mode = row.attributes.as_ref().map_or(0, |attributes| attributes.mode);
    match (row.kind, plan.marks) {
        (_, Marks::No) => "",
        (Kind::Dir, _) => "/",
        (_, Marks::Slash) => "",
        (Kind::Symlink, _) => "@",
        (Kind::Fifo, _) => "|",
        (Kind::Socket, _) => "=",
        (Kind::File, Marks::All) if mode & 0o111 != 0 => "*",
        _ => "",
    }
}

/// A size in the unit that is asked for, rounded up.
fn scaled(bytes: u64, scale: &Scale) -> String {
    match scale {
        Scale::Human(base) => human_in(bytes, *base),
        Scale::Units(unit, suffix) => format!("{}{suffix}", bytes.div_ceil((*unit).max(1))),
    }
}

/// As `-h`: one decimal below ten, rounded up.
pub(super) fn human_in(size: u64, base: u64) -> String {
    let units: [&str; 6] = ["", if base == 1000 { "k" } else { "K" }, "M", "G", "T", "P"];
    let (mut unit, mut scale) = (0, 1_u64);
    while size.div_ceil(scale) >= base && unit + 1 < units.len() {
        unit += 1;
        scale *= base;
    }
    let name = units.get(unit).copied().unwrap_or("");
    if unit == 0 {
        return size.to_string();
    }
    let tenths = (u128::from(size) * 10).div_ceil(u128::from(scale));
    if tenths < 100 {
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    } else {
        format!("{}{name}", size.div_ceil(scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        // Measured with ls -lh of coreutils 9.1.
        for (size, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (10_240, "10K"),
            (151_344, "148K"),
            (1_048_576, "1.0M"),
            (1_265_648, "1.3M"),
        ] {
            assert_eq!(human_in(size, 1024), text);
        }
        assert_eq!(human_in(12_813, 1000), "13k");
    }
}
