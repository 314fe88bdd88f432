//! Words: quoting, `$…`, command and arithmetic substitution.

use super::ast::*;
use super::error::{ErrorKind, Result};
use super::parser::{Parser, is_name};
use crate::vm::Dialect;
use std::sync::Arc;

/// Splits an assignment's value so that `~` after `=` or `:` is a home directory.
pub(super) fn tilde_in_assignment(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (i, piece) in text.split(':').enumerate() {
        if i > 0 {
            push_lit(&mut parts, ":");
        }
        match piece.strip_prefix('~') {
            Some(rest) => {
                let (user, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                if user.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
                    parts.push(Part::Tilde(user.to_owned()));
                    if !tail.is_empty() {
                        push_lit(&mut parts, tail);
                    }
                } else {
                    push_lit(&mut parts, piece);
                }
            }
            None => push_lit(&mut parts, piece),
        }
    }
    parts
}

fn push_lit(parts: &mut Vec<Part>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Part::Lit(s)) = parts.last_mut() {
        s.push_str(text);
    } else {
        parts.push(Part::Lit(text.to_owned()));
    }
}

fn push_char(parts: &mut Vec<Part>, c: char) {
    if let Some(Part::Lit(s)) = parts.last_mut() {
        s.push(c);
    } else {
        parts.push(Part::Lit(c.to_string()));
    }
}

