//! Go templates for `-o go-template`.

use serde_json::Value;

/// A template that has been read.
#[derive(Clone, Debug)]
pub(crate) struct Template {}

impl Template {
    /// # Errors
    /// What podlab does not simulate.
    pub(crate) fn parse(_text: &str, _allow_missing: bool) -> Result<Template, String> {
        Err("1: podlab does not simulate go-template output".to_owned())
    }

    pub(crate) fn execute(&self, _value: &Value) -> Result<String, String> {
        Ok(String::new())
    }
}
