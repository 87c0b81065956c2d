//! The registers and arrays of `dc`, and macros run when a comparison holds.

use super::super::number::Number;
use super::{Jump, MOST_FRAMES, Machine, Value, frame::Frame};

impl Machine {
    pub(super) fn register(&mut self, sign: u8, frame: &mut Frame) -> Result<(), String> {
        let name = frame.next().ok_or("unexpected end of file")?;
        let shown = || format!("0{name:o}");
        match sign {
            b's' => {
                let value = self.pop()?;
                let register = self.registers.entry(name).or_default();
                register.pop();
                register.push(value);
            }
            b'S' => {
                let value = self.pop()?;
                let register = self.registers.entry(name).or_default();
                if register.len() < MOST_FRAMES {
                    register.push(value);
                }
            }
            b'l' => {
                let value = self.registers.get(&name).and_then(|register| register.last()).cloned();
                self.stack.push(value.unwrap_or_else(|| Value::Number(Number::default())));
            }
            b'L' => {
                let value = self.registers.get_mut(&name).and_then(Vec::pop);
                self.stack.push(value.ok_or_else(|| {
                    format!("stack register '{}' ({}) is empty", char::from(name), shown())
                })?);
            }
            _ => {
                let index = self.number()?.whole().filter(|index| *index >= 0);
                let index = index.ok_or("array index must be a nonnegative integer")?;
                let array = self.arrays.entry(name).or_default();
                if sign == b';' {
                    let value = array.get(&index).cloned();
                    self.stack.push(value.unwrap_or_else(|| Value::Number(Number::default())));
                } else if array.len() < MOST_FRAMES {
                    let value = self.stack.pop().ok_or("stack empty")?;
                    array.insert(index, value);
                }
            }
        }
        Ok(())
    }

    /// `<r` and its like: runs register `r` if the comparison of the two uppermost numbers holds.
    pub(super) fn compare(&mut self, sign: u8, frame: &mut Frame) -> Result<Option<Jump>, String> {
        let negated = sign == b'!';
        let sign = if negated { frame.next().unwrap_or(b'\n') } else { sign };
        if !matches!(sign, b'<' | b'>' | b'=') {
            // A line for the system: nothing of it is run.
            let mut sign = Some(sign);
            while sign.is_some_and(|sign| sign != b'\n') {
                sign = frame.next();
            }
            return Ok(None);
        }
        let name = frame.next().ok_or("unexpected end of file")?;
        let (left, right) = self.pair()?;
        let order = right.compare(&left);
        let holds = match sign {
            b'<' => order.is_lt(),
            b'>' => order.is_gt(),
            _ => order.is_eq(),
        };
        if holds == negated {
            return Ok(None);
        }
        match self.registers.get(&name).and_then(|register| register.last()) {
            Some(Value::Text(text)) => Ok(Some(Jump::Run(text.clone()))),
            Some(number) => {
                let number = number.clone();
                self.stack.push(number);
                Ok(None)
            }
            None => Ok(None),
        }
    }
}
