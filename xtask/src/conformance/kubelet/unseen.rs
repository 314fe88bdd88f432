//! States that a watcher sees in one run and not in the next.
//!
//! The recordings prove two kinds. A container that ends as soon as it has begun is seen running only if the kubelet's look
//! at the pod falls between: of the eight instant runs of `always-exit1-now` one is missing, likewise in `crash-previous-logs`,
//! `delete-crashlooping`, `describe-failed-states`, `kubectl-run-busybox`, `repeat-crash-quiet-1`, `job-indexed` (of three equal
//! pods one) and others: 17 of 121. And a status that the next one follows at once may never be written, since the status
//! manager sends the latest: in `taint-noexecute` the pod `tolerates-15s` has a write between its deletion and its end which
//! `plain` has not, in `node-kubelet-stopped` one of two equal pods has it, and `prestop-http-refused` is the only scenario in
//! which a pod goes without a state of its own for its new sandbox.

use serde_json::Value;

/// States, each with the second at which it began.
type States = Vec<(f64, Value)>;

/// The longest that a run is seen for which was over at the kubelet's next look: a relist, and what a watcher is late by.
const LOOK: f64 = 1.1;
/// How soon a status has to follow for the one before not to be written.
const AT_ONCE: f64 = 0.1;

/// The most states in a row that go unseen: what a status said just before such a run, and the run.
const MOST: usize = 2;

/// Takes out of one side what the other has not seen, where that is chance.
pub(super) fn leave_out(expected: &mut States, got: &mut States) {
    let mut index = 0;
    while let (Some((_, a)), Some((_, b))) = (expected.get(index), got.get(index)) {
        if a == b {
            index += 1;
        } else if let Some(count) = unseen(got, expected, index, overwritten) {
            take(got, expected, index, count);
        } else if let Some(count) = unseen(expected, got, index, before_instant_run) {
            take(expected, got, index, count);
        } else {
            return;
        }
    }
}

/// How many states of `states` from `index` on `other` may have gone without, to go on where `states` does after them.
fn unseen(states: &States, other: &States, index: usize, may: fn(&States, usize) -> bool) -> Option<usize> {
    (1..=MOST).find(|count| {
        (index..index + count).all(|at| instant_run(states, at) || may(states, at))
            && follows(other, index, states, index + count)
    })
}

/// A status that the next one followed at once.
fn overwritten(states: &States, index: usize) -> bool {
    lasts(states, index).is_some_and(|lasts| lasts < AT_ONCE)
}

/// Such a status before a run that was over at once.
fn before_instant_run(states: &States, index: usize) -> bool {
    overwritten(states, index) && instant_run(states, index + 1)
}

fn lasts(states: &States, index: usize) -> Option<f64> {
    Some(states.get(index + 1)?.0 - states.get(index)?.0)
}

/// Whether `other` at `at` is as `states` at `next`. The phase of a pod that was not seen running stays what it was until the
/// pod has ended.
fn follows(other: &States, at: usize, states: &States, next: usize) -> bool {
    match (other.get(at), states.get(next)) {
        (Some((_, a)), Some((_, b))) => a == b || (is_phase(a, "Pending") && with_phase_of(a, b) == *a),
        _ => false,
    }
}

fn is_phase(state: &Value, phase: &str) -> bool {
    state.get("phase").and_then(Value::as_str) == Some(phase)
}

/// `state` with the phase of `other`.
fn with_phase_of(other: &Value, state: &Value) -> Value {
    let mut state = state.clone();
    if let (Some(phase), Some(fields)) = (other.get("phase"), state.as_object_mut()) {
        fields.insert("phase".to_owned(), phase.clone());
    }
    state
}

/// Takes `count` states out, and gives what follows the phase that it has in `other`.
fn take(states: &mut States, other: &States, index: usize, count: usize) {
    states.drain(index..index + count);
    for ((_, state), (_, like)) in states.iter_mut().zip(other.iter()).skip(index) {
        if state == like {
            break;
        }
        let same = with_phase_of(like, state);
        if !is_phase(like, "Pending") || same != *like {
            break;
        }
        *state = same;
    }
}

/// Whether a container runs in the state at `index` that did not in the state before and has ended in the next.
fn instant_run(states: &States, index: usize) -> bool {
    let (Some((_, now)), Some((_, next))) = (states.get(index), states.get(index + 1)) else { return false };
    let before = index.checked_sub(1).and_then(|before| states.get(before)).map(|(_, state)| state);
    let is = |state: Option<&Value>, list: &str, at: usize, what: &str| {
        let path = format!("/{list}/{at}/state/is");
        state.and_then(|state| state.pointer(&path)).and_then(Value::as_str) == Some(what)
    };
    lasts(states, index).is_some_and(|lasts| lasts <= LOOK)
        && ["init", "containers"].into_iter().any(|list| {
            let count = now.get(list).and_then(Value::as_array).map_or(0, Vec::len);
            (0..count).any(|at| {
                is(Some(now), list, at, "running")
                    && !is(before, list, at, "running")
                    && is(Some(next), list, at, "terminated")
            })
        })
}
