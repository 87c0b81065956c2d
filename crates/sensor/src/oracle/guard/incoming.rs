//! What a visitor writes for the model instead of for the server. Such a question is answered by the server's own
//! `otherwise`, and the model never hears it.

use super::{narrow, plain};

/// Each entry is words that have to come in this order, with at most a few others between them.
const PHRASES: &[&[&str]] = &[
    &[
        "ignore|disregard|forget|override|bypass|neglect|discard|skip|drop",
        "previous|prior|above|earlier|preceding|all|your|any|every|these|those|the",
        "instruction|instructions|prompt|prompts|rule|rules|direction|directions|guideline|guidelines|context|message|messages|orders|constraints|programming|training",
    ],
    &["ignore|disregard|forget", "everything|all|anything", "above|before|previous|said|told|you|prior"],
    &["ignore|disregard|forget|override", "instructions|guidelines|programming"],
    &[
        "system|initial|original|hidden|secret|developer|base|full|internal",
        "prompt|prompts|instruction|instructions|message",
    ],
    &["your", "prompt|instructions|guidelines|programming|training|rules"],
    &[
        "you",
        "are|were|re",
        "now|no|actually|really|just|an|a",
        "ai|assistant|chatbot|bot|model|llm|gpt|chatgpt|claude|gemini|human|person|dan|unrestricted|free|longer|pirate|cat|machine|simulation|simulator|honeypot",
    ],
    &["you", "are|were|re", "ai|assistant|chatbot|chatgpt|claude|gpt|llm|honeypot|simulated|fake"],
    &[
        "are|r",
        "you|u|this",
        "ai|assistant|chatbot|bot|model|llm|gpt|chatgpt|claude|human|person|real|honeypot|sandbox|simulated|simulation|fake|emulated|emulator|conscious|sentient",
    ],
    &["is", "this|it|that", "honeypot|sandbox|simulation|emulation|fake|trap|decoy|real"],
    &[
        "act|behave|respond|answer|speak|talk|pose|roleplay|operate|function",
        "as|like",
        "a|an|if|my|the|dan|you|though",
    ],
    &["pretend|imagine|assume|suppose", "you|to|that|we|your", "are|be|were|re|is|have|it"],
    &["role", "play|playing"],
    &["roleplay"],
    &["as", "an", "ai|assistant|llm"],
    &["language", "model|models"],
    &["large", "language"],
    &[
        "openai|anthropic|chatgpt|gpt4|gpt3|gpt|claude|gemini|llama|copilot|mistral|deepseek",
        "tell|say|are|you|please|hello|hi|hey|is|model|prompt|do|can|what|how",
    ],
    &["hello|hi|hey|dear|greetings", "assistant|chatgpt|claude|ai|model|gpt|bot|gemini|llm"],
    &["what|which", "model|llm|ai|version", "are|is|powers", "you|this|it"],
    &["who|what", "are|made|created|trained|built|developed|programmed", "you"],
    &[
        "what",
        "is|are|was|were",
        "your",
        "name|purpose|instructions|prompt|goal|task|job|training|rules|knowledge",
    ],
    &[
        "repeat|print|output|show|reveal|display|tell|give|write|say|dump|list|echo|leak|quote|recite|translate|summarize|summarise|return|disclose|copy",
        "everything|text|words|all|what|me|the|your|verbatim|this|content",
        "above|verbatim|prompt|instructions|instruction|rules|before|guidelines|preceding|told|conversation|previous|said",
    ],
    &["repeat|say|print|write|output|respond|reply|answer", "after", "me"],
    &[
        "respond|reply|answer|output|say",
        "only|with|using|in|the|just",
        "word|words|phrase|yes|exactly|english|french|json|poem|markdown|rot13|base64|following|hello|pwned|sentence",
    ],
    &[
        "write|compose|tell|sing|generate|create|make",
        "me|a|an|us",
        "poem|story|joke|essay|haiku|song|limerick|recipe|letter|python|script|code|summary|article|rap|tale|email",
    ],
    &["write|compose|generate", "poem|haiku|essay|limerick|sonnet|story"],
    &["explain|describe|teach|tell|show|help", "me|us", "how|why|what|about|in|with|to|your"],
    &["how", "do|can|to|would", "i|you|we", "make|build|hack|kill|create|get|feel|cook|synthesize|bypass"],
    &[
        "please",
        "help|explain|tell|write|describe|translate|summarize|answer|respond|ignore|confirm|provide|give|describe|act|repeat|stop",
    ],
    &[
        "can|could|would|will|do",
        "you",
        "please|help|tell|explain|write|speak|understand|answer|think|feel|reveal|show|give|describe|see|confirm|remember|be|stop|break|act",
    ],
    &["i", "want|need|would", "you", "to"],
    &["from", "now", "on", "you|always|respond|answer|act|your|every"],
    &[
        "new|updated|important|urgent|additional|revised",
        "instruction|instructions|directive|task|system|rules|prompt|orders|message",
    ],
    &["jailbreak|jailbroken"],
    &["do", "anything", "now"],
    &[
        "developer|debug|admin|god|dan|maintenance|sudo|unrestricted|root|test",
        "mode",
        "enabled|on|activated|engaged|you|enable|activate|now|respond|is",
    ],
    &[
        "enable|enter|activate|switch",
        "developer|debug|god|dan|maintenance|jailbreak|unrestricted|chat|assistant",
        "mode",
    ],
    &[
        "stop|quit|end|break|exit|leave|drop",
        "pretending|roleplaying|simulating|acting|emulating|character|role|simulation|the",
        "simulation|character|act|now|please|being|role|you|a|and|roleplay|persona",
    ],
    &["stop|quit", "simulating|pretending|roleplaying|emulating|acting"],
    &["end", "of", "prompt|instructions|system|session", "now|user|new|begin|start"],
    &["begin|start|end", "system|admin|new|assistant", "prompt|message|instructions|turn|response"],
    &["translate", "the|this|following|above|it", "to|into|following|text|sentence|instructions"],
    &["my", "grandmother|grandma|boss|developer|creator", "used|told|said|is|would|wants"],
    &["i", "am", "your|the", "developer|creator|administrator|owner|programmer|operator|engineer|god|master"],
    &["true", "or", "false", "you|are|this"],
    &["think|reason", "step", "by", "step"],
    &["let", "s|us|me", "play|pretend|talk|chat|roleplay|ask"],
    &["lets", "play|pretend|talk|chat|roleplay"],
    &[
        "reveal|disclose|confess|admit",
        "your|that|you|the",
        "identity|nature|prompt|instructions|secret|secrets|true|are|honeypot|source|system|ai|password",
    ],
    &[
        "ignoriere|vergiss|missachte",
        "alle|vorherigen|bisherigen|deine|anweisungen|vorigen",
        "anweisungen|regeln|befehle|vorgaben|instruktionen",
    ],
    &[
        "ignorez|oubliez|ignore|oublie",
        "les|toutes|tes|vos|instructions",
        "instructions|consignes|regles|règles|precedentes|précédentes",
    ],
    &[
        "ignora|olvida|ignorar|ignore|esqueca",
        "las|todas|tus|as|le|tutte|instrucciones|instruções",
        "instrucciones|instruções|instrucoes|reglas|anteriores|istruzioni|precedenti",
    ],
    &["bist|sind", "du|sie", "ki|bot|honeypot|mensch|ein|eine"],
    &["eres|es", "una|un", "ia|bot|humano|honeypot|modelo"],
];

