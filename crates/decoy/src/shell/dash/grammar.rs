//! The grammar of dash: commands are read, and written down again for bash.

use super::{Fault, names, tokens::Token};

/// A script, read from its beginning.
pub(super) struct Reader {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    pub(super) line: u32,
    /// What bash has to read.
    pub(super) out: String,
    /// How much of it stands in lines that are complete.
    pub(super) complete: usize,
    /// Whether commands may be replaced by programs of ours.
    pub(super) replaces: bool,
    /// A token that was looked at and not taken, with the blanks before it.
    pub(super) hold: Option<(String, Token)>,
    /// Here-documents whose text is still to come: the end, and whether tabs are taken off.
    pub(super) waiting: Vec<(String, bool)>,
    pub(super) depth: usize,
}

type Read = Result<(), Fault>;

impl Reader {
    pub(super) fn new(text: &str, replaces: bool) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
            line: 1,
            out: String::with_capacity(text.len() + 32),
            complete: 0,
            replaces,
            hold: None,
            waiting: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        self.line += u32::from(c == '\n');
        Some(c)
    }

    pub(super) fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.take();
        }
    }

    /// Reads everything; what dash finds wrong, if anything.
    pub(super) fn script(&mut self) -> Option<Fault> {
        self.whole().err()
    }

    fn whole(&mut self) -> Read {
        loop {
            self.list(false)?;
            match self.token()? {
                Token::End => return Ok(()),
                Token::Newline => self.complete = self.out.len(),
                token => return Err(self.unexpected(&token, None)),
            }
        }
    }

    pub(super) fn unexpected(&self, token: &Token, expecting: Option<&str>) -> Fault {
        let expecting = expecting.map(|what| format!(" (expecting {what})")).unwrap_or_default();
        Fault { line: self.line, text: format!("{} unexpected{expecting}", token.name(true)) }
    }

    fn newlines(&mut self) -> Read {
        while matches!(self.next_is()?, Token::Newline) {
            self.token()?;
        }
        Ok(())
    }

    /// Commands up to a token that ends a list. Inside a construct newlines are like semicolons.
    pub(super) fn list(&mut self, inside: bool) -> Read {
        loop {
            if inside {
                self.newlines()?;
            }
            let token = self.next_is()?;
            let ends = match token {
                Token::End => true,
                Token::Newline => !inside,
                Token::Close | Token::EndCase => inside,
                token => {
                    inside
                        && matches!(
                            token.keyword(),
                            Some("do" | "done" | "elif" | "else" | "esac" | "fi" | "then" | "}")
                        )
                }
            };
            if ends {
                return Ok(());
            }
            self.and_or()?;
            match self.next_is()? {
                Token::Semi | Token::Background => {
                    self.token()?;
                }
                Token::Newline if inside => {}
                Token::End | Token::Newline => return Ok(()),
                _ if inside => return Ok(()),
                _ => {
                    let token = self.token()?;
                    return Err(self.unexpected(&token, None));
                }
            }
        }
    }

    fn and_or(&mut self) -> Read {
        loop {
            self.pipeline()?;
            if !matches!(self.next_is()?, Token::And | Token::Or) {
                return Ok(());
            }
            self.token()?;
            self.newlines()?;
        }
    }

    fn pipeline(&mut self) -> Read {
        if self.next_is()?.keyword() == Some("!") {
            self.token()?;
        }
        loop {
            self.command()?;
            if !matches!(self.next_is()?, Token::Pipe) {
                return Ok(());
            }
            self.token()?;
            self.newlines()?;
        }
    }

    /// The keyword that has to follow.
    fn expect(&mut self, word: &str) -> Read {
        self.newlines()?;
        let token = self.token()?;
        if token.keyword() == Some(word) {
            Ok(())
        } else {
            Err(self.unexpected(&token, Some(&format!("\"{word}\""))))
        }
    }

    fn command(&mut self) -> Read {
        self.deeper()?;
        let keyword = self.next_is()?.keyword().map(str::to_owned);
        match keyword.as_deref() {
            Some("if") => {
                self.token()?;
                self.list(true)?;
                self.expect("then")?;
                self.list(true)?;
                loop {
                    match self.next_is()?.keyword() {
                        Some("elif") => {
                            self.token()?;
                            self.list(true)?;
                            self.expect("then")?;
                            self.list(true)?;
                        }
                        Some("else") => {
                            self.token()?;
                            self.list(true)?;
                            break;
                        }
                        _ => break,
                    }
                }
                self.expect("fi")?;
            }
            Some("while" | "until") => {
                self.token()?;
                self.list(true)?;
                self.expect("do")?;
                self.list(true)?;
                self.expect("done")?;
            }
            Some("for") => self.for_loop()?,
            Some("case") => self.case()?,
            Some("{") => {
                self.token()?;
                self.list(true)?;
                self.expect("}")?;
            }
            Some(_) => {
                let token = self.token()?;
                return Err(self.unexpected(&token, None));
            }
            None => match self.next_is()? {
                Token::Open => {
                    self.token()?;
                    // `((` would be arithmetic.
                    if self.peek() == Some('(') && self.hold.is_none() {
                        self.out.push(' ');
                    }
                    self.list(true)?;
                    let token = self.token()?;
                    if !matches!(token, Token::Close) {
                        return Err(self.unexpected(&token, Some("\")\"")));
                    }
                }
                Token::Word(_) | Token::Redirect(..) => {
                    self.depth -= 1;
                    return self.simple();
                }
                _ => {
                    let token = self.token()?;
                    return Err(self.unexpected(&token, None));
                }
            },
        }
        self.depth -= 1;
        while matches!(self.next_is()?, Token::Redirect(..)) {
            self.redirect()?;
        }
        Ok(())
    }

    fn for_loop(&mut self) -> Read {
        self.token()?;
        let named = self.token()?;
        let name = if let Token::Word(word) = &named { word.plain.clone() } else { None };
        if !name.is_some_and(|name| names::is_name(&name)) {
            return Err(Fault { line: self.line, text: "Bad for loop variable".to_owned() });
        }
        self.newlines()?;
        if self.next_is()?.keyword() == Some("in") {
            self.token()?;
            while matches!(self.next_is()?, Token::Word(_)) {
                self.token()?;
            }
            let token = self.token()?;
            if !matches!(token, Token::Newline | Token::Semi) {
                return Err(self.unexpected(&token, None));
            }
        } else if matches!(self.next_is()?, Token::Semi) {
            self.token()?;
        }
        self.expect("do")?;
        self.list(true)?;
        self.expect("done")
    }

    fn case(&mut self) -> Read {
        self.token()?;
        let word = self.token()?;
        if !matches!(word, Token::Word(_)) {
            return Err(self.unexpected(&word, Some("word")));
        }
        self.expect("in")?;
        loop {
            self.newlines()?;
            if self.next_is()?.keyword() == Some("esac") {
                self.token()?;
                return Ok(());
            }
            if matches!(self.next_is()?, Token::Open) {
                self.token()?;
            }
            loop {
                let word = self.token()?;
                if !matches!(word, Token::Word(_)) {
                    return Err(self.unexpected(&word, None));
                }
                if !matches!(self.next_is()?, Token::Pipe) {
                    break;
                }
                self.token()?;
            }
            let token = self.token()?;
            if !matches!(token, Token::Close) {
                return Err(self.unexpected(&token, Some("\")\"")));
            }
            self.list(true)?;
            self.newlines()?;
            let token = self.token()?;
            match &token {
                Token::EndCase => {}
                token if token.keyword() == Some("esac") => return Ok(()),
                token => return Err(self.unexpected(token, Some("\";;\""))),
            }
        }
    }

    /// A redirection with what it leads to.
    fn redirect(&mut self) -> Read {
        let Token::Redirect(sign, here) = self.token()? else { return Ok(()) };
        // What is next to a sign shall not become part of it.
        let target = self.token()?;
        let Token::Word(word) = &target else { return Err(self.unexpected(&target, None)) };
        if let Some(tabs) = here {
            let end = word.out.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
            self.waiting.push((end, tabs));
        }
        let numbered =
            |text: &str| text == "-" || text.chars().all(|c| c.is_ascii_digit()) && text.len() == 1;
        if sign.ends_with('&') && word.plain.as_deref().is_some_and(|text| !numbered(text)) {
            return Err(Fault { line: self.line, text: "Bad fd number".to_owned() });
        }
        Ok(())
    }

    fn simple(&mut self) -> Read {
        let (mut count, mut others) = (0_u32, false);
        loop {
            match self.next_is()? {
                Token::Redirect(..) => {
                    others = true;
                    self.redirect()?;
                }
                Token::Word(word) if count == 0 && word.assigns => {
                    others = true;
                    self.token()?;
                }
                Token::Word(_) => {
                    self.argument(count == 0)?;
                    count += 1;
                }
                Token::Open if count == 1 && !others => return self.function(),
                _ => return Ok(()),
            }
        }
    }

    /// A word of a simple command; the first names a program.
    fn argument(&mut self, first: bool) -> Read {
        let (blanks, token) = self.read()?;
        self.out.push_str(&blanks);
        let Token::Word(word) = token else { return Ok(()) };
        let line = self.line;
        // A function may have any name.
        match word.plain.as_deref().filter(|_| first && self.peek() != Some('(')) {
            Some(name) if names::is_construct(name) || names::is_foreign(name) => {
                self.out.push_str(&format!("\u{2}none {line} '{name}'"));
            }
            Some("echo") if self.replaces => self.out.push_str("\u{2}echo"),
            Some(name @ ("test" | "[")) if self.replaces => {
                self.out.push_str(&format!("\u{2}{name} {line}"));
            }
            _ => self.out.push_str(&word.out),
        }
        Ok(())
    }

    fn function(&mut self) -> Read {
        self.token()?;
        let token = self.token()?;
        if !matches!(token, Token::Close) {
            return Err(self.unexpected(&token, Some("\")\"")));
        }
        self.newlines()?;
        self.command()
    }
}
