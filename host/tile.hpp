// The Tile contract: a typed view of a filter's exports, prepared for one image, and one call of it
// for one tile.
//
// Promises: input_ptr and input_bytes_cap are read once; sizes are computed in 64 bits, so that no
// halo and no capacity wraps; the buffer lies inside the memory, which never shrinks.
// Order: bind() after the user's uniforms; prepare() once, after every filter of the block is
// bound; then tiles.
// Accepts side by side: tile_rgba32float_64x64 (preferred) and tile_rgba_f32_64x64; values as
// functions and globals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/component.hpp"
#include "host/error.hpp"
#include "host/guest_memory.hpp"
#include "host/tile_plane.hpp"
#include "loader/result.hpp"

namespace qip {

// What can be told from the exports alone. The error names the component.
MaybeError check_tile(const Component& component);

class TileStage {
 public:
  // Checks the exports and reads pointer and capacity. `instance` outlives the stage.
  static Result<TileStage, HostError> bind(ComponentInstance& instance);

  // Tells the filter the size of the image, asks for its halo, and checks that the buffer holds the
  // square and lies inside the memory.
  MaybeError prepare(uint32_t width, uint32_t height);

  uint32_t capacity() const { return capacity_; }
  // Pixels around the tile that the filter sees besides; 0 before prepare().
  uint32_t halo() const { return halo_; }
  // The side of the square that goes into the buffer, in pixels.
  uint32_t span() const { return kTileSide + 2 * halo_; }

  // span() * span() float pixels, void after run(). Precondition: prepare() found nothing wrong.
  GuestBytes buffer() const;
  // Calls the filter for the tile whose own top left pixel is (x, y).
  MaybeError run(uint32_t x, uint32_t y);

  ComponentInstance& instance() const { return *instance_; }

 private:
  explicit TileStage(ComponentInstance& instance) : instance_(&instance) {}
  uint64_t buffer_bytes() const { return uint64_t{span()} * span() * kPixelFloatBytes; }
  MaybeError set_size(uint32_t width, uint32_t height);
  MaybeError read_halo();

  ComponentInstance* instance_;
  FunctionInstance* entry_ = nullptr;
  std::string context_;         // of errors
  std::vector<Value> results_;  // as many as the entry gives; nobody looks at them
  uint32_t pointer_ = 0;
  uint32_t capacity_ = 0;  // bytes
  uint32_t halo_ = 0;
};

}  // namespace qip
