//! Why a text is no script, and how each shell words it.

use crate::vm::Dialect;

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub kind: ErrorKind,
    pub line: u32,
    /// The source line, which bash repeats.
    pub source: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// A token where it cannot stand, and what was expected.
    Unexpected {
        token: String,
        expecting: Option<&'static str>,
    },
    /// The text ends too early: more lines could complete it.
    Eof {
        expecting: Option<&'static str>,
    },
    UnterminatedQuote(char),
    BadForVariable,
    BadFunctionName,
    TooDeep,
}

impl SyntaxError {
    /// Whether more input could make it right (an interactive shell then asks on).
    pub fn is_incomplete(&self) -> bool {
        matches!(self.kind, ErrorKind::Eof { .. } | ErrorKind::UnterminatedQuote(_))
    }

    /// The lines a shell prints; `prefix` is `sh: `, `sh: 1: ` or `bash: -c: line 1: `.
    pub fn text(&self, dialect: Dialect, prefix: &str) -> String {
        let word = |e: &Option<&'static str>| e.map_or(String::new(), |e| format!(" (expecting \"{e}\")"));
        match dialect {
            Dialect::Bash => match &self.kind {
                ErrorKind::Unexpected { token, .. } => format!(
                    "{prefix}syntax error near unexpected token `{token}'\n{prefix}`{}'\n",
                    self.source
                ),
                ErrorKind::Eof { expecting: Some(")") } => {
                    format!("{prefix}unexpected EOF while looking for matching `)'\n")
                }
                ErrorKind::Eof { .. } => format!("{prefix}syntax error: unexpected end of file\n"),
                ErrorKind::UnterminatedQuote(q) => {
                    format!("{prefix}unexpected EOF while looking for matching `{q}'\n")
                }
                ErrorKind::BadForVariable | ErrorKind::BadFunctionName => {
                    format!("{prefix}not a valid identifier\n")
                }
                ErrorKind::TooDeep => format!("{prefix}maximum nesting exceeded\n"),
            },
            Dialect::Ash => {
                let text = match &self.kind {
                    ErrorKind::Unexpected { token, expecting } => {
                        format!("unexpected {}{}", ash_token(token), word(expecting))
                    }
                    ErrorKind::Eof { expecting } => format!("unexpected end of file{}", word(expecting)),
                    ErrorKind::UnterminatedQuote('}') => "missing '}'".to_owned(),
                    ErrorKind::UnterminatedQuote('`') => "EOF in backquote substitution".to_owned(),
                    ErrorKind::UnterminatedQuote('d') => "missing '))'".to_owned(),
                    ErrorKind::UnterminatedQuote(_) => "unterminated quoted string".to_owned(),
                    ErrorKind::BadForVariable => "bad for loop variable".to_owned(),
                    ErrorKind::BadFunctionName => "bad function name".to_owned(),
                    ErrorKind::TooDeep => "maximum nesting exceeded".to_owned(),
                };
                format!("{prefix}syntax error: {text}\n")
            }
            Dialect::Dash => {
                let text = match &self.kind {
                    ErrorKind::Unexpected { token, expecting } => {
                        format!("{} unexpected{}", ash_token(token), word(expecting))
                    }
                    ErrorKind::Eof { expecting } => format!("end of file unexpected{}", word(expecting)),
                    ErrorKind::UnterminatedQuote('}') => "Missing '}'".to_owned(),
                    ErrorKind::UnterminatedQuote('`') => "EOF in backquote substitution".to_owned(),
                    ErrorKind::UnterminatedQuote('d') => "Missing '))'".to_owned(),
                    ErrorKind::UnterminatedQuote(_) => "Unterminated quoted string".to_owned(),
                    ErrorKind::BadForVariable => "Bad for loop variable".to_owned(),
                    ErrorKind::BadFunctionName => "Bad function name".to_owned(),
                    ErrorKind::TooDeep => "maximum nesting exceeded".to_owned(),
                };
                format!("{prefix}Syntax error: {text}\n")
            }
        }
    }
}

fn ash_token(token: &str) -> String {
    match token {
        "newline" | "redirection" | "end of file" | "word" => token.to_owned(),
        t => format!("\"{t}\""),
    }
}

pub(super) type Result<T> = std::result::Result<T, SyntaxError>;
