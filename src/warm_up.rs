//! Before the learner's first pod: one pod is run through a cluster that is thrown away.
//!
//! Browsers compile each function of a wasm file when it is first called, so the first pod would cost several frames.
//! `second.js` calls this while nothing else is to do.

use crate::session;
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use podlab_sim::SimTime;
use serde_json::json;
use std::cell::RefCell;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;

/// What one call may take, in milliseconds; what has not been compiled yet comes on top.
const TURN_MS: f64 = 1.0;
/// How long the pod runs, in virtual time: long enough for its probes.
const RUNS: Duration = Duration::from_secs(20);

/// How far the cluster is.
enum WarmUp {
    Begun,
    Made(Box<Cluster>),
    Running(Box<Cluster>, SimTime),
    Ending(Box<Cluster>, SimTime),
    Done,
}

thread_local! {
    static WARM_UP: RefCell<WarmUp> = const { RefCell::new(WarmUp::Begun) };
}

/// Does a little of it; true while more is to do.
#[wasm_bindgen]
pub fn warm_up() -> bool {
    WARM_UP.with_borrow_mut(|stage| {
        *stage = std::mem::replace(stage, WarmUp::Done).next();
        !matches!(stage, WarmUp::Done)
    })
}

impl WarmUp {
    fn next(self) -> WarmUp {
        match self {
            WarmUp::Begun => WarmUp::Made(Box::new(Cluster::forgetful(Settings::workers(1, Profile::Bare)))),
            WarmUp::Made(mut cluster) => {
                let probe = json!({"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5});
                let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "first", "labels": {"app": "a"}},
                    "spec": {"containers": [{"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": "100m"}},
                        "livenessProbe": probe, "readinessProbe": probe}]}});
                cluster.request(Request::create(&kinds::POD, "default", pod));
                let until = cluster.sim_now() + RUNS;
                WarmUp::Running(cluster, until)
            }
            WarmUp::Running(mut cluster, until) => {
                if !turn(&mut cluster, until) {
                    return WarmUp::Running(cluster, until);
                }
                cluster.request(Request::delete(&kinds::POD, "default", "first"));
                WarmUp::Ending(cluster, until + RUNS)
            }
            WarmUp::Ending(mut cluster, until) => {
                if turn(&mut cluster, until) {
                    WarmUp::Done
                } else {
                    WarmUp::Ending(cluster, until)
                }
            }
            WarmUp::Done => WarmUp::Done,
        }
    }
}

/// Goes on towards an instant; true once it is reached.
fn turn(cluster: &mut Cluster, until: SimTime) -> bool {
    let begun = session::now_ms();
    cluster.run_until(until, || session::now_ms() - begun < TURN_MS)
}
