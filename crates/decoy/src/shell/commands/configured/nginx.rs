//! `nginx` (1.22): its settings are read, it is started and stopped.

use super::{MOST_FILES, matching};
use crate::{
    machine::{Access, services::State},
    shell::commands::{Call, Said, dates, usage},
};

/// A line of nginx's log on standard error.
fn nginx_line(call: &Call<'_>, level: &str, text: &str) -> String {
    let pid = crate::machine::processes::newest_pid(call.identity(), call.now()) + 1;
    format!("{} [{level}] {pid}#{pid}: {text}\n", dates::written("%Y/%m/%d %H:%M:%S", call.now().into()))
}

#[derive(Default)]
struct Nginx {
    tests: bool,
    dumps: bool,
    quiet: bool,
    signal: Option<String>,
    prefix: Option<String>,
    file: Option<String>,
}

pub(in crate::shell::commands) fn nginx(call: &Call<'_>) -> Said {
    let mut asked = Nginx::default();
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            return Said::err(format!("nginx: invalid option: \"{arg}\"\n"), 1);
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            match letter {
                't' => asked.tests = true,
                'T' => (asked.tests, asked.dumps) = (true, true),
                'q' => asked.quiet = true,
                '?' | 'h' => return told("-h"),
                'v' => return told("-v"),
                'V' => return told("-V"),
                's' | 'p' | 'c' | 'g' | 'e' => {
                    let rest: String = letters.by_ref().collect();
                    let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                    let Some(value) = value else {
                        let what = match letter {
                            's' => "parameter",
                            'p' => "directory name",
                            'g' => "parameter",
                            _ => "file name",
                        };
                        return Said::err(format!("nginx: option \"-{letter}\" requires {what}\n"), 1);
                    };
                    match letter {
                        's' if !matches!(value.as_str(), "stop" | "quit" | "reopen" | "reload") => {
                            return Said::err(format!("nginx: invalid option: \"-s {value}\"\n"), 1);
                        }
                        's' => asked.signal = Some(value),
                        'p' => asked.prefix = Some(value),
                        'c' => asked.file = Some(value),
                        _ => {}
                    }
                }
                other => return Said::err(format!("nginx: invalid option: \"{other}\"\n"), 1),
            }
        }
    }
    run_nginx(call, &asked)
}

/// What is recorded; `-h` and its like go to standard error.
fn told(option: &str) -> Said {
    usage::exactly("nginx", option).unwrap_or_default()
}

fn run_nginx(call: &Call<'_>, asked: &Nginx) -> Said {
    let prefix = asked.prefix.clone().unwrap_or_else(|| "/usr/share/nginx/".to_owned());
    let file = match &asked.file {
        None => "/etc/nginx/nginx.conf".to_owned(),
        Some(file) if file.starts_with('/') => file.clone(),
        Some(file) => format!("{}/{file}", prefix.trim_end_matches('/')),
    };
    let mut said = Said::default();
    let mut settings = Settings { call, files: Vec::new(), folder: parent(&file) };
    let read = settings.read(&file, 0);
    if !call.is_root() && read.is_ok() {
        let text = format!(
            "the \"user\" directive makes sense only if the master process runs with super-user privileges, ignored in {file}:1"
        );
        said.err.extend(nginx_line(call, "warn", &text).bytes());
    }
    let denied = !call.is_root();
    let read = match read {
        Ok(()) if denied => Err("open() \"/run/nginx.pid\" failed (13: Permission denied)".to_owned()),
        other => other,
    };
    if let Err(why) = read {
        if asked.tests && denied && !why.contains(" in /") {
            said.err.extend(format!("nginx: the configuration file {file} syntax is ok\n").bytes());
        }
        said.err.extend(nginx_line(call, "emerg", &why).bytes());
        if asked.tests {
            said.err.extend(format!("nginx: configuration file {file} test failed\n").bytes());
        }
        said.status = 1;
        return said;
    }
    if asked.tests {
        if !asked.quiet {
            said.err.extend(
                format!("nginx: the configuration file {file} syntax is ok\nnginx: configuration file {file} test is successful\n")
                    .bytes(),
            );
        }
        if asked.dumps {
            for (name, text) in &settings.files {
                said.out.extend(format!("# configuration file {name}:\n").bytes());
                said.out.extend_from_slice(text.as_bytes());
                said.out.push(b'\n');
            }
        }
        return said;
    }
    let visitor = &call.session.contact.visitor;
    let runs = visitor.serves(80);
    match asked.signal.as_deref() {
        Some(_) if !runs => {
            said.err.extend(nginx_line(call, "notice", "signal process started").bytes());
            let text = "open() \"/run/nginx.pid\" failed (2: No such file or directory)";
            said.err.extend(nginx_line(call, "error", text).bytes());
            said.status = 1;
        }
        Some(signal) => {
            said.err.extend(nginx_line(call, "notice", "signal process started").bytes());
            if matches!(signal, "stop" | "quit") {
                visitor.change_service("nginx", &State::Stopped);
            }
        }
        None if runs => {
            for _ in 0..5 {
                for address in ["0.0.0.0:80", "[::]:80"] {
                    let text = format!("bind() to {address} failed (98: Address already in use)");
                    said.err.extend(nginx_line(call, "emerg", &text).bytes());
                }
                said.err.extend(nginx_line(call, "notice", "try again to bind() after 500ms").bytes());
            }
            said.err.extend(nginx_line(call, "emerg", "still could not bind()").bytes());
            said.status = 1;
        }
        None => visitor.change_service("nginx", &State::Started(String::new())),
    }
    said
}

fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned()
}

/// The files of settings, in the order in which they are read.
struct Settings<'a> {
    call: &'a Call<'a>,
    files: Vec<(String, String)>,
    /// Where relative names begin.
    folder: String,
}

impl Settings<'_> {
    /// Reads a file and those that it includes, or says what is wrong.
    fn read(&mut self, file: &str, depth: usize) -> Result<(), String> {
        let who = self.call.session.who();
        let files = self.call.files();
        let bytes = files.may(who.uid, who.gid, file, Access::Read).and_then(|()| files.read(file)).map_err(
            |error| {
                let number = if error.errno_text() == "Permission denied" { 13 } else { 2 };
                format!("open() \"{file}\" failed ({number}: {})", error.errno_text())
            },
        )?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if self.files.len() < MOST_FILES && !self.files.iter().any(|(known, _)| known == file) {
            self.files.push((file.to_owned(), text.clone()));
        }
        let included = directives(&text).map_err(|why| why.replace('\u{0}', file))?;
        for pattern in included.into_iter().filter(|_| depth < 8) {
            let pattern =
                if pattern.starts_with('/') { pattern } else { format!("{}/{pattern}", self.folder) };
            let is_pattern = pattern.contains(['*', '?', '[']);
            let names = if is_pattern { matching(self.call, &pattern) } else { vec![pattern] };
            for name in names.into_iter().take(MOST_FILES) {
                self.read(&name, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// What the settings include; or what is wrong with them, NUL for the file's name (ngx_conf_file.c).
fn directives(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut included) = (Vec::<String>::new(), String::new(), Vec::new());
    let (mut line, mut depth) = (1_usize, 0_usize);
    let mut chars = text.chars().peekable();
    let mut in_word = false;
    while let Some(c) = chars.next() {
        if c == '\n' {
            line += 1;
        }
        match c {
            '#' if !in_word => {
                while chars.peek().is_some_and(|next| *next != '\n') {
                    chars.next();
                }
            }
            '"' | '\'' if !in_word => {
                let mut closed = false;
                while let Some(next) = chars.next() {
                    match next {
                        '\\' => word.extend(chars.next()),
                        next if next == c => {
                            closed = true;
                            break;
                        }
                        next => {
                            line += usize::from(next == '\n');
                            word.push(next);
                        }
                    }
                }
                if !closed {
                    return Err(format!("unexpected end of file, expecting \"{c}\" in \u{0}:{line}"));
                }
                words.push(std::mem::take(&mut word));
            }
            '\\' => {
                in_word = true;
                word.push(c);
                word.extend(chars.next());
            }
            '$' if chars.peek() == Some(&'{') => {
                in_word = true;
                word.push(c);
                word.extend(chars.next());
            }
            ';' | '{' | '}' | ' ' | '\t' | '\r' | '\n' => {
                let is_variable = c == '}' && word.contains("${");
                if is_variable {
                    word.push(c);
                    continue;
                }
                if in_word {
                    words.push(std::mem::take(&mut word));
                    in_word = false;
                }
                match c {
                    ';' if words.is_empty() => return Err(format!("unexpected \";\" in \u{0}:{line}")),
                    ';' => {
                        if let [name, file] = words.as_slice()
                            && name == "include"
                        {
                            included.push(file.clone());
                        }
                        words.clear();
                    }
                    '{' if words.is_empty() => return Err(format!("unexpected \"{{\" in \u{0}:{line}")),
                    '{' => {
                        depth += 1;
                        words.clear();
                    }
                    '}' if !words.is_empty() => {
                        return Err(format!(
                            "directive \"{}\" is not terminated by \";\" in \u{0}:{line}",
                            words.first().map_or("", String::as_str)
                        ));
                    }
                    '}' => {
                        depth = depth
                            .checked_sub(1)
                            .ok_or_else(|| format!("unexpected \"}}\" in \u{0}:{line}"))?;
                    }
                    _ => {}
                }
            }
            c => {
                in_word = true;
                word.push(c);
            }
        }
    }
    if in_word || !words.is_empty() {
        return Err(format!("unexpected end of file, expecting \";\" or \"}}\" in \u{0}:{line}"));
    }
    if depth > 0 {
        return Err(format!("unexpected end of file, expecting \"}}\" in \u{0}:{line}"));
    }
    Ok(included)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_nginx_are_read() {
        assert_eq!(directives("a b; # c\nhttp { include x.conf; log '{;'; }\n").unwrap(), ["x.conf"]);
        assert_eq!(directives("a {\n").unwrap_err(), "unexpected end of file, expecting \"}\" in \0:2");
        assert_eq!(directives("}\n").unwrap_err(), "unexpected \"}\" in \0:1");
        assert_eq!(
            directives("a { b }\n").unwrap_err(),
            "directive \"b\" is not terminated by \";\" in \0:1"
        );
        assert!(directives("if ($x ~ \"a{2}\") { return 301 https://${host}/; }").is_ok());
    }
}
