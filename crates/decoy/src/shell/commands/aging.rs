//! What `/etc/shadow` says of a password's age: `chage`, and the options of `passwd` (passwd 4.13).

use chrono::{DateTime, NaiveDate, Utc};

use super::{Call, Said, usage, users};

const SHADOW: &str = "/etc/shadow";
/// More days than this is for ever.
const FOR_EVER: i64 = 10_000;

/// The fields of a row: name, hash, last change, least and most days, warning, inactivity, end, flag.
pub(super) struct Row(Vec<String>);

impl Row {
    pub(super) fn of(call: &Call<'_>, name: &str) -> Option<Self> {
        let rows = users::lines(call, SHADOW);
        let row = rows.iter().find(|row| row.split(':').next() == Some(name))?;
        let mut fields: Vec<String> = row.split(':').map(str::to_owned).collect();
        fields.resize(9, String::new());
        Some(Self(fields))
    }

    fn field(&self, at: usize) -> &str {
        self.0.get(at).map_or("", String::as_str)
    }

    fn number(&self, at: usize) -> Option<i64> {
        self.field(at).parse().ok()
    }

    pub(super) fn set(&mut self, at: usize, value: impl Into<String>) {
        if let Some(field) = self.0.get_mut(at) {
            *field = value.into();
        }
    }

    /// Days; what is below nothing is left out.
    fn set_days(&mut self, at: usize, days: i64) {
        self.set(at, if days < 0 { String::new() } else { days.to_string() });
    }

    pub(super) fn save(&self, call: &Call<'_>) {
        let mut rows = users::lines(call, SHADOW);
        for row in rows.iter_mut().filter(|row| row.split(':').next() == Some(self.field(0))) {
            *row = self.0.join(":");
        }
        users::save(call, SHADOW, &rows);
    }

    pub(super) fn hash(&self) -> &str {
        self.field(1)
    }

    /// One line of `passwd -S`.
    fn status(&self) -> String {
        let state = match self.hash() {
            "" => "NP",
            hash if hash.starts_with(['!', '*']) => "L",
            _ => "P",
        };
        let or_none = |at: usize| self.number(at).unwrap_or(-1);
        format!(
            "{} {state} {} {} {} {} {}\n",
            self.field(0),
            day(or_none(2), "%Y-%m-%d"),
            or_none(3),
            or_none(4),
            or_none(5),
            or_none(6)
        )
    }
}

fn day(number: i64, format: &str) -> String {
    let date: Option<DateTime<Utc>> = DateTime::from_timestamp(number.saturating_mul(86_400), 0);
    date.filter(|_| number >= 0).map_or_else(|| "never".to_owned(), |date| date.format(format).to_string())
}

/// A program's complaint with its usage after it.
pub(super) fn misused(name: &str, what: &str, status: i32) -> Said {
    let help = usage::of(name, &["--help".to_owned()], false).unwrap_or_default();
    Said::err([what.as_bytes(), &help.out].concat(), status)
}

/// Options cut by their letters and long names; those with a value have one.
pub(super) struct Given {
    pub(super) options: Vec<(char, Option<String>)>,
    pub(super) operands: Vec<String>,
}

impl Given {
    /// `long`: long names, each with its letter. The refusal is the complaint of getopt(3).
    pub(super) fn of(
        args: &[String],
        plain: &str,
        valued: &str,
        long: &[(&str, char)],
    ) -> Result<Self, String> {
        let mut given = Self { options: Vec::new(), operands: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                given.operands.extend(args.by_ref().cloned());
            } else if let Some(word) = arg.strip_prefix("--") {
                let (name, value) =
                    word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                let Some((known, letter)) = long
                    .iter()
                    .find(|(known, _)| *known == name)
                    .or_else(|| long.iter().find(|(known, _)| known.starts_with(name)))
                else {
                    return Err(format!("unrecognized option '--{name}'"));
                };
                let value = match value.map(str::to_owned) {
                    None if valued.contains(*letter) => match args.next() {
                        Some(value) => Some(value.clone()),
                        None => return Err(format!("option '--{known}' requires an argument")),
                    },
                    value => value,
                };
                given.options.push((*letter, value));
            } else if let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                let mut letters = letters.chars();
                while let Some(letter) = letters.next() {
                    if valued.contains(letter) {
                        let rest: String = letters.by_ref().collect();
                        let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                        if value.is_none() {
                            return Err(format!("option requires an argument -- '{letter}'"));
                        }
                        given.options.push((letter, value));
                    } else if plain.contains(letter) {
                        given.options.push((letter, None));
                    } else {
                        return Err(format!("invalid option -- '{letter}'"));
                    }
                }
            } else {
                given.operands.push(arg.clone());
            }
        }
        Ok(given)
    }

    pub(super) fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(known, _)| *known == letter)
    }

    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.options.iter().rev().find(|(known, _)| *known == letter)?.1.as_deref()
    }
}

