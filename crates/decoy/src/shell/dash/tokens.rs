//! The tokens of dash: read one after the other, written down again for bash.

use super::{Fault, grammar::Reader, words::Word};

/// What the grammar is made of.
#[derive(Clone, Debug)]
pub(super) enum Token {
    End,
    Newline,
    Semi,
    Background,
    And,
    Or,
    Pipe,
    Open,
    Close,
    EndCase,
    /// A redirection: as it stands, and whether a here-document follows (and with tabs taken off).
    Redirect(String, Option<bool>),
    Word(Word),
}

/// Words that the grammar keeps for itself.
const KEYWORDS: &[&str] = &[
    "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while",
    "{", "}",
];

impl Token {
    /// The keyword that it is where one may stand.
    pub(super) fn keyword(&self) -> Option<&str> {
        let Token::Word(word) = self else { return None };
        word.plain.as_deref().filter(|plain| KEYWORDS.contains(plain))
    }

    pub(super) fn name(&self, as_keyword: bool) -> String {
        match self {
            Token::End => "end of file".to_owned(),
            Token::Newline => "newline".to_owned(),
            Token::Semi => "\";\"".to_owned(),
            Token::Background => "\"&\"".to_owned(),
            Token::And => "\"&&\"".to_owned(),
            Token::Or => "\"||\"".to_owned(),
            Token::Pipe => "\"|\"".to_owned(),
            Token::Open => "\"(\"".to_owned(),
            Token::Close => "\")\"".to_owned(),
            Token::EndCase => "\";;\"".to_owned(),
            Token::Redirect(..) => "redirection".to_owned(),
            Token::Word(_) => match self.keyword().filter(|_| as_keyword) {
                Some(word) => format!("\"{word}\""),
                None => "word".to_owned(),
            },
        }
    }
}

impl Reader {
    /// Blanks and remarks before the next token, as they stand.
    fn blanks(&mut self) -> String {
        let mut blanks = String::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' => blanks.extend(self.take()),
                '\\' if self.peek_at(1) == Some('\n') => {
                    blanks.push_str("\\\n");
                    self.skip(2);
                }
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        blanks.extend(self.take());
                    }
                }
                _ => break,
            }
        }
        blanks
    }

    pub(super) fn read(&mut self) -> Result<(String, Token), Fault> {
        if let Some(held) = self.hold.take() {
            return Ok(held);
        }
        let blanks = self.blanks();
        let Some(c) = self.peek() else { return Ok((blanks, Token::End)) };
        let doubled = self.peek_at(1) == Some(c);
        let (length, token) = match c {
            '\n' => (1, Token::Newline),
            ';' if doubled => (2, Token::EndCase),
            ';' => (1, Token::Semi),
            '&' if doubled => (2, Token::And),
            '&' => (1, Token::Background),
            '|' if doubled => (2, Token::Or),
            '|' => (1, Token::Pipe),
            '(' => (1, Token::Open),
            ')' => (1, Token::Close),
            '<' | '>' => return Ok((blanks, self.redirection(String::new()))),
            c if c.is_ascii_digit() && matches!(self.peek_at(1), Some('<' | '>')) => {
                self.skip(1);
                return Ok((blanks, self.redirection(c.to_string())));
            }
            _ => return Ok((blanks, Token::Word(self.word()?))),
        };
        self.skip(length);
        Ok((blanks, token))
    }

    fn redirection(&mut self, mut sign: String) -> Token {
        let first = self.take().unwrap_or('>');
        sign.push(first);
        let mut here = None;
        match (first, self.peek()) {
            ('<', Some('<')) => {
                sign.extend(self.take());
                here = Some(self.peek() == Some('-'));
                if here == Some(true) {
                    sign.extend(self.take());
                }
            }
            ('<', Some('>' | '&')) | ('>', Some('>' | '&' | '|')) => sign.extend(self.take()),
            _ => {}
        }
        Token::Redirect(sign, here)
    }

    /// Takes the next token without writing it.
    pub(super) fn token(&mut self) -> Result<Token, Fault> {
        let (blanks, token) = self.read()?;
        self.out.push_str(&blanks);
        match &token {
            Token::End => {}
            Token::Newline => {
                self.out.push('\n');
                self.documents();
            }
            Token::Semi => self.out.push(';'),
            // `&>` would be a redirection of bash.
            Token::Background if self.peek() == Some('>') => self.out.push_str("& "),
            Token::Background => self.out.push('&'),
            Token::And => self.out.push_str("&&"),
            Token::Or => self.out.push_str("||"),
            Token::Pipe => self.out.push('|'),
            Token::Open => self.out.push('('),
            Token::Close => self.out.push(')'),
            Token::EndCase => self.out.push_str(";;"),
            Token::Redirect(sign, _) => self.out.push_str(sign),
            Token::Word(word) => self.out.push_str(&word.out),
        }
        Ok(token)
    }

    pub(super) fn next_is(&mut self) -> Result<&Token, Fault> {
        if self.hold.is_none() {
            self.hold = Some(self.read()?);
        }
        self.hold.as_ref().map(|(_, token)| token).ok_or(Fault { line: self.line, text: String::new() })
    }

    /// The texts of here-documents, behind the line that asks for them.
    fn documents(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.waiting) {
            while self.peek().is_some() {
                let mut line = String::new();
                while let Some(c) = self.take() {
                    self.out.push(c);
                    if c == '\n' {
                        break;
                    }
                    line.push(c);
                }
                if (if tabs { line.trim_start_matches('\t') } else { &line }) == end {
                    break;
                }
            }
        }
    }
}
