//! File systems and what is free on them: `df` (GNU coreutils 9.1), and the facts for `stat -f`.

mod mounted;

use super::{
    Call, Said,
    getopt::{self, Given},
    listing::human_in,
    quoting::curled,
};
pub(super) use mounted::{Facts, FileSystem, facts, mounted_on};
use mounted::{all, holding};

/// How sizes are shown.
pub(super) enum Scale {
    Human(u64),
    Units(u64, String),
}

impl Scale {
    pub(super) fn show_bytes(&self, bytes: u64) -> String {
        match self {
            Self::Human(base) => human_in(bytes, *base),
            Self::Units(unit, suffix) => format!("{}{suffix}", bytes.div_ceil(*unit)),
        }
    }

    fn show(&self, kib: u64) -> String {
        self.show_bytes(kib.saturating_mul(1024))
    }
}

/// `1K`, `M`, `GB`: the unit, and what stands behind each number.
pub(super) fn unit(text: &str) -> Option<(u64, String)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, letters) = text.split_at(digits);
    let count: u64 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let mut rest = letters.chars();
    let Some(letter) = rest.next() else { return Some((count, String::new())).filter(|_| count > 0) };
    let power = "KMGTPE".find(letter.to_ascii_uppercase())? as u32 + 1;
    let base: u64 = match rest.as_str() {
        "" | "iB" => 1024,
        "B" => 1000,
        _ => return None,
    };
    let scale = base.checked_pow(power)?.checked_mul(count)?;
    let shown = if number.is_empty() { letters.to_owned() } else { String::new() };
    Some((scale, shown)).filter(|_| scale > 0)
}

/// A number with a unit, which may be none.
pub(super) fn unit_or_zero(text: &str) -> Option<u64> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if text.bytes().all(|byte| byte == b'0') { Some(0) } else { unit(text).map(|(size, _)| size) }
}

/// A unit as the heading of its column.
fn heading(unit: u64) -> String {
    for (size, name) in [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")] {
        if unit >= size && unit.is_multiple_of(size) {
            return format!("{}{name}", unit / size);
        }
    }
    for (size, name) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")] {
        if unit >= size && unit.is_multiple_of(size) {
            return format!("{}{name}", unit / size);
        }
    }
    format!("{unit}B")
}

const FIELDS: &[&str] = &[
    "source", "fstype", "itotal", "iused", "iavail", "ipcent", "size", "used", "avail", "pcent", "file",
    "target",
];

