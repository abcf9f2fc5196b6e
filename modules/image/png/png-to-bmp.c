// A PNG file as a bitmap of 32 bits a pixel with straight alpha: all colour types and depths,
// interlaced or not, transparency included. Of 16 bits, the higher 8 count; colour profiles and
// gamma do not.
// Traps on everything that is not one whole and correct file: a wrong CRC or checksum, an unknown
// critical chunk, chunks out of order, too few or too many bytes of image, an index beyond the
// palette, bytes behind the end. Up to 16,777,216 pixels and kMaxScanlineBytes before compression
// (which 16 bits with alpha reach at 10,485,760 pixels).
#include "image/bmp/bmp.h"

enum { kMaxScanlineBytes = 5 * kMaxPixels };

INPUT_BYTES(kMaxScanlineBytes + 65536)
OUTPUT_BYTES(kBmpOutputCap)
OUTPUT_CONTENT_TYPE("image/bmp")

#include "bytes/inflate.h"
#include "image/bmp/bmp_writer.h"
#include "image/png/png_format.h"

static uint8_t scanlines[kMaxScanlineBytes];

// What the chunks before the image say. Colours are pixels of a bitmap.
static struct {
  uint32_t width, height, depth;
  ColorType color_type;
  bool is_interlaced;
  uint32_t palette[256];
  uint32_t palette_len;         // 0 for none
  bool has_transparent_sample;  // of kGrey and kRgb: pixels with these samples are transparent
  uint32_t transparent_sample[3];
} image;

static inline uint32_t load_big16(const uint8_t* at) {
  return (uint32_t)(at[0] << 8 | at[1]);
}

static inline uint32_t load_big32(const uint8_t* at) {
  return __builtin_bswap32(load32(at));
}

static uint32_t channel_count(void) {
  switch (image.color_type) {
    case kRgb:
      return 3;
    case kRgba:
      return 4;
    case kGreyAlpha:
      return 2;
    default:
      return 1;
  }
}

// --- Chunks --------------------------------------------------------------------------------------

typedef struct {
  uint32_t type;  // four letters, the first one highest
  const uint8_t* data;
  uint32_t len;
} Chunk;

#define CHUNK_TYPE(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

// The chunk at the head of the bytes, with its CRC checked.
static Chunk read_chunk(const uint8_t* bytes, uint32_t len) {
  require(len >= kChunkFrameBytes);
  const Chunk chunk = {load_big32(bytes + 4), bytes + 8, load_big32(bytes)};
  require(chunk.len <= len - kChunkFrameBytes);
  for (uint32_t i = 4; i < 8; ++i) require(is_letter(bytes[i]));
  require(load_big32(chunk.data + chunk.len) == crc32(bytes + 4, chunk.len + 4));
  return chunk;
}

// Table 12: the depths that a colour type may have, as a set of bits.
static uint32_t allowed_depths(uint32_t color_type) {
  switch (color_type) {
    case kGrey:
      return 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16;
    case kPalette:
      return 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8;
    case kRgb:
    case kGreyAlpha:
    case kRgba:
      return 1 << 8 | 1 << 16;
    default:
      return 0;
  }
}

static void read_header(Chunk chunk) {
  require(chunk.type == CHUNK_TYPE('I', 'H', 'D', 'R') && chunk.len == kHeaderChunkBytes);
  const uint8_t* const data = chunk.data;
  __builtin_memset(&image, 0, sizeof image);
  image.width = load_big32(data);
  image.height = load_big32(data + 4);
  require(fits_output(image.width, image.height));
  image.depth = data[8];
  require(image.depth <= 16 && (allowed_depths(data[9]) >> image.depth & 1) != 0);
  image.color_type = (ColorType)data[9];
  require(data[10] == 0 && data[11] == 0 && data[12] <= 1);
  image.is_interlaced = data[12] == 1;
}

static void read_palette(Chunk chunk) {
  require(image.palette_len == 0 && !image.has_transparent_sample);
  require(image.color_type != kGrey && image.color_type != kGreyAlpha);
  image.palette_len = chunk.len / 3;
  const uint32_t most = image.color_type == kPalette ? 1u << image.depth : 256;
  require(chunk.len % 3 == 0 && image.palette_len > 0 && image.palette_len <= most);
  for (uint32_t i = 0; i < image.palette_len; ++i) {
    const uint8_t* const entry = chunk.data + 3 * i;
    image.palette[i] = 0xff000000 | (uint32_t)entry[0] << 16 | (uint32_t)entry[1] << 8 | entry[2];
  }
}

// The alpha of the first entries of the palette, or the one colour that is transparent, of which
// only the bits that samples have count.
static void read_transparency(Chunk chunk) {
  if (image.color_type == kPalette) {
    require(chunk.len > 0 && chunk.len <= image.palette_len);
    for (uint32_t i = 0; i < chunk.len; ++i)
      image.palette[i] = (image.palette[i] & 0xffffff) | (uint32_t)chunk.data[i] << 24;
    return;
  }
  require(image.color_type == kGrey || image.color_type == kRgb);
  const uint32_t channels = channel_count();
  require(chunk.len == 2 * channels);
  image.has_transparent_sample = true;
  for (uint32_t i = 0; i < channels; ++i)
    image.transparent_sample[i] = load_big16(chunk.data + 2 * i) & ((1u << image.depth) - 1);
}