/// Written together or torn apart, these say the same.
const COMPACT: &[&str] = &[
    "ignorepreviousinstruction",
    "ignoreallprevious",
    "ignoreallprior",
    "ignoreallinstruction",
    "ignoretheaboveinstruction",
    "ignoreyourinstruction",
    "disregardprevious",
    "disregardall",
    "disregardyour",
    "forgeteverything",
    "forgetyourinstruction",
    "forgetprevious",
    "forgetallprevious",
    "previousinstructions",
    "systemprompt",
    "youareahoneypot",
    "areyouahoneypot",
    "areyouanai",
    "areyouai",
    "areyouabot",
    "areyouhuman",
    "areyoureal",
    "isthisahoneypot",
    "asanailanguage",
    "languagemodel",
    "youarenowa",
    "youarenowdan",
    "revealyour",
    "printyourinstructions",
    "showyourprompt",
    "yourinstructions",
    "overrideyourprogramming",
    "breakcharacter",
    "stoproleplay",
    "jailbreak",
    "promptinjection",
    "printyourprompt",
    "repeateverythingabove",
    "repeatthewordsabove",
];

/// Marks with which models' own formats part speakers.
const MARKS: &[&str] = &[
    "<|im_start|>",
    "<|im_end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "</system>",
    "<system>",
    "<assistant>",
    "</assistant>",
    "</s>",
    "<start_of_turn>",
    "### instruction",
    "###instruction",
    "### system",
    "### response",
    "\nassistant:",
    "\nsystem:",
    "\nhuman:",
    "\nuser:",
    "\n\nhuman",
    "assistant:",
    "<instructions>",
    "<prompt>",
    "```system",
    "[system]",
    "[assistant]",
    "ignore_previous",
    "%%system",
    "begin_system",
    "{{system",
    "role\":\"system",
    "role\": \"system",
    "\"role\":\"assistant",
];

