//! The crates are those of the header: every function is in the safe layer or has a reason not to be, and generated files are up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

/// Functions of the header that the safe layer does not call, and why.
const DLPACK: &str = "DLPack's structs belong to the libraries that exchange them, and none of Rust's is among the crates in use; memory comes in through mpt_tensor_wrap";
const REASONS: &[(&str, &str)] = &[
    ("mpt_context_retain", "contexts are counted in Rust: Context is an Rc of the one reference"),
    ("mpt_tensor_to_dlpack", DLPACK),
    ("mpt_tensor_to_dlpack_unversioned", DLPACK),
    ("mpt_tensor_from_dlpack", DLPACK),
    ("mpt_tensor_from_dlpack_unversioned", DLPACK),
];

/// A little of JSON: enough to find the names of the functions.
mod json {
    #[derive(Debug)]
    pub enum Value {
        Object(Vec<(String, Value)>),
        List(Vec<Value>),
        Text(String),
        Other,
    }

    impl Value {
        pub fn get(&self, key: &str) -> &Value {
            match self {
                Value::Object(fields) => &fields.iter().find(|(k, _)| k == key).unwrap_or_else(|| panic!("no {}", key)).1,
                _ => panic!("not an object"),
            }
        }
        pub fn list(&self) -> &[Value] {
            match self {
                Value::List(list) => list,
                _ => panic!("not a list"),
            }
        }
        pub fn text(&self) -> &str {
            match self {
                Value::Text(text) => text,
                _ => panic!("not a text"),
            }
        }
    }

    pub struct Reader<'t>(pub &'t [u8]);

    impl Reader<'_> {
        fn space(&mut self) {
            while self.0.first().map_or(false, |b| b.is_ascii_whitespace()) {
                self.0 = &self.0[1..];
            }
        }
        fn next(&mut self) -> u8 {
            let b = self.0[0];
            self.0 = &self.0[1..];
            b
        }
        fn text(&mut self) -> String {
            let mut bytes = Vec::new();
            loop {
                match self.next() {
                    b'"' => return String::from_utf8(bytes).unwrap(),
                    b'\\' => bytes.push(self.next()),
                    b => bytes.push(b),
                }
            }
        }
        pub fn value(&mut self) -> Value {
            self.space();
            match self.next() {
                b'"' => Value::Text(self.text()),
                open @ (b'{' | b'[') => {
                    let (mut fields, mut list) = (Vec::new(), Vec::new());
                    loop {
                        self.space();
                        match self.0[0] {
                            b'}' | b']' | b',' => {
                                if self.next() == b',' {
                                    continue;
                                }
                                return if open == b'{' { Value::Object(fields) } else { Value::List(list) };
                            }
                            _ if open == b'{' => {
                                self.space();
                                assert_eq!(self.next(), b'"');
                                let key = self.text();
                                self.space();
                                assert_eq!(self.next(), b':');
                                fields.push((key, self.value()));
                            }
                            _ => list.push(self.value()),
                        }
                    }
                }
                _ => {
                    while !matches!(self.0[0], b',' | b'}' | b']') {
                        self.next();
                    }
                    Value::Other
                }
            }
        }
    }
}

fn header_functions() -> BTreeSet<String> {
    let text = std::fs::read(root().join("abi/mpt.json")).unwrap();
    let api = json::Reader(&text).value();
    api.get("functions").list().iter().map(|f| f.get("name").text().to_string()).collect()
}

/// The names behind `sys::` in the sources, without comments.
fn called() -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for part in line.split("sys::").skip(1) {
                let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                *names.entry(name).or_default() += 1;
            }
            // The handles' macro is given the names of retain and release functions.
            if let Some((_, rest)) = line.split_once(", mpt_") {
                for name in format!("mpt_{}", rest).split(',') {
                    *names.entry(name.trim().trim_end_matches(|c: char| !c.is_alphanumeric()).to_string()).or_default() += 1;
                }
            }
        }
    }
    names
}

#[test]
fn every_function_is_in_the_safe_layer_or_has_a_reason() {
    let (functions, called) = (header_functions(), called());
    assert!(functions.len() > 300, "only {} functions were found", functions.len());
    let missing: Vec<_> = functions.iter().filter(|f| !called.contains_key(*f) && !REASONS.iter().any(|(name, _)| name == f)).collect();
    assert!(missing.is_empty(), "not in the safe layer, and no reason in REASONS: {:?}", missing);
    for (name, reason) in REASONS {
        assert!(functions.contains(*name), "REASONS has {}, which is not in the header", name);
        assert!(!called.contains_key(*name), "REASONS has {}, which the safe layer calls", name);
        assert!(!reason.is_empty(), "{} has no reason", name);
    }
}

/// Compares what a program writes with a file.
fn same(mut program: Command, file: &str) {
    let output = program.output().unwrap();
    assert!(output.status.success(), "{:?}: {}", program, String::from_utf8_lossy(&output.stderr));
    let committed = std::fs::read(root().join(file)).unwrap();
    if committed != output.stdout {
        let line = committed.split(|b| *b == b'\n').zip(output.stdout.split(|b| *b == b'\n')).position(|(a, b)| a != b).unwrap_or(0) + 1;
        panic!("{} differs from what the header gives, first in line {}: if the change is meant, run scripts/abi-update.sh rust safe", file, line);
    }
}

#[test]
fn bindgen_writes_what_is_committed() {
    match Command::new("bindgen").arg("--version").output() {
        Ok(version) if String::from_utf8_lossy(&version.stdout).trim() == "bindgen 0.60.1" => {}
        Ok(version) => return println!("skipped: the committed output is of bindgen 0.60.1, this is {}", String::from_utf8_lossy(&version.stdout).trim()),
        Err(error) => return println!("skipped: bindgen cannot be run: {}", error),
    }
    same(Command::new(root().join("bindings/rust/bindgen.sh")), "bindings/rust/mpt-sys/src/bindings.rs");
}

#[test]
fn generate_writes_what_is_committed() {
    if let Err(error) = Command::new("python3").arg("--version").output() {
        return println!("skipped: python3 cannot be run: {}", error);
    }
    let mut generate = Command::new("python3");
    generate.arg(root().join("bindings/rust/generate.py"));
    same(generate, "bindings/rust/mpt/src/generated.rs");
}

#[test]
fn version_is_that_of_the_header() {
    assert_eq!(mpt::version(), mpt::sys::MPT_VERSION_MAJOR * 10000 + mpt::sys::MPT_VERSION_MINOR * 100 + mpt::sys::MPT_VERSION_PATCH);
}
