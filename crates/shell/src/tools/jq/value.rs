//! jq's values: ordered objects, numbers that remember how they were written, and what `.[]`, `=` and `del` do to them.
//!
//! Values are shared and copied when one holder changes them. They nest at most [`MAX_DEPTH`] deep, so that nothing
//! that walks them needs more than a little of the native stack.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Deepest nesting of arrays and objects (jq itself takes 10,000).
pub(super) const MAX_DEPTH: u32 = 1000;
/// From this many fields on an object has an index of its keys.
const INDEXED: usize = 12;
/// Most items an array may come to by an assignment far behind its end.
const MAX_ITEMS: usize = 1 << 20;

/// An array.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub items: Vec<Val>,
    depth: u32,
}

/// An object in the order in which its keys came.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    pub entries: Vec<(Arc<str>, Val)>,
    index: Option<BTreeMap<Arc<str>, usize>>,
    depth: u32,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Val {
    Null,
    Bool(bool),
    /// A number, and its digits where they say more than the number (`1.0`, thirty digits).
    Num(f64, Option<Arc<str>>),
    Str(Arc<str>),
    Arr(Arc<List>),
    Obj(Arc<Map>),
}

/// What went wrong: the value that `catch` gets.
pub(super) type Res<T = Val> = Result<T, Val>;

impl Map {
    pub fn get(&self, key: &str) -> Option<&Val> {
        self.find(key).and_then(|i| self.entries.get(i)).map(|(_, v)| v)
    }

    fn find(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(k, _)| &**k == key),
        }
    }

    pub fn set(&mut self, key: Arc<str>, value: Val) {
        self.depth = self.depth.max(value.depth() + 1);
        if let Some(slot) = self.find(&key).and_then(|i| self.entries.get_mut(i)) {
            slot.1 = value;
            return;
        }
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
        if self.index.is_none() && self.entries.len() > INDEXED {
            self.reindex();
        }
    }

    fn reindex(&mut self) {
        self.index = (self.entries.len() > INDEXED)
            .then(|| self.entries.iter().enumerate().map(|(i, (k, _))| (k.clone(), i)).collect());
    }

    /// Takes the entries away whose keys are named.
    fn remove(&mut self, keys: &[&str]) {
        self.entries.retain(|(k, _)| !keys.contains(&&**k));
        self.reindex();
    }

    /// Keys and values in the keys' order.
    pub fn sorted(&self) -> Vec<(&Arc<str>, &Val)> {
        let mut all: Vec<_> = self.entries.iter().map(|(k, v)| (k, v)).collect();
        all.sort_by(|a, b| a.0.cmp(b.0));
        all
    }
}

impl List {
    pub fn push(&mut self, value: Val) {
        self.depth = self.depth.max(value.depth() + 1);
        self.items.push(value);
    }
}

impl Val {
    pub fn num(n: f64) -> Val {
        Val::Num(n, None)
    }

    pub fn len(n: usize) -> Val {
        Val::Num(n as f64, None)
    }

    pub fn str(s: impl AsRef<str>) -> Val {
        Val::Str(Arc::from(s.as_ref()))
    }

    pub fn arr(items: Vec<Val>) -> Val {
        let depth = items.iter().map(Val::depth).max().unwrap_or(0) + 1;
        Val::Arr(Arc::new(List { items, depth }))
    }

    pub fn obj(map: Map) -> Val {
        Val::Obj(Arc::new(map))
    }

    /// How deep it nests at most.
    pub fn depth(&self) -> u32 {
        match self {
            Val::Arr(a) => a.depth.max(1),
            Val::Obj(o) => o.depth.max(1),
            _ => 0,
        }
    }

    /// The value, refused where it nests too deep.
    pub fn shallow(self) -> Res {
        if self.depth() > MAX_DEPTH {
            return Err(Val::str("values that nest deeper than 1000 are not simulated"));
        }
        Ok(self)
    }

