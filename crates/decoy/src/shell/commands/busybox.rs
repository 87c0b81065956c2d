//! `busybox`: the applets of Debian's busybox 1.35.0, and its answer to those it does not have.

use std::sync::LazyLock;

use super::{Call, Said, applets, usage};

/// What stands before the list of its applets.
const BEFORE: &str = "Currently defined functions:\n";

/// Its applets, as it lists them itself.
static APPLETS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let said = usage::of("busybox", &[], false).unwrap_or_default();
    let text = String::from_utf8_lossy(&said.out).into_owned();
    let list = text.split_once(BEFORE).map(|(_, list)| list).unwrap_or_default();
    list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
});

/// Whether busybox has this applet.
fn has(applet: &str) -> bool {
    APPLETS.iter().any(|known| known == applet)
}

pub(super) fn run(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let Some(applet) = call.args.first() else { return Err(banner(call)) };
    match applet.as_str() {
        "--list" => {
            return Err(Said::out(APPLETS.iter().map(|name| format!("{name}\n")).collect::<String>()));
        }
        "--list-full" => return Err(usage::exactly("busybox", "--list-full").unwrap_or_default()),
        "--install" => return Err(Said::nothing(0)),
        "--help" => return Err(banner(call)),
        "busybox" => return run(&Call { args: &[], ..*call }),
        name if !has(name) => return Err(Said::err(format!("{name}: applet not found\n"), 127)),
        _ => {}
    }
    let mut words: Vec<String> = call.args.to_vec();
    let rest = words.get(1..).unwrap_or_default();
    // Called with nothing, or asked for help. What it says to nothing at all it does not say to what is piped in.
    let is_usage = |said: &Said| String::from_utf8_lossy(&said.err).contains("multi-call binary");
    if let Some(said) = usage::of(applet, rest, true)
        && !matches!(applet.as_str(), "sh" | "ash")
        && (!rest.is_empty() || call.stdin.is_none() || is_usage(&said))
    {
        return Err(said);
    }
    if let Some(said) = applets::refusal(applet, rest) {
        return Err(said);
    }
    if let Some(program) = applets::started(applet, rest) {
        let exists = match program.contains('/') {
            true => call.files().exists(&call.path(program)),
            false => super::is_reachable(call.session, program, call.var("PATH").as_deref()) || has(program),
        };
        if !exists {
            let text = format!("{applet}: can't execute '{program}': No such file or directory\n");
            return Err(Said::err(text, 127));
        }
    }
    if applet == "printf" && rest.first().is_some_and(|first| first.starts_with('-') && first != "--") {
        words.insert(1, "--".to_owned());
    }
    if applet == "ps" {
        // Other systems' options, which it takes and forgets.
        words.retain(|word| {
            word.strip_prefix('-').is_none_or(|letters| letters.chars().any(|c| !"aAdefl".contains(c)))
        });
    }
    if matches!(words.first().map(String::as_str), Some("sh" | "ash")) {
        // Its shell is not dash: what it reads needs no translation.
        words.splice(1..1, ["-o".to_owned(), "posix".to_owned()]);
    }
    if let Some(first) = words.first_mut() {
        *first = match first.as_str() {
            "ash" => "sh".to_owned(),
            "[[" => "[".to_owned(),
            name if super::by_path(name).is_none()
                && (crate::shell::engine::is_kept(name) || name == "sh") =>
            {
                name.to_owned()
            }
            name => format!("{DOOR}{name}"),
        };
    }
    Ok(words)
}

/// What an applet says that was given too little or too much: its usage.
pub(super) fn shortened(call: &Call<'_>, said: Said) -> Said {
    const SIGNS: [&str; 4] = [": missing operand", ": missing file operand", ": extra operand ", "\nTry '"];
    if !call.applet || !said.out.is_empty() || said.err.is_empty() {
        return said;
    }
    let text = String::from_utf8_lossy(&said.err);
    match usage::applet(call.name) {
        Some(usage) if SIGNS.iter().any(|sign| text.contains(sign)) => Said::err(usage, 1),
        _ => said,
    }
}

/// What our programs are called when busybox runs them: an applet needs no file of its own.
pub(super) const DOOR: &str = "busybox/";

/// Names of all applets.
pub(super) fn applets() -> impl Iterator<Item = &'static str> {
    APPLETS.iter().map(String::as_str)
}

/// Who it is, with the list of its applets as wide as the terminal.
fn banner(call: &Call<'_>) -> Said {
    let said = usage::of("busybox", &[], false).unwrap_or_default();
    let text = String::from_utf8_lossy(&said.out).into_owned();
    let Some((head, _)) = text.split_once(BEFORE) else { return said };
    let width = if call.session.launch.tty.is_some() { call.session.window().0.max(20) as usize } else { 80 };
    // The last column stays free.
    let width = width - 1;
    let (mut list, mut column) = (String::new(), 0);
    for name in applets() {
        let length = name.len() + 2;
        if column + length >= width {
            list += ",\n";
            column = 0;
        }
        if column == 0 {
            column = 6;
            list.push('\t');
        } else {
            list += ", ";
        }
        list += name;
        column += length;
    }
    Said { out: format!("{head}{BEFORE}{list}\n").into(), ..said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_applets_are_those_that_it_lists() {
        assert!(applets().count() > 200 && has("ash") && has("[[") && has("zcat"));
        assert!(!has("passwd") && !has(""));
    }
}
