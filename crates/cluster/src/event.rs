//! Everything that can be planned for later.

use crate::controllers::ControllerEvent;
use crate::kubelet::KubeletEvent;
use crate::runtime::RuntimeEvent;
use crate::scheduler::SchedulerEvent;

/// An entry of the agenda. A closed set, so that what happens next can be listed and explained.
#[derive(Clone, Debug)]
pub enum Event {
    /// For the scheduler.
    Scheduler(SchedulerEvent),
    /// For a node's kubelet.
    Kubelet(KubeletEvent),
    /// For a node's container runtime.
    Runtime(RuntimeEvent),
    /// For a controller.
    Controller(ControllerEvent),
}
