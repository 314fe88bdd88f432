//! `test`, `[` and `[[`.

use super::Dialect;
use super::shell::Shell;
use crate::context::Ctx;

/// Nesting of `(` and `!`.
const MAX_DEPTH: u32 = 60;

/// Runs `test` or `[` (the first argument): its status and, where it failed, the text.
pub(crate) fn test_command(ctx: &mut Ctx<'_>, args: &[String], dialect: Dialect) -> (i32, Option<String>) {
    let name = args.first().map_or("test", String::as_str);
    let name = name.rsplit('/').next().unwrap_or(name);
    let mut words = args.get(1..).unwrap_or_default().to_vec();
    let close = match name {
        "[" => Some("]"),
        "[[" => Some("]]"),
        _ => None,
    };
    if let Some(close) = close
        && words.pop().as_deref() != Some(close)
    {
        let text = match dialect {
            Dialect::Bash => format!("missing `{close}'"),
            _ => format!("missing {close}"),
        };
        return (2, Some(text));
    }
    let mut t = Test { ctx, words, pos: 0, dialect, depth: 0, double: name == "[[" };
    match t.run() {
        Ok(yes) => (i32::from(!yes), None),
        Err(text) => (2, Some(text)),
    }
}

struct Test<'a, 'c> {
    ctx: &'a mut Ctx<'c>,
    words: Vec<String>,
    pos: usize,
    dialect: Dialect,
    depth: u32,
    double: bool,
}

fn is_binary(s: &str) -> bool {
    matches!(
        s,
        "=" | "=="
            | "!="
            | "<"
            | ">"
            | "=~"
            | "-eq"
            | "-ne"
            | "-lt"
            | "-le"
            | "-gt"
            | "-ge"
            | "-nt"
            | "-ot"
            | "-ef"
    )
}

fn is_unary(s: &str) -> bool {
    s.len() == 2
        && s.starts_with('-')
        && s.chars().nth(1).is_some_and(|c| "abcdefghknoprstuwxzLNOGSv".contains(c))
}

impl Test<'_, '_> {
    fn run(&mut self) -> Result<bool, String> {
        match self.words.len() {
            0 => return Ok(false),
            1 => return Ok(!self.word(0).is_empty()),
            2 if self.word(0) == "!" => return Ok(self.word(1).is_empty()),
            3 if is_binary(&self.word(1)) || matches!(self.word(1).as_str(), "-a" | "-o") => {
                let (a, op, b) = (self.word(0), self.word(1), self.word(2));
                return match op.as_str() {
                    "-a" => Ok(!a.is_empty() && !b.is_empty()),
                    "-o" => Ok(!a.is_empty() || !b.is_empty()),
                    _ => self.binary(&a, &op, &b),
                };
            }
            2 if self.dialect == Dialect::Bash && !is_unary(&self.word(0)) => {
                return Err(format!("{}: unary operator expected", self.word(0)));
            }
            3 if self.dialect == Dialect::Bash && self.word(0) != "!" && self.word(0) != "(" => {
                return Err(format!("{}: binary operator expected", self.word(1)));
            }
            _ => {}
        }
        let r = self.or()?;
        if self.pos < self.words.len() {
            return Err(match self.dialect {
                Dialect::Bash => "too many arguments".to_owned(),
                Dialect::Dash => {
                    let before = self.word(self.pos.saturating_sub(1));
                    if self.pos == 1 && self.words.len() > 1 {
                        format!("{before}: unexpected operator")
                    } else {
                        format!("{}: unexpected operator", self.word(self.pos))
                    }
                }
                Dialect::Ash => format!("{}: unknown operand", self.word(self.pos)),
            });
        }
        Ok(r)
    }

    fn word(&self, i: usize) -> String {
        self.words.get(i).cloned().unwrap_or_default()
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut r = self.and()?;
        while matches!(self.words.get(self.pos).map(String::as_str), Some("-o" | "||")) {
            self.pos += 1;
            r |= self.and()?;
        }
        Ok(r)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut r = self.not()?;
        while matches!(self.words.get(self.pos).map(String::as_str), Some("-a" | "&&")) {
            self.pos += 1;
            r &= self.not()?;
        }
        Ok(r)
    }

