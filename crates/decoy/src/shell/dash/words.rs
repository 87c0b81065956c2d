//! Words of dash: quotes, expansions and substitutions, as bash has to read them.

use super::{DEEPEST, Fault, grammar::Reader, names, tokens::Token};

/// A word that was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    /// As bash has to read it.
    pub(super) out: String,
    /// Its text when nothing in it is quoted or expanded.
    pub(super) plain: Option<String>,
    /// It has the form of an assignment.
    pub(super) assigns: bool,
}

impl Reader {
    /// Reads a word that begins here.
    pub(super) fn word(&mut self) -> Result<Word, Fault> {
        let (mut out, mut plain) = (String::new(), Some(String::new()));
        let mut assigns = false;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\\' if self.peek_at(1) == Some('\n') => {
                    out.push_str("\\\n");
                    self.skip(2);
                    continue;
                }
                '\\' => {
                    plain = None;
                    out.push('\\');
                    self.skip(1);
                    out.extend(self.take());
                }
                '\'' => {
                    plain = None;
                    self.single_quoted(&mut out)?;
                }
                '"' => {
                    plain = None;
                    self.double_quoted(&mut out)?;
                }
                '$' => {
                    // An assignment's value may be expanded, its name may not.
                    plain = None;
                    self.dollar(&mut out, false)?;
                }
                '`' => {
                    plain = None;
                    self.backquoted(&mut out, false)?;
                }
                '{' => {
                    self.skip(1);
                    // dash expands no braces; `{` alone is a word of the grammar.
                    let alone = out.is_empty() && matches!(self.peek(), None | Some(' ' | '\t' | '\n' | ';'));
                    let brace = !alone && self.peek() != Some('}');
                    out.push_str(if brace { "\\{" } else { "{" });
                    if let Some(plain) = &mut plain {
                        plain.push('{');
                    }
                }
                '+' if self.peek_at(1) == Some('=')
                    && plain.as_deref().is_some_and(names::is_name)
                    && !assigns =>
                {
                    self.skip(1);
                    out.push_str("'+'");
                    plain = None;
                }
                '=' if !assigns && plain.as_deref().is_some_and(names::is_name) => {
                    self.skip(1);
                    let name = names::variable(plain.as_deref().unwrap_or_default());
                    out = format!("{name}=");
                    assigns = true;
                    if let Some(plain) = &mut plain {
                        plain.push('=');
                    }
                }
                c => {
                    self.skip(1);
                    out.push(c);
                    if let Some(plain) = &mut plain {
                        plain.push(c);
                    }
                }
            }
        }
        Ok(Word { out, plain, assigns })
    }

    fn single_quoted(&mut self, out: &mut String) -> Result<(), Fault> {
        let start = self.line;
        out.extend(self.take());
        while let Some(c) = self.take() {
            out.push(c);
            if c == '\'' {
                return Ok(());
            }
        }
        Err(Fault { line: start, text: "Unterminated quoted string".to_owned() })
    }

    fn double_quoted(&mut self, out: &mut String) -> Result<(), Fault> {
        let start = self.line;
        out.extend(self.take());
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    out.extend(self.take());
                    return Ok(());
                }
                '\\' => {
                    out.extend(self.take());
                    out.extend(self.take());
                }
                '$' => self.dollar(out, true)?,
                '`' => self.backquoted(out, true)?,
                _ => out.extend(self.take()),
            }
        }
        Err(Fault { line: start, text: "Unterminated quoted string".to_owned() })
    }

    /// What follows a dollar sign.
    fn dollar(&mut self, out: &mut String, quoted: bool) -> Result<(), Fault> {
        self.skip(1);
        match self.peek() {
            Some('(') if self.peek_at(1) == Some('(') => self.arithmetic(out),
            Some('(') => {
                self.skip(1);
                out.push_str("$(");
                // `$((` with a blank is a subshell in both.
                self.inner(out)
            }
            Some('{') => self.parameter(out, quoted),
            // Neither `$'` nor `$"` means anything.
            Some('\'' | '"') if !quoted => {
                out.push_str("\\$");
                Ok(())
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.name();
                out.push('$');
                out.push_str(&names::variable(&name));
                Ok(())
            }
            _ => {
                out.push('$');
                Ok(())
            }
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
            self.skip(1);
        }
        name
    }

    /// A substitution's commands up to its closing parenthesis, with that.
    fn inner(&mut self, out: &mut String) -> Result<(), Fault> {
        self.deeper()?;
        let before = std::mem::take(&mut self.out);
        let hold = self.hold.take();
        let result = self.list(true).and_then(|()| match self.token()? {
            Token::Close => Ok(()),
            token => Err(self.unexpected(&token, Some("\")\""))),
        });
        self.hold = hold;
        let inner = std::mem::replace(&mut self.out, before);
        self.depth -= 1;
        result?;
        out.push_str(&inner);
        Ok(())
    }

    fn arithmetic(&mut self, out: &mut String) -> Result<(), Fault> {
        let (start, mut depth, mut text) = (self.line, 0_u32, String::new());
        self.skip(2);
        loop {
            match self.peek() {
                None => return Err(Fault { line: start, text: "Missing '))'".to_owned() }),
                Some(')') if depth == 0 => {
                    self.skip(1);
                    if self.peek() == Some(')') {
                        self.skip(1);
                        out.push_str(&format!("$(({text}))"));
                        return Ok(());
                    }
                    return Err(Fault { line: start, text: "Missing '))'".to_owned() });
                }
                Some(c @ ('(' | ')')) => {
                    depth = if c == '(' { depth + 1 } else { depth - 1 };
                    text.push(c);
                    self.skip(1);
                }
                Some('$') => self.dollar(&mut text, true)?,
                Some('`') => self.backquoted(&mut text, true)?,
                Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                    let name = self.name();
                    text.push_str(&names::variable(&name));
                }
                // A number's letters are no name.
                Some(c) if c.is_ascii_digit() => text.push_str(&self.name()),
                Some(c) => {
                    text.push(c);
                    self.skip(1);
                }
            }
        }
    }

    /// `${...}`: what dash does not know fails when it is expanded.
    fn parameter(&mut self, out: &mut String, quoted: bool) -> Result<(), Fault> {
        self.deeper()?;
        let start = self.line;
        self.skip(1);
        let length = self.peek() == Some('#')
            && !matches!(self.peek_at(1), Some('}' | '#' | '%' | ':' | '-' | '+' | '=' | '?'));
        if length {
            self.skip(1);
        }
        let name = match self.peek() {
            Some(c) if c.is_ascii_alphabetic() || c == '_' => names::variable(&self.name()),
            Some(c) if c.is_ascii_digit() => self.name(),
            Some(c @ ('@' | '*' | '#' | '?' | '$' | '!' | '-')) => {
                self.skip(1);
                c.to_string()
            }
            _ => String::new(),
        };
        let mut good = !name.is_empty();
        let mut text = String::new();
        match (self.peek(), self.peek_at(1)) {
            (Some('}'), _) => {}
            (Some(':'), Some(c @ ('-' | '=' | '?' | '+'))) => {
                text.push(':');
                text.push(c);
                self.skip(2);
            }
            (Some(c @ ('-' | '=' | '?' | '+')), _) => {
                text.push(c);
                self.skip(1);
            }
            (Some(c @ ('%' | '#')), next) => {
                text.push(c);
                self.skip(1);
                if next == Some(c) {
                    text.push(c);
                    self.skip(1);
                }
            }
            _ => good = false,
        }
        good &= !length || text.is_empty();
        loop {
            match self.peek() {
                None => return Err(Fault { line: start, text: "Missing '}'".to_owned() }),
                Some('}') => {
                    self.skip(1);
                    break;
                }
                Some('\\') => {
                    text.extend(self.take());
                    text.extend(self.take());
                }
                Some('\'') if !quoted => self.single_quoted(&mut text)?,
                Some('"') => self.double_quoted(&mut text)?,
                Some('$') => self.dollar(&mut text, quoted)?,
                Some('`') => self.backquoted(&mut text, quoted)?,
                Some(_) => text.extend(self.take()),
            }
        }
        self.depth -= 1;
        if good {
            out.push_str(&format!("${{{}{name}{text}}}", if length { "#" } else { "" }));
        } else {
            out.push_str("${dash!}");
        }
        Ok(())
    }

    fn backquoted(&mut self, out: &mut String, quoted: bool) -> Result<(), Fault> {
        self.deeper()?;
        let start = self.line;
        self.skip(1);
        let mut text = String::new();
        loop {
            match self.take() {
                None => return Err(Fault { line: start, text: "EOF in backquote substitution".to_owned() }),
                Some('`') => break,
                Some('\\') => match self.take() {
                    Some(c @ ('`' | '\\' | '$')) => text.push(c),
                    Some('"') if quoted => text.push('"'),
                    Some(c) => text.extend(['\\', c]),
                    None => text.push('\\'),
                },
                Some(c) => text.push(c),
            }
        }
        let mut inner = Reader::new(&text, self.replaces);
        inner.depth = self.depth;
        inner.line = start;
        let fault = inner.script();
        self.depth -= 1;
        match fault {
            Some(fault) => Err(fault),
            None => {
                out.push_str(&format!("$({})", inner.out));
                Ok(())
            }
        }
    }

    pub(super) fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault { line: self.line, text: "Maximum nesting exceeded".to_owned() });
        }
        Ok(())
    }
}
