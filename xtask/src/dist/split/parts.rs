//! Cutting one wasm file in two that share memory, tables and globals.
//!
//! The first part keeps the functions of a list. Each other function that it mentions becomes a short one that makes
//! sure the second part is there and calls it through a place of the function table. The second part imports from the
//! first whatever it needs, and fills those places when it is made.

use anyhow::{Context, Result, bail};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemorySection,
    RawSection, SectionId, StartSection, TableSection, ValType,
};

use wasmparser::ElementKind;

use super::memory;
use super::module::Module;
use super::remap::Remap;

/// What the second part calls the first.
const FIRST: &str = "0";
/// The exported global that is 1 once the second part is there.
const LOADED: &str = "podlab_second_loaded";
/// The page's own function that brings the second part, called when it is needed before it has come.
const LOAD: &str = "load_second_part";

/// Bytes of a function that is not worth sending later.
const SMALL: u64 = 20;

/// The two files.
pub(super) struct Parts {
    /// What the page begins with.
    pub(super) first: Vec<u8>,
    /// What follows.
    pub(super) second: Vec<u8>,
    /// Functions in the first, in the second, and how many of the second the first mentions.
    pub(super) counts: [usize; 3],
}

/// Cuts `bytes` so that the first part has the functions that `keep` wants.
///
/// # Errors
/// If the file is not of the kind that the page's compiler writes.
pub(super) fn cut(bytes: &[u8], keep: impl Fn(u32) -> bool, constants: &[Range<u64>]) -> Result<Parts> {
    let module = Module::parse(bytes)?;
    let plan = Plan::new(&module, keep, constants)?;
    let first = plan.first()?;
    let second = plan.second()?;
    let counts = [plan.first.len(), plan.second.len(), plan.places.len()];
    Ok(Parts { first, second, counts })
}

struct Plan<'m, 'a> {
    module: &'m Module<'a>,
    /// Own functions of the first part, in order.
    first: BTreeSet<u32>,
    /// Functions of the second part, in order.
    second: BTreeSet<u32>,
    /// The table that indirect calls use.
    table: u32,
    /// Each function of the second part that the first mentions, and its place in the table.
    places: BTreeMap<u32, u32>,
    /// Places of functions of the second part that the file itself fills.
    filled: Vec<(u32, u32)>,
    /// Functions, imported ones too, of the first part that the second calls.
    needed: BTreeSet<u32>,
    /// The size of the table in the first part.
    table_size: u32,
    /// The function that brings the second part.
    load: u32,
    /// Constants that only the second part reads: where in memory, in order.
    moved: Vec<Range<u64>>,
}

impl<'m, 'a> Plan<'m, 'a> {
    fn new(
        module: &'m Module<'a>,
        keep: impl Fn(u32) -> bool,
        constants: &[Range<u64>],
    ) -> Result<Plan<'m, 'a>> {
        let load = exported(module, LOAD)?;
        let mut first: BTreeSet<u32> = module.own().filter(|function| keep(*function)).collect();
        keep_reachable(module, load, &mut first)?;
        if let Some(start) = module.start {
            first.insert(start);
        }
        keep_small(module, &mut first)?;
        let second: BTreeSet<u32> = module.own().filter(|function| !first.contains(function)).collect();
        let table = module
            .tables
            .iter()
            .position(|table| table.ty.element_type.is_func_ref())
            .context("the wasm file has no table of functions")?;
        let begun = u32::try_from(module.tables.get(table).context("no table")?.ty.initial)?;
        let table = u32::try_from(table)?;

        let mut mentioned = BTreeSet::new();
        for function in &first {
            mentioned.extend(module.calls(*function)?.into_iter().filter(|called| second.contains(called)));
        }
        mentioned.extend(
            module
                .exports
                .iter()
                .filter(|export| is_function(export))
                .map(|export| export.index)
                .filter(|f| second.contains(f)),
        );
        let mut filled = Vec::new();
        let mut places = BTreeMap::new();
        for (at, slot, function) in module.slots()? {
            if second.contains(&function) {
                if at != table {
                    bail!("functions are in two tables");
                }
                filled.push((slot, function));
                places.entry(function).or_insert(slot);
            }
        }
        let mut table_size = begun;
        for function in mentioned {
            places.entry(function).or_insert_with(|| {
                table_size += 1;
                table_size - 1
            });
        }
        let mut needed = BTreeSet::new();
        for function in &second {
            needed.extend(module.calls(*function)?.into_iter().filter(|called| !second.contains(called)));
        }
        let moved = memory::only_for_others(module, &first, constants)?;
        Ok(Plan { module, first, second, table, places, filled, needed, table_size, load, moved })
    }

