//! The conditions in `[[ ]]`.

use super::super::ast::*;
use super::super::error::{ErrorKind, Result};
use super::{Parser, Token};

impl Parser<'_> {
    pub(super) fn test_command(&mut self) -> Result<CommandKind> {
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
}
