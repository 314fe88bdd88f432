//! Variables and the environment made of them.

use super::Dialect;
use std::collections::BTreeMap;

/// Most memory all variables together may take, in bytes.
const MAX_BYTES: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Str(String),
    /// Bash's indexed arrays.
    Array(BTreeMap<i64, String>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variable {
    /// `None`: named by `export` or `local` but unset.
    pub value: Option<Value>,
    pub exported: bool,
    pub readonly: bool,
    pub integer: bool,
    order: u32,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    map: BTreeMap<String, Variable>,
    next: u32,
    bytes: usize,
}

/// Why a variable could not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetError {
    ReadOnly,
    TooMuch,
}

impl Variables {
    pub fn get(&self, name: &str) -> Option<&str> {
        match self.map.get(name)?.value.as_ref()? {
            Value::Str(s) => Some(s),
            Value::Array(a) => a.get(&0).map(String::as_str),
        }
    }

    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.map.get(name)
    }

    pub fn variable_mut(&mut self, name: &str) -> &mut Variable {
        let next = &mut self.next;
        self.map.entry(name.to_owned()).or_insert_with(|| {
            *next += 1;
            Variable { order: *next, ..Variable::default() }
        })
    }

    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SetError> {
        let old = self.get(name).map_or(0, str::len);
        let bytes = self.bytes.saturating_sub(old).saturating_add(value.len());
        if bytes > MAX_BYTES && value.len() > old {
            return Err(SetError::TooMuch);
        }
        let var = self.variable_mut(name);
        if var.readonly {
            return Err(SetError::ReadOnly);
        }
        match &mut var.value {
            Some(Value::Array(a)) => {
                a.insert(0, value.to_owned());
            }
            slot => *slot = Some(Value::Str(value.to_owned())),
        }
        self.bytes = bytes;
        Ok(())
    }

    pub fn set_element(&mut self, name: &str, index: i64, value: &str) -> Result<(), SetError> {
        self.bytes = self.bytes.saturating_add(value.len() + 16);
        if self.bytes > MAX_BYTES {
            return Err(SetError::TooMuch);
        }
        let var = self.variable_mut(name);
        if var.readonly {
            return Err(SetError::ReadOnly);
        }
        match &mut var.value {
            Some(Value::Array(a)) => {
                a.insert(index, value.to_owned());
            }
            slot => {
                let mut a = BTreeMap::new();
                if let Some(Value::Str(s)) = slot.take() {
                    a.insert(0, s);
                }
                a.insert(index, value.to_owned());
                *slot = Some(Value::Array(a));
            }
        }
        Ok(())
    }

    pub fn unset(&mut self, name: &str) -> Result<(), SetError> {
        if self.map.get(name).is_some_and(|v| v.readonly) {
            return Err(SetError::ReadOnly);
        }
        let old = self.get(name).map_or(0, str::len);
        self.bytes = self.bytes.saturating_sub(old);
        self.map.remove(name);
        Ok(())
    }

    /// Puts a variable back as it was (`local`, assignment prefixes).
    pub fn restore(&mut self, name: &str, old: Option<Variable>) {
        match old {
            Some(v) => {
                self.map.insert(name.to_owned(), v);
            }
            None => {
                self.map.remove(name);
            }
        }
    }

    pub fn names(&self) -> impl Iterator<Item = (&String, &Variable)> {
        self.map.iter()
    }

    /// The exported variables in the order in which the shell lists them.
    ///
    /// Ash and dash keep variables in a table of 39 chains and list it chain by chain; `PATH` stands first in its own,
    /// since the shell has it before it reads its environment. Source: dash src/var.c listvars, hashvar.
    pub fn environment(&self, dialect: Dialect) -> Vec<(String, String)> {
        let mut all: Vec<(&String, &Variable)> =
            self.map.iter().filter(|(_, v)| v.exported && v.value.is_some()).collect();
        match dialect {
            Dialect::Bash => all.sort_by_key(|(_, v)| v.order),
            Dialect::Ash | Dialect::Dash => {
                all.sort_by_key(|(n, v)| (chain(n), n.as_str() != "PATH", v.order));
            }
        }
        all.into_iter().filter_map(|(n, _)| Some((n.clone(), self.get(n)?.to_owned()))).collect()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn chain(name: &str) -> u32 {
    let first = name.bytes().next().map_or(0, u32::from);
    let sum = name.bytes().fold(first << 4, |h, b| h.wrapping_add(u32::from(b)));
    sum % 39
}
