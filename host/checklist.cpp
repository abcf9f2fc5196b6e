// The checklist. A Trial is a fresh instance with its own budget; what a render leads to is an
// Outcome, small enough to be compared whatever the size of the output.
#include "host/checklist.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "host/contract.hpp"
#include "host/digest.hpp"
#include "host/form.hpp"
#include "host/interactive.hpp"
#include "host/text.hpp"
#include "host/uniforms.hpp"

namespace qip {
namespace {

constexpr std::string_view kUniformPrefix = "uniform_set_";
constexpr std::string_view kHostUniform = "uniform_set_width_and_height";
constexpr std::string_view kSampleText = "Hello, World\n1,2,3\n";

// The path that begins a message about the component: the report says it once, at its top.
std::string without_path(const Component& component, const HostError& error) {
  const std::string prefix = component.path + ": ";
  return error.message.starts_with(prefix) ? error.message.substr(prefix.size()) : error.message;
}

// What one call of the entry led to.
struct Outcome {
  enum class Kind : uint8_t { Output, Refused, Breach };
  Kind kind = Kind::Output;
  std::string words;  // size and digest of the output, or the message

  bool operator==(const Outcome&) const = default;
};

// A trap or a rejection is the component's right. Running out of time, saying something impossible
// or giving too much is not.
Outcome failed_outcome(const Component& component, const HostError& error) {
  const bool refused =
      error.error_class == HostErrorClass::Trap || error.error_class == HostErrorClass::Rejected;
  return {refused ? Outcome::Kind::Refused : Outcome::Kind::Breach, without_path(component, error)};
}

// A fresh instance, alone with its budget. The clock runs during each call.
class Trial {
 public:
  Trial(const Component& component, const RunLimits& limits)
      : component_(component), budget_(limits) {
    budget_.resume();
    Result<std::unique_ptr<ComponentInstance>, HostError> made =
        ComponentInstance::create(component, budget_);
    budget_.pause();
    if (made.ok()) {
      instance_ = std::move(made.value());
    } else {
      problem_ = without_path(component, made.error());
    }
  }

  bool is_alive() const { return instance_ != nullptr; }
  const std::string& problem() const { return problem_; }
  ComponentInstance& instance() { return *instance_; }

  // Precondition: is_alive().
  Result<ContentStage, HostError> bind() {
    restart();
    Result<ContentStage, HostError> stage = ContentStage::bind(*instance_);
    budget_.pause();
    return stage;
  }
  Result<uint32_t, HostError> value(std::string_view name) {
    restart();
    Result<uint32_t, HostError> value = instance_->read_value(name);
    budget_.pause();
    return value;
  }
  MaybeError call(FunctionInstance& function, std::span<const Value> arguments,
                  std::span<Value> results) {
    restart();
    MaybeError failure = instance_->call(function, arguments, results);
    budget_.pause();
    return failure;
  }
  Outcome render(std::span<const uint8_t> input);

  // All of the limits again, until stop().
  void restart() {
    budget_.restart();
    budget_.resume();
  }
  void stop() { budget_.pause(); }

 private:
  Outcome render_bound(ContentStage& stage, std::span<const uint8_t> input);

  const Component& component_;
  TimedBudget budget_;
  std::unique_ptr<ComponentInstance> instance_;
  std::string problem_;
};

Outcome Trial::render(std::span<const uint8_t> input) {
  if (!is_alive()) return {Outcome::Kind::Breach, problem_};
  Result<ContentStage, HostError> stage = bind();
  if (!stage.ok()) return failed_outcome(component_, stage.error());
  restart();
  Outcome outcome = render_bound(stage.value(), input);
  budget_.pause();
  return outcome;
}

Outcome Trial::render_bound(ContentStage& stage, std::span<const uint8_t> input) {
  MaybeError failure = stage.check_input_size(input.size());
  if (!failure && !input.empty()) failure = stage.write_input(input);
  if (failure) return failed_outcome(component_, *failure);
  Result<StageOutput, HostError> output = stage.render(static_cast<uint32_t>(input.size()));
  if (!output.ok()) return failed_outcome(component_, output.error());
  if (!output.value().bytes) {
    return {Outcome::Kind::Output, "result " + number_text(output.value().result)};
  }
  const std::span<const uint8_t> bytes = output.value().bytes->get();
  return {Outcome::Kind::Output, number_text(bytes.size()) + " bytes of output, SHA-256 " +
                                     sha256_text(bytes).substr(0, 16) + "..."};
}

// The trial's clock runs as long as this lives.
class TrialClock {
 public:
  explicit TrialClock(Trial& trial) : trial_(trial) { trial_.restart(); }
  ~TrialClock() { trial_.stop(); }
  TrialClock(const TrialClock&) = delete;
  TrialClock& operator=(const TrialClock&) = delete;

