//! A small program is cut in two and run by node: both parts give what the whole gives, before and after the second is
//! there.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction as I, MemArg,
    MemorySection, MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use wasmparser::{Operator, Parser, Payload};

use super::{marks, parts};

const HERE: MemArg = MemArg { offset: 0, align: 2, memory_index: 0 };

/// Functions: 0 imported `fetch`, 1 `load_second_part`, 2 `main(n)`, 3 `double(n)`, 4 `text()`, 5 `through(n)`,
/// 6 `rare(n)`. `main` calls `double` and, through the table, `rare`; `rare` calls `double` and `text`.
fn program() -> Vec<u8> {
    let mut out = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([], [ValType::I32]);
    out.section(&types);
    let mut imports = ImportSection::new();
    imports.import("page", "fetch", EntityType::Function(0));
    out.section(&imports);
    let mut functions = FunctionSection::new();
    for kind in [0, 1, 1, 2, 1, 1] {
        functions.function(kind);
    }
    out.section(&functions);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 2,
        maximum: Some(2),
        shared: false,
    });
    out.section(&tables);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    out.section(&memories);
    let mut globals = GlobalSection::new();
    globals.global(
        GlobalType { val_type: ValType::I32, mutable: true, shared: false },
        &ConstExpr::i32_const(7),
    );
    out.section(&globals);
    let mut exports = ExportSection::new();
    exports.export("load_second_part", ExportKind::Func, 1);
    exports.export("main", ExportKind::Func, 2);
    exports.export("rare", ExportKind::Func, 6);
    exports.export("memory", ExportKind::Memory, 0);
    out.section(&exports);
    let mut elements = ElementSection::new();
    elements.active(None, &ConstExpr::i32_const(1), Elements::Functions([6].as_slice().into()));
    out.section(&elements);
    let mut code = CodeSection::new();
    let bodies: [&[I<'_>]; 6] = [
        &[I::Call(0)],
        &[
            I::LocalGet(0),
            I::Call(3),
            I::LocalGet(0),
            I::I32Const(1),
            I::CallIndirect { type_index: 1, table_index: 0 },
            I::I32Add,
        ],
        &[I::LocalGet(0), I::I32Const(2), I::I32Mul],
        &[I::I32Const(1024), I::I32Load(HERE)],
        &[I::LocalGet(0), I::Call(3)],
        // Long enough not to be kept for its size.
        &[
            I::LocalGet(0),
            I::Call(5),
            I::Call(4),
            I::I32Add,
            I::GlobalGet(0),
            I::I32Add,
            I::I32Const(0),
            I::I32Add,
            I::I32Const(0),
            I::I32Add,
            I::I32Const(0),
            I::I32Add,
        ],
    ];
    for body in bodies {
        let mut function = Function::new([]);
        body.iter().for_each(|instruction| {
            function.instruction(instruction);
        });
        function.instruction(&I::End);
        code.function(&function);
    }
    out.section(&code);
    let mut data = DataSection::new();
    data.active(
        0,
        &ConstExpr::i32_const(1024),
        [1000_u32.to_le_bytes(), 5_u32.to_le_bytes()].concat().repeat(8),
    );
    out.section(&data);
    out.finish()
}

/// What node says after running a script in a folder that holds these files.
fn node(files: &[(&str, &[u8])], script: &str) -> String {
    let folder = std::env::temp_dir().join(format!("podlab-split-{}-{}", std::process::id(), files.len()));
    fs::create_dir_all(&folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    let output =
        Command::new("node").current_dir(&folder).args(["--input-type=module", "--eval", script]).output();
    fs::remove_dir_all(&folder).unwrap();
    let output = output.expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn both_parts_do_what_the_whole_does() {
    let whole = program();
    let constants = [1024..1028, 1028..1088];
    let parts = parts::cut(&whole, |function| [1, 2, 3].contains(&function), &constants).unwrap();
    assert_eq!(parts.counts, [3, 3, 1]);
    let script = r#"
import { readFileSync } from "node:fs";
const load = (file) => new WebAssembly.Module(readFileSync(file));
let fetched = 0;
const first = new WebAssembly.Instance(load("first.wasm"), { page: { fetch: () => {
  fetched++;
  new WebAssembly.Instance(load("second.wasm"), { 0: first });
  first.podlab_second_loaded.value = 1;
} } }).exports;
const whole = new WebAssembly.Instance(load("whole.wasm"), { page: { fetch() {} } }).exports;
const word = () => new DataView(first.memory.buffer).getUint32(1024, true);
console.log(word(), first.main(3), whole.main(3), first.rare(4), whole.rare(4), word(), fetched);
"#;
    let said =
        node(&[("whole.wasm", &whole), ("first.wasm", &parts.first), ("second.wasm", &parts.second)], script);
    assert_eq!(said, "0 1019 1019 1015 1015 1000 1");
}

/// Node of the oldest version that is good enough runs no program with two memories, so this one is only read.
#[test]
fn every_function_leaves_its_own_mark() {
    let whole = program();
    let marked = marks::with_marks(&whole).unwrap();
    let mut index = 1;
    for payload in Parser::new(0).parse_all(&marked) {
        if let Payload::CodeSectionEntry(body) = payload.unwrap() {
            let mut operators = body.get_operators_reader().unwrap();
            let begin: Vec<Operator<'_>> = (0..3).map(|_| operators.read().unwrap()).collect();
            let memarg = wasmparser::MemArg { align: 0, max_align: 0, offset: index, memory: 1 };
            let mark = [
                Operator::I32Const { value: 0 },
                Operator::I32Const { value: 1 },
                Operator::I32Store8 { memarg },
            ];
            assert_eq!(begin, mark);
            index += 1;
        }
    }
    assert_eq!(index, 7);
    let called = marks::called(&whole, &[0, 0, 1, 1, 0, 0, 1]).unwrap();
    assert_eq!(called, BTreeSet::from([2, 3, 6]));
}

#[test]
fn only_the_linkers_lists_are_left_out() {
    let whole = program();
    let mut listed = whole.clone();
    for name in ["linking", "reloc.CODE"] {
        // An empty list: version 2 of the one, no entry for section 0 of the other.
        let data: &[u8] = if name == "linking" { &[2] } else { &[0, 0] };
        let length = u8::try_from(1 + name.len() + data.len()).unwrap();
        listed.extend([0, length, u8::try_from(name.len()).unwrap()]);
        listed.extend(name.bytes().chain(data.iter().copied()));
    }
    assert_eq!(super::without_lists(&listed).unwrap(), whole);
}
