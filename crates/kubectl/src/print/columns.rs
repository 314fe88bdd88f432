//! `-o custom-columns`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/get/customcolumn.go (v1.37).

use super::relaxed;
use super::table::escape_terminal;
use super::tabwriter::TabWriter;
use crate::error::{Result, message};
use podlab_api::jsonpath::JsonPath;
use serde_json::Value;

/// Columns that a user named.
#[derive(Clone, Debug)]
pub(crate) struct CustomColumns {
    columns: Vec<(String, JsonPath)>,
    pub no_headers: bool,
}

impl CustomColumns {
    /// From `NAME:.metadata.name,PHASE:.status.phase`.
    ///
    /// # Errors
    /// A column without a path, or one that cannot be read.
    pub(crate) fn parse(spec: &str, no_headers: bool) -> Result<CustomColumns> {
        if spec.is_empty() {
            return message("custom-columns format specified but no custom columns given");
        }
        let mut columns = Vec::new();
        for part in spec.split(',') {
            let Some((header, path)) = part.split_once(':') else {
                return message(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                ));
            };
            columns.push((header.to_owned(), relaxed(path)?));
        }
        Ok(CustomColumns { columns, no_headers })
    }

    /// From a file: headers in the first line, paths in the second.
    ///
    /// # Errors
    /// A line is missing, or a path cannot be read.
    pub(crate) fn from_file(text: &str, no_headers: bool) -> Result<CustomColumns> {
        let mut lines = text.lines();
        let (Some(headers), Some(paths)) = (lines.next(), lines.next()) else {
            return message("template format specified but no template given");
        };
        let headers: Vec<&str> = headers.split_whitespace().collect();
        let paths: Vec<&str> = paths.split_whitespace().collect();
        if headers.len() != paths.len() {
            return message(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                headers.len(),
                paths.len()
            ));
        }
        let mut columns = Vec::new();
        for (header, path) in headers.iter().zip(paths) {
            columns.push(((*header).to_owned(), relaxed(path)?));
        }
        Ok(CustomColumns { columns, no_headers })
    }

    /// The rows of objects, under headers unless they are unwanted; where a path fails on an object, the rows before it
    /// and what is wrong.
    pub(crate) fn print(&self, objects: &[Value]) -> (String, Result<()>) {
        let mut writer = TabWriter::table();
        if !self.no_headers {
            let headers: Vec<&str> = self.columns.iter().map(|(h, _)| h.as_str()).collect();
            writer.write(&headers.join("\t"));
            writer.write("\n");
        }
        for object in objects {
            let cells: Result<Vec<String>> =
                self.columns.iter().map(|(_, path)| cell(path, object)).collect();
            match cells {
                Ok(cells) => writer.write(&(cells.join("\t") + "\n")),
                Err(error) => return (writer.flush(), Err(error)),
            }
        }
        (writer.flush(), Ok(()))
    }
}

fn cell(path: &JsonPath, object: &Value) -> Result<String> {
    let groups = match path.find_results(object) {
        Ok(groups) => groups,
        Err(error) => return message(error.to_string()),
    };
    let mut found: Vec<String> = Vec::new();
    if groups.first().is_none_or(Vec::is_empty) {
        found.push("<none>".to_owned());
    }
    found.extend(groups.iter().flatten().map(|item| escape_terminal(&item.text())));
    Ok(found.join(","))
}
