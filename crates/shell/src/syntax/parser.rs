//! Commands: tokens, lists, pipelines, compound commands, here-documents.

use super::ast::*;
use crate::vm::Dialect;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most commands within commands, substitutions within words and so on.
const MAX_DEPTH: u32 = 80;

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
    aliases: &'a BTreeMap<String, String>,
    alias_guard: BTreeSet<String>,
}

pub(super) type Result<T> = std::result::Result<T, SyntaxError>;

/// Operators, longest first.
const OPS: [&str; 23] = [
    "&>>", "<<-", "<<<", "&&", "||", ";;", ";&", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "((", "|&", "&",
    "|", ";", "<", ">", "(", ")",
];

const RESERVED: [&str; 16] = [
    "!", "{", "}", "if", "then", "else", "elif", "fi", "while", "until", "for", "do", "done", "case", "esac",
    "in",
];

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
            aliases,
            alias_guard: BTreeSet::new(),
        }
    }

    /// Where the next command begins.
    pub fn position(&self) -> (usize, u32) {
        (self.pos, self.line)
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

    // Tokens

    fn skip_blanks(&mut self) {
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

    fn peek(&mut self) -> Result<&Token> {
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

    fn take(&mut self) -> Result<Token> {
        self.peek()?;
        Ok(self.peeked.take().map_or(Token::Eof, |(t, _, _)| t))
    }

    fn token_line(&self) -> u32 {
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
                    break;
                }
                body.push_str(stripped);
                body.push('\n');
            }
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

    fn unexpected(&mut self, expecting: Option<&'static str>) -> SyntaxError {
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
    fn reserved(&mut self) -> Result<Option<&'static str>> {
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

    fn expect(&mut self, word: &'static str) -> Result<()> {
        if self.reserved()? == Some(word) {
            self.take()?;
            return Ok(());
        }
        Err(self.unexpected(Some(word)))
    }

    fn skip_newlines(&mut self) -> Result<()> {
        while *self.peek()? == Token::Newline {
            self.take()?;
        }
        Ok(())
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

    // Commands

    fn command(&mut self) -> Result<Command> {
        self.nest(|p| {
            p.peek()?;
            let line = p.token_line();
            let kind = match p.peek()? {
                Token::Op("(") => {
                    p.take()?;
                    let list = p.body(Some(")"))?;
                    p.close_paren()?;
                    CommandKind::Subshell(list)
                }
                Token::Op("((") => {
                    p.peeked = None;
                    let word = p.arith_until_close()?;
                    CommandKind::Arith(word)
                }
                _ => match p.reserved()? {
                    Some("{") => {
                        p.take()?;
                        let list = p.body(Some("}"))?;
                        p.expect("}")?;
                        CommandKind::Brace(list)
                    }
                    Some("if") => p.if_command()?,
                    Some(word @ ("while" | "until")) => {
                        p.take()?;
                        let condition = p.body(Some("do"))?;
                        p.expect("do")?;
                        let body = p.body(Some("done"))?;
                        p.expect("done")?;
                        CommandKind::Loop { until: word == "until", condition, body }
                    }
                    Some("for") => p.for_command()?,
                    Some("case") => p.case_command()?,
                    Some("[[") => p.test_command()?,
                    Some("function") => {
                        p.take()?;
                        let name = match p.take()? {
                            Token::Word(w) => w.literal().map(str::to_owned),
                            _ => None,
                        };
                        let Some(name) = name else { return p.error(ErrorKind::BadFunctionName) };
                        if *p.peek()? == Token::Op("(") {
                            p.take()?;
                            p.close_paren()?;
                        }
                        p.skip_newlines()?;
                        let body = Box::new(p.command()?);
                        return Ok(Command {
                            kind: CommandKind::Function { name, body },
                            redirects: vec![],
                            line,
                        });
                    }
                    Some("then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "}" | "in" | "time")
                        if p.reserved()? != Some("in") && p.reserved()? != Some("time") =>
                    {
                        return Err(p.unexpected(None));
                    }
                    _ => return p.simple_command(line),
                },
            };
            let redirects = p.redirects()?;
            Ok(Command { kind, redirects, line })
        })
    }

    fn close_paren(&mut self) -> Result<()> {
        if *self.peek()? == Token::Op(")") {
            self.take()?;
            return Ok(());
        }
        Err(self.unexpected(Some(")")))
    }

    fn if_command(&mut self) -> Result<CommandKind> {
        self.take()?;
        let mut arms = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.body(Some("then"))?;
            self.expect("then")?;
            let body = self.body(Some("fi"))?;
            arms.push((condition, body));
            match self.reserved()? {
                Some("elif") => {
                    self.take()?;
                }
                Some("else") => {
                    self.take()?;
                    otherwise = Some(self.body(Some("fi"))?);
                    break;
                }
                _ => break,
            }
        }
        self.expect("fi")?;
        Ok(CommandKind::If { arms, otherwise })
    }

    fn for_command(&mut self) -> Result<CommandKind> {
        self.take()?;
        if *self.peek()? == Token::Op("((") {
            self.peeked = None;
            let mut parts = Vec::new();
            for _ in 0..2 {
                parts.push(self.arith_part(';')?);
            }
            let step = self.arith_until_close()?;
            if *self.peek()? == Token::Op(";") {
                self.take()?;
            }
            self.skip_newlines()?;
            let body = self.do_group()?;
            let condition = parts.pop().unwrap_or_default();
            let init = parts.pop().unwrap_or_default();
            return Ok(CommandKind::ArithFor { init, condition, step, body });
        }
        let var = match self.peek()? {
            Token::Word(w) => w.literal().filter(|s| is_name(s)).map(str::to_owned),
            _ => None,
        };
        let Some(var) = var else {
            if self.dialect == Dialect::Bash {
                return Err(self.unexpected(None));
            }
            return self.error(ErrorKind::BadForVariable);
        };
        self.take()?;
        if *self.peek()? == Token::Op(";") {
            self.take()?;
        }
        self.skip_newlines()?;
        let mut words = None;
        if self.reserved()? == Some("in") {
            self.take()?;
            let mut list = Vec::new();
            while let Token::Word(_) = self.peek()? {
                if let Token::Word(w) = self.take()? {
                    list.push(w);
                }
            }
            match self.peek()? {
                Token::Op(";") | Token::Newline => {
                    self.take()?;
                }
                _ => return Err(self.unexpected(None)),
            }
            words = Some(list);
        }
        self.skip_newlines()?;
        let body = self.do_group()?;
        Ok(CommandKind::For { var, words, body })
    }

    fn do_group(&mut self) -> Result<List> {
        if self.reserved()? == Some("{") && self.dialect == Dialect::Bash {
            self.take()?;
            let body = self.body(Some("}"))?;
            self.expect("}")?;
            return Ok(body);
        }
        self.expect("do")?;
        let body = self.body(Some("done"))?;
        self.expect("done")?;
        Ok(body)
    }

    fn case_command(&mut self) -> Result<CommandKind> {
        self.take()?;
        let word = match self.take()? {
            Token::Word(w) => w,
            t => {
                self.peeked = Some((t, self.pos, self.line));
                return Err(self.unexpected(None));
            }
        };
        self.skip_newlines()?;
        if self.reserved()? != Some("in") {
            return Err(self.unexpected(Some("in")));
        }
        self.take()?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.reserved()? == Some("esac") {
                break;
            }
            if *self.peek()? == Token::Op("(") {
                self.take()?;
            }
            let mut patterns = Vec::new();
            loop {
                match self.peek()? {
                    Token::Word(_) => {
                        if let Token::Word(w) = self.take()? {
                            patterns.push(w);
                        }
                    }
                    _ => return Err(self.unexpected(Some(")"))),
                }
                if *self.peek()? == Token::Op("|") {
                    self.take()?;
                } else {
                    break;
                }
            }
            self.close_paren()?;
            let body = self.compound_list(Some(";;"))?;
            let fall_through = *self.peek()? == Token::Op(";&");
            arms.push(CaseArm { patterns, body, fall_through });
            match self.peek()? {
                Token::Op(";;" | ";&") => {
                    self.take()?;
                }
                _ => break,
            }
        }
        if self.reserved()? != Some("esac") {
            let expecting = if *self.peek()? == Token::Eof { ";;" } else { "esac" };
            return Err(self.unexpected(Some(expecting)));
        }
        self.take()?;
        Ok(CommandKind::Case { word, arms })
    }

    fn redirects(&mut self) -> Result<Vec<Redirect>> {
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

    fn simple_command(&mut self, line: u32) -> Result<Command> {
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
            parts.extend(super::words::tilde_in_assignment(value_start));
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

    // [[ ]]

    fn test_command(&mut self) -> Result<CommandKind> {
        self.take()?;
        let e = self.test_or()?;
        match self.peek()? {
            Token::Word(w) if w.literal() == Some("]]") => {
                self.take()?;
                Ok(CommandKind::Test(e))
            }
            _ => Err(self.unexpected(Some("]]"))),
        }
    }

    fn test_or(&mut self) -> Result<TestExpr> {
        let mut left = self.test_and()?;
        loop {
            self.skip_newlines()?;
            if *self.peek()? != Token::Op("||") {
                return Ok(left);
            }
            self.take()?;
            left = TestExpr::Or(Box::new(left), Box::new(self.test_and()?));
        }
    }

    fn test_and(&mut self) -> Result<TestExpr> {
        let mut left = self.test_primary()?;
        loop {
            self.skip_newlines()?;
            if *self.peek()? != Token::Op("&&") {
                return Ok(left);
            }
            self.take()?;
            left = TestExpr::And(Box::new(left), Box::new(self.test_primary()?));
        }
    }

    fn test_primary(&mut self) -> Result<TestExpr> {
        self.nest(|p| {
            p.skip_newlines()?;
            if *p.peek()? == Token::Op("(") {
                p.take()?;
                let e = p.test_or()?;
                p.close_paren()?;
                return Ok(e);
            }
            let Token::Word(first) = p.take()? else {
                return p.error(ErrorKind::Unexpected { token: "]]".to_owned(), expecting: None });
            };
            if first.literal() == Some("!") {
                return Ok(TestExpr::Not(Box::new(p.test_primary()?)));
            }
            let unary = first
                .literal()
                .filter(|l| {
                    l.len() == 2
                        && l.starts_with('-')
                        && l.chars().skip(1).all(|c| "abcdefghknoprstuvwxzGLNOS".contains(c))
                })
                .map(str::to_owned);
            if let Some(op) = unary {
                if let Token::Word(w) = p.peek()?.clone()
                    && w.literal() != Some("]]")
                {
                    p.take()?;
                    return Ok(TestExpr::Unary(op, w));
                }
                return Ok(TestExpr::Word(first));
            }
            let op = match p.peek()? {
                Token::Op(op @ ("<" | ">")) => (*op).to_owned(),
                Token::Word(w) => match w.literal() {
                    Some(
                        o @ ("=" | "==" | "!=" | "=~" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-nt"
                        | "-ot" | "-ef"),
                    ) => o.to_owned(),
                    _ => return Ok(TestExpr::Word(first)),
                },
                _ => return Ok(TestExpr::Word(first)),
            };
            p.take()?;
            let right = if op == "=~" {
                p.skip_blanks();
                p.regex_word()?
            } else {
                match p.take()? {
                    Token::Word(w) => w,
                    _ => return p.error(ErrorKind::Unexpected { token: "]]".to_owned(), expecting: None }),
                }
            };
            Ok(TestExpr::Binary(first, op, right))
        })
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

/// Whether the text is a variable's name.
pub(crate) fn is_name(s: &str) -> bool {
    let mut chars = s.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
