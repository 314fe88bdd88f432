//! `$((…))`: C's expressions on 64-bit numbers.

use super::Dialect;
use super::messages::{ArithError, ShellError};
use super::shell::Shell;
use crate::context::Ctx;

/// Nesting of parentheses and of variables that name expressions.
const MAX_DEPTH: u32 = 60;

struct Eval<'s, 'c, 'd> {
    shell: &'s mut Shell,
    ctx: &'c mut Ctx<'d>,
    text: Vec<char>,
    pos: usize,
    depth: u32,
    /// Where nothing may take effect: the side of `?:`, `&&`, `||` that is not taken.
    dry: u32,
}

type R<T> = Result<T, (ArithError, String)>;

const BINARY: [(&str, u8); 18] = [
    ("||", 1),
    ("&&", 2),
    ("==", 6),
    ("!=", 6),
    ("<<", 8),
    (">>", 8),
    ("<=", 7),
    (">=", 7),
    ("**", 11),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("<", 7),
    (">", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
];

impl Shell {
    /// The value of an expression.
    pub fn arith(&mut self, ctx: &mut Ctx<'_>, text: &str) -> Result<i64, ShellError> {
        self.arith_depth(ctx, text, 0, 0)
    }

    fn arith_depth(
        &mut self,
        ctx: &mut Ctx<'_>,
        text: &str,
        depth: u32,
        dry: u32,
    ) -> Result<i64, ShellError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(0);
        }
        if let Ok(n) = trimmed.parse::<i64>()
            && !trimmed.starts_with('+')
            && (trimmed.len() == 1 || !trimmed.trim_start_matches('-').starts_with('0'))
        {
            return Ok(n);
        }
        let mut e = Eval { shell: self, ctx, text: text.chars().collect(), pos: 0, depth, dry };
        let result = e.comma().and_then(|n| {
            e.skip();
            if e.pos < e.text.len() { Err((ArithError::ExpectingEnd, e.rest())) } else { Ok(n) }
        });
        let dialect = self.dialect;
        result.map_err(|(kind, token)| ShellError::Arith {
            kind,
            text: if dialect == Dialect::Bash { text.trim_start().to_owned() } else { text.to_owned() },
            token,
        })
    }
}

