//! What is wrong with a manifest, in kubectl's words and at its place in the text.

use super::fields::walk;
use super::outline::Step;
use podlab_api::schema::{GoType, Schema, TypeId};
use podlab_api::support;
use podlab_yaml::{Document, Documents, Located, PathElement, Reading, Span};
use std::ops::Range;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It is not applied.
    Error,
    /// It is applied with a warning.
    Warning,
    /// It is kept and not simulated.
    NotSimulated,
    /// The key stands there a second time, which kubectl passes over: only the last one counts.
    Twice,
}

/// Something about a place in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Bytes of the text it is about.
    pub range: Range<usize>,
    /// How bad it is.
    pub level: Level,
    /// In kubectl's words; for [`Level::NotSimulated`] the field's path, for [`Level::Twice`] the key.
    pub message: String,
    /// What stands at `range` better.
    pub fix: Option<String>,
}

/// Most findings that are told.
const MOST: usize = 50;

/// A document of a manifest that can be checked by itself.
#[derive(Debug)]
struct Part<'a> {
    /// Its text.
    text: &'a str,
    document: &'a Document,
}

/// The documents of a text that are not empty, by their index, and where each stands.
fn places(text: &str, read: &Documents) -> Vec<(usize, Range<usize>)> {
    let documents = read.documents.iter().enumerate().filter(|(_, d)| !d.value.is_null());
    let found: Vec<(usize, Located)> =
        documents.filter_map(|(index, d)| Some((index, d.spans.nearest(&[])?))).collect();
    if let [(index, _)] = found.as_slice() {
        return vec![(*index, 0..text.len())];
    }
    found
        .into_iter()
        .filter_map(|(index, place)| {
            let start = text.get(..place.value.start.offset)?.rfind('\n').map_or(0, |i| i + 1);
            text.get(start..place.value.end.offset)?;
            Some((index, start..place.value.end.offset))
        })
        .collect()
}

/// All that is wrong with a text. `check` answers what kubectl writes to standard error when it applies a text.
pub fn findings(text: &str, check: &mut dyn FnMut(&str) -> String) -> Vec<Finding> {
    let mut all = Check::begin(text);
    all.go_on(check, &mut || true);
    all.found
}

/// A text that is being checked, document by document: thousands of them take longer than a page may stand still.
#[derive(Debug)]
pub struct Check {
    text: String,
    /// As long as it is read.
    reading: Option<Reading>,
    read: Documents,
    places: Vec<(usize, Range<usize>)>,
    /// The namespaces that the text itself creates.
    namespaces: Vec<String>,
    /// The next of `places`.
    next: usize,
    /// What was found so far, or in the end all.
    pub found: Vec<Finding>,
}

impl Check {
    /// Begins to check a text.
    pub fn begin(text: &str) -> Check {
        let text = if text.trim().is_empty() { String::new() } else { text.to_owned() };
        Check {
            reading: Some(Reading::begin(&text)),
            text,
            read: Documents::default(),
            places: Vec::new(),
            namespaces: Vec::new(),
            next: 0,
            found: Vec::new(),
        }
    }

    /// Goes on as long as `keep_going` says so between documents; returns whether all is checked. `check` answers what
    /// kubectl writes to standard error when it applies a text.
    pub fn go_on(
        &mut self,
        check: &mut dyn FnMut(&str) -> String,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> bool {
        if let Some(reading) = &mut self.reading {
            if !reading.go_on(&self.text, keep_going) {
                return false;
            }
            self.read = self.reading.take().map(Reading::finish).unwrap_or_default();
            self.look_over(check);
        }
        let Check { text, read, places, namespaces, next, found, .. } = self;
        while let Some((index, range)) = places.get(*next)
            && found.len() < MOST
        {
            *next += 1;
            let (Some(part), Some(document)) = (text.get(range.clone()), read.documents.get(*index)) else {
                continue;
            };
            let part = Part { text: part, document };
            not_simulated(&part, found);
            found.extend(document.duplicates.iter().map(|twice| {
                let start = twice.position.offset;
                let (range, message) = (start..start + twice.key.len(), twice.key.clone());
                Finding { range, level: Level::Twice, message, fix: None }
            }));
            // kubectl stops at an error and sends what came before; each part is still told apart.
            if read.error.is_none() {
                let words = check(part.text);
                // The manifest itself creates the namespace that a dry run cannot see.
                if !namespaces.iter().any(|n| words.contains(&format!("namespaces \"{n}\" not found"))) {
                    explain(text, &part, &words, found);
                }
            }
            if !keep_going() {
                return false;
            }
        }
        found.truncate(MOST);
        true
    }

    /// Tells what ended the reading, finds the documents and the namespaces among them.
    fn look_over(&mut self, check: &mut dyn FnMut(&str) -> String) {
        let Check { text, read, found, .. } = self;
        if let Some(error) = &read.error {
            let at = error.position.or(error.context).map(|p| p.offset);
            let words = check(text);
            let message = words.lines().find(|l| l.contains("error")).unwrap_or_default();
            let message = message.strip_prefix("error: ").unwrap_or(message);
            let message = if message.is_empty() { error.to_string() } else { message.to_owned() };
            let at = at.unwrap_or(0).min(text.len());
            found.push(Finding { range: at..word_end(text, at), level: Level::Error, message, fix: None });
        }
        self.places = places(text, read);
        let values = self.places.iter().filter_map(|(index, _)| read.documents.get(*index)).map(|d| &d.value);
        self.namespaces = values
            .filter(|v| v.get("kind").and_then(|k| k.as_str()) == Some("Namespace"))
            .filter_map(|v| v.pointer("/metadata/name")?.as_str())
            .map(str::to_owned)
            .collect();
    }
}

fn word_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len())
}

