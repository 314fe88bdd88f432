//! The functions of jq that are not written in jq.

use super::ast::Op;
use super::json::{compact, parse_one, short};
use super::text::{format, match_all};
use super::times;
use super::value::{Map, Res, Val, delete_paths, index, read_number, set_path};
use std::cmp::Ordering;
use std::sync::Arc;

/// A function of so many arguments, each a value.
#[derive(Debug)]
pub(super) struct Native {
    name: &'static str,
    arity: usize,
    pub run: fn(Val, &[Val]) -> Res,
}

/// Longest text that an operator may make.
const MAX_TEXT: usize = 16 << 20;

pub(super) fn find(name: &str, arity: usize) -> Option<&'static Native> {
    NATIVES.iter().find(|n| n.name == name && n.arity == arity)
}

pub(super) fn fault<T>(text: impl Into<String>) -> Res<T> {
    Err(Val::str(text.into()))
}

pub(super) fn bad<T>(v: &Val, what: &str) -> Res<T> {
    fault(format!("{} ({}) {what}", v.kind(), short(v, 15)))
}

fn bad2<T>(l: &Val, r: &Val, what: &str) -> Res<T> {
    fault(format!("{} ({}) and {} ({}) {what}", l.kind(), short(l, 15), r.kind(), short(r, 15)))
}

/// An operator's result.
pub(super) fn binary(op: Op, l: Val, r: Val) -> Res {
    let yes = |b: bool| Ok(Val::Bool(b));
    match op {
        Op::Eq => yes(l.same(&r)),
        Op::Ne => yes(!l.same(&r)),
        Op::Lt => yes(l.compare(&r) == Ordering::Less),
        Op::Le => yes(l.compare(&r) != Ordering::Greater),
        Op::Gt => yes(l.compare(&r) == Ordering::Greater),
        Op::Ge => yes(l.compare(&r) != Ordering::Less),
        Op::Add => add(l, r),
        Op::Sub => match (l, r) {
            (Val::Num(a, _), Val::Num(b, _)) => Ok(Val::num(a - b)),
            (Val::Arr(a), Val::Arr(b)) => {
                let kept = a.items.iter().filter(|x| !b.items.iter().any(|y| x.same(y)));
                Ok(Val::arr(kept.cloned().collect()))
            }
            (l, r) => bad2(&l, &r, "cannot be subtracted"),
        },
        Op::Mul => match (l, r) {
            (Val::Num(a, _), Val::Num(b, _)) => Ok(Val::num(a * b)),
            (Val::Str(s), Val::Num(n, _)) | (Val::Num(n, _), Val::Str(s)) => {
                if n < 0.0 || n.is_nan() {
                    return Ok(Val::Null);
                }
                let times = libm::floor(n);
                if times * s.len() as f64 > MAX_TEXT as f64 {
                    return fault("texts longer than 16 MiB are not simulated");
                }
                Ok(Val::str(s.repeat(times as usize)))
            }
            (Val::Obj(a), Val::Obj(b)) => Ok(Val::Obj(merge(a, &b))),
            (l, r) => bad2(&l, &r, "cannot be multiplied"),
        },
        Op::Div => match (l, r) {
            (l @ Val::Num(..), r @ Val::Num(0.0, _)) => {
                bad2(&l, &r, "cannot be divided because the divisor is zero")
            }
            (Val::Num(a, _), Val::Num(b, _)) => Ok(Val::num(a / b)),
            (Val::Str(a), Val::Str(b)) => Ok(split(&a, &b)),
            (l, r) => bad2(&l, &r, "cannot be divided"),
        },
        Op::Mod => match (&l, &r) {
            (Val::Num(a, _), Val::Num(b, _)) => {
                if a.is_nan() || b.is_nan() {
                    return Ok(Val::num(f64::NAN));
                }
                // As whole numbers, cut to what a machine word holds.
                let (a, b) = (*a as i64, *b as i64);
                if b == 0 {
                    return bad2(&l, &r, "cannot be divided (remainder) because the divisor is zero");
                }
                let rest = a.unsigned_abs() % b.unsigned_abs();
                let rest = rest as f64;
                Ok(Val::num(if a < 0 { 0.0 - rest } else { rest }))
            }
            _ => bad2(&l, &r, "cannot be divided (remainder)"),
        },
    }
}