impl Eval<'_, '_, '_> {
    fn skip(&mut self) {
        while self.text.get(self.pos).is_some_and(|c| c.is_whitespace()) {
            self.pos += 1;
        }
    }

    fn rest(&self) -> String {
        self.text.get(self.pos..).unwrap_or_default().iter().collect::<String>().trim_start().to_owned()
    }

    fn looking(&self, s: &str) -> bool {
        s.chars().enumerate().all(|(i, c)| self.text.get(self.pos + i) == Some(&c))
    }

    fn eat(&mut self, s: &str) -> bool {
        self.skip();
        if self.looking(s) {
            self.pos += s.len();
            return true;
        }
        false
    }

    fn comma(&mut self) -> R<i64> {
        let mut n = self.assignment()?;
        while self.eat(",") {
            n = self.assignment()?;
        }
        Ok(n)
    }

    fn name(&mut self) -> Option<String> {
        self.skip();
        let start = self.pos;
        while let Some(c) = self.text.get(self.pos) {
            if c.is_ascii_alphabetic() || *c == '_' || (self.pos > start && c.is_ascii_digit()) {
                self.pos += 1;
            } else {
                break;
            }
        }
        (self.pos > start).then(|| self.text.get(start..self.pos).unwrap_or_default().iter().collect())
    }

    fn assignment(&mut self) -> R<i64> {
        if self.depth > MAX_DEPTH {
            return Err((ArithError::TooDeep, self.rest()));
        }
        self.depth += 1;
        let r = self.assignment_inner();
        self.depth -= 1;
        r
    }

    fn assignment_inner(&mut self) -> R<i64> {
        let start = self.pos;
        if let Some(name) = self.name() {
            let index = self.subscript()?;
            self.skip();
            const OPS: [&str; 11] = ["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "="];
            if let Some(op) = OPS.iter().find(|o| self.looking(o))
                && !(*op == "=" && self.looking("=="))
            {
                self.pos += op.len();
                let right = self.assignment()?;
                let value = if *op == "=" {
                    right
                } else {
                    let left = self.load(&name, index)?;
                    self.apply(op.trim_end_matches('='), left, right)?
                };
                self.store(&name, index, value)?;
                return Ok(value);
            }
        }
        self.pos = start;
        self.ternary()
    }

    fn subscript(&mut self) -> R<Option<i64>> {
        if self.shell.dialect != Dialect::Bash || !self.looking("[") {
            return Ok(None);
        }
        self.pos += 1;
        let n = self.comma()?;
        if !self.eat("]") {
            return Err((ArithError::ExpectingPrimary, self.rest()));
        }
        Ok(Some(n))
    }

    fn ternary(&mut self) -> R<i64> {
        let condition = self.binary(1)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let hide = |yes: bool| u32::from(!yes);
        self.dry += hide(condition != 0);
        let a = self.assignment()?;
        self.dry -= hide(condition != 0);
        if !self.eat(":") {
            return Err((ArithError::ExpectingPrimary, self.rest()));
        }
        self.dry += hide(condition == 0);
        let b = self.assignment()?;
        self.dry -= hide(condition == 0);
        Ok(if condition != 0 { a } else { b })
    }

    fn binary_operator(&mut self) -> Option<(&'static str, u8)> {
        self.skip();
        if self.looking("%") && !self.looking("%=") {
            return Some(("%", 10));
        }
        let (op, level) = BINARY.iter().find(|(o, _)| self.looking(o)).copied()?;
        if op == "**" && self.shell.dialect == Dialect::Dash {
            return Some(("*", 10));
        }
        // `a -= 1` is an assignment, met here only where the left side is none.
        let after = self.text.get(self.pos + op.len());
        if after == Some(&'=') && !matches!(op, "==" | "!=" | "<=" | ">=" | "<" | ">" | "&&" | "||") {
            return None;
        }
        Some((op, level))
    }

    fn binary(&mut self, min: u8) -> R<i64> {
        let mut left = self.unary()?;
        while let Some((op, level)) = self.binary_operator() {
            if level < min {
                break;
            }
            self.pos += op.len();
            let skip = (op == "&&" && left == 0) || (op == "||" && left != 0);
            self.dry += u32::from(skip);
            // `**` binds to the right.
            let right = self.binary(if op == "**" { level } else { level + 1 });
            self.dry -= u32::from(skip);
            let right = right?;
            left = if skip && op == "||" { 1 } else { self.apply(op, left, right)? };
        }
        Ok(left)
    }

    fn apply(&self, op: &str, a: i64, b: i64) -> R<i64> {
        let shift = u32::try_from(b & 63).unwrap_or(0);
        Ok(match op {
            "||" => i64::from(a != 0 || b != 0),
            "&&" => i64::from(a != 0 && b != 0),
            "==" => i64::from(a == b),
            "!=" => i64::from(a != b),
            "<=" => i64::from(a <= b),
            ">=" => i64::from(a >= b),
            "<" => i64::from(a < b),
            ">" => i64::from(a > b),
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "<<" => a.wrapping_shl(shift),
            ">>" => a.wrapping_shr(shift),
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "**" => {
                if b < 0 {
                    return Err((ArithError::NegativeExponent, self.rest()));
                }
                a.wrapping_pow(u32::try_from(b).unwrap_or(u32::MAX))
            }
            "/" | "%" => {
                if b == 0 {
                    if self.dry > 0 {
                        return Ok(0);
                    }
                    return Err((ArithError::DivideByZero, b.to_string()));
                }
                if op == "/" { a.wrapping_div(b) } else { a.wrapping_rem(b) }
            }
            _ => 0,
        })
    }

    fn unary(&mut self) -> R<i64> {
        if self.depth > MAX_DEPTH {
            return Err((ArithError::TooDeep, self.rest()));
        }
        self.depth += 1;
        let r = self.unary_inner();
        self.depth -= 1;
        r
    }

    fn unary_inner(&mut self) -> R<i64> {
        self.skip();
        for op in ["++", "--"] {
            if self.looking(op) && self.shell.dialect != Dialect::Dash {
                let start = self.pos;
                self.pos += 2;
                if let Some(name) = self.name() {
                    let index = self.subscript()?;
                    let n = self.load(&name, index)?;
                    let n = if op == "++" { n.wrapping_add(1) } else { n.wrapping_sub(1) };
                    self.store(&name, index, n)?;
                    return Ok(n);
                }
                self.pos = start;
            }
        }
        if self.looking("!") && !self.looking("!=") {
            self.pos += 1;
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.eat("~") {
            return Ok(!self.unary()?);
        }
        if self.eat("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.eat("+") {
            return self.unary();
        }
        if self.eat("(") {
            let n = self.comma()?;
            if !self.eat(")") {
                return Err((ArithError::ExpectingParen, self.rest()));
            }
            return Ok(n);
        }
        if self.text.get(self.pos).is_some_and(char::is_ascii_digit) {
            return self.number();
        }
        let Some(name) = self.name() else {
            let mut token = self.rest();
            if token.is_empty() {
                token = self
                    .text
                    .iter()
                    .rev()
                    .find(|c| !c.is_whitespace())
                    .map(|c| c.to_string())
                    .unwrap_or_default();
            }
            return Err((ArithError::ExpectingPrimary, token));
        };
        let index = self.subscript()?;
        let n = self.load(&name, index)?;
        for op in ["++", "--"] {
            self.skip();
            if self.looking(op) && self.shell.dialect != Dialect::Dash {
                self.pos += 2;
                let next = if op == "++" { n.wrapping_add(1) } else { n.wrapping_sub(1) };
                self.store(&name, index, next)?;
            }
        }
        Ok(n)
    }

    fn number(&mut self) -> R<i64> {
        let start = self.pos;
        while self.text.get(self.pos).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '#' || *c == '_') {
            self.pos += 1;
        }
        let text: String = self.text.get(start..self.pos).unwrap_or_default().iter().collect();
        let (base, digits) = if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            (16, hex)
        } else if let Some((base, digits)) = text.split_once('#') {
            (base.parse::<u32>().unwrap_or(0), digits)
        } else if text.len() > 1 && text.starts_with('0') {
            (8, text.get(1..).unwrap_or_default())
        } else {
            (10, text.as_str())
        };
        if !(2..=36).contains(&base) || digits.is_empty() {
            return Err((ArithError::BadNumber, text));
        }
        let mut n: i64 = 0;
        for c in digits.chars() {
            let Some(d) = c.to_digit(base) else { return Err((ArithError::BadNumber, text)) };
            n = n.wrapping_mul(i64::from(base)).wrapping_add(i64::from(d));
        }
        Ok(n)
    }

    fn load(&mut self, name: &str, index: Option<i64>) -> R<i64> {
        let value = match index {
            Some(i) => match self.shell.vars.variable(name).and_then(|v| v.value.as_ref()) {
                Some(super::variables::Value::Array(a)) => a.get(&i).cloned(),
                Some(super::variables::Value::Str(s)) if i == 0 => Some(s.clone()),
                _ => None,
            },
            None => self.shell.value(self.ctx, name),
        };
        let Some(value) = value else {
            if self.shell.options.nounset && self.dry == 0 && self.shell.dialect == Dialect::Bash {
                return Err((ArithError::BadVariable, name.to_owned()));
            }
            return Ok(0);
        };
        let t = value.trim();
        if t.is_empty() {
            return Ok(0);
        }
        if self.shell.dialect == Dialect::Dash {
            let mut sub = Eval {
                shell: self.shell,
                ctx: self.ctx,
                text: t.trim_start_matches(['-', '+']).chars().collect(),
                pos: 0,
                depth: 0,
                dry: 0,
            };
            let bad = (ArithError::BadVariable, value.clone());
            if !sub.text.first().is_some_and(char::is_ascii_digit) {
                return Err(bad);
            }
            let n = sub.number().map_err(|_| bad.clone())?;
            if sub.pos < sub.text.len() {
                return Err(bad);
            }
            return Ok(if t.starts_with('-') { n.wrapping_neg() } else { n });
        }
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err((ArithError::TooDeep, value));
        }
        match self.shell.arith_depth(self.ctx, &value, depth, self.dry) {
            Ok(n) => Ok(n),
            Err(ShellError::Arith { kind: ArithError::BadNumber, token, .. }) => {
                Err((ArithError::BadVariable, token))
            }
            Err(ShellError::Arith { kind, token, .. }) => Err((kind, token)),
            Err(_) => Err((ArithError::BadVariable, value)),
        }
    }

    fn store(&mut self, name: &str, index: Option<i64>, value: i64) -> R<()> {
        if self.dry > 0 {
            return Ok(());
        }
        let done = match index {
            Some(i) => self.shell.vars.set_element(name, i, &value.to_string()),
            None => self.shell.vars.set(name, &value.to_string()),
        };
        done.map_err(|_| (ArithError::BadVariable, name.to_owned()))
    }
}
