// The Content contract. The exports are looked at first, in the order in which a host without types
// would meet them, so that the first thing that is missing is the one that is named. Then the
// values are read, then the input is written, then the entry is called, then the output is located.
#include "host/contract.hpp"

#include <cstring>

#include "host/detection.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr std::string_view kMust = "Wasm module must export ";

struct Capacity {
  const char* name;
  Encoding encoding;
};
// In order of preference.
constexpr Capacity kInputCapacities[] = {{"input_utf8_cap", Encoding::Utf8},
                                         {"input_bytes_cap", Encoding::Raw}};
constexpr Capacity kOutputCapacities[] = {{"output_utf8_cap", Encoding::Utf8},
                                          {"output_i32_cap", Encoding::I32},
                                          {"output_bytes_cap", Encoding::Raw}};

const Capacity* find_capacity(const Module& module, std::span<const Capacity> candidates) {
  for (const Capacity& candidate : candidates) {
    if (has_value_export(module, candidate.name)) return &candidate;
  }
  return nullptr;
}

struct Entry {
  const char* name = nullptr;
  const FuncType* type = nullptr;
};
Entry find_entry(const Module& module) {
  for (const char* name : {"render", "run"}) {
    if (const FuncType* type = exported_function_type(module, name)) return {name, type};
  }
  return {};
}

bool has_signature(const FuncType& type, ValueType result) {
  return type.parameters.size() == 1 && type.parameters[0] == ValueType::I32 &&
         type.results.size() == 1 && type.results[0] == result;
}

std::string find_input(const Module& module, ContentContract& contract) {
  const Capacity* capacity = find_capacity(module, kInputCapacities);
  const bool has_pointer = has_value_export(module, "input_ptr");
  const bool is_generator = capacity == nullptr && !has_pointer;
  if (is_generator && contract.entry_result == EntryResult::Packed) return "";
  if (!has_pointer) return std::string(kMust) + "input_ptr as global or function";
  if (capacity == nullptr) {
    return std::string(kMust) + "input_utf8_cap or input_bytes_cap as global or function";
  }
  contract.input_capacity = capacity->name;
  contract.input_encoding = capacity->encoding;
  return "";
}

std::string find_counted_output(const Module& module, ContentContract& contract) {
  contract.has_output_ptr = has_value_export(module, "output_ptr");
  if (!contract.has_output_ptr) return "";  // a capacity alone means nothing
  const Capacity* capacity = find_capacity(module, kOutputCapacities);
  if (capacity == nullptr) {
    return std::string(kMust) +
           "output_utf8_cap or output_i32_cap or output_bytes_cap as global or function";
  }
  contract.output_capacity = capacity->name;
  contract.output_encoding = capacity->encoding;
  return "";
}

// A packed result has its pointer inside, counts bytes, and leaves no choice between capacities.
std::string find_packed_output(const Module& module, ContentContract& contract) {
  const bool utf8 = has_value_export(module, "output_utf8_cap");
  const bool raw = has_value_export(module, "output_bytes_cap");
  if (utf8 == raw) {
    return std::string(kMust) + (utf8
                                     ? "only one of output_utf8_cap and output_bytes_cap"
                                     : "output_utf8_cap or output_bytes_cap as global or function");
  }
  if (has_value_export(module, "input_utf8_cap") && has_value_export(module, "input_bytes_cap")) {
    return std::string(kMust) + "only one of input_utf8_cap and input_bytes_cap";
  }
  contract.output_capacity = utf8 ? "output_utf8_cap" : "output_bytes_cap";
  contract.output_encoding = utf8 ? Encoding::Utf8 : Encoding::Raw;
  contract.may_reject = has_value_export(module, "failure_modes_per_input_offset");
  return "";
}

std::string check_entry(const Entry& entry) {
  if (entry.type == nullptr) {
    return std::string(kMust) + "render(i32) -> i32 or run(i32) -> i32";
  }
  if (has_signature(*entry.type, ValueType::I32) || has_signature(*entry.type, ValueType::I64)) {
    return "";
  }
  return std::string(kMust) + entry.name + "(i32) -> i32, not " + entry.name +
         func_type_text(*entry.type);
}

}  // namespace

const char* encoding_text(Encoding encoding) {
  switch (encoding) {
    case Encoding::Utf8:
      return "utf8";
    case Encoding::Raw:
      return "raw";
    case Encoding::I32:
      return "i32[]";
  }
  return "";
}

std::string item_lines(std::span<const uint8_t> bytes) {
  constexpr size_t kLineBytes = 9;
  std::string lines;
  lines.reserve(bytes.size() / 4 * kLineBytes);
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    const uint8_t digits[4] = {bytes[3], bytes[2], bytes[1], bytes[0]};
    lines += hex_text(digits) + "\n";
  }
  return lines;
}

Result<ContentContract, std::string> content_contract(const Module& module) {
  ContentContract contract;
  const Entry entry = find_entry(module);
  const bool packed = entry.type != nullptr && has_signature(*entry.type, ValueType::I64);
  contract.entry = entry.name;
  contract.entry_result = packed ? EntryResult::Packed : EntryResult::Count;
  std::string missing = find_input(module, contract);
  if (missing.empty()) {
    missing = packed ? find_packed_output(module, contract) : find_counted_output(module, contract);
  }
  if (missing.empty()) missing = check_entry(entry);
  if (missing.empty()) {
    const Export* memory = find_export(module, "memory");
    if (memory == nullptr || memory->kind != ExternKind::Memory) {
      missing = std::string(kMust) + "memory";
    }
  }
  if (!missing.empty()) return missing;
  return contract;
}

