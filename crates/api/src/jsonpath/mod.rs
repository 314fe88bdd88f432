//! JSONPath as kubectl's `-o jsonpath`, `--sort-by`, `custom-columns` and `wait --for=jsonpath` take it.
//!
//! Source: staging/src/k8s.io/client-go/util/jsonpath (v1.37).

mod eval;
mod node;
mod parser;
mod relaxed;
mod value;

use serde_json::Value;

use node::Node;
pub use relaxed::relaxed_json_path_expression;
pub use value::Item;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    nodes: Vec<Node>,
    /// Whether a key that is missing gives nothing instead of an error.
    pub allow_missing_keys: bool,
    /// Whether results are printed as indented JSON arrays (`-o jsonpath-as-json`).
    pub output_json: bool,
}

/// Why a template can't be read or applied, in Kubernetes' own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonPathError(pub(crate) String);

impl JsonPath {
    /// Reads a template such as `{range .items[*]}{.metadata.name}{"\n"}{end}`.
    ///
    /// # Errors
    /// `unclosed action`, `unterminated array`, `invalid array index …`, `unrecognized character in action: …`.
    pub fn parse(template: &str) -> Result<Self, JsonPathError> {
        Ok(Self { nodes: parser::parse(template)?, allow_missing_keys: false, output_json: false })
    }

    /// Lets missing keys give nothing, as kubectl does everywhere but in `--sort-by`.
    #[must_use]
    pub fn allow_missing_keys(mut self, allow: bool) -> Self {
        self.allow_missing_keys = allow;
        self
    }

    /// Finds what each part of the template stands for.
    ///
    /// # Errors
    /// `… is not found`, `array index out of bounds: …`, `not in range, nothing to end`.
    pub fn find_results<'a>(&'a self, data: &'a Value) -> Result<Vec<Vec<Item<'a>>>, JsonPathError> {
        eval::Evaluation::new(self).run(0, Item::Value(data))
    }

    /// Applies the template and prints the results.
    ///
    /// # Errors
    /// As [`JsonPath::find_results`].
    pub fn execute(&self, data: &Value) -> Result<String, JsonPathError> {
        let mut text = String::new();
        for results in self.find_results(data)? {
            self.print_results(&mut text, &results);
        }
        Ok(text)
    }

    /// Prints one part's results, with a space between them.
    pub fn print_results(&self, text: &mut String, results: &[Item<'_>]) {
        if self.output_json {
            let values = Value::Array(results.iter().map(Item::to_value).collect());
            text.push_str(&crate::go_text::json_indent(&values, "    "));
            text.push('\n');
            return;
        }
        for (index, result) in results.iter().enumerate() {
            if index > 0 {
                text.push(' ');
            }
            text.push_str(&result.text());
        }
    }
}

#[cfg(test)]
mod tests;
