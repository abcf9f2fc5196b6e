// Each rule is looked at once, whichever flag wants it, so no reason is given twice.
//
// Recursion is a cycle of the call graph. Its nodes are the functions and the types that calls
// through tables name; from a type it goes on to every function of an equal type whose reference
// exists. So the graph has no more edges than the code has calls and the module has functions.
#include "host/policy.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/module_text.hpp"
#include "host/text.hpp"
#include "loader/code_scan.hpp"
#include "vm/code_contents.hpp"
#include "vm/memory.hpp"

namespace qip {
namespace {

// Functions of a cycle that a message shows.
constexpr size_t kShownFunctions = 6;

class CallGraph {
 public:
  // All three outlive the graph. `canonical_types`: per type, the first one equal to it.
  CallGraph(const Module& module, const CodeScan& scan,
            const std::vector<uint32_t>& canonical_types)
      : scan_(scan),
        canonical_types_(canonical_types),
        function_count_(static_cast<uint32_t>(module.function_types.size())) {
    index_functions_by_type(module);
  }

  uint32_t function_count() const { return function_count_; }
  size_t node_count() const { return function_count_ + canonical_types_.size(); }
  bool is_function(uint32_t node) const { return node < function_count_; }

  size_t edge_count(uint32_t node) const { return targets_of(node).size(); }
  uint32_t edge(uint32_t node, size_t number) const {
    const uint32_t target = targets_of(node)[number];
    return is_function(target) ? target
                               : function_count_ + canonical_types_[target - function_count_];
  }

 private:
  std::span<const uint32_t> targets_of(uint32_t node) const {
    if (is_function(node)) return scan_.targets_of(node);
    const uint32_t type = node - function_count_;
    return std::span(functions_).subspan(begins_[type], begins_[type + 1] - begins_[type]);
  }

  // A counting sort of the functions whose references exist.
  void index_functions_by_type(const Module& module) {
    begins_.assign(canonical_types_.size() + 1, 0);
    const auto for_each_referenced = [&](auto&& action) {
      for (uint32_t i = 0; i < function_count_; i++) {
        if (scan_.referenced[i]) action(i, canonical_types_[module.function_types[i]]);
      }
    };
    for_each_referenced([&](uint32_t, uint32_t type) { begins_[type + 1]++; });
    for (size_t i = 1; i < begins_.size(); i++) begins_[i] += begins_[i - 1];
    functions_.resize(begins_.back());
    std::vector<uint32_t> next(begins_.begin(), begins_.end() - 1);
    for_each_referenced(
        [&](uint32_t function, uint32_t type) { functions_[next[type]++] = function; });
  }

  const CodeScan& scan_;
  const std::vector<uint32_t>& canonical_types_;
  uint32_t function_count_;
  std::vector<uint32_t> functions_;  // those of one type next to each other
  std::vector<uint32_t> begins_;     // by canonical type, and the end of the last one
};

// Follows calls in depth, with the path on the heap: an edge to a node of the path closes a cycle.
// Every edge is followed once.
class CycleSearch {
 public:
  explicit CycleSearch(const CallGraph& graph)
      : graph_(graph), states_(graph.node_count(), State::New) {}

  // The nodes of one cycle, in the order of the calls, beginning with a function; empty if there is
  // none.
  std::vector<uint32_t> run() {
    for (uint32_t function = 0; function < graph_.function_count(); function++) {
      if (states_[function] == State::New && closes_cycle(function)) return cycle();
    }
    return {};
  }

 private:
  enum class State : uint8_t { New, OnPath, Done };
  struct Step {
    uint32_t node = 0;
    uint32_t next_edge = 0;
  };

  bool closes_cycle(uint32_t root) {
    enter(root);
    while (!path_.empty()) {  // ends: every turn takes an edge or leaves a node for good
      Step& step = path_.back();
      if (step.next_edge == graph_.edge_count(step.node)) {
        states_[step.node] = State::Done;
        path_.pop_back();
        continue;
      }
      const uint32_t target = graph_.edge(step.node, step.next_edge++);
      if (states_[target] == State::OnPath) {
        first_of_cycle_ = target;
        return true;
      }
      if (states_[target] == State::New) enter(target);
    }
    return false;
  }

  void enter(uint32_t node) {
    states_[node] = State::OnPath;
    path_.push_back({node, 0});
  }