// Reads the file up to its end. The parts of the compressed image are moved together, to where the
// first one stands; returns all of them as one chunk.
static Chunk read_chunks(const uint8_t* bytes, uint32_t len) {
  require(len >= kSignatureBytes);
  for (uint32_t i = 0; i < kSignatureBytes; ++i) require(bytes[i] == png_signature[i]);
  uint32_t at = kSignatureBytes;
  Chunk chunk = read_chunk(bytes + at, len - at);
  read_header(chunk);
  uint8_t* joined = 0;  // where the image is put together
  uint32_t joined_len = 0;
  bool is_complete = false;  // other chunks have followed the image
  bool has_transparency = false;
  for (;;) {
    at += chunk.len + kChunkFrameBytes;
    chunk = read_chunk(bytes + at, len - at);
    if (chunk.type == CHUNK_TYPE('I', 'D', 'A', 'T')) {
      require(!is_complete && (image.color_type != kPalette || image.palette_len > 0));
      if (joined == 0) joined = input + (chunk.data - bytes);
      __builtin_memmove(joined + joined_len, chunk.data, chunk.len);
      joined_len += chunk.len;
      continue;
    }
    is_complete = joined != 0;
    if (chunk.type == CHUNK_TYPE('P', 'L', 'T', 'E')) {
      require(!is_complete && !has_transparency);
      read_palette(chunk);
    } else if (chunk.type == CHUNK_TYPE('t', 'R', 'N', 'S')) {
      require(!is_complete && !has_transparency);
      read_transparency(chunk);
      has_transparency = true;
    } else if (chunk.type == CHUNK_TYPE('I', 'E', 'N', 'D')) {
      break;
    } else {
      require((chunk.type >> 24 & 0x20) != 0);  // a small letter: not critical
    }
  }
  require(is_complete && chunk.len == 0 && at + kChunkFrameBytes == len);
  return (Chunk){0, joined, joined_len};
}

// --- Passes --------------------------------------------------------------------------------------

// The pixels of a pass: from `x` and `y` in steps. An image that is not interlaced has one pass.
typedef struct {
  uint32_t x, y, step_x, step_y;
} Pass;

