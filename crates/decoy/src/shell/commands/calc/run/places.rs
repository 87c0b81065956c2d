//! Where `bc` keeps values: variables, elements of arrays, and what is no variable at all.

use std::collections::BTreeMap;

use super::super::{
    number::{MOST_SCALE, Number},
    syntax::{Expr, Place},
};
use super::{MOST_VALUES, Machine, Ran, Stop};

impl Machine {
    pub(super) fn get(&mut self, place: &Place) -> Ran<Number> {
        Ok(match place {
            Place::Name(name) => match name.as_str() {
                "scale" => Number::from(self.scale as i64),
                "ibase" => Number::from(self.ibase.into()),
                "obase" => Number::from(self.obase.into()),
                "last" => self.last.clone(),
                name => self.names.get(name).cloned().unwrap_or_default(),
            },
            Place::Element(name, index) => {
                let index = self.index(name, index)?;
                self.arrays.get(name).and_then(|array| array.get(&index)).cloned().unwrap_or_default()
            }
        })
    }

    fn index(&mut self, name: &str, index: &Expr) -> Ran<i64> {
        let index = self.value(index)?.whole().filter(|index| (0..16_777_216).contains(index));
        index.ok_or_else(|| Stop::Fault(format!("Array {name} subscript out of bounds.")))
    }

    pub(super) fn set(&mut self, place: &Place, value: Number) -> Ran<()> {
        match place {
            Place::Name(name) => {
                let whole = value.whole().unwrap_or(i64::from(u32::MAX));
                match name.as_str() {
                    "scale" if value.is_negative() => self.output.complain(&format!(
                        "Runtime warning (func=(main), adr={}): negative scale, set to 0",
                        self.address
                    )),
                    "scale" => self.scale = usize::try_from(whole).unwrap_or_default().min(MOST_SCALE),
                    "ibase" => self.ibase = whole.clamp(2, 36) as u32,
                    "obase" => self.obase = whole.clamp(2, 1_000_000) as u32,
                    "last" => self.last = value,
                    name if self.names.len() < MOST_VALUES => {
                        self.names.insert(name.to_owned(), value);
                    }
                    _ => return Err(Stop::Bound),
                }
            }
            Place::Element(name, index) => {
                let index = self.index(name, index)?;
                if self.arrays.values().map(BTreeMap::len).sum::<usize>() > MOST_VALUES {
                    return Err(Stop::Bound);
                }
                self.arrays.entry(name.clone()).or_default().insert(index, value);
            }
        }
        Ok(())
    }
}
