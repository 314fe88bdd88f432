//! Output formats: names, YAML, JSON, JSONPath, templates, columns.
//!
//! Source: k8s.io/kubectl/pkg/cmd/get/get_flags.go, k8s.io/cli-runtime/pkg/printers (v1.37).

pub(crate) mod columns;
pub(crate) mod sorter;
pub(crate) mod table;
pub(crate) mod tabwriter;
pub(crate) mod typed;

use crate::cx::Cx;
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::resource::object_name;
use crate::value::{name, text};
use podlab_api::jsonpath::{JsonPath, relaxed_json_path_expression};
use podlab_api::kinds;
use serde_json::{Value, json};

/// What `-o` asks for.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    /// A sentence or a table.
    Human,
    /// A table with all columns.
    Wide,
    Name,
    Yaml,
    Json,
    JsonPath(Box<JsonPath>, String),
    Columns(columns::CustomColumns),
    Template(crate::go_template::Template, String),
}

/// The formats that commands which print objects know.
const OBJECT_FORMATS: &str = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml";
const GET_FORMATS: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml";

/// Reads `-o`, `--template` and their kin.
///
/// # Errors
/// An unknown format, or one whose template cannot be read.
pub(crate) fn format(cx: &mut Cx<'_>, parsed: &Parsed, get: bool) -> Result<Format> {
    let output = parsed.str("output").to_owned();
    let template = parsed.str("template").to_owned();
    let (kind, mut rest) = match output.split_once('=') {
        Some((kind, rest)) => (kind.to_owned(), rest.to_owned()),
        None => (output.clone(), String::new()),
    };
    let kind = if output.is_empty() && !template.is_empty() { "go-template".to_owned() } else { kind };
    if rest.is_empty() {
        rest = template;
    }
    let unknown = || {
        let known = if get { GET_FORMATS } else { OBJECT_FORMATS };
        message(format!(
            "unable to match a printer suitable for the output format {output:?}, allowed formats are: {known}"
        ))
    };
    let need = |rest: &str| match rest {
        "" => message("template format specified but no template given".to_string()),
        _ => Ok(()),
    };
    let allow = !parsed.changed("allow-missing-template-keys") || parsed.bool("allow-missing-template-keys");
    Ok(match kind.as_str() {
        "" => Format::Human,
        "wide" if get => Format::Wide,
        "name" => Format::Name,
        "yaml" => Format::Yaml,
        "json" => Format::Json,
        "kyaml" => return message("podlab does not simulate the output format \"kyaml\""),
        "jsonpath" | "jsonpath-as-json" | "jsonpath-file" => {
            need(&rest)?;
            if kind == "jsonpath-file" {
                rest = match cx.read_text(&rest) {
                    Ok(text) => text,
                    Err(_) => {
                        return message(format!(
                            "error reading --template {rest}, open {rest}: no such file or directory\n"
                        ));
                    }
                };
            }
            let mut path = match JsonPath::parse(&rest) {
                Ok(path) => path.allow_missing_keys(allow),
                Err(error) => return message(format!("error parsing jsonpath {rest}, {error}")),
            };
            path.output_json = kind == "jsonpath-as-json";
            Format::JsonPath(Box::new(path), rest)
        }
        "go-template" | "template" | "go-template-file" | "templatefile" => {
            need(&rest)?;
            if kind.ends_with("file") {
                rest = match cx.read_text(&rest) {
                    Ok(text) => text,
                    Err(_) => {
                        return message(format!(
                            "error reading --template {rest}, open {rest}: no such file or directory\n"
                        ));
                    }
                };
            }
            match crate::go_template::Template::parse(&rest, allow) {
                Ok(template) => Format::Template(template, rest),
                Err(error) => {
                    return message(format!("error parsing template {rest}, template: output:{error}"));
                }
            }
        }
        "custom-columns" if get => {
            Format::Columns(columns::CustomColumns::parse(&rest, parsed.bool("no-headers"))?)
        }
        "custom-columns-file" if get => {
            let text = match cx.read_text(&rest) {
                Ok(text) => text,
                Err(_) => {
                    return message(format!(
                        "error reading template {rest}, open {rest}: no such file or directory\n"
                    ));
                }
            };
            Format::Columns(columns::CustomColumns::from_file(&text, parsed.bool("no-headers"))?)
        }
        _ => return unknown(),
    })
}

/// `pod/web`, by the object's own kind.
pub(crate) fn name_of(object: &Value) -> String {
    let api_version = text(object, &["apiVersion"]);
    let kind = text(object, &["kind"]);
    if let Some(kind) = kinds::served_by_gvk(api_version, kind) {
        return object_name(kind, name(object));
    }
    let lower = kind.to_lowercase();
    match api_version.split_once('/') {
        Some((group, _)) => format!("{lower}.{group}/{}", name(object)),
        None if kind.is_empty() => format!("<unknown>/{}", name(object)),
        None => format!("{lower}/{}", name(object)),
    }
}

/// Whether JSON comes in the order of Go's types or sorted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As an object that kubectl made itself.
    Typed,
    /// As an object from the server or a file.
    Sorted,
}

/// Prints one object in a format that shows objects.
///
/// # Errors
/// A template that does not fit the object.
pub(crate) fn object(format: &Format, value: &Value, order: Order) -> Result<String> {
    Ok(match format {
        Format::Human | Format::Wide => String::new(),
        Format::Name => name_of(value) + "\n",
        Format::Yaml => podlab_yaml::to_yaml(value),
        Format::Json if order == Order::Typed => typed::json(value),
        Format::Json => podlab_yaml::to_json_indented(value),
        Format::JsonPath(path, template) => match path.execute(value) {
            Ok(text) => text,
            Err(error) => {
                return message(format!(
                    "error executing jsonpath {template:?}: Error executing template: {error}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
                    podlab_api::go_text::go_syntax(value)
                ));
            }
        },
        Format::Template(template, text) => match template.execute(value) {
            Ok(out) => out,
            Err(error) => {
                return message(format!("error executing template {text:?}: template: output:{error}"));
            }
        },
        Format::Columns(columns) => {
            let (text, result) = columns.print(std::slice::from_ref(value));
            result.map(|()| text)?
        }
    })
}

/// A `v1` List of objects from several requests.
pub(crate) fn list_of(items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// Reads a JSONPath as `custom-columns` and `--sort-by` take it: without braces or the leading dot.
pub(crate) fn relaxed(text: &str) -> Result<JsonPath> {
    let full = match relaxed_json_path_expression(text) {
        Ok(full) => full,
        Err(error) => return message(error.to_string()),
    };
    match JsonPath::parse(&full) {
        Ok(path) => Ok(path.allow_missing_keys(true)),
        Err(error) => message(error.to_string()),
    }
}