fn bytes(span: Span) -> Range<usize> {
    span.start.offset..span.end.offset.max(span.start.offset)
}

/// The first line of a place: what a person looks at.
fn mark(text: &str, place: Located, whole_path: bool) -> Range<usize> {
    let range = match place.key {
        // A missing field is shown at the key of what it is missing in.
        Some(key) if !whole_path || place.value.start.offset == place.value.end.offset => bytes(key),
        _ => bytes(place.value),
    };
    let shown = text.get(range.clone()).unwrap_or_default();
    let length = shown.find('\n').map_or(shown.len(), |i| shown[..i].trim_end().len());
    range.start..range.start + length
}

fn not_simulated(part: &Part<'_>, found: &mut Vec<Finding>) {
    let value = &part.document.value;
    let text = |name: &str| value.get(name).and_then(|v| v.as_str()).unwrap_or_default();
    if let Some(kind) = podlab_api::kinds::by_gvk(text("apiVersion"), text("kind"))
        && matches!(kind.support, podlab_api::kinds::Support::NotSimulated(_))
        && let Some(place) = part.document.spans.get(&["kind".into()])
    {
        found.push(Finding {
            range: bytes(place.value),
            level: Level::NotSimulated,
            message: kind.kind.to_owned(),
            fix: None,
        });
    }
    let Some(kind) = podlab_api::kinds::by_gvk(text("apiVersion"), text("kind")) else { return };
    for path in support::not_simulated(kind, value) {
        let steps: Vec<PathElement> = path
            .iter()
            .map(|step| match step {
                support::Step::Key(key) => (&**key).into(),
                support::Step::Index(index) => (*index).into(),
            })
            .collect();
        if let Some(Located { key: Some(key), .. }) = part.document.spans.get(&steps) {
            let message = support::path_text(&path);
            found.push(Finding { range: bytes(key), level: Level::NotSimulated, message, fix: None });
        }
    }
}

/// Reads kubectl's words about one document.
fn explain(text: &str, part: &Part<'_>, words: &str, found: &mut Vec<Finding>) {
    let mut rest = Vec::new();
    for line in words.lines() {
        match line.strip_prefix("Warning: ") {
            Some(warning) => {
                let (range, _) = locate(text, part, warning.split(": ").next().unwrap_or_default(), false);
                found.push(Finding { range, level: Level::Warning, message: line.to_owned(), fix: None });
            }
            None => rest.push(line),
        }
    }
    let words = rest.join("\n");
    let words = words.trim();
    if words.is_empty() {
        return;
    }
    let mut push = |range: Range<usize>, message: String, fix: Option<String>| {
        found.push(Finding { range, level: Level::Error, message, fix });
    };
    if let Some((_, list)) = words.split_once("strict decoding error: ") {
        for cause in causes(list) {
            let path = cause.split('"').nth(1).unwrap_or_default();
            let (range, whole) = locate(text, part, path, true);
            let fix =
                if whole && cause.starts_with("unknown field") { nearest_field(part, path) } else { None };
            push(range, format!("strict decoding error: {cause}"), fix);
        }
    } else if let Some(list) =
        words.strip_prefix("The ").and_then(|w| w.split_once("is invalid: ")).map(|(_, l)| l)
    {
        let list: Vec<&str> = match list.trim_start().strip_prefix("* ") {
            Some(list) => list.split("\n* ").collect(),
            None => vec![list],
        };
        for cause in list {
            let cause = cause.trim_end();
            let path = cause.split(": ").next().unwrap_or_default();
            let (range, whole) = locate(text, part, path, false);
            let fix = if whole { nearest_value(cause) } else { None };
            push(range, cause.to_owned(), fix);
        }
    } else {
        let message = words.strip_prefix("error: ").unwrap_or(words);
        let path = path_in(message);
        let (range, _) = locate(text, part, &path, false);
        push(range, message.to_owned(), None);
    }
}

