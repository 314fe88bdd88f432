//! A pod's containers: the three-state machine, back-off, probes.

use super::probes::probes;
use super::shared::{clock, left, until};
use super::usage::Usage;
use crate::i18n::dock as texts;
use crate::state::Lang;
use crate::state::inspect::age_of;
use k8s_openapi::api::core::v1::{Container, ContainerState, ContainerStateTerminated, ContainerStatus};
use podlab_api::resources::container_limit;
use podlab_api::time::unix_seconds;
use podlab_api::{Object, Quantity};
use podlab_cluster::kubelet::observation::{BackOffState, ContainerObservation, PodObservation};
use podlab_cluster::metrics::{ContainerUsage, PodUsage};
use podlab_cluster::runtime::Runtime;
use podlab_sim::SimTime;
use yew::prelude::*;

/// The delays of the crash back-off, in seconds.
const LADDER: [u64; 6] = [10, 20, 40, 80, 160, 300];

/// All containers, init containers first.
pub(super) fn containers(
    object: &Object,
    observed: Option<&PodObservation>,
    usage: Option<&PodUsage>,
    now: SimTime,
    lang: Lang,
) -> Html {
    let (Some(spec), Some(status)) = (object.pod_spec(), object.pod_status()) else { return html! {} };
    let init = spec.init_containers.iter().flatten().map(|c| {
        let is_sidecar = c.restart_policy.as_deref() == Some("Always");
        (
            c,
            status.init_container_statuses.iter().flatten(),
            Some(if is_sidecar { texts::SIDECAR } else { texts::INIT }),
        )
    });
    let main = spec.containers.iter().map(|c| (c, status.container_statuses.iter().flatten(), None));
    html! {
        {for init.chain(main).map(|(container, mut statuses, note)| {
            let status = statuses.find(|s| s.name == container.name);
            let observed = observed.and_then(|o| o.containers.iter().find(|c| c.name == container.name));
            let note = note.map(|n| n.get(lang));
            let used = usage.and_then(|usage| Some((usage.at, usage.containers.iter().find(|c| c.name == container.name)?)));
            one(container, status, (observed, used), note, now, lang)
        })}
    }
}

