//! Commands with commands inside: groups, `if`, loops, `case`, functions.

use super::super::ast::*;
use super::super::error::{ErrorKind, Result};
use super::{Parser, Token, is_name};
use crate::vm::Dialect;

impl Parser<'_> {
    pub(super) fn command(&mut self) -> Result<Command> {
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

    pub(super) fn close_paren(&mut self) -> Result<()> {
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
}
