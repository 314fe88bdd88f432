//! `$x`, `${x…}` and assignments.

use super::Dialect;
use super::compile::TOP;
use super::expand::{Builder, Segment};
use super::messages::ShellError;
use super::shell::Shell;
use super::variables::{SetError, Value};
use crate::context::Ctx;
use crate::pattern::matches_chars;
use crate::syntax::{Param, ParamOp, Subscript};

/// A parameter's value: one string, or several for `$@`, `$*` and arrays.
enum Found {
    Unset,
    One(String),
    /// The values, and whether `*` joined them.
    Many(Vec<String>, bool),
}

impl Shell {
    fn found(&mut self, ctx: &mut Ctx<'_>, p: &Param) -> Result<Found, ShellError> {
        let index = match &p.subscript {
            Some(Subscript::Index(_)) => {
                // The subscript's string lies below the operands; the callers take those first.
                let text = self.strings.pop().unwrap_or_default();
                Some(self.arith(ctx, &text)?)
            }
            Some(Subscript::All(star)) => {
                let values = match self.vars.variable(&p.name).and_then(|v| v.value.as_ref()) {
                    Some(Value::Array(a)) => a.values().cloned().collect(),
                    Some(Value::Str(s)) => vec![s.clone()],
                    None => Vec::new(),
                };
                return Ok(Found::Many(values, *star));
            }
            None => None,
        };
        if let Some(i) = index {
            return Ok(match self.vars.variable(&p.name).and_then(|v| v.value.as_ref()) {
                Some(Value::Array(a)) => {
                    let i = if i < 0 { a.keys().last().map_or(0, |l| l + 1) + i } else { i };
                    a.get(&i).map_or(Found::Unset, |s| Found::One(s.clone()))
                }
                Some(Value::Str(s)) if i == 0 => Found::One(s.clone()),
                _ => Found::Unset,
            });
        }
        Ok(match p.name.as_str() {
            "@" => Found::Many(self.params.clone(), false),
            "*" => Found::Many(self.params.clone(), true),
            TOP => Found::One(self.strings.pop().unwrap_or_default()),
            name => self.value(ctx, name).map_or(Found::Unset, Found::One),
        })
    }

