//! Tiles of up to 14 rows and 32 columns in AVX-512, in assembly.
//!
//! Fourteen row pointers do not fit into the registers beside the rest. Compilers then add the stride thirteen times a
//! step; here five registers and the address modes reach all rows, which is a tenth faster.

use std::arch::asm;

use crate::panel::{ROWS, Tile};

/// Steps of the depth between two jumps.
pub(crate) const STEPS: usize = 4;

/// `sums = start + left · panel` of `rows` rows, with a panel of a positive multiple of [`STEPS`] steps.
///
/// # Safety
/// The processor has AVX-512; what `tile` points to has so many rows, from 1 to [`ROWS`].
pub(crate) unsafe fn compute(tile: &Tile<'_>, rows: usize) {
    // SAFETY: handed on.
    unsafe { KERNELS[rows - 1](tile) };
}

/// By the number of rows.
const KERNELS: [unsafe fn(&Tile<'_>); ROWS] = [
    rows_1, rows_2, rows_3, rows_4, rows_5, rows_6, rows_7, rows_8, rows_9, rows_10, rows_11, rows_12,
    rows_13, rows_14,
];

/// The products of one step: each row's element times both vectors of the panel.
macro_rules! step {
    ($step:literal, $(($element:literal $row:literal $low:literal $high:literal))*) => {
        concat!(
            "vmovaps zmm28, [{panel} + 128 * ", $step, "]\n",
            "vmovaps zmm29, [{panel} + 128 * ", $step, " + 64]\n",
            $(
                "vbroadcastss ", $element, ", dword ptr [", $row, " + 4 * ", $step, "]\n",
                "vfmadd231ps ", $low, ", ", $element, ", zmm28\n",
                "vfmadd231ps ", $high, ", ", $element, ", zmm29\n",
            )*
        )
    };
}

/// The kernel for these rows: register and address of the element, registers of the sums.
macro_rules! kernel {
    ($name:ident $(($element:literal $row:literal $low:literal $high:literal))*) => {
        #[target_feature(enable = "avx512f")]
        unsafe fn $name(tile: &Tile<'_>) {
            let stride = size_of::<f32>() * tile.left_stride;
            // SAFETY: the caller gives the rows that are read and written. Asking for a cache line never faults. Every
            // register that is written is named.
            unsafe {
                asm!(
                    $(concat!(
                        "vmovups ", $low, ", [{start}]\n",
                        "vmovups ", $high, ", [{start} + 64]\n",
                        "add {start}, {start_stride}",
                    ),)*
                    "2:",
                    "prefetcht1 byte ptr [{next}]",
                    step!("0", $(($element $row $low $high))*),
                    step!("1", $(($element $row $low $high))*),
                    step!("2", $(($element $row $low $high))*),
                    step!("3", $(($element $row $low $high))*),
                    "add {first}, 4 * 4",
                    "add {eighth}, 4 * 4",
                    "add {panel}, 4 * 128",
                    "add {next}, 64",
                    "sub {steps}, 4",
                    "jnz 2b",
                    $(concat!(
                        "vmovups [{sums}], ", $low, "\n",
                        "vmovups [{sums} + 64], ", $high, "\n",
                        "add {sums}, {sums_stride}",
                    ),)*
                    // Not every kernel uses all of them.
                    "/* {eighth} {one} {three} {five} */",
                    first = inout(reg) tile.left => _,
                    eighth = inout(reg) tile.left.wrapping_add(7 * tile.left_stride) => _,
                    one = in(reg) stride,
                    three = in(reg) 3 * stride,
                    five = in(reg) 5 * stride,
                    panel = inout(reg) tile.panel.as_ptr() => _,
                    steps = inout(reg) tile.panel.len() => _,
                    next = inout(reg) tile.next => _,
                    start = inout(reg) tile.start => _,
                    start_stride = in(reg) size_of::<f32>() * tile.start_stride,
                    sums = inout(reg) tile.sums => _,
                    sums_stride = in(reg) size_of::<f32>() * tile.sums_stride,
                    out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _, out("zmm4") _, out("zmm5") _,
                    out("zmm6") _, out("zmm7") _, out("zmm8") _, out("zmm9") _, out("zmm10") _, out("zmm11") _,
                    out("zmm12") _, out("zmm13") _, out("zmm14") _, out("zmm15") _, out("zmm16") _, out("zmm17") _,
                    out("zmm18") _, out("zmm19") _, out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _,
                    out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _, out("zmm28") _, out("zmm29") _,
                    out("zmm30") _, out("zmm31") _,
                    options(nostack),
                );
            }
        }
    };
}

/// A kernel for the first row, one for the first two, and so on.
macro_rules! kernels {
    ([$($rows:tt)*] $name:ident $row:tt $($more:tt)*) => {
        kernel!($name $($rows)* $row);
        kernels!([$($rows)* $row] $($more)*);
    };
    ([$($rows:tt)*]) => {};
}

kernels! {
    []
    rows_1 ("zmm30" "{first}" "zmm0" "zmm1")
    rows_2 ("zmm31" "{first} + {one}" "zmm2" "zmm3")
    rows_3 ("zmm30" "{first} + 2 * {one}" "zmm4" "zmm5")
    rows_4 ("zmm31" "{first} + {three}" "zmm6" "zmm7")
    rows_5 ("zmm30" "{first} + 4 * {one}" "zmm8" "zmm9")
    rows_6 ("zmm31" "{first} + {five}" "zmm10" "zmm11")
    rows_7 ("zmm30" "{first} + 2 * {three}" "zmm12" "zmm13")
    rows_8 ("zmm31" "{eighth}" "zmm14" "zmm15")
    rows_9 ("zmm30" "{eighth} + {one}" "zmm16" "zmm17")
    rows_10 ("zmm31" "{eighth} + 2 * {one}" "zmm18" "zmm19")
    rows_11 ("zmm30" "{eighth} + {three}" "zmm20" "zmm21")
    rows_12 ("zmm31" "{eighth} + 4 * {one}" "zmm22" "zmm23")
    rows_13 ("zmm30" "{eighth} + {five}" "zmm24" "zmm25")
    rows_14 ("zmm31" "{eighth} + 2 * {three}" "zmm26" "zmm27")
}
