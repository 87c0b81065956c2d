//! Just enough of the shell's grammar to know which commands a line would run. What it does not know, it refuses.

/// One simple command as it is written, quotes taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simple {
    /// Words without assignments in front and without redirections.
    pub words: Vec<Word>,
    /// `NAME=value` in front of it.
    pub assignments: Vec<String>,
    /// Files that are opened for writing.
    pub written: Vec<Word>,
    /// Something is piped in or read from a file.
    pub fed: bool,
}

/// One word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Its text; substitutions stay as written.
    pub text: String,
    /// It has a `$`, a backquote or a pattern outside of quotes that forbid it.
    pub expands: bool,
}

const KEYWORDS: &[&str] = &["if", "then", "else", "elif", "fi", "do", "done", "{", "}", "!", "time"];

/// The simple commands of a line, those in substitutions too; `Err` names what is refused.
pub fn commands(line: &str) -> Result<Vec<Simple>, &'static str> {
    let mut reader = Reader { chars: line.chars().collect(), at: 0, found: Vec::new() };
    reader.list(None)?;
    Ok(reader.found)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    found: Vec<Simple>,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn takes(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(wanted);
        self.at += usize::from(is);
        is
    }

    /// Commands up to `end` (a closing parenthesis) or the end of the text.
    fn list(&mut self, end: Option<char>) -> Result<(), &'static str> {
        let (mut current, mut piped) = (Simple::default(), false);
        loop {
            match self.peek() {
                None if end.is_none() => break,
                None => return Err("unfinished"),
                Some(')') if end == Some(')') => break,
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1
                    }
                }
                Some('(') if current == Simple::default() => {
                    self.at += 1;
                    if self.peek() == Some('(') {
                        return Err("arithmetic command");
                    }
                    self.list(Some(')'))?;
                    self.at += 1;
                    current.words.push(Word { text: "{".to_owned(), expands: false });
                }
                Some('(' | ')') => return Err("parenthesis"),
                Some(c @ (';' | '\n' | '&' | '|')) => {
                    self.at += 1;
                    if c == ';' && self.peek() == Some(';') {
                        return Err("case");
                    }
                    if c == '&' && self.peek() == Some('>') {
                        self.redirection(&mut current, '&')?;
                        continue;
                    }
                    let is_pipe = c == '|' && !self.takes('|');
                    if is_pipe || c == '&' {
                        self.takes('&');
                    }
                    self.finish(&mut current, piped)?;
                    piped = is_pipe;
                }
                Some('<' | '>') => self.redirection(&mut current, ' ')?,
                Some(c) if c.is_ascii_digit() && matches!(self.chars.get(self.at + 1), Some('<' | '>')) => {
                    self.at += 1;
                    self.redirection(&mut current, c)?;
                }
                Some(_) => {
                    let word = self.word()?;
                    current.words.push(word);
                }
            }
        }
        self.finish(&mut current, piped)
    }

    fn finish(&mut self, current: &mut Simple, piped: bool) -> Result<(), &'static str> {
        let mut simple = std::mem::take(current);
        simple.fed |= piped;
        while let Some(first) = simple.words.first() {
            match first.text.as_str() {
                "for" | "while" | "until" | "case" | "select" | "function" | "coproc" => return Err("loop"),
                word if !first.expands && KEYWORDS.contains(&word) => drop(simple.words.remove(0)),
                word if is_assignment(word) => {
                    simple.assignments.push(word.to_owned());
                    simple.words.remove(0);
                }
                _ => break,
            }
        }
        if simple != Simple::default() {
            self.found.push(simple);
        }
        Ok(())
    }

    fn redirection(&mut self, current: &mut Simple, _fd: char) -> Result<(), &'static str> {
        let Some(sign) = self.next() else { return Err("unfinished") };
        if sign == '<' {
            if matches!(self.peek(), Some('<' | '(')) {
                return Err("here document");
            }
            current.fed = true;
        }
        let writes = sign == '>' || self.peek() == Some('>');
        while matches!(self.peek(), Some('>' | '|')) {
            self.at += 1;
        }
        let duplicates = self.takes('&');
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
        let target = self.word()?;
        let is_number = target.text.chars().all(|c| c.is_ascii_digit() || c == '-');
        if writes && !(duplicates && is_number) {
            current.written.push(target);
        }
        Ok(())
    }

    fn word(&mut self) -> Result<Word, &'static str> {
        let mut word = Word::default();
        let begin = self.at;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' => {
                    self.at += 1;
                    loop {
                        match self.next().ok_or("unfinished")? {
                            '\'' => break,
                            c => word.text.push(c),
                        }
                    }
                }
                '"' => {
                    self.at += 1;
                    loop {
                        match self.next().ok_or("unfinished")? {
                            '"' => break,
                            '\\' => word.text.extend(self.next()),
                            '$' => self.dollar(&mut word)?,
                            '`' => self.backquote(&mut word)?,
                            c => word.text.push(c),
                        }
                    }
                }
                '\\' => {
                    self.at += 1;
                    word.text.extend(self.next());
                }
                '$' => {
                    self.at += 1;
                    self.dollar(&mut word)?;
                }
                '`' => {
                    self.at += 1;
                    self.backquote(&mut word)?;
                }
                c => {
                    word.expands |= matches!(c, '*' | '?' | '[' | '{');
                    self.at += 1;
                    word.text.push(c);
                }
            }
        }
        if self.at == begin { Err("an operator without a word") } else { Ok(word) }
    }

    /// After a `$`.
    fn dollar(&mut self, word: &mut Word) -> Result<(), &'static str> {
        word.expands = true;
        word.text.push('$');
        match self.peek() {
            Some('(') => {
                self.at += 1;
                if self.peek() == Some('(') {
                    return Err("arithmetic");
                }
                self.list(Some(')'))?;
                self.at += 1;
                Ok(())
            }
            Some('{') => {
                let end = self.chars.iter().skip(self.at).position(|c| *c == '}').ok_or("unfinished")?;
                let inner: String = self.chars.iter().skip(self.at).take(end + 1).collect();
                self.at += end + 1;
                word.text.push_str(&inner);
                if inner.contains(['`', '(', '"', '\'']) { Err("a nested expansion") } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    fn backquote(&mut self, word: &mut Word) -> Result<(), &'static str> {
        word.expands = true;
        let end = self.chars.iter().skip(self.at).position(|c| *c == '`').ok_or("unfinished")?;
        let inner: String = self.chars.iter().skip(self.at).take(end).collect();
        self.at += end + 1;
        self.found.extend(commands(&inner.replace("\\`", "`"))?);
        word.text.push('`');
        Ok(())
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        let found = commands(line).unwrap();
        found.iter().filter_map(|simple| simple.words.first()).map(|word| word.text.clone()).collect()
    }

    #[test]
    fn every_command_of_a_line_is_found() {
        assert_eq!(names("a; b && c | d & e"), ["a", "b", "c", "d", "e"]);
        assert_eq!(names("echo \"$(x; y `z`)\""), ["x", "z", "y", "echo"]);
        assert_eq!(names("if a; then b; fi"), ["a", "b"]);
        assert_eq!(names("(a || b) > /tmp/x"), ["a", "b"]);
        assert_eq!(names("A=1 b 'c d' 2>&1"), ["b"]);
    }

    #[test]
    fn what_may_not_end_is_refused() {
        for line in
            ["while :; do :; done", ":(){ :|:& };:", "cat <<E", "case x in", "((1))", "echo 'a", "x() { y; }"]
        {
            assert!(commands(line).is_err(), "{line}");
        }
    }

    #[test]
    fn written_files_are_named() {
        let found = commands("a > /dev/sda 2>>b &>c").unwrap();
        let written: Vec<&str> = found[0].written.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(written, ["/dev/sda", "b", "c"]);
    }
}
