// The Form contract. Numbers of a guest are unsigned here and in every check; they are shown as
// the signed numbers that they were declared as.
#include "host/form.hpp"

#include <utility>

#include "host/detection.hpp"
#include "host/text.hpp"
#include "loader/reader.hpp"

namespace qip {
namespace {

constexpr const char* kValues[] = {"output_ptr",        "output_utf8_cap",   "input_key_ptr",
                                   "input_key_size",    "input_label_ptr",   "input_label_size",
                                   "error_message_ptr", "error_message_size"};

// As an i32, the type that it was declared with.
std::string signed_text(uint32_t number) {
  if (number <= INT32_MAX) return number_text(number);
  return "-" + number_text((uint64_t{1} << 32) - number);
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

bool is_entry(const FuncType* type) {
  return type != nullptr && type->parameters.size() == 1 && type->results.size() == 1 &&
         type->parameters[0] == ValueType::I32 && type->results[0] == ValueType::I32;
}

// Null: there is none of the right type.
const char* form_entry(const Module& module) {
  for (const char* name : {"render", "run"}) {
    if (is_entry(exported_function_type(module, name))) return name;
  }
  return nullptr;
}

// What is missing for a form, in the contract's order, or null.
const char* missing_export(const ComponentInstance& instance) {
  const Module& module = instance.component().module();
  if (!instance.has_memory()) return "memory";
  for (const char* name : {"input_ptr", "input_utf8_cap"}) {
    if (!has_value_export(module, name)) return name;
  }
  if (form_entry(module) == nullptr) return "render or run as (i32) -> i32";
  for (const char* name : kValues) {
    if (!has_value_export(module, name)) return name;
  }
  return nullptr;
}

}  // namespace

Result<FormSession, HostError> FormSession::bind(ComponentInstance& instance) {
  if (const char* missing = missing_export(instance)) {
    return instance.error(std::string("Wasm module must export ") + missing);
  }
  const char* entry = form_entry(instance.component().module());
  return FormSession(instance, *instance.function(entry), entry);
}

Result<std::string, HostError> FormSession::text(std::string_view name) {
  const std::string pointer_name = std::string(name) + "_ptr";
  const std::string size_name = std::string(name) + "_size";
  const std::string both = pointer_name + "/" + size_name;
  const Result<uint32_t, HostError> pointer = instance_->read_value(pointer_name);
  if (!pointer.ok()) return pointer.error();
  const Result<uint32_t, HostError> size = instance_->read_value(size_name);
  if (!size.ok()) return size.error();
  if (pointer.value() > INT32_MAX || size.value() > INT32_MAX) {
    return instance_->error("module returned invalid pointer/size for " + both + ": ptr=" +
                            signed_text(pointer.value()) + " size=" + signed_text(size.value()));
  }
  const std::optional<GuestBytes> bytes = instance_->memory().bytes(pointer.value(), size.value());
  if (!bytes) return instance_->error(both + " exceed wasm memory bounds");
  const std::span<const uint8_t> span = bytes->get();
  const std::string_view view(reinterpret_cast<const char*>(span.data()), span.size());
  if (!is_valid_utf8(view)) return instance_->error(both + " must be valid UTF-8");
  return std::string(view);
}

Result<FormPrompt, HostError> FormSession::prompt() {
  FormPrompt prompt;
  Result<std::string, HostError> error = text("error_message");
  if (!error.ok()) return std::move(error.error());
  Result<std::string, HostError> key = text("input_key");
  if (!key.ok()) return std::move(key.error());
  prompt.error = escape_controls(error.value());
  prompt.key = trimmed(key.value());
  if (prompt.is_complete()) return prompt;
  Result<std::string, HostError> label = text("input_label");
  if (!label.ok()) return std::move(label.error());
  prompt.label = escape_controls(trimmed(label.value()));
  if (prompt.label.empty()) prompt.label = escape_controls(prompt.key);
  return prompt;
}

Result<uint32_t, HostError> FormSession::capacity() {
  return instance_->read_value("input_utf8_cap");
}

HostError FormSession::too_long(uint64_t size, uint32_t capacity) const {
  return instance_->error("input value exceeds module input_utf8_cap (" + number_text(size) +
                          " > " + number_text(capacity) + ")");
}

MaybeError FormSession::answer(std::string_view value) {
  const Result<uint32_t, HostError> limit = capacity();
  if (!limit.ok()) return limit.error();
  if (value.size() > limit.value()) return too_long(value.size(), limit.value());
  const Result<uint32_t, HostError> pointer = instance_->read_value("input_ptr");
  if (!pointer.ok()) return pointer.error();
  const std::optional<GuestBytes> room = instance_->memory().bytes(pointer.value(), value.size());
  if (!room) return instance_->error("Could not write input");
  const std::span<uint8_t> target = room->get();
  for (size_t i = 0; i < value.size(); i++) target[i] = static_cast<uint8_t>(value[i]);
  return call_entry(static_cast<uint32_t>(value.size()));
}

MaybeError FormSession::call_entry(uint32_t size) {
  const Value argument = Value::from_i32(size);
  Value result;
  MaybeError failure = instance_->call(*entry_, {&argument, 1}, {&result, 1},
                                       std::string(entry_name_) + "() failed: ");
  if (failure) return failure;
  was_called_ = true;
  output_size_ = result.i32();
  if (output_size_ <= INT32_MAX) return std::nullopt;
  return instance_->error(std::string(entry_name_) +
                          " returned negative output size: " + signed_text(output_size_));
}

Result<std::string, HostError> FormSession::output() {
  if (!was_called_) {
    if (MaybeError failure = call_entry(0)) return std::move(*failure);
  }
  const Result<uint32_t, HostError> capacity = instance_->read_value("output_utf8_cap");
  if (!capacity.ok()) return capacity.error();
  if (output_size_ > capacity.value()) {
    return instance_->error(std::string(entry_name_) + " output size exceeds output_utf8_cap (" +
                            number_text(output_size_) + " > " + number_text(capacity.value()) +
                            ")");
  }
  if (MaybeError failure = instance_->check_output_size(output_size_)) return std::move(*failure);
  const Result<uint32_t, HostError> pointer = instance_->read_value("output_ptr");
  if (!pointer.ok()) return pointer.error();
  const std::optional<GuestBytes> bytes = instance_->memory().bytes(pointer.value(), output_size_);
  if (!bytes) return instance_->error("Could not read output");
  const std::span<const uint8_t> span = bytes->get();
  const std::string_view view(reinterpret_cast<const char*>(span.data()), span.size());
  if (!is_valid_utf8(view)) return instance_->error("module output is not valid UTF-8");
  return std::string(view);
}

}  // namespace qip
