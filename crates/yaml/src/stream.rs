//! From a whole text to its documents.
//!
//! kubectl cuts the text at lines that begin with `---` before it reads any YAML, so go-yaml
//! counts lines from the start of a document. A text that begins with `{` is tried as JSON first.
//! Source: k8s.io/apimachinery pkg/util/yaml decoder.go (v1.37).

use serde_json::Value;

use crate::composer::{MAX_NODES, compose};
use crate::decode::{DuplicateKey, decode};
use crate::error::{ErrorKind, Position, YamlError};
use crate::json_reader::{self, JsonFailure};
use crate::spans::{Origin, SpanIndex};

/// One document of a text.
#[derive(Clone, Debug)]
pub struct Document {
    /// The document as JSON; `Null` if it is empty, which kubectl passes over.
    pub value: Value,
    /// Finds the document's keys and values in the whole text.
    pub spans: SpanIndex,
    /// Keys that a mapping has twice; the value has the last one.
    pub duplicates: Vec<DuplicateKey>,
}

/// The documents of a text, up to the first that cannot be read.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// What could be read, in order, empty documents included.
    pub documents: Vec<Document>,
    /// Why reading stopped before the end.
    pub error: Option<YamlError>,
}

/// Reads a text as `kubectl apply -f` does.
///
/// ```
/// let read = podlab_yaml::parse_documents("kind: Pod\n---\nkind: Service\n");
/// assert_eq!(read.documents.len(), 2);
/// let read = podlab_yaml::parse_documents("a: b: c\n");
/// let error = read.error.unwrap();
/// assert_eq!(
///     error.to_string(),
///     "error converting YAML to JSON: yaml: mapping values are not allowed in this context"
/// );
/// ```
pub fn parse_documents(text: &str) -> Documents {
    let mut reading = Reading::begin(text);
    reading.go_on(text, &mut || true);
    reading.read
}

/// A text that is read document by document: thousands of them take longer than a page may stand still.
#[derive(Clone, Debug)]
pub struct Reading {
    read: Documents,
    at: usize,
    /// Lines before `at`.
    line: usize,
    end: Position,
    first_error: Option<YamlError>,
    budget: Budget,
    done: bool,
}

impl Reading {
    /// Begins to read a text. JSON is read at once.
    pub fn begin(text: &str) -> Reading {
        let mut reading = Reading {
            read: Documents::default(),
            at: 0,
            line: 0,
            end: position_at(text, text.len()),
            first_error: None,
            budget: Budget { left: MAX_NODES },
            done: false,
        };
        reading.done = !reading.json(text);
        reading
    }

    /// What was read.
    pub fn finish(self) -> Documents {
        self.read
    }

    /// Reads the JSON values at the start; says whether YAML follows.
    fn json(&mut self, text: &str) -> bool {
        let (mut at, mut line) = (0, 0);
        let Reading { read, first_error, budget, end, .. } = self;
        let end = *end;
        // kubectl looks for the brace in the first 4096 bytes only.
        let head = text.get(..text.floor_char_boundary(4096)).unwrap_or(text);
        if head.trim_start_matches(is_go_space).starts_with('{') {
            loop {
                match json_reader::next_value(text, at) {
                    Ok(None) => return false,
                    Ok(Some((value, range))) => {
                        line += count_lines(text, at..range.start);
                        let origin = Origin { offset: range.start, line, dropped: Vec::new(), end };
                        line += count_lines(text, range.clone());
                        at = range.end;
                        read.documents.push(json_document(text, value, range, origin));
                        if let Some(error) = budget.spend(read.documents.last()) {
                            read.error = Some(error);
                            return false;
                        }
                    }
                    Err(failure) => {
                        let error = json_error(text, &failure);
                        // More than one JSON object: the stream is JSON for good. A value that
                        // cannot be held is found by kubectl later, when it decodes the object.
                        if read.documents.len() > 1 || failure.is_json {
                            let error = YamlError { text: failure.text, ..error };
                            read.error = Some(error);
                            return false;
                        }
                        *first_error = Some(error);
                        break;
                    }
                }
            }
            // Behind broken JSON, Go looks at four bytes at a time for white space, and gives up where
            // fewer are left.
            match skip_space(text, at) {
                Some(next) => {
                    line += count_lines(text, at..next);
                    at = next;
                }
                None => {
                    read.error = first_error.take();
                    return false;
                }
            }
        }
        (self.at, self.line) = (at, line);
        true
    }

    /// Goes on with the same text as long as `keep_going` says so between documents; returns whether all is read.
    pub fn go_on(&mut self, text: &str, keep_going: &mut dyn FnMut() -> bool) -> bool {
        while !self.done {
            self.next(text);
            if !keep_going() {
                break;
            }
        }
        self.done
    }

    fn next(&mut self, text: &str) {
        let mut reader = DocumentReader { text, at: self.at, line: self.line, end: self.end };
        let result = match reader.next() {
            Ok(None) => {
                self.done = true;
                return;
            }
            Ok(Some((document, origin))) => read_document(&document, origin),
            Err(error) => Err(error),
        };
        (self.at, self.line) = (reader.at, reader.line);
        match result {
            Ok(document) => {
                self.read.documents.push(document);
                self.first_error = None;
                self.read.error = self.budget.spend(self.read.documents.last());
            }
            Err(error) => {
                // kubectl has no limit of podlab's, so it would not have come to its JSON error.
                let first_error = self.first_error.take().filter(|_| error.kind != ErrorKind::Limit);
                self.read.error = Some(first_error.unwrap_or(error));
            }
        }
        self.done = self.read.error.is_some();
    }
}

