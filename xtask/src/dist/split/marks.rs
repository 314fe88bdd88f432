//! Which functions run: a copy of the wasm file in which every function leaves a mark when it is called.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use wasm_encoder::RawSection;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{CodeSection, ExportKind, ExportSection, Instruction, MemArg, MemorySection, MemoryType};
use wasmparser::{Parser, Payload};

use super::module::Module;

/// The export that holds one byte a function: 1 once it has been called.
const EXPORT: &str = "podlab_marks";
/// Bytes of a page of memory.
const PAGE: u64 = 65_536;

/// A file that does what `bytes` does and keeps marks in a memory that it exports as `podlab_marks`.
///
/// # Errors
/// If `bytes` is not a wasm file of the kind that the page's compiler writes.
pub(super) fn with_marks(bytes: &[u8]) -> Result<Vec<u8>> {
    let module = Module::parse(bytes)?;
    let mut out = wasm_encoder::Module::new();
    let mut code = CodeSection::new();
    let mut same = RoundtripReencoder;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::MemorySection(memories) => {
                let mut section = MemorySection::new();
                same.parse_memory_section(&mut section, memories)?;
                section.memory(MemoryType {
                    minimum: (module.functions.len() as u64).div_ceil(PAGE),
                    maximum: None,
                    memory64: false,
                    shared: false,
                    page_size_log2: None,
                });
                out.section(&section);
            }
            Payload::ExportSection(exports) => {
                let mut section = ExportSection::new();
                same.parse_export_section(&mut section, exports)?;
                section.export(EXPORT, ExportKind::Memory, 1);
                out.section(&section);
            }
            Payload::CodeSectionStart { count, .. } => {
                for (at, body) in module.bodies.iter().enumerate() {
                    let mut function = same.new_function_with_parsed_locals(body)?;
                    let index = u64::from(module.imported) + at as u64;
                    function.instruction(&Instruction::I32Const(0));
                    function.instruction(&Instruction::I32Const(1));
                    function.instruction(&Instruction::I32Store8(MemArg {
                        offset: index,
                        align: 0,
                        memory_index: 1,
                    }));
                    let mut operators = body.get_operators_reader()?;
                    while !operators.eof() {
                        function.instruction(&same.parse_instruction(&mut operators)?);
                    }
                    code.function(&function);
                }
                debug_assert_eq!(code.len(), count);
                out.section(&code);
            }
            Payload::CodeSectionEntry(_) | Payload::Version { .. } | Payload::End(_) => {}
            Payload::CustomSection(_) => {}
            other => {
                let (id, range) = other.as_section().context("a part of the wasm file is no section")?;
                let data = bytes
                    .get(usize::try_from(range.start)?..usize::try_from(range.end)?)
                    .context("a section ends behind the file")?;
                out.section(&RawSection { id, data });
            }
        }
    }
    Ok(out.finish())
}

/// The functions of its own whose mark is set, by their number.
///
/// # Errors
/// If `bytes` is not the file that [`with_marks`] was given.
pub(super) fn called(bytes: &[u8], marks: &[u8]) -> Result<BTreeSet<u32>> {
    let imported = Module::parse(bytes)?.imported;
    let set = (0..).zip(marks).filter(|(_, mark)| **mark != 0).map(|(at, _)| at);
    Ok(set.filter(|function| *function >= imported).collect())
}
