//! Runs a `bc` program: variables, functions, and a bound on how long.

mod places;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use super::{
    number::{Fault, Number},
    output::Output,
    program::Parser,
    syntax::{Expr, Function, Item, Statement},
    words,
};

/// Steps of a program before it is given up.
const MOST_STEPS: usize = 200_000;
/// Elements of all arrays, and variables.
const MOST_VALUES: usize = 4096;

/// Why the work on a statement ends.
pub(super) enum Stop {
    Break,
    Continue,
    Return(Option<Number>),
    /// `halt` and `quit`.
    Halt,
    /// An error of the running line: what is said of it.
    Fault(String),
    /// Too long or too deep.
    Bound,
}

pub(super) type Ran<T> = Result<T, Stop>;

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::ByZero => Self::Fault("Divide by zero".to_owned()),
            Fault::NegativeRoot => Self::Fault("Square root of a negative number".to_owned()),
            Fault::TooLong => Self::Bound,
        }
    }
}

pub(super) type Array = BTreeMap<i64, Number>;

/// A calculator with what it remembers.
pub(super) struct Machine {
    pub(super) names: HashMap<String, Number>,
    pub(super) arrays: HashMap<String, Array>,
    pub(super) functions: HashMap<String, Function>,
    pub(super) scale: usize,
    ibase: u32,
    obase: u32,
    last: Number,
    pub(super) with_library: bool,
    steps: usize,
    /// Where GNU bc's own code for the line would be by now: its errors name the place.
    pub(super) address: usize,
    pub(super) calls: Vec<String>,
    pub(super) output: Output,
    /// It has ended.
    pub(super) halted: bool,
}

impl Machine {
    /// `with_library`: the functions of `bc -l` and its twenty digits.
    pub(super) fn new(with_library: bool) -> Self {
        Self {
            names: HashMap::new(),
            arrays: HashMap::new(),
            functions: HashMap::new(),
            scale: if with_library { 20 } else { 0 },
            ibase: 10,
            obase: 10,
            last: Number::default(),
            with_library,
            steps: 0,
            address: 0,
            calls: Vec::new(),
            output: Output::default(),
            halted: false,
        }
    }

    /// Runs a text; complaints name `file`.
    pub(super) fn run(&mut self, text: &str, file: &str) {
        let mut parser = Parser::new(words::of(text));
        while let Some(item) = parser.item() {
            match item {
                Item::Bad(line, Some(sign)) => {
                    self.output.complain(&format!("{file} {line}: illegal character: {sign}"));
                    self.output.complain(&format!("{file} {line}: syntax error"));
                }
                Item::Bad(line, None) => self.output.complain(&format!("{file} {line}: syntax error")),
                Item::Function(name, function) => {
                    if self.functions.len() < MOST_VALUES {
                        self.functions.insert(name, function);
                    }
                }
                Item::Statements(statements) => {
                    if statements.iter().any(quits) {
                        self.halted = true;
                        return;
                    }
                    self.line(&statements);
                }
            }
            if self.halted || self.output.is_full() {
                return;
            }
        }
    }

    fn line(&mut self, statements: &[Statement]) {
        self.address = 0;
        for statement in statements {
            self.calls.clear();
            match self.statement(statement) {
                Ok(()) | Err(Stop::Break | Stop::Continue | Stop::Return(_)) => {}
                Err(Stop::Halt | Stop::Bound) => {
                    self.halted = true;
                    return;
                }
                Err(Stop::Fault(what)) => {
                    let function = self.calls.last().map_or("(main)", String::as_str);
                    let said = format!("Runtime error (func={function}, adr={}): {what}", self.address);
                    self.output.complain(&said);
                    return;
                }
            }
        }
    }

    fn step(&mut self) -> Ran<()> {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.output.is_full() { Err(Stop::Bound) } else { Ok(()) }
    }

