//! The arguments of `tar`.

use super::super::Said;

/// What is to be done.
#[derive(Default)]
pub(super) struct Order {
    pub(super) mode: Option<char>,
    pub(super) file: Option<String>,
    pub(super) verbose: bool,
    pub(super) gzip: bool,
    pub(super) other_filter: Option<&'static str>,
    pub(super) to_stdout: bool,
    pub(super) strip: usize,
    pub(super) folder: Option<String>,
    pub(super) names: Vec<String>,
}

/// A refusal that points to the help.
pub(super) fn complain(text: &str, status: i32) -> Said {
    Said::err(format!("tar: {text}\nTry 'tar --help' or 'tar --usage' for more information.\n"), status)
}

/// The last words of tar.
pub(super) fn fatal(text: &str) -> Said {
    Said::err(format!("tar: {text}\ntar: Error is not recoverable: exiting now\n"), 2)
}

/// Reads the arguments, the first word perhaps without a dash.
pub(super) fn order(args: &[String]) -> Result<Order, Said> {
    let mut order = Order::default();
    let mut args = args.iter();
    let mut first = true;
    while let Some(arg) = args.next() {
        let old = first && !arg.starts_with('-');
        first = false;
        if let Some(long) = arg.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
            let mut value = || value.clone().or_else(|| args.next().cloned());
            match name {
                "extract" | "get" => set_mode(&mut order, 'x')?,
                "create" => set_mode(&mut order, 'c')?,
                "list" => set_mode(&mut order, 't')?,
                "file" => order.file = value(),
                "directory" => order.folder = value(),
                "verbose" => order.verbose = true,
                "gzip" | "gunzip" => order.gzip = true,
                "to-stdout" => order.to_stdout = true,
                "strip-components" => order.strip = value().and_then(|value| value.parse().ok()).unwrap_or(0),
                "exclude" | "owner" | "group" | "mode" => drop(value()),
                "overwrite"
                | "no-same-owner"
                | "same-owner"
                | "preserve-permissions"
                | "absolute-names"
                | "wildcards"
                | "no-same-permissions"
                | "warning"
                | "touch"
                | "numeric-owner" => {}
                _ => return Err(complain(&format!("unrecognized option '--{long}'"), 64)),
            }
        } else if old || arg.starts_with('-') && arg.len() > 1 {
            let letters: Vec<char> = arg.trim_start_matches('-').chars().collect();
            let mut at = 0;
            while let Some(letter) = letters.get(at).copied() {
                at += 1;
                match letter {
                    'x' | 'c' | 't' | 'r' | 'u' | 'A' | 'd' => set_mode(&mut order, letter)?,
                    'v' => order.verbose = true,
                    'z' => order.gzip = true,
                    'j' => order.other_filter = Some("bzip2"),
                    'J' => order.other_filter = Some("xz"),
                    'O' => order.to_stdout = true,
                    'f' | 'C' | 'T' | 'X' | 'b' => {
                        let rest: String = letters.get(at..).unwrap_or_default().iter().collect();
                        let value = if old || rest.is_empty() {
                            args.next().cloned()
                        } else {
                            at = letters.len();
                            Some(rest)
                        };
                        let Some(value) = value else {
                            let text = if old {
                                format!("Old option '{letter}' requires an argument.")
                            } else {
                                format!("option requires an argument -- '{letter}'")
                            };
                            return Err(complain(&text, if old { 2 } else { 64 }));
                        };
                        match letter {
                            'f' => order.file = Some(value),
                            'C' => order.folder = Some(value),
                            _ => {}
                        }
                    }
                    'p' | 'P' | 'k' | 'm' | 'o' | 'a' | 'h' | 'U' | 'w' | 'W' | 'S' | 's' | 'i' | 'B'
                    | 'l' | 'n' | 'R' => {}
                    other => return Err(complain(&format!("invalid option -- '{other}'"), 64)),
                }
            }
        } else {
            order.names.push(arg.clone());
        }
    }
    Ok(order)
}

fn set_mode(order: &mut Order, mode: char) -> Result<(), Said> {
    if order.mode.is_some_and(|known| known != mode) {
        return Err(complain(
            "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option",
            2,
        ));
    }
    order.mode = Some(mode);
    Ok(())
}
