//! A real small model behind the bucket: it babbles, so the guard has work. What reaches a visitor must be what a server says,
//! and the same every time.

use std::{collections::HashMap, net::Ipv4Addr};

use acceptance::{
    Bucket,
    bucket::PASSWORD,
    clients::{Lines, Ssh, at_prompt},
    report::{Figure, Target, figure},
};

use super::{
    questions::{self, PROGRAMS},
    runtime::Model,
};

/// What no server says, written apart from the guard: any of these in what a visitor saw is a break.
const BREAKS: &[&str] = &[
    "```",
    "as an ai",
    "language model",
    "i'm sorry",
    "i am sorry",
    "i apologize",
    "i cannot",
    "i can't",
    "i am unable",
    "i'm unable",
    "honeypot",
    "sure, here",
    "sure! here",
    "certainly",
    "here is the output",
    "here's the output",
    "<|im_",
    "[inst]",
    "openai",
    "chatgpt",
    "smollm",
    "hugging face",
    "you are a running linux",
    "print the output only",
    "i'm a ",
    "i am a ",
    "i hope this",
    "feel free to",
    "let me know",
    "assistant",
    "simulated",
];

/// Questions of one session: its budget, which nobody set here, is for no more.
const IN_A_SESSION: usize = 10;

/// Asks many questions over SSH, then the first hundred again over Telnet.
pub async fn measure(quick: bool) -> Vec<Figure> {
    let model = match Model::start().await {
        Ok(model) => model,
        Err(reason) => {
            eprintln!(
                "no real model: {reason}; guard_breaks_real_model and same_answer_share are not measured"
            );
            return Vec::new();
        }
    };
    let (count, again) = if quick { (100, 100) } else { (500, 100) };
    let mut bucket = Bucket::new();
    let names = |names: &[&str]| toml::Value::Array(names.iter().map(|name| (*name).into()).collect());
    bucket.set(&["persona", "programs"], names(&PROGRAMS));
    bucket.set(&["chat", "providers"], names(&["chatgpt"]));
    bucket.set(&["chat", "timeout"], "60s");
    // It reads and writes a few dozen tokens a second on a busy core; what it says is babble at any length.
    bucket.set(&["chat", "prompt_tokens"], 400_i64);
    bucket.set(&["chat", "answer_tokens"], 64_i64);
    bucket.set(&["openai", "base_url"], model.url.clone());
    bucket.set(&["openai", "model"], "smollm2-135m");
    bucket.start().await;
    let lines = questions::lines(count);
    let (mut shown, mut breaks) = (HashMap::new(), Vec::new());
    for (number, part) in lines.chunks(IN_A_SESSION).enumerate() {
        eprintln!("real model: {} of {}", number * IN_A_SESSION, lines.len());
        let source = Ipv4Addr::new(127, 40, 0, u8::try_from(number + 1).expect("few parts"));
        let ssh = Ssh::log_in_from(source, bucket.ports.ssh, "root", PASSWORD).await.expect("SSH");
        let mut ssh = ssh.expect("the password is accepted");
        for line in part {
            let output = ssh.exec(line).await.expect("a command");
            let seen = format!("{}{}", output.out, output.err);
            if let Some(sign) = broken(&seen) {
                breaks.push(format!("{line}: {sign}: {seen:?}"));
            }
            shown.insert(line.clone(), seen);
        }
        ssh.leave().await;
    }
    for fault in &breaks {
        eprintln!("a break: {fault}");
    }
    let mut same = 0;
    for (number, part) in lines[..again].chunks(IN_A_SESSION).enumerate() {
        let source = Ipv4Addr::new(127, 41, 0, u8::try_from(number + 1).expect("few parts"));
        let mut telnet = Lines::telnet_from(source, bucket.ports.telnet).await.expect("Telnet");
        telnet.log_in("root", PASSWORD).await.expect("login");
        for line in part {
            telnet.send_line(line).await.expect("a line");
            let seen = telnet.read_until(at_prompt).await.expect("an answer");
            let seen = String::from_utf8_lossy(&seen).replace("\r\n", "\n");
            // The echo before it and the prompt behind it are the terminal's.
            let body = seen.split_once('\n').map_or("", |(_, rest)| rest);
            let body = body.rsplit_once('\n').map_or(String::new(), |(body, _)| format!("{body}\n"));
            let wanted = &shown[line];
            if body == *wanted {
                same += 1;
            } else {
                eprintln!("another answer to {line}: {wanted:?} and {body:?}");
            }
        }
    }
    bucket.assert_sound();
    bucket.stop();
    let events = bucket.events();
    let answers: Vec<_> =
        events.iter().filter(|event| event["eventid"] == "rustbucket.chat.answer").collect();
    let written =
        answers.iter().filter(|event| event["cached"] == false && event["fallback"] == false).count();
    model.stop();
    let note = format!("{} questions, {written} answered by the model, the rest by the machine", lines.len());
    vec![
        figure("guard_breaks_real_model", breaks.len() as f64, "answers", Some(Target::AtMost(0.0)), note),
        figure(
            "same_answer_share",
            same as f64 / again as f64,
            "",
            Some(Target::AtLeast(1.0)),
            format!("{again} questions, first over SSH, then over Telnet from another address"),
        ),
    ]
}

fn broken(seen: &str) -> Option<&'static str> {
    let lower = seen.to_lowercase();
    let prompt = seen.lines().any(|line| line.starts_with("root@") && line.contains(['#', '$']));
    if prompt {
        return Some("a prompt");
    }
    if seen.contains(['\r', '\u{1b}']) {
        return Some("a control character");
    }
    BREAKS.iter().find(|sign| lower.contains(**sign)).copied()
}