    pub(super) fn statement(&mut self, statement: &Statement) -> Ran<()> {
        self.step()?;
        match statement {
            Statement::Show(Expr::Call(name, arguments)) if self.is_void(name) => {
                self.call(name, arguments)?;
            }
            Statement::Show(expression) => {
                let value = self.value(expression)?;
                self.address += 1;
                let text = value.in_base(self.obase);
                self.output.number(&text);
                self.output.end();
                self.last = value;
            }
            Statement::Quiet(expression) => {
                self.value(expression)?;
                self.address += 1;
            }
            Statement::Text(text) => self.output.text(text.as_bytes()),
            Statement::Print(parts) => {
                for part in parts {
                    match part {
                        Ok(text) => self.output.text(&escaped(text)),
                        Err(expression) => {
                            let value = self.value(expression)?;
                            let text = value.in_base(self.obase);
                            self.output.number(&text);
                            self.last = value;
                        }
                    }
                }
            }
            Statement::If(condition, then, other) => {
                if !self.value(condition)?.is_zero() {
                    self.statement(then)?;
                } else if let Some(other) = other {
                    self.statement(other)?;
                }
            }
            Statement::Loop { first, condition, update, body } => {
                if let Some(first) = first {
                    self.value(first)?;
                }
                loop {
                    self.step()?;
                    if let Some(condition) = condition
                        && self.value(condition)?.is_zero()
                    {
                        break;
                    }
                    match self.statement(body) {
                        Ok(()) | Err(Stop::Continue) => {}
                        Err(Stop::Break) => break,
                        Err(stop) => return Err(stop),
                    }
                    if let Some(update) = update {
                        self.value(update)?;
                    }
                }
            }
            Statement::Break => return Err(Stop::Break),
            Statement::Continue => return Err(Stop::Continue),
            Statement::Return(value) => {
                let value = value.as_ref().map(|value| self.value(value)).transpose()?;
                return Err(Stop::Return(value));
            }
            Statement::Halt | Statement::Quit => return Err(Stop::Halt),
            Statement::Block(statements) => {
                for statement in statements {
                    self.statement(statement)?;
                }
            }
            Statement::Said(text) => self.output.text(text.as_bytes()),
        }
        Ok(())
    }

    fn is_void(&self, name: &str) -> bool {
        self.functions.get(name).is_some_and(|function| function.is_void)
    }

    pub(super) fn value(&mut self, expression: &Expr) -> Ran<Number> {
        self.step()?;
        self.address += match expression {
            Expr::Number(text) if matches!(text.as_str(), "0" | "1") => 1,
            Expr::Number(text) => text.len() + 2,
            Expr::Place(_) | Expr::Array(_) => 2,
            _ => 0,
        };
        match expression {
            Expr::Number(text) => Ok(Number::parse(text, self.ibase)),
            Expr::Place(place) => self.get(place),
            Expr::Array(_) => Ok(Number::default()),
            Expr::Negated(inside) => {
                let value = self.value(inside)?;
                self.address += 1;
                Ok(value.negated())
            }
            Expr::Not(inside) => Ok(Number::from(i64::from(self.value(inside)?.is_zero()))),
            Expr::Step(place, step, before) => {
                let old = self.get(place)?;
                let new = old.plus(&Number::from(*step));
                self.set(place, new.clone())?;
                Ok(if *before { new } else { old })
            }
            Expr::Assign(place, operator, value) => {
                let mut value = self.value(value)?;
                if let Some(operator) = operator {
                    let old = self.get(place)?;
                    value = self.reckon(operator, &old, &value)?;
                }
                self.address += 2;
                self.set(place, value.clone())?;
                Ok(value)
            }
            Expr::Binary("()", inside, _) => self.value(inside),
            Expr::Binary(sign @ ("&&" | "||"), left, right) => {
                // Both sides are looked at, as GNU bc does.
                let left = !self.value(left)?.is_zero();
                let right = !self.value(right)?.is_zero();
                Ok(Number::from(i64::from(if *sign == "&&" { left && right } else { left || right })))
            }
            Expr::Binary(sign, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.address += 1;
                self.reckon(sign, &left, &right)
            }
            Expr::Call(name, arguments) => Ok(self.call(name, arguments)?.unwrap_or_default()),
        }
    }

