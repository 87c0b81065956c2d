//! What mawk 1.3.4 says about programs it cannot read.

/// An awk program that says what mawk says about these arguments, if their program is one that mawk refuses.
///
/// Only what attackers' lines are full of is looked for: a program cut off by a missing quote.
pub(in crate::shell) fn awk(args: &[String]) -> Option<String> {
    let mut words = args.iter();
    let program = loop {
        let word = words.next()?;
        match word.as_str() {
            "-F" | "-v" => drop(words.next()),
            "-f" => return None,
            option if option.starts_with('-') && option.len() > 1 => {}
            program => break program,
        }
    };
    let (mut depth, mut quoted, mut escaped, mut lines) = (0_i32, false, false, 1);
    for c in program.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth -= 1,
            '\n' => lines += 1,
            _ => {}
        }
    }
    if depth <= 0 || quoted {
        return None;
    }
    let text = format!("awk: line {}: missing }} near end of file", lines + 1);
    Some(format!("BEGIN {{ print \"{text}\" > \"/dev/stderr\"; exit 2 }}"))
}

#[cfg(test)]
mod tests {
    use super::awk;

    #[test]
    fn a_cut_program_is_refused() {
        let args = |text: &str| vec![text.to_owned()];
        assert!(awk(&args("{print")).is_some_and(|text| text.contains("line 2: missing }")));
        assert!(awk(&args("{print $1}")).is_none());
        assert!(awk(&args("BEGIN { print \"{\" }")).is_none());
        assert!(awk(&["-F".to_owned(), ":".to_owned(), "{".to_owned()]).is_some());
    }
}
