//! Tokens of label selectors.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Error,
    EndOfString,
    ClosedPar,
    Comma,
    DoesNotExist,
    DoubleEquals,
    Equals,
    GreaterThan,
    Identifier,
    In,
    LessThan,
    NotEquals,
    NotIn,
    OpenPar,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) token: Token,
    pub(super) literal: String,
    pub(super) span: Range<usize>,
}

fn symbol(text: &str) -> Option<Token> {
    Some(match text {
        ")" => Token::ClosedPar,
        "," => Token::Comma,
        "!" => Token::DoesNotExist,
        "==" => Token::DoubleEquals,
        "=" => Token::Equals,
        ">" => Token::GreaterThan,
        "<" => Token::LessThan,
        "!=" => Token::NotEquals,
        "(" => Token::OpenPar,
        "in" => Token::In,
        "notin" => Token::NotIn,
        _ => return None,
    })
}

fn is_white_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_special(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

/// All tokens, the last one always [`Token::EndOfString`]. A NUL ends the text, as in Kubernetes' lexer.
pub(super) fn scan(text: &str) -> Vec<Item> {
    let end = text.find('\0').unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default();
    let mut items = Vec::new();
    let mut position = 0;
    loop {
        let rest = text.get(position..).unwrap_or_default();
        let trimmed = rest.trim_start_matches(is_white_space);
        position += rest.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else {
            items.push(Item { token: Token::EndOfString, literal: String::new(), span: position..position });
            return items;
        };
        let (token, literal, length) =
            if is_special(first) { scan_special(trimmed) } else { scan_identifier(trimmed) };
        items.push(Item { token, literal, span: position..position + length });
        position += length;
    }
}

fn scan_identifier(text: &str) -> (Token, String, usize) {
    let length = text.find(|c| is_special(c) || is_white_space(c)).unwrap_or(text.len());
    let literal = text.get(..length).unwrap_or_default();
    (symbol(literal).unwrap_or(Token::Identifier), literal.to_owned(), length)
}

/// The longest operator at the start. Every special character is one by itself, so there always is one.
fn scan_special(text: &str) -> (Token, String, usize) {
    for length in [2, 1] {
        if let Some(literal) = text.get(..length)
            && let Some(token) = symbol(literal)
        {
            return (token, literal.to_owned(), length);
        }
    }
    (Token::Error, text.to_owned(), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(Token, String)> {
        scan(text).into_iter().map(|item| (item.token, item.literal)).collect()
    }

    #[test]
    fn operators_are_read_longest_first() {
        let read = tokens("== != (),=notin !!");
        let kinds: Vec<Token> = read.iter().map(|(token, _)| *token).collect();
        assert_eq!(
            kinds,
            [
                Token::DoubleEquals,
                Token::NotEquals,
                Token::OpenPar,
                Token::ClosedPar,
                Token::Comma,
                Token::Equals,
                Token::NotIn,
                Token::DoesNotExist,
                Token::DoesNotExist,
                Token::EndOfString
            ]
        );
    }
}
