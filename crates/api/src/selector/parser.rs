//! The grammar of label selectors.
//!
//! Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go (v1.37).

use std::collections::BTreeSet;
use std::ops::Range;

use super::content::label_key_errors;
use super::error::{self, aggregate};
use super::label::{ParsedSelector, SpannedRequirement};
use super::lexer::{Item, Token, scan};
use super::requirement::{Operator, Requirement};

/// Why a text is no label selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Kubernetes' own text.
    pub message: String,
    /// Half-open range of bytes of what was not expected; empty at the end of the text.
    pub span: Range<usize>,
}

/// What identifiers `in` and `notin` are: operators, or texts like others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    KeyAndOperator,
    Values,
}

struct Parser {
    items: Vec<Item>,
    position: usize,
}

static END: Item = Item { token: Token::EndOfString, literal: String::new(), span: 0..0 };

pub(super) fn parse(text: &str) -> ParsedSelector {
    let mut parser = Parser { items: scan(text), position: 0 };
    let mut requirements = Vec::new();
    let error = parser.requirements(&mut requirements).err();
    ParsedSelector { requirements, error }
}

impl Parser {
    fn peek(&self, context: Context) -> (Token, &Item) {
        let item = self.items.get(self.position).or(self.items.last()).unwrap_or(&END);
        match (context, item.token) {
            (Context::Values, Token::In | Token::NotIn) => (Token::Identifier, item),
            (_, token) => (token, item),
        }
    }

    fn next(&mut self, context: Context) -> (Token, Item) {
        let (token, item) = self.peek(context);
        let item = item.clone();
        self.position += 1;
        (token, item)
    }

    fn requirements(&mut self, found: &mut Vec<SpannedRequirement>) -> Result<(), ParseError> {
        loop {
            let (token, item) = self.peek(Context::Values);
            match token {
                Token::Identifier | Token::DoesNotExist => {
                    let start = item.span.start;
                    let requirement = self.requirement().map_err(|error| ParseError {
                        message: format!("unable to parse requirement: {}", error.message),
                        ..error
                    })?;
                    found.push(SpannedRequirement { requirement, span: start..self.last_end(start) });
                    match self.next(Context::Values) {
                        (Token::EndOfString, _) => return Ok(()),
                        (Token::Comma, _) => {
                            let (token, item) = self.peek(Context::Values);
                            if !matches!(token, Token::Identifier | Token::DoesNotExist) {
                                return Err(unexpected(item, ", expected: identifier after ','"));
                            }
                        }
                        (_, item) => return Err(unexpected(&item, ", expected: ',' or 'end of string'")),
                    }
                }
                Token::EndOfString => return Ok(()),
                _ => return Err(unexpected(item, ", expected: !, identifier, or 'end of string'")),
            }
        }
    }

    /// Where the last token taken ended.
    fn last_end(&self, start: usize) -> usize {
        let last = self.position.checked_sub(1).and_then(|index| self.items.get(index));
        last.map_or(start, |item| item.span.end)
    }

    fn requirement(&mut self) -> Result<Requirement, ParseError> {
        let start = self.peek(Context::Values).1.span.start;
        let (key, unary) = self.key_and_unary_operator()?;
        let (operator, values) = match unary {
            Some(operator) => (operator, BTreeSet::new()),
            None => {
                let operator = self.operator()?;
                let values = match operator {
                    Operator::In | Operator::NotIn => self.values()?,
                    _ => self.exact_value()?,
                };
                (operator, values)
            }
        };
        Requirement::new(&key, operator, values.into_iter().collect())
            .map_err(|errors| ParseError { message: aggregate(&errors), span: start..self.last_end(start) })
    }

    /// The key, and `DoesNotExist` after a `!` or `Exists` where no operator follows.
    fn key_and_unary_operator(&mut self) -> Result<(String, Option<Operator>), ParseError> {
        let (mut token, mut item) = self.next(Context::Values);
        let negated = token == Token::DoesNotExist;
        if negated {
            (token, item) = self.next(Context::Values);
        }
        if token != Token::Identifier {
            return Err(unexpected(&item, ", expected: identifier"));
        }
        let errors = label_key_errors(&item.literal);
        if !errors.is_empty() {
            let error = error::invalid("<nil>", &item.literal, errors.join("; "));
            return Err(ParseError { message: error.to_string(), span: item.span });
        }
        if negated {
            return Ok((item.literal, Some(Operator::DoesNotExist)));
        }
        let exists = matches!(self.peek(Context::Values).0, Token::EndOfString | Token::Comma);
        Ok((item.literal, exists.then_some(Operator::Exists)))
    }

