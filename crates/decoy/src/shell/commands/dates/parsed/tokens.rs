//! The tokens of a date: numbers with their signs, words, and single characters.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A number: its value, how many digits, its sign if it has one, and nanoseconds behind a point.
    Number {
        value: i64,
        digits: usize,
        signed: bool,
        nanos: Option<u32>,
    },
    Word(String),
    Sign(char),
}

pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        if c == '(' {
            rest = rest.split_once(')')?.1;
            continue;
        }
        let after_sign = rest.trim_start_matches(['+', '-']).trim_start();
        let is_sign = matches!(c, '+' | '-');
        if is_sign && !after_sign.starts_with(|c: char| c.is_ascii_digit()) {
            // A sign before no number is gone over.
            rest = rest.get(1..)?;
            continue;
        }
        if c.is_ascii_digit() || is_sign {
            let negative =
                is_sign && rest.get(..rest.len() - after_sign.len())?.matches('-').count() % 2 == 1;
            let body = if is_sign { after_sign } else { rest };
            let digits = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
            let value: i64 = body.get(..digits)?.parse().ok()?;
            let mut nanos = None;
            let mut taken = digits;
            if let Some(part) = body.get(digits..)?.strip_prefix(['.', ','])
                && part.starts_with(|c: char| c.is_ascii_digit())
            {
                let length = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
                nanos = format!("{:0<9}", part.get(..length)?).get(..9)?.parse().ok();
                taken += 1 + length;
            }
            tokens.push(Token::Number {
                value: if negative { -value } else { value },
                digits,
                signed: is_sign,
                nanos,
            });
            rest = body.get(taken..)?;
            continue;
        }
        if c.is_ascii_alphabetic() {
            let length = rest.find(|c: char| !c.is_ascii_alphabetic() && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Word(rest.get(..length)?.to_owned()));
            rest = rest.get(length..)?;
            continue;
        }
        tokens.push(Token::Sign(c));
        rest = rest.get(c.len_utf8()..)?;
    }
    Some(tokens)
}

pub(super) fn plain(token: Option<&Token>) -> Option<(i64, usize)> {
    match token {
        Some(Token::Number { value, digits, signed: false, nanos: None }) => Some((*value, *digits)),
        _ => None,
    }
}

/// A number behind the hyphen of a date, which the lexer took for its sign.
pub(super) fn hyphened(token: Option<&Token>) -> Option<(i64, usize)> {
    match token {
        Some(Token::Number { value, digits, signed: true, nanos: None }) if *value <= 0 => {
            Some((-value, *digits))
        }
        _ => None,
    }
}

pub(super) fn word(token: Option<&Token>) -> Option<&str> {
    match token {
        Some(Token::Word(word)) => Some(word.as_str()),
        _ => None,
    }
}
