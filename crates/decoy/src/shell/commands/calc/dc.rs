//! `dc`: the calculator with a stack (GNU dc 1.4.1).

use super::{
    super::{Call, Said, sources},
    stack::Machine,
};

pub(in crate::shell::commands) fn dc(call: &Call<'_>) -> Said {
    let mut machine = Machine::new(call.stdin.unwrap_or_default());
    let (mut args, mut ran, mut operands) = (call.args.iter(), false, Vec::new());
    while let Some(arg) = args.next() {
        let (kind, attached) = match arg.as_str() {
            "--" => {
                operands.extend(args.by_ref().cloned());
                break;
            }
            "-h" | "--help" | "-V" | "--version" => {
                return super::super::usage::of(
                    "dc",
                    &[arg.replace("-h", "--help").replace("-V", "--version")],
                    false,
                )
                .unwrap_or_default();
            }
            text => match text.get(..2) {
                Some("-e") => ('e', text.get(2..)),
                Some("-f") => ('f', text.get(2..)),
                _ => match text.split_once('=') {
                    Some(("--expression", rest)) => ('e', Some(rest)),
                    Some(("--file", rest)) => ('f', Some(rest)),
                    _ if matches!(text, "--expression" | "--file") => {
                        (if text == "--file" { 'f' } else { 'e' }, None)
                    }
                    _ if text.starts_with('-') && text.len() > 1 => {
                        let what = match text.strip_prefix("--") {
                            Some(_) => format!("unrecognized option '{text}'"),
                            None => {
                                format!("invalid option -- '{}'", text.chars().nth(1).unwrap_or_default())
                            }
                        };
                        return Said::err(format!("dc: {what}\n{USAGE}"), 1);
                    }
                    _ => {
                        operands.push(text.to_owned());
                        continue;
                    }
                },
            },
        };
        let value = match attached.filter(|text| !text.is_empty()) {
            Some(text) => text.to_owned(),
            None => args.next().cloned().unwrap_or_default(),
        };
        ran = true;
        if kind == 'e' {
            machine.run(value.as_bytes());
        } else if let Some(said) = file(call, &mut machine, &value) {
            return said;
        }
    }
    for operand in &operands {
        ran = true;
        if let Some(said) = file(call, &mut machine, operand) {
            return said;
        }
    }
    if !ran {
        let text = std::mem::take(&mut machine.input);
        machine.run(&text);
    }
    Said { out: machine.output.out, err: machine.output.err, status: 0 }
}

const USAGE: &str = "Usage: dc [OPTION] [file ...]\n  -e, --expression=EXPR    evaluate expression\n  -f, --file=FILE          evaluate contents of file\n  -h, --help               display this help and exit\n  -V, --version            output version information and exit\n\nEmail bug reports to:  bug-dc@gnu.org .\n";

fn file(call: &Call<'_>, machine: &mut Machine, name: &str) -> Option<Said> {
    match sources::read(call, name) {
        Ok(text) => {
            machine.run(&text);
            None
        }
        Err(_) => {
            let mut said = Said { out: std::mem::take(&mut machine.output.out), ..Said::default() };
            said.err = format!("dc: Could not open file {name}\n").into();
            said.status = 1;
            Some(said)
        }
    }
}
