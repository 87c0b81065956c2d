//! The machine behind `dc`: a stack, registers, and macros in frames of their own.

mod frame;
mod registers;

use std::collections::{BTreeMap, HashMap};

use super::{
    number::{Fault, MOST_SCALE, Number},
    output::Output,
};
use frame::Frame;

/// Steps before it is given up.
const MOST_STEPS: usize = 200_000;
/// Macros in macros, and values on the stack.
const MOST_FRAMES: usize = 2048;

#[derive(Clone)]
enum Value {
    Number(Number),
    Text(Vec<u8>),
}

/// A calculator and its stack.
pub(super) struct Machine {
    stack: Vec<Value>,
    registers: HashMap<u8, Vec<Value>>,
    arrays: HashMap<u8, BTreeMap<i64, Value>>,
    scale: usize,
    ibase: u32,
    obase: u32,
    steps: usize,
    ended: bool,
    pub(super) output: Output,
    /// What `?` reads.
    pub(super) input: Vec<u8>,
}

impl Machine {
    pub(super) fn new(input: &[u8]) -> Self {
        Self {
            stack: Vec::new(),
            registers: HashMap::new(),
            arrays: HashMap::new(),
            scale: 0,
            ibase: 10,
            obase: 10,
            steps: 0,
            ended: false,
            output: Output::default(),
            input: input.to_vec(),
        }
    }

    pub(super) fn run(&mut self, text: &[u8]) {
        let mut frames = vec![Frame { text: text.to_vec(), at: 0 }];
        while let Some(frame) = frames.last_mut() {
            if self.ended
                || self.output.is_full()
                || self.steps > MOST_STEPS
                || self.stack.len() > MOST_FRAMES
            {
                return;
            }
            self.steps += 1;
            let Some(sign) = frame.next() else {
                frames.pop();
                continue;
            };
            match self.step(sign, frame) {
                Ok(None) => {}
                Ok(Some(Jump::Run(text))) => {
                    // A macro at the very end of another takes its place: so loops are written.
                    if frame.at >= frame.text.len() && frames.len() > 1 {
                        frames.pop();
                    }
                    if frames.len() >= MOST_FRAMES {
                        return;
                    }
                    frames.push(Frame { text, at: 0 });
                }
                Ok(Some(Jump::Leave(levels))) => {
                    if levels >= frames.len() {
                        self.ended = true;
                    }
                    frames.truncate(frames.len().saturating_sub(levels));
                }
                Err(what) => self.output.complain(&format!("dc: {what}")),
            }
        }
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(|| "stack empty".to_owned())
    }

    fn number(&mut self) -> Result<Number, String> {
        match self.pop()? {
            Value::Number(number) => Ok(number),
            text @ Value::Text(_) => {
                self.stack.push(text);
                Err("non-numeric value".to_owned())
            }
        }
    }

    /// The two uppermost numbers, the upper one last; both stay where they are if something is wrong.
    fn pair(&mut self) -> Result<(Number, Number), String> {
        match self.stack.as_slice() {
            [.., Value::Number(left), Value::Number(right)] => {
                let pair = (left.clone(), right.clone());
                self.stack.truncate(self.stack.len() - 2);
                Ok(pair)
            }
            [.., _, _] => Err("non-numeric value".to_owned()),
            _ => Err("stack empty".to_owned()),
        }
    }

    fn push(&mut self, number: Number) {
        self.stack.push(Value::Number(number));
    }

    fn show(&mut self, value: &Value) {
        match value {
            Value::Number(number) => {
                let text = number.in_base(self.obase);
                self.output.number(&text);
            }
            Value::Text(text) => self.output.text(text),
        }
    }

