//! What the page shows, as data. Nothing here touches the browser, so all of it is tested natively.

pub mod examples;
pub mod faults;
pub mod files;
pub mod history;
pub mod inspect;
pub mod lab;
pub mod manifest;
pub mod pod_edits;
pub mod remedy;
pub mod saved;
mod saved_text;
mod scheduler_config;
pub mod selector_lab;
mod shell_run;
pub mod terminal;
pub mod ui;
pub mod what_if;
#[cfg(test)]
mod what_if_tests;
pub mod words;
pub mod workloads;

pub use examples::{EXAMPLES, Example, example};
pub use files::{File, Files};
pub use lab::{Advance, Checking, Lab, Outcome, Speed};
pub use saved::Saved;
pub use saved_text::SavedText;
pub use terminal::{Entry, Terminal};
pub use ui::{Density, Dock, Lang, Pane, Selected, Sizes, StageView, Tab, Theme, Ui, UiAction};
