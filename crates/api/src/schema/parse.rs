//! Reads `data/facts.txt`; the format is described in `data/README.md`.

use super::{Definition, Entry, Field, GoType, Mark, Schema, Special};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Finds where each type's lines are.
pub(super) fn index(text: &'static str) -> Schema {
    let mut schema = Schema { entries: Vec::new(), versions: BTreeMap::new(), packages: BTreeMap::new() };
    let mut package = "";
    let mut rest = text;
    while let Some((line, after)) = next_line(rest) {
        rest = after;
        let Some(mark) = line.get(..1) else { continue };
        let tail = line.get(1..).unwrap_or("");
        match mark {
            "@" => {
                let (name, version) = tail.split_once(' ').unwrap_or((tail, ""));
                package = name;
                if !version.is_empty() {
                    schema.versions.insert(name, version);
                    schema.packages.insert(version, name);
                }
            }
            "=" => {
                let (name, body) = tail.split_once(' ').unwrap_or((tail, ""));
                schema.entries.push(entry(package, name, Mark::Named, body));
            }
            "#" | "!" => {
                let (body, after) = block(rest);
                rest = after;
                let mark = if mark == "!" { Mark::Kind } else { Mark::Struct };
                let (name, atomic) = tail.strip_suffix(" a").map_or((tail, false), |name| (name, true));
                schema.entries.push(Entry { atomic, ..entry(package, name, mark, body) });
            }
            _ => {}
        }
    }
    schema.entries.sort_by_key(|e| (e.package, e.name));
    schema
}

fn entry(package: &'static str, name: &'static str, mark: Mark, body: &'static str) -> Entry {
    Entry { package, name, mark, atomic: false, body, definition: OnceLock::new() }
}

fn next_line(text: &'static str) -> Option<(&'static str, &'static str)> {
    if text.is_empty() {
        return None;
    }
    Some(text.split_once('\n').unwrap_or((text, "")))
}

/// The field lines at the start of `text`, and what follows.
fn block(text: &'static str) -> (&'static str, &'static str) {
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(['#', '!', '@', '=']) {
            break;
        }
        length += line.len();
    }
    text.split_at_checked(length).unwrap_or((text, ""))
}

pub(super) fn definition(schema: &Schema, entry: &Entry) -> Definition {
    if entry.mark == Mark::Named {
        let (ty, values) = entry.body.split_once(' ').unwrap_or((entry.body, ""));
        return Definition::Named {
            ty: go_type(schema, entry.package, ty),
            values: if values.is_empty() { Vec::new() } else { values.split('|').collect() },
        };
    }
    Definition::Struct(entry.body.lines().map(|line| field(schema, entry.package, line)).collect())
}

fn field(schema: &Schema, package: &str, line: &'static str) -> Field {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or("");
    let ty = go_type(schema, package, words.next().unwrap_or(""));
    let mut field = Field {
        name,
        ty,
        omit_empty: false,
        omit_zero: false,
        required: false,
        patch_strategy: None,
        patch_merge_key: None,
        list_type: None,
        list_map_keys: Vec::new(),
        atomic: false,
        granular: false,
        default: None,
        inline: None,
    };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "o" => field.omit_empty = true,
            "z" => field.omit_zero = true,
            "r" => field.required = true,
            "a" => field.atomic = true,
            "g" => field.granular = true,
            "p" => field.patch_strategy = Some(value),
            "k" => field.patch_merge_key = Some(value),
            "l" => field.list_type = Some(value),
            "m" => field.list_map_keys = value.split(',').collect(),
            "d" => field.default = Some(value),
            "i" => field.inline = Some(value),
            _ => {}
        }
    }
    field
}

/// A type as `tools/facts` spells it; names without a package are of `package`.
fn go_type(schema: &Schema, package: &str, text: &str) -> GoType {
    if let Some(inner) = text.strip_prefix('*') {
        return GoType::Pointer(Box::new(go_type(schema, package, inner)));
    }
    if let Some(inner) = text.strip_prefix("[]") {
        return GoType::Slice(Box::new(go_type(schema, package, inner)));
    }
    if let Some((key, value)) = text.strip_prefix("map[").and_then(|rest| rest.split_once(']')) {
        return GoType::Map(
            Box::new(go_type(schema, package, key)),
            Box::new(go_type(schema, package, value)),
        );
    }
    match text {
        "bool" => return GoType::Bool,
        "string" => return GoType::Str,
        "float64" => return GoType::Float,
        "bytes" => return GoType::Bytes,
        "int" => return GoType::Int("int", 64, true),
        "int32" => return GoType::Int("int32", 32, true),
        "int64" => return GoType::Int("int64", 64, true),
        "uint8" => return GoType::Int("uint8", 8, false),
        "uint16" => return GoType::Int("uint16", 16, false),
        "uint32" => return GoType::Int("uint32", 32, false),
        "uint64" => return GoType::Int("uint64", 64, false),
        _ => {}
    }
    let found = match text.rsplit_once('.') {
        Some((package, name)) => schema.lookup(package, name),
        None => schema.lookup(package, text),
    };
    let full = if text.contains('.') { text.to_owned() } else { format!("{package}.{text}") };
    match (Special::from_table(&full), found) {
        (Some(special), _) => GoType::Special(special),
        (None, Some(id)) => GoType::Named(id),
        // A test walks the whole table, so that this is never met.
        (None, None) => GoType::Special(Special::Json),
    }
}
