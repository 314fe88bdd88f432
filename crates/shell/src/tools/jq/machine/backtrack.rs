//! What a running jq program does when a filter has no more values, or raises an error.

use super::super::value::delete_paths;
use super::{Ast, Choice, Ctl, Machine, Tv, Val};

impl Machine {
    /// Goes on with what was left to be tried last.
    pub(super) fn backtrack(&mut self) {
        let Some(choice) = self.choices.pop() else { return };
        self.ctl = match choice {
            Choice::Eval(node, env, input, k) => Ctl::Eval(node, env, input, k),
            Choice::Each { container, at, t, k } => {
                let (item, len) = match &container {
                    Val::Arr(a) => (a.items.get(at).map(|v| (Val::len(at), v.clone())), a.items.len()),
                    Val::Obj(o) => {
                        (o.entries.get(at).map(|(k, v)| (Val::Str(k.clone()), v.clone())), o.entries.len())
                    }
                    _ => (None, 0),
                };
                match item {
                    None => Ctl::Fail,
                    Some((key, v)) => {
                        let tv = Tv { v, t: t.then(&key) };
                        if at + 1 < len {
                            self.choices.push(Choice::Each { container, at: at + 1, t, k: k.clone() });
                        }
                        Ctl::Ret(tv, k)
                    }
                }
            }
            Choice::Range { at, to, by, t, k } => {
                if (by > 0.0 && at < to) || (by < 0.0 && at > to) {
                    self.choices.push(Choice::Range { at: at + by, to, by, t: t.clone(), k: k.clone() });
                    Ctl::Ret(Tv { v: Val::num(at), t }, k)
                } else {
                    Ctl::Fail
                }
            }
            Choice::Collect { made, t, k } => match Val::arr(made).shallow() {
                Ok(v) => Ctl::Ret(Tv { v, t }, k),
                Err(e) => Ctl::Raise(e),
            },
            Choice::State { state, done: Some(k) } => Ctl::Ret(state, k),
            Choice::Modify { made, gone, t, k } => {
                let result = if gone.is_empty() { Ok(made) } else { delete_paths(made, &Val::arr(gone)) };
                match result {
                    Ok(v) => Ctl::Ret(Tv { v, t }, k),
                    Err(e) => Ctl::Raise(e),
                }
            }
            Choice::ModNone { at, path } => {
                if let Some(Choice::Modify { gone, .. }) = self.choices.get_mut(at) {
                    gone.push(Val::arr(path.to_vec()));
                }
                Ctl::Fail
            }
            Choice::Alt { found: false, node, env, input, k } => Ctl::Eval(node, env, input, k),
            Choice::State { .. }
            | Choice::Alt { .. }
            | Choice::Try { .. }
            | Choice::TryLeft
            | Choice::Label
            | Choice::Count(_)
            | Choice::Alternatives { .. } => Ctl::Fail,
        };
    }

    /// Looks for who catches an error; the error itself where nobody does.
    pub(super) fn unwind(&mut self, e: Val) -> Option<Val> {
        let mut left = 0usize;
        while let Some(choice) = self.choices.pop() {
            match choice {
                Choice::TryLeft => left += 1,
                Choice::Try { .. } if left > 0 => left -= 1,
                Choice::Try { handler, env, t, k } => {
                    self.ctl = match handler {
                        Some(handler) => Ctl::Eval(handler, env, Tv { v: e, t }, k),
                        None => Ctl::Fail,
                    };
                    return None;
                }
                Choice::Alternatives { node, at, env, input, k } => {
                    if let Ast::Alternatives(all) = &*node
                        && let Some(next) = all.get(at)
                    {
                        let next = next.clone();
                        if at + 1 < all.len() {
                            let (e, i) = (env.clone(), input.clone());
                            let choice = Choice::Alternatives {
                                node: node.clone(),
                                at: at + 1,
                                env: e,
                                input: i,
                                k: k.clone(),
                            };
                            self.choices.push(choice);
                        }
                        self.ctl = Ctl::Eval(next, env, input, k);
                        return None;
                    }
                }
                _ => {}
            }
        }
        Some(e)
    }
}