    fn step(&mut self, sign: u8, frame: &mut Frame) -> Result<Option<Jump>, String> {
        let said = |fault: Fault| match fault {
            Fault::ByZero => "divide by zero".to_owned(),
            Fault::NegativeRoot => "square root of negative number".to_owned(),
            Fault::TooLong => "out of memory".to_owned(),
        };
        match sign {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'#' => while frame.next().is_some_and(|sign| sign != b'\n') {},
            b'0'..=b'9' | b'A'..=b'F' | b'.' | b'_' => {
                let number = frame.number(sign, self.ibase);
                self.push(number);
            }
            b'[' => self.stack.push(Value::Text(frame.text_in_brackets())),
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'~' => {
                let (left, right) = self.pair()?;
                let result = match sign {
                    b'+' => Ok(left.plus(&right)),
                    b'-' => Ok(left.minus(&right)),
                    b'*' => left.times(&right, self.scale),
                    b'/' => left.divided(&right, self.scale),
                    b'^' => left.power(right.whole().unwrap_or(i64::MAX), self.scale),
                    b'~' => {
                        let quotient = left.divided(&right, self.scale).map_err(said)?;
                        self.push(quotient);
                        left.remainder(&right, self.scale)
                    }
                    _ => left.remainder(&right, self.scale),
                };
                match result {
                    Ok(result) => self.push(result),
                    Err(fault) => {
                        self.push(left);
                        self.push(right);
                        return Err(said(fault));
                    }
                }
            }
            b'|' => {
                let modulus = self.number()?;
                let (base, exponent) = self.pair()?;
                let (Some(modulus), Some(base), Some(exponent)) =
                    (modulus.whole(), base.whole(), exponent.whole())
                else {
                    return Err("out of memory".to_owned());
                };
                if modulus == 0 {
                    return Err("divide by zero".to_owned());
                }
                let modulus = i128::from(modulus);
                let (mut result, mut square, mut left) =
                    (1_i128, i128::from(base) % modulus, exponent.max(0));
                while left > 0 {
                    if left & 1 == 1 {
                        result = result * square % modulus;
                    }
                    square = square * square % modulus;
                    left >>= 1;
                }
                self.push(Number::from(i64::try_from(result % modulus).unwrap_or_default()));
            }
            b'v' => {
                let number = self.number()?;
                let root = number.root(self.scale).map_err(said)?;
                self.push(root);
            }
            b'p' => {
                let top = self.stack.last().cloned().ok_or("stack empty")?;
                self.show(&top);
                self.output.end();
            }
            b'n' => {
                let top = self.pop()?;
                self.show(&top);
            }
            b'P' => match self.pop()? {
                Value::Text(text) => self.output.text(&text),
                Value::Number(number) => {
                    let mut left = number.whole().unwrap_or_default().unsigned_abs();
                    let mut bytes = Vec::new();
                    while left > 0 {
                        bytes.push((left & 0xff) as u8);
                        left >>= 8;
                    }
                    bytes.reverse();
                    self.output.text(&bytes);
                }
            },
            b'f' => {
                for value in self.stack.clone().iter().rev() {
                    self.show(value);
                    self.output.end();
                }
            }
            b'c' => self.stack.clear(),
            b'd' => {
                let top = self.stack.last().cloned().ok_or("stack empty")?;
                self.stack.push(top);
            }
            b'r' => {
                let (first, second) = (self.pop()?, self.pop());
                self.stack.push(first);
                let at = self.stack.len() - 1;
                self.stack.insert(at + 1, second?);
            }
            b'R' => {
                let count = self.number()?.whole().unwrap_or_default();
                let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX).min(self.stack.len());
                let from = self.stack.len() - size;
                if let Some(part) = self.stack.get_mut(from..).filter(|part| part.len() > 1) {
                    if count > 0 { part.rotate_left(1) } else { part.rotate_right(1) }
                }
            }
            b's' | b'S' | b'l' | b'L' | b':' | b';' => self.register(sign, frame)?,
            b'i' => self.ibase = self.base(36)?,
            b'o' => self.obase = self.base(1_000_000)?,
            b'k' => {
                let scale = self.number()?.whole().filter(|scale| *scale >= 0);
                let scale = scale.ok_or("scale must be a nonnegative integer")?;
                self.scale = usize::try_from(scale).unwrap_or(MOST_SCALE).min(MOST_SCALE);
            }
            b'I' => self.push(Number::from(self.ibase.into())),
            b'O' => self.push(Number::from(self.obase.into())),
            b'K' => self.push(Number::from(self.scale as i64)),
            b'z' => self.push(Number::from(self.stack.len() as i64)),
            b'Z' => {
                let length = match self.pop()? {
                    Value::Number(number) if number.is_zero() => 1,
                    Value::Number(number) => number.in_base(10).bytes().filter(u8::is_ascii_digit).count(),
                    Value::Text(text) => text.len(),
                };
                self.push(Number::from(length as i64));
            }
            b'X' => {
                let scale = match self.pop()? {
                    Value::Number(number) => number.scale(),
                    Value::Text(_) => 0,
                };
                self.push(Number::from(scale as i64));
            }
            b'a' => {
                let text = match self.pop()? {
                    Value::Number(number) => vec![(number.whole().unwrap_or_default() & 0xff) as u8],
                    Value::Text(text) => text.into_iter().take(1).collect(),
                };
                self.stack.push(Value::Text(text));
            }
            b'x' => match self.pop()? {
                Value::Text(text) => return Ok(Some(Jump::Run(text))),
                number => self.stack.push(number),
            },
            b'?' => {
                let end = memchr::memchr(b'\n', &self.input).map_or(self.input.len(), |at| at + 1);
                return Ok(Some(Jump::Run(self.input.drain(..end).collect())));
            }
            b'q' => return Ok(Some(Jump::Leave(2))),
            b'Q' => {
                let levels = self.number()?.whole().filter(|levels| *levels > 0);
                let levels = levels.ok_or("Q command requires a number >= 1")?;
                return Ok(Some(Jump::Leave(usize::try_from(levels).unwrap_or(usize::MAX))));
            }
            b'<' | b'>' | b'=' | b'!' => return self.compare(sign, frame),
            other if other.is_ascii_graphic() => {
                return Err(format!("'{}' (0{other:o}) unimplemented", char::from(other)));
            }
            other => return Err(format!("'\\{other:03o}' (0{other:o}) unimplemented")),
        }
        Ok(None)
    }

    fn base(&mut self, most: u32) -> Result<u32, String> {
        let base = self.number()?.whole().filter(|base| *base >= 2).and_then(|base| u32::try_from(base).ok());
        match base.filter(|base| *base <= most) {
            Some(base) => Ok(base),
            None if most == 36 => Err("input base must be a number between 2 and 16 (inclusive)".to_owned()),
            None => Err("output base must be a number greater than 1".to_owned()),
        }
    }
}