fn merge(a: Arc<Map>, b: &Map) -> Arc<Map> {
    let mut a = a;
    let target = Arc::make_mut(&mut a);
    for (k, v) in &b.entries {
        let merged = match (target.get(k), v) {
            (Some(Val::Obj(x)), Val::Obj(y)) => Val::Obj(merge(x.clone(), y)),
            _ => v.clone(),
        };
        target.set(k.clone(), merged);
    }
    a
}

fn add(l: Val, r: Val) -> Res {
    match (l, r) {
        (Val::Null, v) | (v, Val::Null) => Ok(v),
        (Val::Num(a, _), Val::Num(b, _)) => Ok(Val::num(a + b)),
        (Val::Str(a), Val::Str(b)) => {
            if a.len() + b.len() > MAX_TEXT {
                return fault("texts longer than 16 MiB are not simulated");
            }
            Ok(Val::str([&*a, &*b].concat()))
        }
        (Val::Arr(mut a), Val::Arr(b)) => {
            let list = Arc::make_mut(&mut a);
            for v in &b.items {
                list.push(v.clone());
            }
            Ok(Val::Arr(a))
        }
        (Val::Obj(mut a), Val::Obj(b)) => {
            let map = Arc::make_mut(&mut a);
            for (k, v) in &b.entries {
                map.set(k.clone(), v.clone());
            }
            Ok(Val::Obj(a))
        }
        (l, r) => bad2(&l, &r, "cannot be added"),
    }
}

fn sum(v: Val, _: &[Val]) -> Res {
    let items: Vec<Val> = items_of(&v)?;
    let mut text = String::new();
    if !items.is_empty() && items.iter().all(|v| matches!(v, Val::Str(_))) {
        for v in &items {
            if let Val::Str(s) = v {
                text.push_str(s);
            }
            if text.len() > MAX_TEXT {
                return fault("texts longer than 16 MiB are not simulated");
            }
        }
        return Ok(Val::str(text));
    }
    items.into_iter().try_fold(Val::Null, add)
}

fn items_of(v: &Val) -> Res<Vec<Val>> {
    match v {
        Val::Arr(a) => Ok(a.items.clone()),
        Val::Obj(o) => Ok(o.entries.iter().map(|(_, v)| v.clone()).collect()),
        v => fault(format!("Cannot iterate over {} ({})", v.kind(), short(v, 15))),
    }
}

/// A text's parts between separators; its characters where the separator is empty.
fn split(s: &str, sep: &str) -> Val {
    if s.is_empty() {
        return Val::arr(Vec::new());
    }
    Val::arr(if sep.is_empty() {
        s.chars().map(|c| Val::str(c.to_string())).collect()
    } else {
        s.split(sep).map(Val::str).collect()
    })
}

fn length(v: Val, _: &[Val]) -> Res {
    match &v {
        Val::Null => Ok(Val::num(0.0)),
        Val::Bool(_) => bad(&v, "has no length"),
        Val::Num(n, _) => Ok(Val::num(n.abs())),
        Val::Str(s) => Ok(Val::len(s.chars().count())),
        Val::Arr(a) => Ok(Val::len(a.items.len())),
        Val::Obj(o) => Ok(Val::len(o.entries.len())),
    }
}

fn keys(v: Val, _: &[Val]) -> Res {
    match &v {
        Val::Obj(o) => Ok(Val::arr(o.sorted().into_iter().map(|(k, _)| Val::Str(k.clone())).collect())),
        _ => keys_unsorted(v, &[]),
    }
}

fn keys_unsorted(v: Val, _: &[Val]) -> Res {
    match &v {
        Val::Obj(o) => Ok(Val::arr(o.entries.iter().map(|(k, _)| Val::Str(k.clone())).collect())),
        Val::Arr(a) => Ok(Val::arr((0..a.items.len()).map(Val::len).collect())),
        v => bad(v, "has no keys"),
    }
}

fn has(v: Val, args: &[Val]) -> Res {
    let [key] = args else { return Ok(Val::Null) };
    match (&v, key) {
        (Val::Null, _) => Ok(Val::Bool(false)),
        (Val::Obj(o), Val::Str(k)) => Ok(Val::Bool(o.get(k).is_some())),
        (Val::Arr(a), Val::Num(n, _)) => Ok(Val::Bool(*n > -1.0 && *n < a.items.len() as f64)),
        (v, k) => fault(format!("Cannot check whether {} has a {} key", v.kind(), k.kind())),
    }
}

