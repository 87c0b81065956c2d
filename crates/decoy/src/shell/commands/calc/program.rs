//! Reads a `bc` program: statements and expressions from words, as the grammar of GNU bc has them.

mod expressions;

use super::{
    syntax::{Expr, Function, Item, Statement},
    words::Word,
};

/// How deep brackets and statements may stand in each other.
const MOST_DEPTH: usize = 100;

const LIMITS: &str = "BC_BASE_MAX     = 2147483647\nBC_DIM_MAX      = 16777215\nBC_SCALE_MAX    = 2147483647\nBC_STRING_MAX   = 2147483647\nMAX Exponent    = 2147483647\nNumber of vars  = 32767\n";

/// Reads a program word by word.
pub(super) struct Parser {
    words: Vec<(Word, usize)>,
    at: usize,
    depth: usize,
    /// The last misfit was the end of everything.
    at_end: bool,
}

/// The word that does not fit.
struct Misfit;
type Read<T> = Result<T, Misfit>;

impl Parser {
    pub(super) fn new(words: Vec<(Word, usize)>) -> Self {
        Self { words, at: 0, depth: 0, at_end: false }
    }

    /// Whether a text ends before what it begins is whole.
    pub(super) fn is_cut(text: &str) -> bool {
        let mut parser = Self::new(super::words::of(text));
        while let Some(item) = parser.item() {
            if matches!(item, Item::Bad(..)) && *parser.word() == Word::End && parser.at_end {
                return true;
            }
        }
        false
    }

    fn word(&self) -> &Word {
        self.words.get(self.at).map_or(&Word::End, |(word, _)| word)
    }

    fn line(&self) -> usize {
        self.words.get(self.at).or(self.words.last()).map_or(1, |(_, line)| *line)
    }

