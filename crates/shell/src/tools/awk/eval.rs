//! Running awk's rules.

use super::parse::{Expr, Stmt};
use crate::regex::Regex;
use crate::tools::printf::float;
use std::collections::BTreeMap;

/// Most statements and loop turns for one record.
const MAX_STEPS: u64 = 1_000_000;
/// Most text kept in variables and output of one record, in bytes.
const MAX_TEXT: usize = 4 << 20;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Text(String),
    /// Text from input: a number where it looks like one.
    Input(String),
}

/// Why a statement did not end as usual.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stop {
    Next,
    Exit(i32),
    Break,
    Continue,
    Error(String),
}

type R<T> = Result<T, Stop>;

#[derive(Clone, Debug)]
pub(super) struct Machine {
    vars: BTreeMap<String, Value>,
    arrays: BTreeMap<String, BTreeMap<String, Value>>,
    line: String,
    fields: Vec<String>,
    records: u64,
    pub file_line: u64,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    pub now: i64,
    steps: u64,
    seed: u64,
    size: usize,
}

fn number_text(n: f64) -> String {
    if n == 0.0 {
        return "0".to_owned();
    }
    if n.fract() == 0.0 && n.abs() < 1e16 { format!("{n:.0}") } else { float(n, 'g', Some(6)) }
}

fn prefix_number(s: &str) -> f64 {
    let t = s.trim_start();
    let mut end = 0;
    let mut seen_dot = false;
    let mut seen_e = false;
    for (i, c) in t.char_indices() {
        let ok = match c {
            '+' | '-' => i == 0 || (seen_e && t.get(..i).is_some_and(|p| p.ends_with(['e', 'E']))),
            '.' => !std::mem::replace(&mut seen_dot, true),
            'e' | 'E' => {
                i > 0
                    && !std::mem::replace(&mut seen_e, true)
                    && t.get(i + 1..)
                        .is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+'))
            }
            c => c.is_ascii_digit(),
        };
        if !ok {
            break;
        }
        end = i + c.len_utf8();
    }
    t.get(..end).and_then(|p| p.parse().ok()).unwrap_or(0.0)
}

fn looks_numeric(s: &str) -> bool {
    let t = s.trim();
    !t.is_empty()
        && t.parse::<f64>().is_ok()
        && !t.contains(|c: char| c.is_alphabetic() && c != 'e' && c != 'E')
}

impl Value {
    fn number(&self) -> f64 {
        match self {
            Value::Number(n) => *n,
            Value::Text(s) | Value::Input(s) => prefix_number(s),
        }
    }

    fn text(&self) -> String {
        match self {
            Value::Number(n) => number_text(*n),
            Value::Text(s) | Value::Input(s) => s.clone(),
        }
    }

    fn truth(&self) -> bool {
        match self {
            Value::Number(n) => *n != 0.0,
            Value::Text(s) => !s.is_empty(),
            Value::Input(s) => {
                if looks_numeric(s) {
                    prefix_number(s) != 0.0
                } else {
                    !s.is_empty()
                }
            }
        }
    }

    fn numeric(&self) -> bool {
        match self {
            Value::Number(_) => true,
            Value::Text(_) => false,
            Value::Input(s) => looks_numeric(s) || s.is_empty(),
        }
    }
}

impl Machine {
    pub fn new(env: &[(String, String)]) -> Machine {
        let mut m = Machine {
            vars: BTreeMap::new(),
            arrays: BTreeMap::new(),
            line: String::new(),
            fields: Vec::new(),
            records: 0,
            file_line: 0,
            out: Vec::new(),
            err: Vec::new(),
            now: 0,
            steps: 0,
            seed: 1,
            size: 0,
        };
        for (n, v) in
            [("FS", " "), ("OFS", " "), ("ORS", "\n"), ("RS", "\n"), ("SUBSEP", "\x1c"), ("FILENAME", "")]
        {
            m.set(n, v);
        }
        let env = env.iter().map(|(n, v)| (n.clone(), Value::Input(v.clone()))).collect();
        m.arrays.insert("ENVIRON".to_owned(), env);
        m
    }