/// Long names of `passwd`.
const OF_PASSWD: [(&str, char); 14] = [
    ("all", 'a'),
    ("delete", 'd'),
    ("expire", 'e'),
    ("help", 'h'),
    ("inactive", 'i'),
    ("keep-tokens", 'k'),
    ("lock", 'l'),
    ("mindays", 'n'),
    ("quiet", 'q'),
    ("repository", 'r'),
    ("root", 'R'),
    ("status", 'S'),
    ("unlock", 'u'),
    ("warndays", 'w'),
];

/// What `passwd` does without asking for a password; `Ok` gives the name whose password is asked for.
pub(super) fn passwd(call: &Call<'_>) -> Result<Option<String>, Said> {
    let long = [&OF_PASSWD[..], &[("maxdays", 'x')]].concat();
    let given = Given::of(call.args, "adehklqSu", "inrRwx", &long)
        .map_err(|what| misused("passwd", &format!("passwd: {what}\n"), 6))?;
    if given.has('h') {
        return Err(usage::of("passwd", &["--help".to_owned()], false).unwrap_or_default());
    }
    for (letter, value) in &given.options {
        if let (true, Some(value)) = ("inwx".contains(*letter), value)
            && value.parse::<i64>().map_or(true, |days| days < -1)
        {
            return Err(misused("passwd", &format!("passwd: invalid numeric argument '{value}'\n"), 6));
        }
    }
    let name = given.operands.first().cloned();
    if given.operands.len() > 1 || given.has('a') && (!given.has('S') || name.is_some()) {
        return Err(misused("passwd", "", 2));
    }
    if given.has('a') {
        if !call.is_root() {
            return Err(Said::err("passwd: Permission denied.\n", 1));
        }
        let names = users::all(call).into_iter().filter_map(|user| Row::of(call, &user.name));
        return Err(Said::out(names.map(|row| row.status()).collect::<String>()));
    }
    let changes: Vec<&(char, Option<String>)> =
        given.options.iter().filter(|(letter, _)| "deluinwx".contains(*letter)).collect();
    if changes.is_empty() && !given.has('S') {
        return Ok(name);
    }
    let own = call.session.user_name();
    let name = name.unwrap_or_else(|| own.clone());
    if users::named(call, &name).is_none() {
        return Err(Said::err(format!("passwd: user '{name}' does not exist\n"), 1));
    }
    if !call.is_root() && (!changes.is_empty() || name != own) {
        return Err(Said::err(
            if name == own {
                "passwd: Permission denied.\n".to_owned()
            } else {
                format!("passwd: You may not view or modify password information for {name}.\n")
            },
            1,
        ));
    }
    let Some(mut row) = Row::of(call, &name) else { return Err(Said::nothing(0)) };
    if given.has('S') {
        return Err(Said::out(row.status()));
    }
    for (letter, value) in changes {
        let days = value.as_deref().and_then(|value| value.parse().ok()).unwrap_or(-1);
        match letter {
            'd' => row.set(1, ""),
            'e' => row.set(2, "0"),
            'l' if !row.hash().starts_with('!') => row.set(1, format!("!{}", row.hash())),
            'u' if matches!(row.hash(), "!" | "!!") => {
                return Err(Said::err(
                    "passwd: unlocking the password would result in a passwordless account.\nYou should set a password with usermod -p to unlock the password of this account.\n",
                    3,
                ));
            }
            'u' => row.set(1, row.hash().trim_start_matches('!').to_owned()),
            'n' => row.set_days(3, days),
            'x' => row.set_days(4, days),
            'w' => row.set_days(5, days),
            'i' => row.set_days(6, days),
            _ => {}
        }
    }
    row.save(call);
    Err(if given.has('q') { Said::nothing(0) } else { Said::out("passwd: password changed.\n") })
}

/// A day as `chage` and `usermod` take it: a date, a number of days since 1970, or -1 for none.
pub(super) fn date(text: &str) -> Option<i64> {
    if text.is_empty() || text == "-1" {
        return Some(-1);
    }
    let by_number = text.parse::<i64>().ok().filter(|days| *days >= 0);
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let by_name = || {
        ["%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d %b %Y", "%b %d %Y"]
            .iter()
            .find_map(|format| NaiveDate::parse_from_str(text, format).ok())
            .map(|date| (date - epoch).num_days())
    };
    by_number.or_else(by_name)
}