    pub fn truthy(&self) -> bool {
        !matches!(self, Val::Null | Val::Bool(false))
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Val::Null => "null",
            Val::Bool(_) => "boolean",
            Val::Num(..) => "number",
            Val::Str(_) => "string",
            Val::Arr(_) => "array",
            Val::Obj(_) => "object",
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Val::Null => 0,
            Val::Bool(false) => 1,
            Val::Bool(true) => 2,
            Val::Num(..) => 3,
            Val::Str(_) => 4,
            Val::Arr(_) => 5,
            Val::Obj(_) => 6,
        }
    }

    /// jq's order of all values.
    pub fn compare(&self, other: &Val) -> Ordering {
        match (self, other) {
            (Val::Num(a, x), Val::Num(b, y)) => {
                if a.is_nan() {
                    return Ordering::Less;
                }
                match a.partial_cmp(b) {
                    Some(Ordering::Equal) => match (x, y) {
                        (Some(x), Some(y)) => digits(x).compare(&digits(y)),
                        _ => Ordering::Equal,
                    },
                    Some(order) => order,
                    None => Ordering::Greater,
                }
            }
            (Val::Str(a), Val::Str(b)) => a.cmp(b),
            (Val::Arr(a), Val::Arr(b)) => {
                for (x, y) in a.items.iter().zip(&b.items) {
                    let order = x.compare(y);
                    if order != Ordering::Equal {
                        return order;
                    }
                }
                a.items.len().cmp(&b.items.len())
            }
            (Val::Obj(a), Val::Obj(b)) => {
                let (a, b) = (a.sorted(), b.sorted());
                let keys = a.iter().map(|e| e.0).cmp(b.iter().map(|e| e.0));
                if keys != Ordering::Equal {
                    return keys;
                }
                a.iter()
                    .zip(&b)
                    .map(|(x, y)| x.1.compare(y.1))
                    .find(|o| *o != Ordering::Equal)
                    .unwrap_or(Ordering::Equal)
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    pub fn same(&self, other: &Val) -> bool {
        if let (Val::Num(a, _), Val::Num(b, _)) = (self, other)
            && (a.is_nan() || b.is_nan())
        {
            return false;
        }
        self.compare(other) == Ordering::Equal
    }

    /// The order of `sort`, which is one even where `nan`s are.
    pub fn order(&self, other: &Val) -> Ordering {
        match (self, other) {
            (Val::Num(a, _), Val::Num(b, _)) if a.is_nan() || b.is_nan() => b.is_nan().cmp(&a.is_nan()),
            _ => self.compare(other),
        }
    }

    /// About how many bytes a holder of its own would take, without what lies deeper.
    pub fn weight(&self) -> usize {
        match self {
            Val::Str(s) => s.len() + 16,
            Val::Arr(a) => a.items.len() * 24 + 40,
            Val::Obj(o) => o.entries.len() * 64 + 48,
            _ => 0,
        }
    }
}

/// A number's digits and their power of ten.
struct Digits {
    negative: bool,
    coefficient: String,
    exponent: i64,
}

impl Digits {
    fn compare(&self, other: &Digits) -> Ordering {
        let (a, b) = (self.trimmed(), other.trimmed());
        let sign = |d: &(String, i64), negative: bool| match (d.0.is_empty(), negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let (x, y) = (sign(&a, self.negative), sign(&b, other.negative));
        if x != y {
            return x.cmp(&y);
        }
        // Both are 0.ddd times ten to their second part.
        let order = a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0));
        match x {
            0 => Ordering::Equal,
            1 => order,
            _ => order.reverse(),
        }
    }

    fn trimmed(&self) -> (String, i64) {
        let digits = self.coefficient.trim_start_matches('0');
        (digits.trim_end_matches('0').to_owned(), self.exponent + digits.len() as i64)
    }
}

fn digits(text: &str) -> Digits {
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let trimmed = all.trim_start_matches('0');
    let coefficient = if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() };
    Digits { negative, coefficient, exponent: exponent.saturating_sub(fraction.len() as i64) }
}

