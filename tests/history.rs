//! Same seed and inputs, same history: natively here, in wasm in `browser/history.test.mjs`, which asks this test for
//! the native one through the variable `PODLAB_HISTORY_OUT`.

use podlab::state::history::history;

#[test]
fn a_history_does_not_depend_on_how_its_time_is_cut() {
    let script = include_str!("history.yaml");
    let whole = history(script, 0).expect("the script can be read");
    let cut = history(script, 5).expect("the script can be read");
    let differs = whole.lines().zip(cut.lines()).position(|(a, b)| a != b);
    assert!(
        whole == cut,
        "line {differs:?}:\n{:?}\n{:?}",
        whole.lines().nth(differs.unwrap_or(0)),
        cut.lines().nth(differs.unwrap_or(0))
    );
    if let Some(out) = std::env::var_os("PODLAB_HISTORY_OUT") {
        std::fs::write(out, whole).expect("the history can be written");
    }
}
