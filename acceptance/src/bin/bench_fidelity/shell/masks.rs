//! What two real hosts do not have in common is hidden on both sides before they are compared. See `masks.txt`.

use regex::Regex;

use super::play::Outcome;

/// The list, read.
pub struct Masks(Vec<Mask>);

struct Mask {
    line: Regex,
    output: Regex,
    shown: String,
    whole: bool,
}

impl Masks {
    /// Reads the list.
    pub fn read() -> Self {
        let lines =
            include_str!("masks.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let masks = lines.map(|line| {
            let fields: Vec<&str> = line.split('\t').filter(|field| !field.is_empty()).collect();
            let [lines, output, shown, _reason] = fields[..] else {
                panic!("masks.txt, four fields: {line}")
            };
            let regex = |text: &str| Regex::new(text).unwrap_or_else(|error| panic!("masks.txt: {error}"));
            Mask {
                whole: output == "(?s).*",
                line: regex(lines),
                output: regex(&format!("(?m){output}")),
                shown: shown.replace("NOTHING", ""),
            }
        });
        Self(masks.collect())
    }

    /// What is left of an answer.
    pub fn apply(&self, line: &str, outcome: &Outcome) -> Outcome {
        let mut masked = outcome.clone();
        for mask in self.0.iter().filter(|mask| mask.line.is_match(line)) {
            // Where everything that is said is the host's own, so is whether a filter finds something in it.
            if mask.whole {
                masked.status = None;
            }
            for text in [&mut masked.out, &mut masked.err] {
                *text = mask.output.replace_all(text, mask.shown.as_str()).into_owned();
            }
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sound_and_hides_no_words() {
        let outcome = Outcome {
            out: "total 12\n-rw-r--r-- 1 root root 5 Nov 20 10:11 x\n".into(),
            ..Outcome::default()
        };
        let masked = Masks::read().apply("ls -l", &outcome);
        assert!(masked.out.contains("x\n") && !masked.out.contains("10:11"), "{}", masked.out);
    }
}
