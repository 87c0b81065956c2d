//! How dash is called: what of its arguments is a script, and which it refuses (options.c of dash 0.5.12).

/// What a call of dash runs.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::shell) enum Invocation {
    /// The argument at this place, as `-c` wants it.
    Command(usize),
    /// The file that the argument at this place names.
    File(usize),
    /// What is piped in; arguments from this place on are the script's.
    Piped(usize),
    /// Nothing: it says this, with status 2.
    Refused(String),
}

/// Letters of options, without `c`, `o` and `s`.
const LETTERS: &str = "aefnmuvxCEIVbilpq";

/// Reads the arguments of a call.
pub(in crate::shell) fn invocation(args: &[String]) -> Invocation {
    let (mut command, mut piped, mut at) = (false, false, 0);
    while let Some(arg) = args.get(at) {
        let Some(letters) = arg.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty()) else { break };
        at += 1;
        if letters == "-" {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'c' => command = true,
                's' => piped = true,
                'o' => at += 1,
                letter if LETTERS.contains(letter) => {}
                letter => return Invocation::Refused(format!("sh: 0: Illegal option -{letter}")),
            }
        }
    }
    match (command, args.get(at)) {
        (true, Some(_)) => Invocation::Command(at),
        (true, None) => Invocation::Refused("sh: 0: -c requires an argument".to_owned()),
        (false, Some(_)) if !piped => Invocation::File(at),
        _ => Invocation::Piped(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_found() {
        let args = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (line, want) in [
            ("-c x", Invocation::Command(1)),
            ("-e -xc x y", Invocation::Command(2)),
            ("-x /tmp/s a", Invocation::File(1)),
            ("", Invocation::Piped(0)),
            ("-s a b", Invocation::Piped(1)),
            ("-c", Invocation::Refused("sh: 0: -c requires an argument".to_owned())),
            ("-z", Invocation::Refused("sh: 0: Illegal option -z".to_owned())),
            ("--version", Invocation::Refused("sh: 0: Illegal option --".to_owned())),
        ] {
            assert_eq!(invocation(&args(line)), want, "{line}");
        }
    }
}