    /// The first part's functions' indices: imports, own ones, short ones for the second's, the one that checks.
    fn first_indices(&self) -> Remap {
        let mut indices = vec![None; self.module.functions.len()];
        let imported = 0..self.module.imported;
        let all = imported.chain(self.first.iter().copied()).chain(self.places.keys().copied());
        for (new, old) in all.enumerate() {
            set(&mut indices, old, new);
        }
        Remap(indices)
    }

    fn second_indices(&self) -> Remap {
        let mut indices = vec![None; self.module.functions.len()];
        for (new, old) in self.needed.iter().chain(&self.second).copied().enumerate() {
            set(&mut indices, old, new);
        }
        Remap(indices)
    }

    fn first(&self) -> Result<Vec<u8>> {
        let module = self.module;
        let mut map = self.first_indices();
        let mut out = wasm_encoder::Module::new();
        out.section(&RawSection { id: SectionId::Type as u8, data: module.types });

        let mut imports = ImportSection::new();
        for import in &module.imports {
            imports.import(import.module, import.name, map.entity_type(import.ty)?);
        }
        out.section(&imports);

        let mut functions = FunctionSection::new();
        for function in self.first.iter().chain(self.places.keys()) {
            functions.function(kind(module, *function)?);
        }
        // Like the function that loads the second part, this one takes and gives nothing.
        functions.function(kind(module, self.load)?);
        let check = module.imported + u32::try_from(self.first.len() + self.places.len())?;
        out.section(&functions);

        let mut tables = TableSection::new();
        for (at, table) in module.tables.iter().enumerate() {
            let mut kind = map.table_type(table.ty)?;
            if u32::try_from(at)? == self.table {
                kind.minimum = u64::from(self.table_size);
                kind.maximum = kind.maximum.map(|most| most.max(kind.minimum));
            }
            if !matches!(table.init, wasmparser::TableInit::RefNull) {
                bail!("a table begins with something");
            }
            tables.table(kind);
        }
        out.section(&tables);

        let mut memories = MemorySection::new();
        for memory in &module.memories {
            memories.memory(map.memory_type(*memory)?);
        }
        out.section(&memories);

        let mut globals = GlobalSection::new();
        for global in &module.globals {
            globals.global(map.global_type(global.ty)?, &map.const_expr(global.init_expr.clone())?);
        }
        let loaded = u32::try_from(module.globals.len())?;
        globals.global(
            GlobalType { val_type: ValType::I32, mutable: true, shared: false },
            &ConstExpr::i32_const(0),
        );
        out.section(&globals);

        out.section(&self.first_exports(&mut map, loaded)?);
        if let Some(start) = module.start {
            out.section(&StartSection { function_index: map.of(start)? });
        }
        let mut elements = ElementSection::new();
        for element in &module.elements {
            if !matches!(element.kind, ElementKind::Declared) {
                map.parse_element(&mut elements, element.clone())?;
            }
        }
        declare(&mut elements, module.referred(&self.first)?, &map)?;
        out.section(&elements);
        let mut code = CodeSection::new();
        for function in &self.first {
            map.parse_function_body(
                &mut code,
                module.body(*function).context("a function without a body")?.clone(),
            )?;
        }
        for (function, place) in &self.places {
            code.function(&self.short(*function, *place, check)?);
        }
        let mut checking = Function::new([]);
        for instruction in [
            Instruction::GlobalGet(loaded),
            Instruction::I32Eqz,
            Instruction::If(wasm_encoder::BlockType::Empty),
            Instruction::Call(map.of(self.load)?),
            Instruction::End,
            Instruction::End,
        ] {
            checking.instruction(&instruction);
        }
        code.function(&checking);
        out.section(&code);

        out.section(&self.data(false)?);
        Ok(out.finish())
    }

