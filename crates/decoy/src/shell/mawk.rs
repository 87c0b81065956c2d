//! mawk's complaints, where the library has gawk's.

use std::borrow::Cow;

/// What gawk begins its complaints about a program with.
const SIGN: &str = "awk: cmd. line:";

/// The text with mawk's words.
pub(super) fn reworded(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(SIGN) && !text.contains("awk: warning: command line argument") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let body = line.trim_end_matches('\n');
        if body.starts_with("awk: warning: command line argument")
            && body.ends_with("is a directory: skipped")
        {
            out += "awk: read error (Is a directory)\n";
            continue;
        }
        let Some((number, said)) = body.strip_prefix(SIGN).and_then(|rest| rest.split_once(": ")) else {
            out += line;
            continue;
        };
        if let Some(fault) = said.strip_prefix("fatal: ").or_else(|| said.strip_prefix("error: ")) {
            // What belongs to the complaint is indented.
            let mut more = String::new();
            while let Some(next) = lines.next_if(|next| next.starts_with([' ', '\t', '\''])) {
                more += next;
            }
            out += &fatal(number, fault, &more);
            continue;
        }
        // A line of the program, and one with a mark below what is wrong.
        let mark = lines.next_if(|next| next.starts_with(SIGN) && next.contains('^'));
        let mark = mark.and_then(|mark| mark.strip_prefix(SIGN)?.split_once(": "));
        match mark {
            Some((number, mark)) => out += &syntax(number, said, mark.trim_end_matches('\n')),
            None => out += &format!("awk: line {number}: {said}\n"),
        }
    }
    Cow::Owned(out)
}

/// What is wrong with the program itself.
fn syntax(number: &str, source: &str, mark: &str) -> String {
    let column = mark.find('^').unwrap_or(0);
    let what = mark.get(column + 1..).unwrap_or_default().trim();
    let rest: String = source.chars().skip(column).collect();
    if what.contains("unterminated string") {
        let begun: String = rest.chars().take(10).collect();
        return format!("awk: line {number}: runaway string constant {begun} ...\n");
    }
    if what.contains("`return' used outside") {
        return format!("awk: line {number}: return outside function body\n");
    }
    if what.contains("`next' used") {
        return format!("awk: line {number}: improper use of next\n");
    }
    let rest = rest.trim_start();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let token: String = match rest.chars().next() {
        None => "end of line".to_owned(),
        Some(first) if is_word(first) => rest.chars().take_while(|c| is_word(*c)).collect(),
        Some(first) => first.to_string(),
    };
    format!("awk: line {number}: syntax error at or near {token}\n")
}

/// What went wrong while the program ran.
fn fatal(number: &str, fault: &str, more: &str) -> String {
    const PLACE: &str = "\n\tFILENAME=\"\" FNR=0 NR=0\n";
    if let Some(name) = fault.strip_prefix("function `").and_then(|rest| rest.strip_suffix("' not defined")) {
        let next = number.parse::<u32>().map_or(1, |number| number.saturating_add(1));
        return format!("awk: line {next}: function {name} never defined\n");
    }
    if let Some(field) = fault.strip_prefix("attempt to access field ") {
        return format!("awk: run time error: negative field index ${field}{PLACE}");
    }
    if fault.starts_with("not enough arguments to satisfy format string") {
        let format = more.trim_start().strip_prefix('`').unwrap_or_default();
        let format = format.split('\'').next().unwrap_or_default();
        return format!("awk: run time error: not enough arguments passed to printf(\"{format}\"){PLACE}");
    }
    if fault.starts_with("division by zero") {
        return format!("awk: run time error: division by zero{PLACE}");
    }
    format!("awk: line {number}: {fault}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_as_mawk_does() {
        for (gawk, mawk) in [
            (
                "awk: cmd. line:1: BEGIN{x=}\nawk: cmd. line:1:         ^ syntax error\n",
                "awk: line 1: syntax error at or near }\n",
            ),
            (
                "awk: cmd. line:1: fatal: function `foo' not defined\n",
                "awk: line 2: function foo never defined\n",
            ),
            (
                "awk: cmd. line:1: fatal: not enough arguments to satisfy format string\n\t`%s'\n\t ^ ran out for this one\n",
                "awk: run time error: not enough arguments passed to printf(\"%s\")\n\tFILENAME=\"\" FNR=0 NR=0\n",
            ),
            (
                "awk: cannot open x (No such file or directory)\n",
                "awk: cannot open x (No such file or directory)\n",
            ),
        ] {
            assert_eq!(reworded(Cow::Borrowed(gawk)), mawk);
        }
    }
}