/// Reads a number as jq does; `None` where it is none.
pub(super) fn read_number(text: &str) -> Option<Val> {
    let bare = text.trim_start_matches(['-', '+']);
    if text.len() - bare.len() > 1 {
        return None;
    }
    let lower = bare.to_ascii_lowercase();
    if lower.starts_with("nan") && lower.get(3..).is_some_and(|r| r.bytes().all(|b| b.is_ascii_digit())) {
        return Some(Val::num(f64::NAN));
    }
    if lower == "infinity" || lower == "inf" {
        return Some(Val::num(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let number = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let fine = number(whole) && number(fraction) && !(whole.is_empty() && fraction.is_empty());
    if !fine || power.is_empty() || !number(power) || power.len() > 9 {
        return None;
    }
    let value: f64 = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
    let d = digits(text);
    // As General Decimal Arithmetic writes numbers.
    let count = d.coefficient.len() as i64;
    let adjusted = d.exponent + count - 1;
    let sign = if d.negative { "-" } else { "" };
    let written = if d.exponent <= 0 && adjusted >= -6 {
        if d.exponent == 0 {
            format!("{sign}{}", d.coefficient)
        } else {
            let places = usize::try_from(-d.exponent).unwrap_or(0);
            let padded = format!("{:0>width$}", d.coefficient, width = places + 1);
            let (a, b) = padded.split_at(padded.len() - places);
            format!("{sign}{a}.{b}")
        }
    } else {
        let (a, b) = d.coefficient.split_at(1);
        let point = if b.is_empty() { "" } else { "." };
        format!("{sign}{a}{point}{b}E{adjusted:+}")
    };
    let plain = written == format_number(value);
    Some(Val::Num(value, (!plain).then(|| Arc::from(written))))
}

/// Seventeen digits at most, in the way of jq.
pub(super) fn format_number(n: f64) -> String {
    if n.is_nan() {
        return "null".to_owned();
    }
    let n = n.clamp(-f64::MAX, f64::MAX);
    let text = format!("{n:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(m) => ("-", m),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let count = digits.len() as i64;
    let point = exponent + 1;
    if n == 0.0 {
        return format!("{sign}0");
    }
    if point <= -4 || point > count + 15 {
        let (a, b) = digits.split_at(1);
        let dot = if b.is_empty() { "" } else { "." };
        let s = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{a}{dot}{b}e{s}{:02}", exponent.abs());
    }
    if point <= 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0)));
    }
    let point = usize::try_from(point).unwrap_or(0);
    if point >= digits.len() {
        return format!("{sign}{digits}{}", "0".repeat(point - digits.len()));
    }
    let (a, b) = digits.split_at(point);
    format!("{sign}{a}.{b}")
}

fn error<T>(text: String) -> Res<T> {
    Err(Val::str(text))
}

/// Where a slice begins and ends in something of that length.
fn slice_bounds(key: &Map, len: usize) -> Res<(usize, usize)> {
    if key.get("start").is_none() || key.get("end").is_none() {
        return error("Array/string slice indices must be integers".to_owned());
    }
    let bound = |name: &str, otherwise: f64| match key.get(name) {
        None | Some(Val::Null) => Ok(otherwise),
        Some(Val::Num(n, _)) => Ok(*n),
        Some(_) => error("Start and end indices of an array slice must be numbers".to_owned()),
    };
    let whole = len as f64;
    let (start, end) = (bound("start", 0.0)?, bound("end", whole)?);
    let start = if start.is_nan() { 0.0 } else { start };
    let end = if end.is_nan() { whole } else { end };
    let start = if start < 0.0 { start + whole } else { start }.clamp(0.0, whole).floor();
    let end = if end < 0.0 { end + whole } else { end }.clamp(0.0, whole).ceil();
    Ok((start as usize, (end as usize).max(start as usize)))
}