    /// The value of a variable or a special parameter but `@` and `*`.
    pub fn value(&mut self, ctx: &mut Ctx<'_>, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.to_string()),
            "#" => Some(self.params.len().to_string()),
            "$" => Some(self.main_pid.to_string()),
            "!" => self.last_background.map(|p| p.to_string()),
            "-" => Some(self.option_letters()),
            "0" => Some(self.name.clone()),
            n if n.starts_with(|c: char| c.is_ascii_digit()) => {
                let n: usize = n.parse().ok()?;
                self.params.get(n.checked_sub(1)?).cloned()
            }
            "RANDOM" if self.dialect != Dialect::Dash => Some((ctx.host.random() & 0x7fff).to_string()),
            "LINENO" => Some(self.line.to_string()),
            "SECONDS" if self.dialect == Dialect::Bash => {
                Some(ctx.now().since(self.seconds_from).as_secs().to_string())
            }
            "EPOCHSECONDS" if self.dialect != Dialect::Dash => Some(ctx.now().as_secs().to_string()),
            "BASHPID" if self.dialect == Dialect::Bash => Some(ctx.core.pid.to_string()),
            "UID" | "EUID" if self.dialect == Dialect::Bash => Some(ctx.core.who.uid.to_string()),
            name => self.vars.get(name).map(str::to_owned),
        }
    }

    fn unset_error(&self, p: &Param) -> Result<(), ShellError> {
        if self.options.nounset && p.name != "@" && p.name != "*" {
            let name = match &p.subscript {
                Some(_) => p.text.clone(),
                None => p.name.clone(),
            };
            return Err(ShellError::NotSet(name));
        }
        Ok(())
    }

    fn append(&mut self, found: Found, quoted: bool) {
        let ifs_first = match self.vars.get("IFS") {
            None => " ".to_owned(),
            Some(s) => s.chars().next().map(String::from).unwrap_or_default(),
        };
        let Some(w) = self.words.last_mut() else { return };
        match found {
            Found::Unset => w.text("", quoted, true),
            Found::One(s) => w.text(&s, quoted, true),
            Found::Many(values, star) => append_many(w, &values, star, quoted, &ifs_first),
        }
    }

    /// Appends a parameter to the word being built. Operand strings are on the stack.
    pub fn param(&mut self, ctx: &mut Ctx<'_>, p: &Param, quoted: bool) -> Result<(), ShellError> {
        match &p.op {
            ParamOp::Plain => {
                let found = self.found(ctx, p)?;
                if matches!(found, Found::Unset) {
                    self.unset_error(p)?;
                }
                self.append(found, quoted);
            }
            ParamOp::Length => {
                let n = match self.found(ctx, p)? {
                    Found::Unset => {
                        self.unset_error(p)?;
                        0
                    }
                    Found::One(s) => s.chars().count(),
                    Found::Many(v, _) => v.len(),
                };
                self.append(Found::One(n.to_string()), quoted);
            }
            ParamOp::Bad => return Err(ShellError::BadSubstitution(p.text.clone())),
            ParamOp::Indirect => {
                let name = match self.found(ctx, p)? {
                    Found::One(s) => s,
                    _ => String::new(),
                };
                let found = self.value(ctx, &name).map_or(Found::Unset, Found::One);
                self.append(found, quoted);
            }
            ParamOp::Case { upper, all } => {
                let found = self.map_found(ctx, p, |s| change_case(s, *upper, *all))?;
                self.append(found, quoted);
            }
            ParamOp::Trim { suffix, longest, .. } => {
                let pattern: Vec<char> = self.strings.pop().unwrap_or_default().chars().collect();
                let found = self.map_found(ctx, p, |s| trim(s, &pattern, *suffix, *longest))?;
                self.append(found, quoted);
            }
            ParamOp::Substring { length, .. } => {
                let length = match length {
                    Some(_) => Some(self.strings.pop().unwrap_or_default()),
                    None => None,
                };
                let offset = self.strings.pop().unwrap_or_default();
                let offset = self.arith(ctx, &offset)?;
                let length = match length {
                    Some(l) => Some(self.arith(ctx, &l)?),
                    None => None,
                };
                let found = match self.found(ctx, p)? {
                    Found::Many(v, star) => {
                        let mut all = v;
                        if p.subscript.is_none() {
                            all.insert(0, self.name.clone());
                        }
                        Found::Many(slice(&all, offset, length), star)
                    }
                    Found::One(s) => {
                        let chars: Vec<char> = s.chars().collect();
                        Found::One(slice(&chars, offset, length).into_iter().collect())
                    }
                    Found::Unset => {
                        self.unset_error(p)?;
                        Found::Unset
                    }
                };
                self.append(found, quoted);
            }
            ParamOp::Replace { all, anchor, .. } => {
                let with = self.strings.pop().unwrap_or_default();
                let pattern: Vec<char> = self.strings.pop().unwrap_or_default().chars().collect();
                let found = self.map_found(ctx, p, |s| replace(s, &pattern, &with, *all, *anchor))?;
                self.append(found, quoted);
            }
            ParamOp::Default { .. }
            | ParamOp::Assign { .. }
            | ParamOp::Error { .. }
            | ParamOp::Alternative { .. } => {}
        }
        Ok(())
    }

    fn map_found(
        &mut self,
        ctx: &mut Ctx<'_>,
        p: &Param,
        f: impl Fn(&str) -> String,
    ) -> Result<Found, ShellError> {
        Ok(match self.found(ctx, p)? {
            Found::Unset => {
                self.unset_error(p)?;
                Found::Unset
            }
            Found::One(s) => Found::One(f(&s)),
            Found::Many(v, star) => Found::Many(v.iter().map(|s| f(s)).collect(), star),
        })
    }

    /// Whether the operand word is to be evaluated; else appends the value.
    pub fn param_choice(&mut self, ctx: &mut Ctx<'_>, p: &Param, quoted: bool) -> Result<bool, ShellError> {
        let found = self.found(ctx, p)?;
        let empty = match &found {
            Found::Unset => true,
            Found::One(s) => s.is_empty(),
            Found::Many(v, _) => v.is_empty() || (v.len() == 1 && v.iter().all(String::is_empty)),
        };
        let unset = match &found {
            Found::Many(v, _) => v.is_empty(),
            f => matches!(f, Found::Unset),
        };
        match &p.op {
            ParamOp::Alternative { colon, .. } => {
                let use_word = if *colon { !empty } else { !unset };
                if !use_word {
                    self.append(Found::Unset, quoted);
                }
                Ok(use_word)
            }
            ParamOp::Default { colon, .. } | ParamOp::Assign { colon, .. } | ParamOp::Error { colon, .. } => {
                let use_word = if *colon { empty } else { unset };
                if !use_word {
                    self.append(found, quoted);
                }
                Ok(use_word)
            }
            _ => Ok(false),
        }
    }

    /// After the operand of `=` or `?`: its string is on the stack.
    pub fn param_operand(&mut self, ctx: &mut Ctx<'_>, p: &Param, quoted: bool) -> Result<(), ShellError> {
        let word = self.strings.pop().unwrap_or_default();
        match &p.op {
            ParamOp::Assign { .. } => {
                if !crate::syntax::is_name(&p.name) {
                    return Err(ShellError::BadSubstitution(p.text.clone()));
                }
                self.assign(ctx, &p.name, None, &word, false)?;
                self.append(Found::One(word), quoted);
                Ok(())
            }
            ParamOp::Error { colon, .. } => {
                let text = match (word.is_empty(), colon, self.dialect) {
                    (false, ..) => word,
                    (true, true, Dialect::Bash) => "parameter null or not set".to_owned(),
                    (true, true, _) => "parameter not set or null".to_owned(),
                    (true, false, _) => "parameter not set".to_owned(),
                };
                Err(ShellError::Message(p.name.clone(), text))
            }
            _ => Ok(()),
        }
    }

    /// Sets a variable, or an element of an array.
    pub fn assign(
        &mut self,
        ctx: &mut Ctx<'_>,
        name: &str,
        index: Option<&str>,
        value: &str,
        append: bool,
    ) -> Result<(), ShellError> {
        let integer = self.vars.variable(name).is_some_and(|v| v.integer);
        let mut value = value.to_owned();
        if integer {
            value = self.arith(ctx, &value)?.to_string();
        }
        let result = match index {
            Some(i) => {
                let i = self.arith(ctx, i)?;
                self.vars.set_element(name, i, &value)
            }
            None => {
                if append {
                    let old = self.vars.get(name).unwrap_or_default();
                    value = match (integer, old.parse::<i64>(), value.parse::<i64>()) {
                        (true, Ok(a), Ok(b)) => a.wrapping_add(b).to_string(),
                        _ => format!("{old}{value}"),
                    };
                }
                self.vars.set(name, &value)
            }
        };
        match result {
            Ok(()) => {}
            Err(SetError::ReadOnly) => return Err(ShellError::ReadOnly(name.to_owned())),
            Err(SetError::TooMuch) => return Err(ShellError::TooMuch),
        }
        if self.options.allexport {
            self.vars.variable_mut(name).exported = true;
        }
        if name == "OPTIND" {
            self.getopts = (value.parse().unwrap_or(1), 0);
        }
        Ok(())
    }

    pub fn assign_array(&mut self, name: &str, values: &[String], append: bool) -> Result<(), ShellError> {
        let fail = |e| match e {
            SetError::ReadOnly => ShellError::ReadOnly(name.to_owned()),
            SetError::TooMuch => ShellError::TooMuch,
        };
        let mut next = 0;
        if append {
            if let Some(Value::Array(a)) = self.vars.variable(name).and_then(|v| v.value.as_ref()) {
                next = a.keys().last().map_or(0, |k| k + 1);
            }
        } else {
            if self.vars.variable(name).is_some_and(|v| v.readonly) {
                return Err(fail(SetError::ReadOnly));
            }
            self.vars.variable_mut(name).value = Some(Value::Array(Default::default()));
        }
        for v in values {
            self.vars.set_element(name, next, v).map_err(fail)?;
            next += 1;
        }
        Ok(())
    }
}