/// `unknown field "a", unknown field "b"` → its parts.
fn causes(list: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in list.match_indices(", ") {
        let next = list.get(at + 2..).unwrap_or_default();
        if next.starts_with("unknown field \"") || next.starts_with("duplicate field \"") {
            found.push(list.get(start..at).unwrap_or_default());
            start = at + 2;
        }
    }
    found.push(list.get(start..).unwrap_or_default());
    found
}

/// Which field another message is about, as far as it says.
fn path_in(message: &str) -> String {
    if let Some((_, rest)) = message.split_once("Go struct field ") {
        let path = rest.split(" of type").next().unwrap_or_default();
        return path.split_once('.').map_or(path, |(_, p)| p).to_owned();
    }
    let table = [
        ("no matches for kind", "kind"),
        ("kind not set", "kind"),
        ("apiVersion not set", "apiVersion"),
        ("namespaces \"", "metadata.namespace"),
        ("generate name", "metadata.generateName"),
        ("resource name may not be empty", "metadata"),
    ];
    let found = table.iter().find(|(words, _)| message.contains(words));
    found.map_or("metadata.name", |(_, path)| path).to_owned()
}

/// Where a field stands; says whether it was found as a whole. `key`: mark the key rather than the value.
fn locate(text: &str, part: &Part<'_>, path: &str, key: bool) -> (Range<usize>, bool) {
    let spans = &part.document.spans;
    let wanted = spans.parse_field_path(path).len();
    match spans.field(path) {
        Some(place) if place.depth > 0 => {
            let whole = place.depth == wanted;
            let range = match place.key {
                Some(span) if key && whole => bytes(span),
                _ => mark(text, place, whole),
            };
            (range, whole)
        }
        _ => {
            let start = spans.nearest(&[]).map_or(0, |p| p.value.start.offset);
            (start..word_end(text, start), false)
        }
    }
}

fn kind_of(part: &Part<'_>) -> Option<TypeId> {
    let value = &part.document.value;
    Schema::get().kind(value.get("apiVersion")?.as_str()?, value.get("kind")?.as_str()?)
}

/// The field that an unknown one was probably meant to be.
fn nearest_field(part: &Part<'_>, path: &str) -> Option<String> {
    let steps = part.document.spans.parse_field_path(path);
    let (PathElement::Key(name), parent) = steps.split_last()? else { return None };
    let parent_steps: Vec<Step> = parent
        .iter()
        .map(|s| match s {
            PathElement::Key(key) => Step::Key(key.clone()),
            PathElement::Index(index) => Step::Item(*index),
        })
        .collect();
    let (ty, _) = walk(kind_of(part)?, &parent_steps)?;
    let GoType::Named(id) = super::fields::strip(Schema::get(), &ty) else { return None };
    let taken = |field: &str| {
        let mut path = parent.to_vec();
        path.push(field.into());
        part.document.spans.get(&path).is_some()
    };
    let names = Schema::get().fields(id).iter().map(|f| f.name).filter(|f| !taken(f));
    nearest(name, names).map(str::to_owned)
}

/// The value that an unsupported one was probably meant to be.
fn nearest_value(cause: &str) -> Option<String> {
    let (_, rest) = cause.split_once("Unsupported value: \"")?;
    let (value, rest) = rest.split_once('"')?;
    let (_, list) = rest.split_once("supported values: ")?;
    let values = list.split('"').skip(1).step_by(2);
    nearest(value, values).map(str::to_owned)
}

/// The most similar word, if one is similar enough.
fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = match length {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    words
        .map(|w| (distance(&word.to_lowercase(), &w.to_lowercase()), w))
        .filter(|(d, _)| *d <= limit && *d < length.max(1))
        .min_by_key(|(d, _)| *d)
        .map(|(_, w)| w)
}