  // A type leads to functions only, so the cycle has one at its beginning or right after it.
  std::vector<uint32_t> cycle() const {
    size_t begin = path_.size() - 1;
    while (path_[begin].node != first_of_cycle_) begin--;  // ends: it is on the path
    std::vector<uint32_t> nodes;
    for (size_t i = begin; i < path_.size(); i++) nodes.push_back(path_[i].node);
    if (graph_.is_function(nodes.front())) return nodes;
    nodes.push_back(nodes.front());
    nodes.erase(nodes.begin());
    return nodes;
  }

  const CallGraph& graph_;
  std::vector<State> states_;  // by node
  std::vector<Step> path_;
  uint32_t first_of_cycle_ = 0;
};

// `function 1 "a" calls itself`, `function 1 "a" -> function 2 "b" through a table -> function 1`.
std::string cycle_text(const Module& module, const CallGraph& graph,
                       const std::vector<uint32_t>& cycle) {
  constexpr const char* kThroughTable = " through a table";
  const std::string first = function_text(module, cycle.front());
  const bool last_is_type = !graph.is_function(cycle.back());
  const std::string closing = last_is_type ? kThroughTable : "";
  if (cycle.size() == (last_is_type ? 2 : 1)) return first + " calls itself" + closing;
  std::string text = first;
  size_t functions = 1;
  for (size_t i = 1; i < cycle.size(); i++) {
    if (!graph.is_function(cycle[i]) || ++functions > kShownFunctions) continue;
    text += " -> " + function_text(module, cycle[i]);
    if (!graph.is_function(cycle[i - 1])) text += kThroughTable;
  }
  if (functions > kShownFunctions) {
    text += " -> ... (" + number_text(functions - kShownFunctions) + " more)";
  }
  return text + " -> " + first + closing;
}

class PolicyCheck {
 public:
  PolicyCheck(const Component& component, const Policy& policy)
      : component_(component), module_(component.module()), policy_(policy) {}

  MaybeError run() {
    check_memories();
    if (policy_.strict && !module_.imports.empty()) add("imports " + imports_text(module_));
    if (policy_.strict || policy_.fixed_memory) check_code();
    if (reasons_.empty()) return std::nullopt;
    return HostError{HostErrorClass::Policy,
                     "Wasm module \"" + component_.path + "\" rejected by policy: " + reasons_};
  }

 private:
  void add(const std::string& reason) { reasons_ += (reasons_.empty() ? "" : "; ") + reason; }

  // Imported memories too.
  void check_memories() {
    for (size_t i = 0; i < module_.memory_types.size(); i++) {
      const Limits& limits = module_.memory_types[i].limits;
      const std::string memory = "memory[" + number_text(i) + "] ";
      check_size(memory + "initial size ", limits.minimum);
      if (limits.maximum) {
        check_size(memory + "maximum ", *limits.maximum);
      } else if (policy_.strict || policy_.max_memory_bytes) {
        add(memory + "has no declared maximum");
      }
    }
  }

  void check_size(const std::string& what, uint64_t pages) {
    if (!policy_.max_memory_bytes || pages * kPageBytes <= *policy_.max_memory_bytes) return;
    add(what + number_text(pages) + " pages exceeds --max-memory " +
        number_text(*policy_.max_memory_bytes) + " bytes");
  }

  void check_code() {
    const CodeScan scan = scan_code(module_);
    uint64_t grows = 0;
    for (const MemoryGrows& item : scan.memory_grows) grows += item.count;
    if (grows > 0) {
      add("violates fixed-memory policy: contains memory.grow (" + number_text(grows) + ")");
    }
    if (!policy_.strict) return;
    const CallGraph graph(module_, scan, component_.code->contents().canonical_types);
    const std::vector<uint32_t> cycle = CycleSearch(graph).run();
    if (!cycle.empty()) add("contains recursion: " + cycle_text(module_, graph, cycle));
  }

  const Component& component_;
  const Module& module_;
  const Policy& policy_;
  std::string reasons_;  // so far, joined
};

}  // namespace

MaybeError check_policy(const Component& component, const Policy& policy) {
  if (policy.is_open()) return std::nullopt;
  return PolicyCheck(component, policy).run();
}

}  // namespace qip
