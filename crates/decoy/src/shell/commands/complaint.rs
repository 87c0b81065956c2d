//! What programs of GNU and busybox say about options they do not know.

use super::{Call, Said, usage};

/// The options that a program has.
pub(super) struct Known<'a> {
    /// Single letters that take no value.
    pub(super) letters: &'static str,
    /// Long names, without the value.
    pub(super) long: &'a [&'static str],
}

/// The refusal of the first option that is none of these: coreutils' words, or busybox' usage. `--help` and
/// `--version` are answered too.
pub(super) fn of(call: &Call<'_>, known: &Known<'_>, valued: &str) -> Option<Said> {
    let name = call.name;
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            return None;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let word = long.split('=').next().unwrap_or_default();
            if !call.applet && matches!(word, "help" | "version") || call.applet && word == "help" {
                return usage::said(call);
            }
            // Any unambiguous beginning is taken.
            if !known.long.iter().any(|name| name.starts_with(word)) {
                return Some(refusal(call, &format!("unrecognized option '--{long}'"), name));
            }
        } else if let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                if valued.contains(letter) {
                    if letters.by_ref().count() == 0 && args.next().is_none() {
                        return Some(refusal(
                            call,
                            &format!("option requires an argument -- '{letter}'"),
                            name,
                        ));
                    }
                    break;
                }
                if !known.letters.contains(letter) {
                    return Some(refusal(call, &format!("invalid option -- '{letter}'"), name));
                }
            }
        }
    }
    None
}

fn refusal(call: &Call<'_>, what: &str, name: &str) -> Said {
    if call.applet {
        let usage = usage::applet(name).unwrap_or_default();
        return Said::err(format!("{name}: {what}\n{usage}"), 1);
    }
    Said::err(format!("{name}: {what}\nTry '{name} --help' for more information.\n"), 1)
}

/// `missing operand` and its like.
pub(super) fn missing(call: &Call<'_>, what: &str) -> Said {
    if call.applet {
        return Said::err(usage::applet(call.name).unwrap_or_default(), 1);
    }
    Said::err(format!("{0}: {what}\nTry '{0} --help' for more information.\n", call.name), 1)
}
