//! What the learner has chosen to see: selection, tabs, language, theme. Nothing of it changes the cluster.

use super::faults::Broken;
use serde::{Deserialize, Serialize};

/// An object that is selected: kept by uid, so that a later one of the same name is told apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// `Pod`, `Node`, `Deployment`, …
    pub kind: String,
    /// Namespace; empty for nodes.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
}

/// What the dock shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dock {
    /// The selected object.
    #[default]
    Inspect,
    /// The selector lab.
    Selector,
}

/// A tab of the inspector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    /// Conditions, containers, probes, labels.
    #[default]
    Status,
    /// Events about the object.
    Events,
    /// A container's log.
    Logs,
    /// The object as `kubectl get -o yaml` prints it.
    Yaml,
    /// Why this node, or why none.
    Why,
}

/// A pane; on a phone one is shown at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pane {
    /// The editor.
    Editor,
    /// The cluster.
    #[default]
    Cluster,
    /// The dock.
    Inspect,
    /// The terminal.
    Terminal,
}

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// `en`, `ko`.
    pub fn code(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ko => "ko",
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// By what pods are put together on the stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StageView {
    /// By the node that they run on.
    #[default]
    Nodes,
    /// By the workload that keeps them alive.
    Workloads,
}

/// How pods are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Density {
    /// By the number of nodes and pods.
    #[default]
    Auto,
    /// A card a pod.
    Cards,
    /// A dot a pod.
    Dots,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ui {
    /// The selected object.
    pub selected: Option<Selected>,
    /// What the dock shows.
    pub dock: Dock,
    /// The inspector's tab.
    pub tab: Tab,
    /// The pane on a phone.
    pub pane: Pane,
    /// The pane that has the whole width, if one has.
    #[serde(skip)]
    pub wide: Option<Pane>,
    /// The namespace on the stage; `None` for all.
    pub namespace: Option<String>,
    /// The label selector, as typed.
    pub selector: String,
    /// Language.
    pub lang: Lang,
    /// Theme.
    pub theme: Theme,
    /// Larger type for a projector.
    pub presenter: bool,
    /// How pods are drawn.
    pub density: Density,
    /// By what they are put together.
    pub view: StageView,
    /// Whether single-key shortcuts act.
    pub shortcuts: bool,
    /// What a teacher broke last.
    pub broken: Option<Broken>,
    /// Sizes of the panes.
    pub sizes: Sizes,
    /// Whether the learner has begun: before, the page shows how to.
    #[serde(skip)]
    pub begun: bool,
}

/// Sizes of the panes in rem, where the learner has chosen them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sizes {
    /// Width of the editor.
    pub left: Option<f64>,
    /// Width of the dock.
    pub right: Option<f64>,
    /// Height of the terminal.
    pub bottom: Option<f64>,
}

/// A choice.
#[derive(Clone, Debug, PartialEq)]
pub enum UiAction {
    /// Selects an object, or none, and shows it in the dock.
    Select(Option<Selected>),
    /// Shows something else in the dock.
    Dock(Dock),
    /// Shows another tab.
    Tab(Tab),
    /// Shows another pane on a phone.
    Pane(Pane),
    /// Gives a pane the whole width, or all panes their places.
    Wide(Option<Pane>),
    /// Shows another namespace.
    Namespace(Option<String>),
    /// Types in the selector.
    Selector(String),
    /// Another language.
    Lang(Lang),
    /// Another theme.
    Theme(Theme),
    /// Larger type or not.
    Presenter(bool),
    /// Another density.
    Density(Density),
    /// Another way of looking at the cluster.
    View(StageView),
    /// Something was broken, or is not to be spoken of any more.
    Broken(Option<Broken>),
    /// Single-key shortcuts on or off.
    Shortcuts(bool),
    /// Other sizes of the panes.
    Sizes(Sizes),
    /// The first step is done.
    Begin,
}

impl Ui {
    /// How a learner's page begins.
    pub fn first(lang: Lang) -> Ui {
        Ui { lang, namespace: Some("default".to_owned()), shortcuts: true, ..Ui::default() }
    }

    /// The choices after an action.
    #[must_use]
    pub fn reduce(&self, action: UiAction) -> Ui {
        let mut ui = self.clone();
        match action {
            UiAction::Select(selected) => {
                if selected.is_some() {
                    // What is selected is to be seen.
                    ui.wide = ui.wide.filter(|pane| *pane == Pane::Inspect);
                    ui.dock = Dock::Inspect;
                    ui.pane = Pane::Inspect;
                }
                ui.selected = selected;
            }
            UiAction::Dock(dock) => ui.dock = dock,
            UiAction::Tab(tab) => ui.tab = tab,
            UiAction::Pane(pane) => {
                ui.wide = ui.wide.map(|_| pane);
                ui.pane = pane;
            }
            UiAction::Wide(wide) => ui.wide = wide,
            UiAction::Namespace(namespace) => ui.namespace = namespace,
            UiAction::Selector(selector) => ui.selector = selector,
            UiAction::Lang(lang) => ui.lang = lang,
            UiAction::Theme(theme) => ui.theme = theme,
            UiAction::Presenter(presenter) => ui.presenter = presenter,
            UiAction::Density(density) => ui.density = density,
            UiAction::View(view) => ui.view = view,
            UiAction::Broken(broken) => ui.broken = broken,
            UiAction::Shortcuts(shortcuts) => ui.shortcuts = shortcuts,
            UiAction::Sizes(sizes) => ui.sizes = sizes,
            UiAction::Begin => ui.begun = true,
        }
        ui
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selecting_a_pod_shows_it() {
        let ui = Ui { dock: Dock::Selector, ..Ui::first(Lang::Ko) };
        let pod =
            Selected { kind: "Pod".into(), namespace: "default".into(), name: "web".into(), uid: "1".into() };
        let after = ui.reduce(UiAction::Select(Some(pod.clone())));
        assert_eq!((after.dock, after.pane, after.selected), (Dock::Inspect, Pane::Inspect, Some(pod)));
        assert_eq!(ui.reduce(UiAction::Select(None)).dock, Dock::Selector);
    }

    #[test]
    fn a_wide_pane_gives_way_to_the_one_that_is_wanted() {
        let ui = Ui::first(Lang::En).reduce(UiAction::Wide(Some(Pane::Cluster)));
        assert_eq!(ui.reduce(UiAction::Pane(Pane::Terminal)).wide, Some(Pane::Terminal));
        let pod = Selected {
            kind: "Pod".into(),
            namespace: String::new(),
            name: String::new(),
            uid: String::new(),
        };
        assert_eq!(ui.reduce(UiAction::Select(Some(pod))).wide, None);
        assert_eq!(Ui::first(Lang::En).reduce(UiAction::Pane(Pane::Terminal)).wide, None);
    }
}