Result<ContentStage, HostError> ContentStage::bind(ComponentInstance& instance) {
  Result<ContentContract, std::string> contract = content_contract(instance.component().module());
  if (!contract.ok()) return instance.error(contract.error());
  ContentStage stage(instance, contract.value());
  if (MaybeError failure = stage.read_values()) return std::move(*failure);
  Result<DeclaredTypes, HostError> types = read_declared_types(instance);
  if (!types.ok()) return std::move(types.error());
  stage.types_ = std::move(types.value());
  return stage;
}

MaybeError ContentStage::read_values() {
  struct Wanted {
    const char* name;
    uint32_t* value;
  };
  const Wanted wanted[] = {
      {contract_.input_capacity != nullptr ? "input_ptr" : nullptr, &values_.input_ptr},
      {contract_.input_capacity, &values_.input_capacity},
      {contract_.output_capacity, &values_.output_capacity},
      {contract_.may_reject ? "failure_modes_per_input_offset" : nullptr, &values_.failure_modes}};
  for (const Wanted& want : wanted) {
    if (want.name == nullptr) continue;
    Result<uint32_t, HostError> value = instance_->read_value(want.name);
    if (!value.ok()) return std::move(value.error());
    *want.value = value.value();
  }
  return std::nullopt;
}

std::optional<GuestBytes> ContentStage::input_room() const {
  return instance_->memory().bytes_up_to(values_.input_ptr, values_.input_capacity);
}

MaybeError ContentStage::check_input_size(uint64_t size, bool at_least) const {
  const std::string text = (at_least ? "at least " : "") + number_text(size);
  if (contract_.input_capacity == nullptr) {
    if (size == 0) return std::nullopt;
    return instance_->error("inputless generator cannot receive " + text + " input bytes");
  }
  if (size <= values_.input_capacity) return std::nullopt;
  return instance_->error("Input is too large (" + text + " bytes > " +
                          number_text(values_.input_capacity) + " bytes input capacity)");
}

MaybeError ContentStage::write_input(std::span<const uint8_t> input) const {
  const std::optional<GuestBytes> target =
      instance_->memory().bytes(values_.input_ptr, input.size());
  if (!target) return instance_->error("Could not write input");
  if (!input.empty()) memcpy(target->get().data(), input.data(), input.size());
  return std::nullopt;
}

Result<StageOutput, HostError> ContentStage::render(uint32_t input_size) {
  FunctionInstance* entry = instance_->function(contract_.entry);
  const Value argument = Value::from_i32(input_size);
  Value result;
  if (MaybeError failure = instance_->call(*entry, {&argument, 1}, {&result, 1})) {
    return std::move(*failure);
  }
  return contract_.entry_result == EntryResult::Packed ? packed_output(result.i64(), input_size)
                                                       : counted_output(result.i32());
}

Result<StageOutput, HostError> ContentStage::counted_output(uint32_t count) {
  if (values_.output_capacity == 0) {
    StageOutput output;
    output.encoding = contract_.output_encoding;
    output.result = count;
    return output;
  }
  if (count > values_.output_capacity) {
    return instance_->error("Module returned more bytes than its stated capacity");
  }
  // After the call, because a component may choose where its output lies each time.
  Result<uint32_t, HostError> pointer = instance_->read_value("output_ptr");
  if (!pointer.ok()) return std::move(pointer.error());
  return output_at(pointer.value(), count);
}

// Bit 63: rejected. Bits 32..62: pointer. Bits 0..31: byte count, or the rejection's detail.
Result<StageOutput, HostError> ContentStage::packed_output(uint64_t packed, uint32_t input_size) {
  if ((packed >> 63) != 0) return rejection(packed, input_size);
  const uint32_t count = static_cast<uint32_t>(packed);
  if (count > values_.output_capacity) {
    return instance_->error("Module returned more bytes than its stated capacity");
  }
  return output_at(static_cast<uint32_t>(packed >> 32), count);
}

Result<StageOutput, HostError> ContentStage::output_at(uint32_t pointer, uint32_t count) {
  StageOutput output;
  output.encoding = contract_.output_encoding;
  output.result = count;
  const uint64_t size = count * item_bytes(output.encoding);
  if (MaybeError failure = instance_->check_output_size(size)) return std::move(*failure);
  output.bytes = instance_->memory().bytes(pointer, size);
  if (!output.bytes) return instance_->error("Could not read output");
  return output;
}

HostError ContentStage::rejection(uint64_t packed, uint32_t input_size) const {
  const std::string entry = contract_.entry;
  if (!contract_.may_reject) {
    return instance_->error(entry +
                            " returned failure but failure_modes_per_input_offset is not exported");
  }
  const uint32_t detail = static_cast<uint32_t>(packed);
  if ((packed << 1 >> 33) != 0) {
    return instance_->error(entry + " returned failure with an output pointer");
  }
  std::string message = "component rejected input";
  if (values_.failure_modes > 0) {
    const uint32_t offset = detail / values_.failure_modes;
    if (offset > input_size) {
      return instance_->error(entry + " returned failure at input offset " + number_text(offset) +
                              ", beyond the input of " + number_text(input_size) + " bytes");
    }
    message += " at input offset " + number_text(offset);
    if (values_.failure_modes > 1) {
      message += " with mode " + number_text(detail % values_.failure_modes);
    }
  }
  HostError error = instance_->error(message);
  error.error_class = HostErrorClass::Rejected;
  return error;
}

}  // namespace qip
