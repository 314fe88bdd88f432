//! The text in which a lab is kept, brought up to date instead of written anew.
//!
//! What came from outside only grows, but for undo and branches, and a pasted file of thousands of objects makes it long:
//! what was written once stays, and what is new is written in turns.

use super::lab::Lab;
use super::saved::Saved;
use podlab_cluster::cluster::{Input, InputKind};
use std::sync::Arc;

/// The inputs of a lab as they stand in its kept text.
#[derive(Debug, Default)]
pub struct SavedText {
    /// What has been written.
    inputs: Vec<Input>,
    /// Where each of them ends in `text`.
    ends: Vec<usize>,
    /// JSON, separated by commas.
    text: String,
}

impl SavedText {
    /// Writes what has come since it was asked last; `false` where `keep_going` ended that before it was done.
    pub fn follow(&mut self, lab: &Lab, keep_going: &mut dyn FnMut() -> bool) -> bool {
        let inputs = lab.live().inputs();
        let common = self.inputs.iter().zip(inputs).take_while(|(ours, theirs)| same(ours, theirs)).count();
        self.inputs.truncate(common);
        self.ends.truncate(common);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
        for input in &inputs[common..] {
            if !keep_going() {
                return false;
            }
            if !self.text.is_empty() {
                self.text.push(',');
            }
            self.text.push_str(&serde_json::to_string(input).unwrap_or_default());
            self.inputs.push(input.clone());
            self.ends.push(self.text.len());
        }
        true
    }

    /// The whole text, as [`Saved::to_text`] writes it.
    pub fn whole(&mut self, lab: &Lab) -> String {
        self.follow(lab, &mut || true);
        Saved::but_inputs(lab).with_inputs(&self.text)
    }
}

/// Whether two inputs are one, or are written alike.
fn same(ours: &Input, theirs: &Input) -> bool {
    ours.at == theirs.at
        && match (&ours.what, &theirs.what) {
            (InputKind::Request(a), InputKind::Request(b)) => Arc::ptr_eq(a, b),
            (InputKind::Stream(a, sent), InputKind::Stream(b, also)) => a == b && sent == also,
            (InputKind::CloseStream(a), InputKind::CloseStream(b)) => a == b,
            (InputKind::Act(a), InputKind::Act(b)) => a == b,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podlab_cluster::Settings;
    use std::time::Duration;

    fn pods(count: usize) -> String {
        (0..count)
            .map(|i| {
                format!(
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: web-{i}}}\nspec: {{containers: [{{name: c, image: nginx}}]}}\n"
                )
            })
            .collect()
    }

    fn apply(lab: &mut Lab, text: &str) {
        lab.edit(text);
        lab.apply();
        while lab.is_busy() {
            lab.advance(Duration::ZERO, &mut || true);
        }
    }

    #[test]
    fn what_is_brought_up_to_date_is_what_would_be_written_anew() {
        let mut lab = Lab::new("mine", Settings::default());
        let mut text = SavedText::default();
        assert_eq!(text.whole(&lab), lab.save().to_text());
        lab.name = "\"inputs\":[".to_owned();
        apply(&mut lab, &pods(20));
        let mut turns = 0;
        while !text.follow(&lab, &mut || {
            turns += 1;
            turns % 4 != 0
        }) {}
        assert!(turns > 20, "in several turns");
        assert_eq!(text.whole(&lab), lab.save().to_text());
        // A second time there is nothing to write but what is new.
        lab.advance(Duration::from_secs(3), &mut || true);
        apply(&mut lab, &pods(3).replace("web-", "more-"));
        assert_eq!(text.whole(&lab), lab.save().to_text());
        assert!(lab.undo());
        assert_eq!(text.whole(&lab), lab.save().to_text());
        apply(&mut lab, &pods(3).replace("web-", "other-"));
        assert_eq!(text.whole(&lab), lab.save().to_text());
        assert!(Saved::from_text(&text.whole(&lab)).is_ok());
    }
}
