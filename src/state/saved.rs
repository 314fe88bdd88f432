//! What is kept of a lab: in the browser, in a file, in a link.

use super::files::Files;
use super::lab::Lab;
use super::terminal::Entry;
use podlab_cluster::Settings;
use podlab_cluster::cluster::Input;
use podlab_sim::SimTime;
use serde::{Deserialize, Serialize};

/// The number that grows when the form changes so that older pages cannot read it.
pub const FORMAT: u32 = 1;

/// How many terminal entries are kept.
const ENTRIES: usize = 100;

/// A lab as it is kept: its settings and everything that came from outside. The same inputs give the same
/// history, so nothing else is needed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Saved {
    /// [`FORMAT`].
    pub format: u32,
    /// The podlab that wrote it.
    pub version: String,
    /// The lab's name.
    pub name: String,
    /// What the cluster was built from.
    pub settings: Settings,
    /// When it was saved, in virtual time.
    pub now: SimTime,
    /// Everything that came from outside.
    pub inputs: Vec<Input>,
    /// The learner's files.
    pub files: Files,
    /// The last lines of the terminal.
    #[serde(default)]
    pub terminal: Vec<Entry>,
}

/// Why something kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It is no saved lab.
    #[error("not a saved lab: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A later podlab wrote it.
    #[error("saved by a later podlab (format {0})")]
    Later(u32),
}

impl Saved {
    pub(super) fn of(lab: &Lab) -> Saved {
        Saved { inputs: lab.live().inputs().to_vec(), ..Saved::but_inputs(lab) }
    }

    /// All but what came from outside, for [`Saved::with_inputs`].
    pub(super) fn but_inputs(lab: &Lab) -> Saved {
        let entries = lab.terminal.entries();
        Saved {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: lab.name.clone(),
            settings: (*lab.live().world().settings).clone(),
            now: lab.live().sim_now(),
            inputs: Vec::new(),
            files: lab.files.clone(),
            terminal: entries[entries.len().saturating_sub(ENTRIES)..].to_vec(),
        }
    }

    /// As text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As text with inputs that are written already: JSON, separated by commas.
    pub(super) fn with_inputs(&self, inputs: &str) -> String {
        // The first such place is it: before it stand numbers and quoted strings, in which no quote is bare.
        const NONE: &str = "\"inputs\":[";
        let mut text = self.to_text();
        text.reserve(inputs.len());
        if let Some(start) = text.find(NONE) {
            text.insert_str(start + NONE.len(), inputs);
        }
        text
    }

    /// From text.
    ///
    /// # Errors
    /// It is no saved lab, or a later podlab wrote it.
    pub fn from_text(text: &str) -> Result<Saved, SavedError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.format > FORMAT {
            return Err(SavedError::Later(head.format));
        }
        Ok(serde_json::from_str(text)?)
    }
}