/// Words in scripts where none of the phrases above applies.
const OTHER_SCRIPTS: &[&str] = &[
    "忽略",
    "系统提示",
    "你是",
    "你是谁",
    "扮演",
    "игнорируй",
    "забудь",
    "инструкци",
    "ты ии",
    "языковая модель",
    "無視",
    "指示",
    "무시",
    "지시",
    "تجاهل",
    "التعليمات",
];

/// Why this text is not for the server; `None` for what a server may well be sent.
pub fn reason(written: &str) -> Option<&'static str> {
    // What follows the first few thousand characters is not shown to the model either.
    let written: String = written.chars().take(6000).collect();
    if let Some(reason) = look(&written) {
        return Some(reason);
    }
    let decoded = percent_decoded(&written);
    if decoded != written
        && let Some(reason) = look(&decoded)
    {
        return Some(reason);
    }
    let letters: String = written.chars().map(letter_of).collect();
    if look(&letters) == Some("instruction") {
        return Some("instruction");
    }
    let turned: String = written.chars().map(rot13).collect();
    if look(&turned).is_some_and(|reason| reason == "instruction") {
        return Some("encoded");
    }
    let backwards: String = written.chars().rev().collect();
    if look(&backwards).is_some_and(|reason| reason == "instruction") {
        return Some("encoded");
    }
    let words = written.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')));
    let hidden = words
        .filter(|word| word.len() >= 24)
        .take(8)
        .any(|word| [base64(word), hex(word)].into_iter().flatten().any(|text| look(&text).is_some()));
    hidden.then_some("encoded")
}

fn look(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    if MARKS.iter().any(|mark| lower.contains(mark)) {
        return Some("mark");
    }
    if OTHER_SCRIPTS.iter().any(|word| lower.contains(word)) {
        return Some("instruction");
    }
    let plain = plain(text);
    let words: Vec<&str> = plain.split(' ').collect();
    if PHRASES.iter().any(|phrase| says(&words, phrase)) {
        return Some("instruction");
    }
    let compact: String = plain.chars().filter(|c| *c != ' ').collect();
    COMPACT.iter().any(|phrase| compact.contains(phrase)).then_some("instruction")
}

/// Whether the words come in this order, each at most three after the one before.
fn says(words: &[&str], phrase: &[&str]) -> bool {
    const BETWEEN: usize = 3;
    let is = |word: &str, wanted: &str| wanted.split('|').any(|wanted| wanted == word);
    let Some((first, rest)) = phrase.split_first() else { return false };
    words.iter().enumerate().filter(|(_, word)| is(word, first)).any(|(start, _)| {
        let mut at = start;
        rest.iter().all(|wanted| {
            let next =
                words.iter().enumerate().skip(at + 1).take(BETWEEN + 1).find(|(_, word)| is(word, wanted));
            next.map(|(found, _)| at = found).is_some()
        })
    })
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Digits and signs that stand for letters.
fn letter_of(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => narrow(c),
    }
}

fn rot13(c: char) -> char {
    let turn = |c: char, first: u8| char::from((c as u8 - first + 13) % 26 + first);
    match c {
        'a'..='z' => turn(c, b'a'),
        'A'..='Z' => turn(c, b'A'),
        c => c,
    }
}

/// Text in base64 (RFC 4648), if it is text.
fn base64(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let (mut held, mut bits) = (0_u32, 0);
    for byte in word.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(word: &str) -> Option<String> {
    String::from_utf8(hex::decode(word).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written for this test: each line is sent in hope that a model behind the server obeys.
    const HOSTILE: &str = include_str!("../../../tests/injections.txt");
    /// What servers are sent on an ordinary day.
    const HARMLESS: &str = include_str!("../../../tests/harmless.txt");

    fn lines(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !line.is_empty() && !line.starts_with("##")).collect()
    }

    #[test]
    fn instructions_to_a_model_do_not_reach_it() {
        let hostile = lines(HOSTILE);
        assert!(hostile.len() >= 200, "{}", hostile.len());
        let missed: Vec<&&str> = hostile.iter().filter(|line| reason(line).is_none()).collect();
        println!("guard in: {} of {} stopped", hostile.len() - missed.len(), hostile.len());
        assert!(missed.len() * 100 <= hostile.len() * 2, "{missed:#?}");
    }

    #[test]
    fn what_servers_are_sent_passes() {
        let harmless = lines(HARMLESS);
        assert!(harmless.len() >= 100, "{}", harmless.len());
        let stopped: Vec<_> = harmless.iter().filter_map(|line| Some((line, reason(line)?))).collect();
        println!("guard in: {} of {} harmless lines stopped", stopped.len(), harmless.len());
        assert!(stopped.is_empty(), "{stopped:#?}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_at(text in "\\PC{0,400}") {
            let _reason = reason(&text);
        }
    }
}