pub(super) fn chage(call: &Call<'_>) -> Said {
    const LONG: [(&str, char); 10] = [
        ("expiredate", 'E'),
        ("help", 'h'),
        ("inactive", 'I'),
        ("iso8601", 'i'),
        ("lastday", 'd'),
        ("list", 'l'),
        ("maxdays", 'M'),
        ("mindays", 'm'),
        ("root", 'R'),
        ("warndays", 'W'),
    ];
    let given = match Given::of(call.args, "hil", "dEImMRW", &LONG) {
        Ok(given) => given,
        Err(what) => return misused("chage", &format!("chage: {what}\n"), 2),
    };
    if given.has('h') {
        return usage::of("chage", &["--help".to_owned()], false).unwrap_or_default();
    }
    for (letter, value) in &given.options {
        let Some(value) = value else { continue };
        if "dE".contains(*letter) && date(value).is_none() {
            return misused("chage", &format!("chage: invalid date '{value}'\n"), 2);
        }
        if "ImMW".contains(*letter) && value.parse::<i64>().map_or(true, |days| days < -1) {
            return misused("chage", &format!("chage: invalid numeric argument '{value}'\n"), 2);
        }
    }
    let [name] = &given.operands[..] else { return misused("chage", "", 2) };
    let changes: Vec<&(char, Option<String>)> =
        given.options.iter().filter(|(letter, _)| "dEImMW".contains(*letter)).collect();
    if given.has('l') && !changes.is_empty() {
        return misused("chage", "chage: do not include \"l\" with other flags\n", 2);
    }
    if !call.is_root() && (!given.has('l') || *name != call.session.user_name()) {
        return Said::err("chage: Permission denied.\n", 1);
    }
    let Some(mut row) = users::named(call, name).and_then(|_| Row::of(call, name)) else {
        return Said::err(format!("chage: user '{name}' does not exist in /etc/passwd\n"), 1);
    };
    if given.has('l') {
        return Said::out(listed(&row, if given.has('i') { "%Y-%m-%d" } else { "%b %d, %Y" }));
    }
    if changes.is_empty() {
        return Said {
            status: 1,
            ..Said::out(format!(
                "Changing the aging information for {name}\nEnter the new value, or press ENTER for the default\n\n\tMinimum Password Age [{}]: chage: error changing fields\n",
                row.field(3)
            ))
        };
    }
    for (letter, value) in changes {
        let Some(value) = value else { continue };
        let (at, days) = match letter {
            'd' => (2, date(value)),
            'm' => (3, value.parse().ok()),
            'M' => (4, value.parse().ok()),
            'W' => (5, value.parse().ok()),
            'I' => (6, value.parse().ok()),
            _ => (7, date(value)),
        };
        row.set_days(at, days.unwrap_or(-1));
    }
    row.save(call);
    Said::nothing(0)
}

fn listed(row: &Row, format: &str) -> String {
    let (last, most) = (row.number(2), row.number(4).unwrap_or(-1));
    let (inactive, end) = (row.number(6).unwrap_or(-1), row.number(7).unwrap_or(-1));
    let must = "password must be changed".to_owned();
    let never = || "never".to_owned();
    let lasts = last.is_none() || !(0..FOR_EVER).contains(&most);
    let [changed, expires, idle] = if last == Some(0) {
        [must.clone(), must.clone(), must]
    } else {
        let last = last.unwrap_or(-1);
        [
            day(last, format),
            if lasts { never() } else { day(last + most, format) },
            if lasts || inactive < 0 { never() } else { day(last + most + inactive, format) },
        ]
    };
    let or_none = |at: usize| row.number(at).unwrap_or(-1);
    format!(
        "Last password change\t\t\t\t\t: {changed}\nPassword expires\t\t\t\t\t: {expires}\nPassword inactive\t\t\t\t\t: {idle}\nAccount expires\t\t\t\t\t\t: {}\nMinimum number of days between password change\t\t: {}\nMaximum number of days between password change\t\t: {}\nNumber of days of warning before password expires\t: {}\n",
        if end < 0 { never() } else { day(end, format) },
        or_none(3),
        or_none(4),
        or_none(5)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_several_names() {
        for (text, known) in
            [("2030-01-01", Some(21_915)), ("-1", Some(-1)), ("100", Some(100)), ("foo", None), ("-7", None)]
        {
            assert_eq!(date(text), known, "{text}");
        }
        assert_eq!(day(21_915, "%b %d, %Y"), "Jan 01, 2030");
    }
}