fn one(
    container: &Container,
    status: Option<&ContainerStatus>,
    (observed, used): (Option<&ContainerObservation>, Option<(SimTime, &ContainerUsage)>),
    note: Option<&'static str>,
    now: SimTime,
    lang: Lang,
) -> Html {
    let image = container.image.as_deref().unwrap_or_default();
    let restarts = status.map_or(0, |s| s.restart_count);
    let ready = status.is_some_and(|s| s.ready);
    let state = status.and_then(|s| s.state.as_ref());
    let last = status.and_then(|s| s.last_state.as_ref()).and_then(|s| s.terminated.as_ref());
    let running = state.and_then(|s| s.running.as_ref());
    let terminated = state.and_then(|s| s.terminated.as_ref());
    let waiting = running.is_none() && terminated.is_none();
    let reason = state.and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.clone());
    let message = state.and_then(|s| s.waiting.as_ref()).and_then(|w| w.message.clone());
    // The pause counts from the end of the last run.
    let ended = last
        .and_then(|t| t.finished_at.as_ref())
        .map(|t| SimTime::from_nanos(unix_seconds(t) * 1_000_000_000));
    let back_off = observed
        .and_then(|o| o.back_off)
        .map(|b| BackOffState { ends: ended.map_or(b.ends, |e| b.ends.max(e + b.delay)), ..b })
        .filter(|_| waiting && reason.as_deref() == Some("CrashLoopBackOff"));
    let simulated =
        Runtime::simulated_as(image).map(|program| texts::SIMULATED_AS.with(lang, &[("program", program)]));
    let ran = terminated.or(last).map(|t| format!("{}s", run_seconds(t)));
    let run_text = running
        .and_then(|r| r.started_at.as_ref())
        .map(|t| age_of(now, t))
        .or(ran)
        .unwrap_or_else(|| "–".to_owned());
    let end_text = terminated.or(last).map_or_else(
        || "–".to_owned(),
        |t| format!("{} · exit {}", t.reason.as_deref().unwrap_or("Error"), t.exit_code),
    );
    let wait_text = reason.clone().unwrap_or_else(|| if waiting { "–".to_owned() } else { "0s".to_owned() });
    let cell = |name: &'static str, text: String, current: bool, class: &'static str| {
        html! {
            <div class={classes!("machine-state", current.then_some("current"), class)} aria-current={current.then_some("true")}>
                <b>{name}</b><span>{text}</span>
            </div>
        }
    };
    let arrow = || html! { <span class="machine-arrow" aria-hidden="true">{"→"}</span> };
    html! {
        <article class="container" key={container.name.clone()} aria-label={container.name.clone()}>
            <header>
                <b>{&container.name}</b>
                <code>{image}</code>
                if let Some(note) = note { <span class="badge">{note}</span> }
                <span class="gap" />
                if restarts > 0 { <span class="restarts" aria-label={texts::RESTARTS.with(lang, &[("count", &restarts.to_string())])}>{format!("↻ {restarts}")}</span> }
                else if status.is_some() && terminated.is_none() {
                    <span class={classes!("container-ready", (!ready).then_some("bad"))}>{if ready { texts::READY } else { texts::NOT_READY }.get(lang)}</span>
                }
            </header>
            <div class="machine">
                {cell("Waiting", wait_text, waiting, "wait")}
                {arrow()}
                {cell("Running", run_text, running.is_some(), "run")}
                {arrow()}
                {cell("Terminated", end_text, terminated.is_some(), if terminated.is_some_and(|t| t.exit_code == 0) { "done" } else { "end" })}
            </div>
            if restarts > 0 || back_off.is_some() {
                <svg class="machine-loop" viewBox="0 0 100 18" preserveAspectRatio="none" aria-hidden="true">
                    <path d="M88 0V8a4 4 0 0 1-4 4H18a4 4 0 0 1-4-4V2" fill="none" stroke="currentColor" vector-effect="non-scaling-stroke" />
                </svg>
            }
            if let Some(back_off) = back_off { {back_off_view(&back_off, restarts, now, lang)} }
            if let Some((at, used)) = used {
                <Usage {at} cpu={i64::try_from(used.nanocores.div_ceil(1_000_000)).unwrap_or(i64::MAX)}
                    memory={i64::try_from(used.bytes).unwrap_or(i64::MAX)}
                    cpu_limit={limit(container, "cpu", Quantity::milli_value)} memory_limit={limit(container, "memory", Quantity::value)} />
            }
            <dl class="pairs-list">
                <div><dt>{texts::STATE.get(lang)}</dt><dd>{state_text(state)}</dd></div>
                if let Some(message) = message { <div><dt>{""}</dt><dd class="soft">{message}</dd></div> }
                if let Some(last) = last { <div><dt>{texts::LAST_STATE.get(lang)}</dt><dd>{terminated_text(last)}</dd></div> }
                if let Some(command) = command(container) { <div><dt>{"command"}</dt><dd>{command}</dd></div> }
                if let Some(simulated) = simulated { <div><dt>{"image"}</dt><dd class="soft">{simulated}</dd></div> }
            </dl>
            {probes(container, observed, now, lang)}
            if !ready && running.is_some() && container.readiness_probe.is_some() { <p class="note">{texts::READINESS_NOTE.get(lang)}</p> }
        </article>
    }
}

/// A container's limit of a resource; 0 where it has none.
fn limit(container: &Container, resource: &str, value: fn(&Quantity) -> i64) -> i64 {
    container_limit(container, resource).map_or(0, |limit| value(&limit))
}

