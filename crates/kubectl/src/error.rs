//! Errors, and how kubectl prints them.
//!
//! Source: k8s.io/kubectl/pkg/cmd/util/helpers.go checkErr, StandardErrorMessage (v1.37).

use podlab_api::Status;

/// Why a command failed.
#[derive(Clone, Debug)]
pub(crate) enum Error {
    /// The server's refusal.
    Status(Box<Status>),
    /// A text of kubectl's own, printed after `error: `.
    Message(String),
    /// A text that stands as it is.
    Plain(String),
    /// Several at once.
    Many(Vec<Error>),
    /// A text that stands as it is, with the exit code of a program.
    Coded(String, i32),
    /// No text: all has been said.
    Exit(i32),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl From<Status> for Error {
    fn from(status: Status) -> Error {
        Error::Status(Box::new(status))
    }
}

/// An error with a text of kubectl's own.
pub(crate) fn message<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::Message(text.into()))
}

/// An error that points to the command's help.
pub(crate) fn usage<T>(path: &str, text: impl AsRef<str>) -> Result<T> {
    message(format!("{}\nSee '{path} -h' for help and examples", text.as_ref()))
}

impl Error {
    /// The error with where it came from: `error when creating "STDIN": …`.
    pub(crate) fn when(self, verb: &str, source: &str) -> Error {
        match self {
            Error::Status(mut status) if !source.is_empty() => {
                status.message = format!("error when {verb} {source:?}: {}", status.message);
                Error::Status(status)
            }
            Error::Message(text) if !source.is_empty() => {
                Error::Message(format!("error when {verb} {source:?}: {text}"))
            }
            other => other,
        }
    }

    /// The server's refusal, if it is one.
    pub(crate) fn status(&self) -> Option<&Status> {
        match self {
            Error::Status(status) => Some(status),
            _ => None,
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.status().is_some_and(Status::is_not_found)
    }

    /// The bare text, as Go's `err.Error()`.
    pub(crate) fn text(&self) -> String {
        match self {
            Error::Status(status) => status.message.clone(),
            Error::Message(text) | Error::Plain(text) | Error::Coded(text, _) => text.clone(),
            Error::Many(errors) => {
                let texts: Vec<String> = errors.iter().map(Error::text).collect();
                match texts.as_slice() {
                    [one] => one.clone(),
                    many => format!("[{}]", many.join(", ")),
                }
            }
            Error::Exit(_) => "exit".to_owned(),
        }
    }

    /// What goes to standard error, and the exit code.
    pub(crate) fn render(&self) -> (String, i32) {
        match self {
            Error::Exit(code) => (String::new(), *code),
            Error::Coded(text, code) => (newline(text.clone()), *code),
            Error::Many(errors) => match errors.as_slice() {
                [] => (String::new(), 1),
                [one] => one.render(),
                many => {
                    let lines: Vec<String> = many.iter().map(|e| e.standard() + "\n").collect();
                    (lines.concat(), 1)
                }
            },
            Error::Status(status) if status.reason == "Invalid" => (newline(invalid(status)), 1),
            Error::Message(text) if !text.starts_with("error: ") => (newline(format!("error: {text}")), 1),
            other => (newline(other.standard()), 1),
        }
    }

    /// One of several errors on its line.
    pub(crate) fn standard(&self) -> String {
        match self {
            Error::Status(status) if status.reason.is_empty() => {
                format!("Error from server: {}", status.message)
            }
            Error::Status(status) => format!("Error from server ({}): {}", status.reason, status.message),
            other => other.text(),
        }
    }
}

fn newline(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn invalid(status: &Status) -> String {
    let Some(details) = &status.details else {
        return match status.message.as_str() {
            "" => "The request is invalid".to_owned(),
            text => format!("The request is invalid: {text}"),
        };
    };
    let mut head = "The request is invalid".to_owned();
    if !details.kind.is_empty() || !details.name.is_empty() {
        head = format!("The {} {:?} is invalid", details.kind, details.name);
    } else if !status.message.is_empty() && details.causes.is_empty() {
        head = format!("{head}: {}", status.message);
    }
    let mut causes: Vec<String> = Vec::new();
    for cause in &details.causes {
        let text = format!("{}: {}", cause.field, cause.message);
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    match causes.as_slice() {
        [] => head,
        // A line's end of the cause itself stays: Go's text of one error always gets another.
        [one] => format!("{head}: {one}\n"),
        many => {
            let mut out = format!("{head}: \n");
            for cause in many {
                out.push_str(&format!("* {cause}\n"));
            }
            out
        }
    }
}
