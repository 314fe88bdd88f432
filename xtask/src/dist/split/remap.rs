//! Writing parts of a wasm file again with other function indices.

use std::fmt;
use wasm_encoder::reencode::{Error, Reencode};

/// A function was asked for that this part does not have: splitting has a bug.
#[derive(Debug)]
pub(super) struct NotHere(u32);

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function {} is not in this part of the wasm file", self.0)
    }
}

impl std::error::Error for NotHere {}

/// Functions' new indices, by their old ones.
pub(super) struct Remap(pub(super) Vec<Option<u32>>);

impl Remap {
    /// The new index of a function.
    ///
    /// # Errors
    /// If this part has no such function.
    pub(super) fn of(&self, function: u32) -> Result<u32, NotHere> {
        let found = usize::try_from(function).ok().and_then(|at| self.0.get(at)).copied().flatten();
        found.ok_or(NotHere(function))
    }
}

impl Reencode for Remap {
    type Error = NotHere;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<NotHere>> {
        self.of(function).map_err(Error::UserError)
    }
}
