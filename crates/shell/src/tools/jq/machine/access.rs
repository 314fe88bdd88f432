//! How a jq program gets at the parts of a value, and remembers where they stand.

use super::super::json::short;
use super::super::value::index;
use super::{Choice, Ctl, K, Machine, Track, Tv, Val, fault};

impl Machine {
    /// `.[key]`.
    pub(super) fn step_into(&mut self, term: Tv, key: Val, optional: bool, k: K) -> Ctl {
        if matches!(term.t, Track::Lost) {
            return fault(format!(
                "Invalid path expression near attempt to access element {} of {}",
                short(&key, 15),
                short(&term.v, 30)
            ));
        }
        match index(&term.v, &key) {
            Ok(v) => {
                if matches!(key, Val::Obj(_) | Val::Arr(_)) {
                    self.charge(&v);
                }
                let t = term.t.then(&key);
                Ctl::Ret(Tv { v, t }, k)
            }
            Err(_) if optional => Ctl::Fail,
            Err(e) => Ctl::Raise(e),
        }
    }

    /// `.[]`.
    pub(super) fn each(&mut self, container: Tv, optional: bool, k: K) -> Ctl {
        if matches!(container.t, Track::Lost) {
            let text = short(&container.v, 30);
            return fault(format!("Invalid path expression near attempt to iterate through {text}"));
        }
        match &container.v {
            Val::Arr(_) | Val::Obj(_) => {
                self.choices.push(Choice::Each { container: container.v, at: 0, t: container.t, k });
                Ctl::Fail
            }
            _ if optional => Ctl::Fail,
            v => fault(format!("Cannot iterate over {} ({})", v.kind(), short(v, 15))),
        }
    }
}
