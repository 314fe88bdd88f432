//! Completion and hover in manifests.

use super::explain::describe_type;
use super::fields::{field_at, root, strip, type_name, walk};
use super::outline::{Outline, Slot, Step};
use super::{byte, utf16};
use crate::editor::{Completion, CompletionRequest, Completions, Hover, HoverRequest};
use crate::state::Lang;
use podlab_api::descriptions;
use podlab_api::schema::{Field, GoType, Schema};

/// Manifests that an empty document can begin with: label, text.
const SNIPPETS: [(&str, &str); 5] = [
    (
        "Pod",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels:\n    app: web\nspec:\n  containers:\n  - name: web\n    image: nginx:1.27\n",
    ),
    (
        "Deployment",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n      - name: web\n        image: nginx:1.27\n",
    ),
    (
        "Service",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: web\n  ports:\n  - port: 80\n",
    ),
    ("ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  KEY: value\n"),
    (
        "Job",
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: once\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: once\n        image: busybox:1.36\n        command: [sh, -c, \"echo done\"]\n",
    ),
];

/// Keys that come first among their siblings, as people write them.
const FIRST: [&str; 8] = ["apiVersion", "kind", "metadata", "spec", "name", "labels", "containers", "image"];

/// What could stand at the caret.
pub fn complete(request: &CompletionRequest, lang: Lang) -> Completions {
    let text = request.text.as_str();
    let at = byte(text, request.position);
    let outline = Outline::around(text, at);
    let line_start = text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
    let before = text.get(line_start..at).unwrap_or_default();
    let word_start = at - before.len()
        + before
            .rfind(|c: char| !(c.is_alphanumeric() || "_-./".contains(c)))
            .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    let lead = text.get(line_start..word_start).unwrap_or_default();
    if before.trim_start().starts_with('#') {
        return Completions::default();
    }
    let options = if lead.trim_start().trim_start_matches("- ").is_empty() {
        let slot = outline.slot(text, word_start);
        let mut options = keys(&outline, text, &slot, line_start, lang);
        if options.is_empty() && slot.dash {
            options = values_of(&outline, text, &slot.parent, true);
        }
        let is_blank = text.get(outline.start..outline.end).is_none_or(|t| t.trim() == before.trim());
        if is_blank && slot.column == 0 {
            options.extend(SNIPPETS.iter().map(|(label, insert)| Completion {
                label: (*label).to_owned(),
                insert: Some((*insert).to_owned()),
                detail: Some("manifest".to_owned()),
                boost: Some(50),
                ..Completion::default()
            }));
        }
        options
    } else {
        match outline.key_at(text, line_start) {
            Some(key) if word_start >= key.value_start => values(&outline, text, &key.path.clone()),
            _ => Vec::new(),
        }
    };
    // Without a word the list comes only when asked for.
    if word_start == at && !request.explicit {
        return Completions::default();
    }
    Completions { from: utf16(text, word_start), options }
}

fn keys(outline: &Outline, text: &str, slot: &Slot, line_start: usize, lang: Lang) -> Vec<Completion> {
    let schema = Schema::get();
    let taken: Vec<&str> = outline
        .keys
        .iter()
        // The line that is being typed is none of them.
        .filter(|k| k.start < line_start || text.get(line_start..k.start).is_some_and(|t| t.contains('\n')))
        .filter_map(|k| match k.path.split_last() {
            Some((Step::Key(name), parent)) if parent == slot.parent.as_slice() => Some(name.as_str()),
            _ => None,
        })
        .collect();
    if slot.parent.is_empty() && outline.top(text, "kind").is_none() {
        return ["apiVersion", "kind", "metadata", "spec"]
            .into_iter()
            .filter(|k| !taken.contains(k))
            .map(|key| Completion {
                label: key.to_owned(),
                insert: Some(match key {
                    "metadata" | "spec" => format!("{key}:\n  "),
                    _ => format!("{key}: "),
                }),
                boost: boost(key),
                ..Completion::default()
            })
            .collect();
    }
    let (mut ty, mut indent, mut is_item) = (None, slot.column, false);
    if let Some(root) = root(outline, text)
        && let Some((found, _)) = walk(root, &slot.parent)
    {
        ty = Some(strip(schema, &found));
        // Below a list's key and not behind a dash: the dash is put in as well.
        if let Some(GoType::Slice(item)) = &ty
            && !slot.dash
        {
            ty = Some(strip(schema, item));
            indent += 2;
            is_item = true;
        }
    }
    let Some(GoType::Named(id)) = ty else { return Vec::new() };
    schema
        .fields(id)
        .iter()
        .filter(|f| is_item || !taken.contains(&f.name))
        .filter(|f| !(slot.parent.is_empty() && f.name == "status"))
        .map(|field| {
            let insert = insert(field, indent);
            let name = type_name(&field.ty);
            Completion {
                label: field.name.to_owned(),
                insert: Some(if is_item { format!("- {insert}") } else { insert }),
                detail: Some(if field.required { format!("{name} *") } else { name }),
                info: describe_type(&format!("{}.{}", schema.full_name(id), field.name), lang),
                boost: boost(field.name),
            }
        })
        .collect()
}

fn boost(name: &str) -> Option<i8> {
    let index = FIRST.iter().position(|f| *f == name)?;
    i8::try_from(40 - index).ok()
}

/// A key with what has to follow it.
fn insert(field: &Field, indent: usize) -> String {
    let schema = Schema::get();
    let deeper = " ".repeat(indent + 2);
    let same = " ".repeat(indent);
    match strip(schema, &field.ty) {
        GoType::Slice(_) => format!("{}:\n{same}- ", field.name),
        GoType::Named(_) | GoType::Map(..) => format!("{}:\n{deeper}", field.name),
        _ => format!("{}: ", field.name),
    }
}

fn values(outline: &Outline, text: &str, path: &[Step]) -> Vec<Completion> {
    let schema = Schema::get();
    let option = |label: &str, detail: Option<&str>| Completion {
        label: label.to_owned(),
        detail: detail.map(str::to_owned),
        ..Completion::default()
    };
    match path {
        [Step::Key(key)] if key == "kind" => {
            let version = outline.top(text, "apiVersion");
            let mut found: Vec<Completion> = schema
                .kinds()
                .filter(|(v, ..)| version.is_none_or(|version| *v == version))
                .map(|(v, kind, _)| Completion {
                    boost: (kind == "Pod").then_some(50),
                    ..option(kind, Some(v))
                })
                .collect();
            found.sort_by(|a, b| a.label.cmp(&b.label));
            found
        }
        [Step::Key(key)] if key == "apiVersion" => {
            let kind = outline.top(text, "kind");
            let mut versions: Vec<&str> = schema
                .kinds()
                .filter(|(_, k, _)| kind.is_none_or(|kind| *k == kind))
                .map(|(v, ..)| v)
                .collect();
            versions.sort_unstable();
            versions.dedup();
            versions
                .into_iter()
                .map(|v| Completion { boost: (v == "v1").then_some(50), ..option(v, None) })
                .collect()
        }
        _ => values_of(outline, text, path, false),
    }
}

fn values_of(outline: &Outline, text: &str, path: &[Step], item: bool) -> Vec<Completion> {
    let schema = Schema::get();
    let Some((ty, _)) = root(outline, text).and_then(|root| walk(root, path)) else { return Vec::new() };
    let mut values: Vec<&str> = match (strip(schema, &ty), item) {
        (GoType::Slice(_), false) => Vec::new(),
        (GoType::Bool, _) => vec!["true", "false"],
        _ => schema.enum_values(&ty).to_vec(),
    };
    values.sort_unstable();
    values.into_iter().map(|v| Completion { label: v.to_owned(), ..Completion::default() }).collect()
}

/// The card for a place.
pub fn hover(request: &HoverRequest, lang: Lang) -> Option<Hover> {
    let text = request.text.as_str();
    let at = byte(text, request.position);
    let field = field_at(text, at).filter(|f| !f.unknown)?;
    if at < field.range.0 || at > field.range.1 {
        return None;
    }
    let short = describe_type(&field.key, lang);
    let long = descriptions::get().and_then(|all| all.field(&field.key));
    let mut parts: Vec<String> = short.into_iter().collect();
    if let Some(long) = long.filter(|long| parts.first() != Some(long)) {
        parts.push(long.split("\n\n").next().unwrap_or(&long).to_owned());
    }
    if !field.values.is_empty() {
        parts.push(field.values.join(", "));
    }
    Some(Hover {
        from: utf16(text, field.range.0),
        to: utf16(text, field.range.1),
        title: format!("{} <{}>", field.path, field.type_name),
        text: parts.join("\n\n"),
    })
}

#[cfg(test)]
fn labels(text: &str) -> Vec<String> {
    let position = u32::try_from(text.encode_utf16().count()).unwrap();
    let request = CompletionRequest { text: text.to_owned(), position, explicit: true };
    complete(&request, Lang::En).options.into_iter().map(|o| o.label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: v1\nkind: Pod\n";

    #[test]
    fn keys_are_those_of_the_mapping_at_the_caret() {
        let spec = labels(&format!("{HEAD}spec:\n  rest"));
        assert!(spec.contains(&"restartPolicy".to_owned()) && spec.contains(&"containers".to_owned()));
        let container = labels(&format!("{HEAD}spec:\n  containers:\n  - name: a\n    im"));
        assert!(container.contains(&"image".to_owned()) && !container.contains(&"name".to_owned()));
        assert!(labels(&format!("{HEAD}spec:\n  containers:\n  - na")).contains(&"name".to_owned()));
        assert!(labels(HEAD).contains(&"metadata".to_owned()));
        assert!(!labels(HEAD).contains(&"kind".to_owned()));
        assert!(labels("").contains(&"Deployment".to_owned()));
    }

    #[test]
    fn a_list_item_is_put_in_with_its_dash() {
        let text = format!("{HEAD}spec:\n  containers:\n    na");
        let request = CompletionRequest { position: utf16(&text, text.len()), text, explicit: false };
        let found = complete(&request, Lang::En);
        let name = found.options.iter().find(|o| o.label == "name").unwrap();
        assert_eq!(name.insert.as_deref(), Some("- name: "));
    }

    #[test]
    fn values_come_from_the_enumeration() {
        assert_eq!(labels(&format!("{HEAD}spec:\n  restartPolicy: ")), ["Always", "Never", "OnFailure"]);
        assert_eq!(labels(&format!("{HEAD}spec:\n  hostNetwork: t")), ["false", "true"]);
        assert!(labels("apiVersion: apps/v1\nkind: ").contains(&"Deployment".to_owned()));
        assert!(labels(&format!("{HEAD}metadata:\n  name: ")).is_empty());
    }

    #[test]
    fn a_key_brings_what_has_to_follow() {
        let text = format!("{HEAD}spec:\n  co");
        let request = CompletionRequest { position: utf16(&text, text.len()), text, explicit: false };
        let found = complete(&request, Lang::En);
        let option = found.options.iter().find(|o| o.label == "containers").unwrap();
        assert_eq!(option.insert.as_deref(), Some("containers:\n  - "));
    }
}
