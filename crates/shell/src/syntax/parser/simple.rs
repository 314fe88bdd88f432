//! Simple commands: redirections, assignments, words, and `name()`, which begins like one.

use super::super::ast::*;
use super::super::error::{ErrorKind, Result};
use super::{Parser, Token, is_name};
use crate::vm::Dialect;

impl Parser<'_> {
    pub(super) fn redirects(&mut self) -> Result<Vec<Redirect>> {
        let mut all = Vec::new();
        while let Some(r) = self.redirect()? {
            all.push(r);
        }
        Ok(all)
    }

    fn redirect(&mut self) -> Result<Option<Redirect>> {
        let mut fd = None;
        if let Token::Number(n) = self.peek()? {
            fd = Some(*n);
            self.take()?;
        }
        let op = match self.peek()? {
            Token::Op(op) => *op,
            _ => return Ok(None),
        };
        let kind = match op {
            "<" => RedirectKind::Read,
            ">" => RedirectKind::Write,
            ">|" => RedirectKind::Clobber,
            ">>" => RedirectKind::Append,
            "<>" => RedirectKind::ReadWrite,
            "<&" => RedirectKind::DupIn,
            ">&" => RedirectKind::DupOut,
            "&>" => RedirectKind::Both,
            "&>>" => RedirectKind::BothAppend,
            "<<<" => RedirectKind::HereString,
            "<<" | "<<-" => RedirectKind::Here(0),
            _ => return Ok(None),
        };
        self.take()?;
        let target = match self.peek()? {
            Token::Word(_) => match self.take()? {
                Token::Word(w) => w,
                _ => Word::default(),
            },
            _ => return Err(self.unexpected(None)),
        };
        if let RedirectKind::Here(_) = kind {
            let (delimiter, quoted) = heredoc_delimiter(&target);
            let index = self.heredocs.len();
            self.heredocs.push(Word::default());
            self.pending.push((index, delimiter, quoted, op == "<<-"));
            return Ok(Some(Redirect { fd, kind: RedirectKind::Here(index), target: Word::default() }));
        }
        Ok(Some(Redirect { fd, kind, target }))
    }

    pub(super) fn simple_command(&mut self, line: u32) -> Result<Command> {
        let mut assigns = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        let mut redirects = Vec::new();
        let mut alias_next = true;
        loop {
            if let Some(r) = self.redirect()? {
                redirects.push(r);
                continue;
            }
            let Token::Word(w) = self.peek()?.clone() else { break };
            if words.is_empty()
                && let Some(a) = self.assignment(&w)?
            {
                assigns.push(a);
                continue;
            }
            if alias_next {
                if let Some(name) = w.literal().map(str::to_owned)
                    && let Some(value) = self.aliases.get(&name)
                    && !self.alias_guard.contains(&name)
                {
                    let value = value.clone();
                    self.alias_guard.insert(name);
                    self.peeked = None;
                    self.chars.splice(self.pos..self.pos, value.chars());
                    // A blank at its end lets the next word be an alias too.
                    let blank = value.ends_with([' ', '\t']);
                    alias_next = blank || words.is_empty();
                    continue;
                }
                alias_next = false;
            }
            self.take()?;
            words.push(w);
            if words.len() == 1
                && redirects.is_empty()
                && assigns.is_empty()
                && *self.peek()? == Token::Op("(")
                && let Some(name) = words.first().and_then(Word::literal).map(str::to_owned)
            {
                self.take()?;
                if *self.peek()? != Token::Op(")") {
                    // Ash and dash look for no reserved word here.
                    if matches!(self.peek()?, Token::Word(_)) && self.dialect != Dialect::Bash {
                        let kind = ErrorKind::Unexpected { token: "word".to_owned(), expecting: Some(")") };
                        return self.error(kind);
                    }
                    return Err(self.unexpected(Some(")")));
                }
                self.take()?;
                if !is_name(&name) && self.dialect != Dialect::Bash {
                    return self.error(ErrorKind::BadFunctionName);
                }
                self.skip_newlines()?;
                let body = Box::new(self.command()?);
                return Ok(Command { kind: CommandKind::Function { name, body }, redirects: vec![], line });
            }
        }
        self.alias_guard.clear();
        if words.is_empty() && assigns.is_empty() && redirects.is_empty() {
            return Err(self.unexpected(None));
        }
        Ok(Command { kind: CommandKind::Simple { assigns, words }, redirects, line })
    }

    /// Whether the word at the front is `name=…`, and then takes it.
    fn assignment(&mut self, word: &Word) -> Result<Option<Assign>> {
        let Some(Part::Lit(first)) = word.0.first() else { return Ok(None) };
        let Some(eq) = first.find('=') else { return Ok(None) };
        let (name, rest) = first.split_at(eq);
        let value_start = rest.get(1..).unwrap_or_default();
        let (name, append) = match name.strip_suffix('+') {
            Some(n) if self.dialect == Dialect::Bash => (n, true),
            _ => (name, false),
        };
        let (name, subscript) = match name.split_once('[') {
            Some((n, s)) if self.dialect == Dialect::Bash => match s.strip_suffix(']') {
                Some(s) => (n, Some(Word(vec![Part::Lit(s.to_owned())]))),
                None => return Ok(None),
            },
            _ => (name, None),
        };
        if !is_name(name) {
            return Ok(None);
        }
        let name = name.to_owned();
        let mut parts = Vec::new();
        if !value_start.is_empty() {
            parts.extend(super::super::words::tilde_in_assignment(value_start));
        }
        parts.extend(word.0.iter().skip(1).cloned());
        self.take()?;
        if self.dialect == Dialect::Bash
            && parts.is_empty()
            && self.cur() == Some('(')
            && self.peeked.is_none()
        {
            self.bump();
            let mut values = Vec::new();
            loop {
                self.skip_newlines()?;
                match self.take()? {
                    Token::Word(w) => values.push(w),
                    Token::Op(")") => break,
                    t => {
                        self.peeked = Some((t, self.pos, self.line));
                        return Err(self.unexpected(Some(")")));
                    }
                }
            }
            return Ok(Some(Assign { name, subscript: None, append, value: AssignValue::Array(values) }));
        }
        Ok(Some(Assign { name, subscript, append, value: AssignValue::Word(Word(parts)) }))
    }
}

fn heredoc_delimiter(word: &Word) -> (String, bool) {
    let mut text = String::new();
    let mut quoted = false;
    for part in &word.0 {
        match part {
            Part::Lit(s) => text.push_str(s),
            Part::Tilde(s) => {
                text.push('~');
                text.push_str(s);
            }
            Part::Quoted(s) => {
                quoted = true;
                text.push_str(s);
            }
            Part::DoubleQuoted(parts) => {
                quoted = true;
                for p in parts {
                    if let Part::Lit(s) | Part::Quoted(s) = p {
                        text.push_str(s);
                    }
                }
            }
            Part::Param(p) => {
                text.push('$');
                text.push_str(&p.name);
            }
            _ => {}
        }
    }
    (text, quoted)
}
