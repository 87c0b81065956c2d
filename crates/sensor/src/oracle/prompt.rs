//! From a question to a conversation: what never changes first, then the kind, then what the answer has to agree with, within
//! a budget.

use std::time::SystemTime;

use chat::{Conversation, Message, Role};
use chrono::{DateTime, Utc};
use decoy::{Ask, Machine, Question, machine::processes};

use super::templates::{Templates, fill};

/// The longest part of a visitor's text that goes into a prompt, in characters.
const WRITTEN: usize = 4096;
/// Bytes that a token has at least, on average: a little fewer than English text has, so that the budget holds.
const BYTES_A_TOKEN: usize = 3;

/// Builds conversations about one machine.
pub struct Prompter {
    templates: Templates,
    machine: String,
    /// The most tokens of one conversation's question.
    budget: usize,
    /// The most tokens of an answer.
    answer: u32,
}

/// A fact that the answer has to agree with.
pub struct Known {
    /// What was asked.
    pub subject: String,
    /// What was answered.
    pub text: String,
}

impl Prompter {
    /// For this machine; a question has at most about `budget` tokens, an answer at most `answer`.
    pub fn new(templates: Templates, machine: &Machine, budget: usize, answer: u32) -> Self {
        let identity = &machine.identity;
        let people = identity.users.iter().filter(|user| user.uid == 0 || (1000..60_000).contains(&user.uid));
        let users: Vec<&str> = people.map(|user| user.name.as_str()).collect();
        let running = processes::list(identity);
        let mut names: Vec<String> =
            running.iter().filter(|process| !process.is_kernel()).map(processes::Process::name).collect();
        names.dedup();
        let values = [
            ("host", identity.hostname.clone()),
            ("kernel", identity.kernel_release.to_owned()),
            ("arch", identity.arch.to_owned()),
            ("cpus", identity.cpu_count.to_string()),
            ("memory", (identity.memory_bytes / (1 << 20)).to_string()),
            ("disk", identity.disk.to_owned()),
            ("interface", identity.interface.to_owned()),
            ("address", identity.address.to_string()),
            ("users", users.join(" ")),
            ("processes", names.join(" ")),
        ];
        let machine = fill(templates.of("machine").0, &values);
        Self { templates, machine, budget, answer }
    }

    /// The conversation for a question. The same question, with the same facts to agree with, at the same day, makes the
    /// same conversation.
    pub fn conversation(&self, question: &Question, known: &[Known], now: SystemTime) -> Conversation {
        let what = &question.what;
        let (instructions, text) = self.templates.of(what.kind());
        let fixed = text.len() + what.written().len().min(WRITTEN * 4);
        let room = (self.budget * BYTES_A_TOKEN).saturating_sub(fixed);
        let text = fill(text, &self.values(question, known, now, room));
        Conversation {
            system: vec![self.machine.clone(), instructions.to_owned()],
            messages: vec![Message { role: Role::User, content: text }],
            max_tokens: longest(what).min(self.answer),
            temperature: Some(0.0),
        }
    }

    /// The second and last try: what was wrong with the first.
    pub fn again(&self, first: &Conversation, answer: &str, reason: &str) -> Conversation {
        let mut conversation = first.clone();
        let answer: String = answer.chars().take(800).collect();
        // An empty turn is refused by some servers.
        let answer = if answer.trim().is_empty() { "(nothing)".to_owned() } else { answer };
        conversation.messages.push(Message { role: Role::Assistant, content: answer });
        let content = format!(
            "That is not what the server would print ({reason}). Print only the bytes of the real output, without any \
             other word."
        );
        conversation.messages.push(Message { role: Role::User, content });
        conversation
    }

