//! What a jq program's names stand for.

use super::super::ast::{A, Ast};
use super::super::lexer::words;
use super::super::native;
use super::super::prelude::PRELUDE;
use super::super::value::Val;
use super::{Name, Parsed, Parser, a, identity, null};

impl Parser<'_> {
    pub(super) fn call(&mut self, name: &str, mut args: Vec<A>, place: usize) -> Parsed {
        let found = self.scope.iter().rev().find_map(|n| match n {
            Name::Param(p, id) if p == name && args.is_empty() => Some(Err(*id)),
            Name::Function(f, arity, index) if f == name && *arity == args.len() => Some(Ok(*index)),
            _ => None,
        });
        match found {
            Some(Err(id)) => return Ok(a(Ast::Param(id))),
            Some(Ok(index)) => return Ok(a(Ast::Call(index, args))),
            None => {}
        }
        let one = |args: &mut Vec<A>| args.pop().unwrap_or_else(identity);
        let arity = args.len();
        let special = match (name, arity) {
            ("true", 0) => Ast::Const(Val::Bool(true)),
            ("false", 0) => Ast::Const(Val::Bool(false)),
            ("null", 0) => Ast::Const(Val::Null),
            ("empty", 0) => Ast::Empty,
            ("error", 0) => Ast::Error,
            ("error", 1) => Ast::Pipe(one(&mut args), a(Ast::Error)),
            ("path", 1) => Ast::Path(one(&mut args)),
            ("getpath", 1) => Ast::GetPath(one(&mut args)),
            ("first", 1) => Ast::First(one(&mut args)),
            ("select", 1) => Ast::If(one(&mut args), identity(), a(Ast::Empty)),
            ("limit", 2) => {
                let f = one(&mut args);
                Ast::Limit(one(&mut args), f)
            }
            ("range", 1..=3) => {
                let number = |n: f64| a(Ast::Const(Val::num(n)));
                let by = if arity == 3 { one(&mut args) } else { number(1.0) };
                let to = one(&mut args);
                let from = if arity == 1 { number(0.0) } else { one(&mut args) };
                Ast::Range(from, to, by)
            }
            ("input", 0) => Ast::Input,
            ("input_line_number", 0) => Ast::InputLine,
            ("input_filename", 0) => Ast::InputFile,
            ("now", 0) => Ast::Now,
            ("debug", 0) => Ast::Tell(true),
            ("stderr", 0) => Ast::Tell(false),
            ("halt", 0) => Ast::Halt(None),
            ("halt_error", 0) => Ast::Halt(Some(a(Ast::Const(Val::num(5.0))))),
            ("halt_error", 1) => Ast::Halt(Some(one(&mut args))),
            ("env", 0) => return self.global("ENV", place),
            _ => {
                if let Some(native) = native::find(name, arity) {
                    return Ok(a(Ast::Native(native, args)));
                }
                return self.prelude(name, args, place);
            }
        };
        Ok(a(special))
    }

    fn global(&mut self, name: &str, place: usize) -> Parsed {
        let found = self.scope.iter().find_map(|n| match n {
            Name::Var(v, id) if v == name => Some(*id),
            _ => None,
        });
        match found {
            Some(id) => Ok(a(Ast::Var(id))),
            None => self.variable(name, place),
        }
    }

    /// A function that is written in jq itself, read when it is first used.
    fn prelude(&mut self, name: &str, args: Vec<A>, place: usize) -> Parsed {
        let Some(n) = PRELUDE.iter().position(|(n, params, _)| {
            let arity = if params.is_empty() { 0 } else { params.split(';').count() };
            *n == name && arity == args.len()
        }) else {
            self.note(place, format!("{name}/{} is not defined", args.len()));
            return Ok(null());
        };
        if let Some((_, index)) = self.known.iter().find(|k| k.0 == n) {
            return Ok(a(Ast::Call(*index, args)));
        }
        let Some((name, params, body)) = PRELUDE.get(n).copied() else { return Ok(null()) };
        let params = if params.is_empty() { String::new() } else { format!("({params})") };
        let text = format!("{name}{params}: {body};");
        let index = self.functions.len();
        self.known.push((n, index));
        let mut inner = Parser {
            text: &text,
            words: words(&text),
            at: 0,
            scope: Vec::new(),
            functions: std::mem::take(&mut self.functions),
            known: std::mem::take(&mut self.known),
            next_id: self.next_id,
            depth: 0,
            missing: Vec::new(),
        };
        let read = inner.definition();
        let Parser { functions, known, next_id, missing, .. } = inner;
        debug_assert!(missing.is_empty(), "{missing:?}");
        (self.functions, self.known, self.next_id) = (functions, known, next_id);
        read?;
        if let Some(Some(f)) = self.functions.get_mut(index) {
            f.top = true;
        }
        Ok(a(Ast::Call(index, args)))
    }
}
