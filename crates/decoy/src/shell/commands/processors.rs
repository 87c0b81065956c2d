//! `lscpu` of util-linux 2.38.1.

use super::{
    Call, Said,
    smartcols::{Column, Form, Row, Table},
    usage,
};

/// What is told: a heading of its own, or what stands under one.
struct Fact {
    name: String,
    /// As it is called outside of the tree.
    flat: String,
    value: String,
    depth: usize,
}

fn sized(kib: u32, instances: u32) -> String {
    let total = kib * instances;
    let size = if total >= 1024 && total.is_multiple_of(1024) {
        format!("{} MiB", total / 1024)
    } else if total >= 1024 {
        format!("{:.1} MiB", f64::from(total) / 1024.0)
    } else {
        format!("{total} KiB")
    };
    format!("{size} ({instances} instance{})", if instances == 1 { "" } else { "s" })
}

fn list(count: u32) -> String {
    match count {
        1 => "0".to_owned(),
        // Two of them are named one by one.
        2 => "0,1".to_owned(),
        count => format!("0-{}", count - 1),
    }
}

fn facts(call: &Call<'_>) -> Vec<Fact> {
    let (identity, count) = (call.identity(), call.identity().cpu_count);
    let cpu = &identity.cpu;
    let mut all = Vec::new();
    let mut add = |depth: usize, name: &str, flat: &str, value: String| {
        let flat = if flat.is_empty() { name } else { flat };
        all.push(Fact { name: name.to_owned(), flat: flat.to_owned(), value, depth });
    };
    let bogomips = format!("{:.2}", f64::from(cpu.khz) / 500.0);
    add(0, "Architecture:", "", "x86_64".into());
    add(1, "CPU op-mode(s):", "", "32-bit, 64-bit".into());
    add(1, "Address sizes:", "", "40 bits physical, 48 bits virtual".into());
    add(1, "Byte Order:", "", "Little Endian".into());
    add(0, "CPU(s):", "", count.to_string());
    add(1, "On-line CPU(s) list:", "", list(count));
    add(0, "Vendor ID:", "", cpu.vendor.into());
    add(1, "Model name:", "", cpu.name.into());
    add(2, "CPU family:", "", cpu.family.to_string());
    add(2, "Model:", "", cpu.model.to_string());
    add(2, "Thread(s) per core:", "", "1".into());
    add(2, "Core(s) per socket:", "", "1".into());
    add(2, "Socket(s):", "", count.to_string());
    add(2, "Stepping:", "", cpu.stepping.to_string());
    add(2, "BogoMIPS:", "", bogomips);
    add(2, "Flags:", "", cpu.flags.into());
    add(0, "Virtualization features:", "-", String::new());
    let words: Vec<&str> = cpu.flags.split(' ').collect();
    if words.contains(&"vmx") {
        add(1, "Virtualization:", "", "VT-x".into());
    } else if words.contains(&"svm") {
        add(1, "Virtualization:", "", "AMD-V".into());
    }
    add(1, "Hypervisor vendor:", "", identity.hypervisor.into());
    add(1, "Virtualization type:", "", "full".into());
    add(0, "Caches (sum of all):", "-", String::new());
    add(1, "L1d:", "L1d cache:", sized(cpu.l1_kib, count));
    add(1, "L1i:", "L1i cache:", sized(cpu.l1_kib, count));
    add(1, "L2:", "L2 cache:", sized(cpu.l2_kib, count));
    add(1, "L3:", "L3 cache:", sized(cpu.l3_kib, count));
    add(0, "NUMA:", "-", String::new());
    add(1, "NUMA node(s):", "", "1".into());
    add(1, "NUMA node0 CPU(s):", "", list(count));
    add(0, "Vulnerabilities:", "-", String::new());
    const FOLDER: &str = "/sys/devices/system/cpu/vulnerabilities";
    let mut names: Vec<String> =
        call.files().list(FOLDER).unwrap_or_default().into_iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    for file in names {
        let text = call.files().read(&format!("{FOLDER}/{file}")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        // `Mitigation: X` is told as `Mitigation; X`, and what has a colon within loses it.
        let value = match text.split_once(": ") {
            Some(("Mitigation", rest)) => format!("Mitigation; {}", rest.replace(": ", " ")),
            _ => text,
        };
        let mut letters = file.replace('_', " ");
        if let Some(first) = letters.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        add(1, &format!("{letters}:"), &format!("Vulnerability {letters}:"), value);
    }
    all
}

pub(super) fn lscpu(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("lscpu", call.args) {
        return said;
    }
    let has = |short: char, long: &str| {
        call.args.iter().any(|arg| {
            arg.strip_prefix("--").map_or_else(
                || {
                    arg.strip_prefix('-')
                        .is_some_and(|rest| rest.split('=').next().unwrap_or_default().contains(short))
                },
                |rest| rest.split('=').next() == Some(long),
            )
        })
    };
    let asked =
        call.args.iter().find_map(|arg| arg.split_once('=')).map(|(_, value)| value.trim_end_matches(','));
    let json = has('J', "json");
    if has('p', "parse") {
        return Said::out(parsable(call, asked));
    }
    if has('e', "extended") {
        return Said::out(extended(call, asked, json));
    }
    if has('C', "caches") {
        return Said::out(caches(call, json));
    }
    let facts = facts(call);
    if json {
        let rows = facts.into_iter().filter(|fact| fact.flat != "-" || call.to_terminal);
        let rows = rows.map(|fact| Row::new(vec![fact.flat, fact.value])).collect();
        let columns = vec![Column::left("FIELD"), Column::left("DATA")];
        return Said::out(
            Table { columns, rows, form: Form::Json, name: "lscpu", ..Table::default() }.write(),
        );
    }
    let in_tree = call.to_terminal && asked != Some("never") || asked == Some("always");
    let shown: Vec<(String, &str)> = facts
        .iter()
        .filter(|fact| in_tree || fact.flat != "-")
        .map(|fact| {
            let name =
                if in_tree { format!("{}{}", "  ".repeat(fact.depth), fact.name) } else { fact.flat.clone() };
            (name, fact.value.as_str())
        })
        .collect();
    let width = shown.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    Said::out(shown.iter().map(|(name, value)| format!("{name:<width$}{value}\n")).collect::<String>())
}

fn cell(column: &str, number: u32) -> Option<String> {
    Some(match column.to_ascii_uppercase().as_str() {
        "CPU" | "SOCKET" => number.to_string(),
        "CORE" => number.to_string(),
        "NODE" | "BOOK" | "DRAWER" => "0".to_owned(),
        "CACHE" => format!("{number}:{number}:{number}:{number}"),
        "ONLINE" | "CONFIGURED" => if column.eq_ignore_ascii_case("online") { "yes" } else { "" }.to_owned(),
        "MAXMHZ" | "MINMHZ" | "MHZ" | "POLARIZATION" | "ADDRESS" | "SCALMHZ%" | "MODELNAME" => String::new(),
        _ => return None,
    })
}

/// `-e`.
fn extended(call: &Call<'_>, asked: Option<&str>, json: bool) -> String {
    let names: Vec<String> = asked
        .unwrap_or("CPU,NODE,SOCKET,CORE,CACHE,ONLINE")
        .split(',')
        .map(str::to_ascii_uppercase)
        .collect();
    let mut columns = Vec::new();
    for name in &names {
        columns.push(match name.as_str() {
            "CPU" => Column::number("CPU"),
            "NODE" => Column::number("NODE"),
            "SOCKET" => Column::number("SOCKET"),
            "CORE" => Column::number("CORE"),
            "CACHE" => Column::left("L1d:L1i:L2:L3"),
            "ONLINE" => Column::boolean("ONLINE"),
            _ => return format!("lscpu: unknown column: {name}\n"),
        });
    }
    let row =
        |number: u32| Row::new(names.iter().map(|name| cell(name, number).unwrap_or_default()).collect());
    let rows = (0..call.identity().cpu_count).map(row).collect();
    let form = if json { Form::Json } else { Form::Plain };
    Table { columns, rows, form, headings: true, name: "cpus", ..Table::default() }.write()
}

/// `-p`.
fn parsable(call: &Call<'_>, asked: Option<&str>) -> String {
    let mut text = "# The following is the parsable format, which can be fed to other\n# programs. Each different item in every column has an unique ID\n# starting usually from zero.\n".to_owned();
    let Some(asked) = asked else {
        text += "# CPU,Core,Socket,Node,,L1d,L1i,L2,L3\n";
        for number in 0..call.identity().cpu_count {
            text += &format!("{number},{number},{number},0,,{number},{number},{number},{number}\n");
        }
        return text;
    };
    let shown = |name: &str| match name.to_ascii_uppercase().as_str() {
        "CORE" => "Core".to_owned(),
        "SOCKET" => "Socket".to_owned(),
        "NODE" => "Node".to_owned(),
        "ONLINE" => "Online".to_owned(),
        other => other.to_owned(),
    };
    text += &format!("# {}\n", asked.split(',').map(shown).collect::<Vec<_>>().join(","));
    for number in 0..call.identity().cpu_count {
        let value = |name: &str| match cell(name, number) {
            Some(yes) if yes == "yes" => "Y".to_owned(),
            value => value.unwrap_or_default(),
        };
        text += &format!("{}\n", asked.split(',').map(value).collect::<Vec<_>>().join(","));
    }
    text
}

/// `-C`.
fn caches(call: &Call<'_>, json: bool) -> String {
    let (cpu, count) = (&call.identity().cpu, call.identity().cpu_count);
    let short =
        |kib: u32| if kib.is_multiple_of(1024) { format!("{}M", kib / 1024) } else { format!("{kib}K") };
    let row = |name: &str, kib: u32, ways: u32, kind: &str, level: u32| {
        let sets = kib * 1024 / 64 / ways;
        let cells = [
            name.to_owned(),
            short(kib),
            short(kib * count),
            ways.to_string(),
            kind.to_owned(),
            level.to_string(),
            sets.to_string(),
            "1".to_owned(),
            "64".to_owned(),
        ];
        Row::new(cells.to_vec())
    };
    let rows = vec![
        row("L1d", cpu.l1_kib, 8, "Data", 1),
        row("L1i", cpu.l1_kib, 8, "Instruction", 1),
        row("L2", cpu.l2_kib, 16, "Unified", 2),
        row("L3", cpu.l3_kib, 16, "Unified", 3),
    ];
    let columns = vec![
        Column::left("NAME"),
        Column::right("ONE-SIZE"),
        Column::right("ALL-SIZE"),
        Column::number("WAYS"),
        Column::left("TYPE"),
        Column::number("LEVEL"),
        Column::number("SETS"),
        Column::number("PHY-LINE"),
        Column::number("COHERENCY-SIZE"),
    ];
    let form = if json { Form::Json } else { Form::Plain };
    Table { columns, rows, form, headings: true, name: "caches", ..Table::default() }.write()
}
