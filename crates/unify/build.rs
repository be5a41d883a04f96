//! Empty: a package with build dependencies needs a build script.

fn main() {}
