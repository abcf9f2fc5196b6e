// The Tile contract. Every export is looked up by name once, before the first tile.
#include "host/tile.hpp"

#include <algorithm>

#include "host/detection.hpp"
#include "host/tile_plane.hpp"

namespace qip {
namespace {

constexpr const char* kSetSize = "uniform_set_width_and_height";
constexpr const char* kHalo = "calculate_halo_px";
constexpr std::string_view kMust = "Wasm module must export ";

// No capacity holds a span of more: (64 + 2 * 8,160)^2 pixels are 4 GiB.
constexpr uint32_t kMaxHalo = 8'160;

bool takes(const FuncType& type, std::span<const ValueType> parameters) {
  return std::equal(type.parameters.begin(), type.parameters.end(), parameters.begin(),
                    parameters.end());
}

std::string other_type(const char* name, const char* wanted, const FuncType& type) {
  return std::string(kMust) + name + wanted + ", not " + name + func_type_text(type);
}

// What is wrong with the exports, or nothing.
std::string exports_problem(const Module& module) {
  constexpr ValueType kTwoFloats[] = {ValueType::F32, ValueType::F32};
  const char* entry = tile_entry(module);
  if (entry == nullptr) {
    return std::string(kMust) + "tile_rgba_f32_64x64 or tile_rgba32float_64x64";
  }
  const FuncType& type = *exported_function_type(module, entry);
  if (!takes(type, kTwoFloats)) return other_type(entry, "(f32, f32)", type);
  for (const char* name : {"input_ptr", "input_bytes_cap"}) {
    if (!has_value_export(module, name)) {
      return std::string(kMust) + name + " as global or function";
    }
  }
  const Export* memory = find_export(module, "memory");
  if (memory == nullptr || memory->kind != ExternKind::Memory) return std::string(kMust) + "memory";
  const FuncType* set_size = exported_function_type(module, kSetSize);
  if (set_size != nullptr && !takes(*set_size, kTwoFloats)) {
    return other_type(kSetSize, "(f32, f32)", *set_size);
  }
  const FuncType* halo = exported_function_type(module, kHalo);
  const FuncType number = {{}, {ValueType::I32}};
  if (halo != nullptr && !(*halo == number)) return other_type(kHalo, "() -> (i32)", *halo);
  return "";
}

}  // namespace

MaybeError check_tile(const Component& component) {
  const std::string problem = exports_problem(component.module());
  if (problem.empty()) return std::nullopt;
  return contract_error(component.path + ": " + problem);
}

Result<TileStage, HostError> TileStage::bind(ComponentInstance& instance) {
  if (MaybeError failure = check_tile(instance.component())) return std::move(*failure);
  TileStage stage(instance);
  const char* entry = tile_entry(instance.component().module());
  stage.entry_ = instance.function(entry);
  stage.context_ = std::string("Error running ") + entry + ": ";
  stage.results_.resize(stage.entry_->type->results.size());
  const Result<uint32_t, HostError> pointer = instance.read_value("input_ptr");
  if (!pointer.ok()) return pointer.error();
  const Result<uint32_t, HostError> capacity = instance.read_value("input_bytes_cap");
  if (!capacity.ok()) return capacity.error();
  stage.pointer_ = pointer.value();
  stage.capacity_ = capacity.value();
  return stage;
}

MaybeError TileStage::prepare(uint32_t width, uint32_t height) {
  if (MaybeError failure = set_size(width, height)) return failure;
  if (MaybeError failure = read_halo()) return failure;
  if (halo_ > kMaxHalo || buffer_bytes() > capacity_) {
    return instance_->error("Tile buffer exceeds module input_bytes_cap");
  }
  if (!instance_->memory().bytes(pointer_, buffer_bytes())) {
    return instance_->error("Could not write tile to wasm memory");
  }
  return std::nullopt;
}

MaybeError TileStage::set_size(uint32_t width, uint32_t height) {
  FunctionInstance* function = instance_->function(kSetSize);
  if (function == nullptr) return std::nullopt;
  const Value arguments[] = {Value::from_f32(static_cast<float>(width)),
                             Value::from_f32(static_cast<float>(height))};
  std::vector<Value> results(function->type->results.size());
  return instance_->call(*function, arguments, results,
                         std::string("Error running ") + kSetSize + ": ");
}

MaybeError TileStage::read_halo() {
  FunctionInstance* function = instance_->function(kHalo);
  if (function == nullptr) return std::nullopt;
  Value result;
  const std::string context = std::string("Error running ") + kHalo + ": ";
  if (MaybeError failure = instance_->call(*function, {}, {&result, 1}, context)) return failure;
  const auto halo = static_cast<int32_t>(result.i32());
  halo_ = halo < 0 ? 0 : static_cast<uint32_t>(halo);
  return std::nullopt;
}

GuestBytes TileStage::buffer() const {
  return *instance_->memory().bytes(pointer_, buffer_bytes());
}

MaybeError TileStage::run(uint32_t x, uint32_t y) {
  const auto coordinate = [this](uint32_t core) {
    return Value::from_f32(static_cast<float>(int64_t{core} - int64_t{halo_}));
  };
  const Value arguments[] = {coordinate(x), coordinate(y)};
  return instance_->call(*entry_, arguments, results_, context_);
}

}  // namespace qip
