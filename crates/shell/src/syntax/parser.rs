//! The parser's state, and lists and pipelines of commands.

mod compound;
mod simple;
mod test_expr;
mod tokens;

use super::ast::*;
use super::error::{ErrorKind, Result, SyntaxError};
use crate::vm::Dialect;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most commands within commands, substitutions within words and so on.
const MAX_DEPTH: u32 = 80;

/// One command line with what it needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parsed {
    pub list: List,
    pub heredocs: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Word(Word),
    Op(&'static str),
    /// A number directly before `<` or `>`.
    Number(u32),
    Newline,
    Eof,
}

pub(crate) struct Parser<'a> {
    pub(super) chars: Vec<char>,
    pub(super) pos: usize,
    pub(super) line: u32,
    pub(super) dialect: Dialect,
    pub(super) depth: u32,
    peeked: Option<(Token, usize, u32)>,
    pending: Vec<(usize, String, bool, bool)>,
    heredocs: Vec<Word>,
    /// A here-document reached the end of the text before its delimiter.
    open_heredoc: bool,
    aliases: &'a BTreeMap<String, String>,
    alias_guard: BTreeSet<String>,
}

impl<'a> Parser<'a> {
    /// Reads from `pos` of `text`, which is on line `line`.
    pub fn new(
        text: &Arc<Vec<char>>,
        pos: usize,
        line: u32,
        dialect: Dialect,
        aliases: &'a BTreeMap<String, String>,
    ) -> Parser<'a> {
        Parser {
            chars: text.as_ref().clone(),
            pos,
            line,
            dialect,
            depth: 0,
            peeked: None,
            pending: Vec::new(),
            heredocs: Vec::new(),
            open_heredoc: false,
            aliases,
            alias_guard: BTreeSet::new(),
        }
    }

    /// Where the next command begins.
    pub fn position(&self) -> (usize, u32) {
        (self.pos, self.line)
    }

    /// Whether a here-document wants further lines.
    pub fn wants_lines(&self) -> bool {
        self.open_heredoc
    }

    /// How much longer the text has become by aliases, so that positions can be mapped back.
    pub fn into_text(self) -> Vec<char> {
        self.chars
    }

    /// Reads one complete command line; `None` at the end of the text.
    pub fn next_command(&mut self) -> Result<Option<Parsed>> {
        loop {
            match self.peek()? {
                Token::Newline => {
                    self.take()?;
                }
                Token::Eof => return Ok(None),
                _ => break,
            }
        }
        let list = self.line_list()?;
        match self.peek()? {
            Token::Newline | Token::Eof => {
                self.take()?;
            }
            _ => return Err(self.unexpected(None)),
        }
        Ok(Some(Parsed { list, heredocs: std::mem::take(&mut self.heredocs) }))
    }

    // Characters

    pub(super) fn cur(&self) -> Option<char> {
        self.chars.get(self.pos).copied()
    }

    pub(super) fn at(&self, offset: usize) -> Option<char> {
        self.chars.get(self.pos + offset).copied()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.cur()?;
        self.pos += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    pub(super) fn looking_at(&self, s: &str) -> bool {
        s.chars().enumerate().all(|(i, c)| self.at(i) == Some(c))
    }

    pub(super) fn error<T>(&self, kind: ErrorKind) -> Result<T> {
        Err(self.make_error(kind))
    }

    pub(super) fn make_error(&self, kind: ErrorKind) -> SyntaxError {
        let pos = self.peeked.as_ref().map_or(self.pos, |(_, p, _)| *p).min(self.chars.len());
        let before = self.chars.get(..pos).unwrap_or_default();
        let start = before.iter().rposition(|c| *c == '\n').map_or(0, |i| i + 1);
        let line: String =
            self.chars.get(start..).unwrap_or_default().iter().take_while(|c| **c != '\n').collect();
        SyntaxError { kind, line: self.line, source: line }
    }

    pub(super) fn nest<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return self.error(ErrorKind::TooDeep);
        }
        self.depth += 1;
        let r = f(self);
        self.depth -= 1;
        r
    }

    // Lists

    /// Items up to the end of the line.
    fn line_list(&mut self) -> Result<List> {
        let mut items = Vec::new();
        loop {
            items.push(self.item()?);
            match self.peek()? {
                Token::Op(";" | "&") => {
                    if *self.peek()? == Token::Op("&")
                        && let Some(last) = items.last_mut()
                    {
                        last.background = true;
                    }
                    self.take()?;
                }
                _ => break,
            }
            if matches!(self.peek()?, Token::Newline | Token::Eof) {
                break;
            }
        }
        Ok(List(items))
    }

    /// Items up to a closing word, which stays. `expecting` is what errors name.
    pub(super) fn compound_list(&mut self, expecting: Option<&'static str>) -> Result<List> {
        self.nest(|p| {
            let mut items = Vec::new();
            loop {
                p.skip_newlines()?;
                let ends = match p.peek()? {
                    Token::Op(")" | ";;" | ";&") | Token::Eof => true,
                    _ => matches!(
                        p.reserved()?,
                        Some("then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "}")
                    ),
                };
                if ends {
                    break;
                }
                items.push(p.item()?);
                match p.peek()? {
                    Token::Op("&") => {
                        if let Some(last) = items.last_mut() {
                            last.background = true;
                        }
                        p.take()?;
                    }
                    Token::Op(";") | Token::Newline => {
                        p.take()?;
                    }
                    Token::Op(")" | ";;" | ";&") | Token::Eof => break,
                    _ => return Err(p.unexpected(expecting)),
                }
            }
            Ok(List(items))
        })
    }

    /// A list that may not be empty.
    fn body(&mut self, expecting: Option<&'static str>) -> Result<List> {
        let list = self.compound_list(expecting)?;
        if list.0.is_empty() {
            let at_end = *self.peek()? == Token::Eof;
            return Err(self.unexpected(if at_end { expecting } else { None }));
        }
        Ok(list)
    }

    fn item(&mut self) -> Result<Item> {
        self.peek()?;
        let start = self.peeked.as_ref().map_or(self.pos, |(_, p, _)| *p);
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let and = match self.peek()? {
                Token::Op("&&") => true,
                Token::Op("||") => false,
                _ => break,
            };
            self.take()?;
            self.skip_newlines()?;
            rest.push((and, self.pipeline()?));
        }
        let end = self.peeked.as_ref().map_or(self.pos, |(_, p, _)| *p);
        let text: String = self.chars.get(start..end).unwrap_or_default().iter().take(200).collect();
        Ok(Item { first, rest, background: false, text: text.trim().to_owned() })
    }

    fn pipeline(&mut self) -> Result<Pipeline> {
        let mut timed = false;
        if self.reserved()? == Some("time") {
            self.take()?;
            timed = true;
        }
        let mut negate = false;
        while self.reserved()? == Some("!") {
            self.take()?;
            negate = !negate;
        }
        let mut commands = vec![self.command()?];
        loop {
            match self.peek()? {
                Token::Op("|") => {}
                Token::Op("|&") => {
                    if let Some(c) = commands.last_mut() {
                        c.redirects.push(Redirect {
                            fd: Some(2),
                            kind: RedirectKind::DupOut,
                            target: Word(vec![Part::Lit("1".to_owned())]),
                        });
                    }
                }
                _ => break,
            }
            self.take()?;
            self.skip_newlines()?;
            commands.push(self.command()?);
        }
        Ok(Pipeline { negate, timed, commands })
    }

    pub(super) fn take_command_sub_end(&mut self) -> Result<()> {
        if *self.peek()? == Token::Op(")") {
            self.peeked = None;
            return Ok(());
        }
        Err(self.unexpected(Some(")")))
    }

    pub(super) fn start_nested(&mut self) -> Option<(Token, usize, u32)> {
        self.peeked.take()
    }
}

/// Whether the text is a variable's name.
pub(crate) fn is_name(s: &str) -> bool {
    let mut chars = s.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
