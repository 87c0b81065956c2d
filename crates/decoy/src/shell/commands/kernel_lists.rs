//! What the kernel holds, in util-linux's tables: `lsns`, `lsipc`, `ipcs`, `prlimit`, `lsmem`, `lslogins`.

use super::{
    Call, Said, running,
    smartcols::{Column, Form, Row, Table, size},
    usage,
};

fn table(columns: &[Column], rows: Vec<Vec<String>>, call: &Call<'_>, name: &'static str) -> String {
    let options = call.options("opt");
    let has = |letter, long| options.has(letter) || options.has_long(long);
    let form = match () {
        () if has('J', "json") => Form::Json,
        () if has('P', "pairs") => Form::Pairs,
        () if has('r', "raw") => Form::Raw,
        () => Form::Plain,
    };
    let rows = rows.into_iter().map(Row::new).collect();
    let headings = !has('n', "noheadings");
    Table { columns: columns.to_vec(), rows, form, headings, name, ..Table::default() }.write()
}

fn words<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// Namespaces: nobody has any of their own but for what systemd gives its services.
pub(super) fn lsns(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("lsns", call.args) {
        return said;
    }
    let options = call.options("opt");
    let all = running::all(call);
    let who = call.session.who().uid;
    let own: Vec<_> = all.iter().filter(|one| who == 0 || one.uid == who).collect();
    let first = own.first().map_or((1, "/sbin/init".to_owned()), |one| (one.pid, one.command.clone()));
    let user = own.first().map_or_else(|| "root".to_owned(), |one| running::user_name(call, one));
    let mut rows = Vec::new();
    let mut add = |number: u64, kind: &str, count: usize, pid: u32, user: &str, command: &str| {
        if options.value('t').is_none_or(|wanted| wanted == kind) {
            let row = [
                number.to_string(),
                kind.to_owned(),
                count.to_string(),
                pid.to_string(),
                user.to_owned(),
                command.to_owned(),
            ];
            rows.push(row.to_vec());
        }
    };
    let apart: Vec<_> = own
        .iter()
        .filter(|one| {
            ["systemd-udevd", "systemd-timesyncd", "systemd-logind"]
                .iter()
                .any(|name| one.command.ends_with(name))
        })
        .collect();
    for (number, kind) in [
        (4_026_531_834, "time"),
        (4_026_531_835, "cgroup"),
        (4_026_531_836, "pid"),
        (4_026_531_837, "user"),
        (4_026_531_838, "uts"),
        (4_026_531_839, "ipc"),
        (4_026_531_840, "net"),
        (4_026_531_841, "mnt"),
    ] {
        let less = if matches!(kind, "mnt") { apart.len() } else { 0 };
        add(number, kind, own.len().saturating_sub(less), first.0, &user, &first.1);
    }
    if who == 0 {
        if let Some(kernel) = all.iter().find(|one| one.command == "[kdevtmpfs]") {
            add(4_026_531_862, "mnt", 1, kernel.pid, "root", "kdevtmpfs");
        }
        for (number, one) in (4_026_532_160..).step_by(2).zip(&apart) {
            add(number, "mnt", 1, one.pid, &running::user_name(call, one), &one.command);
        }
    }
    let columns = [
        Column::number("NS"),
        Column::left("TYPE"),
        Column::number("NPROCS"),
        Column::number("PID"),
        Column::left("USER"),
        Column::left("COMMAND"),
    ];
    Said::out(table(&columns, rows, call, "namespaces"))
}

