// The Content contract: a typed view of a component's exports, and one render of it.
//
// Promises: every value export is read once per render and that copy is used (output_ptr after the
// call, all others before the input is written); sizes are computed in 64 bits; nothing that the
// component exports or returns makes the host read or write outside its memory.
// Accepts side by side: `render` (preferred) and `run`; values as functions, immutable and mutable
// globals; an i32 byte count, or a packed i64 that carries pointer and count or a rejection.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "host/component.hpp"
#include "host/content_type.hpp"
#include "host/error.hpp"
#include "host/guest_memory.hpp"
#include "loader/result.hpp"

namespace qip {

enum class Encoding : uint8_t { Utf8, Raw, I32 };
// "utf8", "raw", "i32[]".
const char* encoding_text(Encoding encoding);
// Bytes of one item that capacities and results count: 4 for I32, else 1.
constexpr uint64_t item_bytes(Encoding encoding) {
  return encoding == Encoding::I32 ? 4 : 1;
}
// I32 items as people see them: eight lower-case hexadecimal digits and a newline for each. Bytes
// behind the last whole item are left out.
std::string item_lines(std::span<const uint8_t> bytes);

enum class EntryResult : uint8_t {
  Count,   // (i32) -> i32: items of output
  Packed,  // (i32) -> i64: pointer and byte count, or a rejection
};

// What the exports say, before anything runs. Names are string literals; null: not exported.
struct ContentContract {
  const char* entry = nullptr;  // "render" or "run"
  EntryResult entry_result = EntryResult::Count;
  const char* input_capacity = nullptr;  // null: a generator, which takes no input
  Encoding input_encoding = Encoding::Raw;
  bool has_output_ptr = false;
  const char* output_capacity = nullptr;  // null: the result itself is all there is to see
  Encoding output_encoding = Encoding::Raw;
  bool may_reject = false;  // failure_modes_per_input_offset is exported
};

// The sentence of an error says what must be exported.
Result<ContentContract, std::string> content_contract(const Module& module);

// The value exports, as read before the call.
struct ContentValues {
  uint32_t input_ptr = 0;
  uint32_t input_capacity = 0;   // bytes
  uint32_t output_capacity = 0;  // items
  uint32_t failure_modes = 0;    // per input offset
};

struct StageOutput {
  Encoding encoding = Encoding::Raw;
  std::optional<GuestBytes> bytes;  // empty: the component has no output, only `result`
  uint32_t result = 0;

  uint64_t size() const { return bytes ? bytes->size() : 0; }
};

// A component instance bound to the Content contract.
class ContentStage {
 public:
  // Checks the exports and reads the values and content types. `instance` outlives the stage.
  static Result<ContentStage, HostError> bind(ComponentInstance& instance);

  const ContentContract& contract() const { return contract_; }
  const ContentValues& values() const { return values_; }
  const DeclaredTypes& types() const { return types_; }
  ComponentInstance& instance() const { return *instance_; }

  // Where input goes, as much of the capacity as lies inside the memory; empty if input_ptr does
  // not. For a generator: no bytes.
  std::optional<GuestBytes> input_room() const;
  // The error of an input of `size` bytes, if it is one. `at_least`: the input may be longer.
  MaybeError check_input_size(uint64_t size, bool at_least = false) const;
  // Copies the input in. Precondition: check_input_size().
  MaybeError write_input(std::span<const uint8_t> input) const;

  // Calls the entry for the `input_size` bytes that are at input_ptr.
  Result<StageOutput, HostError> render(uint32_t input_size);

 private:
  ContentStage(ComponentInstance& instance, const ContentContract& contract)
      : instance_(&instance), contract_(contract) {}
  MaybeError read_values();
  Result<StageOutput, HostError> counted_output(uint32_t count);
  Result<StageOutput, HostError> packed_output(uint64_t packed, uint32_t input_size);
  Result<StageOutput, HostError> output_at(uint32_t pointer, uint32_t count);
  HostError rejection(uint64_t packed, uint32_t input_size) const;

  ComponentInstance* instance_;
  ContentContract contract_;
  ContentValues values_;
  DeclaredTypes types_;
};

}  // namespace qip