    /// What a part puts into memory.
    fn data(&self, second: bool) -> Result<DataSection> {
        let mut data = DataSection::new();
        for (at, bytes) in memory::pieces(self.module, &self.moved, second)? {
            data.active(0, &ConstExpr::i32_const(i32::try_from(at)?), bytes.iter().copied());
        }
        Ok(data)
    }

    fn first_exports(&self, map: &mut Remap, loaded: u32) -> Result<ExportSection> {
        let mut exports = ExportSection::new();
        for export in &self.module.exports {
            map.parse_export(&mut exports, *export)?;
        }
        exports.export(LOADED, ExportKind::Global, loaded);
        exports.export("m", ExportKind::Memory, 0);
        for at in 0..self.module.tables.len() {
            exports.export(&format!("t{at}"), ExportKind::Table, u32::try_from(at)?);
        }
        for at in 0..self.module.globals.len() {
            exports.export(&format!("g{at}"), ExportKind::Global, u32::try_from(at)?);
        }
        for (at, function) in self.needed.iter().enumerate() {
            exports.export(&short_name(at), ExportKind::Func, map.of(*function)?);
        }
        Ok(exports)
    }

    /// What stands in the first part for a function of the second.
    fn short(&self, function: u32, place: u32, check: u32) -> Result<Function> {
        let kind = kind(self.module, function)?;
        let parameters =
            usize::try_from(kind).ok().and_then(|at| self.module.parameters.get(at)).copied().flatten();
        let mut body = Function::new([]);
        body.instruction(&Instruction::Call(check));
        for parameter in 0..parameters.context("a function's type is none")? {
            body.instruction(&Instruction::LocalGet(parameter));
        }
        body.instruction(&Instruction::I32Const(i32::try_from(place)?));
        body.instruction(&Instruction::CallIndirect { type_index: kind, table_index: self.table });
        body.instruction(&Instruction::End);
        Ok(body)
    }

    fn second(&self) -> Result<Vec<u8>> {
        let module = self.module;
        let mut map = self.second_indices();
        let mut out = wasm_encoder::Module::new();
        out.section(&RawSection { id: SectionId::Type as u8, data: module.types });

        let mut imports = ImportSection::new();
        for (at, function) in self.needed.iter().enumerate() {
            imports.import(FIRST, &short_name(at), EntityType::Function(kind(module, *function)?));
        }
        for memory in &module.memories {
            let mut kind = map.memory_type(*memory)?;
            kind.maximum = None;
            imports.import(FIRST, "m", kind);
        }
        for (at, table) in module.tables.iter().enumerate() {
            let mut kind = map.table_type(table.ty)?;
            if u32::try_from(at)? == self.table {
                kind.minimum = u64::from(self.table_size);
            }
            kind.maximum = None;
            imports.import(FIRST, &format!("t{at}"), kind);
        }
        for (at, global) in module.globals.iter().enumerate() {
            imports.import(FIRST, &format!("g{at}"), map.global_type(global.ty)?);
        }
        out.section(&imports);

        let mut functions = FunctionSection::new();
        for function in &self.second {
            functions.function(kind(module, *function)?);
        }
        out.section(&functions);

        let mut elements = ElementSection::new();
        for (begin, run) in self.runs() {
            let run = run.iter().map(|function| map.of(*function)).collect::<Result<Vec<_>, _>>()?;
            let table = (self.table != 0).then_some(self.table);
            let begin = ConstExpr::i32_const(i32::try_from(begin)?);
            elements.active(table, &begin, Elements::Functions(Cow::Owned(run)));
        }
        declare(&mut elements, module.referred(&self.second)?, &map)?;
        out.section(&elements);

        let mut code = CodeSection::new();
        for function in &self.second {
            map.parse_function_body(
                &mut code,
                module.body(*function).context("a function without a body")?.clone(),
            )?;
        }
        out.section(&code);
        out.section(&self.data(true)?);
        Ok(out.finish())
    }

