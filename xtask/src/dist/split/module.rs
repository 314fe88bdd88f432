//! What splitting needs to know of a wasm file: its functions with their bodies, and who mentions whom.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use wasmparser::{
    Data, Element, ElementItems, ElementKind, Export, FunctionBody, Global, Import, MemoryType, Operator,
    Parser, Payload, Table, TypeRef,
};

/// A wasm file in parts. Indices are those of the file.
pub(super) struct Module<'a> {
    /// The type section's bytes.
    pub(super) types: &'a [u8],
    /// Parameters of each function type, `None` for other types.
    pub(super) parameters: Vec<Option<u32>>,
    /// All imports in order.
    pub(super) imports: Vec<Import<'a>>,
    /// The type of every function, imported ones first.
    pub(super) functions: Vec<u32>,
    /// How many functions are imported.
    pub(super) imported: u32,
    /// Tables of the file's own.
    pub(super) tables: Vec<Table<'a>>,
    /// Memories of the file's own.
    pub(super) memories: Vec<MemoryType>,
    /// Globals of the file's own.
    pub(super) globals: Vec<Global<'a>>,
    /// All exports.
    pub(super) exports: Vec<Export<'a>>,
    /// The function that runs at the start.
    pub(super) start: Option<u32>,
    /// What tables hold at the start.
    pub(super) elements: Vec<Element<'a>>,
    /// Bodies of the file's own functions.
    pub(super) bodies: Vec<FunctionBody<'a>>,
    /// What memory holds at the start.
    pub(super) data: Vec<Data<'a>>,
}

impl<'a> Module<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is no wasm module, or has a section that splitting does not know.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Module<'a>> {
        let mut module = Module {
            types: &[],
            parameters: Vec::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            imported: 0,
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            exports: Vec::new(),
            start: None,
            elements: Vec::new(),
            bodies: Vec::new(),
            data: Vec::new(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            module.payload(payload.context("reading the wasm file")?, bytes)?;
        }
        if module.memories.len() != 1 {
            bail!("the wasm file has {} memories of its own, not one", module.memories.len());
        }
        Ok(module)
    }

    fn payload(&mut self, payload: Payload<'a>, bytes: &'a [u8]) -> Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                self.types = section(bytes, types.range())?;
                for group in types {
                    for kind in group?.into_types() {
                        let function = match &kind.composite_type.inner {
                            wasmparser::CompositeInnerType::Func(function) => Some(function),
                            _ => None,
                        };
                        self.parameters.push(
                            function.map(|function| u32::try_from(function.params().len())).transpose()?,
                        );
                    }
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    if let TypeRef::Func(kind) = import.ty {
                        self.functions.push(kind);
                        self.imported += 1;
                    } else {
                        bail!(
                            "the wasm file imports {}.{}, which is no function",
                            import.module,
                            import.name
                        );
                    }
                    self.imports.push(import);
                }
            }
            Payload::FunctionSection(functions) => {
                for kind in functions {
                    self.functions.push(kind?);
                }
            }
            Payload::TableSection(tables) => self.tables = tables.into_iter().collect::<Result<_, _>>()?,
            Payload::MemorySection(memories) => {
                self.memories = memories.into_iter().collect::<Result<_, _>>()?
            }
            Payload::GlobalSection(globals) => {
                self.globals = globals.into_iter().collect::<Result<_, _>>()?
            }
            Payload::ExportSection(exports) => {
                self.exports = exports.into_iter().collect::<Result<_, _>>()?
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(elements) => {
                self.elements = elements.into_iter().collect::<Result<_, _>>()?
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::DataSection(data) => self.data = data.into_iter().collect::<Result<_, _>>()?,
            Payload::CustomSection(_)
            | Payload::Version { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::DataCountSection { .. }
            | Payload::End(_) => {}
            other => bail!("the wasm file has a section that splitting does not know: {other:?}"),
        }
        Ok(())
    }

    /// A function's body; imported ones have none here.
    pub(super) fn body(&self, function: u32) -> Option<&FunctionBody<'a>> {
        self.bodies.get(usize::try_from(function.checked_sub(self.imported)?).ok()?)
    }

    /// All functions that have a body here.
    pub(super) fn own(&self) -> std::ops::Range<u32> {
        self.imported..u32::try_from(self.functions.len()).unwrap_or(u32::MAX)
    }

    /// The functions that a body calls or refers to by their index.
    ///
    /// # Errors
    /// If the body is broken or uses what splitting does not know.
    pub(super) fn calls(&self, function: u32) -> Result<Vec<u32>> {
        let mut calls = Vec::new();
        let Some(body) = self.body(function) else { return Ok(calls) };
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            match operators.read()? {
                Operator::Call { function_index }
                | Operator::ReturnCall { function_index }
                | Operator::RefFunc { function_index } => calls.push(function_index),
                Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::MemoryInit { .. }
                | Operator::DataDrop { .. } => bail!("passive segments are not known to splitting"),
                _ => {}
            }
        }
        Ok(calls)
    }

    /// The functions that bodies refer to as values; such ones must be declared in a segment.
    ///
    /// # Errors
    /// If a body is broken.
    pub(super) fn referred(&self, functions: &BTreeSet<u32>) -> Result<BTreeSet<u32>> {
        let mut referred = BTreeSet::new();
        for body in functions.iter().filter_map(|function| self.body(*function)) {
            for operator in body.get_operators_reader()? {
                if let Operator::RefFunc { function_index } = operator? {
                    referred.insert(function_index);
                }
            }
        }
        Ok(referred)
    }

    /// The places `(table, slot, function)` that the file fills at the start.
    ///
    /// # Errors
    /// If a segment is of a kind that compilers of Rust do not write.
    pub(super) fn slots(&self) -> Result<Vec<(u32, u32, u32)>> {
        let mut slots = Vec::new();
        for element in &self.elements {
            let ElementKind::Active { table_index, offset_expr } = &element.kind else {
                if matches!(element.kind, ElementKind::Declared) {
                    continue;
                }
                bail!("a segment of functions is neither active nor a declaration");
            };
            let mut offset = offset_expr.get_operators_reader();
            let Operator::I32Const { value } = offset.read()? else {
                bail!("a segment begins at no constant")
            };
            let begin = u32::try_from(value)?;
            let ElementItems::Functions(functions) = element.items.clone() else {
                bail!("a segment holds expressions");
            };
            for (slot, function) in (begin..).zip(functions) {
                slots.push((table_index.unwrap_or(0), slot, function?));
            }
        }
        Ok(slots)
    }
}

/// A section's bytes.
fn section(bytes: &[u8], range: std::ops::Range<u64>) -> Result<&[u8]> {
    let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
    bytes.get(range).context("a section ends behind the file")
}
