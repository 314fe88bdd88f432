//! Line icons, one path each on a 16 by 16 grid, in the colour of the text around them.

use yew::prelude::*;

/// Which icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IconKind {
    Branch,
    Cards,
    Check,
    Chevron,
    Clipboard,
    Clock,
    Close,
    Cluster,
    Copy,
    Dots,
    File,
    Info,
    Inspect,
    Keyboard,
    Minus,
    More,
    Narrow,
    Pause,
    Play,
    Plus,
    Presenter,
    Probe,
    Redo,
    Restart,
    Search,
    Server,
    StepBack,
    StepNext,
    Tag,
    Taint,
    Terminal,
    Theme,
    Trash,
    Undo,
    Warning,
    Wide,
}

impl IconKind {
    /// Stroked path, filled path.
    fn paths(self) -> (&'static str, &'static str) {
        match self {
            IconKind::Branch => (
                "M5 3v10M5 10c0-3 6-2 6-5.5",
                "M3.5 3a1.5 1.5 0 1 1 3 0 1.5 1.5 0 0 1-3 0zM9.5 4a1.5 1.5 0 1 1 3 0 1.5 1.5 0 0 1-3 0zM3.5 13a1.5 1.5 0 1 1 3 0 1.5 1.5 0 0 1-3 0z",
            ),
            IconKind::Cards => ("M2.5 3h11v4h-11zM2.5 9.5h11v4h-11z", ""),
            IconKind::Check => ("m3 8.5 3.3 3.3L13 4.8", ""),
            IconKind::Chevron => ("m4.5 6.3 3.5 3.5 3.5-3.5", ""),
            IconKind::Clipboard => ("M5.5 3H3.5v11h9V3h-2M5.5 2h5v2.5h-5z", ""),
            IconKind::Clock => ("M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM8 4.8V8l2.2 1.6", ""),
            IconKind::Close => ("m4 4 8 8M12 4l-8 8", ""),
            IconKind::Cluster => ("M2.5 2.5h3v11h-3zM6.7 2.5h3v11h-3zM10.9 2.5h3v11h-3z", ""),
            IconKind::Copy => ("M6 6h7.5v7.5H6zM3.5 10H2.5V2.5H10v1", ""),
            IconKind::Dots => (
                "",
                "M2 2h2.6v2.6H2zM6.7 2h2.6v2.6H6.7zM11.4 2H14v2.6h-2.6zM2 6.7h2.6v2.6H2zM6.7 6.7h2.6v2.6H6.7zM11.4 6.7H14v2.6h-2.6zM2 11.4h2.6V14H2zM6.7 11.4h2.6V14H6.7zM11.4 11.4H14V14h-2.6z",
            ),
            IconKind::File => ("M4 2h5.5L12 4.5V14H4zM6 7.5h4M6 10.5h4", ""),
            IconKind::Info => ("M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM8 7.3v3.6M8 4.9v.3", ""),
            IconKind::Inspect => ("M2.5 4h11M5 8h8.5M5 12h5.5M2.5 8v4.2", ""),
            IconKind::Keyboard => ("M1.5 4h13v8h-13zM4 6.5h.3M6.6 6.5h.3M9.2 6.5h.3M11.8 6.5h.3M5 9.6h6", ""),
            IconKind::Minus => ("M3.5 8h9", ""),
            IconKind::More => (
                "",
                "M3 6.9a1.2 1.2 0 1 0 0 2.4 1.2 1.2 0 0 0 0-2.4zM8 6.9a1.2 1.2 0 1 0 0 2.4 1.2 1.2 0 0 0 0-2.4zM13 6.9a1.2 1.2 0 1 0 0 2.4 1.2 1.2 0 0 0 0-2.4z",
            ),
            IconKind::Narrow => ("M13.5 2.5 9.5 6.5M9.5 3v3.5H13M2.5 13.5l4-4M6.5 13V9.5H3", ""),
            IconKind::Pause => ("", "M4 3h2.8v10H4zM9.2 3H12v10H9.2z"),
            IconKind::Play => ("", "M4.5 2.8 13 8l-8.5 5.2z"),
            IconKind::Plus => ("M8 3v10M3 8h10", ""),
            IconKind::Presenter => ("M2 3h12v8H2zM8 11v3M5 14h6", ""),
            IconKind::Probe => (
                "M4.2 11.8a5.4 5.4 0 0 1 0-7.6M11.8 4.2a5.4 5.4 0 0 1 0 7.6",
                "M6.2 8a1.8 1.8 0 1 1 3.6 0 1.8 1.8 0 0 1-3.6 0z",
            ),
            IconKind::Redo => ("M12.5 3v3.5H9M12.3 6.3A5.2 5.2 0 1 0 13 10", ""),
            IconKind::Restart => ("M12.8 8.5A4.9 4.9 0 1 1 11 4.3M11.3 1.6v3h-3", ""),
            IconKind::Search => ("M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10.3 10.3 14 14", ""),
            IconKind::Server => ("M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.3M5 11h.3", ""),
            IconKind::StepBack => ("M3.5 3v10", "M13 3v10L5.5 8z"),
            IconKind::StepNext => ("M12.5 3v10", "M3 3v10l7.5-5z"),
            IconKind::Tag => ("M2.5 2.5h5l6 6-5 5-6-6zM5.3 5.3v.1", ""),
            IconKind::Taint => ("M13.5 8A5.5 5.5 0 1 1 2.5 8a5.5 5.5 0 0 1 11 0zM4.2 11.8l7.6-7.6", ""),
            IconKind::Terminal => ("m2.5 4 4 4-4 4M8.5 12.5h5", ""),
            IconKind::Theme => ("M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z", "M8 2a6 6 0 0 1 0 12z"),
            IconKind::Trash => ("M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9", ""),
            IconKind::Undo => ("M3.5 3v3.5H7M3.7 6.3A5.2 5.2 0 1 1 3 10", ""),
            IconKind::Wide => ("M9.5 6.5 13.5 2.5M10 2.5h3.5V6M6.5 9.5l-4 4M6 13.5H2.5V10", ""),
            IconKind::Warning => ("M8 2.2 14.3 13.5H1.7zM8 6.5v3.2M8 11.4v.3", ""),
        }
    }
}

/// Properties of [`Icon`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct IconProps {
    /// Which.
    pub(crate) kind: IconKind,
    /// Further classes.
    #[prop_or_default]
    pub(crate) class: Classes,
}

/// An icon; it says nothing to a screen reader, the control around it does.
#[component]
pub(crate) fn Icon(props: &IconProps) -> Html {
    let (stroked, filled) = props.kind.paths();
    html! {
        <svg class={classes!("icon", props.class.clone())} viewBox="0 0 16 16" aria-hidden="true">
            if !stroked.is_empty() {
                <path d={stroked} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" />
            }
            if !filled.is_empty() { <path d={filled} fill="currentColor" /> }
        </svg>
    }
}