/// What `.[key]` is.
pub(super) fn index(t: &Val, k: &Val) -> Res {
    match (t, k) {
        (Val::Obj(o), Val::Str(k)) => Ok(o.get(k).cloned().unwrap_or(Val::Null)),
        (Val::Arr(a), Val::Num(n, _)) => {
            if n.is_nan() {
                return Ok(Val::Null);
            }
            let n = n.trunc();
            let n = if n < 0.0 { n + a.items.len() as f64 } else { n };
            Ok(if n < 0.0 { None } else { a.items.get(n as usize).cloned() }.unwrap_or(Val::Null))
        }
        (Val::Arr(a), Val::Obj(k)) => {
            let (start, end) = slice_bounds(k, a.items.len())?;
            Ok(Val::arr(a.items.get(start..end).unwrap_or_default().to_vec()))
        }
        (Val::Str(s), Val::Obj(k)) => {
            let (start, end) = slice_bounds(k, s.chars().count())?;
            Ok(Val::str(s.chars().skip(start).take(end - start).collect::<String>()))
        }
        (Val::Arr(a), Val::Arr(b)) => {
            let mut found = Vec::new();
            if !b.items.is_empty() {
                for (i, w) in a.items.windows(b.items.len()).enumerate() {
                    if w.iter().zip(&b.items).all(|(x, y)| x.same(y)) {
                        found.push(Val::len(i));
                    }
                }
            } else {
                return Ok(Val::Null);
            }
            Ok(Val::arr(found))
        }
        (Val::Null, Val::Str(_) | Val::Num(..) | Val::Obj(_)) => Ok(Val::Null),
        (_, Val::Str(s)) if s.len() < 30 => error(format!("Cannot index {} with string \"{s}\"", t.kind())),
        _ => error(format!("Cannot index {} with {}", t.kind(), k.kind())),
    }
}

/// `t` with `v` at one key.
fn set_one(t: Val, k: &Val, v: Val) -> Res {
    match (t, k) {
        (Val::Null, Val::Str(k)) => {
            let mut m = Map::default();
            m.set(k.clone(), v);
            Val::obj(m).shallow()
        }
        (Val::Obj(mut o), Val::Str(k)) => {
            Arc::make_mut(&mut o).set(k.clone(), v);
            Val::Obj(o).shallow()
        }
        (t @ (Val::Null | Val::Arr(_)), Val::Num(n, _)) => {
            if n.is_nan() {
                return error("Cannot set array element at NaN index".to_owned());
            }
            let mut a = match t {
                Val::Arr(a) => a,
                _ => Arc::default(),
            };
            let list = Arc::make_mut(&mut a);
            let at = n.trunc();
            let at = if at < 0.0 { at + list.items.len() as f64 } else { at };
            if at < 0.0 {
                return error("Out of bounds negative array index".to_owned());
            }
            let at = at as usize;
            if at >= list.items.len() {
                if at > list.items.len() + MAX_ITEMS {
                    return error("Array index too large".to_owned());
                }
                list.items.resize(at, Val::Null);
                list.push(v);
            } else if let Some(slot) = list.items.get_mut(at) {
                list.depth = list.depth.max(v.depth() + 1);
                *slot = v;
            }
            Val::Arr(a).shallow()
        }
        (t @ (Val::Null | Val::Arr(_)), Val::Obj(k)) => {
            let a = match t {
                Val::Arr(a) => a,
                _ => Arc::default(),
            };
            let (start, end) = slice_bounds(k, a.items.len())?;
            let Val::Arr(new) = v else {
                return error("A slice of an array can only be assigned another array".to_owned());
            };
            let mut items = a.items.clone();
            items.splice(start..end, new.items.iter().cloned());
            Val::arr(items).shallow()
        }
        (Val::Str(_), Val::Obj(_)) => error("Cannot update string slices".to_owned()),
        (t, k) => error(format!("Cannot update field at {} index of {}", k.kind(), t.kind())),
    }
}

/// Takes the value at a key out, so that it has one holder while it is changed.
fn take(t: &mut Val, k: &Val) -> Res {
    match (t, k) {
        (Val::Obj(o), Val::Str(k)) if o.find(k).is_some() => {
            let map = Arc::make_mut(o);
            let at = map.find(k).unwrap_or(usize::MAX);
            Ok(map.entries.get_mut(at).map_or(Val::Null, |e| std::mem::replace(&mut e.1, Val::Null)))
        }
        (Val::Arr(a), Val::Num(n, _)) if *n >= 0.0 && (*n as usize) < a.items.len() => {
            let list = Arc::make_mut(a);
            Ok(list.items.get_mut(*n as usize).map_or(Val::Null, |v| std::mem::replace(v, Val::Null)))
        }
        (t, k) => index(t, k),
    }
}