pub(super) fn lsipc(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("lsipc", call.args) {
        return said;
    }
    let rows = [
        ["MSGMNI", "Number of message queues", "32000", "0", "0.00%"],
        ["MSGMAX", "Max size of message (bytes)", "8192", "-", "-"],
        ["MSGMNB", "Default max size of queue (bytes)", "16384", "-", "-"],
        ["SHMMNI", "Shared memory segments", "4096", "0", "0.00%"],
        ["SHMALL", "Shared memory pages", "18446744073692774399", "0", "0.00%"],
        ["SHMMAX", "Max size of shared memory segment (bytes)", "18446744073692774399", "-", "-"],
        ["SHMMIN", "Min size of shared memory segment (bytes)", "1", "-", "-"],
        ["SEMMNI", "Number of semaphore identifiers", "32000", "0", "0.00%"],
        ["SEMMNS", "Total number of semaphores", "1024000000", "0", "0.00%"],
        ["SEMMSL", "Max semaphores per semaphore set.", "32000", "-", "-"],
        ["SEMOPM", "Max number of operations per semop(2)", "500", "-", "-"],
        ["SEMVMX", "Semaphore max value", "32767", "-", "-"],
    ];
    let options = call.options("oi");
    if options.has('m') || options.has('q') || options.has('s') {
        return Said::nothing(0);
    }
    let plain = options.has('b') || options.has_long("bytes");
    let shown = |mut row: [&'static str; 5]| {
        if !plain
            && row.first().is_some_and(|name| matches!(*name, "MSGMAX" | "MSGMNB" | "SHMMAX" | "SHMMIN"))
        {
            row[2] = match row[2] {
                "8192" => "8K",
                "16384" => "16K",
                "1" => "1B",
                _ => "16E",
            };
        }
        words(row)
    };
    let columns = [
        Column::left("RESOURCE"),
        Column::left("DESCRIPTION"),
        Column::right("LIMIT"),
        Column::right("USED"),
        Column::right("USE%"),
    ];
    Said::out(table(&columns, rows.map(shown).to_vec(), call, "ipclimits"))
}

pub(super) fn ipcs(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("ipcs", call.args) {
        return said;
    }
    let options = call.options("i");
    let some = ['q', 'm', 's'].iter().any(|letter| options.has(*letter)) && !options.has('a');
    let wants = |letter| !some || options.has(letter);
    let mut text = "\n".to_owned();
    if options.has('l') {
        for (letter, part) in [
            (
                'q',
                "------ Messages Limits --------\nmax queues system wide = 32000\nmax size of message (bytes) = 8192\ndefault max size of queue (bytes) = 16384\n",
            ),
            (
                'm',
                "------ Shared Memory Limits --------\nmax number of segments = 4096\nmax seg size (kbytes) = 18014398509465599\nmax total shared memory (kbytes) = 18446744073709551612\nmin seg size (bytes) = 1\n",
            ),
            (
                's',
                "------ Semaphore Limits --------\nmax number of arrays = 32000\nmax semaphores per array = 32000\nmax semaphores system wide = 1024000000\nmax ops per semop call = 500\nsemaphore max value = 32767\n",
            ),
        ] {
            if wants(letter) {
                text += &format!("{part}\n");
            }
        }
        return Said::out(text);
    }
    if options.has('u') {
        for (letter, part) in [
            (
                'q',
                "------ Messages Status --------\nallocated queues = 0\nused headers = 0\nused space = 0 bytes\n",
            ),
            (
                'm',
                "------ Shared Memory Status --------\nsegments allocated 0\npages allocated 0\npages resident  0\npages swapped   0\nSwap performance: 0 attempts\t 0 successes\n",
            ),
            ('s', "------ Semaphore Status --------\nused arrays = 0\nallocated semaphores = 0\n"),
        ] {
            if wants(letter) {
                text += &format!("{part}\n");
            }
        }
        return Said::out(text);
    }
    let parts = if options.has('p') {
        [
            "------ Message Queues PIDs --------\nmsqid      owner      lspid      lrpid     \n",
            "------ Shared Memory Creator/Last-op PIDs --------\nshmid      owner      cpid       lpid      \n",
            "",
        ]
    } else {
        [
            "------ Message Queues --------\nkey        msqid      owner      perms      used-bytes   messages    \n",
            "------ Shared Memory Segments --------\nkey        shmid      owner      perms      bytes      nattch     status      \n",
            "------ Semaphore Arrays --------\nkey        semid      owner      perms      nsems     \n",
        ]
    };
    for (letter, part) in ['q', 'm', 's'].into_iter().zip(parts) {
        if wants(letter) {
            text += &format!("{part}\n");
        }
    }
    Said::out(text)
}

