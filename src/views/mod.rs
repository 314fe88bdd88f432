//! The panes of the page and what stands around them.

mod dialogs;
mod dock;
mod editor_pane;
mod faults;
mod first_run;
mod frame;
mod key_echo;
mod keys;
mod stage;
mod terminal_pane;
mod time_bar;
mod top_bar;

pub(crate) use dock::DockPane;
pub(crate) use editor_pane::EditorPane;
pub(crate) use frame::Frame;
pub(crate) use stage::Stage;
pub(crate) use terminal_pane::TerminalPane;
pub(crate) use time_bar::TimeBar;
pub(crate) use top_bar::TopBar;