pub(super) fn df(call: &Call<'_>) -> Said {
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

/// The columns that are shown, and their headings.
fn columns(call: &Call<'_>, given: &Given, scale: &Scale) -> Result<Vec<(&'static str, String)>, Said> {
    let inodes = given.has("inodes");
    let human = matches!(scale, Scale::Human(_));
    let posix = given.has("portability");
    let output = given.has("output");
    let fields: Vec<&'static str> = if output {
        let lists: Vec<&str> = given
            .options
            .iter()
            .filter(|(option, _)| option == "output")
            .filter_map(|(_, value)| value.as_deref())
            .collect();
        let mut fields = Vec::new();
        for word in lists.iter().flat_map(|list| list.split(',')) {
            let Some(field) = FIELDS.iter().find(|field| **field == word) else {
                let what = format!("option --output: field {} unknown", curled(word));
                return Err(getopt::misused(call, &what, 1));
            };
            if fields.contains(field) {
                let what = format!("option --output: field {} used more than once", curled(word));
                return Err(getopt::misused(call, &what, 1));
            }
            fields.push(*field);
        }
        if fields.is_empty() { FIELDS.to_vec() } else { fields }
    } else {
        let counts: &[&str] = if inodes {
            &["itotal", "iused", "iavail", "ipcent"]
        } else {
            &["size", "used", "avail", "pcent"]
        };
        let kind: &[&str] = if given.has("print-type") { &["fstype"] } else { &[] };
        let shown: Vec<&str> = [&["source"], kind, counts, &["target"]].concat();
        FIELDS.iter().copied().filter(|field| shown.contains(field)).collect()
    };
    let title = |field: &str| match field {
        "source" => "Filesystem".to_owned(),
        "fstype" => "Type".to_owned(),
        "itotal" => "Inodes".to_owned(),
        "iused" => "IUsed".to_owned(),
        "iavail" => "IFree".to_owned(),
        "ipcent" => "IUse%".to_owned(),
        "size" if human => "Size".to_owned(),
        "size" if posix => match scale {
            Scale::Units(unit, _) => format!("{unit}-blocks"),
            Scale::Human(_) => "Size".to_owned(),
        },
        "size" => match scale {
            Scale::Units(unit, _) => format!("{}-blocks", heading(*unit)),
            Scale::Human(_) => "Size".to_owned(),
        },
        "used" => "Used".to_owned(),
        "avail" if human || output => "Avail".to_owned(),
        "avail" => "Available".to_owned(),
        "pcent" if posix => "Capacity".to_owned(),
        "pcent" => "Use%".to_owned(),
        "file" => "File".to_owned(),
        _ => "Mounted on".to_owned(),
    };
    Ok(fields.into_iter().map(|field| (field, title(field))).collect())
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["-m", "--megabytes", "-v"], 1)?;
    if given.has("output") {
        for (option, letter) in [("inodes", "-i"), ("portability", "-P"), ("print-type", "-T")] {
            if given.has(option) {
                let what = format!("options {letter} and --output are mutually exclusive");
                return Err(getopt::misused(call, &what, 1));
            }
        }
    }
    let scale = match given.last(&["human-readable", "si", "block-size", "k", "m"]) {
        Some("human-readable") => Scale::Human(1024),
        Some("si") => Scale::Human(1000),
        Some("m") => Scale::Units(1 << 20, String::new()),
        Some("block-size") => {
            let text = given.value("block-size").unwrap_or_default();
            match (text, unit(text)) {
                ("human-readable", _) => Scale::Human(1024),
                ("si", _) => Scale::Human(1000),
                (_, Some((unit, suffix))) => Scale::Units(unit, suffix),
                (_, None) => {
                    return Err(Said::err(format!("df: invalid -B argument {}\n", curled(text)), 1));
                }
            }
        }
        _ => Scale::Units(1024, String::new()),
    };
    let columns = columns(call, &given, &scale)?;
    let listed = |option: &str| -> Vec<&str> {
        given.options.iter().filter(|(o, _)| o == option).filter_map(|(_, value)| value.as_deref()).collect()
    };
    let (only, without) = (listed("type"), listed("exclude-type"));
    if let Some(both) = only.iter().find(|kind| without.contains(kind)) {
        return Err(Said::err(
            format!("df: file system type {} both selected and excluded\n", curled(both)),
            1,
        ));
    }
    let all = all(call);
    let mut said = Said::default();
    let mut rows: Vec<(&FileSystem, String)> = Vec::new();
    for operand in &given.operands {
        let path = call.path(operand);
        match call.files().stat(&path) {
            Ok(_) => rows.extend(holding(call, &all, &path).map(|one| (one, operand.clone()))),
            Err(error) => {
                let shown = if operand.is_empty() { "''" } else { operand };
                said.err.extend(format!("df: {shown}: {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    if given.operands.is_empty() {
        rows.extend(
            all.iter().filter(|one| one.total > 0 || given.has("all")).map(|one| (one, "-".to_owned())),
        );
    }
    if rows.is_empty() && said.status != 0 {
        return Ok(said);
    }
    rows.retain(|(one, _)| {
        (only.is_empty() || only.contains(&one.kind))
            && !without.contains(&one.kind)
            && !(given.has("local") && matches!(one.kind, "nfs" | "cifs"))
    });
    if rows.is_empty() {
        said.err.extend_from_slice(b"df: no file systems processed\n");
        said.status = 1;
        return Ok(said);
    }
    let total = FileSystem {
        source: "total".to_owned(),
        kind: "-",
        total: rows.iter().map(|(one, _)| one.total).sum(),
        used: rows.iter().map(|(one, _)| one.used).sum(),
        reserved: rows.iter().map(|(one, _)| one.reserved).sum(),
        inodes: rows.iter().map(|(one, _)| one.inodes).sum(),
        inodes_used: rows.iter().map(|(one, _)| one.inodes_used).sum(),
        target: "-",
    };
    if given.has("total") {
        rows.push((&total, "-".to_owned()));
    }
    let mut table: Vec<Vec<String>> = vec![columns.iter().map(|(_, title)| title.clone()).collect()];
    for (one, file) in &rows {
        table.push(columns.iter().map(|(field, _)| cell(one, file, field, &scale)).collect());
    }
    said.out = lines(&columns, &table).into();
    Ok(said)
}

fn cell(one: &FileSystem, file: &str, field: &str, scale: &Scale) -> String {
    let available = one.total.saturating_sub(one.used + one.reserved);
    let share =
        |used: u64, of: u64| if of == 0 { "-".to_owned() } else { format!("{}%", (used * 100).div_ceil(of)) };
    let counted = |number: u64| match scale {
        Scale::Human(base) => human_in(number, *base),
        Scale::Units(..) => number.to_string(),
    };
    match field {
        "source" => one.source.clone(),
        "fstype" => one.kind.to_owned(),
        "itotal" => counted(one.inodes),
        "iused" => counted(one.inodes_used),
        "iavail" => counted(one.inodes.saturating_sub(one.inodes_used)),
        "ipcent" => share(one.inodes_used, one.inodes),
        "size" => scale.show(one.total),
        "used" => scale.show(one.used),
        "avail" => scale.show(available),
        "pcent" => share(one.used, one.used + available),
        "file" => file.to_owned(),
        _ => one.target.to_owned(),
    }
}

fn lines(columns: &[(&str, String)], table: &[Vec<String>]) -> String {
    let narrowest = |field: &str| match field {
        "source" => 14,
        "fstype" | "pcent" | "ipcent" => 4,
        "size" | "used" | "avail" | "itotal" | "iused" | "iavail" => 5,
        _ => 0,
    };
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, (field, _))| {
            let longest = table.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
            longest.unwrap_or(0).max(narrowest(field)).min(4096)
        })
        .collect();
    let mut text = String::new();
    for row in table {
        let mut line = String::new();
        for (at, ((cell, (field, _)), width)) in row.iter().zip(columns).zip(&widths).enumerate() {
            if at > 0 {
                line.push(' ');
            }
            let last = at + 1 == columns.len();
            if matches!(*field, "source" | "fstype" | "file" | "target") {
                line += &if last { cell.clone() } else { format!("{cell:<width$}") };
            } else {
                line += &format!("{cell:>width$}");
            }
        }
        text += &(line + "\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_named() {
        for (text, name) in [("1K", "1K"), ("M", "1M"), ("GB", "1GB"), ("512", "512B"), ("1", "1B")] {
            assert_eq!(unit(text).map(|(unit, _)| heading(unit)).as_deref(), Some(name));
        }
        assert_eq!(unit("x"), None);
    }
}