/// Limits of a process: name in `/proc/PID/limits`, what it is, its unit and its long option.
const LIMITS: &[(&str, &str, &str, &str, &str)] = &[
    ("AS", "address space limit", "bytes", "Max address space", "as"),
    ("CORE", "max core file size", "bytes", "Max core file size", "core"),
    ("CPU", "CPU time", "seconds", "Max cpu time", "cpu"),
    ("DATA", "max data size", "bytes", "Max data size", "data"),
    ("FSIZE", "max file size", "bytes", "Max file size", "fsize"),
    ("LOCKS", "max number of file locks held", "locks", "Max file locks", "locks"),
    ("MEMLOCK", "max locked-in-memory address space", "bytes", "Max locked memory", "memlock"),
    ("MSGQUEUE", "max bytes in POSIX mqueues", "bytes", "Max msgqueue size", "msgqueue"),
    ("NICE", "max nice prio allowed to raise", "", "Max nice priority", "nice"),
    ("NOFILE", "max number of open files", "files", "Max open files", "nofile"),
    ("NPROC", "max number of processes", "processes", "Max processes", "nproc"),
    ("RSS", "max resident set size", "bytes", "Max resident set", "rss"),
    ("RTPRIO", "max real-time priority", "", "Max realtime priority", "rtprio"),
    ("RTTIME", "timeout for real-time tasks", "microsecs", "Max realtime timeout", "rttime"),
    ("SIGPENDING", "max number of pending signals", "signals", "Max pending signals", "sigpending"),
    ("STACK", "max stack size", "bytes", "Max stack size", "stack"),
];

/// Shows limits; with a command it only starts that.
pub(super) fn prlimit(call: &Call<'_>) -> Result<Vec<String>, Said> {
    if let Some(said) = usage::refusal("prlimit", call.args) {
        return Err(said);
    }
    let mut pid = "self".to_owned();
    let (mut wanted, mut sets, mut operands) = (Vec::new(), false, Vec::new());
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if !operands.is_empty() || !arg.starts_with('-') {
            operands.push(arg.clone());
        } else if arg == "-p" || arg == "--pid" {
            pid = args.next().cloned().unwrap_or_default();
        } else if let Some(value) = arg.strip_prefix("--pid=").or_else(|| arg.strip_prefix("-p")) {
            value.clone_into(&mut pid);
        } else if let Some(long) = arg.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            sets |= value.is_some();
            wanted.extend(LIMITS.iter().filter(|limit| limit.4 == name).map(|limit| limit.0));
        }
    }
    if !operands.is_empty() {
        return Ok(operands);
    }
    if sets {
        return Err(Said::nothing(0));
    }
    let Ok(text) = call.files().read(&format!("/proc/{pid}/limits")) else {
        return Err(Said::err("prlimit: failed to get old AS limit: No such process\n", 1));
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let rows = LIMITS.iter().filter(|limit| wanted.is_empty() || wanted.contains(&limit.0));
    let rows = rows.map(|(name, what, unit, file, _)| {
        let line = text.lines().find_map(|line| line.strip_prefix(file)).unwrap_or_default();
        let mut values = line.split_whitespace().map(str::to_owned);
        let mut value = || values.next().unwrap_or_else(|| "unlimited".to_owned());
        vec![(*name).to_owned(), (*what).to_owned(), value(), value(), (*unit).to_owned()]
    });
    let columns = [
        Column::left("RESOURCE"),
        Column::left("DESCRIPTION"),
        Column::right("SOFT"),
        Column::right("HARD"),
        Column::left("UNITS"),
    ];
    Err(Said::out(table(&columns, rows.collect(), call, "limits")))
}

