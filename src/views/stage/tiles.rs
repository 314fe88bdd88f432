//! Large clusters: a tile a node, the pods as glyphs on one canvas. Only tiles in sight are elements.

use super::Asked;
use super::model::{Column, Model, Same, Verdict, verdict};
use crate::components::{Icon, IconKind, PodState};
use crate::i18n::{stage as texts, use_lang};
use std::collections::HashMap;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement, Path2d};
use yew::prelude::*;

/// Sizes in rem.
const TILE: f64 = 6.75;
const GAP: f64 = 0.3125;
const HEAD: f64 = 1.9;
const GLYPH: f64 = 0.8125;
const INSET: f64 = 0.375;

/// Properties of [`Tiles`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct TilesProps {
    pub(crate) model: Same<Model>,
    pub(crate) asked: Same<Asked>,
    /// Called with the uid of the node to look at closely.
    pub(crate) on_zoom: Callback<String>,
}

/// Where tiles stand, in pixels.
#[derive(Clone, Copy, PartialEq)]
struct Grid {
    columns: usize,
    width: f64,
    height: f64,
    gap: f64,
    /// Glyphs in a row of a tile.
    per_row: usize,
    rem: f64,
}

impl Grid {
    fn of(model: &Model, width: f64, rem: f64) -> Grid {
        let gap = GAP * rem;
        let columns = (((width + gap) / (TILE * rem + gap)).floor() as usize).max(1);
        let tile = (width - gap * (columns - 1) as f64) / columns as f64;
        let per_row = (((tile - 2.0 * INSET * rem) / (GLYPH * rem)).floor() as usize).max(1);
        // All tiles are as high as the fullest needs, up to a bound.
        let most = model.columns.iter().map(|c| c.pods.len()).max().unwrap_or(0);
        let rows = most.div_ceil(per_row).clamp(1, 12);
        Grid { columns, width: tile, height: (HEAD + rows as f64 * GLYPH + INSET) * rem, gap, per_row, rem }
    }

    fn place(&self, index: usize) -> (f64, f64) {
        let (row, column) = (index / self.columns, index % self.columns);
        (column as f64 * (self.width + self.gap), row as f64 * (self.height + self.gap))
    }

    fn total(&self, count: usize) -> f64 {
        count.div_ceil(self.columns) as f64 * (self.height + self.gap)
    }
}

/// The tiles.
#[component]
pub(crate) fn Tiles(props: &TilesProps) -> Html {
    let lang = use_lang();
    let place = use_node_ref();
    let canvas = use_node_ref();
    // Scroll position and size of what is in sight: top, width, height.
    let sight = use_state(|| (0.0, 600.0, 600.0));
    let look = {
        let (place, sight) = (place.clone(), sight.clone());
        move || {
            if let Some(element) = place.cast::<HtmlElement>() {
                let now = (
                    f64::from(element.scroll_top()),
                    f64::from(element.client_width()),
                    f64::from(element.client_height()),
                );
                if now != *sight {
                    sight.set(now);
                }
            }
        }
    };
    {
        let look = look.clone();
        use_effect(look);
    }
    let model = &props.model;
    let grid = Grid::of(model, sight.1 - 2.0, crate::dom::rem());
    let (top, _, height) = *sight;
    let row = grid.height + grid.gap;
    let first = ((top / row).floor().max(0.0) as usize) * grid.columns;
    let last = (((top + height) / row).ceil().max(0.0) as usize + 1) * grid.columns;
    let visible = first.min(model.columns.len())..last.min(model.columns.len());
    {
        let (canvas, model, asked, visible) =
            (canvas.clone(), model.clone(), props.asked.clone(), visible.clone());
        let sight = *sight;
        use_effect_with((model, asked, visible, sight), move |(model, asked, visible, sight)| {
            if let Some(canvas) = canvas.cast::<HtmlCanvasElement>() {
                let _ = paint(&canvas, model, asked, visible.clone(), grid, *sight);
            }
        });
    }
    html! {
        <div class="tiles" ref={place} onscroll={move |_| look()} tabindex="-1">
            <div class="tiles-in" style={format!("height:{:.0}px", grid.total(model.columns.len()))}>
                {for visible.map(|index| {
                    let column = &model.columns[index];
                    let (x, y) = grid.place(index);
                    let style = format!("left:{x:.1}px;top:{y:.1}px;width:{:.1}px;height:{:.1}px", grid.width, grid.height);
                    let failing = column.pods.iter().filter(|p| p.state.is_failing()).count();
                    let (on_zoom, uid) = (props.on_zoom.clone(), column.node.uid.clone());
                    let label = texts::TILE.with(lang, &[("name", &column.node.name), ("count", &column.pods.len().to_string()), ("failing", &failing.to_string())]);
                    html! {
                        <button type="button" key={column.node.uid.clone()} class={classes!("tile", (failing > 0).then_some("failing"))} {style} aria-label={label}
                            onclick={move |_| on_zoom.emit(uid.clone())}>
                            <span class="tile-head"><span>{&column.node.name}</span>
                                if failing > 0 { <em><Icon kind={IconKind::Warning} />{failing}</em> }
                            </span>
                            <span class="tile-bar"><i style={format!("width:{:.1}%", used(column))} /></span>
                        </button>
                    }
                })}
            </div>
            <canvas ref={canvas} aria-hidden="true" style={format!("top:{top:.0}px")} />
        </div>
    }
}

