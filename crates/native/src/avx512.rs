//! Tiles of up to 9 rows and 48 columns in AVX-512, in assembly.
//!
//! Nine row pointers do not fit into the registers beside the rest. Compilers then add the stride eight times a step;
//! here five registers and the address modes reach all rows. Three vectors a row need fewer loads than two: what counts
//! where a processor's core has another guest.

use std::arch::asm;

use crate::panel::{LANES, ROWS, Tile, VECTORS};

/// `sums = start + left · panel` of `rows` rows and `vectors` vectors of columns.
///
/// # Safety
/// The processor has AVX-512; what `tile` points to has so many rows, from 1 to [`ROWS`], and so many vectors, from 1 to
/// [`VECTORS`].
pub(crate) unsafe fn compute(tile: &Tile<'_>, rows: usize, vectors: usize) {
    const { assert!(LANES == 16 && size_of::<crate::panel::PanelRow>() == 192) }
    // SAFETY: handed on.
    unsafe { KERNELS[vectors - 1][rows - 1](tile) };
}

/// By the number of vectors, then by that of rows.
const KERNELS: [[unsafe fn(&Tile<'_>); ROWS]; VECTORS] = [narrow::KERNELS, middle::KERNELS, wide::KERNELS];

/// The products of one step: each row's element times the vectors of the panel, which are in registers from `zmm27` on.
macro_rules! step {
    ($step:literal, [$($vector:literal $at:literal)*], $(($element:literal $row:literal $($sum:literal $_at:literal $by:literal)*))*) => {
        concat!(
            $("vmovaps ", $vector, ", [{panel} + 192 * ", $step, " + ", $at, "]\n",)*
            $(
                "vbroadcastss ", $element, ", dword ptr [", $row, " + 4 * ", $step, "]\n",
                $("vfmadd231ps ", $sum, ", ", $element, ", ", $by, "\n",)*
            )*
        )
    };
}

/// The kernel for these rows: register and address of the element; for each vector the register of the sum, where it
/// stands among the columns and the register that is multiplied by.
macro_rules! kernel {
    ($name:ident $vectors:tt $(($element:literal $row:literal $($sum:literal $at:literal $by:literal)*))*) => {
        #[target_feature(enable = "avx512f")]
        unsafe fn $name(tile: &Tile<'_>) {
            let stride = size_of::<f32>() * tile.left_stride;
            // SAFETY: the caller gives the rows that are read and written. Asking for a cache line never faults. Every
            // register that is written is named.
            unsafe {
                asm!(
                    $($(concat!("vmovups ", $sum, ", [{start} + ", $at, "]"),)* "add {start}, {start_stride}",)*
                    "sub {steps}, 8",
                    "jb 3f",
                    "2:",
                    "prefetcht1 byte ptr [{next}]",
                    "prefetcht1 byte ptr [{next} + 64]",
                    step!("0", $vectors, $(($element $row $($sum $at $by)*))*),
                    step!("1", $vectors, $(($element $row $($sum $at $by)*))*),
                    step!("2", $vectors, $(($element $row $($sum $at $by)*))*),
                    step!("3", $vectors, $(($element $row $($sum $at $by)*))*),
                    step!("4", $vectors, $(($element $row $($sum $at $by)*))*),
                    step!("5", $vectors, $(($element $row $($sum $at $by)*))*),
                    step!("6", $vectors, $(($element $row $($sum $at $by)*))*),
                    step!("7", $vectors, $(($element $row $($sum $at $by)*))*),
                    "add {first}, 8 * 4",
                    "add {panel}, 8 * 192",
                    "add {next}, 128",
                    "sub {steps}, 8",
                    "jae 2b",
                    "3:",
                    "add {steps}, 8",
                    "jz 5f",
                    "4:",
                    step!("0", $vectors, $(($element $row $($sum $at $by)*))*),
                    "add {first}, 4",
                    "add {panel}, 192",
                    "dec {steps}",
                    "jnz 4b",
                    "5:",
                    $($(concat!("vmovups [{sums} + ", $at, "], ", $sum),)* "add {sums}, {sums_stride}",)*
                    // Not every kernel uses all of them.
                    "/* {one} {three} {five} {seven} */",
                    first = inout(reg) tile.left => _,
                    one = in(reg) stride,
                    three = in(reg) 3 * stride,
                    five = in(reg) 5 * stride,
                    seven = in(reg) 7 * stride,
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

/// A module with a kernel for the first row, one for the first two, and so on.
macro_rules! kernels {
    ($module:ident $vectors:tt $($name:ident $row:tt)*) => {
        mod $module {
            use super::{ROWS, Tile, asm};

            pub(super) const KERNELS: [unsafe fn(&Tile<'_>); ROWS] = [$($name),*];

            kernels!(@ $vectors [] $($name $row)*);
        }
    };
    (@ $vectors:tt [$($rows:tt)*] $name:ident $row:tt $($more:tt)*) => {
        kernel!($name $vectors $($rows)* $row);
        kernels!(@ $vectors [$($rows)* $row] $($more)*);
    };
    (@ $vectors:tt [$($rows:tt)*]) => {};
}

kernels! {
    narrow ["zmm27" "0"]
    one ("zmm30" "{first}" "zmm0" "0" "zmm27")
    two ("zmm31" "{first} + {one}" "zmm1" "0" "zmm27")
    three ("zmm30" "{first} + 2 * {one}" "zmm2" "0" "zmm27")
    four ("zmm31" "{first} + {three}" "zmm3" "0" "zmm27")
    five ("zmm30" "{first} + 4 * {one}" "zmm4" "0" "zmm27")
    six ("zmm31" "{first} + {five}" "zmm5" "0" "zmm27")
    seven ("zmm30" "{first} + 2 * {three}" "zmm6" "0" "zmm27")
    eight ("zmm31" "{first} + {seven}" "zmm7" "0" "zmm27")
    nine ("zmm30" "{first} + 8 * {one}" "zmm8" "0" "zmm27")
}

kernels! {
    middle ["zmm27" "0" "zmm28" "64"]
    one ("zmm30" "{first}" "zmm0" "0" "zmm27" "zmm1" "64" "zmm28")
    two ("zmm31" "{first} + {one}" "zmm2" "0" "zmm27" "zmm3" "64" "zmm28")
    three ("zmm30" "{first} + 2 * {one}" "zmm4" "0" "zmm27" "zmm5" "64" "zmm28")
    four ("zmm31" "{first} + {three}" "zmm6" "0" "zmm27" "zmm7" "64" "zmm28")
    five ("zmm30" "{first} + 4 * {one}" "zmm8" "0" "zmm27" "zmm9" "64" "zmm28")
    six ("zmm31" "{first} + {five}" "zmm10" "0" "zmm27" "zmm11" "64" "zmm28")
    seven ("zmm30" "{first} + 2 * {three}" "zmm12" "0" "zmm27" "zmm13" "64" "zmm28")
    eight ("zmm31" "{first} + {seven}" "zmm14" "0" "zmm27" "zmm15" "64" "zmm28")
    nine ("zmm30" "{first} + 8 * {one}" "zmm16" "0" "zmm27" "zmm17" "64" "zmm28")
}

kernels! {
    wide ["zmm27" "0" "zmm28" "64" "zmm29" "128"]
    one ("zmm30" "{first}" "zmm0" "0" "zmm27" "zmm1" "64" "zmm28" "zmm2" "128" "zmm29")
    two ("zmm31" "{first} + {one}" "zmm3" "0" "zmm27" "zmm4" "64" "zmm28" "zmm5" "128" "zmm29")
    three ("zmm30" "{first} + 2 * {one}" "zmm6" "0" "zmm27" "zmm7" "64" "zmm28" "zmm8" "128" "zmm29")
    four ("zmm31" "{first} + {three}" "zmm9" "0" "zmm27" "zmm10" "64" "zmm28" "zmm11" "128" "zmm29")
    five ("zmm30" "{first} + 4 * {one}" "zmm12" "0" "zmm27" "zmm13" "64" "zmm28" "zmm14" "128" "zmm29")
    six ("zmm31" "{first} + {five}" "zmm15" "0" "zmm27" "zmm16" "64" "zmm28" "zmm17" "128" "zmm29")
    seven ("zmm30" "{first} + 2 * {three}" "zmm18" "0" "zmm27" "zmm19" "64" "zmm28" "zmm20" "128" "zmm29")
    eight ("zmm31" "{first} + {seven}" "zmm21" "0" "zmm27" "zmm22" "64" "zmm28" "zmm23" "128" "zmm29")
    nine ("zmm30" "{first} + 8 * {one}" "zmm24" "0" "zmm27" "zmm25" "64" "zmm28" "zmm26" "128" "zmm29")
}