/// `setpath`.
pub(super) fn set_path(t: Val, path: &[Val], v: Val) -> Res {
    let mut parents = Vec::new();
    let mut current = t;
    for k in path {
        let child = take(&mut current, k)?;
        parents.push((current, k));
        current = child;
    }
    let mut result = v;
    for (parent, k) in parents.into_iter().rev() {
        result = set_one(parent, k, result)?;
    }
    Ok(result)
}

/// `getpath`.
pub(super) fn get_path(t: &Val, path: &[Val]) -> Res {
    let mut current = t.clone();
    for k in path {
        if matches!(current, Val::Null) {
            return Ok(Val::Null);
        }
        current = index(&current, k)?;
    }
    Ok(current)
}

fn delete_keys(t: Val, keys: &[&Val]) -> Res {
    match t {
        Val::Null => Ok(Val::Null),
        Val::Arr(a) => {
            let mut gone = vec![false; a.items.len()];
            for k in keys {
                match k {
                    Val::Num(n, _) => {
                        let n = n.trunc();
                        let n = if n < 0.0 { n + a.items.len() as f64 } else { n };
                        if n >= 0.0
                            && let Some(slot) = gone.get_mut(n as usize)
                        {
                            *slot = true;
                        }
                    }
                    Val::Obj(k) => {
                        let (start, end) = slice_bounds(k, a.items.len())?;
                        gone.get_mut(start..end).unwrap_or_default().fill(true);
                    }
                    k => return error(format!("Cannot delete {} element of array", k.kind())),
                }
            }
            let kept = a.items.iter().zip(&gone).filter(|(_, g)| !**g).map(|(v, _)| v.clone());
            Ok(Val::arr(kept.collect()))
        }
        Val::Obj(mut o) => {
            let mut names = Vec::new();
            for k in keys {
                match k {
                    Val::Str(s) => names.push(&**s),
                    k => return error(format!("Cannot delete {} field of object", k.kind())),
                }
            }
            Arc::make_mut(&mut o).remove(&names);
            Ok(Val::Obj(o))
        }
        t => error(format!("Cannot delete fields from {}", t.kind())),
    }
}

/// `delpaths`.
pub(super) fn delete_paths(t: Val, paths: &Val) -> Res {
    let Val::Arr(list) = paths else { return error("Paths must be specified as an array".to_owned()) };
    let mut all = Vec::new();
    for p in &list.items {
        match p {
            Val::Arr(p) => all.push(p.items.as_slice()),
            _ => return error("Path must be specified as an array".to_owned()),
        }
    }
    all.sort_by(|a, b| {
        let ordered = a.iter().zip(b.iter()).map(|(x, y)| x.order(y)).find(|o| *o != Ordering::Equal);
        ordered.unwrap_or_else(|| a.len().cmp(&b.len()))
    });
    delete_sorted(t, &all)
}

/// `paths` are sorted, so those that begin alike stand together.
fn delete_sorted(mut t: Val, paths: &[&[Val]]) -> Res {
    if paths.first().is_some_and(|p| p.is_empty()) {
        return Ok(Val::Null);
    }
    let mut here: Vec<&Val> = Vec::new();
    let mut at = paths.len();
    // From behind, so that what goes moves nothing that is still to be found.
    while at > 0 {
        let Some(key) = paths.get(at - 1).and_then(|p| p.first()) else { break };
        let mut start = at;
        while start > 0 && paths.get(start - 1).and_then(|p| p.first()).is_some_and(|k| k.same(key)) {
            start -= 1;
        }
        let group = paths.get(start..at).unwrap_or_default();
        at = start.min(at - 1);
        if group.iter().any(|p| p.len() == 1) {
            here.push(key);
            continue;
        }
        let child = index(&t, key)?;
        if matches!(child, Val::Null) {
            continue;
        }
        let rest: Vec<&[Val]> = group.iter().map(|p| p.get(1..).unwrap_or_default()).collect();
        let changed = delete_sorted(child, &rest)?;
        t = set_one(t, key, changed)?;
    }
    if here.is_empty() { Ok(t) } else { delete_keys(t, &here) }
}
