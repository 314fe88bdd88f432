//! What two runs of the real programs differ in, and nothing else: see CONFORMANCE.md beside the recordings.
//!
//! Recordings hold placeholders (`<uid>`, `<suffix>`, `<rs1>`) where something is drawn, allocated or read off a
//! clock. What podlab gives is compared with them in place: each placeholder matches what could stand there, and one
//! with a number matches the same text everywhere in a record.

use regex::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Steps after which a line that has very many ways to match counts as different.
const MAX_STEPS: usize = 20_000;

/// The texts that numbered placeholders of one record stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Masks {
    bound: BTreeMap<String, String>,
}

enum Segment<'a> {
    Literal(&'a str),
    Placeholder(&'a str),
}

/// Whether a character can be part of what a placeholder stands for; `None` where the name is none.
fn accepts(name: &str) -> Option<fn(char) -> bool> {
    let name_part: fn(char) -> bool =
        |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    Some(match name {
        "uid" => |c| c.is_ascii_hexdigit() || c == '-',
        "rv" | "nodePort" | "pid" => |c| c.is_ascii_digit(),
        "ts" => |c| c.is_ascii_digit() || matches!(c, ' ' | ':' | '.'),
        "time" | "timestamp" => {
            |c| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '+' | '-' | ',' | ' ')
        }
        "ip" | "podIP" => |c| c.is_ascii_hexdigit() || matches!(c, '.' | ':'),
        "suffix" | "r" => |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
        "id" => |c| c.is_ascii_hexdigit(),
        name if is_numbered(name) => name_part,
        _ => return None,
    })
}

fn is_numbered(name: &str) -> bool {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    letters.len() < name.len() && matches!(letters, "rs" | "p" | "job" | "rev" | "eps" | "pv" | "n")
}

fn segments(text: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(open) = rest[from..].find('<').map(|at| at + from) {
        let name =
            rest[open + 1..].split_once('>').map(|(name, _)| name).filter(|name| accepts(name).is_some());
        match name {
            Some(name) => {
                if open > 0 {
                    segments.push(Segment::Literal(&rest[..open]));
                }
                segments.push(Segment::Placeholder(name));
                rest = &rest[open + name.len() + 2..];
                from = 0;
            }
            None => from = open + 1,
        }
    }
    if !rest.is_empty() {
        segments.push(Segment::Literal(rest));
    }
    segments
}

pub(super) fn has_placeholder(text: &str) -> bool {
    segments(text).iter().any(|segment| matches!(segment, Segment::Placeholder(_)))
}

impl Masks {
    fn matches(&mut self, expected: &[Segment<'_>], got: &str, steps: &mut usize) -> bool {
        *steps += 1;
        if *steps > MAX_STEPS {
            return false;
        }
        match expected.split_first() {
            None => got.is_empty(),
            Some((Segment::Literal(literal), rest)) => {
                got.strip_prefix(literal).is_some_and(|got| self.matches(rest, got, steps))
            }
            Some((Segment::Placeholder(name), rest)) => {
                if let Some(bound) = self.bound.get(*name).cloned() {
                    return got
                        .strip_prefix(bound.as_str())
                        .is_some_and(|got| self.matches(rest, got, steps));
                }
                let accept = accepts(name).unwrap_or(|_| false);
                let longest = got.find(|c| !accept(c)).unwrap_or(got.len());
                // What is masked is ASCII, so that every length is a boundary.
                (1..=longest).rev().any(|length| {
                    let before = self.bound.clone();
                    if is_numbered(name) {
                        self.bound.insert((*name).to_owned(), got[..length].to_owned());
                    }
                    let matched = self.matches(rest, &got[length..], steps);
                    if !matched {
                        self.bound = before;
                    }
                    matched
                })
            }
        }
    }

    fn line(&mut self, expected: &str, got: &str) -> String {
        if expected == got {
            return got.to_owned();
        }
        let same = self.matches(&segments(expected), got, &mut 0) || suffixes(expected) == suffixes(got);
        if same { expected.to_owned() } else { got.to_owned() }
    }

    /// `got`, with `expected`'s placeholders in it where they match, line by line.
    ///
    /// Where a placeholder changed the width of a column, runs of spaces count as one in both: the result is then
    /// `expected` itself.
    pub(super) fn text(&mut self, expected: &str, got: &str) -> String {
        let (wanted, found): (Vec<&str>, Vec<&str>) =
            (expected.split('\n').collect(), got.split('\n').collect());
        let before = self.bound.clone();
        let mut masked: Vec<String> = found.iter().map(|line| (*line).to_owned()).collect();
        // From the start while the lines agree; with lines missing or added, from the end as well.
        let aligned = wanted.len() == found.len();
        for index in 0..wanted.len().min(found.len()) {
            masked[index] = self.line(wanted[index], found[index]);
            if !aligned && masked[index] != wanted[index] {
                break;
            }
        }
        for back in 1..=wanted.len().min(found.len()) {
            let (wanted, index) = (wanted[wanted.len() - back], found.len() - back);
            if aligned || masked[index] == wanted {
                break;
            }
            masked[index] = self.line(wanted, found[index]);
        }
        let masked = masked.join("\n");
        if masked == expected || !aligned || !has_placeholder(expected) {
            return masked;
        }
        self.bound = before;
        let same = wanted.iter().zip(&found).all(|(wanted, found)| {
            let (wanted, found) = (collapse(wanted), collapse(found));
            wanted == found || self.matches(&segments(&wanted), &found, &mut 0)
        });
        if same { expected.to_owned() } else { masked }
    }

    /// `got`, with `expected`'s placeholders in its texts where they match.
    pub(super) fn tree(&mut self, expected: &Value, got: &Value) -> Value {
        match (expected, got) {
            (Value::String(expected), Value::String(got)) => Value::String(self.text(expected, got)),
            // A number that is allocated is recorded as a placeholder.
            (Value::String(expected), Value::Number(number)) if has_placeholder(expected) => {
                match self.text(expected, &number.to_string()) {
                    text if text == *expected => Value::String(text),
                    _ => got.clone(),
                }
            }
            (Value::Array(expected), Value::Array(got)) => {
                let mut expected = expected.iter();
                got.iter().map(|got| self.tree(expected.next().unwrap_or(&Value::Null), got)).collect()
            }
            (Value::Object(expected), Value::Object(got)) => {
                let masked: Map<String, Value> = got
                    .iter()
                    .map(|(key, got)| {
                        let expected = expected.get(key).unwrap_or(&Value::Null);
                        // The server's clock at the recording.
                        let stamped = matches!(&**key, "lastTransitionTime" | "lastPhaseTransitionTime")
                            && [expected, got].into_iter().all(is_time);
                        (key.clone(), if stamped { expected.clone() } else { self.tree(expected, got) })
                    })
                    .collect();
                Value::Object(masked)
            }
            _ => got.clone(),
        }
    }
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| absolute(text) == "<time>")
}

