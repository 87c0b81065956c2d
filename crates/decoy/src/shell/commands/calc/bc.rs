//! `bc` as a program: its options, its files, and the conversation with it.

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    super::{Call, Said, sources, usage},
    program::Parser,
    run::Machine,
    words,
};
use crate::shell::io::Out;

const GREETING: &str = "bc 1.07.1\nCopyright 1991-1994, 1997, 1998, 2000, 2004, 2006, 2008, 2012-2017 Free Software Foundation, Inc.\nThis is free software with ABSOLUTELY NO WARRANTY.\nFor details type `warranty'. \n";
const USAGE: &str = "usage: bc [options] [file ...]\n  -h  --help         print this usage and exit\n  -i  --interactive  force interactive mode\n  -l  --mathlib      use the predefined math routines\n  -q  --quiet        don't print initial banner\n  -s  --standard     non-standard bc constructs are errors\n  -w  --warn         warn about non-standard bc constructs\n  -v  --version      print version information and exit\n";

pub(in crate::shell::commands) fn bc<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = call.options("");
        if options.has('h') || options.has_long("help") {
            return usage::of("bc", &["--help".to_owned()], false).unwrap_or_else(|| Said::out(USAGE));
        }
        if options.has('v') || options.has_long("version") {
            let text = GREETING.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
            return Said::out(text);
        }
        if let Some(letter) = options.unknown("ilqsw") {
            return Said {
                out: USAGE.into(),
                err: format!("bc: invalid option -- '{letter}'\n").into(),
                status: 1,
            };
        }
        let mut machine = Machine::new(options.has('l') || options.has_long("mathlib"));
        for name in &options.operands {
            match sources::read(call, name) {
                Ok(text) => machine.run(&String::from_utf8_lossy(&text), name),
                Err(_) => {
                    return Said::err(format!("File {name} is unavailable.\n"), 1);
                }
            }
            if machine.halted {
                return said(&mut machine);
            }
        }
        match call.stdin {
            Some(text) => machine.run(&String::from_utf8_lossy(text), "(standard_in)"),
            None => talk(call, &mut machine, options.has('q') || options.has_long("quiet")).await,
        }
        said(&mut machine)
    }
    .boxed()
}

fn said(machine: &mut Machine) -> Said {
    let output = std::mem::take(&mut machine.output);
    Said { out: output.out, err: output.err, status: 0 }
}

/// Line by line with whoever sits at the keys; a line that leaves a brace or a comment open waits for the rest.
async fn talk(call: &Call<'_>, machine: &mut Machine, quiet: bool) {
    let Some((output, input)) = call.session.channels.lock().clone() else { return };
    if call.to_terminal && !quiet {
        output(Out::Stdout, GREETING.as_bytes());
    }
    let (mut pending, mut number) = (String::new(), 0_usize);
    loop {
        let line = if call.to_terminal { input.read_line().await } else { input.read_all().await };
        pending += &String::from_utf8_lossy(&line);
        if pending.is_empty() {
            break;
        }
        let is_cut = words::is_cut(&pending) || Parser::is_cut(&pending);
        if is_cut && !line.is_empty() && call.to_terminal && pending.len() < 64 * 1024 {
            continue;
        }
        // The lines before are counted, not read again.
        let text = "\n".repeat(number) + &pending;
        number += pending.matches('\n').count();
        pending.clear();
        machine.run(&text, "(standard_in)");
        let now = said(machine);
        for (out, bytes) in [(Out::Stdout, now.out), (Out::Stderr, now.err)] {
            if !bytes.is_empty() {
                output(out, &bytes);
            }
        }
        if machine.halted || number > 10_000 {
            return;
        }
    }
}