 private:
  Trial& trial_;
};

// Bytes [begin, end) of the memory, in 64 bits.
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
};

std::string range_text(const Range& range) {
  return number_text(range.begin) + ".." + number_text(range.end);
}

class Checker {
 public:
  Checker(const Component& component, const RunLimits& limits, std::span<const uint8_t> sample)
      : component_(component), limits_(limits), sample_(sample) {}

  Checklist run();

 private:
  void add(Verdict verdict, const char* rule, std::string words) {
    list_.findings.push_back({verdict, rule, std::move(words)});
  }
  // Fails with a message about the component.
  void fail(const char* rule, const HostError& error) {
    add(Verdict::Fail, rule, without_path(component_, error));
  }
  const Module& module() const { return component_.module(); }

  bool check_module();
  void check_uniform_setters();

  void check_content();
  bool check_values(Trial& trial);
  void check_buffers(Trial& trial, const ContentStage& stage);
  void check_renders(const ContentStage& stage);
  void check_repeats(std::span<const uint8_t> input);
  void check_outcome(const char* rule, std::span<const uint8_t> input, const char* what);
  void check_full_input(const ContentStage& stage, std::span<const uint8_t> sample);
  void check_one_over(const ContentStage& stage);

  Outcome first_frame(Trial& trial);
  Outcome first_prompt(Trial& trial);
  void check_repeated(const char* rule, Outcome (Checker::*first)(Trial&));

  void check_tile();
  std::optional<Range> check_tile_buffer(Trial& trial);
  Outcome render_tile(Trial& trial, const Range& buffer, float level);

