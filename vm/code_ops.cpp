#include "vm/code_ops.hpp"

#include <utility>

namespace qip {
namespace {

template <size_t... parts>
const int32_t* part_table(size_t part, std::index_sequence<parts...>) {
  const int32_t* result = nullptr;
  ((part == parts ? (void)(result = handler_part<parts>()) : (void)0), ...);
  return result;
}

constexpr std::array<uint16_t, kHandlerPartCount + 1> make_part_begins() {
  std::array<uint16_t, kHandlerPartCount + 1> begins{};
  for (size_t i = 0; i <= kHandlerPartCount; i++) begins[i] = static_cast<uint16_t>(part_begin(i));
  return begins;
}
constexpr auto kPartBegins = make_part_begins();

// Per operation: its part, so that a look-up needs no search.
constexpr std::array<uint8_t, kCodeOpCount> make_part_of() {
  std::array<uint8_t, kCodeOpCount> parts{};
  size_t part = 0;
  for (size_t i = 0; i < kCodeOpCount; i++) {
    while (part + 1 < kHandlerPartCount && i >= kPartBegins[part + 1]) part++;
    parts[i] = static_cast<uint8_t>(part);
  }
  return parts;
}
constexpr auto kPartOf = make_part_of();

// Per operation: where its handlers begin in the table of its part.
constexpr std::array<uint16_t, kCodeOpCount> make_entry_begins() {
  std::array<uint16_t, kCodeOpCount> begins{};
  size_t begin = 0;
  for (size_t i = 0; i < kCodeOpCount; i++) {
    if (i == kPartBegins[kPartOf[i]]) begin = 0;
    begins[i] = static_cast<uint16_t>(begin);
    begin += table_entry_count(kCodeOpInfoTable[i]);
  }
  return begins;
}
constexpr auto kEntryBegins = make_entry_begins();

// False if the operation's row does not name the place. An operand that it does not have is
// always fine.
bool advance(Places set, Kind kind, size_t* index) {
  if (set == 0) return true;
  if (!contains(set, kind)) return false;
  *index = *index * place_count(set) + position_of(set, kind);
  return true;
}

}  // namespace

Handler find_handler(CodeOp op, Kind d, Kind a, Kind b, Kind c) {
  const auto number = static_cast<size_t>(op);
  const CodeOpInfo& info = kCodeOpInfoTable[number];
  size_t index = 0;
  if (!advance(info.d, d, &index) || !advance(info.a, a, &index) || !advance(info.b, b, &index) ||
      !advance(info.c, c, &index)) {
    return nullptr;
  }
  if (info.form == Form::None) return nullptr;
  const int32_t* entry =
      part_table(kPartOf[number], std::make_index_sequence<kHandlerPartCount>{}) +
      kEntryBegins[number] + index;
  if (*entry == 0) return nullptr;
  return reinterpret_cast<Handler>(reinterpret_cast<uintptr_t>(entry) + *entry);
}

const char* code_op_name(CodeOp op) {
  static constexpr const char* kNames[] = {
#define OP(Name, ...) #Name,
#include "loader/opcodes.def"
#undef OP
#define CODE_OP(Name, ...) #Name,
#include "vm/code_ops.def"
#undef CODE_OP
  };
  return op < CodeOp::kCount ? kNames[static_cast<size_t>(op)] : "(none)";
}

}  // namespace qip
