//! `tables/kubectl_oracles.json`: what real kubectl answered about quantities, selectors, patches and JSONPath.

use anyhow::Result;
use podlab_api::Quantity;
use podlab_api::go_text::go_syntax;
use podlab_api::jsonpath::JsonPath;
use podlab_api::patch::{KindLookup, apply_json_patch, apply_merge_patch, apply_strategic};
use podlab_api::selector::label_selector::parse_to_label_selector;
use serde_json::{Value, json};

use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

const ERROR_LENGTH: usize = 400;

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("quantities", Use::Compare(quantity)),
            ("label_selectors", Use::Compare(label_selector)),
            ("patches", Use::Compare(patch)),
            ("jsonpath", Use::Compare(jsonpath)),
        ],
    )
}

/// `kubectl create quota --hard=cpu=INPUT`.
fn quantity(row: &Row<'_>) -> Outcome {
    let input = row.text("input");
    let expected = if row.int("rc") == 0 { row.text("canonical") } else { row.text("error") };
    // The value ends at a comma, and the rest is another argument.
    let got = match input.split_once(',') {
        Some((_, rest)) => format!("error: Invalid argument syntax {rest}, expected <resource>=<value>"),
        None => Quantity::parse(input)
            .map_or_else(|error| format!("error: {error}"), |quantity| quantity.to_string()),
    };
    Outcome::equal(expected, got)
}

/// `kubectl create pdb --selector=SELECTOR`.
fn label_selector(row: &Row<'_>) -> Outcome {
    let selector = row.text("selector");
    if selector.is_empty() {
        return Outcome::equal(row.text("error"), "error: a selector must be specified");
    }
    match parse_to_label_selector(selector) {
        Err(error) => Outcome::equal(row.text("error"), format!("error: {error}")),
        Ok(_) if row.int("rc") != 0 => Outcome::equal(row.text("error"), "a selector"),
        Ok(object) => Outcome::same(row.field("labelSelector"), &json!(object)),
    }
}

/// `kubectl patch --local`. The recorder wrote the object as YAML, in which the key `n` reads as false.
fn patch(row: &Row<'_>) -> Outcome {
    let text = row.field("object").to_string().replace(r#"{"n":"#, r#"{"false":"#);
    let object: Value = serde_json::from_str(&text).unwrap_or_default();
    let patch = row.field("patch");
    let field = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(kind) = podlab_api::kinds::by_gvk(field("apiVersion"), field("kind")) else {
        return Outcome::equal("a kind that is served", field("kind"));
    };
    let got = match row.text("type") {
        "json" => apply_json_patch(&object, patch).map_err(|error| error.to_string()),
        "merge" => Ok(apply_merge_patch(object.clone(), patch)),
        // kubectl refuses this before it looks at the kind.
        _ if !patch.is_object() => Err("invalid JSON document".to_owned()),
        _ => apply_strategic(object.clone(), patch.clone(), KindLookup::new(kind))
            .map_err(|error| error.to_string()),
    };
    match got {
        Ok(got) => Outcome::same(row.field("result"), &got),
        Err(error) => Outcome::equal(row.text("error"), format!("error: {error}")),
    }
}

/// `kubectl annotate --local -o jsonpath=TEMPLATE` of a pod, which the command gave one annotation more.
fn jsonpath(row: &Row<'_>) -> Outcome {
    let template = row.text("template");
    let mut object = row.file.get("jsonpath_object").cloned().unwrap_or_default();
    object["metadata"]["annotations"]["zz"] = json!("1");
    let (rc, text, error) = apply(template, &object);
    let stdout = if template.contains("..") && words(row.text("stdout")) == words(&text) {
        Outcome::Passed
    } else {
        Outcome::equal(row.text("stdout"), text)
    };
    // The recording keeps that much of an error, and not the line ends after it.
    let cut = |text: &str| text.trim_end().chars().take(ERROR_LENGTH).collect::<String>();
    Outcome::all([
        stdout,
        Outcome::equal(row.text("error").trim_end(), cut(&error)),
        Outcome::equal(row.int("rc").to_string(), rc.to_string()),
    ])
}

/// What kubectl's JSONPath printer prints.
fn apply(template: &str, object: &Value) -> (i64, String, String) {
    if template.is_empty() {
        return (1, String::new(), "error: template format specified but no template given".to_owned());
    }
    let path = match JsonPath::parse(template) {
        Ok(path) => path.allow_missing_keys(true),
        Err(error) => {
            return (1, String::new(), format!("error: error parsing jsonpath {template}, {error}"));
        }
    };
    match path.execute(object) {
        Ok(text) => (0, text, String::new()),
        Err(error) => {
            let text = format!(
                "error: error executing jsonpath {}: Error executing template: {error}. Printing more information for \
                 debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine \
                 was:\n\t\t{}\n",
                podlab_api::go_text::quote(template),
                go_syntax(object)
            );
            (1, String::new(), text)
        }
    }
}

fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    words
}