fn run_seconds(t: &ContainerStateTerminated) -> i64 {
    match (&t.started_at, &t.finished_at) {
        (Some(from), Some(to)) => unix_seconds(to) - unix_seconds(from),
        _ => 0,
    }
}

fn command(container: &Container) -> Option<String> {
    let words: Vec<&str> = container
        .command
        .iter()
        .flatten()
        .chain(container.args.iter().flatten())
        .map(String::as_str)
        .collect();
    let quoted =
        words.iter().map(|w| if w.contains([' ', '"']) { format!("{w:?}") } else { (*w).to_owned() });
    (!words.is_empty()).then(|| quoted.collect::<Vec<_>>().join(" "))
}

fn state_text(state: Option<&ContainerState>) -> String {
    let Some(state) = state else { return "–".to_owned() };
    if let Some(running) = &state.running {
        let at = running.started_at.as_ref().map(|t| format!(" · {}", time_of_day(unix_seconds(t))));
        return format!("Running{}", at.unwrap_or_default());
    }
    if let Some(terminated) = &state.terminated {
        return terminated_text(terminated);
    }
    let reason = state.waiting.as_ref().and_then(|w| w.reason.clone());
    reason.map_or_else(|| "Waiting".to_owned(), |r| format!("Waiting · {r}"))
}

fn terminated_text(t: &ContainerStateTerminated) -> String {
    let mut text = format!("Terminated · {} · exit {}", t.reason.as_deref().unwrap_or("Error"), t.exit_code);
    if let (Some(from), Some(to)) = (&t.started_at, &t.finished_at) {
        text.push_str(&format!(" · {} → {}", time_of_day(unix_seconds(from)), time_of_day(unix_seconds(to))));
    }
    text
}

fn time_of_day(unix: i64) -> String {
    clock(SimTime::from_nanos(unix.saturating_mul(1_000_000_000)))
}

fn back_off_view(state: &BackOffState, restarts: i32, now: SimTime, lang: Lang) -> Html {
    let delay = state.delay.as_secs().max(1);
    let rest = until(now, state.ends).max(0);
    // Circumference of the ring.
    let length = std::f64::consts::TAU * 20.0;
    #[allow(clippy::cast_precision_loss)]
    let share = (rest as f64 / delay as f64).clamp(0.0, 1.0);
    let (number, unit) =
        if rest >= 60 { (format!("{}:{:02}", rest / 60, rest % 60), "") } else { (rest.to_string(), "s") };
    html! {
        <div class="back-off">
            <div class="back-off-ring" aria-hidden="true">
                <svg viewBox="0 0 48 48">
                    <circle class="ring-track" cx="24" cy="24" r="20" />
                    <circle class="ring-left" cx="24" cy="24" r="20" transform="rotate(-90 24 24)" stroke-dasharray={format!("{:.2} {length:.2}", length * share)} />
                </svg>
                <span>{number}<small>{unit}</small></span>
            </div>
            <div class="back-off-text">
                <p><b>{texts::BACKOFF.with(lang, &[("delay", &podlab_api::duration::human_duration(i64::try_from(delay).unwrap_or(0).saturating_mul(1_000_000_000)))])}</b>{" "}
                    {texts::BACKOFF_LEFT.with(lang, &[("left", &left(rest, lang)), ("n", &(restarts + 1).to_string())])}</p>
                <ol class="ladder">
                    {for LADDER.iter().map(|step| {
                        let class = match (*step).cmp(&delay) {
                            std::cmp::Ordering::Less => "was",
                            std::cmp::Ordering::Equal => "is",
                            std::cmp::Ordering::Greater => "",
                        };
                        html! { <li key={*step} {class} aria-current={(class == "is").then_some("true")}>{format!("{step}s")}</li> }
                    })}
                </ol>
                <p class="note">{texts::BACKOFF_NOTE.get(lang)}</p>
            </div>
        </div>
    }
}