    fn next(&mut self) -> Word {
        let word = self.word().clone();
        self.at += 1;
        word
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.word(), Word::Sign(known) if *known == sign);
        self.at += usize::from(found);
        found
    }

    fn takes_name(&mut self, name: &str) -> bool {
        let found = matches!(self.word(), Word::Name(known) if known == name);
        self.at += usize::from(found);
        found
    }

    fn needs(&mut self, sign: &str) -> Read<()> {
        if self.takes(sign) { Ok(()) } else { Err(Misfit) }
    }

    fn skip_lines(&mut self) {
        while *self.word() == Word::Line {
            self.at += 1;
        }
    }

    /// What stands next; `None` at the end.
    pub(super) fn item(&mut self) -> Option<Item> {
        self.skip_lines();
        if *self.word() == Word::End {
            return None;
        }
        self.depth = 0;
        let item = if self.takes_name("define") { self.function() } else { self.statements() };
        Some(item.unwrap_or_else(|Misfit| {
            // Who reads a line's end counts it before the complaint.
            let bad = self.word().clone();
            self.at_end = bad == Word::End;
            let line = self.line() + usize::from(bad == Word::Line);
            while !matches!(self.word(), Word::Line | Word::End) {
                self.at += 1;
            }
            Item::Bad(line, if let Word::Bad(sign) = bad { Some(sign) } else { None })
        }))
    }

    /// Statements up to the end of the line.
    fn statements(&mut self) -> Read<Item> {
        let mut statements = Vec::new();
        loop {
            while self.takes(";") {}
            if matches!(self.word(), Word::Line | Word::End) {
                return Ok(Item::Statements(statements));
            }
            statements.push(self.statement()?);
            if !matches!(self.word(), Word::Line | Word::End | Word::Sign(";")) {
                return Err(Misfit);
            }
        }
    }

    fn function(&mut self) -> Read<Item> {
        let is_void = matches!(self.word(), Word::Name(name) if name == "void")
            && matches!(self.words.get(self.at + 1), Some((Word::Name(_), _)));
        self.at += usize::from(is_void);
        let Word::Name(name) = self.next() else { return Err(Misfit) };
        self.needs("(")?;
        let parameters = if self.takes(")") { Vec::new() } else { self.names(")")? };
        self.skip_lines();
        self.needs("{")?;
        self.skip_lines();
        let mut autos = Vec::new();
        if self.takes_name("auto") {
            autos = self.names("")?;
        }
        let body = self.block()?;
        Ok(Item::Function(name, Function { is_void, parameters, autos, body }))
    }

    /// Names with commas between, some with `[]`, up to a sign.
    fn names(&mut self, end: &str) -> Read<Vec<(String, bool)>> {
        let mut names = Vec::new();
        loop {
            // An array that is handed over by reference.
            let _ = self.takes("*") || self.takes("&");
            let Word::Name(name) = self.next() else { return Err(Misfit) };
            let is_array = self.takes("[");
            if is_array {
                self.needs("]")?;
            }
            names.push((name, is_array));
            if !self.takes(",") {
                if !end.is_empty() {
                    self.needs(end)?;
                }
                return Ok(names);
            }
        }
    }

    /// Statements up to `}`.
    fn block(&mut self) -> Read<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            while self.takes(";") || *self.word() == Word::Line {
                self.skip_lines();
            }
            if self.takes("}") {
                return Ok(statements);
            }
            statements.push(self.statement()?);
            if !matches!(self.word(), Word::Line | Word::Sign(";" | "}")) {
                return Err(Misfit);
            }
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(Misfit);
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn statement(&mut self) -> Read<Statement> {
        self.deeper(Self::one_statement)
    }

    fn one_statement(&mut self) -> Read<Statement> {
        let Word::Name(name) = self.word().clone() else {
            if self.takes("{") {
                return self.block().map(Statement::Block);
            }
            if let Word::Text(text) = self.word().clone() {
                self.at += 1;
                return Ok(Statement::Text(text));
            }
            return self.shown();
        };
        self.at += 1;
        match name.as_str() {
            "break" => Ok(Statement::Break),
            "continue" => Ok(Statement::Continue),
            "halt" => Ok(Statement::Halt),
            "quit" => Ok(Statement::Quit),
            "limits" => Ok(Statement::Said(LIMITS)),
            "warranty" => Ok(Statement::Said("")),
            "return" => {
                let ends = matches!(self.word(), Word::Line | Word::End | Word::Sign(";" | "}"));
                Ok(Statement::Return(if ends { None } else { Some(self.expression()?) }))
            }
            "print" => {
                let mut parts = Vec::new();
                loop {
                    parts.push(match self.word().clone() {
                        Word::Text(text) => {
                            self.at += 1;
                            Ok(text)
                        }
                        _ => Err(self.expression()?),
                    });
                    if !self.takes(",") {
                        return Ok(Statement::Print(parts));
                    }
                }
            }
            "if" => {
                self.needs("(")?;
                let condition = self.expression()?;
                self.needs(")")?;
                self.skip_lines();
                let then = self.statement()?;
                if !self.takes_name("else") {
                    return Ok(Statement::If(condition, Box::new(then), None));
                }
                self.skip_lines();
                let other = self.statement()?;
                Ok(Statement::If(condition, Box::new(then), Some(Box::new(other))))
            }
            "while" => {
                self.needs("(")?;
                let condition = Some(self.expression()?);
                self.needs(")")?;
                self.skip_lines();
                let body = Box::new(self.statement()?);
                Ok(Statement::Loop { first: None, condition, update: None, body })
            }
            "for" => {
                self.needs("(")?;
                let first = self.optional(";")?;
                let condition = self.optional(";")?;
                let update = self.optional(")")?;
                self.skip_lines();
                let body = Box::new(self.statement()?);
                Ok(Statement::Loop { first, condition, update, body })
            }
            _ => {
                self.at -= 1;
                self.shown()
            }
        }
    }

    fn optional(&mut self, end: &str) -> Read<Option<Expr>> {
        if self.takes(end) {
            return Ok(None);
        }
        let expression = self.expression()?;
        self.needs(end)?;
        Ok(Some(expression))
    }

    fn shown(&mut self) -> Read<Statement> {
        let expression = self.expression()?;
        Ok(if matches!(expression, Expr::Assign(..)) {
            Statement::Quiet(expression)
        } else {
            Statement::Show(expression)
        })
    }
}

fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "auto"
            | "break"
            | "continue"
            | "define"
            | "else"
            | "for"
            | "halt"
            | "if"
            | "limits"
            | "print"
            | "quit"
            | "return"
            | "warranty"
            | "while"
    )
}