static const Pass whole_image = {0, 0, 1, 1};
enum { kInterlacePasses = 7 };
static const Pass interlace_passes[kInterlacePasses] = {
    {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
    {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
};

static uint32_t steps_within(uint32_t from, uint32_t to, uint32_t step) {
  return from < to ? (to - from + step - 1) / step : 0;
}

static uint32_t pass_columns(const Pass* pass) {
  return steps_within(pass->x, image.width, pass->step_x);
}

static uint32_t pass_rows(const Pass* pass) {
  return pass_columns(pass) > 0 ? steps_within(pass->y, image.height, pass->step_y) : 0;
}

// The bytes of a scanline, without the one for its filter. At most 2^24 pixels of 64 bits.
static uint32_t row_bytes(uint32_t pixels) {
  return (pixels * channel_count() * image.depth + 7) / 8;
}

// --- Filters (section 9.2) -----------------------------------------------------------------------

// Restores one scanline where it stands; `above` is the one before it, all restored, or 0.
__attribute__((always_inline)) static inline void unfilter(FilterType filter, uint8_t* row,
                                                           const uint8_t* above, uint32_t count,
                                                           uint32_t pixel_bytes) {
  for (uint32_t i = 0; i < count; ++i) {
    const bool is_first = i < pixel_bytes;
    const uint32_t left = is_first ? 0 : row[i - pixel_bytes];
    const uint32_t up = above != 0 ? above[i] : 0;
    const uint32_t corner = above != 0 && !is_first ? above[i - pixel_bytes] : 0;
    row[i] = (uint8_t)(row[i] + expected_byte(filter, left, up, corner));
  }
}

static void unfilter_row(uint8_t filter, uint8_t* row, const uint8_t* above, uint32_t count) {
  const uint32_t bits = channel_count() * image.depth;
  const uint32_t pixel_bytes = bits < 8 ? 1 : bits / 8;
  switch (filter) {
    case kNoFilter:
      break;
    case kSubFilter:
      unfilter(kSubFilter, row, above, count, pixel_bytes);
      break;
    case kUpFilter:
      unfilter(kUpFilter, row, above, count, pixel_bytes);
      break;
    case kAverageFilter:
      unfilter(kAverageFilter, row, above, count, pixel_bytes);
      break;
    case kPaethFilter:
      unfilter(kPaethFilter, row, above, count, pixel_bytes);
      break;
    default:
      __builtin_trap();
  }
}

// --- Pixels --------------------------------------------------------------------------------------

// A sample of fewer than 8 bits, or 8; the leftmost one is in the highest bits.
static inline uint32_t packed_sample(const uint8_t* row, uint32_t i) {
  const uint32_t bit = i * image.depth;
  return row[bit / 8] >> (8 - image.depth - bit % 8) & ((1u << image.depth) - 1);
}

static inline bool is_transparent(uint32_t channel, uint32_t sample) {
  return image.has_transparent_sample && image.transparent_sample[channel] == sample;
}

static inline uint32_t grey_pixel(uint32_t grey, uint32_t alpha) {
  return alpha << 24 | grey * 0x010101;
}

static uint32_t grey_at(const uint8_t* row, uint32_t x) {
  const uint32_t sample = image.depth == 16 ? load_big16(row + 2 * x) : packed_sample(row, x);
  const uint32_t alpha = is_transparent(0, sample) ? 0 : 255;
  // All bits set is white, at every depth.
  return grey_pixel(image.depth == 16 ? sample >> 8 : sample * 255 / ((1u << image.depth) - 1),
                    alpha);
}

static uint32_t palette_at(const uint8_t* row, uint32_t x) {
  const uint32_t index = packed_sample(row, x);
  require(index < image.palette_len);
  return image.palette[index];
}

static uint32_t rgb_at(const uint8_t* row, uint32_t x) {
  const uint32_t bytes = image.depth / 8;
  const uint8_t* const pixel = row + 3 * x * bytes;
  bool transparent = true;
  for (uint32_t i = 0; i < 3; ++i) {
    const uint8_t* const sample = pixel + i * bytes;
    transparent = transparent && is_transparent(i, bytes == 2 ? load_big16(sample) : *sample);
  }
  const uint32_t alpha = transparent ? 0 : 255;
  return alpha << 24 | (uint32_t)pixel[0] << 16 | (uint32_t)pixel[bytes] << 8 | pixel[2 * bytes];
}

static uint32_t grey_alpha_at(const uint8_t* row, uint32_t x) {
  const uint32_t bytes = image.depth / 8;
  const uint8_t* const pixel = row + 2 * x * bytes;
  return grey_pixel(pixel[0], pixel[bytes]);
}

static uint32_t rgba_at(const uint8_t* row, uint32_t x) {
  const uint32_t bytes = image.depth / 8;
  const uint8_t* const pixel = row + 4 * x * bytes;
  return (uint32_t)pixel[3 * bytes] << 24 | (uint32_t)pixel[0] << 16 | (uint32_t)pixel[bytes] << 8 |
         pixel[2 * bytes];
}

// Writes the pixels of a scanline to a row of the bitmap, from its byte `to` on.
__attribute__((always_inline)) static inline void place_pixels(uint32_t (*pixel_at)(const uint8_t*,
                                                                                    uint32_t),
                                                               const uint8_t* row, uint32_t count,
                                                               uint8_t* to, uint32_t step) {
  for (uint32_t x = 0; x < count; ++x, to += 4 * step) store32(to, pixel_at(row, x));
}

static void place_row(const uint8_t* row, uint32_t count, uint8_t* to, uint32_t step) {
  switch (image.color_type) {
    case kGrey:
      place_pixels(grey_at, row, count, to, step);
      break;
    case kPalette:
      place_pixels(palette_at, row, count, to, step);
      break;
    case kRgb:
      place_pixels(rgb_at, row, count, to, step);
      break;
    case kGreyAlpha:
      place_pixels(grey_alpha_at, row, count, to, step);
      break;
    default:
      place_pixels(rgba_at, row, count, to, step);
  }
}

// Places all pixels of a pass, whose scanlines begin at `from`; returns the end of them. `top` is
// the top row of the bitmap.
static uint8_t* place_pass(const Pass* pass, uint8_t* from, uint8_t* top) {
  const uint32_t columns = pass_columns(pass), rows = pass_rows(pass);
  const uint32_t bytes = row_bytes(columns);
  const uint8_t* above = 0;
  for (uint32_t i = 0; i < rows; ++i) {
    const uint32_t y = pass->y + i * pass->step_y;
    unfilter_row(from[0], from + 1, above, bytes);
    above = from + 1;
    place_row(above, columns, top - 4 * image.width * y + 4 * pass->x, pass->step_x);
    from += 1 + bytes;
  }
  return from;
}

RENDER(uint32_t input_len) {
  output_len = 0;
  const Chunk data = read_chunks(input, input_len);
  const Pass* const passes = image.is_interlaced ? interlace_passes : &whole_image;
  const uint32_t pass_count = image.is_interlaced ? kInterlacePasses : 1;
  uint64_t wanted = 0;
  for (uint32_t i = 0; i < pass_count; ++i)
    wanted += (uint64_t)(1 + row_bytes(pass_columns(&passes[i]))) * pass_rows(&passes[i]);
  require(wanted <= kMaxScanlineBytes);
  require(inflate_zlib(data.data, data.len, scanlines, (uint32_t)wanted) == wanted);

  uint8_t* const top = begin_bmp(image.width, image.height);
  uint8_t* from = scanlines;
  for (uint32_t i = 0; i < pass_count; ++i) from = place_pass(&passes[i], from, top);
  return output_len;
}
