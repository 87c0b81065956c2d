//! Programs that run another in a place of its own, or write down what it says: `unshare`, `nsenter`, `setpriv`, `script`.

use chrono::{DateTime, Utc};

use super::{Call, Said, usage};

/// The words behind the options; options in `valued` take the next word, long ones only after `=`.
fn behind<'a>(args: &'a [String], valued: &[&str]) -> &'a [String] {
    let mut at = 0;
    while let Some(arg) = args.get(at).filter(|arg| arg.starts_with('-') && arg.len() > 1) {
        at += 1;
        if arg == "--" {
            break;
        }
        at += usize::from(valued.contains(&arg.as_str()));
    }
    args.get(at..).unwrap_or_default()
}

/// The command, or the shell of whoever is at work.
fn command(words: &[String]) -> Vec<String> {
    if words.is_empty() { vec!["bash".to_owned()] } else { words.to_vec() }
}

/// util-linux 2.38.1; without root only a namespace of users can be made, and with it the others.
pub(super) fn unshare(call: &Call<'_>) -> Result<Vec<String>, Said> {
    if let Some(said) = usage::refusal("unshare", call.args) {
        return Err(said);
    }
    let words = behind(
        call.args,
        &["-R", "-w", "-S", "-G", "--root", "--wd", "--setuid", "--setgid", "--propagation"],
    );
    let options = call.args.get(..call.args.len() - words.len()).unwrap_or_default();
    let of_users = options.iter().any(|arg| {
        matches!(arg.as_str(), "--user" | "--map-root-user" | "--map-current-user")
            || !arg.starts_with("--") && arg.contains(['U', 'r', 'c'])
    });
    if !call.is_root() && !of_users && !options.is_empty() {
        return Err(Said::err("unshare: unshare failed: Operation not permitted\n", 1));
    }
    Ok(command(words))
}

/// util-linux 2.38.1: there is one set of namespaces, and every process is in it.
pub(super) fn nsenter(call: &Call<'_>) -> Result<Vec<String>, Said> {
    if let Some(said) = usage::refusal("nsenter", call.args) {
        return Err(said);
    }
    let words = behind(call.args, &["-t", "--target", "-S", "-G", "--setuid", "--setgid", "-W"]);
    let options = call.args.get(..call.args.len() - words.len()).unwrap_or_default();
    let at =
        options.iter().position(|arg| arg == "-t" || arg == "--target").and_then(|at| options.get(at + 1));
    let target = at.map(String::as_str).or_else(|| {
        options.iter().find_map(|arg| arg.strip_prefix("--target=").or_else(|| arg.strip_prefix("-t")))
    });
    let spaces =
        options.iter().any(|arg| arg.starts_with('-') && !matches!(arg.as_str(), "-t" | "--target" | "-F"));
    if let Some(pid) = target {
        let exists = pid.parse::<u64>().is_ok_and(|pid| super::running::exists(call, pid));
        if spaces && !exists {
            return Err(Said::err(
                format!("nsenter: cannot open /proc/{pid}/ns/mnt: No such file or directory\n"),
                1,
            ));
        }
        if spaces && !call.is_root() {
            return Err(Said::err(
                format!("nsenter: cannot open /proc/{pid}/ns/mnt: Permission denied\n"),
                1,
            ));
        }
    } else if spaces {
        return Err(Said::err("nsenter: no target PID specified for --all\n", 1));
    }
    Ok(command(words))
}

/// util-linux 2.38.1.
pub(super) fn setpriv(call: &Call<'_>) -> Result<Vec<String>, Said> {
    if call.args.iter().any(|arg| arg == "-d" || arg == "--dump") {
        let who = call.session.who();
        let all = "chown,dac_override,dac_read_search,fowner,fsetid,kill,setgid,setuid,setpcap,linux_immutable,net_bind_service,net_broadcast,net_admin,net_raw,ipc_lock,ipc_owner,sys_module,sys_rawio,sys_chroot,sys_ptrace,sys_pacct,sys_admin,sys_boot,sys_nice,sys_resource,sys_time,sys_tty_config,mknod,lease,audit_write,audit_control,setfcap,mac_override,mac_admin,syslog,wake_alarm,block_suspend,audit_read,perfmon,bpf,checkpoint_restore";
        return Err(Said::out(format!(
            "uid: {0}\neuid: {0}\ngid: {1}\negid: {1}\nSupplementary groups: [none]\nno_new_privs: 0\nInheritable capabilities: [none]\nAmbient capabilities: [none]\nCapability bounding set: {all}\nSecurebits: [none]\nParent death signal: [none]\nAppArmor profile: unconfined\n",
            who.uid, who.gid
        )));
    }
    let words = behind(call.args, &[]);
    if words.is_empty() {
        return Err(Said::err(
            "setpriv: No program specified\nTry 'setpriv --help' for more information.\n",
            127,
        ));
    }
    Ok(words.to_vec())
}

