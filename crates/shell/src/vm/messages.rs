//! What each shell says when something is wrong. Recorded from busybox 1.35, dash 0.5.12 and bash 5.2.

use super::Dialect;
use super::shell::Shell;
use crate::context::Ctx;
use crate::fs::Errno;
use crate::syntax::SyntaxError;

/// Where the script came from, which decides how a place in it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `-c` or standard input.
    Command,
    /// A file.
    Script,
}

/// An expansion or assignment that failed; ends a non-interactive shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ShellError {
    ReadOnly(String),
    NotSet(String),
    /// `${x:?text}`
    Message(String, String),
    BadSubstitution(String),
    /// The rule broken, the expression and (for bash) the token.
    Arith {
        kind: ArithError,
        text: String,
        token: String,
    },
    TooMuch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArithError {
    DivideByZero,
    ExpectingPrimary,
    ExpectingEnd,
    ExpectingParen,
    BadNumber,
    /// A variable that holds no number (dash).
    BadVariable,
    NegativeExponent,
    TooDeep,
}

impl ShellError {
    pub fn code(&self, dialect: Dialect) -> i32 {
        match (dialect, self) {
            (Dialect::Bash, ShellError::NotSet(_) | ShellError::Message(..)) => 127,
            (Dialect::Bash, _) => 1,
            _ => 2,
        }
    }

    fn text(&self, dialect: Dialect) -> String {
        match self {
            ShellError::ReadOnly(name) => match dialect {
                Dialect::Bash => format!("{name}: readonly variable"),
                _ => format!("{name}: is read only"),
            },
            ShellError::NotSet(name) => match dialect {
                Dialect::Bash => format!("{name}: unbound variable"),
                _ => format!("{name}: parameter not set"),
            },
            ShellError::Message(name, text) => format!("{name}: {text}"),
            ShellError::BadSubstitution(text) => match dialect {
                Dialect::Bash => format!("${{{text}}}: bad substitution"),
                Dialect::Dash => "Bad substitution".to_owned(),
                Dialect::Ash => "syntax error: bad substitution".to_owned(),
            },
            ShellError::TooMuch => "Cannot allocate memory".to_owned(),
            ShellError::Arith { kind, text, token } => arith_text(dialect, *kind, text, token),
        }
    }
}

fn arith_text(dialect: Dialect, kind: ArithError, text: &str, token: &str) -> String {
    match dialect {
        Dialect::Ash => match kind {
            ArithError::DivideByZero => "divide by zero".to_owned(),
            ArithError::NegativeExponent => "exponent less than 0".to_owned(),
            _ => "arithmetic syntax error".to_owned(),
        },
        Dialect::Dash => match kind {
            ArithError::DivideByZero => format!("arithmetic expression: division by zero: \"{text}\""),
            ArithError::ExpectingEnd | ArithError::BadNumber => {
                format!("arithmetic expression: expecting EOF: \"{text}\"")
            }
            ArithError::ExpectingParen => format!("arithmetic expression: expecting ')': \"{text}\""),
            ArithError::BadVariable => format!("Illegal number: {token}"),
            _ => format!("arithmetic expression: expecting primary: \"{text}\""),
        },
        Dialect::Bash => {
            let what = match kind {
                ArithError::DivideByZero => "division by 0",
                ArithError::ExpectingPrimary => "syntax error: operand expected",
                ArithError::ExpectingEnd => "syntax error in expression",
                ArithError::ExpectingParen => "missing `)'",
                ArithError::BadNumber | ArithError::BadVariable => "value too great for base",
                ArithError::NegativeExponent => "exponent less than 0",
                ArithError::TooDeep => "expression recursion level exceeded",
            };
            let shown = if kind == ArithError::BadVariable { token } else { text };
            format!("{shown}: {what} (error token is \"{token}\")")
        }
    }
}

impl Shell {
    /// What stands before an error: `sh: `, `sh: 1: `, `bash: line 1: `.
    pub fn prefix(&self) -> String {
        let name = &self.name;
        let line = self.line;
        match (self.dialect, self.place) {
            _ if self.interactive && !self.subshell && self.dialect != Dialect::Dash => {
                format!("{}: ", name.trim_start_matches('-'))
            }
            (Dialect::Ash, Place::Command) => format!("{name}: "),
            (Dialect::Ash, Place::Script) => format!("{name}: line {line}: "),
            (Dialect::Dash, _) => format!("{name}: {line}: "),
            (Dialect::Bash, _) => format!("{name}: line {line}: "),
        }
    }