impl Parser<'_> {
    /// A word up to a blank or an operator.
    pub(super) fn word(&mut self) -> Result<Word> {
        let mut parts = Vec::new();
        if self.cur() == Some('~') {
            let n = (1..)
                .take_while(|i| self.at(*i).is_some_and(|c| c.is_alphanumeric() || "_-.".contains(c)))
                .count();
            if matches!(
                self.at(n + 1),
                None | Some('/' | ' ' | '\t' | '\n' | ';' | '&' | '|' | ')' | '<' | '>')
            ) {
                self.bump();
                let user = (0..n).filter_map(|_| self.bump()).collect();
                parts.push(Part::Tilde(user));
            }
        }
        while let Some(c) = self.cur() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                _ => self.unquoted_part(&mut parts)?,
            }
        }
        Ok(Word(parts))
    }

    /// The right side of `=~`: parentheses and bars belong to it.
    pub(super) fn regex_word(&mut self) -> Result<Word> {
        let mut parts = Vec::new();
        let mut depth = 0_u32;
        while let Some(c) = self.cur() {
            match c {
                ' ' | '\t' if depth > 0 => {
                    self.bump();
                    push_char(&mut parts, c);
                }
                ' ' | '\t' | '\n' => break,
                '(' => {
                    depth += 1;
                    self.bump();
                    push_char(&mut parts, c);
                }
                ')' if depth == 0 => break,
                ')' => {
                    depth -= 1;
                    self.bump();
                    push_char(&mut parts, c);
                }
                '\\' => {
                    self.bump();
                    push_char(&mut parts, '\\');
                    if let Some(c) = self.bump() {
                        push_char(&mut parts, c);
                    }
                }
                ';' | '&' | '|' | '<' | '>' => {
                    if c == '&' && depth == 0 {
                        break;
                    }
                    self.bump();
                    push_char(&mut parts, c);
                }
                _ => self.unquoted_part(&mut parts)?,
            }
        }
        Ok(Word(parts))
    }

    fn unquoted_part(&mut self, parts: &mut Vec<Part>) -> Result<()> {
        match self.cur() {
            Some('\'') => parts.push(self.single_quoted()?),
            Some('"') => {
                self.bump();
                let inner = self.double_quoted('"')?;
                parts.push(Part::DoubleQuoted(inner));
            }
            Some('\\') => {
                self.bump();
                match self.bump() {
                    Some('\n') => {}
                    Some(c) => parts.push(Part::Quoted(c.to_string())),
                    None => push_char(parts, '\\'),
                }
            }
            Some('$') if self.dialect != Dialect::Dash && self.at(1) == Some('\'') => {
                self.bump();
                self.bump();
                parts.push(self.ansi_quoted()?);
            }
            Some('$') if self.dialect == Dialect::Bash && self.at(1) == Some('"') => {
                self.bump();
            }
            Some('$') => self.dollar(parts)?,
            Some('`') => parts.push(self.backquote(false)?),
            Some(c) => {
                self.bump();
                push_char(parts, c);
            }
            None => {}
        }
        Ok(())
    }

    fn single_quoted(&mut self) -> Result<Part> {
        let line = self.line;
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('\'') => return Ok(Part::Quoted(text)),
                Some(c) => text.push(c),
                None => {
                    self.line = line;
                    return self.error(ErrorKind::UnterminatedQuote('\''));
                }
            }
        }
    }

    fn ansi_quoted(&mut self) -> Result<Part> {
        let mut raw = String::new();
        loop {
            match self.bump() {
                Some('\'') => break,
                Some('\\') => {
                    raw.push('\\');
                    match self.bump() {
                        Some('\'') => {
                            raw.pop();
                            raw.push('\'');
                        }
                        Some('"') => {
                            raw.pop();
                            raw.push('"');
                        }
                        Some(c) => raw.push(c),
                        None => return self.error(ErrorKind::UnterminatedQuote('\'')),
                    }
                }
                Some(c) => raw.push(c),
                None => return self.error(ErrorKind::UnterminatedQuote('\'')),
            }
        }
        let (bytes, _) = crate::tools::escapes(&raw, true);
        Ok(Part::Quoted(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Parts up to the closing quote, which is taken.
    fn double_quoted(&mut self, close: char) -> Result<Vec<Part>> {
        let line = self.line;
        let mut parts = Vec::new();
        loop {
            match self.cur() {
                None => {
                    self.line = line;
                    return self.error(ErrorKind::UnterminatedQuote(close));
                }
                Some(c) if c == close => {
                    self.bump();
                    return Ok(parts);
                }
                _ => self.quoted_part(&mut parts, true)?,
            }
        }
    }

    /// The body of a here-document: as in double quotes, but a quote is a quote.
    pub(super) fn here_parts(&mut self) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        while self.cur().is_some() {
            self.quoted_part(&mut parts, false)?;
        }
        Ok(parts)
    }

    fn quoted_part(&mut self, parts: &mut Vec<Part>, escape_quote: bool) -> Result<()> {
        match self.cur() {
            Some('\\') => {
                self.bump();
                match self.cur() {
                    Some('\n') => {
                        self.bump();
                    }
                    Some(c) if "$`\\".contains(c) || (c == '"' && escape_quote) => {
                        self.bump();
                        push_char(parts, c);
                    }
                    _ => push_char(parts, '\\'),
                }
            }
            Some('$') => self.dollar(parts)?,
            Some('`') => parts.push(self.backquote(true)?),
            Some(c) => {
                self.bump();
                push_char(parts, c);
            }
            None => {}
        }
        Ok(())
    }

    fn dollar(&mut self, parts: &mut Vec<Part>) -> Result<()> {
        self.bump();
        match self.cur() {
            Some('(') => {
                if self.at(1) == Some('(') {
                    let (pos, line) = (self.pos, self.line);
                    self.bump();
                    self.bump();
                    match self.arith_until_close() {
                        Ok(w) => {
                            parts.push(Part::Arith(w));
                            return Ok(());
                        }
                        Err(e) if matches!(e.kind, ErrorKind::TooDeep) => return Err(e),
                        // `$((` that does not end with `))` is a subshell in a command substitution.
                        Err(e) => {
                            self.pos = pos;
                            self.line = line;
                            let whole = self.chars.get(pos..).unwrap_or_default();
                            if !whole.windows(1).any(|w| w == [')']) {
                                return Err(e);
                            }
                        }
                    }
                }
                self.bump();
                let list = self.nest(|p| {
                    let saved = p.start_nested();
                    let list = p.compound_list(Some(")"))?;
                    p.take_command_sub_end()?;
                    let _ = saved;
                    Ok(list)
                })?;
                parts.push(Part::CommandSub(list));
            }
            Some('{') => {
                self.bump();
                let p = self.nest(|p| p.braced_param())?;
                parts.push(Part::Param(Box::new(p)));
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let mut name = String::new();
                while let Some(c) = self.cur().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                    self.bump();
                }
                parts.push(plain(name));
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.bump();
                parts.push(plain(c.to_string()));
            }
            _ => push_char(parts, '$'),
        }
        Ok(())
    }

    fn backquote(&mut self, in_quotes: bool) -> Result<Part> {
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return self.error(ErrorKind::UnterminatedQuote('`')),
                Some('`') => break,
                Some('\\') => match self.cur() {
                    Some(c) if "$`\\".contains(c) || (c == '"' && in_quotes) => {
                        self.bump();
                        text.push(c);
                    }
                    _ => text.push('\\'),
                },
                Some(c) => text.push(c),
            }
        }
        let dialect = self.dialect;
        let line = self.line;
        let depth = self.depth;
        self.nest(|_| {
            let none = std::collections::BTreeMap::new();
            let mut inner = Parser::new(&Arc::new(text.chars().collect()), 0, line, dialect, &none);
            inner.depth = depth + 1;
            let mut items = Vec::new();
            while let Some(parsed) = inner.next_command()? {
                items.extend(parsed.list.0);
            }
            Ok(Part::CommandSub(List(items)))
        })
    }

    /// Arithmetic up to `))`, which is taken.
    pub(super) fn arith_until_close(&mut self) -> Result<Word> {
        self.nest(|p| {
            let mut parts = Vec::new();
            let mut depth = 0_u32;
            loop {
                match p.cur() {
                    None => return p.error(ErrorKind::UnterminatedQuote('d')),
                    Some('(') => {
                        depth += 1;
                        p.bump();
                        push_char(&mut parts, '(');
                    }
                    Some(')') if depth == 0 => {
                        if p.at(1) != Some(')') {
                            return p.error(ErrorKind::UnterminatedQuote('d'));
                        }
                        p.bump();
                        p.bump();
                        return Ok(Word(vec![Part::DoubleQuoted(parts)]));
                    }
                    Some(')') => {
                        depth -= 1;
                        p.bump();
                        push_char(&mut parts, ')');
                    }
                    Some('"') => {
                        p.bump();
                    }
                    _ => p.quoted_part(&mut parts, true)?,
                }
            }
        })
    }

    /// Arithmetic up to a `;` of `for ((…`.
    pub(super) fn arith_part(&mut self, end: char) -> Result<Word> {
        let mut parts = Vec::new();
        loop {
            match self.cur() {
                None => return self.error(ErrorKind::Eof { expecting: None }),
                Some(c) if c == end => {
                    self.bump();
                    return Ok(Word(vec![Part::DoubleQuoted(parts)]));
                }
                _ => self.quoted_part(&mut parts, true)?,
            }
        }
    }

    fn braced_param(&mut self) -> Result<Param> {
        let start = self.pos;
        let mut length = false;
        let mut indirect = false;
        let hash = self.cur() == Some('#');
        let of_count = self.at(1) == Some('#') && self.at(2) == Some('}');
        if hash
            && (of_count || !matches!(self.at(1), Some('}' | ':' | '%' | '#' | '-' | '+' | '=' | '?' | '/')))
        {
            length = true;
            self.bump();
        } else if self.cur() == Some('!') && self.dialect == Dialect::Bash && self.at(1) != Some('}') {
            indirect = true;
            self.bump();
        }
        let mut name = String::new();
        match self.cur() {
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                while let Some(c) = self.cur().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                    self.bump();
                }
            }
            Some(c) if c.is_ascii_digit() => {
                while let Some(c) = self.cur().filter(char::is_ascii_digit) {
                    name.push(c);
                    self.bump();
                }
            }
            Some(c) if "@*#?-$!".contains(c) => {
                self.bump();
                name.push(c);
            }
            _ => {}
        }
        let mut subscript = None;
        if self.dialect == Dialect::Bash && self.cur() == Some('[') && is_name(&name) {
            self.bump();
            subscript = Some(match (self.cur(), self.at(1)) {
                (Some(c @ ('@' | '*')), Some(']')) => {
                    self.bump();
                    self.bump();
                    Subscript::All(c == '*')
                }
                _ => Subscript::Index(self.arith_part(']')?),
            });
        }
        let op = if length {
            if self.cur() == Some('}') { ParamOp::Length } else { ParamOp::Bad }
        } else if indirect {
            if self.cur() == Some('}') { ParamOp::Indirect } else { ParamOp::Bad }
        } else if name.is_empty() {
            ParamOp::Bad
        } else {
            self.param_op()?
        };
        if matches!(op, ParamOp::Bad) {
            let _ = self.param_word(&['}'])?;
        }
        let end = self.pos;
        if self.cur() != Some('}') {
            return self.error(ErrorKind::UnterminatedQuote('}'));
        }
        self.bump();
        let text = self.chars.get(start..end).unwrap_or_default().iter().collect();
        Ok(Param { name, subscript, op, text })
    }

    fn param_op(&mut self) -> Result<ParamOp> {
        let extended = self.dialect != Dialect::Dash;
        Ok(match self.cur() {
            Some('}') => ParamOp::Plain,
            Some(c @ ('-' | '=' | '?' | '+')) => {
                self.bump();
                self.default_op(c, false)?
            }
            Some(':') => match self.at(1) {
                Some(c @ ('-' | '=' | '?' | '+')) => {
                    self.bump();
                    self.bump();
                    self.default_op(c, true)?
                }
                _ if extended => {
                    self.bump();
                    let offset = Word(vec![Part::DoubleQuoted(self.param_word(&[':', '}'])?.0)]);
                    let mut length = None;
                    if self.cur() == Some(':') {
                        self.bump();
                        length = Some(Word(vec![Part::DoubleQuoted(self.param_word(&['}'])?.0)]));
                    }
                    ParamOp::Substring { offset, length }
                }
                _ => ParamOp::Bad,
            },
            Some(c @ ('%' | '#')) => {
                self.bump();
                let longest = self.cur() == Some(c);
                if longest {
                    self.bump();
                }
                ParamOp::Trim { suffix: c == '%', longest, word: self.param_word(&['}'])? }
            }
            Some('/') if extended => {
                self.bump();
                let all = self.cur() == Some('/');
                let mut anchor = None;
                if all {
                    self.bump();
                } else if let Some(c @ ('#' | '%')) = self.cur() {
                    anchor = Some(c);
                    self.bump();
                }
                let pattern = self.param_word(&['/', '}'])?;
                let mut with = Word::default();
                if self.cur() == Some('/') {
                    self.bump();
                    with = self.param_word(&['}'])?;
                }
                ParamOp::Replace { all, anchor, pattern, with }
            }
            Some(c @ ('^' | ',')) if self.dialect == Dialect::Bash => {
                self.bump();
                let all = self.cur() == Some(c);
                if all {
                    self.bump();
                }
                ParamOp::Case { upper: c == '^', all }
            }
            None => return self.error(ErrorKind::UnterminatedQuote('}')),
            _ => ParamOp::Bad,
        })
    }

    fn default_op(&mut self, c: char, colon: bool) -> Result<ParamOp> {
        let word = self.param_word(&['}'])?;
        Ok(match c {
            '-' => ParamOp::Default { colon, word },
            '=' => ParamOp::Assign { colon, word },
            '?' => ParamOp::Error { colon, word },
            _ => ParamOp::Alternative { colon, word },
        })
    }

    /// A word inside `${…}` up to one of the characters, which stays.
    fn param_word(&mut self, ends: &[char]) -> Result<Word> {
        let mut parts = Vec::new();
        if self.cur() == Some('~') && matches!(self.at(1), Some('/' | '}')) {
            self.bump();
            parts.push(Part::Tilde(String::new()));
        }
        loop {
            match self.cur() {
                None => return self.error(ErrorKind::UnterminatedQuote('}')),
                Some(c) if ends.contains(&c) => return Ok(Word(parts)),
                _ => self.unquoted_part(&mut parts)?,
            }
        }
    }
}

fn plain(name: String) -> Part {
    Part::Param(Box::new(Param { text: name.clone(), name, subscript: None, op: ParamOp::Plain }))
}
