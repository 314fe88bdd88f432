//! Brace expansion (bash): `{a,b}` and `{1..5}`, done on the syntax tree before anything else.

use super::ast::{Part, Word};

/// Most words one word may become.
const MAX_WORDS: usize = 10_000;

/// One element of a word as far as braces care: an active character or something opaque.
#[derive(Clone)]
enum Piece {
    Char(char),
    Part(Part),
}

/// The words that `word` stands for, itself where it has no braces to expand.
pub(crate) fn expand_braces(word: &Word) -> Vec<Word> {
    if !word.0.iter().any(|p| matches!(p, Part::Lit(s) if s.contains('{'))) {
        return vec![word.clone()];
    }
    let mut pieces = Vec::new();
    for part in &word.0 {
        match part {
            Part::Lit(s) => pieces.extend(s.chars().map(Piece::Char)),
            other => pieces.push(Piece::Part(other.clone())),
        }
    }
    let mut done = Vec::new();
    let mut todo = vec![pieces];
    while let Some(pieces) = todo.pop() {
        match find(&pieces) {
            Some((open, close, choices)) if done.len() + todo.len() + choices.len() <= MAX_WORDS => {
                let before = pieces.get(..open).unwrap_or_default();
                let after = pieces.get(close + 1..).unwrap_or_default();
                for choice in choices.into_iter().rev() {
                    todo.push([before, &choice, after].concat());
                }
            }
            _ => done.push(join(pieces)),
        }
    }
    done
}

fn join(pieces: Vec<Piece>) -> Word {
    let mut parts: Vec<Part> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Char(c) => match parts.last_mut() {
                Some(Part::Lit(s)) => s.push(c),
                _ => parts.push(Part::Lit(c.to_string())),
            },
            Piece::Part(p) => parts.push(p),
        }
    }
    Word(parts)
}

/// The first brace that expands: where it opens and closes and what it offers.
fn find(pieces: &[Piece]) -> Option<(usize, usize, Vec<Vec<Piece>>)> {
    let mut start = 0;
    while let Some(open) =
        pieces.iter().skip(start).position(|p| matches!(p, Piece::Char('{'))).map(|i| i + start)
    {
        let mut depth = 0;
        let mut commas = Vec::new();
        let mut close = None;
        for (i, p) in pieces.iter().enumerate().skip(open) {
            match p {
                Piece::Char('{') => depth += 1,
                Piece::Char('}') => {
                    depth -= 1;
                    if depth == 0 {
                        close = Some(i);
                        break;
                    }
                }
                Piece::Char(',') if depth == 1 => commas.push(i),
                _ => {}
            }
        }
        if let Some(close) = close {
            if !commas.is_empty() {
                let mut choices = Vec::new();
                let mut from = open + 1;
                for end in commas.into_iter().chain([close]) {
                    choices.push(pieces.get(from..end).unwrap_or_default().to_vec());
                    from = end + 1;
                }
                return Some((open, close, choices));
            }
            let inner = pieces.get(open + 1..close).unwrap_or_default();
            if let Some(choices) = range(inner) {
                return Some((open, close, choices));
            }
        }
        start = open + 1;
    }
    None
}

fn range(inner: &[Piece]) -> Option<Vec<Vec<Piece>>> {
    let text: Option<String> = inner
        .iter()
        .map(|p| match p {
            Piece::Char(c) => Some(*c),
            Piece::Part(_) => None,
        })
        .collect();
    let text = text?;
    let mut parts = text.split("..");
    let (from, to) = (parts.next()?, parts.next()?);
    let step = parts.next().map_or(Some(1), |s| s.parse::<i64>().ok())?.abs().max(1);
    if parts.next().is_some() {
        return None;
    }
    let number = |s: &str| s.parse::<i64>().ok();
    if let (Some(a), Some(b)) = (number(from), number(to)) {
        let padded =
            |s: &str| s.trim_start_matches('-').len() > 1 && s.trim_start_matches('-').starts_with('0');
        let width = if padded(from) || padded(to) { from.len().max(to.len()) } else { 0 };
        return Some(
            series(a, b, step).map(|n| format!("{n:0width$}").chars().map(Piece::Char).collect()).collect(),
        );
    }
    let one = |s: &str| {
        let mut c = s.chars();
        let first = c.next().filter(char::is_ascii_alphabetic)?;
        c.next().is_none().then_some(first)
    };
    let (a, b) = (one(from)?, one(to)?);
    Some(
        series(i64::from(u32::from(a)), i64::from(u32::from(b)), step)
            .filter_map(|n| u8::try_from(n).ok())
            .map(|n| vec![Piece::Char(char::from(n))])
            .collect(),
    )
}

fn series(a: i64, b: i64, step: i64) -> impl Iterator<Item = i64> {
    let down = a > b;
    std::iter::successors(Some(a), move |n| n.checked_add(if down { -step } else { step }))
        .take_while(move |n| if down { *n >= b } else { *n <= b })
        .take(MAX_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_expand_from_left_to_right() {
        let words = expand_braces(&Word(vec![Part::Lit("a{1..3}{x,y}".to_owned())]));
        let texts: Vec<_> = words.iter().map(|w| w.literal().unwrap_or("?").to_owned()).collect();
        assert_eq!(texts, ["a1x", "a1y", "a2x", "a2y", "a3x", "a3y"]);
    }
}
