//! The allocator: mimalloc that keeps its pages.
//!
//! Every tensor operation allocates its result. Given back to the system, its pages would have to be cleared
//! again for the next one, which costs an eighth of the time on a CPU.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc's `mi_option_e`; the crate does not name it.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Tells the allocator to keep what was freed for the next tensors, as `MIMALLOC_PURGE_DELAY=-1` would.
pub(crate) fn keep_pages() {
    #[expect(unsafe_code, reason = "mimalloc has no safe interface to its options")]
    // SAFETY: sets one number in the allocator's table of options; allowed at any time from any thread.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, -1);
    }
}