/// Where a step leads.
enum Jump {
    Run(Vec<u8>),
    Leave(usize),
}

#[cfg(test)]
mod tests {
    use super::Machine;

    fn said(text: &str) -> String {
        let mut machine = Machine::new(b"");
        machine.run(text.as_bytes());
        String::from_utf8([machine.output.out, machine.output.err].concat()).unwrap()
    }

    #[test]
    fn programs_run() {
        assert_eq!(said("10 20+p"), "30\n");
        assert_eq!(said("8 8 * 2 2 + / p"), "16\n");
        assert_eq!(said("[40 2 +] x f"), "42\n");
        assert_eq!(said("[q\\] p 92 a p"), "q\\\n\\\n");
        assert_eq!(said("[la1+dsap10>b]sb0salbx"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
        assert_eq!(said("2k10 3/p c p"), "3.33\ndc: stack empty\n");
        assert_eq!(said("1 0/f"), "0\n1\ndc: divide by zero\n");
        assert_eq!(said("1 2 r f 16o 255p"), "1\n2\nFF\n");
        assert_eq!(said("7 3~f 3 200 13|p"), "1\n2\n9\n");
        assert_eq!(said("1 2 3 z p Z p"), "3\n1\n");
    }

    #[test]
    fn endless_programs_end() {
        assert_eq!(said("[lax]salax"), "");
        assert_eq!(said("[lax 1]salax"), "");
        assert_eq!(said("[1lax]salax"), "");
    }
}
