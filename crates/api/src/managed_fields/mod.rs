//! Who owns which fields: server-side apply with field managers, conflicts and `metadata.managedFields`.
//!
//! [`Typed`] is what the schema says of merging, [`Set`] a set of fields, [`update`] and [`apply`] what a write does.
//! An object holds no entries until a client has changed what was there: see [`Managed`].

mod derive;
mod managers;
mod path;
mod set;
mod typed;
mod update;
mod walk;

pub use derive::{Managed, TOKEN_VOLUME_PREFIX, managers_of, zero_of};
pub use managers::{Manager, Managers, Operation, Owned};
pub use path::{PathElement, Scalar, path_text};
pub use set::Set;
pub use typed::Typed;
pub use update::{Applied, Conflict, Context, Reset, apply, update};
pub use walk::{Comparison, compare, field_set, merge, misfits, remove};

#[cfg(test)]
mod tests;