fn append_many(w: &mut Builder, values: &[String], star: bool, quoted: bool, separator: &str) {
    if quoted && star {
        w.text(&values.join(separator), true, false);
        return;
    }
    if values.is_empty() {
        if quoted {
            w.segments.push(Segment::Nothing);
        }
        return;
    }
    for (i, v) in values.iter().enumerate() {
        if i > 0 {
            w.segments.push(if quoted { Segment::Break } else { Segment::SoftBreak });
        }
        w.text(v, quoted, true);
    }
}

fn slice<T: Clone>(all: &[T], offset: i64, length: Option<i64>) -> Vec<T> {
    let len = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 { len.saturating_add(offset) } else { offset };
    if start < 0 || start > len {
        return Vec::new();
    }
    let end = match length {
        None => len,
        Some(l) if l < 0 => len.saturating_add(l),
        Some(l) => start.saturating_add(l).min(len),
    };
    let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return Vec::new() };
    all.get(start..end).unwrap_or_default().to_vec()
}

fn trim(s: &str, pattern: &[char], suffix: bool, longest: bool) -> String {
    let chars: Vec<char> = s.chars().collect();
    let n = chars.len();
    let try_at = |cut: usize| {
        let part = if suffix { chars.get(cut..) } else { chars.get(..cut) };
        part.is_some_and(|p| matches_chars(pattern, p))
    };
    // Cuts from the shortest to the longest piece taken away.
    let found = match (suffix, longest) {
        (true, false) | (false, true) => (0..=n).rev().find(|c| try_at(*c)),
        (true, true) | (false, false) => (0..=n).find(|c| try_at(*c)),
    };
    match found {
        Some(cut) if suffix => chars.into_iter().take(cut).collect(),
        Some(cut) => chars.into_iter().skip(cut).collect(),
        None => s.to_owned(),
    }
}

