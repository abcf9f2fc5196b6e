#include "loader/syntax.hpp"

#include <string>

namespace qip {
namespace {

constexpr uint8_t kFirstFreeMemoryFlag = 0x80;

std::string hex_byte(uint8_t byte) {
  static constexpr char kDigits[] = "0123456789abcdef";
  return {kDigits[byte >> 4], kDigits[byte & 15]};
}

void malformed_type(Reader& reader, uint64_t start, const char* what, uint8_t encoding) {
  reader.fail(LoadErrorClass::Malformed, start,
              std::string("malformed ") + what + " type " + hex_byte(encoding));
}

bool is_value_type(uint8_t encoding, FeatureSet features) {
  switch (encoding) {
    case 0x7F:
    case 0x7E:
    case 0x7D:
    case 0x7C:
      return true;
    case 0x7B:
      return features.has(Feature::Simd);
    case 0x70:
    case 0x6F:
      return features.has(Feature::ReferenceTypes);
    default:
      return false;
  }
}

void skip_indices(Reader& reader, uint64_t count) {
  for (; count > 0 && !reader.failed(); count--) reader.u32();
}

}  // namespace

void report_illegal_opcode(Reader& reader, uint64_t start, Opcode opcode) {
  std::string message = "illegal opcode";
  if (opcode == kNoOpcode) {
    const uint64_t end = reader.offset();
    reader.rewind(start);
    while (reader.offset() < end)
      message += " " + hex_byte(reader.byte());  // ends: at most 6 bytes
  } else {
    const OpcodeInfo& info = opcode_info(opcode);
    message += ": " + std::string(info.text) + " needs " + feature_text(info.feature);
  }
  reader.fail(LoadErrorClass::Malformed, start, std::move(message));
}

ValueType read_value_type(Reader& reader, FeatureSet features) {
  const uint64_t start = reader.offset();
  const uint8_t encoding = reader.byte();
  if (is_value_type(encoding, features)) return static_cast<ValueType>(encoding);
  malformed_type(reader, start, "value", encoding);
  return ValueType::I32;
}

ValueType read_reference_type(Reader& reader, FeatureSet features) {
  const uint64_t start = reader.offset();
  const uint8_t encoding = reader.byte();
  if (encoding == 0x70) return ValueType::FuncRef;
  if (encoding == 0x6F && features.has(Feature::ReferenceTypes)) return ValueType::ExternRef;
  malformed_type(reader, start, "reference", encoding);
  return ValueType::FuncRef;
}

int64_t read_block_type(Reader& reader, FeatureSet features) {
  const uint64_t start = reader.offset();
  const uint8_t first = reader.peek();
  // Negative numbers stand for single bytes, so no longer encoding of them will do.
  if ((first & 0xC0) == 0x40) {
    reader.byte();
    if (first != 0x40 && !is_value_type(first, features)) {
      malformed_type(reader, start, "block", first);
    }
    return int64_t{first} - 0x80;
  }
  const int64_t type_index = reader.s33();
  if (!reader.failed() && (type_index < 0 || !features.has(Feature::MultiValue))) {
    malformed_type(reader, start, "block", first);
  }
  return reader.failed() ? kNoResult : type_index;
}

// 2.0 lets the alignment be any number and calls too large ones invalid; from 3.0 on a number of
// 128 or more is malformed, and that is what it is here for every version.
MemoryArgument read_memory_argument(Reader& reader, FeatureSet features) {
  const uint64_t start = reader.offset();
  MemoryArgument argument;
  argument.alignment = reader.u32();
  if (argument.alignment >= kFirstFreeMemoryFlag) {
    reader.fail(LoadErrorClass::Malformed, start, "malformed memop flags");
  }
  argument.offset = features.has(Feature::WideFields) ? reader.u64() : reader.u32();
  return argument;
}

uint32_t read_memory_index(Reader& reader, FeatureSet features) {
  const uint64_t start = reader.offset();
  const uint8_t first = reader.byte();
  if (first == 0) return 0;
  reader.rewind(start);
  const uint32_t index = features.has(Feature::WideFields) ? reader.u32() : 0;
  if (index == 0) reader.fail(LoadErrorClass::Malformed, start, "zero byte expected");
  return index;
}

// In a module without any data segment the number is wrong in the first place; that it is unknown,
// which validate() says, is then the better answer.
uint32_t read_data_index(Reader& reader, const Module& module) {
  const uint64_t start = reader.offset();
  const uint32_t index = reader.u32();
  if (!module.data_count && !module.data_segments.empty()) {
    reader.fail(LoadErrorClass::Malformed, start, "data count section required");
  }
  return index;
}

void skip_immediate(Reader& reader, const Module& module, Immediate immediate) {
  if (is_memory_argument(immediate)) read_memory_argument(reader, module.features);
  if (has_lane(immediate)) {
    reader.byte();
    return;
  }
  switch (immediate) {
    case Immediate::BlockType:
      read_block_type(reader, module.features);
      return;
    case Immediate::Label:
    case Immediate::Function:
    case Immediate::Local:
    case Immediate::Global:
    case Immediate::Table:
    case Immediate::Element:
      return skip_indices(reader, 1);
    case Immediate::CallIndirect:
    case Immediate::TableInit:
    case Immediate::TableCopy:
      return skip_indices(reader, 2);
    case Immediate::LabelTable:
      return skip_indices(reader, uint64_t{reader.count()} + 1);
    case Immediate::SelectTypes:
      for (uint32_t count = reader.count(); count > 0 && !reader.failed(); count--) {
        read_value_type(reader, module.features);
      }
      return;
    case Immediate::Data:
      read_data_index(reader, module);
      return;
    case Immediate::MemoryInit:
      read_data_index(reader, module);
      read_memory_index(reader, module.features);
      return;
    case Immediate::Memory:
      read_memory_index(reader, module.features);
      return;
    case Immediate::MemoryCopy:
      read_memory_index(reader, module.features);
      read_memory_index(reader, module.features);
      return;
    case Immediate::ReferenceType:
      read_reference_type(reader, module.features);
      return;
    case Immediate::I32:
      reader.s32();
      return;
    case Immediate::I64:
      reader.s64();
      return;
    case Immediate::F32:
      return reader.skip(4);
    case Immediate::F64:
      return reader.skip(8);
    case Immediate::V128:
    case Immediate::Shuffle:
      return reader.skip(16);
    default:
      return;
  }
}

void skip_expression(Reader& reader, const Module& module, std::vector<bool>* open_blocks) {
  open_blocks->assign(1, false);  // each: may an `else` come?
  while (!reader.failed()) {      // ends: every turn consumes a byte
    const uint64_t start = reader.offset();
    const Opcode opcode = read_opcode(reader, module.features);
    if (opcode == kNoOpcode) return;
    if (opcode == Opcode::End) {
      open_blocks->pop_back();
      if (open_blocks->empty()) return;
    } else if (opcode == Opcode::Else) {
      if (!open_blocks->back()) {
        reader.fail(LoadErrorClass::Malformed, start, "misplaced ELSE opcode");
        return;
      }
      open_blocks->back() = false;
    } else {
      const Immediate immediate = opcode_info(opcode).immediate;
      skip_immediate(reader, module, immediate);
      if (immediate == Immediate::BlockType) open_blocks->push_back(opcode == Opcode::If);
    }
  }
}

std::optional<LoadError> find_malformed_code(const Module& module) {
  std::vector<bool> open_blocks;
  for (const FunctionBody& body : module.functions) {
    Reader reader(module.bytes.data(), body.code.offset, body.code.offset);
    reader.narrow(body.code.size);
    skip_expression(reader, module, &open_blocks);
    if (!reader.failed() && !reader.at_end()) reader.malformed(kAfterEnd);
    if (reader.failed()) return reader.error();
  }
  return std::nullopt;
}

}  // namespace qip