    fn reckon(&mut self, sign: &str, left: &Number, right: &Number) -> Ran<Number> {
        let truth = |holds: bool| Number::from(i64::from(holds));
        let order = left.compare(right);
        Ok(match sign {
            "+" => left.plus(right),
            "-" => left.minus(right),
            "*" => left.times(right, self.scale)?,
            "/" => left.divided(right, self.scale)?,
            "%" => left.remainder(right, self.scale)?,
            "^" => {
                if right.scale() > 0 {
                    let place = self.address;
                    self.output.complain(&format!(
                        "Runtime warning (func=(main), adr={place}): non-zero scale in exponent"
                    ));
                }
                let exponent =
                    right.whole().ok_or_else(|| Stop::Fault("exponent too large in raise".into()))?;
                left.power(exponent, self.scale)?
            }
            "==" => truth(order == Ordering::Equal),
            "!=" => truth(order != Ordering::Equal),
            "<" => truth(order == Ordering::Less),
            "<=" => truth(order != Ordering::Greater),
            ">" => truth(order == Ordering::Greater),
            _ => truth(order != Ordering::Less),
        })
    }
}

/// `quit` ends bc when it is read.
fn quits(statement: &Statement) -> bool {
    match statement {
        Statement::Quit => true,
        Statement::Block(inside) => inside.iter().any(quits),
        Statement::If(_, then, other) => quits(then) || other.as_ref().is_some_and(|other| quits(other)),
        Statement::Loop { body, .. } => quits(body),
        _ => false,
    }
}

/// The escapes that `print` knows.
fn escaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut signs) = (Vec::new(), text.bytes());
    while let Some(byte) = signs.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match signs.next() {
            Some(b'a') => bytes.push(7),
            Some(b'b') => bytes.push(8),
            Some(b'f') => bytes.push(12),
            Some(b'n') => bytes.push(b'\n'),
            Some(b'q') => bytes.push(b'"'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'\\') => bytes.push(b'\\'),
            _ => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::Machine;

    fn said(text: &str) -> String {
        let mut machine = Machine::new(text.contains("e("));
        machine.run(text, "(standard_in)");
        String::from_utf8([machine.output.out, machine.output.err].concat()).unwrap()
    }

    #[test]
    fn programs_run() {
        assert_eq!(said("scale=3; 10/3\n2^10"), "3.333\n1024\n");
        assert_eq!(
            said("define f(n) { if (n < 2) return 1; return n*f(n-1) }\nf(20)"),
            "2432902008176640000\n"
        );
        assert_eq!(said("a[1]=5;a[1]+=2;a[1]"), "7\n");
        assert_eq!(said("for(i=1;i<4;i++)i; 9"), "1\n2\n3\n9\n");
        assert_eq!(said("define void w() {print \"void\"}\nw()\n9"), "void9\n");
        assert_eq!(said("1/0\n5"), "5\nRuntime error (func=(main), adr=3): Divide by zero\n");
        assert_eq!(said("1 +\n5"), "5\n(standard_in) 2: syntax error\n");
        assert_eq!(said("obase=2; 10; ibase=2; 11"), "1010\n11\n");
        assert_eq!(said("e(1)"), "2.71828182845904523536\n");
        assert_eq!(said("-3^2; x=3; -x^2; 7%4; 3>2; !1"), "9\n9\n3\n1\n0\n");
    }

    #[test]
    fn endless_programs_end() {
        assert_eq!(said("while (1) x"), said("while (1) x"));
        assert_eq!(said("define f(x) { return f(x+1) }\nf(1)"), "");
        assert_eq!(said("9^9^9^9"), "");
        assert!(said(&"(".repeat(100_000)).contains("syntax error"));
        assert!(said(&"-".repeat(100_000)).contains("syntax error"));
        assert!(said(&"!".repeat(100_000)).contains("syntax error"));
    }
}
