// InteractiveSession: the Interactive contract, a component that takes events and gives frames.
//
// Promises: the shape is checked before anything runs; the frame's size is read once and every
// frame has exactly that many bytes, inside the component's memory; a frame is borrowed until the
// next call. The session has no clock: every call is told the time, in milliseconds that never go
// back. Assumes: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "host/component.hpp"
#include "host/error.hpp"
#include "host/uniforms.hpp"
#include "loader/result.hpp"

namespace qip {

// Of key_event's flags.
enum KeyFlags : uint32_t {
  kKeyDown = 1,
  kKeyRepeat = 2,
  kKeyShift = 4,
  kKeyControl = 8,
  kKeyAlt = 16,
  kKeyMeta = 32,
};

// Of pointer_event's button mask.
enum PointerButtons : uint32_t { kPrimaryButton = 1, kMiddleButton = 2, kSecondaryButton = 4 };

class InteractiveSession {
 public:
  // Reads the frame's byte count, applies the uniforms, reads width and height, in this order.
  // `instance` outlives the session. Precondition: check_uniforms() found nothing.
  static Result<InteractiveSession, HostError> bind(ComponentInstance& instance,
                                                    const Uniforms& uniforms);

  uint32_t width() const { return width_; }    // pixels, at least 1
  uint32_t height() const { return height_; }  // pixels, at least 1
  bool takes_keys() const { return key_event_ != nullptr; }
  bool takes_pointer() const { return pointer_event_ != nullptr; }

  // When the component wants to be called next, in the clock of `now`; empty: only after an event.
  // A time that has passed already is given as it is.
  Result<std::optional<int64_t>, HostError> tick(int64_t now);

  // Each tells whether a new frame is worth rendering; false without a call if the component does
  // not take such events.
  Result<bool, HostError> key_event(uint32_t x11_keysym, uint32_t flags, int64_t now);
  Result<bool, HostError> pointer_event(uint32_t buttons, int32_t x, int32_t y, int64_t now);

  // width * height pixels, rows from the top, R, G, B, A bytes each, straight alpha. Void after the
  // next call of any kind.
  Result<GuestBytes, HostError> render();

 private:
  explicit InteractiveSession(ComponentInstance& instance) : instance_(&instance) {}
  MaybeError read_size();
  MaybeError check_size(uint64_t size, std::string_view source) const;
  Result<bool, HostError> call_event(FunctionInstance* function, std::span<const Value> arguments,
                                     std::string_view name);
  uint64_t frame_bytes() const { return uint64_t{width_} * height_ * 4; }

  ComponentInstance* instance_;
  FunctionInstance* key_event_ = nullptr;
  FunctionInstance* pointer_event_ = nullptr;
  uint32_t announced_bytes_ = 0;
  uint32_t width_ = 0;
  uint32_t height_ = 0;
};

}  // namespace qip