/// Blocks of 128 MiB; what lies below 4 GiB ends at 3 GiB, where the devices begin.
pub(super) fn lsmem(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("lsmem", call.args) {
        return said;
    }
    const BLOCK: u64 = 128 << 20;
    let total = call.identity().memory_bytes.div_ceil(1 << 30) << 30;
    let low = total.min(3 << 30);
    let mut rows = Vec::new();
    let mut add = |from: u64, bytes: u64| {
        let (first, last) = (from / BLOCK, (from + bytes) / BLOCK - 1);
        let blocks = if first == last { first.to_string() } else { format!("{first}-{last}") };
        rows.push(vec![
            format!("0x{from:016x}-0x{:016x}", from + bytes - 1),
            size(bytes),
            "online".to_owned(),
            "yes".to_owned(),
            blocks,
        ]);
    };
    add(0, low);
    if total > low {
        add(4 << 30, total - low);
    }
    let columns = [
        Column::left("RANGE"),
        Column::right("SIZE"),
        Column::right("STATE"),
        Column::right("REMOVABLE"),
        Column::right("BLOCK"),
    ];
    let options = call.options("o");
    let mut text =
        if options.has_long("summary=only") { String::new() } else { table(&columns, rows, call, "memory") };
    if !options.has('J') && !options.has('P') && !options.has('r') {
        text += &format!(
            "{}Memory block size:  {:>10}\nTotal online memory: {:>9}\nTotal offline memory:{:>9}\n",
            if text.is_empty() { "" } else { "\n" },
            "128M",
            size(total),
            "0B"
        );
    }
    Said::out(text)
}

pub(super) fn lslogins(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("lslogins", call.args) {
        return said;
    }
    let options = call.options("ogl");
    let identity = call.identity();
    let list = running::all(call);
    let text = call.files().read("/etc/passwd").unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let shadow = call.files().read("/etc/shadow").unwrap_or_default();
    let shadow = String::from_utf8_lossy(&shadow).into_owned();
    let mut rows = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, gecos, home, shell] = fields.as_slice() else { continue };
        let Ok(number) = uid.parse::<u32>() else { continue };
        let count = list.iter().filter(|process| process.uid == number).count();
        let hash =
            shadow.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default();
        let hash = hash.split(':').next().unwrap_or_default();
        let (locked, denied) = (hash.starts_with('!'), hash.starts_with(['!', '*']));
        if let Some(wanted) = options.operands.first() {
            if wanted == name || wanted == uid {
                let group = identity.groups().into_iter().find(|group| group.1.to_string() == *gid);
                let group = group.map_or_else(String::new, |group| group.0);
                let yes = |yes: bool| if yes { "yes" } else { "no" };
                let rows = [
                    ("Username:", (*name).to_owned()),
                    ("UID:", (*uid).to_owned()),
                    ("Gecos field:", (*gecos).to_owned()),
                    ("Home directory:", (*home).to_owned()),
                    ("Shell:", (*shell).to_owned()),
                    ("No login:", yes(shell.ends_with("nologin") || shell.ends_with("false")).to_owned()),
                    ("Password is locked:", yes(locked).to_owned()),
                    ("Password not required (empty):", yes(hash.is_empty()).to_owned()),
                    ("Login by password disabled:", yes(denied).to_owned()),
                    ("Primary group:", group),
                    ("GID:", (*gid).to_owned()),
                    ("Hushed:", "no".to_owned()),
                    ("Running processes:", count.to_string()),
                ];
                let shown = rows.iter().map(|(name, value)| format!("{name:<35} {value:<36}\n"));
                return Said::out(shown.collect::<String>() + "\nLast logs:\n\n");
            }
            continue;
        }
        let is_person = number == 0 || (1000..60_000).contains(&number);
        if options.has('u') && !is_person || options.has('s') && (is_person && number != 0) {
            continue;
        }
        let gecos = gecos.split(',').next().unwrap_or_default();
        rows.push((
            number,
            vec![
                number.to_string(),
                (*name).to_owned(),
                count.to_string(),
                u8::from(locked).to_string(),
                u8::from(denied).to_string(),
                String::new(),
                gecos.to_owned(),
            ],
        ));
    }
    if let Some(wanted) = options.operands.first() {
        return Said::err(format!("lslogins: cannot found '{wanted}'\n"), 1);
    }
    rows.sort_by_key(|row| row.0);
    let columns = [
        Column::number("UID"),
        Column::left("USER"),
        Column::number("PROC"),
        Column::boolean("PWD-LOCK"),
        Column::boolean("PWD-DENY"),
        Column::right("LAST-LOGIN"),
        Column::left("GECOS"),
    ];
    Said::out(table(&columns, rows.into_iter().map(|row| row.1).collect(), call, "lslogins"))
}