fn replace(s: &str, pattern: &[char], with: &str, all: bool, anchor: Option<char>) -> String {
    if pattern.is_empty() && anchor.is_none() {
        return s.to_owned();
    }
    let chars: Vec<char> = s.chars().collect();
    let n = chars.len();
    let mut out = String::new();
    let mut i = 0;
    while i <= n {
        let ends = (i..=n).rev().filter(|e| anchor != Some('%') || *e == n);
        let hit = ends
            .filter(|e| *e > i || (pattern.is_empty() && anchor.is_some()))
            .find(|e| chars.get(i..*e).is_some_and(|p| matches_chars(pattern, p)));
        match hit {
            Some(e) => {
                out.push_str(with);
                i = e;
                if !all {
                    break;
                }
            }
            None if anchor == Some('#') => break,
            None => {
                let Some(c) = chars.get(i) else { break };
                out.push(*c);
                i += 1;
            }
        }
    }
    out.extend(chars.into_iter().skip(i));
    out
}

fn change_case(s: &str, upper: bool, all: bool) -> String {
    let map =
        |c: char| -> String { if upper { c.to_uppercase().collect() } else { c.to_lowercase().collect() } };
    s.chars().enumerate().map(|(i, c)| if all || i == 0 { map(c) } else { c.to_string() }).collect()
}
