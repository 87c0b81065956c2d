//! Who works beside `ps`: the shell that runs its line, and the other programs of its pipe.

/// The characters after which a line is more than one command.
const JOINTS: [char; 9] = ['|', ';', '&', '\n', '(', ')', '{', '}', '`'];

/// A line cut at its joints, quotes respected: each command with the joint behind it.
fn cut(line: &str) -> Vec<(String, String)> {
    let (mut parts, mut part, mut quote) = (Vec::new(), String::new(), None);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(mark), _) if letter == mark => {
                quote = None;
                part.push(letter);
            }
            (Some('\''), _) => part.push(letter),
            (_, '\\') => {
                part.push(letter);
                part.extend(letters.next());
            }
            (None, '\'' | '"') => {
                quote = Some(letter);
                part.push(letter);
            }
            (None, '>') if letters.peek() == Some(&'&') => {
                part.push('>');
                part.extend(letters.next());
            }
            (None, '&') if letters.peek() == Some(&'>') => {
                part.push('&');
                part.extend(letters.next());
            }
            (None, letter) if JOINTS.contains(&letter) => {
                let mut joint = letter.to_string();
                if letters.peek() == Some(&letter) && matches!(letter, '|' | '&') {
                    joint.extend(letters.next());
                }
                parts.push((std::mem::take(&mut part), joint));
            }
            (_, letter) => part.push(letter),
        }
    }
    parts.push((part, String::new()));
    parts
}

/// The words of a simple command as a process shows them, without what is redirected.
fn words(command: &str) -> Vec<String> {
    let (mut all, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(mark), _) if letter == mark => quote = None,
            (Some('\''), _) => word.push(letter),
            (_, '\\') => {
                begun = true;
                word.extend(letters.next());
            }
            (Some(_), _) => word.push(letter),
            (None, '\'' | '"') => (quote, begun) = (Some(letter), true),
            (None, letter) if letter.is_whitespace() => {
                if begun || !word.is_empty() {
                    all.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (None, letter) => word.push(letter),
        }
    }
    if begun || !word.is_empty() {
        all.push(word);
    }
    let mut kept = Vec::new();
    let mut all = all.into_iter();
    while let Some(word) = all.next() {
        let mark = word.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '&');
        if mark.starts_with(['>', '<']) {
            if mark.trim_start_matches(['>', '<']).is_empty() {
                all.next();
            }
            continue;
        }
        kept.push(word);
    }
    kept
}

/// Whether bash runs a line of `bash -c` in its own place: one simple command.
pub(in crate::shell::commands) fn is_simple(line: &str) -> bool {
    cut(line.trim().trim_end_matches(';')).len() == 1
        && !line.contains("$(")
        && !matches!(
            line.split_whitespace().next(),
            Some("exec" | "eval" | "if" | "while" | "for" | "time" | "!")
        )
}

/// The other programs of the pipe that runs this program, with their words: those before it, those behind it.
pub(in crate::shell::commands) fn others(
    line: &str,
    program: &str,
    is_program: impl Fn(&str) -> bool,
) -> (Vec<String>, Vec<String>) {
    let parts = cut(line);
    let is_own = |words: &[String]| {
        let named = |word: &String| word.rsplit('/').next() == Some(program);
        let first = words.iter().position(|word| !word.contains('=') && word != "sudo");
        first.and_then(|at| words.get(at)).is_some_and(named)
    };
    let Some(own) = parts.iter().position(|(command, _)| is_own(&words(command))) else {
        return (Vec::new(), Vec::new());
    };
    let shown = |command: &str| {
        let words = words(command);
        let name = words.first().map(|word| word.rsplit('/').next().unwrap_or_default().to_owned())?;
        is_program(&name).then(|| words.join(" "))
    };
    let from = parts.iter().take(own).rposition(|(_, joint)| joint != "|").map_or(0, |at| at + 1);
    let to =
        parts.iter().skip(own).position(|(_, joint)| joint != "|").map_or(parts.len(), |at| own + at + 1);
    let list = |from: usize, to: usize| {
        parts.iter().take(to).skip(from).filter_map(|(command, _)| shown(command)).collect::<Vec<_>>()
    };
    (list(from, own), list(own + 1, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pipe_around_a_program_is_found() {
        let programs = |name: &str| matches!(name, "ps" | "grep" | "tail" | "awk" | "cat");
        let of = |line: &str| others(line, "ps", programs);
        assert_eq!(of("ps -ef | tail -3"), (vec![], vec!["tail -3".to_owned()]));
        assert_eq!(
            of("cd /tmp; ps aux|grep 'a b' | awk '{print $2}' 2>/dev/null; cat x"),
            (vec![], vec!["grep a b".to_owned(), "awk {print $2}".to_owned()])
        );
        assert_eq!(of("cat x | ps -p 1 && echo no").0, vec!["cat x".to_owned()]);
        assert_eq!(of("ps | while read x; do echo; done"), (vec![], vec![]));
        assert!(is_simple("ps -ef > x 2>&1") && !is_simple("ps | tail") && !is_simple("a; b"));
    }
}
