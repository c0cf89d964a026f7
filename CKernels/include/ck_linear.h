#ifndef CK_LINEAR_H
#define CK_LINEAR_H

#include "ck_context.h"

/// Element type of weights, in files and in panels.
typedef enum ck_weight_type {
    CK_WEIGHT_F32 = 0,
    CK_WEIGHT_F16 = 1,
    CK_WEIGHT_BF16 = 2,
    CK_WEIGHT_I8 = 3,  ///< int8 times a scale; panels only
    CK_WEIGHT_I4 = 4,  ///< four bits less 8, times a scale; panels only
    // Scales that are products, and a minimum or a scale for each half of a group: what quantized files hold.
    CK_WEIGHT_I8A = 5,  ///< eight bits times a scale, and a minimum; panels only
    CK_WEIGHT_I4A = 6,  ///< four bits times a scale, and a minimum; panels only
    CK_WEIGHT_I8H = 7,  ///< int8 times a scale for each half of a group; panels only
} ck_weight_type;

/// Columns (outputs) held side by side in one panel.
enum { CK_PANEL_COLUMNS = 16 };

/// Neighbouring inputs of one output that share a scale in the integer types, and of one row in CK_ACTIVATION_I8.
enum { CK_GROUP = 32 };

/// Neighbouring groups of one output that share a factor of their scales in I8A, I4A and I8H.
enum { CK_RUN = 8 };

/// Most rows and panels one linear_tile call may be given.
enum { CK_TILE_ROWS_MAX = 24, CK_TILE_PANELS_MAX = 6 };

// Packed weights. A linear layer of K inputs and N outputs is held as ceil(N / 16) panels of 16 outputs, in the
// order in which a micro-kernel streams them:
//
//     F32, F16   panel[k][column]                     K x 16 elements
//     BF16       panel[k / 2][column][k % 2]          ceil(K / 2) x 16 x 2 elements: the pairs that the
//                                                     processors' bf16 dot products take
//     I8         pair[g / 2] of groups of 32 k: a line of binary16 scales [2][16], then for each group
//                q[k / 4][column][k % 4], signed: weight = scale * q
//     I4         the same with q[k % 16 / 4][column][k % 4] of bytes, the low half of each k, the high half k + 16:
//                weight = scale * (q - 8)
//     I8A        run[g / 8] of groups of 32 k: two lines of floats f[16], h[16], then for each group a line of
//                binary16 s[16], m[16] and q as in I8: weight = (f * s) * (q + 128) + (h * m)
//     I4A        the same with q as in I4: weight = (f * s) * q + (h * m)
//     I8H        the same with q as in I8: weight = (f * s) * q for the first 16 k of a group, (h * m) * q for the
//                others
//
// I8 thus takes 8.5 bits a weight, I4 4.5, I8A and I8H 9.25, I4A 5.25: the quads are what the processors' byte dot
// products take. Missing outputs of the last panel, the missing second half of an odd K and what is missing in the last
// group are zero; of an odd number of groups the last has no partner, and the last run may be short.

/// Bytes of one panel.
size_t ck_panel_bytes(ck_weight_type type, int32_t num_inputs);

typedef struct ck_pack_args {
    const void *source;          ///< [N, K] of source_type; any alignment
    ck_weight_type source_type;
    int32_t num_inputs;          ///< K
    int32_t num_outputs;         ///< N
    void *panels;                ///< start of the packed layer, 64-byte aligned
    ck_weight_type type;         ///< element type of the panels
    int32_t first_panel;         ///< where the first panel of this source goes
    int32_t panel_step;          ///< distance between its panels: 1, or 2 to interleave gate and up
} ck_pack_args;

/// Packs a layer into panels of F32, F16, BF16, I8 or I4, converting elements (round to nearest, ties to even). I8: the
/// scale is the largest
/// magnitude of the group over 127; I4: of a few scales up to that which maps the extreme to -8, the one with the
/// least squared error. Scales are rounded to binary16 first, and are what counts.
///
/// Writes    panels first_panel + i * panel_step, for i in 0..<ceil(N / 16); whole panels, padding included.
/// Returns   -1, or the index (row * K + column) of the first source element that is not finite, or is not
///           after conversion (65,520 and more in F16; in I8 and I4 the first of a group whose scale is not). The
///           panels are then of no use.
/// Threads   splits panels into the shares of ck_linear, so that memory is first touched by the thread that mostly
///           reads it.
int64_t ck_pack_linear(const ck_context *context, const ck_pack_args *args);