    fn operator(&mut self) -> Result<Operator, ParseError> {
        let (token, item) = self.next(Context::KeyAndOperator);
        Ok(match token {
            Token::In => Operator::In,
            Token::Equals => Operator::Equals,
            Token::DoubleEquals => Operator::DoubleEquals,
            Token::GreaterThan => Operator::GreaterThan,
            Token::LessThan => Operator::LessThan,
            Token::NotIn => Operator::NotIn,
            Token::NotEquals => Operator::NotEquals,
            _ => {
                let names: Vec<&str> = Operator::BINARY.into_iter().map(Operator::name).collect();
                return Err(unexpected(&item, &format!(", expected: {}", names.join(", "))));
            }
        })
    }

    fn values(&mut self) -> Result<BTreeSet<String>, ParseError> {
        let (token, item) = self.next(Context::Values);
        if token != Token::OpenPar {
            return Err(unexpected(&item, " expected: '('"));
        }
        let (token, item) = self.peek(Context::Values);
        match token {
            Token::Identifier | Token::Comma => {
                // The list ends only before a closing parenthesis.
                let values = self.identifiers()?;
                self.position += 1;
                Ok(values)
            }
            Token::ClosedPar => {
                self.position += 1;
                Ok(BTreeSet::from([String::new()]))
            }
            _ => Err(unexpected(item, ", expected: ',', ')' or identifier")),
        }
    }

    /// Reads up to a closing parenthesis, which stays. Between two commas, before the first and after the last one
    /// stands the empty text.
    fn identifiers(&mut self) -> Result<BTreeSet<String>, ParseError> {
        let mut values = BTreeSet::new();
        loop {
            let (token, item) = self.next(Context::Values);
            let (following, following_item) = self.peek(Context::Values);
            match token {
                Token::Identifier => {
                    values.insert(item.literal);
                    match following {
                        Token::Comma => {}
                        Token::ClosedPar => return Ok(values),
                        _ => return Err(unexpected(following_item, ", expected: ',' or ')'")),
                    }
                }
                Token::Comma => {
                    if values.is_empty() || matches!(following, Token::ClosedPar | Token::Comma) {
                        values.insert(String::new());
                    }
                    if following == Token::ClosedPar {
                        return Ok(values);
                    }
                }
                _ => return Err(unexpected(&item, ", expected: ',', or identifier")),
            }
        }
    }

    fn exact_value(&mut self) -> Result<BTreeSet<String>, ParseError> {
        if matches!(self.peek(Context::Values).0, Token::EndOfString | Token::Comma) {
            return Ok(BTreeSet::from([String::new()]));
        }
        match self.next(Context::Values) {
            (Token::Identifier, item) => Ok(BTreeSet::from([item.literal])),
            (_, item) => Err(unexpected(&item, ", expected: identifier")),
        }
    }
}

fn unexpected(item: &Item, expected: &str) -> ParseError {
    ParseError { message: format!("found '{}'{expected}", item.literal), span: item.span.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::Selector;

    fn message(text: &str) -> String {
        Selector::parse(text).map_or_else(|error| error.to_string(), |selector| selector.to_string())
    }

    #[test]
    fn selectors_print_in_canonical_form() {
        for (text, expected) in [
            ("b in (z, a ,,z),a", "a,b in (,a,z)"),
            ("x=a , y == b,z!= c,!w", "!w,x=a,y==b,z!=c"),
            ("x notin ()", "x notin ()"),
            ("n>5,m<7", "m<7,n>5"),
            ("in=in,notin", "in=in,notin"),
        ] {
            assert_eq!(message(text), expected);
        }
    }

    #[test]
    fn errors_have_kubernetes_texts() {
        for (text, expected) in [
            ("a=b,", "found '', expected: identifier after ','"),
            ("!x=a", "found '=', expected: ',' or 'end of string'"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            (
                "x nott in (y)",
                "unable to parse requirement: found 'nott', expected: in, notin, =, ==, !=, gt, lt",
            ),
            ("!", "unable to parse requirement: found '', expected: identifier"),
        ] {
            assert_eq!(message(text), expected);
        }
    }

    #[test]
    fn spans_cover_each_requirement() {
        let text = " app = web , tier in (a, b),!한";
        let parsed = Selector::parse_spanned(text);
        let spans: Vec<&str> = parsed.requirements.iter().map(|one| &text[one.span.clone()]).collect();
        assert_eq!(spans, ["app = web", "tier in (a, b)"]);
        let error = parsed.error.unwrap();
        assert_eq!(&text[error.span], "한");
    }
}
