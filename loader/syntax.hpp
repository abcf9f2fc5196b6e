// The grammar of instructions and types, shared by decode() and validate(): what bytes make up an
// instruction, whatever it means.
//
// Promises: every function reads through a Reader and reports there; nothing is allocated but one
// byte per open block in skip_expression(); no recursion.
// Source: specification, "Binary Format/Types" and "Binary Format/Instructions".
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "loader/module.hpp"
#include "loader/opcodes.hpp"
#include "loader/reader.hpp"

namespace qip {

// Reports the opcode that was read from `start` on: a hole in the table, or a feature is missing.
void report_illegal_opcode(Reader& reader, uint64_t start, Opcode opcode);

// The next opcode; kNoOpcode after an error.
inline Opcode read_opcode(Reader& reader, FeatureSet features) {
  const uint64_t start = reader.offset();
  const uint8_t first = reader.byte();
  const Opcode opcode =
      first < 0xFC ? opcode_tables::kPlain[first] : opcode_at(first, reader.u32());
  if (reader.failed()) return kNoOpcode;
  if (opcode == kNoOpcode || !features.has(opcode_info(opcode).feature)) {
    report_illegal_opcode(reader, start, opcode);
    return kNoOpcode;
  }
  return opcode;
}

// Some value type after an error.
ValueType read_value_type(Reader& reader, FeatureSet features);
ValueType read_reference_type(Reader& reader, FeatureSet features);

// The type of a block as it is encoded, an s33: a type index, or the single byte of a value type or
// of kNoResult seen as a negative number.
inline constexpr int64_t kNoResult = -0x40;
int64_t read_block_type(Reader& reader, FeatureSet features);
// Precondition: block_type is negative and not kNoResult.
constexpr ValueType single_result(int64_t block_type) {
  return static_cast<ValueType>(block_type & 0x7F);
}

struct MemoryArgument {
  uint32_t alignment = 0;  // its base-2 logarithm, below 128
  uint64_t offset = 0;     // beyond 32 bits only with Feature::WideFields
};
MemoryArgument read_memory_argument(Reader& reader, FeatureSet features);

// The memory of an instruction: a zero byte in 2.0, an index with Feature::WideFields. There is no
// second memory, so validate() lets only the zero byte through.
uint32_t read_memory_index(Reader& reader, FeatureSet features);

// The number of a data segment in code. The grammar demands a data count section then.
uint32_t read_data_index(Reader& reader, const Module& module);

// Over what follows an opcode in the code.
void skip_immediate(Reader& reader, const Module& module, Immediate immediate);

// From the first instruction to the `end` that closes the expression. `open_blocks` is only working
// space, so that many expressions need one allocation.
void skip_expression(Reader& reader, const Module& module, std::vector<bool>* open_blocks);

// The first function body that does not follow the grammar, if there is one. Malformed comes before
// invalid, and bodies are read and validated in one go: so this looks at all of them once something
// was found invalid.
std::optional<LoadError> find_malformed_code(const Module& module);

// Sentences that more than one place says.
inline constexpr const char* kAfterEnd = "section size mismatch: bytes after the final end";
inline constexpr const char* kMemorySizeMessage = "memory size must be at most 65536 pages (4GiB)";

}  // namespace qip
