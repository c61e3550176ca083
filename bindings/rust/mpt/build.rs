//! Examples and tests find libmpt where mpt-sys has found it, without LD_LIBRARY_PATH.
fn main() {
    println!("cargo:rerun-if-env-changed=DEP_MPT_LIB_DIR");
    if let (Ok(folder), true) = (std::env::var("DEP_MPT_LIB_DIR"), cfg!(unix)) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder);
    }
}
