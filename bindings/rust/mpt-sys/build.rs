//! Finds libmpt: in the folder that MPT_LIB_DIR names (an installation's or a build tree's), else by pkg-config.
//!
//! Where the library is not in a folder that the loader knows, `cargo run` and `cargo test` find it through links in this
//! crate's own output folder, which cargo puts into the loader's path. Dependents get the folder as DEP_MPT_LIB_DIR.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn give_up(message: &str) -> ! {
    eprintln!("\n{}\n", message);
    std::process::exit(1)
}

fn from_variable() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("MPT_LIB_DIR").filter(|v| !v.is_empty())?);
    if !has_library(&folder) {
        give_up(&format!("MPT_LIB_DIR is {}, where there is no libmpt.so", folder.display()));
    }
    Some(fs::canonicalize(&folder).unwrap_or(folder))
}

fn from_pkg_config() -> Result<PathBuf, String> {
    let tool = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let ask = |arguments: &[&str]| -> Result<String, String> {
        let answer = Command::new(&tool).args(arguments).arg("mpt").output().map_err(|e| format!("{}: {}", tool, e))?;
        if !answer.status.success() {
            return Err(String::from_utf8_lossy(&answer.stderr).trim().to_string());
        }
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_string())
    };
    ask(&["--atleast-version=0.1.0"]).map_err(|e| if e.is_empty() { "mpt 0.1.0 or newer is not among pkg-config's packages".into() } else { e })?;
    Ok(PathBuf::from(ask(&["--variable=libdir"])?))
}

fn has_library(folder: &Path) -> bool {
    ["libmpt.so", "libmpt.dylib"].iter().any(|name| folder.join(name).exists())
}

/// Links to the library and its modules, which it opens beside itself.
#[cfg(unix)]
fn link_libraries(from: &Path, to: &Path) -> std::io::Result<()> {
    for old in fs::read_dir(to)? {
        let old = old?;
        if old.file_name().to_string_lossy().starts_with("libmpt") {
            fs::remove_file(old.path())?;
        }
    }
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        if text.starts_with("libmpt") && (text.contains(".so") || text.ends_with(".dylib")) {
            std::os::unix::fs::symlink(from.join(&name), to.join(&name))?;
        }
    }
    Ok(())
}

fn main() {
    println!("cargo:rerun-if-env-changed=MPT_LIB_DIR");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_LIBDIR");
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    let folder = from_variable().unwrap_or_else(|| {
        from_pkg_config().unwrap_or_else(|reason| {
            give_up(&format!(
                "libmpt was not found: {}\n\
                 Install mpt and name its prefix to pkg-config:   PKG_CONFIG_PATH=<prefix>/lib/pkgconfig cargo build\n\
                 or name the folder of libmpt.so of a build tree: MPT_LIB_DIR=<mpt>/build/release/lib cargo build",
                reason
            ))
        })
    });
    println!("cargo:rustc-link-lib=dylib=mpt");
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:lib_dir={}", folder.display());
    #[cfg(unix)]
    {
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        if let Err(error) = link_libraries(&folder, &out) {
            println!("cargo:warning=no links to the libraries of {}: {}", folder.display(), error);
        }
        println!("cargo:rustc-link-search=native={}", out.display());
    }
}
