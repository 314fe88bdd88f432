//! The state of a pod as colour, glyph and word. Glyphs differ in outline, so the page reads in greyscale.

use yew::prelude::*;

/// What a pod's STATUS column amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PodState {
    /// Running, all containers ready.
    Running,
    /// Running, not all ready.
    NotReady,
    /// Not on a node yet.
    Pending,
    /// On its way: ContainerCreating, PodInitializing, Init:n/m.
    Waiting,
    /// CrashLoopBackOff.
    Crash,
    /// An image or configuration that cannot be had, a failed init container.
    Image,
    /// Error, Failed, OOMKilled, Evicted.
    Failed,
    /// Completed.
    Completed,
    /// Terminating.
    Terminating,
    /// Anything else.
    #[default]
    Unknown,
}

impl PodState {
    /// All, in the order in which they are counted.
    pub(crate) const ALL: [PodState; 10] = [
        PodState::Running,
        PodState::NotReady,
        PodState::Pending,
        PodState::Waiting,
        PodState::Crash,
        PodState::Image,
        PodState::Failed,
        PodState::Completed,
        PodState::Terminating,
        PodState::Unknown,
    ];

    /// From kubectl's STATUS and READY columns; `scheduled`: the pod is on a node.
    pub(crate) fn of(status: &str, ready: usize, total: usize, scheduled: bool) -> PodState {
        let word = status.strip_prefix("Init:").unwrap_or(status);
        match word {
            "Running" if ready >= total => PodState::Running,
            "Running" | "NotReady" => PodState::NotReady,
            "Pending" if !scheduled => PodState::Pending,
            "SchedulingGated" => PodState::Pending,
            "Pending" | "ContainerCreating" | "PodInitializing" => PodState::Waiting,
            "CrashLoopBackOff" => PodState::Crash,
            "ImagePullBackOff"
            | "ErrImagePull"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError" => PodState::Image,
            "Completed" | "Succeeded" if word == status => PodState::Completed,
            "Terminating" => PodState::Terminating,
            "Unknown" | "NodeLost" => PodState::Unknown,
            "Error" if word != status => PodState::Image,
            // Init:1/2
            _ if word != status && word.contains('/') => PodState::Waiting,
            _ => PodState::Failed,
        }
    }

    /// The CSS class that sets `--c` and `--cb` to the state's colours.
    pub(crate) fn class(self) -> &'static str {
        match self {
            PodState::Running => "s-run",
            PodState::NotReady => "s-half",
            PodState::Pending => "s-pend",
            PodState::Waiting => "s-wait",
            PodState::Crash => "s-crash",
            PodState::Image => "s-image",
            PodState::Failed => "s-fail",
            PodState::Completed => "s-done",
            PodState::Terminating => "s-term",
            PodState::Unknown => "s-unknown",
        }
    }

    /// Whether somebody should look at it.
    pub(crate) fn is_failing(self) -> bool {
        matches!(self, PodState::Crash | PodState::Image | PodState::Failed | PodState::Unknown)
    }

    /// Shape: stroked path, filled path, dashes of the stroke. The canvas of large clusters draws the same.
    pub(crate) fn paths(self) -> (&'static str, &'static str, &'static str) {
        const RING: &str = "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z";
        match self {
            PodState::Running => ("", "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z", ""),
            PodState::NotReady => (RING, "M8 2a6 6 0 0 0 0 12z", ""),
            PodState::Pending => (RING, "", "2.3 2.41"),
            PodState::Waiting => {
                ("M8 2a6 6 0 1 1-6 6", "M6.2 8a1.8 1.8 0 1 1 3.6 0 1.8 1.8 0 0 1-3.6 0z", "")
            }
            PodState::Crash => ("M13 11.3A6 6 0 1 1 11.5 3.2M12.6 1.2v3.1H9.4", "", ""),
            PodState::Image => ("M8 1.8 14.6 13.8H1.4zM8 6v4.6M6.2 9 8 10.8 9.8 9", "", ""),
            PodState::Failed => (
                "",
                "M2 2h12v12H2zM5.9 4.7 4.7 5.9 6.8 8l-2.1 2.1 1.2 1.2L8 9.2l2.1 2.1 1.2-1.2L9.2 8l2.1-2.1-1.2-1.2L8 6.8z",
                "",
            ),
            PodState::Completed => ("M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM5.2 8.3l2 2 3.7-4", "", ""),
            PodState::Terminating => ("M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM5 8h6", "", ""),
            PodState::Unknown => (
                "M8 1.5 14.5 8 8 14.5 1.5 8zM6.4 6.6C6.4 4.6 9.7 4.7 9.7 6.6 9.7 7.8 8 7.7 8 9.2M8 11v.2",
                "",
                "",
            ),
        }
    }
}

/// Properties of [`Glyph`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct GlyphProps {
    /// Which state.
    pub(crate) state: PodState,
    /// How much of a back-off is left, 1 to 0: the ring empties by it.
    #[prop_or_default]
    pub(crate) left: Option<f64>,
}

/// The glyph of a pod's state in the state's colour; the word beside it is what a screen reader reads.
#[component]
pub(crate) fn Glyph(props: &GlyphProps) -> Html {
    if let (PodState::Crash, Some(left)) = (props.state, props.left) {
        // Circumference of the ring.
        let length = std::f64::consts::TAU * 6.0;
        let rest = format!("{:.2} {length:.2}", length * left.clamp(0.0, 1.0));
        return html! {
            <svg class="glyph ring" viewBox="0 0 16 16" aria-hidden="true">
                <circle class="ring-track" cx="8" cy="8" r="6" />
                <circle class="ring-left" cx="8" cy="8" r="6" stroke-dasharray={rest} transform="rotate(-90 8 8)" />
            </svg>
        };
    }
    let (stroked, filled, dashes) = props.state.paths();
    html! {
        <svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">
            if !filled.is_empty() { <path d={filled} fill="currentColor" fill-rule="evenodd" /> }
            if !stroked.is_empty() {
                <path d={stroked} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" stroke-dasharray={(!dashes.is_empty()).then_some(dashes)} />
            }
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_word_has_its_state() {
        // (STATUS, ready, total, on a node, state)
        let table = [
            ("Running", 1, 1, true, PodState::Running),
            ("Running", 1, 2, true, PodState::NotReady),
            ("Pending", 0, 1, false, PodState::Pending),
            ("Pending", 0, 1, true, PodState::Waiting),
            ("Init:0/2", 0, 1, true, PodState::Waiting),
            ("Init:CrashLoopBackOff", 0, 1, true, PodState::Crash),
            ("Init:Error", 0, 1, true, PodState::Image),
            ("ErrImagePull", 0, 1, true, PodState::Image),
            ("Error", 0, 1, true, PodState::Failed),
            ("OOMKilled", 0, 1, true, PodState::Failed),
            ("Completed", 0, 1, true, PodState::Completed),
            ("Terminating", 1, 1, true, PodState::Terminating),
        ];
        for (status, ready, total, scheduled, state) in table {
            assert_eq!(PodState::of(status, ready, total, scheduled), state, "{status}");
        }
    }
}