    fn values(
        &self,
        question: &Question,
        known: &[Known],
        now: SystemTime,
        room: usize,
    ) -> Vec<(&'static str, String)> {
        let ground = &question.ground;
        let cut = |text: &str| text.chars().take(WRITTEN).collect::<String>();
        let mut values = vec![
            // To the day: a finer time would make every prompt another one.
            ("date", DateTime::<Utc>::from(now).format("%a %b %e %Y UTC").to_string()),
        ];
        let half = room / 2;
        let mut room = room;
        let mut section = |title: &str, parts: Vec<String>| {
            let mut text = String::new();
            for part in parts {
                if part.len() + title.len() > room {
                    break;
                }
                room -= part.len();
                text.push_str(&part);
            }
            if text.is_empty() { text } else { format!("{title}:\n{text}") }
        };
        // The most telling first: what is left of the room goes to the next.
        let done = section(
            "Done before, oldest first",
            ground.own.iter().rev().take(24).rev().map(|line| format!("{line}\n")).collect(),
        );
        let files = section(
            "Files",
            ground.files.iter().map(|file| format!("{}:\n{}\n", file.path, file.text.trim_end())).collect(),
        );
        let known = section(
            "Known of this server",
            known.iter().map(|fact| format!("{}:\n{}\n", fact.subject, fact.text.trim_end())).collect(),
        );
        let exchange =
            |said: &decoy::Exchange| format!("{}\n{}\n", said.said.trim_end(), said.answered.trim_end());
        let mut latest = Vec::new();
        let mut taken = 0;
        for said in ground.recent.iter().rev() {
            let text = exchange(said);
            taken += text.len();
            if taken > half + 600 {
                break;
            }
            latest.push(text);
        }
        latest.reverse();
        let recent = section("Latest commands and their output", latest);
        let variables = ground.environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let environment = section("Environment", variables);
        values.extend([
            ("done", done),
            ("files", files),
            ("known", known),
            ("recent", recent),
            ("environment", environment),
        ]);
        match &question.what {
            Ask::Program { words, cwd, user, stdin } => values.extend([
                ("command", cut(&words.join(" "))),
                ("cwd", if cwd.is_empty() { "~".to_owned() } else { cut(cwd) }),
                ("user", user.clone()),
                ("stdin", if stdin.is_empty() { String::new() } else { format!("Input:\n{}\n", cut(stdin)) }),
            ]),
            Ask::File { path, size, head } => values.extend([
                ("path", cut(path)),
                ("size", size.to_string()),
                (
                    "head",
                    if head.is_empty() {
                        String::new()
                    } else {
                        format!("Its first bytes, which are known; go on right after them:\n{head}\n")
                    },
                ),
            ]),
            Ask::Directory { path } => values.push(("path", cut(path))),
            Ask::Verb { daemon, script, given } => {
                values.extend([
                    ("daemon", daemon.clone()),
                    ("script", script.clone()),
                    ("given", cut(given)),
                ]);
            }
            Ask::Page { method, target } => {
                values.extend([("method", cut(method)), ("target", cut(target))]);
            }
            Ask::Reply { program, line } => values.extend([("program", cut(program)), ("line", cut(line))]),
            Ask::Line { banner, line } => values.extend([("banner", cut(banner)), ("line", cut(line))]),
        }
        values
    }
}

/// The most tokens of an answer.
fn longest(what: &Ask) -> u32 {
    match what {
        Ask::Program { .. } => 600,
        // Four bytes a token at most, and never more than a page or two: the rest is made up to the listed size.
        Ask::File { size, .. } => u32::try_from(size / 3 + 40).unwrap_or(u32::MAX).min(1200),
        Ask::Page { .. } => 1200,
        Ask::Directory { .. } => 800,
        Ask::Verb { .. } => 200,
        Ask::Reply { .. } => 400,
        Ask::Line { .. } => 200,
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use decoy::{
        Clock, Exchange, Grounding,
        machine::{Identity, LoginPolicy},
    };

    use super::*;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
    }

    fn machine() -> Arc<Machine> {
        let identity = Identity::draw(b"prompt tests", now(), Some("web01".into()), None);
        let policy = LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
        Machine::new(identity, policy, Clock::fixed(now()), Default::default())
    }

    fn question() -> Question {
        let what = Ask::Program {
            words: vec!["kubectl".into(), "get".into(), "pods".into()],
            cwd: "/root".into(),
            user: "root".into(),
            stdin: String::new(),
        };
        Question::new(what, "")
    }

    #[test]
    fn the_machine_comes_first_and_stays_the_same() {
        let prompter = Prompter::new(Templates::default(), &machine(), 1000, 600);
        let first = prompter.conversation(&question(), &[], now());
        let later = prompter.conversation(&question(), &[], now() + Duration::from_secs(60));
        assert!(first == later, "a minute changes nothing");
        assert!(first.system[0].contains("Host name: web01") && first.system[0].contains("nginx"));
        assert!(first.messages[0].content.ends_with("Command:\nkubectl get pods\n"));
        let other = Question::new(Ask::File { path: "/etc/x".into(), size: 300, head: String::new() }, "");
        assert_eq!(prompter.conversation(&other, &[], now()).system[0], first.system[0]);
    }

    #[test]
    fn what_it_has_to_agree_with_is_said_within_the_budget() {
        let prompter = Prompter::new(Templates::default(), &machine(), 1000, 600);
        let mut question = question();
        question.ground = Grounding {
            own: vec!["kubectl create deployment shop".into()],
            recent: (0..200)
                .map(|n| Exchange { said: format!("command {n}"), answered: "x".repeat(400) })
                .collect(),
            ..Grounding::default()
        };
        let known: Vec<Known> =
            (0..200).map(|n| Known { subject: format!("kubectl {n}"), text: "y".repeat(300) }).collect();
        let text = prompter.conversation(&question, &known, now()).messages[0].content.clone();
        assert!(text.contains("kubectl create deployment shop") && text.contains("kubectl 0:"));
        assert!(text.len() < 4000, "{}", text.len());
    }

    #[test]
    fn a_long_text_of_a_visitor_is_cut() {
        let prompter = Prompter::new(Templates::default(), &machine(), 1000, 600);
        let what = Ask::Line { banner: String::new(), line: "x".repeat(100_000) };
        let text = prompter.conversation(&Question::new(what, ""), &[], now()).messages[0].content.clone();
        assert!(text.len() < WRITTEN + 200);
    }
}
