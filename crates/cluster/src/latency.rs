//! Every modelled delay, with the recording it was read from.
//!
//! Values are what the recordings in `truth/cluster/kubelet.jsonl` show on an idle machine.

use std::time::Duration;

/// From a pod's appearance to the scheduler's decision.
pub const SCHEDULE: Duration = Duration::from_millis(4);
/// From one scheduling attempt to the next in a filled queue.
pub const SCHEDULE_NEXT: Duration = Duration::from_micros(500);
/// From a change in the API to the kubelet's or a controller's reaction.
pub const WATCH: Duration = Duration::from_millis(6);
/// A pod sandbox is made (README: about 20 ms).
pub const SANDBOX: Duration = Duration::from_millis(20);
/// A container is started (README: about 10 ms).
pub const START: Duration = Duration::from_millis(10);
/// The PLEG lists containers once a second.
///
/// Source: pkg/kubelet/kubelet.go `genericPlegRelistPeriod` (v1.37).
pub const PLEG_RELIST: Duration = Duration::from_secs(1);