fn contains(v: Val, args: &[Val]) -> Res {
    let [b] = args else { return Ok(Val::Null) };
    if v.kind() != b.kind() {
        return bad2(&v, b, "cannot have their containment checked");
    }
    Ok(Val::Bool(holds(&v, b)))
}

fn holds(a: &Val, b: &Val) -> bool {
    match (a, b) {
        (Val::Obj(a), Val::Obj(b)) => b.entries.iter().all(|(k, v)| a.get(k).is_some_and(|x| holds(x, v))),
        (Val::Arr(a), Val::Arr(b)) => b.items.iter().all(|y| a.items.iter().any(|x| holds(x, y))),
        (Val::Str(a), Val::Str(b)) => a.contains(&**b),
        _ => a.same(b),
    }
}

fn sorted(v: Val, _: &[Val]) -> Res {
    match v {
        Val::Arr(mut a) => {
            Arc::make_mut(&mut a).items.sort_by(Val::order);
            Ok(Val::Arr(a))
        }
        v => bad(&v, "cannot be sorted, as it is not an array"),
    }
}

/// The items beside the keys that they are sorted by.
fn keyed<'a>(v: &'a Val, args: &'a [Val]) -> Res<Vec<(&'a Val, &'a Val)>> {
    match (v, args) {
        (Val::Arr(a), [Val::Arr(keys)]) if a.items.len() == keys.items.len() => {
            let mut all: Vec<_> = keys.items.iter().zip(&a.items).collect();
            all.sort_by(|a, b| a.0.order(b.0));
            Ok(all)
        }
        (v, [keys]) => bad2(v, keys, "cannot be sorted, as they are not both arrays"),
        (v, _) => bad(v, "cannot be sorted, as it is not an array"),
    }
}

fn sort_by(v: Val, args: &[Val]) -> Res {
    Ok(Val::arr(keyed(&v, args)?.into_iter().map(|(_, v)| v.clone()).collect()))
}

fn group_by(v: Val, args: &[Val]) -> Res {
    let mut groups: Vec<(&Val, Vec<Val>)> = Vec::new();
    for (key, item) in keyed(&v, args)? {
        match groups.last_mut() {
            Some((k, group)) if k.order(key) == Ordering::Equal => group.push(item.clone()),
            _ => groups.push((key, vec![item.clone()])),
        }
    }
    Ok(Val::arr(groups.into_iter().map(|(_, g)| Val::arr(g)).collect()))
}

fn extreme(v: &Val, args: &[Val], least: bool) -> Res {
    let (Val::Arr(a), [Val::Arr(keys)]) = (v, args) else {
        return match args {
            [keys] => bad2(v, keys, "cannot be iterated over"),
            _ => Ok(Val::Null),
        };
    };
    let mut best: Option<(&Val, &Val)> = None;
    for (item, key) in a.items.iter().zip(&keys.items) {
        best = match best {
            Some((b, k)) if (key.compare(k) == Ordering::Less) != least => Some((b, k)),
            _ => Some((item, key)),
        };
    }
    Ok(best.map_or(Val::Null, |(v, _)| v.clone()))
}

fn explode(v: Val, _: &[Val]) -> Res {
    match &v {
        Val::Str(s) => Ok(Val::arr(s.chars().map(|c| Val::num(f64::from(c as u32))).collect())),
        _ => fault("explode input must be a string"),
    }
}

fn implode(v: Val, _: &[Val]) -> Res {
    let Val::Arr(a) = &v else { return fault("implode input must be an array") };
    let mut out = String::new();
    for n in &a.items {
        match n {
            Val::Num(n, _) if !n.is_nan() => {
                let c = if *n >= 0.0 && *n <= 1_114_111.0 { char::from_u32(*n as u32) } else { None };
                out.push(c.unwrap_or('\u{fffd}'));
            }
            n => return bad(n, "can't be imploded, unicode codepoint needs to be numeric"),
        }
    }
    Ok(Val::str(out))
}

fn to_number(v: Val, _: &[Val]) -> Res {
    match &v {
        Val::Num(..) => Ok(v),
        Val::Str(s) => match read_number(s.trim_matches(|c: char| c.is_ascii_whitespace())) {
            Some(n) => Ok(n),
            None => match parse_one(s) {
                Err(e) => Err(Val::str(e)),
                Ok(_) => bad(&v, "cannot be parsed as a number"),
            },
        },
        v => bad(v, "cannot be parsed as a number"),
    }
}

