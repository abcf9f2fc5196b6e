// The plan follows run_pipeline() step by step, with instances that never start.
#include "host/plan.hpp"

#include "host/interactive.hpp"
#include "host/pipeline.hpp"
#include "host/text.hpp"
#include "host/tile.hpp"

namespace qip {
namespace {

class Planner {
 public:
  Planner(std::span<const Stage> stages, const RunLimits& limits)
      : stages_(stages), limits_(limits) {}

  std::vector<PlannedStage> plan() {
    for (size_t i = 0; i < stages_.size(); i++) plan_stage(i);
    return std::move(planned_);
  }

 private:
  void plan_stage(size_t index) {
    PlannedStage& planned = planned_.emplace_back();
    const Component& component = stages_[index].component;
    planned.detection = detect_contract(component.module());
    MaybeError failure = check_chain(stages_.subspan(index, 1));
    if (!failure) failure = read_exports(component, planned);
    if (!failure && index > 0) failure = check_neighbour(index, planned);
    if (!failure) failure = follow_type(index, planned);
    if (failure) {
      planned.problem = failure->message;
      type_.reset();  // nobody knows what would come out
    }
    if (component.module().start || has_start_export(component)) {
      planned.warnings.push_back("values are those before its start function, which was not run");
    }
  }

  MaybeError read_exports(const Component& component, PlannedStage& planned) {
    TimedBudget budget(limits_);
    budget.resume();
    Result<std::unique_ptr<ComponentInstance>, HostError> instance = ComponentInstance::create(
        component, budget, InstanceOptions{.starting = Starting::Nothing});
    if (!instance.ok()) return std::move(instance.error());
    if (planned.detection.kind == ContractKind::Tile) return read_tile(*instance.value(), planned);
    if (is_interactive(planned)) return read_interactive(*instance.value(), planned);
    Result<ContentStage, HostError> stage = ContentStage::bind(*instance.value());
    if (!stage.ok()) return std::move(stage.error());
    planned.is_bound = true;
    planned.contract = stage.value().contract();
    planned.values = stage.value().values();
    planned.types = stage.value().types();
    return std::nullopt;
  }

  static MaybeError read_tile(ComponentInstance& instance, PlannedStage& planned) {
    const Result<TileStage, HostError> stage = TileStage::bind(instance);
    if (!stage.ok()) return stage.error();
    planned.is_bound = true;
    planned.tile_capacity = stage.value().capacity();
    const uint64_t tile_bytes = uint64_t{kTileSide} * kTileSide * kPixelFloatBytes;
    if (planned.tile_capacity < tile_bytes) {
      planned.warnings.push_back("a tile of " + number_text(tile_bytes) +
                                 " bytes comes in, more than fit");
    }
    return std::nullopt;
  }

  bool is_interactive(const PlannedStage& planned) const {
    return planned.detection.kind == ContractKind::Interactive && stages_.size() == 1;
  }

  // A start function or a uniform may be what gives it a size, so without them nothing is wrong
  // with one that has none.
  MaybeError read_interactive(ComponentInstance& instance, PlannedStage& planned) {
    const Component& component = stages_[0].component;
    const Result<InteractiveSession, HostError> session = InteractiveSession::bind(instance, {});
    planned.is_bound = session.ok();
    if (session.ok()) {
      planned.frame_width = session.value().width();
      planned.frame_height = session.value().height();
      return std::nullopt;
    }
    const bool may_change =
        component.module().start || has_start_export(component) || !stages_[0].uniforms.empty();
    return may_change ? MaybeError() : session.error();
  }

  MaybeError check_neighbour(size_t index, PlannedStage& planned) {
    if (is_tile_stage(stages_[index])) {
      return check_neighbours(stages_[index - 1], stages_[index]);
    }
    const std::string& path = stages_[index].component.path;
    if (planned.contract.input_capacity == nullptr) {
      return contract_error(path + ": inputless generator must be the first component");
    }
    const PlannedStage& previous = planned_[index - 1];
    if (!previous.is_bound || is_tile_stage(stages_[index - 1])) return std::nullopt;
    const uint64_t output =
        previous.values.output_capacity * item_bytes(previous.contract.output_encoding);
    if (output > planned.values.input_capacity) {
      planned.warnings.push_back("up to " + number_text(output) +
                                 " bytes may come in, more than fit");
    }
    if (previous.contract.output_encoding == Encoding::Raw &&
        previous.contract.output_capacity != nullptr &&
        planned.contract.input_encoding == Encoding::Utf8) {
      planned.warnings.push_back("bytes come in where it expects text");
    }
    return std::nullopt;
  }

  MaybeError follow_type(size_t index, PlannedStage& planned) {
    if (is_tile_stage(stages_[index])) {
      planned.incoming = type_;
      planned.outgoing = type_ = block_content_type(type_);
      return std::nullopt;
    }
    if (is_interactive(planned)) {
      planned.outgoing = type_ = "image/bmp";
      return std::nullopt;
    }
    Result<ContentType, std::string> incoming =
        accept_content_type(type_, planned.types, index == 0, FirstStageTrust::Trust);
    if (!incoming.ok()) {
      return contract_error("content type check failed for " + stages_[index].component.path +
                            ": " + incoming.error());
    }
    planned.incoming = incoming.value();
    const bool keeps_type = planned.contract.output_capacity != nullptr &&
                            planned.values.output_capacity > 0 &&
                            planned.contract.output_encoding != Encoding::I32;
    planned.outgoing = outgoing_content_type(incoming.value(), planned.types, keeps_type);
    type_ = planned.outgoing;
    return std::nullopt;
  }

  static bool has_start_export(const Component& component) {
    const Export* start = find_export(component.module(), "_start");
    return start != nullptr && start->kind == ExternKind::Function;
  }

  std::span<const Stage> stages_;
  const RunLimits& limits_;
  std::vector<PlannedStage> planned_;
  ContentType type_;
};

}  // namespace

std::vector<PlannedStage> plan_chain(std::span<const Stage> stages, const RunLimits& limits) {
  return Planner(stages, limits).plan();
}

}  // namespace qip