/// How many letters must be put in, taken away, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(ca != cb);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *cb && b[j - 1] == *ca {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  lables:\n    app: web\nspec:\n  restartPolicy: always\n  containers:\n  - name: Web\n    image: nginx\n";

    fn found(text: &str, words: &str) -> Vec<(String, String, Option<String>)> {
        findings(text, &mut |_| words.to_owned())
            .into_iter()
            .map(|f| (text[f.range].to_owned(), f.message, f.fix))
            .collect()
    }

    #[test]
    fn each_unknown_field_is_marked_and_the_nearest_one_is_offered() {
        let words = "Error from server (BadRequest): error when creating \"pod.yaml\": Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown field \"metadata.lables\", unknown field \"sepc\"\n";
        let text = POD.replace("\nspec", "\nsepc");
        assert_eq!(
            found(&text, words),
            [
                (
                    "lables".to_owned(),
                    "strict decoding error: unknown field \"metadata.lables\"".to_owned(),
                    Some("labels".to_owned())
                ),
                (
                    "sepc".to_owned(),
                    "strict decoding error: unknown field \"sepc\"".to_owned(),
                    Some("spec".to_owned())
                ),
            ]
        );
    }

    #[test]
    fn a_key_that_stands_twice_is_marked_where_it_does_so() {
        let text = "kind: Pod\nmetadata:\n  name: a\n---\nkind: Pod\nkind: Node\n";
        let found = findings(text, &mut |_| String::new());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].range.start, found[0].level), (text.rfind("kind").unwrap(), Level::Twice));
    }

    #[test]
    fn where_a_check_is_cut_changes_nothing() {
        let text =
            format!("{POD}---\n{POD}---\nkind: Namespace\nmetadata: {{name: x}}\n---\n# nothing\n---\n{POD}");
        let words = "strict decoding error: unknown field \"metadata.lables\"";
        let mut check = Check::begin(&text);
        let mut turns = 1;
        while !check.go_on(&mut |_| words.to_owned(), &mut || false) {
            turns += 1;
        }
        assert!(turns > 6, "{turns}");
        assert_eq!(check.found, findings(&text, &mut |_| words.to_owned()));
        assert_eq!(check.found.len(), 4);
    }

    #[test]
    fn each_cause_of_an_invalid_object_is_marked() {
        let words = "The Pod \"web\" is invalid: \n* spec.containers[0].name: Invalid value: \"Web\": a lowercase RFC 1123 label must consist of\n* spec.restartPolicy: Unsupported value: \"always\": supported values: \"Always\", \"OnFailure\", \"Never\"\n";
        let found = found(POD, words);
        assert_eq!((found[0].0.as_str(), found[1].0.as_str()), ("Web", "always"));
        assert_eq!(found[1].2.as_deref(), Some("Always"));
        assert!(found[0].1.starts_with("spec.containers[0].name: Invalid value"));
    }

    #[test]
    fn a_missing_field_is_shown_where_it_is_missing() {
        let words = "The Pod \"web\" is invalid: spec.containers[0].terminationMessagePath: Required value\n";
        let marked = &found(POD, words)[0].0;
        assert!(POD.contains(marked.as_str()) && !marked.contains('\n'), "{marked}");
    }

    #[test]
    fn an_error_of_the_grammar_is_marked_where_it_is() {
        let text = "kind: Pod\nmetadata:\n  name: a: b\n";
        let one = findings(text, &mut |_| {
            "error: error parsing pod.yaml: error converting YAML to JSON: yaml: line 3: mapping values are not allowed in this context\n".to_owned()
        });
        assert_eq!(one.len(), 1);
        assert!(one[0].message.starts_with("error parsing pod.yaml"));
        assert_eq!(text[..one[0].range.start].matches('\n').count(), 2);
    }

    #[test]
    fn what_is_kept_and_not_simulated_is_marked() {
        let text = "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nspec: {}\n---\napiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - securityContext:\n          privileged: true\n";
        let marked =
            |words: &str| found(text, words).into_iter().map(|(at, what, _)| (at, what)).collect::<Vec<_>>();
        let path = "spec.template.spec.containers[0].securityContext.privileged";
        let expected = [("ServiceCIDR", "ServiceCIDR"), ("privileged", path)];
        assert_eq!(marked(""), expected.map(|(at, what)| (at.to_owned(), what.to_owned())));
        assert!(found("apiVersion: v1\nkind: LimitRange\n", "").is_empty());
    }

    #[test]
    fn documents_are_checked_one_by_one() {
        let text = "kind: A\n---\n# two\nkind: B\nmetadata: {name: b}\n";
        let mut asked = Vec::new();
        findings(text, &mut |part| {
            asked.push(part.to_owned());
            String::new()
        });
        assert_eq!(asked.len(), 2);
        assert!(asked[0].starts_with("kind: A") && asked[1].starts_with("kind: B"));
    }

    #[test]
    fn a_swap_counts_as_one_change() {
        assert_eq!(distance("lables", "labels"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(nearest("xyz", ["image", "name"].into_iter()), None);
    }
}