pub(super) fn to_string(v: &Val) -> Arc<str> {
    match v {
        Val::Str(s) => s.clone(),
        v => Arc::from(compact(v)),
    }
}

fn affix(v: &Val, args: &[Val], name: &str, test: fn(&str, &str) -> bool) -> Res {
    match (v, args) {
        (Val::Str(s), [Val::Str(t)]) => Ok(Val::Bool(test(s, t))),
        _ => fault(format!("{name}() requires string inputs")),
    }
}

fn case(v: &Val, name: &str, change: fn(&str) -> String) -> Res {
    match v {
        Val::Str(s) => Ok(Val::str(change(s))),
        _ if name == "explode" => fault("explode input must be a string"),
        v => bad(v, "cannot be trimmed"),
    }
}

fn string_indices(v: Val, args: &[Val]) -> Res {
    let [key] = args else { return Ok(Val::Null) };
    match (&v, key) {
        (Val::Str(s), Val::Str(t)) => {
            if t.is_empty() {
                return Ok(Val::Null);
            }
            let mut found = Vec::new();
            let mut from = 0;
            // Byte offsets, as jq 1.7 counts them.
            while let Some(n) = s.get(from..).and_then(|rest| rest.find(&**t)) {
                found.push(Val::len(from + n));
                from += n + s.get(from + n..).and_then(|r| r.chars().next()).map_or(1, char::len_utf8);
            }
            Ok(Val::arr(found))
        }
        (Val::Arr(_), Val::Arr(_)) => index(&v, key),
        (Val::Arr(_), _) => index(&v, &Val::arr(vec![key.clone()])),
        _ => index(&v, key),
    }
}

fn flatten(v: &Val, depth: f64, out: &mut Vec<Val>) -> Res<()> {
    for item in items_of(v)? {
        match item {
            Val::Arr(_) if depth != 0.0 => flatten(&item, depth - 1.0, out)?,
            item => out.push(item),
        }
    }
    Ok(())
}

fn join(v: Val, args: &[Val]) -> Res {
    let [sep] = args else { return Ok(Val::Null) };
    let mut out = String::new();
    for (i, item) in items_of(&v)?.into_iter().enumerate() {
        let part = match item {
            Val::Null => Val::str(""),
            Val::Bool(_) | Val::Num(..) => Val::Str(to_string(&item)),
            item => item,
        };
        if i > 0 {
            match sep {
                Val::Str(s) => out.push_str(s),
                Val::Null => {}
                sep => return bad2(&Val::str(&out), sep, "cannot be added"),
            }
        }
        match &part {
            Val::Str(s) => out.push_str(s),
            part => return bad2(&Val::str(&out), part, "cannot be added"),
        }
        if out.len() > MAX_TEXT {
            return fault("texts longer than 16 MiB are not simulated");
        }
    }
    Ok(Val::str(out))
}

fn from_json(v: Val, _: &[Val]) -> Res {
    match &v {
        Val::Str(s) => parse_one(s).map_err(Val::str),
        v => bad(v, "only strings can be parsed"),
    }
}

fn math(v: &Val, f: fn(f64) -> f64) -> Res {
    match v {
        Val::Num(n, _) => Ok(Val::num(f(*n))),
        v => bad(v, "number required"),
    }
}

fn math2(args: &[Val], f: fn(f64, f64) -> f64) -> Res {
    match args {
        [Val::Num(a, _), Val::Num(b, _)] => Ok(Val::num(f(*a, *b))),
        [Val::Num(..), b] => bad(b, "number required"),
        [a, ..] => bad(a, "number required"),
        _ => Ok(Val::Null),
    }
}

fn number_is(v: &Val, test: fn(f64) -> bool) -> Res {
    match v {
        Val::Num(n, _) => Ok(Val::Bool(test(*n))),
        v => bad(v, "number required"),
    }
}

