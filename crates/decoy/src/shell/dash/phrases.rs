//! What bash says in the words of dash 0.5.12.

/// A line of bash in the words of dash 0.5.12; `Some(None)` when dash does not say it at all.
pub(in crate::shell) fn phrase(
    line: &str,
    dash_line: Option<u32>,
    is_dash: &dyn Fn(&str) -> bool,
    script: &str,
) -> Option<Option<String>> {
    let (who, rest) = line.split_once(": ")?;
    if !is_dash(who) {
        return None;
    }
    let rest = rest.strip_prefix("-c: ").unwrap_or(rest);
    let counted = rest.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    let counted = counted.filter(|(number, _)| number.chars().all(|c| c.is_ascii_digit()));
    if rest
        .split(": ")
        .next()
        .is_some_and(|first| !first.is_empty() && first.chars().all(|c| c.is_ascii_digit()))
    {
        return None;
    }
    let own = dash_line.unwrap_or(1).to_string();
    let (number, said) = match counted {
        Some(counted) => counted,
        None if dash_line.is_some() || rest.ends_with(": command not found") => (own.as_str(), rest),
        None => return None,
    };
    let between = |front: &str, back: &str| said.strip_prefix(front).and_then(|rest| rest.strip_suffix(back));
    let said = if said.starts_with('`') {
        // dash does not repeat the line.
        return Some(None);
    } else if let Some(token) = between("syntax error near unexpected token `", "'") {
        format!(
            "Syntax error: {} unexpected",
            if token == "newline" { token.to_owned() } else { format!("\"{token}\"") }
        )
    } else if said == "syntax error: unexpected end of file" {
        "Syntax error: end of file unexpected".to_owned()
    } else if between("unexpected EOF while looking for matching `", "'").is_some() {
        "Syntax error: Unterminated quoted string".to_owned()
    } else if let Some(name) = between("", ": command not found") {
        format!("{name}: not found")
    } else if let Some(folder) = between("cd: ", ": No such file or directory") {
        format!("cd: can't cd to {folder}")
    } else if let Some(name) = between("", ": unbound variable") {
        format!("{name}: parameter not set")
    } else if let Some(name) = between("", ": readonly variable") {
        format!("{name}: is read only")
    } else if let Some(word) = between("[: ", ": unary operator expected") {
        format!("[: {word}: unexpected operator")
    } else if let Some(word) = between("printf: ", ": invalid number") {
        format!("printf: {word}: expected numeric value")
    } else if let Some(word) = between("exit: ", ": numeric argument required") {
        format!("exit: Illegal number: {word}")
    } else if said == "local: can only be used in a function" {
        "local: not in a function".to_owned()
    } else if said.ends_with(": bad substitution") {
        "Bad substitution".to_owned()
    } else if let Some(name) = between("", ": parameter null or not set") {
        format!("{name}: parameter not set or null")
    } else if let Some(folder) = between("cd: ", ": Not a directory") {
        format!("cd: can't cd to {folder}")
    } else if let Some(name) = between("alias: ", ": not found") {
        return Some(Some(format!("alias: {name} not found")));
    } else if let Some(name) = between("unalias: ", ": not found") {
        return Some(Some(format!("unalias: {name} not found")));
    } else if let Some(name) = between("trap: ", ": invalid signal specification") {
        return Some(Some(format!("trap: {name}: bad trap")));
    } else if said.starts_with("break: only meaningful")
        || said.starts_with("continue: only meaningful")
        || said.starts_with("return: can only")
    {
        return Some(None);
    } else if let Some((sum, _)) = said.split_once(": division by 0") {
        format!("arithmetic expression: division by zero: \"{sum}\"")
    } else if let Some(name) = between("export: `", "': not a valid identifier") {
        format!("export: {}: bad variable name", name.split('=').next().unwrap_or_default())
    } else if let Some(mask) = between("umask: ", ": octal number out of range") {
        format!("umask: Illegal number: {mask}")
    } else if matches!(said, "fg: current: no such job" | "bg: current: no such job") {
        format!("{}: No current job", said.split(':').next().unwrap_or_default())
    } else if let Some(name) = between("", ": binary operator expected") {
        format!("{name}: unexpected operator")
    } else if let Some(path) = between("", ": Is a directory").filter(|path| !path.contains(": ")) {
        match used_as(script, path) {
            Use::Output => format!("cannot create {path}: Is a directory"),
            _ => format!("{path}: Permission denied"),
        }
    } else if let Some(path) = between("", ": Permission denied").filter(|path| !path.contains(": ")) {
        match used_as(script, path) {
            Use::Output => format!("cannot create {path}: Permission denied"),
            Use::Input => format!("cannot open {path}: Permission denied"),
            _ => said.to_owned(),
        }
    } else if let Some(path) = between("", ": No such file or directory").filter(|path| !path.contains(": "))
    {
        match used_as(script, path) {
            Use::Output => format!("cannot create {path}: Directory nonexistent"),
            Use::Input => format!("cannot open {path}: No such file"),
            Use::Sourced if path.contains('/') => format!(".: cannot open {path}: No such file"),
            Use::Sourced => format!(".: {path}: not found"),
            Use::Command => format!("{path}: not found"),
        }
    } else {
        said.to_owned()
    };
    Some(Some(format!("{who}: {number}: {said}")))
}

/// What a script does with a path that is not there.
enum Use {
    Output,
    Input,
    Sourced,
    Command,
}

fn used_as(script: &str, path: &str) -> Use {
    let mut rest = script;
    while let Some(at) = rest.find(path) {
        let before = rest.get(..at).unwrap_or_default().trim_end_matches([' ', '"', '\'']);
        if before.ends_with('>') {
            return Use::Output;
        }
        if before.ends_with('<') {
            return Use::Input;
        }
        if before == "." || before.ends_with(" .") || before.ends_with(";.") || before.ends_with("\n.") {
            return Use::Sourced;
        }
        rest = rest.get(at + path.len().max(1)..).unwrap_or_default();
    }
    Use::Command
}

/// Whether dash gives up on a script after these words: its special commands, and expansions, fail for good.
pub(in crate::shell) fn is_fatal(said: &str) -> bool {
    const SIGNS: [&str; 13] = [
        ": Bad substitution",
        ": parameter not set",
        ": is read only",
        ": arithmetic expression: ",
        ": cannot create ",
        ": cannot open ",
        ": .: ",
        ": cd: can't cd to ",
        ": bad variable name",
        ": Illegal number: ",
        ": No current job",
        ": not in a function",
        ": unexpected operator",
    ];
    SIGNS.iter().any(|sign| said.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_by_its_use() {
        let is_dash = |name: &str| name == "sh";
        let said = |line: &str, script: &str| phrase(line, None, &is_dash, script).unwrap().unwrap();
        let line = "sh: line 1: /x/y: No such file or directory";
        assert_eq!(said(line, "ls > /x/y"), "sh: 1: cannot create /x/y: Directory nonexistent");
        assert_eq!(said(line, "cat </x/y"), "sh: 1: cannot open /x/y: No such file");
        assert_eq!(said(line, ". /x/y"), "sh: 1: .: cannot open /x/y: No such file");
        assert_eq!(said(line, "/x/y"), "sh: 1: /x/y: not found");
        assert!(is_fatal("sh: 1: Bad substitution"));
    }
}