typedef struct ck_unpack_args {
    const void *panels;
    ck_weight_type type;
    int32_t num_inputs;
    int32_t num_rows;        ///< T
    const int32_t *index;    ///< [T] which output (embedding: which token) each row takes
    float *out;              ///< [T, out_stride], K used
    size_t out_stride;
} ck_unpack_args;

/// Gathers rows of a packed matrix as floats: out[t, k] = W[index[t], k]. An embedding that shares its packed
/// copy with the output head is read by this. Numerics: exact, in I8 and I4 the scale times the integer; in the others
/// f * s and h * m are rounded to float, their use is one fused multiply and add.
void ck_embedding_gather(const ck_context *context, const ck_unpack_args *args);

/// What happens to a product before it is stored.
typedef enum ck_epilogue {
    CK_EPILOGUE_STORE = 0,   ///< out[t, n] = y
    CK_EPILOGUE_ADD = 1,     ///< out[t, n] = out[t, n] + y, the residual connection
    CK_EPILOGUE_SWIGLU = 2,  ///< gate and up panels alternate: out[t, n] = silu(gate) * up, silu(g) = g / (1 + exp(-g))
} ck_epilogue;

/// How the activations of a product are held.
typedef enum ck_activation {
    CK_ACTIVATION_F32 = 0,   ///< as they are
    CK_ACTIVATION_BF16 = 1,  ///< rounded to bf16 once per op; for BF16 weights only
    CK_ACTIVATION_I8 = 2,    ///< rounded to int8 times a float scale for each CK_GROUP once per op; for integer types
    /// The same with coarser scales, by which no two neighbours' magnitudes add to more than 128: what products of
    /// bytes want that saturate.
    CK_ACTIVATION_I8_PAIRS = 3,
} ck_activation;

typedef struct ck_linear_args {
    const float *x;              ///< [T, x_stride], K used
    size_t x_stride;
    int32_t num_rows;            ///< T
    int32_t num_inputs;          ///< K
    int32_t num_outputs;         ///< N: columns of the panels that count; gate plus up for SWIGLU
    const void *panels;          ///< packed weights, 64-byte aligned
    ck_weight_type type;
    const float *bias;           ///< [ceil(N / 16) * 16] in panel order, or NULL
    ck_epilogue epilogue;
    ck_activation activation;
    float *out;                  ///< [T, out_stride]; N columns used, N / 2 for SWIGLU
    size_t out_stride;
    void *scratch;               ///< ck_linear_scratch_bytes bytes, 64-byte aligned; may be NULL when that is 0
} ck_linear_args;

/// Linear layer: y[t, n] = bias[n] + sum over k of x[t, k] * W[n, k], then the epilogue.
///
/// Shapes    as the fields say. SWIGLU: panel 2i holds gate columns 16i..., panel 2i + 1 the up columns of the
///           same outputs; num_outputs counts whole panels of both (a multiple of 32), and out_columns =
///           num_outputs / 2 columns are written: a caller with F not a multiple of 16 has out_stride >= that.
/// Reads     K elements of each row of x; whole panels; whole panels of bias.
/// Writes    the used columns of out, once each.
/// Aliasing  out and scratch overlap nothing else.
/// Scratch   contents undefined before and after.
/// Numerics  each output is one float accumulator summed over k in ascending order (pairs of k for bf16
///           activations), by one thread, with fused multiply-add where the instruction set has it; bias and
///           epilogue follow. Bits depend on the row and the weights alone.
///           |error| <= (K + 2) * eps * sum over k of |x[t, k] * W[n, k]|, plus 2^-8 of that sum with bf16 activations.
///           With int8 activations a group's products are summed as integers, exactly, and acc = fma(sum, scale of the
///           weights * scale of the activations, acc) for each group in ascending order, in I8H for each half of one;
///           in I8A and I4A acc = fma(minimum, scale of the activations * their sum, acc) follows. Rounding moves x by
///           half a step at most, max |x| of the group / 254; with bounded pairs, max |x[2i]| + |x[2i + 1]| / 254.
///           CK_ACTIVATION_I8 is taken for CK_ACTIVATION_I8_PAIRS where weights are bytes (I8, I8A, I8H) and the
///           context's instruction set wants that.
/// Threads   take panels in pieces, each from an even share of its own first, then from the others'.
void ck_linear(const ck_context *context, const ck_linear_args *args);

size_t ck_linear_scratch_bytes(const ck_context *context, const ck_linear_args *args);

#endif