fn transpose(v: Val, _: &[Val]) -> Res {
    let rows = items_of(&v)?;
    let mut width = 0;
    for r in &rows {
        match r {
            Val::Arr(a) => width = width.max(a.items.len()),
            Val::Null => {}
            Val::Bool(_) => return bad(r, "has no length"),
            r => return fault(format!("Cannot index {} with number", r.kind())),
        }
    }
    if width.saturating_mul(rows.len()) > 4 << 20 {
        return fault("values this large are not simulated");
    }
    let column =
        |i: usize| rows.iter().map(|r| index(r, &Val::len(i))).collect::<Res<Vec<Val>>>().map(Val::arr);
    Ok(Val::arr((0..width).map(column).collect::<Res<Vec<Val>>>()?))
}

fn to_entries(v: Val, _: &[Val]) -> Res {
    match &v {
        Val::Obj(o) => Ok(Val::arr(
            o.entries
                .iter()
                .map(|(k, v)| {
                    let mut m = Map::default();
                    m.set("key".into(), Val::Str(k.clone()));
                    m.set("value".into(), v.clone());
                    Val::obj(m)
                })
                .collect(),
        )),
        Val::Arr(a) => Ok(Val::arr(
            a.items
                .iter()
                .enumerate()
                .map(|(i, v)| {
                    let mut m = Map::default();
                    m.set("key".into(), Val::len(i));
                    m.set("value".into(), v.clone());
                    Val::obj(m)
                })
                .collect(),
        )),
        v => bad(v, "has no keys"),
    }
}

const fn n(name: &'static str, arity: usize, run: fn(Val, &[Val]) -> Res) -> Native {
    Native { name, arity, run }
}