/// `got`, as `expected` where they differ only by ages, and by the width of the columns that ages stand in.
pub(super) fn same_but_ages(masks: &mut Masks, expected: &str, got: &str) -> String {
    let (wanted, found) = (ages(expected), ages(got));
    if masks.text(&wanted, &found) == wanted {
        return expected.to_owned();
    }
    let lines = |text: &str| text.split('\n').map(collapse).collect::<Vec<_>>().join("\n");
    let (wanted_lines, found_lines) = (lines(&wanted), lines(&found));
    let changed = wanted != expected || found != got;
    if changed && masks.text(&wanted_lines, &found_lines) == wanted_lines {
        return expected.to_owned();
    }
    masks.text(expected, got)
}

static ABSOLUTE: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uid>"),
        (r#"(resourceVersion"?: )"\d+""#, "$1\"<rv>\""),
        (r"\b10\.\d+\.\d+\.\d+\b", "<ip>"),
        (r":3[0-2]\d\d\d/", ":<nodePort>/"),
        (r#"(nodePort"?: )3\d{4}"#, "$1<nodePort>"),
        (r"(NodePort: .*)\b3\d{4}/", "$1<nodePort>/"),
        (r"bash: line [0-9N]+:", "bash: line <n>:"),
    ]
    .into_iter()
    .filter_map(|(pattern, placeholder)| Some((Regex::new(pattern).ok()?, placeholder)))
    .collect()
});

static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(resourceVersion"?: |Resource Version: +)"?\d+"?"#).ok());

/// Takes out resourceVersions.
pub(super) fn without_versions(text: &str) -> String {
    match VERSION.as_ref() {
        Some(version) => version.replace_all(text, "$1\"<rv>\"").into_owned(),
        None => text.to_owned(),
    }
}

/// What the API server and controllers append to names: five characters without vowels.
static SUFFIX: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"-([bcdfghjklmnpqrstvwxz2456789]{5}\b|<suffix>)").ok());

/// Masks what recordings without placeholders hold: times, uids, resourceVersions, addresses, and drawn suffixes,
/// numbered by their appearance.
fn absolute(text: &str) -> String {
    let text = ABSOLUTE.iter().fold(text.to_owned(), |text, (pattern, placeholder)| {
        pattern.replace_all(&text, *placeholder).into_owned()
    });
    suffixes(&text)
}