    /// Prints a builtin's error and answers `code`.
    pub fn builtin_error(
        &self,
        ctx: &mut Ctx<'_>,
        name: &str,
        text: impl std::fmt::Display,
        code: i32,
    ) -> i32 {
        let line = match (self.dialect, self.place) {
            (Dialect::Ash, Place::Command) if self.interactive && !self.subshell => {
                format!("{}: {name}: {text}\n", self.name)
            }
            // Busybox counts the lines of a `-c` text from 0 here.
            (Dialect::Ash, Place::Command) => {
                format!("{}: {name}: line {}: {text}\n", self.name, self.line.saturating_sub(1))
            }
            (Dialect::Ash, Place::Script) => format!("{}: {name}: line {}: {text}\n", self.name, self.line),
            _ => format!("{}{name}: {text}\n", self.prefix()),
        };
        ctx.err(line);
        code
    }

    /// Prints an error without a builtin's name and answers `code`.
    pub fn shell_error(&self, ctx: &mut Ctx<'_>, text: impl std::fmt::Display, code: i32) -> i32 {
        let line = format!("{}{text}\n", self.prefix());
        ctx.err(line);
        code
    }

    pub fn print_expansion_error(&self, ctx: &mut Ctx<'_>, e: &ShellError) {
        let text = e.text(self.dialect);
        self.shell_error(ctx, text, 0);
    }

    pub fn syntax_error(&mut self, ctx: &mut Ctx<'_>, e: &SyntaxError) {
        let name = self.name.clone();
        let prefix = match (self.dialect, self.place) {
            _ if self.interactive && !self.subshell && self.dialect != Dialect::Dash => format!("{name}: "),
            (Dialect::Ash, Place::Command) => format!("{name}: "),
            (Dialect::Ash, Place::Script) => format!("{name}: line {}: ", e.line),
            (Dialect::Dash, _) => format!("{name}: {}: ", e.line),
            (Dialect::Bash, Place::Command) => {
                let line = e.line + u32::from(matches!(e.kind, crate::syntax::ErrorKind::Eof { .. }));
                format!("{name}: -c: line {line}: ")
            }
            (Dialect::Bash, Place::Script) => format!("{name}: line {}: ", e.line),
        };
        ctx.err(e.text(self.dialect, &prefix));
    }

    /// A command that was not found or may not be run: the text and 127 or 126.
    pub fn not_found(&self, ctx: &mut Ctx<'_>, name: &str, e: Errno) -> i32 {
        let text = match e {
            Errno::NotFound => match self.dialect {
                Dialect::Bash if name.contains('/') => format!("{name}: No such file or directory"),
                Dialect::Bash => format!("{name}: command not found"),
                _ => format!("{name}: not found"),
            },
            Errno::PermissionDenied if self.dialect == Dialect::Bash && ctx.is_dir(name) => {
                format!("{name}: Is a directory")
            }
            Errno::ExecFormat if self.dialect == Dialect::Bash => {
                format!("{name}: cannot execute binary file: Exec format error")
            }
            e => format!("{name}: {e}"),
        };
        let code = if e == Errno::NotFound { 127 } else { 126 };
        self.shell_error(ctx, text, code)
    }

    /// The prompt: `PS1`, or the image's usual one; `PS2` for a further line.
    pub fn prompt(&self, ctx: &Ctx<'_>, more: bool) -> String {
        if more {
            return self.vars.get("PS2").unwrap_or("> ").to_owned();
        }
        let user_sign = if ctx.core.who.uid == 0 { '#' } else { '$' };
        let Some(ps1) = self.vars.get("PS1") else {
            return match self.dialect {
                Dialect::Ash => format!("{} {user_sign} ", self.short_cwd(ctx)),
                Dialect::Dash => format!("{user_sign} "),
                Dialect::Bash => {
                    let user =
                        ctx.user_name(ctx.core.who.uid).unwrap_or_else(|| "I have no name!".to_owned());
                    format!("{user}@{}:{}{user_sign} ", ctx.host.hostname(), self.short_cwd(ctx))
                }
            };
        };
        let mut out = String::new();
        let mut chars = ps1.chars();
        while let Some(c) = chars.next() {
            if c != '\\' || self.dialect == Dialect::Dash {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('u') => out.push_str(&ctx.user_name(ctx.core.who.uid).unwrap_or_default()),
                Some('h' | 'H') => out.push_str(&ctx.host.hostname()),
                Some('w') => out.push_str(&self.short_cwd(ctx)),
                Some('W') => out.push_str(ctx.core.cwd.rsplit('/').next().unwrap_or_default()),
                Some('$') => out.push(user_sign),
                Some('n') => out.push('\n'),
                Some('e') => out.push('\x1b'),
                Some('[' | ']') | None => {}
                Some(c) => {
                    out.push('\\');
                    out.push(c);
                }
            }
        }
        out
    }

    fn short_cwd(&self, ctx: &Ctx<'_>) -> String {
        let cwd = &ctx.core.cwd;
        match self.vars.get("HOME") {
            Some(home) if home.len() > 1 => match cwd.strip_prefix(home) {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
                _ => cwd.clone(),
            },
            _ => cwd.clone(),
        }
    }
}