    pub fn bytes(&self) -> u64 {
        self.size as u64
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), Value::Text(value.to_owned()));
    }

    pub fn set_input(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), Value::Input(value.to_owned()));
    }

    /// A record begins.
    pub fn record(&mut self, line: &str) {
        self.records += 1;
        self.file_line += 1;
        self.steps = 0;
        self.line = line.to_owned();
        self.split_line();
    }

    fn split_line(&mut self) {
        let fs = self.var_text("FS");
        self.fields = self.split_text(&self.line.clone(), &fs);
    }

    fn split_text(&self, text: &str, fs: &str) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        if fs == " " {
            return text.split_whitespace().map(str::to_owned).collect();
        }
        if fs.is_empty() {
            return text.chars().map(String::from).collect();
        }
        if fs.chars().count() == 1 && fs != "\\" {
            return text.split(fs).map(str::to_owned).collect();
        }
        let Ok(r) = Regex::new(fs, true, false) else { return vec![text.to_owned()] };
        let mut out = Vec::new();
        let mut from = 0;
        let mut start = 0;
        let mut search = r.search(text);
        while let Some(f) = search.find(from) {
            if f.end == f.start {
                from = f.end + text.get(f.end..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
                if from > text.len() {
                    break;
                }
                continue;
            }
            out.push(text.get(start..f.start).unwrap_or_default().to_owned());
            start = f.end;
            from = f.end;
        }
        out.push(text.get(start..).unwrap_or_default().to_owned());
        out
    }

    fn join_line(&mut self) {
        let ofs = self.var_text("OFS");
        self.line = self.fields.join(&ofs);
    }

    #[allow(clippy::cast_precision_loss)]
    fn var(&self, name: &str) -> Value {
        match name {
            "NR" => Value::Number(self.records as f64),
            "FNR" => Value::Number(self.file_line as f64),
            "NF" => Value::Number(self.fields.len() as f64),
            n => self.vars.get(n).cloned().unwrap_or(Value::Input(String::new())),
        }
    }

    fn var_text(&self, name: &str) -> String {
        self.var(name).text()
    }

    pub fn truth(&mut self, e: &Expr) -> R<bool> {
        if let Expr::Regex(r) = e {
            self.charge(self.line.len() * 8);
            return Ok(r.find(&self.line, 0).is_some());
        }
        Ok(self.eval(e)?.truth())
    }

    fn tick(&mut self) -> R<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.out.len() > MAX_TEXT || self.size > MAX_TEXT {
            return Err(Stop::Error("not simulated: a program that runs or grows this long".to_owned()));
        }
        Ok(())
    }

    pub fn run(&mut self, body: &[Stmt]) -> R<()> {
        for s in body {
            self.tick()?;
            self.stmt(s)?;
        }
        Ok(())
    }

    /// Runs a loop's body; whether the loop goes on.
    fn turn(&mut self, body: &[Stmt]) -> R<bool> {
        self.tick()?;
        match self.run(body) {
            Ok(()) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn stmt(&mut self, s: &Stmt) -> R<()> {
        match s {
            Stmt::Expr(e) => {
                self.eval(e)?;
            }
            Stmt::Print(args, to_stderr) => {
                let mut text = if args.is_empty() {
                    self.line.clone()
                } else {
                    let ofs = self.var_text("OFS");
                    let mut parts = Vec::new();
                    for a in args {
                        parts.push(self.eval(a)?.text());
                    }
                    parts.join(&ofs)
                };
                text.push_str(&self.var_text("ORS"));
                if *to_stderr { self.err.extend(text.bytes()) } else { self.out.extend(text.bytes()) }
            }
            Stmt::Printf(args, to_stderr) => {
                let text = self.format(args)?;
                if *to_stderr { self.err.extend(text.bytes()) } else { self.out.extend(text.bytes()) }
            }
            Stmt::If(c, yes, no) => {
                if self.truth(c)? {
                    self.run(yes)?;
                } else {
                    self.run(no)?;
                }
            }
            Stmt::While(c, body) => {
                while self.truth(c)? {
                    if !self.turn(body)? {
                        break;
                    }
                }
            }
            Stmt::Do(body, c) => loop {
                if !self.turn(body)? || !self.truth(c)? {
                    break;
                }
            },
            Stmt::For(init, c, step, body) => {
                if let Some(i) = init {
                    self.stmt(i)?;
                }
                loop {
                    if let Some(c) = c
                        && !self.truth(c)?
                    {
                        break;
                    }
                    if !self.turn(body)? {
                        break;
                    }
                    if let Some(s) = step {
                        self.stmt(s)?;
                    }
                }
            }
            Stmt::ForIn(var, array, body) => {
                let mut keys: Vec<String> =
                    self.arrays.get(array).map(|a| a.keys().cloned().collect()).unwrap_or_default();
                // awk promises no order; numbers in their order is the kindest.
                keys.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
                    (Ok(x), Ok(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
                    (x, y) => x.is_err().cmp(&y.is_err()).then_with(|| a.cmp(b)),
                });
                for k in keys {
                    self.vars.insert(var.clone(), Value::Input(k));
                    if !self.turn(body)? {
                        break;
                    }
                }
            }
            Stmt::Next => return Err(Stop::Next),
            Stmt::Exit(e) => {
                let code = match e {
                    Some(e) => self.eval(e)?.number(),
                    None => 0.0,
                };
                #[allow(clippy::cast_possible_truncation)]
                return Err(Stop::Exit(code as i32));
            }
            Stmt::Break => return Err(Stop::Break),
            Stmt::Continue => return Err(Stop::Continue),
            Stmt::Delete(name, None) => {
                self.arrays.remove(name);
            }
            Stmt::Delete(name, Some(keys)) => {
                let k = self.key(keys)?;
                if let Some(a) = self.arrays.get_mut(name) {
                    a.remove(&k);
                }
            }
        }
        Ok(())
    }

    fn key(&mut self, keys: &[Expr]) -> R<String> {
        let mut parts = Vec::new();
        for k in keys {
            parts.push(self.eval(k)?.text());
        }
        Ok(parts.join(&self.var_text("SUBSEP")))
    }

    fn assign(&mut self, to: &Expr, value: Value) -> R<()> {
        self.size = self.size.saturating_add(match &value {
            Value::Text(s) | Value::Input(s) => s.len() / 16,
            Value::Number(_) => 0,
        });
        match to {
            Expr::Var(n) if n == "NF" => {
                let n = self.index(value.number())?;
                self.fields.resize(n, String::new());
                self.join_line();
            }
            Expr::Var(n) if n == "NR" => self.records = self.index(value.number())? as u64,
            Expr::Var(n) => {
                self.vars.insert(n.clone(), value);
            }
            Expr::Index(n, keys) => {
                let k = self.key(keys)?;
                self.size += k.len() + 16;
                self.arrays.entry(n.clone()).or_default().insert(k, value);
            }
            Expr::Field(i) => {
                let i = self.eval(i)?.number();
                let i = self.index(i)?;
                if i == 0 {
                    self.line = value.text();
                    self.split_line();
                } else {
                    if self.fields.len() < i {
                        self.fields.resize(i, String::new());
                    }
                    if let Some(f) = self.fields.get_mut(i - 1) {
                        *f = value.text();
                    }
                    self.join_line();
                }
            }
            _ => return Err(Stop::Error("Unexpected token".to_owned())),
        }
        Ok(())
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn index(&self, n: f64) -> R<usize> {
        if !(0.0..100_000.0).contains(&n) {
            return Err(Stop::Error("Access to negative field".to_owned()));
        }
        Ok(n as usize)
    }

    fn eval(&mut self, e: &Expr) -> R<Value> {
        let value = self.value_of(e)?;
        if let Value::Text(s) | Value::Input(s) = &value {
            self.charge(s.len());
        }
        Ok(value)
    }

    /// Counts work on a text among the steps.
    fn charge(&mut self, bytes: usize) {
        self.steps += bytes as u64 / 64;
    }

    fn value_of(&mut self, e: &Expr) -> R<Value> {
        Ok(match e {
            Expr::Number(n) => Value::Number(*n),
            Expr::Text(s) => Value::Text(s.clone()),
            Expr::Regex(r) => {
                self.charge(self.line.len() * 8);
                Value::Number(f64::from(u8::from(r.find(&self.line, 0).is_some())))
            }
            Expr::Var(n) => self.var(n),
            Expr::Index(n, keys) => {
                let k = self.key(keys)?;
                let slot = self.arrays.entry(n.clone()).or_default();
                slot.entry(k).or_insert_with(|| Value::Input(String::new())).clone()
            }
            Expr::Field(i) => {
                let n = self.eval(i)?.number();
                match self.index(n)? {
                    0 => Value::Input(self.line.clone()),
                    i => Value::Input(self.fields.get(i - 1).cloned().unwrap_or_default()),
                }
            }
            Expr::Assign(to, '=', value) => {
                let v = self.eval(value)?;
                self.assign(to, v.clone())?;
                v
            }
            Expr::Assign(to, op, value) => {
                let right = self.eval(value)?.number();
                let left = self.eval(to)?.number();
                let v = Value::Number(self.arith(*op, left, right)?);
                self.assign(to, v.clone())?;
                v
            }
            Expr::Step(to, before, by) => {
                let old = self.eval(to)?.number();
                self.assign(to, Value::Number(old + by))?;
                Value::Number(if *before { old + by } else { old })
            }
            Expr::Unary('!', x) => Value::Number(f64::from(u8::from(!self.truth(x)?))),
            Expr::Unary('-', x) => Value::Number(-self.eval(x)?.number()),
            Expr::Unary(_, x) => Value::Number(self.eval(x)?.number()),
            Expr::Binary("&&", a, b) => Value::Number(f64::from(u8::from(self.truth(a)? && self.truth(b)?))),
            Expr::Binary("||", a, b) => Value::Number(f64::from(u8::from(self.truth(a)? || self.truth(b)?))),
            Expr::Binary(" ", a, b) => {
                let mut s = self.eval(a)?.text();
                s.push_str(&self.eval(b)?.text());
                if s.len() > MAX_TEXT {
                    return Err(Stop::Error("not simulated: a text this long".to_owned()));
                }
                Value::Text(s)
            }
            Expr::Binary(op @ ("==" | "!=" | "<" | "<=" | ">" | ">="), a, b) => {
                let (x, y) = (self.eval(a)?, self.eval(b)?);
                let order = if x.numeric() && y.numeric() {
                    x.number().partial_cmp(&y.number()).unwrap_or(std::cmp::Ordering::Equal)
                } else {
                    x.text().cmp(&y.text())
                };
                let yes = match *op {
                    "==" => order.is_eq(),
                    "!=" => order.is_ne(),
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                };
                Value::Number(f64::from(u8::from(yes)))
            }
            Expr::Binary(op, a, b) => {
                let (x, y) = (self.eval(a)?.number(), self.eval(b)?.number());
                Value::Number(self.arith(op.chars().next().unwrap_or('+'), x, y)?)
            }
            Expr::Match(a, b, negate) => {
                let text = self.eval(a)?.text();
                self.charge(text.len() * 8);
                let r = self.regex(b)?;
                Value::Number(f64::from(u8::from(r.find(&text, 0).is_some() != *negate)))
            }
            Expr::In(keys, array) => {
                let k = self.key(keys)?;
                Value::Number(f64::from(u8::from(self.arrays.get(array).is_some_and(|a| a.contains_key(&k)))))
            }
            Expr::Ternary(c, a, b) => {
                if self.truth(c)? {
                    self.eval(a)?
                } else {
                    self.eval(b)?
                }
            }
            Expr::Group(list) => match list.as_slice() {
                [one] => self.eval(one)?,
                _ => return Err(Stop::Error("Unexpected token".to_owned())),
            },
            Expr::Call(name, args) => self.call(name, args)?,
        })
    }

    fn arith(&self, op: char, a: f64, b: f64) -> R<f64> {
        Ok(match op {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
            '/' | '%' if b == 0.0 => return Err(Stop::Error("Division by zero".to_owned())),
            '/' => a / b,
            '%' => a % b,
            // Not the platform's: wasm and native must agree in the last digit.
            _ => libm::pow(a, b),
        })
    }

    fn regex(&mut self, e: &Expr) -> R<Regex> {
        if let Expr::Regex(r) = e {
            return Ok(r.clone());
        }
        let text = self.eval(e)?.text();
        Regex::new(&text, true, false).map_err(Stop::Error)
    }

    fn arg(&mut self, args: &[Expr], i: usize) -> R<Option<Value>> {
        match args.get(i) {
            Some(e) => self.eval(e).map(Some),
            None => Ok(None),
        }
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    fn call(&mut self, name: &str, args: &[Expr]) -> R<Value> {
        let first = match args.first() {
            Some(Expr::Var(n)) if name == "length" && self.arrays.contains_key(n) => {
                return Ok(Value::Number(self.arrays.get(n).map_or(0, BTreeMap::len) as f64));
            }
            _ if matches!(name, "sub" | "gsub" | "sprintf") => Value::Number(0.0),
            _ => self.arg(args, 0)?.unwrap_or(Value::Input(self.line.clone())),
        };
        Ok(match name {
            "length" => Value::Number(first.text().chars().count() as f64),
            "toupper" => Value::Text(first.text().to_uppercase()),
            "tolower" => Value::Text(first.text().to_lowercase()),
            "int" => Value::Number(first.number().trunc()),
            "sqrt" => Value::Number(first.number().sqrt()),
            "exp" => Value::Number(libm::exp(first.number())),
            "log" => Value::Number(libm::log(first.number())),
            "sin" => Value::Number(libm::sin(first.number())),
            "cos" => Value::Number(libm::cos(first.number())),
            "systime" => Value::Number(self.now as f64),
            "strftime" => {
                let t = self.arg(args, 1)?.map_or(self.now, |v| v.number() as i64);
                Value::Text(crate::tools::date::format(podlab_sim::SimTime::from_secs(t), &first.text()))
            }
            "srand" => {
                self.seed = first.number().to_bits();
                Value::Number(0.0)
            }
            "rand" => {
                self.seed = podlab_sim::splitmix64(self.seed);
                Value::Number((self.seed >> 11) as f64 / (1_u64 << 53) as f64)
            }
            "substr" => {
                let s: Vec<char> = first.text().chars().collect();
                let from = self.arg(args, 1)?.map_or(1.0, |v| v.number()).round();
                let len = self.arg(args, 2)?.map_or(f64::MAX, |v| v.number());
                let start = from.max(1.0);
                let end = (from + len.round()).min(s.len() as f64 + 1.0);
                let text: String = if end > start {
                    let (a, b) = (self.index(start - 1.0)?, self.index((end - 1.0).min(99_999.0))?);
                    s.get(a..b.min(s.len())).unwrap_or_default().iter().collect()
                } else {
                    String::new()
                };
                Value::Text(text)
            }
            "index" => {
                let (s, t) = (first.text(), self.arg(args, 1)?.map(|v| v.text()).unwrap_or_default());
                let n = s.find(&t).map_or(0, |i| s.get(..i).map_or(0, |p| p.chars().count()) + 1);
                Value::Number(n as f64)
            }
            "match" => {
                let text = first.text();
                let Some(e) = args.get(1) else { return Ok(Value::Number(0.0)) };
                let r = self.regex(e)?;
                let (start, len) = match r.find(&text, 0) {
                    Some(f) => {
                        let chars = |a, b| text.get(a..b).map_or(0, |t| t.chars().count());
                        (chars(0, f.start) as f64 + 1.0, chars(f.start, f.end) as f64)
                    }
                    None => (0.0, -1.0),
                };
                self.vars.insert("RSTART".to_owned(), Value::Number(start));
                self.vars.insert("RLENGTH".to_owned(), Value::Number(len));
                Value::Number(start)
            }
            "split" => {
                let Some(Expr::Var(array)) = args.get(1) else {
                    return Err(Stop::Error("Unexpected token".to_owned()));
                };
                let fs = match args.get(2) {
                    None => self.var_text("FS"),
                    Some(Expr::Regex(r)) => {
                        // A regex literal splits by itself.
                        let parts = split_regex(r, &first.text());
                        return Ok(self.store_split(array, parts));
                    }
                    Some(e) => self.eval(e)?.text(),
                };
                if fs.len() > 1 {
                    // It is compiled each time.
                    self.charge(fs.len() * 64);
                }
                let parts = self.split_text(&first.text(), &fs);
                self.store_split(array, parts)
            }
            "sub" | "gsub" => {
                let (Some(pattern), Some(with)) = (args.first(), args.get(1)) else {
                    return Err(Stop::Error("Unexpected token".to_owned()));
                };
                let r = self.regex(pattern)?;
                let with = self.eval(with)?.text();
                let whole = Expr::Field(Box::new(Expr::Number(0.0)));
                let target = args.get(2).unwrap_or(&whole);
                let text = self.eval(target)?.text();
                let (new, n) = substitute(&r, &text, &with, name == "gsub");
                self.charge((text.len() + new.len()) * 8);
                if n > 0 {
                    self.assign(target, Value::Text(new))?;
                }
                Value::Number(f64::from(n))
            }
            "sprintf" => Value::Text(self.format(args)?),
            _ => Value::Number(0.0),
        })
    }

    #[allow(clippy::cast_precision_loss)]
    fn store_split(&mut self, array: &str, parts: Vec<String>) -> Value {
        let n = parts.len();
        let map =
            parts.into_iter().enumerate().map(|(i, p)| ((i + 1).to_string(), Value::Input(p))).collect();
        self.arrays.insert(array.to_owned(), map);
        Value::Number(n as f64)
    }

    fn format(&mut self, args: &[Expr]) -> R<String> {
        let mut values = Vec::new();
        let flat: Vec<Expr> = match args {
            [Expr::Group(list)] => list.clone(),
            list => list.to_vec(),
        };
        for a in &flat {
            values.push(self.eval(a)?);
        }
        let mut values = values.into_iter();
        let format: Vec<char> = values.next().map(|v| v.text()).unwrap_or_default().chars().collect();
        let mut out = String::new();
        let mut i = 0;
        while let Some(c) = format.get(i) {
            i += 1;
            if *c != '%' {
                out.push(*c);
                continue;
            }
            if format.get(i) == Some(&'%') {
                out.push('%');
                i += 1;
                continue;
            }
            let mut spec = String::from("%");
            while let Some(c) = format.get(i).filter(|c| "-+ #0123456789.*".contains(**c)) {
                i += 1;
                if *c == '*' {
                    spec.push_str(&number_text(values.next().map_or(0.0, |v| v.number())));
                } else {
                    spec.push(*c);
                }
            }
            while matches!(format.get(i), Some('l' | 'h')) {
                i += 1;
            }
            let Some(kind) = format.get(i) else { break };
            i += 1;
            let v = values.next().unwrap_or(Value::Text(String::new()));
            let arg = match kind {
                'd' | 'i' | 'o' | 'x' | 'X' | 'u' => number_text(v.number().trunc()),
                'c' => match &v {
                    Value::Number(n) => {
                        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                        let c = char::from_u32(*n as u32).unwrap_or(' ');
                        c.to_string()
                    }
                    v => v.text(),
                },
                'e' | 'f' | 'g' | 'E' | 'F' | 'G' => format!("{}", v.number()),
                _ => v.text(),
            };
            spec.push(*kind);
            let p = crate::tools::printf_text(&spec, &[arg], crate::vm::Dialect::Bash);
            out.push_str(&String::from_utf8_lossy(&p.bytes));
        }
        Ok(out)
    }
}

fn split_regex(r: &Regex, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut from = 0;
    if text.is_empty() {
        return out;
    }
    let mut search = r.search(text);
    while let Some(f) = search.find(from) {
        if f.end == f.start {
            break;
        }
        out.push(text.get(from..f.start).unwrap_or_default().to_owned());
        from = f.end;
    }
    out.push(text.get(from..).unwrap_or_default().to_owned());
    out
}

fn substitute(r: &Regex, text: &str, with: &str, all: bool) -> (String, u32) {
    let mut out = String::new();
    let mut from = 0;
    let mut copied = 0;
    let mut n = 0;
    let mut search = r.search(text);
    while from <= text.len() {
        let Some(f) = search.find(from) else { break };
        n += 1;
        out.push_str(text.get(copied..f.start).unwrap_or_default());
        let mut chars = with.chars();
        while let Some(c) = chars.next() {
            match c {
                '&' => out.push_str(text.get(f.start..f.end).unwrap_or_default()),
                '\\' => match chars.next() {
                    Some('&') => out.push('&'),
                    Some('\\') => out.push('\\'),
                    Some(c) => {
                        out.push('\\');
                        out.push(c);
                    }
                    None => out.push('\\'),
                },
                c => out.push(c),
            }
        }
        copied = f.end;
        from = if f.end > f.start {
            f.end
        } else {
            f.end + text.get(f.end..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8)
        };
        if !all || out.len() > MAX_TEXT {
            break;
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    (out, n)
}
