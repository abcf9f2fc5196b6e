// The Interactive contract. Its required exports are those by which it is detected, so what is left
// to check here are the optional ones, and what the functions return.
#include "host/interactive.hpp"

#include <array>

#include "host/detection.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr std::string_view kFrameBytes = "output_rgba8_srgb_bytes";
constexpr ValueType kKeyParameters[] = {ValueType::I32, ValueType::I32, ValueType::I64};
constexpr ValueType kPointerParameters[] = {ValueType::I32, ValueType::I32, ValueType::I32,
                                            ValueType::I64};

bool has_type(const FuncType& type, std::span<const ValueType> parameters) {
  if (type.parameters.size() != parameters.size() || type.results.size() != 1) return false;
  for (size_t i = 0; i < parameters.size(); i++) {
    if (type.parameters[i] != parameters[i]) return false;
  }
  return type.results[0] == ValueType::I32;
}

// An optional export: null if there is none.
Result<FunctionInstance*, HostError> event_function(ComponentInstance& instance,
                                                    std::string_view name,
                                                    std::span<const ValueType> parameters) {
  FunctionInstance* function = instance.function(name);
  if (function != nullptr && !has_type(*function->type, parameters)) {
    std::string text = "Wasm module must export " + std::string(name) + " as (";
    for (size_t i = 0; i < parameters.size(); i++) {
      text += std::string(i > 0 ? ", " : "") + value_type_text(parameters[i]);
    }
    return instance.error(text + ") -> i32");
  }
  return function;
}

std::string signed_text(uint32_t number) {
  if (number <= INT32_MAX) return number_text(number);
  return "-" + number_text((uint64_t{1} << 32) - number);
}

Value from_time(int64_t now) {
  return Value::from_i64(static_cast<uint64_t>(now));
}

}  // namespace

Result<InteractiveSession, HostError> InteractiveSession::bind(ComponentInstance& instance,
                                                               const Uniforms& uniforms) {
  const Detection detection = detect_contract(instance.component().module());
  if (detection.kind != ContractKind::Interactive) {
    return instance.error(
        "Wasm module must export tick, render, render_width_px, render_height_px, memory and "
        "output_rgba8_srgb_bytes to be interactive");
  }
  InteractiveSession session(instance);
  if (!has_value_export(instance.component().module(), "output_ptr")) {
    return instance.error("interactive module missing output_ptr export");
  }
  const auto key = event_function(instance, "key_event", kKeyParameters);
  if (!key.ok()) return key.error();
  const auto pointer = event_function(instance, "pointer_event", kPointerParameters);
  if (!pointer.ok()) return pointer.error();
  session.key_event_ = key.value();
  session.pointer_event_ = pointer.value();
  const Result<uint32_t, HostError> announced = instance.read_value(kFrameBytes);
  if (!announced.ok()) return announced.error();
  session.announced_bytes_ = announced.value();
  if (MaybeError failure = apply_uniforms(instance, uniforms)) return std::move(*failure);
  if (MaybeError failure = session.read_size()) return std::move(*failure);
  return session;
}

MaybeError InteractiveSession::read_size() {
  const Result<uint32_t, HostError> width = instance_->read_value("render_width_px");
  if (!width.ok()) return width.error();
  const Result<uint32_t, HostError> height = instance_->read_value("render_height_px");
  if (!height.ok()) return height.error();
  width_ = width.value();
  height_ = height.value();
  // As i32, the type that they were declared with, neither may be zero or less.
  if (width_ - 1 >= INT32_MAX || height_ - 1 >= INT32_MAX) {
    return instance_->error("interactive module reported invalid render size " +
                            signed_text(width_) + "x" + signed_text(height_));
  }
  return std::nullopt;
}

Result<std::optional<int64_t>, HostError> InteractiveSession::tick(int64_t now) {
  const Value argument = from_time(now);
  Value result;
  MaybeError failure =
      instance_->call(*instance_->function("tick"), {&argument, 1}, {&result, 1},
                      "tick(" + number_text(static_cast<uint64_t>(now)) + ") failed: ");
  if (failure) return std::move(*failure);
  const int64_t wake = static_cast<int64_t>(result.low);
  return wake > 0 ? std::optional<int64_t>(wake) : std::nullopt;
}

Result<bool, HostError> InteractiveSession::call_event(FunctionInstance* function,
                                                       std::span<const Value> arguments,
                                                       std::string_view name) {
  if (function == nullptr) return false;
  Value result;
  MaybeError failure =
      instance_->call(*function, arguments, {&result, 1}, std::string(name) + " failed: ");
  if (failure) return std::move(*failure);
  return result.i32() != 0;
}

Result<bool, HostError> InteractiveSession::key_event(uint32_t x11_keysym, uint32_t flags,
                                                      int64_t now) {
  const std::array<Value, 3> arguments = {Value::from_i32(x11_keysym), Value::from_i32(flags),
                                          from_time(now)};
  return call_event(key_event_, arguments, "key_event()");
}

Result<bool, HostError> InteractiveSession::pointer_event(uint32_t buttons, int32_t x, int32_t y,
                                                          int64_t now) {
  const std::array<Value, 4> arguments = {
      Value::from_i32(buttons), Value::from_i32(static_cast<uint32_t>(x)),
      Value::from_i32(static_cast<uint32_t>(y)), from_time(now)};
  return call_event(pointer_event_, arguments, "pointer_event()");
}

MaybeError InteractiveSession::check_size(uint64_t size, std::string_view source) const {
  if (size == frame_bytes()) return std::nullopt;
  return instance_->error(std::string(source) + " returned " + number_text(size) +
                          " bytes, expected " + number_text(frame_bytes()) +
                          " (render_width_px*render_height_px*4)");
}

Result<GuestBytes, HostError> InteractiveSession::render() {
  const Value argument = Value::from_i32(0);
  Value result;
  MaybeError failure = instance_->call(*instance_->function("render"), {&argument, 1}, {&result, 1},
                                       "render(0) failed: ");
  if (!failure) failure = check_size(result.i32(), "render(0)");
  if (!failure) failure = check_size(announced_bytes_, kFrameBytes);
  if (failure) return std::move(*failure);
  const Result<uint32_t, HostError> pointer = instance_->read_value("output_ptr");
  if (!pointer.ok()) return pointer.error();
  if (failure = instance_->check_output_size(frame_bytes()); failure) return std::move(*failure);
  const std::optional<GuestBytes> frame = instance_->memory().bytes(pointer.value(), frame_bytes());
  if (!frame) return instance_->error("could not read output frame");
  return *frame;
}

}  // namespace qip