/// Reads a text that is one YAML document, as `sigs.k8s.io/yaml.Unmarshal` does.
///
/// What stands behind the document's end (`...` or a second `---`) is not looked at.
///
/// # Errors
/// With go-yaml's text if the document is not YAML, or not YAML that JSON can express.
pub fn parse_document(text: &str) -> Result<Document, YamlError> {
    read_document(text, Origin { end: position_at(text, text.len()), ..Origin::default() })
}

fn read_document(text: &str, origin: Origin) -> Result<Document, YamlError> {
    let read = || -> Result<_, YamlError> {
        let tree = compose(text)?;
        let outcome = decode(&tree)?;
        Ok((tree, outcome))
    };
    match read() {
        Ok((tree, mut outcome)) => {
            for duplicate in &mut outcome.duplicates {
                duplicate.position = origin.place(duplicate.position);
            }
            Ok(Document {
                value: outcome.value,
                spans: SpanIndex::new(tree, origin),
                duplicates: outcome.duplicates,
            })
        }
        Err(mut error) => {
            error.position = error.position.map(|position| origin.place(position));
            error.context = error.context.map(|position| origin.place(position));
            Err(error)
        }
    }
}

/// A document that was read as JSON; its spans come from reading it as YAML, which JSON is.
fn json_document(text: &str, value: Value, range: std::ops::Range<usize>, origin: Origin) -> Document {
    let tree = compose(text.get(range).unwrap_or_default()).unwrap_or_default();
    Document { value, spans: SpanIndex::new(tree, origin), duplicates: Vec::new() }
}

fn json_error(text: &str, failure: &JsonFailure) -> YamlError {
    let message = match failure.offset {
        Some(offset) => format!("json: offset {offset}: {}", failure.text),
        None => failure.text.clone(),
    };
    let offset = failure.offset.map_or(text.len(), |offset| offset.saturating_sub(1));
    let mut error = YamlError::new(ErrorKind::Json, message);
    error.position = Some(position_at(text, offset));
    error
}

/// The place of a byte, its character's start if it is inside of one.
fn position_at(text: &str, offset: usize) -> Position {
    let before = text.get(..text.floor_char_boundary(offset)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).map_or(0, |line| line.chars().count());
    Position { offset: before.len(), line: count_lines(text, 0..offset) + 1, column: column + 1 }
}

/// What all documents of a text may cost together.
#[derive(Clone, Debug)]
struct Budget {
    left: usize,
}

impl Budget {
    /// Counts a document as its nodes and ten more; an error once there were too many.
    fn spend(&mut self, document: Option<&Document>) -> Option<YamlError> {
        let cost = document.map_or(0, |document| document.spans.size() + 10);
        match self.left.checked_sub(cost) {
            Some(left) => self.left = left,
            None => return Some(YamlError::limit("too many documents")),
        }
        None
    }
}

/// What Go's `unicode.IsSpace` calls white space.
fn is_go_space(c: char) -> bool {
    c.is_whitespace()
}

/// Steps over white space up to and including the first line feed; `None` near the end.
fn skip_space(text: &str, at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        if end + 4 > text.len() {
            return None;
        }
        match text.get(end..)?.chars().next() {
            Some('\n') => return Some(end + 1),
            Some(c) if is_go_space(c) => end += c.len_utf8(),
            _ => return Some(end),
        }
    }
}

/// The line feeds in a part of the text.
fn count_lines(text: &str, part: std::ops::Range<usize>) -> usize {
    text.as_bytes().get(part).unwrap_or_default().iter().filter(|&&b| b == b'\n').count()
}

/// Whether kubectl loses this line, which has no line feed: its line reader takes 4096 bytes at a
/// time and finds the end of the text together with a line only if the last piece is not full.
fn ends_with_a_full_buffer(line: &str) -> bool {
    const BUFFER: usize = 4096;
    let mut rest = line.as_bytes();
    while let Some((piece, behind)) = rest.split_at_checked(BUFFER) {
        // A carriage return at the end of a piece is left for the next one.
        rest = if piece.ends_with(b"\r") { rest.get(BUFFER - 1..).unwrap_or_default() } else { behind };
    }
    rest.is_empty()
}

/// Cuts a text at its separator lines.
struct DocumentReader<'a> {
    text: &'a str,
    at: usize,
    /// Lines before `at`.
    line: usize,
    /// The end of the text.
    end: Position,
}

impl DocumentReader<'_> {
    /// The next document with `\n` at the end of each line, and where it was.
    fn next(&mut self) -> Result<Option<(String, Origin)>, YamlError> {
        let mut document = String::new();
        let mut origin = Origin { offset: self.at, line: self.line, dropped: Vec::new(), end: self.end };
        while let Some(line) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            let (line, step) = match line.split_once('\n') {
                Some((line, _)) => (line, line.len() + 1),
                None => (line, line.len()),
            };
            let start = self.at;
            self.at += step;
            self.line += 1;
            let has_feed = step > line.len();
            if !has_feed && ends_with_a_full_buffer(line) {
                break;
            }
            let content = if has_feed { line.strip_suffix('\r').unwrap_or(line) } else { line };
            if let Some(behind) = content.strip_prefix("---") {
                let behind = behind.trim_matches(is_go_space);
                if !behind.is_empty() && !behind.starts_with('#') {
                    let position = Position { offset: start, line: self.line, column: 1 };
                    let text = format!("invalid Yaml document separator: {behind}");
                    let mut error = YamlError::new(ErrorKind::Separator, text);
                    error.position = Some(position);
                    return Err(error);
                }
                if !document.is_empty() {
                    return Ok(Some((document, origin)));
                }
            }
            document.push_str(content);
            document.push('\n');
            if content.len() < line.len() {
                origin.dropped.push(document.len());
            }
        }
        Ok((!document.is_empty()).then_some((document, origin)))
    }
}
