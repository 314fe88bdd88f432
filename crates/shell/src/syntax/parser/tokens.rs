//! Tokens, reserved words and the bodies of here-documents.

use super::super::ast::*;
use super::super::error::{ErrorKind, Result, SyntaxError};
use super::{Parser, Token};
use crate::vm::Dialect;
use std::sync::Arc;

/// Operators, longest first.
const OPS: [&str; 23] = [
    "&>>", "<<-", "<<<", "&&", "||", ";;", ";&", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "((", "|&", "&",
    "|", ";", "<", ">", "(", ")",
];

const RESERVED: [&str; 16] = [
    "!", "{", "}", "if", "then", "else", "elif", "fi", "while", "until", "for", "do", "done", "case", "esac",
    "in",
];

impl Parser<'_> {
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.cur() {
                Some(' ' | '\t') => {
                    self.pos += 1;
                }
                Some('\\') if self.at(1) == Some('\n') => {
                    self.bump();
                    self.bump();
                }
                Some('#') => {
                    while !matches!(self.cur(), None | Some('\n')) {
                        self.pos += 1;
                    }
                }
                _ => return,
            }
        }
    }

    pub(super) fn peek(&mut self) -> Result<&Token> {
        if self.peeked.is_none() {
            self.skip_blanks();
            let (pos, line) = (self.pos, self.line);
            let token = self.lex()?;
            self.peeked = Some((token, pos, line));
        }
        match &self.peeked {
            Some((t, _, _)) => Ok(t),
            None => Ok(&Token::Eof),
        }
    }

    pub(super) fn take(&mut self) -> Result<Token> {
        self.peek()?;
        Ok(self.peeked.take().map_or(Token::Eof, |(t, _, _)| t))
    }

    pub(super) fn token_line(&self) -> u32 {
        self.peeked.as_ref().map_or(self.line, |(_, _, l)| *l)
    }

    fn lex(&mut self) -> Result<Token> {
        let Some(c) = self.cur() else {
            if !self.pending.is_empty() {
                self.read_heredocs()?;
            }
            return Ok(Token::Eof);
        };
        if c == '\n' {
            self.bump();
            self.read_heredocs()?;
            return Ok(Token::Newline);
        }
        if c.is_ascii_digit() {
            let n = (0..4).take_while(|i| self.at(*i).is_some_and(|c| c.is_ascii_digit())).count();
            if matches!(self.at(n), Some('<' | '>')) && n < 4 {
                let text: String =
                    self.chars.get(self.pos..self.pos + n).unwrap_or_default().iter().collect();
                self.pos += n;
                return Ok(Token::Number(text.parse().unwrap_or(0)));
            }
        }
        for op in OPS {
            if !self.looking_at(op) {
                continue;
            }
            let known = match op {
                "<<<" | "|&" => self.dialect == Dialect::Bash,
                "&>" | "&>>" => self.dialect != Dialect::Dash,
                "((" => self.dialect == Dialect::Bash && self.arith_command_ahead(),
                ";&" => self.dialect == Dialect::Bash,
                _ => true,
            };
            if known {
                self.pos += op.len();
                return Ok(Token::Op(op));
            }
        }
        Ok(Token::Word(self.word()?))
    }

    /// Whether the `((` here closes with `))`: else it is two subshells.
    fn arith_command_ahead(&self) -> bool {
        let mut depth = 0_i32;
        let mut i = self.pos + 2;
        while let Some(c) = self.chars.get(i) {
            match c {
                '(' => depth += 1,
                ')' if depth == 0 => return self.chars.get(i + 1) == Some(&')'),
                ')' => depth -= 1,
                _ => {}
            }
            i += 1;
        }
        false
    }

    fn read_heredocs(&mut self) -> Result<()> {
        for (index, delimiter, quoted, strip) in std::mem::take(&mut self.pending) {
            let mut body = String::new();
            let mut open = true;
            while self.cur().is_some() {
                let mut text = String::new();
                while let Some(c) = self.cur() {
                    self.bump();
                    if c == '\n' {
                        break;
                    }
                    text.push(c);
                }
                let stripped = if strip { text.trim_start_matches('\t') } else { &text };
                if stripped == delimiter {
                    open = false;
                    break;
                }
                body.push_str(stripped);
                body.push('\n');
            }
            self.open_heredoc |= open;
            let word = if quoted {
                Word(vec![Part::Quoted(body)])
            } else {
                let mut inner =
                    Parser::new(&Arc::new(body.chars().collect()), 0, 1, self.dialect, self.aliases);
                inner.depth = self.depth;
                let parts = self.nest(|_| inner.here_parts())?;
                Word(vec![Part::DoubleQuoted(parts)])
            };
            if let Some(slot) = self.heredocs.get_mut(index) {
                *slot = word;
            }
        }
        Ok(())
    }

    fn token_text(token: &Token) -> String {
        match token {
            Token::Op("<" | ">" | ">>" | "<<" | "<<-" | "<<<" | "<&" | ">&" | "<>" | ">|" | "&>" | "&>>")
            | Token::Number(_) => "redirection".to_owned(),
            Token::Op(op) => (*op).to_owned(),
            Token::Newline => "newline".to_owned(),
            Token::Eof => "end of file".to_owned(),
            Token::Word(w) => match w.literal() {
                Some(s) => s.to_owned(),
                None => "word".to_owned(),
            },
        }
    }

    pub(super) fn unexpected(&mut self, expecting: Option<&'static str>) -> SyntaxError {
        let token = match self.peek() {
            Ok(t) => t.clone(),
            Err(e) => return e,
        };
        if token == Token::Eof {
            return self.make_error(ErrorKind::Eof { expecting });
        }
        let mut text = Self::token_text(&token);
        match (&token, self.dialect) {
            (Token::Word(w), Dialect::Ash | Dialect::Dash)
                if w.literal().is_none_or(|l| !RESERVED.contains(&l)) =>
            {
                text = "word".to_owned();
            }
            (Token::Op(op), Dialect::Bash) => text = (*op).to_owned(),
            _ => {}
        }
        self.make_error(ErrorKind::Unexpected { token: text, expecting })
    }

    /// The reserved word at the front, if it is one.
    pub(super) fn reserved(&mut self) -> Result<Option<&'static str>> {
        let dialect = self.dialect;
        Ok(match self.peek()? {
            Token::Word(w) => w.literal().and_then(|l| {
                RESERVED.iter().find(|r| **r == l).copied().or(match l {
                    "[[" if dialect != Dialect::Dash => Some("[["),
                    "function" if dialect != Dialect::Dash => Some("function"),
                    "time" if dialect == Dialect::Bash => Some("time"),
                    _ => None,
                })
            }),
            _ => None,
        })
    }

    pub(super) fn expect(&mut self, word: &'static str) -> Result<()> {
        if self.reserved()? == Some(word) {
            self.take()?;
            return Ok(());
        }
        Err(self.unexpected(Some(word)))
    }

    pub(super) fn skip_newlines(&mut self) -> Result<()> {
        while *self.peek()? == Token::Newline {
            self.take()?;
        }
        Ok(())
    }
}
