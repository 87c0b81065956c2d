//! A rule of the firewall: read from its options, and as it is saved.

use super::Refused;

/// One rule, cut into what is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) source: String,
    pub(super) destination: String,
    pub(super) input: String,
    pub(super) output: String,
    pub(super) protocol: String,
    /// Further matches, as they are saved: `-m tcp --dport 22`.
    pub(super) matches: Vec<String>,
    /// `-j` with what belongs to it.
    pub(super) target: Vec<String>,
}

pub(super) fn is_target(name: &str) -> bool {
    [
        "ACCEPT",
        "DROP",
        "REJECT",
        "LOG",
        "RETURN",
        "QUEUE",
        "DNAT",
        "SNAT",
        "MASQUERADE",
        "REDIRECT",
        "MARK",
        "TCPMSS",
        "NOTRACK",
        "CT",
    ]
    .contains(&name)
}

impl Rule {
    pub(super) fn of(spec: &[&str]) -> Result<Self, Refused> {
        let mut rule = Self::default();
        let mut words = spec.iter().copied().peekable();
        let (mut not, mut loaded) = (false, Vec::<String>::new());
        while let Some(word) = words.next() {
            let mut value = |option: &str| {
                let value =
                    words.next().ok_or_else(|| (format!("option \"{option}\" requires an argument"), 2))?;
                Ok::<String, Refused>(format!("{}{value}", if std::mem::take(&mut not) { "! " } else { "" }))
            };
            match word {
                "!" => not = true,
                "-s" | "--source" | "--src" => rule.source = network(&value(word)?),
                "-d" | "--destination" | "--dst" => rule.destination = network(&value(word)?),
                "-i" | "--in-interface" => rule.input = value(word)?,
                "-o" | "--out-interface" => rule.output = value(word)?,
                "-p" | "--protocol" | "--proto" => rule.protocol = value(word)?.to_lowercase(),
                "-m" | "--match" => {
                    let name = value(word)?;
                    rule.matches.extend(["-m".to_owned(), name.clone()]);
                    loaded.push(name);
                }
                "-j" | "--jump" | "-g" | "--goto" => {
                    let target = value(word)?;
                    rule.target = vec!["-j".to_owned(), target];
                    rule.target.extend(words.by_ref().map(str::to_owned));
                }
                "-n" | "-v" | "-w" | "--wait" => {}
                "--dport" | "--destination-port" | "--sport" | "--source-port" => {
                    if !matches!(rule.protocol.as_str(), "tcp" | "udp" | "sctp" | "dccp") {
                        return Err((format!("unknown option \"{word}\""), 2));
                    }
                    if !loaded.contains(&rule.protocol) {
                        rule.matches.extend(["-m".to_owned(), rule.protocol.clone()]);
                        loaded.push(rule.protocol.clone());
                    }
                    let option = if word.starts_with("--d") { "--dport" } else { "--sport" };
                    let port = value(word)?;
                    rule.matches.extend([option.to_owned(), port]);
                }
                option if option.starts_with("--") => {
                    if loaded.is_empty() {
                        return Err((format!("unknown option \"{option}\""), 2));
                    }
                    let given = value(option)?;
                    rule.matches.extend([option.to_owned(), given]);
                }
                option if option.starts_with('-') => return Err((format!("unknown option \"{option}\""), 2)),
                word => return Err((format!("Bad argument `{word}'"), 2)),
            }
        }
        Ok(rule)
    }

    /// As `-S` and `iptables-save` print it.
    pub(super) fn saved(&self, chain: &str) -> String {
        let mut text = format!("-A {chain}");
        for (option, value) in [
            ("-s", &self.source),
            ("-d", &self.destination),
            ("-i", &self.input),
            ("-o", &self.output),
            ("-p", &self.protocol),
        ] {
            if !value.is_empty() && value != "all" {
                let (not, value) =
                    value.strip_prefix("! ").map_or(("", value.as_str()), |value| ("! ", value));
                text += &format!(" {not}{option} {value}");
            }
        }
        for word in self.matches.iter().chain(&self.target) {
            text += &format!(" {word}");
        }
        text
    }
}

/// An address as it is saved: with the length of its prefix.
fn network(text: &str) -> String {
    let (not, address) = text.strip_prefix("! ").map_or(("", text), |rest| ("! ", rest));
    let address = match address {
        "0.0.0.0/0" | "0/0" | "::/0" => return String::new(),
        address if address.contains('/') => address.to_owned(),
        address if address.contains(':') => format!("{address}/128"),
        address => format!("{address}/32"),
    };
    format!("{not}{address}")
}