    fn not(&mut self) -> Result<bool, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("too many arguments".to_owned());
        }
        let r = if self.words.get(self.pos).is_some_and(|w| w == "!") && self.pos + 1 < self.words.len() {
            self.pos += 1;
            self.not().map(|b| !b)
        } else {
            self.primary()
        };
        self.depth -= 1;
        r
    }

    fn primary(&mut self) -> Result<bool, String> {
        let left = self.words.len().saturating_sub(self.pos);
        let a = self.word(self.pos);
        if left == 0 {
            return Err("argument expected".to_owned());
        }
        if left >= 3 && is_binary(&self.word(self.pos + 1)) {
            let (op, b) = (self.word(self.pos + 1), self.word(self.pos + 2));
            self.pos += 3;
            return self.binary(&a, &op, &b);
        }
        if a == "(" {
            self.pos += 1;
            let r = self.or()?;
            if self.words.get(self.pos).is_none_or(|w| w != ")") {
                return Err("closing paren expected".to_owned());
            }
            self.pos += 1;
            return Ok(r);
        }
        if is_unary(&a) && left >= 2 {
            let b = self.word(self.pos + 1);
            self.pos += 2;
            return Ok(self.unary(&a, &b));
        }
        if left == 2 && is_binary(&self.word(self.pos + 1)) {
            let op = self.word(self.pos + 1);
            return Err(match self.dialect {
                Dialect::Bash => format!("{a}: unary operator expected"),
                _ => format!("{op}: argument expected"),
            });
        }
        self.pos += 1;
        Ok(!a.is_empty())
    }

    fn unary(&mut self, op: &str, s: &str) -> bool {
        match op {
            "-n" => !s.is_empty(),
            "-z" => s.is_empty(),
            "-t" => s.trim().parse::<u32>().is_ok_and(|fd| self.ctx.is_tty(fd)),
            "-e" | "-a" => self.ctx.exists(s),
            "-f" => self.ctx.stat(s, true).is_ok_and(|m| m.is_file),
            "-d" => self.ctx.is_dir(s),
            "-s" => self.ctx.stat(s, true).is_ok_and(|m| m.size > 0),
            "-h" | "-L" => self.ctx.stat(s, false).is_ok_and(|m| m.link.is_some()),
            "-r" => self.ctx.access(s, 4),
            "-w" => self.ctx.access(s, 2),
            "-x" => self.ctx.access(s, 1),
            "-c" => self.ctx.stat(s, true).is_ok_and(|m| m.is_device),
            "-g" => self.ctx.stat(s, true).is_ok_and(|m| m.mode & 0o2000 != 0),
            "-u" => self.ctx.stat(s, true).is_ok_and(|m| m.mode & 0o4000 != 0),
            "-k" => self.ctx.stat(s, true).is_ok_and(|m| m.mode & 0o1000 != 0),
            "-O" => self.ctx.stat(s, true).is_ok_and(|m| m.uid == self.ctx.core.who.uid),
            "-G" => self.ctx.stat(s, true).is_ok_and(|m| m.gid == self.ctx.core.who.gid),
            _ => false,
        }
    }

    fn number(&self, s: &str) -> Result<i64, String> {
        let t = s.trim();
        t.strip_prefix('+').unwrap_or(t).parse::<i64>().map_err(|_| match self.dialect {
            Dialect::Ash => format!("{s}: bad number"),
            Dialect::Dash => format!("Illegal number: {s}"),
            Dialect::Bash => format!("{s}: integer expression expected"),
        })
    }

    fn binary(&mut self, a: &str, op: &str, b: &str) -> Result<bool, String> {
        Ok(match op {
            "=" | "==" if op == "==" && self.dialect == Dialect::Dash => {
                return Err(format!("{a}: unexpected operator"));
            }
            "=" | "==" if self.double => crate::pattern::matches(b, a),
            "!=" if self.double => !crate::pattern::matches(b, a),
            "=" | "==" => a == b,
            "!=" => a != b,
            "<" => a < b,
            ">" => a > b,
            "=~" => crate::regex::Regex::new(b, true, false).is_ok_and(|r| r.find(a, 0).is_some()),
            "-nt" | "-ot" => {
                let time = |p: &str| self.ctx.stat(p, true).ok().map(|s| s.mtime);
                let (x, y) = (time(a), time(b));
                if op == "-nt" { x > y } else { x < y }
            }
            "-ef" => {
                let id = |p: &str| self.ctx.stat(p, true).ok().map(|s| (s.mount, s.ino));
                id(a).is_some() && id(a) == id(b)
            }
            _ => {
                let (x, y) = (self.number(a)?, self.number(b)?);
                match op {
                    "-eq" => x == y,
                    "-ne" => x != y,
                    "-lt" => x < y,
                    "-le" => x <= y,
                    "-gt" => x > y,
                    _ => x >= y,
                }
            }
        })
    }
}

impl Shell {
    /// One comparison of bash's `[[`; the right side of `==` is a pattern already.
    pub fn double_bracket(&mut self, ctx: &mut Ctx<'_>, words: &[&str]) -> i32 {
        if let [a, op @ ("=" | "==" | "!="), b] = words {
            let yes = crate::pattern::matches(b, a) != (*op == "!=");
            return i32::from(!yes);
        }
        if let [a, "=~", b] = words {
            return match crate::regex::Regex::new(b, true, false) {
                Ok(r) => match r.find(a, 0) {
                    Some(found) => {
                        let groups: Vec<String> = found
                            .groups
                            .iter()
                            .map(|g| g.and_then(|(s, e)| a.get(s..e)).unwrap_or_default().to_owned())
                            .collect();
                        let _ = self.assign_array("BASH_REMATCH", &groups, false);
                        0
                    }
                    None => 1,
                },
                Err(_) => 2,
            };
        }
        if let [a, op @ ("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge"), b] = words {
            // Both sides are arithmetic here.
            let (Ok(x), Ok(y)) = (self.arith(ctx, a), self.arith(ctx, b)) else {
                return 1;
            };
            let yes = match *op {
                "-eq" => x == y,
                "-ne" => x != y,
                "-lt" => x < y,
                "-le" => x <= y,
                "-gt" => x > y,
                _ => x >= y,
            };
            return i32::from(!yes);
        }
        if let ["-v", name] = words {
            return i32::from(self.vars.get(name).is_none());
        }
        if let ["-n" | "-z", s] = words {
            return i32::from(s.is_empty() != (words.first() == Some(&"-z")));
        }
        let mut args: Vec<String> = vec!["test".to_owned()];
        args.extend(words.iter().map(|w| (*w).to_owned()));
        let (status, error) = test_command(ctx, &args, self.dialect);
        if let Some(e) = error {
            self.builtin_error(ctx, "[[", e, 2);
        }
        status
    }
}