/// What a drain warns of and refuses is gathered in maps of Go's: the order of these parts changes from run to run.
///
/// Source: k8s.io/kubectl/pkg/drain/filters.go `Warnings`, `errors` (v1.37); of eight equal drains by the real kubectl six warned of
/// the DaemonSet's pods first and two last, and one of eight named them last in its error.
pub(super) fn drain_in_order(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        if let Some(parts) = line.strip_prefix("Warning: ").filter(|parts| parts.contains("; ")) {
            let mut parts: Vec<&str> = parts.split("; ").collect();
            parts.sort_unstable();
            return format!("Warning: {}", parts.join("; "));
        }
        let list = line.split_once("due to error: [").and_then(|(head, rest)| {
            let (list, tail) = rest.split_once("], continuing")?;
            Some((head, list, tail))
        });
        match list {
            Some((head, list, tail)) => {
                let mut parts: Vec<&str> = list.split(", cannot delete").collect();
                if let Some(first) = parts.first_mut() {
                    *first = first.strip_prefix("cannot delete").unwrap_or(first);
                }
                parts.sort_unstable();
                format!(
                    "{head}due to error: [cannot delete{}], continuing{tail}",
                    parts.join(", cannot delete")
                )
            }
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Drawn suffixes as `<s1>`, `<s2>`, in the order in which they appear.
fn suffixes(text: &str) -> String {
    let Some(suffix) = SUFFIX.as_ref() else { return text.to_owned() };
    let mut seen: Vec<String> = Vec::new();
    let numbered = suffix.replace_all(text, |found: &regex::Captures<'_>| {
        let drawn = found[1].to_owned();
        let index = seen.iter().position(|known| *known == drawn).unwrap_or_else(|| {
            seen.push(drawn);
            seen.len() - 1
        });
        format!("-<s{}>", index + 1)
    });
    numbered.into_owned()
}

/// `got`, as `expected` where they differ only by what two runs always differ in.
pub(super) fn same_run(masks: &mut Masks, expected: &str, got: &str) -> String {
    let (wanted, found) = (absolute(expected), absolute(got));
    if wanted == expected && found == got {
        return same_but_ages(masks, expected, got);
    }
    // What was masked had another width: columns count without theirs.
    let lines = |text: &str| text.split('\n').map(collapse).collect::<Vec<_>>().join("\n");
    let same = same_but_ages(masks, &wanted, &found) == wanted
        || same_but_ages(masks, &lines(&wanted), &lines(&found)) == lines(&wanted);
    if same {
        return expected.to_owned();
    }
    // For reading: the masked lines that agree are shown as recorded.
    let mut shown = Vec::new();
    let mut recorded = expected.split('\n').zip(wanted.split('\n'));
    for (raw, line) in got.split('\n').zip(found.split('\n')) {
        match recorded.next() {
            Some((original, wanted)) if collapse(&ages(wanted)) == collapse(&ages(line)) => {
                shown.push(original.to_owned())
            }
            _ => shown.push(raw.to_owned()),
        }
    }
    shown.join("\n")
}

/// Runs of spaces as one.
fn collapse(text: &str) -> String {
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Drops `metadata.managedFields`, which recordings leave out, at every depth where metadata can stand.
pub(super) fn without_managed_fields(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    for item in object.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        *item = without_managed_fields(item.take());
    }
    object
}

/// Ages and durations as whole words (`5h20m`, `(3s ago)`, `x2 over 40s`), each as `<age>`.
pub(super) fn ages(text: &str) -> String {
    let is_separator = |c: char| c == ' ' || c == '\n' || c == '\t' || c == '(' || c == ')';
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(is_separator).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        masked.push_str(if is_age(word) { "<age>" } else { word });
        let separator = after.find(|c| !is_separator(c)).unwrap_or(after.len());
        let (separators, after) = after.split_at(separator);
        masked.push_str(separators);
        rest = after;
    }
    masked
}

/// `12d`, `2m13s`, `<unknown>` is none.
fn is_age(word: &str) -> bool {
    let mut digits = 0;
    let mut units = 0;
    for c in word.chars() {
        match c {
            '0'..='9' => digits += 1,
            'y' | 'd' | 'h' | 'm' | 's' if digits > 0 => {
                digits = 0;
                units += 1;
            }
            _ => return false,
        }
    }
    units > 0 && digits == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_match_what_could_stand_there() {
        let mut masks = Masks::default();
        let expected = "pod/web-<rs1>-<p1> uid <uid> <none>";
        let got = "pod/web-5d4f8c7b9-x2v7k uid 5e4719a2-6582-5de5-841a-51e7d7955aca <none>";
        assert_eq!(masks.text(expected, got), expected);
        assert_eq!(masks.text("web-<rs1>", "web-5d4f8c7b9"), "web-<rs1>");
        assert_eq!(masks.text("web-<rs1>", "web-6666666666"), "web-6666666666");
    }

    #[test]
    fn columns_that_a_mask_changed_are_compared_without_their_width() {
        let mut masks = Masks::default();
        let expected = "NAME        AGE\nweb-<suffix>   5s";
        assert_eq!(masks.text(expected, "NAME        AGE\nweb-x2v7k   5s"), expected);
        assert_eq!(masks.text("NAME   AGE\nweb    5s", "NAME    AGE\nweb     5s"), "NAME    AGE\nweb     5s");
    }

    #[test]
    fn ages_are_whole_words() {
        assert_eq!(
            ages("web 1/1 2 (3s ago) 5h20m x2 over 40s 10.0.0.1 3rd"),
            "web 1/1 2 (<age> ago) <age> x2 over <age> 10.0.0.1 3rd"
        );
    }
}
