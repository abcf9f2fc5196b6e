// Parts of libjpeg that this program never reaches but that its other parts name, so that a static
// link would bring them: 240 KB. Because these definitions come first, the library's own stay out.
//
// Assumes: the names of libjpeg-turbo 2.1 for x86-64. With another version or machine, what is not
// named here is linked, or the linker says that it is there twice. Reducing colours, upsampling
// without smoothing and writing JPEG are never asked of the library.
#include <cstdint>
#include <cstdlib>

extern "C" {

void jinit_1pass_quantizer() {
  abort();
}
void jinit_2pass_quantizer() {
  abort();
}
void jinit_merged_upsampler() {
  abort();
}

// The vector code for what is left out above, and for writing: colours to YCbCr and to grey, and
// Huffman coding with its 100 KB of tables. First each family's constants, then its functions, one
// for every order of the colours in a pixel.
#define LEAVE_OUT_CONSTANTS(name)       \
  extern const uint8_t jconst_##name[]; \
  const uint8_t jconst_##name[1] = {0};
#define LEAVE_OUT(name) \
  void jsimd_##name() { \
    abort();            \
  }
#define LEAVE_OUT_FAMILY(before, after) \
  LEAVE_OUT(before##rgb_##after)        \
  LEAVE_OUT(before##extrgb_##after)     \
  LEAVE_OUT(before##extrgbx_##after)    \
  LEAVE_OUT(before##extbgr_##after)     \
  LEAVE_OUT(before##extbgrx_##after)    \
  LEAVE_OUT(before##extxbgr_##after)    \
  LEAVE_OUT(before##extxrgb_##after)
#define LEAVE_OUT_MERGED(before, after) \
  LEAVE_OUT(before##after)              \
  LEAVE_OUT(before##extrgb_##after)     \
  LEAVE_OUT(before##extrgbx_##after)    \
  LEAVE_OUT(before##extbgr_##after)     \
  LEAVE_OUT(before##extbgrx_##after)    \
  LEAVE_OUT(before##extxbgr_##after)    \
  LEAVE_OUT(before##extxrgb_##after)
#define LEAVE_OUT_COLOURS(vectors)                   \
  LEAVE_OUT_CONSTANTS(rgb_ycc_convert_##vectors)     \
  LEAVE_OUT_FAMILY(, ycc_convert_##vectors)          \
  LEAVE_OUT_CONSTANTS(rgb_gray_convert_##vectors)    \
  LEAVE_OUT_FAMILY(, gray_convert_##vectors)         \
  LEAVE_OUT_CONSTANTS(merged_upsample_##vectors)     \
  LEAVE_OUT_MERGED(h2v1_, merged_upsample_##vectors) \
  LEAVE_OUT_MERGED(h2v2_, merged_upsample_##vectors)

LEAVE_OUT_COLOURS(sse2)
LEAVE_OUT_COLOURS(avx2)
LEAVE_OUT_CONSTANTS(huff_encode_one_block)
LEAVE_OUT(huff_encode_one_block_sse2)

// A static link names this in the place of sscanf, with which the library's memory manager alone
// would read a number from the environment. It reads none, so the environment has no say in the
// bounds, and sscanf stays out.
int __wrap___isoc99_sscanf(const char*, const char*, ...) {
  return 0;
}

}  // extern "C"