    /// The places that the second part fills, as runs of neighbours.
    fn runs(&self) -> Vec<(u32, Vec<u32>)> {
        let all: BTreeMap<u32, u32> = (self.filled.iter().copied())
            .chain(self.places.iter().map(|(function, place)| (*place, *function)))
            .collect();
        let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
        let mut next = None;
        for (place, function) in all {
            match runs.last_mut() {
                Some((_, run)) if next == Some(place) => run.push(function),
                _ => runs.push((place, vec![function])),
            }
            next = Some(place + 1);
        }
        runs
    }
}

/// Adds what a function reaches by calls to the functions to keep.
fn keep_reachable(module: &Module<'_>, from: u32, kept: &mut BTreeSet<u32>) -> Result<()> {
    let mut open = vec![from];
    let mut seen = BTreeSet::new();
    while let Some(function) = open.pop() {
        if function >= module.imported && seen.insert(function) {
            open.extend(module.calls(function)?);
        }
    }
    kept.extend(seen);
    Ok(())
}

/// Declares functions that code refers to as values.
fn declare(elements: &mut ElementSection, functions: BTreeSet<u32>, map: &Remap) -> Result<()> {
    if !functions.is_empty() {
        let functions =
            functions.into_iter().map(|function| map.of(function)).collect::<Result<Vec<_>, _>>()?;
        elements.declared(Elements::Functions(Cow::Owned(functions)));
    }
    Ok(())
}

/// Keeps small functions that need no other part: what would stand there for them is as long as they are.
fn keep_small(module: &Module<'_>, kept: &mut BTreeSet<u32>) -> Result<()> {
    let mut open: Vec<u32> = kept.iter().copied().collect();
    open.extend(module.slots()?.into_iter().map(|(_, _, function)| function));
    while let Some(function) = open.pop() {
        let here = kept.contains(&function);
        let small = module.body(function).is_some_and(|body| body.range().end - body.range().start <= SMALL);
        let calls = module.calls(function)?;
        let alone = calls.iter().all(|called| *called < module.imported || kept.contains(called));
        if !here && small && alone {
            kept.insert(function);
        }
        if here {
            open.extend(
                calls.into_iter().filter(|called| *called >= module.imported && !kept.contains(called)),
            );
        }
    }
    Ok(())
}

fn is_function(export: &wasmparser::Export<'_>) -> bool {
    export.kind == wasmparser::ExternalKind::Func
}

fn exported(module: &Module<'_>, name: &str) -> Result<u32> {
    let found = module.exports.iter().find(|export| is_function(export) && export.name == name);
    Ok(found.with_context(|| format!("the wasm file does not export {name}"))?.index)
}

fn kind(module: &Module<'_>, function: u32) -> Result<u32> {
    let found = usize::try_from(function).ok().and_then(|at| module.functions.get(at));
    found.copied().context("a function without a type")
}

fn set(indices: &mut [Option<u32>], old: u32, new: usize) {
    if let Some(entry) = usize::try_from(old).ok().and_then(|at| indices.get_mut(at)) {
        *entry = u32::try_from(new).ok();
    }
}

/// Short names for what the parts exchange: `_a`, `_b`, …; none is used otherwise.
fn short_name(mut at: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut name = String::from("_");
    loop {
        name.push(char::from(LETTERS.get(at % LETTERS.len()).copied().unwrap_or(b'_')));
        at /= LETTERS.len();
        if at == 0 {
            return name;
        }
    }
}