static NATIVES: &[Native] = &[
    n("add", 0, sum),
    n("length", 0, length),
    n("utf8bytelength", 0, |v, _| match &v {
        Val::Str(s) => Ok(Val::len(s.len())),
        v => bad(v, "only strings have UTF-8 byte length"),
    }),
    n("not", 0, |v, _| Ok(Val::Bool(!v.truthy()))),
    n("keys", 0, keys),
    n("keys_unsorted", 0, keys_unsorted),
    n("has", 1, has),
    n("contains", 1, contains),
    n("inside", 1, |v, args| match args {
        [b] => contains(b.clone(), &[v]),
        _ => Ok(Val::Null),
    }),
    n("type", 0, |v, _| Ok(Val::str(v.kind()))),
    n("sort", 0, sorted),
    n("_sort_by", 1, sort_by),
    n("_group_by", 1, group_by),
    n("_min_by", 1, |v, args| extreme(&v, args, true)),
    n("_max_by", 1, |v, args| extreme(&v, args, false)),
    n("min", 0, |v, _| extreme(&v, std::slice::from_ref(&v), true)),
    n("max", 0, |v, _| extreme(&v, std::slice::from_ref(&v), false)),
    n("reverse", 0, |v, _| match v {
        Val::Arr(mut a) => {
            Arc::make_mut(&mut a).items.reverse();
            Ok(Val::Arr(a))
        }
        Val::Null => Ok(Val::arr(Vec::new())),
        Val::Str(s) if s.is_empty() => Ok(Val::arr(Vec::new())),
        Val::Str(_) => fault("Cannot index string with number"),
        Val::Obj(o) if o.entries.is_empty() => Ok(Val::arr(Vec::new())),
        Val::Obj(_) => fault("Cannot index object with number"),
        Val::Num(x, _) if x.abs() <= 0.0 => Ok(Val::arr(Vec::new())),
        Val::Num(..) => fault("Cannot index number with number"),
        v => bad(&v, "has no length"),
    }),
    n("transpose", 0, transpose),
    n("to_entries", 0, to_entries),
    n("tojson", 0, |v, _| Ok(Val::str(compact(&v)))),
    n("fromjson", 0, from_json),
    n("tostring", 0, |v, _| Ok(Val::Str(to_string(&v)))),
    n("tonumber", 0, to_number),
    n("startswith", 1, |v, a| affix(&v, a, "startswith", |s, t| s.starts_with(t))),
    n("endswith", 1, |v, a| affix(&v, a, "endswith", |s, t| s.ends_with(t))),
    n("ltrimstr", 1, |v, a| match (&v, a) {
        (Val::Str(s), [Val::Str(t)]) => Ok(s.strip_prefix(&**t).map_or(v.clone(), Val::str)),
        _ => Ok(v),
    }),
    n("rtrimstr", 1, |v, a| match (&v, a) {
        (Val::Str(s), [Val::Str(t)]) => Ok(s.strip_suffix(&**t).map_or(v.clone(), Val::str)),
        _ => Ok(v),
    }),
    n("ascii_downcase", 0, |v, _| case(&v, "explode", str::to_ascii_lowercase)),
    n("ascii_upcase", 0, |v, _| case(&v, "explode", str::to_ascii_uppercase)),
    n("split", 1, |v, a| match (&v, a) {
        (Val::Str(s), [Val::Str(t)]) => Ok(split(s, t)),
        _ => fault("split input and separator must be strings"),
    }),
    n("join", 1, join),
    n("explode", 0, explode),
    n("implode", 0, implode),
    n("indices", 1, string_indices),
    n("_strindices", 1, string_indices),
    n("flatten", 0, |v, _| {
        let mut out = Vec::new();
        flatten(&v, -1.0, &mut out)?;
        Ok(Val::arr(out))
    }),
    n("flatten", 1, |v, a| match a {
        [Val::Num(d, _)] if *d < 0.0 => fault("flatten depth must not be negative"),
        [Val::Num(d, _)] => {
            let mut out = Vec::new();
            flatten(&v, *d, &mut out)?;
            Ok(Val::arr(out))
        }
        _ => fault("flatten depth must not be negative"),
    }),
    n("setpath", 2, |v, a| match a {
        [Val::Arr(p), value] => set_path(v, &p.items, value.clone()),
        _ => fault("Path must be specified as an array"),
    }),
    n("delpaths", 1, |v, a| delete_paths(v, a.first().unwrap_or(&Val::Null))),
    n("format", 1, |v, a| match a {
        [Val::Str(f)] => format(&v, f),
        [f] => bad(f, "is not a valid format"),
        _ => Ok(v),
    }),
    n("_match", 3, |v, a| match a {
        [re, flags, test] => match_all(&v, re, flags, test.truthy()),
        _ => Ok(v),
    }),
    n("infinite", 0, |_, _| Ok(Val::num(f64::INFINITY))),
    n("nan", 0, |_, _| Ok(Val::num(f64::NAN))),
    n("isinfinite", 0, |v, _| number_is(&v, f64::is_infinite)),
    n("isnan", 0, |v, _| Ok(Val::Bool(matches!(v, Val::Num(n, _) if n.is_nan())))),
    n("isnormal", 0, |v, _| number_is(&v, f64::is_normal)),
    n("floor", 0, |v, _| math(&v, libm::floor)),
    n("ceil", 0, |v, _| math(&v, libm::ceil)),
    n("round", 0, |v, _| math(&v, libm::round)),
    n("trunc", 0, |v, _| math(&v, libm::trunc)),
    n("fabs", 0, |v, _| math(&v, libm::fabs)),
    n("sqrt", 0, |v, _| math(&v, libm::sqrt)),
    n("exp", 0, |v, _| math(&v, libm::exp)),
    n("exp2", 0, |v, _| math(&v, libm::exp2)),
    n("exp10", 0, |v, _| math(&v, libm::exp10)),
    n("log", 0, |v, _| math(&v, libm::log)),
    n("log2", 0, |v, _| math(&v, libm::log2)),
    n("log10", 0, |v, _| math(&v, libm::log10)),
    n("sin", 0, |v, _| math(&v, libm::sin)),
    n("cos", 0, |v, _| math(&v, libm::cos)),
    n("tan", 0, |v, _| math(&v, libm::tan)),
    n("atan", 0, |v, _| math(&v, libm::atan)),
    n("pow", 2, |_, a| math2(a, libm::pow)),
    n("fmin", 2, |_, a| math2(a, libm::fmin)),
    n("fmax", 2, |_, a| math2(a, libm::fmax)),
    n("fmod", 2, |_, a| math2(a, libm::fmod)),
    n("atan2", 2, |_, a| math2(a, libm::atan2)),
    n("gmtime", 0, |v, _| times::gmtime(&v, "gmtime")),
    n("localtime", 0, |v, _| times::gmtime(&v, "localtime")),
    n("mktime", 0, |v, _| times::mktime(&v)),
    n("strftime", 1, |v, a| times::strftime(&v, a, "strftime")),
    n("strflocaltime", 1, |v, a| times::strftime(&v, a, "strflocaltime")),
    n("strptime", 1, |v, a| times::strptime(&v, a)),
];
