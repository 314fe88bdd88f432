//! What can be wrong with a YAML or JSON text, in the words kubectl prints.

/// A place in the text that was given, as an editor counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Bytes from the start of the text.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// What kind of failure a [`YamlError`] is; kubectl wraps each kind differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is no YAML, or YAML that go-yaml refuses (`yaml: line 3: …`).
    Yaml,
    /// YAML that has no JSON form (`json: unsupported value: NaN`, a null key).
    Conversion,
    /// The text began as JSON and is neither JSON nor YAML (`json: offset 3: …`).
    Json,
    /// A line that begins with `---` and goes on with something else.
    Separator,
    /// A bound of podlab's own that kubectl does not have.
    Limit,
}

/// Why a document could not be read.
///
/// `Display` is what kubectl prints after `error parsing STDIN: `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{text}", self.prefix())]
pub struct YamlError {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// go-yaml's own text, e.g. `yaml: line 11: mapping values are not allowed in this context`.
    /// Its line counts from the start of the document, and for errors of the grammar is one less
    /// than an editor's line.
    pub text: String,
    /// Where an editor should mark it, if the reader knew; counted in the whole text.
    pub position: Option<Position>,
    /// Where what is wrong began, e.g. the quote that is never closed or the mapping that lacks a
    /// key; `None` if there is no such place.
    pub context: Option<Position>,
}

impl YamlError {
    fn prefix(&self) -> &'static str {
        match self.kind {
            ErrorKind::Yaml | ErrorKind::Conversion | ErrorKind::Limit => "error converting YAML to JSON: ",
            ErrorKind::Json | ErrorKind::Separator => "",
        }
    }

    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), position: None, context: None }
    }

    pub(crate) fn yaml(text: impl std::fmt::Display) -> Self {
        Self::new(ErrorKind::Yaml, format!("yaml: {text}"))
    }

    pub(crate) fn limit(text: impl std::fmt::Display) -> Self {
        Self::new(ErrorKind::Limit, format!("yaml: {text} (a limit of podlab's own)"))
    }

    pub(crate) fn at(mut self, mark: Mark) -> Self {
        self.position.get_or_insert(mark.position());
        self
    }
}

/// A place inside one document while it is being read; counts from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Bytes.
    pub offset: usize,
    /// Characters; decides how far a simple key may be from its colon.
    pub index: usize,
    pub line: usize,
    pub column: usize,
}

impl Mark {
    pub(crate) fn position(self) -> Position {
        Position { offset: self.offset, line: self.line + 1, column: self.column + 1 }
    }
}

/// Who found a problem, which decides how go-yaml counts its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finder {
    Reader,
    Scanner,
    Parser,
}

/// A problem of the text's form, before it gets its line.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub finder: Finder,
    pub text: String,
    pub mark: Mark,
    pub context: Option<Mark>,
}

impl Problem {
    /// Gives the line go-yaml would print.
    ///
    /// The scanner's lines count from 1, the parser's from 0; a problem on the first line has no
    /// line unless its context is on a later one, and the reader's problems never have one.
    /// Source: go.yaml.in/yaml/v2 decode.go parser.fail (v2.4.4).
    pub(crate) fn into_error(self) -> YamlError {
        let line = match self.finder {
            Finder::Reader => 0,
            _ if self.mark.line == 0 => self.context.map_or(0, |context| context.line),
            Finder::Scanner => self.mark.line + 1,
            Finder::Parser => self.mark.line,
        };
        let text = if line != 0 { format!("line {line}: {}", self.text) } else { self.text };
        let mut error = YamlError::yaml(text).at(self.mark);
        error.context = self.context.map(Mark::position);
        error
    }
}
