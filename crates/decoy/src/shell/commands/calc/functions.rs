//! Calls in a `bc` program: functions with bc's scopes, and those that are built in.

use super::{
    mathlib,
    number::Number,
    run::{Array, Machine, Ran, Stop},
    syntax::Expr,
};

/// Calls in calls.
const MOST_CALLS: usize = 48;

impl Machine {
    pub(super) fn call(&mut self, name: &str, arguments: &[Expr]) -> Ran<Option<Number>> {
        if let Some(value) = self.built_in(name, arguments)? {
            return Ok(Some(value));
        }
        let Some(function) = self.functions.get(name).cloned() else {
            for argument in arguments {
                self.value(argument)?;
            }
            self.address += 2;
            return Err(Stop::Fault(format!("Function {name} not defined.")));
        };
        if function.parameters.len() != arguments.len() {
            return Err(Stop::Fault("Parameter number mismatch".to_owned()));
        }
        if self.calls.len() >= MOST_CALLS {
            return Err(Stop::Bound);
        }
        let mut values = Vec::new();
        let mut arrays = Vec::new();
        for ((parameter, is_array), argument) in function.parameters.iter().zip(arguments) {
            match argument {
                Expr::Array(from) if *is_array => {
                    arrays.push((parameter.clone(), self.arrays.get(from).cloned().unwrap_or_default()));
                }
                _ if *is_array => return Err(Stop::Fault("Parameter type mismatch".to_owned())),
                argument => values.push((parameter.clone(), self.value(argument)?)),
            }
        }
        for (name, is_array) in &function.autos {
            if *is_array {
                arrays.push((name.clone(), Array::new()));
            } else {
                values.push((name.clone(), Number::default()));
            }
        }
        // What these names were is there again afterwards: bc's scopes are those of the calls.
        let values: Vec<_> =
            values.into_iter().map(|(name, value)| (self.names.insert(name.clone(), value), name)).collect();
        let arrays: Vec<_> =
            arrays.into_iter().map(|(name, array)| (self.arrays.insert(name.clone(), array), name)).collect();
        self.calls.push(name.to_owned());
        let mut result = Ok(None);
        for statement in &function.body {
            match self.statement(statement) {
                Ok(()) => {}
                Err(Stop::Return(value)) => {
                    result = Ok(value);
                    break;
                }
                Err(stop) => {
                    result = Err(stop);
                    break;
                }
            }
        }
        // A fault names the function it happened in.
        if !matches!(result, Err(Stop::Fault(_))) {
            self.calls.pop();
        }
        for (old, name) in values.into_iter().rev() {
            match old {
                Some(old) => self.names.insert(name, old),
                None => self.names.remove(&name),
            };
        }
        for (old, name) in arrays.into_iter().rev() {
            match old {
                Some(old) => self.arrays.insert(name, old),
                None => self.arrays.remove(&name),
            };
        }
        result
    }

    fn built_in(&mut self, name: &str, arguments: &[Expr]) -> Ran<Option<Number>> {
        let library = self.with_library && !self.functions.contains_key(name);
        Ok(match (name, arguments) {
            ("length", [only]) => Some(Number::from(self.value(only)?.length() as i64)),
            ("scale", [only]) => Some(Number::from(self.value(only)?.scale() as i64)),
            ("sqrt", [only]) => {
                let value = self.value(only)?;
                self.address += 2;
                Some(value.root(self.scale)?)
            }
            ("random", []) => Some(Number::default()),
            ("j", [order, argument]) if library => {
                let order = self.value(order)?.whole().unwrap_or_default();
                let argument = self.value(argument)?;
                Some(mathlib::bessel(order, &argument, self.scale)?)
            }
            (name, [only]) if library && mathlib::has(name) => {
                let value = self.value(only)?;
                Some(mathlib::of(name, &value, self.scale)?)
            }
            _ => None,
        })
    }
}