/// How much of a node's CPU is requested, in per cent.
fn used(column: &Column) -> f64 {
    let cpu: i64 = column.pods.iter().chain(&column.others).map(|p| p.cpu).sum();
    (cpu as f64 * 100.0 / column.node.cpu.max(1) as f64).min(100.0)
}

thread_local! {
    /// The glyphs' shapes as the canvas wants them: stroked, filled.
    static SHAPES: HashMap<PodState, (Option<Path2d>, Option<Path2d>)> = PodState::ALL
        .iter()
        .map(|state| {
            let (stroked, filled, _) = state.paths();
            let path = |text: &str| (!text.is_empty()).then(|| Path2d::new_with_path_string(text).ok()).flatten();
            (*state, (path(stroked), path(filled)))
        })
        .collect();
}

/// Draws the glyphs of the tiles in sight.
fn paint(
    canvas: &HtmlCanvasElement,
    model: &Model,
    asked: &Asked,
    visible: std::ops::Range<usize>,
    grid: Grid,
    (top, width, height): (f64, f64, f64),
) -> Option<()> {
    let window = gloo::utils::window();
    let ratio = window.device_pixel_ratio().clamp(1.0, 3.0);
    let (wide, high) = ((width * ratio) as u32, (height * ratio) as u32);
    if canvas.width() != wide || canvas.height() != high {
        canvas.set_width(wide);
        canvas.set_height(high);
        let _ = canvas.style().set_property("width", &format!("{width:.0}px"));
        let _ = canvas.style().set_property("height", &format!("{height:.0}px"));
    }
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let dark = is_dark(canvas);
    let _ = context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
    context.clear_rect(0.0, 0.0, f64::from(wide), f64::from(high));
    context.set_line_width(1.6);
    let scale = (GLYPH - 0.125) * grid.rem / 16.0 * ratio;
    let selector = asked.selector.as_ref();
    SHAPES.with(|shapes| {
        for index in visible {
            let Some(column) = model.columns.get(index) else { continue };
            let (x, y) = grid.place(index);
            for (n, pod) in column.pods.iter().enumerate() {
                let (row, place) = (n / grid.per_row, n % grid.per_row);
                if row >= 12 {
                    break;
                }
                let left = x + (INSET + place as f64 * GLYPH) * grid.rem;
                let up = y - top + (HEAD + row as f64 * GLYPH) * grid.rem;
                let _ = context.set_transform(scale, 0.0, 0.0, scale, left * ratio, up * ratio);
                let dim = matches!(verdict(selector, pod), Verdict::Miss(_));
                context.set_global_alpha(if dim { 0.3 } else { 1.0 });
                let colour = colour(pod.state, dark);
                if let Some((stroked, filled)) = shapes.get(&pod.state) {
                    if let Some(path) = filled {
                        context.set_fill_style_str(colour);
                        context.fill_with_path_2d(path);
                    }
                    if let Some(path) = stroked {
                        context.set_stroke_style_str(colour);
                        context.stroke_with_path(path);
                    }
                }
            }
        }
    });
    Some(())
}

/// Whether the page is dark: chosen, or as the system says.
fn is_dark(canvas: &HtmlCanvasElement) -> bool {
    let theme = canvas
        .owner_document()
        .and_then(|d| d.document_element())
        .and_then(|r| r.get_attribute("data-theme"));
    match theme.as_deref() {
        Some("dark") => true,
        Some(_) => false,
        None => crate::dom::media("(prefers-color-scheme: dark)"),
    }
}

/// The colours of tokens.css, which a canvas cannot ask for as `light-dark()`.
fn colour(state: PodState, dark: bool) -> &'static str {
    let (light, night) = match state {
        PodState::Running | PodState::NotReady => ("#00583f", "#3fd9a4"),
        PodState::Pending => ("#5a4300", "#f0cb4c"),
        PodState::Waiting => ("#0a63b4", "#8ccbff"),
        PodState::Crash | PodState::Image => ("#bb3d00", "#ff7d52"),
        PodState::Failed => ("#951c33", "#ff7f90"),
        PodState::Completed => ("#5f656d", "#9298a0"),
        PodState::Terminating => ("#70308c", "#c683dd"),
        PodState::Unknown => ("#5d6268", "#969ca4"),
    };
    if dark { night } else { light }
}
