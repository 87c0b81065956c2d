//! `flock` (util-linux 2.38): nobody else holds a lock here.

use super::{Call, Said, usage};

fn refusal(what: &str) -> Said {
    Said::err(format!("flock: {what}\nTry 'flock --help' for more information.\n"), 64)
}

/// The command that runs under the lock, or what is said instead.
pub(super) fn flock(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let mut args = call.args;
    let mut tells = false;
    const LONG: [(&str, char); 12] = [
        ("shared", 's'),
        ("exclusive", 'x'),
        ("unlock", 'u'),
        ("nonblocking", 'n'),
        ("nb", 'n'),
        ("timeout", 'w'),
        ("wait", 'w'),
        ("conflict-exit-code", 'E'),
        ("close", 'o'),
        ("no-fork", 'F'),
        ("verbose", 'v'),
        ("nonblock", 'n'),
    ];
    while let Some((option, rest)) =
        args.split_first().filter(|(word, _)| word.len() > 1 && word.starts_with('-'))
    {
        args = rest;
        if option == "--" {
            break;
        }
        let mut value = None;
        let letters = match option.strip_prefix("--") {
            Some("help") => return Err(usage::exactly("flock", "--help").unwrap_or_default()),
            Some("version") => return Err(usage::exactly("flock", "--version").unwrap_or_default()),
            Some(long) => {
                let (name, given) =
                    long.split_once('=').map_or((long, None), |(name, given)| (name, Some(given)));
                let Some((_, letter)) = LONG.iter().find(|(known, _)| known.starts_with(name)) else {
                    return Err(refusal(&format!("unrecognized option '--{name}'")));
                };
                tells |= *letter == 'v';
                value = given.map(str::to_owned);
                if *letter == 'v' { String::new() } else { letter.to_string() }
            }
            None => option.chars().skip(1).collect(),
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            match letter {
                's' | 'x' | 'e' | 'u' | 'n' | 'o' | 'F' => {}
                'V' => return Err(usage::exactly("flock", "--version").unwrap_or_default()),
                'h' => return Err(usage::exactly("flock", "--help").unwrap_or_default()),
                'w' | 'E' => {
                    let rest: String = letters.by_ref().collect();
                    let given = match (value.take(), rest.is_empty()) {
                        (Some(value), _) => value,
                        (None, false) => rest,
                        (None, true) => match args.split_first() {
                            Some((next, after)) => {
                                args = after;
                                next.clone()
                            }
                            None => {
                                return Err(refusal(&format!("option requires an argument -- '{letter}'")));
                            }
                        },
                    };
                    let (what, bad) = match letter {
                        'w' => ("timeout value", given.parse::<f64>().is_err()),
                        _ => ("exit code", given.parse::<u8>().is_err()),
                    };
                    if bad {
                        return Err(Said::err(format!("flock: invalid {what}: '{given}'\n"), 64));
                    }
                }
                other => return Err(refusal(&format!("invalid option -- '{other}'"))),
            }
        }
    }
    let Some((file, command)) = args.split_first() else { return Err(refusal("not enough arguments")) };
    if command.is_empty() {
        return Err(match file.parse::<u32>() {
            Ok(_) => Said::nothing(0),
            Err(_) => Said::err(format!("flock: bad file descriptor: '{file}'\n"), 64),
        });
    }
    let (path, who) = (call.path(file), call.session.who());
    let node = call.files().stat(&path);
    let opened = match node {
        Ok(_) => Ok(()),
        Err(_) => call.files().write(&path, b"", &who, 0o666 & !call.session.umask()),
    };
    if let Err(error) = opened {
        return Err(Said::err(format!("flock: cannot open lock file {file}: {}\n", error.errno_text()), 66));
    }
    let words = match command {
        [option, script] if option == "-c" || option == "--command" => {
            vec!["bash".to_owned(), "-c".to_owned(), script.clone()]
        }
        [option, ..] if option == "-c" || option == "--command" => {
            return Err(Said::err("flock: -c requires exactly one command argument\n", 64));
        }
        words => words.to_vec(),
    };
    if tells {
        let shown = words.first().map_or("", String::as_str);
        let script = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''")));
        let script: Vec<String> = script.collect();
        let told = format!("flock: getting lock took 0.000004 seconds\\nflock: executing {shown}\\n");
        return Ok(vec![
            "bash".to_owned(),
            "-c".to_owned(),
            format!("printf '{told}'; {}", script.join(" ")),
        ]);
    }
    Ok(words)
}
