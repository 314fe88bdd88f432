//! What `cargo xtask bench` and the browser tests call in the built page.

use crate::session;
use crate::state::Lab;
use podlab_api::door::PatchType;
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings, workload};
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static CHANGES: Cell<u32> = const { Cell::new(0) };
}

/// Runs one measurement and gives its figures as JSON, or prepares the page for one that Chromium takes:
/// `stage_setup` shows 1,000 pods, `stage_change` changes one of them, `selector_setup` shows 10,000 pods.
#[wasm_bindgen]
pub fn bench(name: &str) -> String {
    match name {
        "stage_setup" => show(running(100, 1000), true),
        "stage_change" => change(),
        "selector_setup" => show(placed(200, 10_000), false),
        workload => {
            let Some(figures) = workload::run(workload, &mut session::now_ms) else {
                return json!({"error": format!("no workload is called {workload}")}).to_string();
            };
            let memory = js_sys::WebAssembly::Memory::from(wasm_bindgen::memory());
            let bytes = js_sys::Reflect::get(&memory.buffer(), &"byteLength".into());
            let peak = bytes.ok().and_then(|b| b.as_f64()).unwrap_or(0.0) / f64::from(1 << 20);
            json!({"cpu_ms": figures.cpu_ms, "longest_slice_ms": figures.longest_slice_ms, "peak_mb": peak,
                "virtual_seconds": figures.virtual_seconds, "pods": figures.pods, "each_us": figures.each_us()})
            .to_string()
        }
    }
}

/// The history of a script's lab, for comparing it with the native one: see [`crate::state::history::history`]. The
/// cluster is interrupted after every few events, as frames do.
#[wasm_bindgen]
pub fn history(script: &str) -> String {
    crate::state::history::history(script, 7).unwrap_or_else(|error| error)
}

fn show(cluster: Cluster, playing: bool) -> String {
    let shown = session::with_current(|lab| {
        *lab = Lab::with_cluster("bench", cluster);
        lab.set_playing(playing);
    });
    json!({"shown": shown.is_some()}).to_string()
}

fn pod(index: usize, node: Option<String>) -> Value {
    let app = ["web", "db", "cache"][index % 3];
    let tier = ["front", "back"][index % 2];
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("pod-{index}"), "labels": {"app": app, "tier": tier, "n": index.to_string()}},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "nginx:1.27"}]}})
}

/// Pods that run.
fn running(nodes: usize, pods: usize) -> Cluster {
    let mut cluster = Cluster::forgetful(Settings::workers(nodes, Profile::Bare));
    for index in 0..pods {
        cluster.request(Request::create(&kinds::POD, "default", pod(index, None)));
    }
    let until = cluster.sim_now() + Duration::from_secs(30);
    cluster.run_until(until, || true);
    cluster
}

/// Pods that have a node and nothing that runs them.
fn placed(nodes: usize, pods: usize) -> Cluster {
    let mut cluster = Cluster::forgetful(Settings::workers(nodes, Profile::Api));
    for index in 0..pods {
        let node = format!("node-{}", index % nodes + 1);
        cluster.request(Request::create(&kinds::POD, "default", pod(index, Some(node))));
    }
    cluster
}

/// Changes a label of the next pod.
fn change() -> String {
    let count = CHANGES.get();
    CHANGES.set(count.wrapping_add(1));
    let patch = json!({"metadata": {"labels": {"n": format!("change-{count}")}}});
    let request = Request::patch(
        &kinds::POD,
        "default",
        &format!("pod-{}", (count * 37) % 1000),
        PatchType::Merge,
        patch,
    );
    session::with_current(|lab| lab.shown_mut().request(request).code);
    String::new()
}