  const Component& component_;
  RunLimits limits_;
  std::span<const uint8_t> sample_;
  Checklist list_;
};

// --- What the module alone tells -----------------------------------------------------------------

// False: there is no point in going on.
bool Checker::check_module() {
  const MaybeError sealed = check_sealed(component_);
  if (sealed) {
    fail("no imports", *sealed);
  } else {
    add(Verdict::Pass, "no imports", "the module imports nothing");
  }
  const Export* memory = find_export(module(), "memory");
  if (memory == nullptr || memory->kind != ExternKind::Memory) {
    add(Verdict::Fail, "memory", "Wasm module must export memory");
    return false;
  }
  const Limits& pages = module().memories[memory->index].limits;
  if (pages.maximum) {
    add(Verdict::Pass, "memory", "at most " + number_text(*pages.maximum) + " pages");
  } else {
    add(Verdict::Note, "memory", "no maximum is declared, so --strict would refuse it");
  }
  check_uniform_setters();
  return !sealed;
}

bool is_setter(const FuncType& type, bool is_host_setter) {
  if (is_host_setter) {
    return type.parameters.size() == 2 && type.parameters[0] == ValueType::F32 &&
           type.parameters[1] == ValueType::F32;
  }
  if (type.parameters.size() != 1) return false;
  const ValueType parameter = type.parameters[0];
  return parameter == ValueType::I32 || parameter == ValueType::I64 ||
         parameter == ValueType::F32 || parameter == ValueType::F64;
}

void Checker::check_uniform_setters() {
  std::string wrong;
  uint64_t count = 0;
  for (const Export& item : module().exports) {
    if (item.kind != ExternKind::Function || !item.name.starts_with(kUniformPrefix)) continue;
    count++;
    const FuncType* type = exported_function_type(module(), item.name);
    if (is_setter(*type, item.name == kHostUniform)) continue;
    wrong += (wrong.empty() ? "" : ", ") + escape_controls(item.name, kNameLimit);
  }
  if (!wrong.empty()) {
    add(Verdict::Fail, "uniforms", "must accept exactly one number: " + wrong);
  } else if (count > 0) {
    add(Verdict::Pass, "uniforms", number_text(count) + (count == 1 ? " setter" : " setters"));
  }
}

// --- Content -------------------------------------------------------------------------------------

// Every value export that the contract uses, or may use.
constexpr const char* kValueNames[] = {
    "input_ptr",       "input_utf8_cap",   "input_bytes_cap", "output_ptr",
    "output_utf8_cap", "output_bytes_cap", "output_i32_cap",  "failure_modes_per_input_offset"};

// Those that must not move: where the output lies may change from render to render.
bool must_be_stable(std::string_view name) {
  return name != "output_ptr";
}

// Reads every value twice, with a render in between.
bool Checker::check_values(Trial& trial) {
  std::array<std::optional<uint32_t>, std::size(kValueNames)> first;
  for (size_t i = 0; i < first.size(); i++) {
    if (!has_value_export(module(), kValueNames[i])) continue;
    const Result<uint32_t, HostError> value = trial.value(kValueNames[i]);
    if (!value.ok()) {
      fail("values", value.error());
      return false;
    }
    first[i] = value.value();
  }
  trial.render({});
  for (size_t i = 0; i < first.size(); i++) {
    if (!first[i] || !must_be_stable(kValueNames[i])) continue;
    const Result<uint32_t, HostError> value = trial.value(kValueNames[i]);
    if (value.ok() && value.value() == *first[i]) continue;
    add(Verdict::Fail, "values",
        std::string(kValueNames[i]) + " was " + number_text(*first[i]) + ", and after a render " +
            (value.ok() ? number_text(value.value()) : without_path(component_, value.error())));
    return false;
  }
  add(Verdict::Pass, "values", "read twice, before and after a render: the same");
  return true;
}

void Checker::check_buffers(Trial& trial, const ContentStage& stage) {
  const ContentContract& contract = stage.contract();
  const uint64_t memory = trial.instance().instance().exported_memory("memory")->size();
  std::optional<Range> input;
  if (contract.input_capacity != nullptr) {
    const uint64_t begin = stage.values().input_ptr;
    input = Range{begin, begin + stage.values().input_capacity};
    const bool fits = input->end <= memory;
    add(fits ? Verdict::Pass : Verdict::Fail, "input buffer",
        range_text(*input) + (fits ? " lies inside" : " lies outside") + " the memory of " +
            number_text(memory) + " bytes");
  }
  if (!contract.has_output_ptr) return;  // nothing, or a packed result: seen with each render
  const Result<uint32_t, HostError> pointer = trial.value("output_ptr");
  if (!pointer.ok()) return fail("output buffer", pointer.error());
  const uint64_t begin = pointer.value();
  const uint64_t size = stage.values().output_capacity * item_bytes(contract.output_encoding);
  if (size == 0) return;
  const Range output = {begin, begin + size};
  // Memory may have grown.
  const uint64_t now = trial.instance().instance().exported_memory("memory")->size();
  const bool fits = output.end <= now;
  add(fits ? Verdict::Pass : Verdict::Fail, "output buffer",
      range_text(output) + (fits ? " lies inside" : " lies outside") + " the memory of " +
          number_text(now) + " bytes");
  if (!input) return;
  const bool apart = input->end <= output.begin || output.end <= input->begin;
  if (apart) {
    add(Verdict::Pass, "buffers apart", "input and output do not overlap");
  } else if (input->begin == output.begin) {
    add(Verdict::Note, "buffers apart", "the output takes the place of the input");
  } else {
    add(Verdict::Fail, "buffers apart",
        "input " + range_text(*input) + " and output " + range_text(output) + " overlap");
  }
}

std::string outcome_text(const Outcome& outcome) {
  return (outcome.kind == Outcome::Kind::Refused ? "refused: " : "") + outcome.words;
}

// An outcome that is no breach, and the same in two fresh instances.
void Checker::check_outcome(const char* rule, std::span<const uint8_t> input, const char* what) {
  const Outcome first = Trial(component_, limits_).render(input);
  if (first.kind == Outcome::Kind::Breach) return add(Verdict::Fail, rule, first.words);
  const Outcome second = Trial(component_, limits_).render(input);
  if (first != second) {
    return add(Verdict::Fail, rule,
               "two fresh instances differ: " + outcome_text(first) + "; " + outcome_text(second));
  }
  add(Verdict::Pass, rule, std::string(what) + outcome_text(first));
}

// The same input again on one instance, also after another input, and on a fresh one.
void Checker::check_repeats(std::span<const uint8_t> input) {
  Trial trial(component_, limits_);
  const Outcome first = trial.render(input);
  if (first.kind == Outcome::Kind::Breach) return add(Verdict::Fail, "sample input", first.words);
  add(Verdict::Pass, "sample input", number_text(input.size()) + " bytes: " + outcome_text(first));
  // What a trap leaves behind is nobody's concern: such an instance is never used again.
  if (first.kind == Outcome::Kind::Output) {
    Outcome again = trial.render(input);
    if (again == first) {
      trial.render({});
      again = trial.render(input);
    }
    const bool equal = again == first;
    add(equal ? Verdict::Pass : Verdict::Fail, "repeated render",
        equal ? "three renders on one instance are equal"
              : "a render on the same instance differs: " + outcome_text(again));
  }
  const Outcome fresh = Trial(component_, limits_).render(input);
  const bool equal = fresh == first;
  add(equal ? Verdict::Pass : Verdict::Fail, "fresh instance",
      equal ? "another instance gives the same"
            : "another instance differs: " + outcome_text(fresh));
}

void Checker::check_full_input(const ContentStage& stage, std::span<const uint8_t> sample) {
  const uint64_t capacity = stage.values().input_capacity;
  const std::optional<GuestBytes> room = stage.input_room();
  if (!room || room->size() < capacity) return;  // told of the input buffer
  if (capacity > kMostCheckedInputBytes) {
    return add(Verdict::Note, "full input",
               "not tried: the capacity of " + number_text(capacity) + " bytes is beyond " +
                   number_text(kMostCheckedInputBytes));
  }
  // Letters, so that text is text: with line ends now and then.
  std::vector<uint8_t> input(static_cast<size_t>(capacity));
  for (size_t i = 0; i < input.size(); i++) {
    input[i] = static_cast<uint8_t>(i % 64 == 63 ? '\n' : 'a' + i % 26);
  }
  check_outcome("full input", input, (number_text(capacity) + " bytes: ").c_str());
  // Who reads behind its input finds what the full one has left there.
  Trial trial(component_, limits_);
  const bool lives = trial.render(input).kind == Outcome::Kind::Output;
  if (!lives) return;
  const Outcome after = trial.render(sample);
  const bool equal = after == Trial(component_, limits_).render(sample);
  add(equal ? Verdict::Pass : Verdict::Fail, "after a full input",
      equal ? "the sample gives the same" : "the sample differs: " + outcome_text(after));
}

void Checker::check_one_over(const ContentStage& stage) {
  const uint64_t size = uint64_t{stage.values().input_capacity} + 1;
  const MaybeError refusal = stage.check_input_size(size);
  if (refusal) {
    add(Verdict::Pass, "one byte over", without_path(component_, *refusal));
  } else {
    add(Verdict::Fail, "one byte over", "an input of " + number_text(size) + " bytes is taken");
  }
}

void Checker::check_renders(const ContentStage& stage) {
  if (stage.contract().input_capacity == nullptr) {
    check_repeats({});
    return check_one_over(stage);
  }
  check_outcome("empty input", {}, "");
  std::span<const uint8_t> input(reinterpret_cast<const uint8_t*>(kSampleText.data()),
                                 kSampleText.size());
  if (!sample_.empty()) {
    if (MaybeError refusal = stage.check_input_size(sample_.size())) {
      return fail("sample input", *refusal);
    }
    input = sample_;
  }
  input = input.first(std::min<size_t>(input.size(), stage.values().input_capacity));
  check_repeats(input);
  check_full_input(stage, input);
  check_one_over(stage);
}

void Checker::check_content() {
  Trial trial(component_, limits_);
  if (!trial.is_alive()) return add(Verdict::Fail, "instantiation", trial.problem());
  Result<ContentStage, HostError> stage = trial.bind();
  if (!stage.ok()) return fail("values", stage.error());
  const DeclaredTypes& types = stage.value().types();
  if (types.input || types.output) {
    add(Verdict::Pass, "content types",
        types.input.value_or("anything") + " to " + types.output.value_or("the same"));
  }
  if (!check_values(trial)) return;
  check_buffers(trial, stage.value());
  check_renders(stage.value());
}

// --- Tile ----------------------------------------------------------------------------------------

constexpr uint64_t kTileSide = 64;
constexpr uint64_t kPixelBytes = 16;

// Prepares the instance as for an image of one tile.
std::optional<Range> Checker::check_tile_buffer(Trial& trial) {
  const Result<uint32_t, HostError> pointer = trial.value("input_ptr");
  const Result<uint32_t, HostError> capacity = trial.value("input_bytes_cap");
  if (!pointer.ok() || !capacity.ok()) {
    fail("tile buffer", pointer.ok() ? capacity.error() : pointer.error());
    return std::nullopt;
  }
  if (FunctionInstance* function = trial.instance().function(kHostUniform)) {
    if (!is_setter(*function->type, true)) return std::nullopt;  // told as a uniform
    const std::array<Value, 2> size = {Value::from_f32(kTileSide), Value::from_f32(kTileSide)};
    std::vector<Value> results(function->type->results.size());
    if (MaybeError failure = trial.call(*function, size, results)) {
      fail("tile buffer", *failure);
      return std::nullopt;
    }
  }
  uint64_t halo = 0;
  if (trial.instance().function("calculate_halo_px") != nullptr) {
    const Result<uint32_t, HostError> value = trial.value("calculate_halo_px");
    if (!value.ok()) {
      fail("halo", value.error());
      return std::nullopt;
    }
    if (value.value() > INT32_MAX) {
      add(Verdict::Note, "halo", "a negative halo counts as none");
    } else {
      halo = value.value();
      add(Verdict::Pass, "halo", number_text(halo) + " pixels");
    }
  }
  const uint64_t span = kTileSide + 2 * halo;
  const uint64_t begin = pointer.value();
  const uint64_t memory = trial.instance().instance().exported_memory("memory")->size();
  // halo < 2^31, so span * span * 16 could wrap: the side is compared first.
  const bool fits_capacity = span <= UINT16_MAX && span * span * kPixelBytes <= capacity.value();
  if (!fits_capacity) {
    add(Verdict::Fail, "tile buffer",
        "Tile buffer exceeds module input_bytes_cap: tiles of " + number_text(span) + "x" +
            number_text(span) + " pixels, " + number_text(capacity.value()) + " bytes");
    return std::nullopt;
  }
  const Range buffer = {begin, begin + span * span * kPixelBytes};
  const bool fits = buffer.end <= memory;
  add(fits ? Verdict::Pass : Verdict::Fail, "tile buffer",
      range_text(buffer) + (fits ? " lies inside" : " lies outside") + " the memory of " +
          number_text(memory) + " bytes");
  return fits ? std::optional(buffer) : std::nullopt;
}

Outcome Checker::render_tile(Trial& trial, const Range& buffer, float level) {
  const auto pixels = [&] {
    return trial.instance().memory().bytes(static_cast<uint32_t>(buffer.begin),
                                           buffer.end - buffer.begin);
  };
  const Value value = Value::from_f32(level);
  const std::optional<GuestBytes> target = pixels();
  if (!target) return {Outcome::Kind::Breach, "Could not write tile to wasm memory"};
  const std::span<uint8_t> bytes = target->get();
  for (size_t i = 0; i < bytes.size(); i++) {
    bytes[i] = static_cast<uint8_t>(value.i32() >> (8 * (i % 4)));
  }
  const std::array<Value, 2> origin = {Value::from_f32(0), Value::from_f32(0)};
  FunctionInstance* entry = trial.instance().function(tile_entry(module()));
  std::vector<Value> results(entry->type->results.size());
  if (MaybeError failure = trial.call(*entry, origin, results)) {
    return failed_outcome(component_, *failure);
  }
  const std::optional<GuestBytes> result = pixels();
  if (!result) return {Outcome::Kind::Breach, "Could not read tile from wasm memory"};
  return {Outcome::Kind::Output,
          "a tile, SHA-256 " + sha256_text(result->get()).substr(0, 16) + "..."};
}

void Checker::check_tile() {
  const FuncType* type = exported_function_type(module(), tile_entry(module()));
  if (type->parameters.size() != 2 || type->parameters[0] != ValueType::F32 ||
      type->parameters[1] != ValueType::F32) {
    return add(Verdict::Fail, "tile entry",
               std::string(tile_entry(module())) + " must take (f32, f32)");
  }
  Trial trial(component_, limits_);
  if (!trial.is_alive()) return add(Verdict::Fail, "instantiation", trial.problem());
  const std::optional<Range> buffer = check_tile_buffer(trial);
  if (!buffer) return;
  const Outcome black = render_tile(trial, *buffer, 0);
  const Outcome grey = render_tile(trial, *buffer, 0.5f);
  for (const auto& [outcome, rule] : {std::pair(&black, "black tile"), {&grey, "grey tile"}}) {
    const bool is_output = outcome->kind == Outcome::Kind::Output;
    add(is_output ? Verdict::Pass : Verdict::Fail, rule, outcome_text(*outcome));
    if (!is_output) return;
  }
  const bool keeps_no_state = render_tile(trial, *buffer, 0) == black;
  add(keeps_no_state ? Verdict::Pass : Verdict::Note, "repeated tile",
      keeps_no_state ? "the same tile again is equal" : "it keeps a state from tile to tile");
  Trial fresh(component_, limits_);
  const size_t told = list_.findings.size();
  const std::optional<Range> same_buffer =
      fresh.is_alive() ? check_tile_buffer(fresh) : std::nullopt;
  list_.findings.resize(told);  // those rules have had their line
  const bool equal = same_buffer && render_tile(fresh, *same_buffer, 0) == black;
  add(equal ? Verdict::Pass : Verdict::Fail, "fresh instance",
      equal ? "another instance gives the same" : "another instance differs");
}

// --- Interactive and Form ------------------------------------------------------------------------

// Size and pixels of the frame at time 0, rendered twice.
Outcome Checker::first_frame(Trial& trial) {
  const TrialClock clock(trial);
  Result<InteractiveSession, HostError> session =
      InteractiveSession::bind(trial.instance(), Uniforms{});
  if (!session.ok()) return failed_outcome(component_, session.error());
  const auto wake = session.value().tick(0);
  if (!wake.ok()) return failed_outcome(component_, wake.error());
  std::string digest;
  for (int i = 0; i < 2; i++) {
    const Result<GuestBytes, HostError> frame = session.value().render();
    if (!frame.ok()) return failed_outcome(component_, frame.error());
    std::string again = sha256_text(frame.value().get()).substr(0, 16);
    if (i > 0 && again != digest) {
      return {Outcome::Kind::Breach, "two renders without an event between them differ"};
    }
    digest = std::move(again);
  }
  return {Outcome::Kind::Output, number_text(session.value().width()) + "x" +
                                     number_text(session.value().height()) + " pixels, SHA-256 " +
                                     digest + "..."};
}

Outcome Checker::first_prompt(Trial& trial) {
  const TrialClock clock(trial);
  Result<FormSession, HostError> session = FormSession::bind(trial.instance());
  if (!session.ok()) return failed_outcome(component_, session.error());
  const Result<FormPrompt, HostError> prompt = session.value().prompt();
  if (!prompt.ok()) return failed_outcome(component_, prompt.error());
  if (prompt.value().is_complete()) return {Outcome::Kind::Output, "asks nothing"};
  return {Outcome::Kind::Output, "asks for \"" + escape_controls(prompt.value().key, kNameLimit) +
                                     "\": " + prompt.value().label};
}

// Must be the same in two fresh instances.
void Checker::check_repeated(const char* rule, Outcome (Checker::*first)(Trial&)) {
  std::optional<Outcome> seen;
  for (int i = 0; i < 2; i++) {
    Trial trial(component_, limits_);
    if (!trial.is_alive()) return add(Verdict::Fail, "instantiation", trial.problem());
    const Outcome outcome = (this->*first)(trial);
    const bool is_output = outcome.kind == Outcome::Kind::Output;
    if (!seen) add(is_output ? Verdict::Pass : Verdict::Fail, rule, outcome.words);
    if (!is_output) return;
    if (seen) {
      const bool equal = *seen == outcome;
      add(equal ? Verdict::Pass : Verdict::Fail, "fresh instance",
          equal ? "another instance gives the same" : "another instance differs: " + outcome.words);
    }
    seen = outcome;
  }
}

// --- All of them ---------------------------------------------------------------------------------

Checklist Checker::run() {
  const Detection detection = detect_contract(module());
  list_.kind = detection.kind;
  if (detection.kind == ContractKind::None) {
    add(Verdict::Fail, "contract", detection.reason);
  } else {
    add(Verdict::Pass, "contract",
        std::string(contract_kind_text(detection.kind)) + ", because " + detection.reason);
  }
  if (!check_module() || detection.kind == ContractKind::None) return std::move(list_);
  switch (detection.kind) {
    case ContractKind::Content:
      check_content();
      break;
    case ContractKind::Tile:
      check_tile();
      break;
    case ContractKind::Interactive:
      check_repeated("first frame", &Checker::first_frame);
      break;
    case ContractKind::Form:
      check_repeated("first prompt", &Checker::first_prompt);
      break;
    case ContractKind::None:
      break;
  }
  return std::move(list_);
}

}  // namespace

uint64_t Checklist::count(Verdict verdict) const {
  uint64_t count = 0;
  for (const Finding& finding : findings) count += finding.verdict == verdict ? 1 : 0;
  return count;
}

Checklist check_component(const Component& component, const RunLimits& limits,
                          std::span<const uint8_t> sample) {
  return Checker(component, limits, sample).run();
}

}  // namespace qip