/// util-linux 2.38.1: writes down what a command says. A shell that is started only for its terminal is that shell.
pub(super) fn script(call: &Call<'_>) -> Result<Vec<String>, Said> {
    if let Some(said) = usage::refusal("script", call.args) {
        return Err(said);
    }
    let (mut quiet, mut appends, mut command, mut file) = (false, false, None, None);
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
            match name {
                "quiet" => quiet = true,
                "append" => appends = true,
                "command" => command = value.or_else(|| args.next().cloned()),
                "log-out" => file = value.or_else(|| args.next().cloned()),
                "log-in" | "log-io" | "log-timing" | "logging-format" | "echo" | "output-limit"
                    if value.is_none() =>
                {
                    args.next();
                }
                _ => {}
            }
        } else if let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                quiet |= letter == 'q';
                appends |= letter == 'a';
                if "cOIBTmEo".contains(letter) {
                    let rest: String = letters.by_ref().collect();
                    let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                    if letter == 'c' {
                        command = value;
                    } else if letter == 'O' {
                        file = value;
                    }
                }
            }
        } else {
            file = Some(arg.clone());
        }
    }
    let named = file.clone().unwrap_or_else(|| "typescript".to_owned());
    let Some(command) = command.filter(|command| !command.trim().is_empty()) else {
        if call.session.launch.tty.is_some() {
            return Ok(vec!["bash".to_owned()]);
        }
        let text = format!("Script started, output log file is '{named}'.\nScript done.\n");
        return Err(Said::out(if quiet { String::new() } else { text }));
    };
    let is_shell = matches!(command.trim().rsplit('/').next(), Some("bash" | "sh" | "bash -i" | "sh -i"));
    if is_shell && call.session.launch.tty.is_some() {
        return Ok(command.split_whitespace().map(str::to_owned).collect());
    }
    let now: DateTime<Utc> = call.now().into();
    let at = now.format("%Y-%m-%d %H:%M:%S+00:00");
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let (file, sign) = (quoted(&named), if appends { ">>" } else { ">" });
    let head = format!("Script started on {at} [COMMAND=\"{command}\" <not executed on terminal>]\n");
    let text = format!(
        "{}printf %s {} {sign}{file}; bash -c {} 2>&1 | tee -a {file}; s=${{PIPESTATUS[0]}}; printf '\\nScript done on %s [COMMAND_EXIT_CODE=\"%s\"]\\n' {} \"$s\" >>{file}; {}(exit $s)",
        if quiet {
            String::new()
        } else {
            format!("printf '%s\\n' {}; ", quoted(&format!("Script started, output log file is '{named}'.")))
        },
        quoted(&head),
        quoted(&command),
        quoted(&at.to_string()),
        if quiet { "" } else { "echo 'Script done.'; " },
    );
    Ok(vec!["bash".to_owned(), "-c".to_owned(), text])
}

/// util-linux 2.38.1: a line for the log, where rsyslog writes such.
pub(super) fn logger(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("logger", call.args) {
        return said;
    }
    let options = call.options("PTfiptSn");
    let tag = options.value('t').map_or_else(|| call.session.user_name(), str::to_owned);
    let mut message = options.operands.join(" ");
    if message.is_empty() {
        message = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
    }
    let pid = if options.has('i') { format!("[{}]", call.session.shell_pid() + 1) } else { String::new() };
    let now: DateTime<Utc> = call.now().into();
    let facility = options.value('p').map_or("user", |priority| priority.split('.').next().unwrap_or("user"));
    let mut said = Said::default();
    for line in message.lines().take(256) {
        let row = format!(
            "{} {} {tag}{pid}: {line}\n",
            now.format("%Y-%m-%dT%H:%M:%S%.6f+00:00"),
            call.identity().hostname
        );
        if options.has('s') {
            said.err.extend(format!("<13>{} {tag}{pid}: {line}\n", now.format("%b %e %H:%M:%S")).bytes());
        }
        let files: &[&str] = match facility {
            "auth" | "authpriv" => &["auth.log"],
            "mail" => &["syslog", "mail.log"],
            "cron" => &["syslog", "cron.log"],
            "kern" | "user" => &["syslog", "user.log"],
            _ => &["syslog"],
        };
        for file in files {
            let path = format!("/var/log/{file}");
            if let Err(error) =
                call.files().append(&path, row.as_bytes(), &crate::machine::Owner::ROOT, 0o640)
            {
                tracing::debug!(%path, ?error, "a line is not in the log");
            }
        }
    }
    said
}
