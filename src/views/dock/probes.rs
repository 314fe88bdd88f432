//! Probes: the last results, the settings, when the next one fires.

use super::shared::{left, until};
use crate::i18n::dock as texts;
use crate::state::Lang;
use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use podlab_cluster::kubelet::observation::{ContainerObservation, ProbeObservation};
use podlab_sim::SimTime;
use yew::prelude::*;

/// All probes of a container.
pub(super) fn probes(
    container: &Container,
    observed: Option<&ContainerObservation>,
    now: SimTime,
    lang: Lang,
) -> Html {
    let list = [
        ("startup", &container.startup_probe),
        ("readiness", &container.readiness_probe),
        ("liveness", &container.liveness_probe),
    ];
    html! {
        {for list.into_iter().filter_map(|(kind, probe)| {
            let probe = probe.as_ref()?;
            let seen = observed.and_then(|o| o.probes.iter().find(|p| p.kind.name() == kind));
            Some(one(kind, probe, seen, now, lang))
        })}
    }
}

fn port(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

/// What a probe does, in short.
fn what(probe: &Probe) -> String {
    if let Some(get) = &probe.http_get {
        return format!("GET :{}{}", port(&get.port), get.path.as_deref().unwrap_or("/"));
    }
    if let Some(command) = probe.exec.as_ref().and_then(|e| e.command.as_ref()) {
        return command.join(" ");
    }
    if let Some(socket) = &probe.tcp_socket {
        return format!("tcp :{}", port(&socket.port));
    }
    probe.grpc.as_ref().map(|g| format!("grpc :{}", g.port)).unwrap_or_default()
}

fn one(kind: &'static str, probe: &Probe, seen: Option<&ProbeObservation>, now: SimTime, lang: Lang) -> Html {
    let history = seen.map(|s| s.history.as_slice()).unwrap_or_default();
    let last = history.last();
    let passed = history.iter().filter(|r| r.passed).count();
    let summary = texts::PROBE_RESULTS.with(
        lang,
        &[
            ("count", &history.len().to_string()),
            ("passed", &passed.to_string()),
            ("failed", &(history.len() - passed).to_string()),
        ],
    );
    let number = |value: Option<i32>, default: i32| value.unwrap_or(default).to_string();
    let settings = texts::PROBE_SETTINGS.with(
        lang,
        &[
            ("period", &number(probe.period_seconds, 10)),
            ("failure", &number(probe.failure_threshold, 3)),
            ("success", &number(probe.success_threshold, 1)),
            ("timeout", &number(probe.timeout_seconds, 1)),
        ],
    );
    let next =
        seen.and_then(|s| s.next).map(|at| texts::NEXT.with(lang, &[("time", &left(until(now, at), lang))]));
    html! {
        <div class="probe" key={kind}>
            <p class="probe-head">
                <b>{kind}</b><code>{what(probe)}</code><span class="gap" />
                if let Some(last) = last {
                    <span class={if last.passed { "probe-ok" } else { "probe-bad" }}>{if last.passed { texts::PASSING } else { texts::FAILING }.get(lang)}</span>
                }
            </p>
            <p class="probe-results">
                <span class="probe-dots" role="img" aria-label={summary}>
                    {for history.iter().enumerate().map(|(i, r)| html! { <i key={i} class={if r.passed { "pass" } else { "fail" }}>{if r.passed { "" } else { "×" }}</i> })}
                </span>
                <span class="gap" />
                <span class="probe-next">{next}</span>
            </p>
            if let Some(last) = last.filter(|l| !l.passed && !l.text.is_empty()) { <p class="note mono">{last.text.to_string()}</p> }
            <p class="probe-settings">{settings}</p>
        </div>
    }
}
