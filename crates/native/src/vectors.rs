//! The widest vectors that this processor has.

use pulp::{Arch, WithSimd};

/// Runs `operation` with them.
#[inline(always)]
pub(crate) fn dispatch<Op: WithSimd>(operation: Op) -> Op::Output {
    let arch = Arch::new();
    // `Arch` knows AVX2 only if a feature of the crate is on; the vectors are there without it.
    #[cfg(target_arch = "x86_64")]
    if let (Arch::Scalar, Some(simd)) = (arch, pulp::x86::V3::try_new()) {
        return pulp::Simd::vectorize(simd, operation);
    }
    arch.dispatch(operation)
}
