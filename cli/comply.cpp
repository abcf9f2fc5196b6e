// qip comply: whether a component keeps the basic contract, and whether it does what oracles say.
//
// Promises: everything is read and compiled before the first line of the report; one line for the
// contract and one for each oracle, in the order given, then the totals. A component that breaks
// the contract is not given to oracles.
#include <string>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "host/oracle.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

// The policy is about the component under test: an oracle has imports by its nature.
Result<std::vector<Component>, HostError> read_oracles(const Options& options) {
  RunLimits limits = options.limits;
  limits.policy = {};
  std::vector<const char*> paths = options.oracles;
  paths.insert(paths.end(), options.operands.begin() + 1, options.operands.end());
  std::vector<Component> oracles;
  for (const char* path : paths) {
    Result<Component, HostError> oracle = read_component(path, limits);
    if (!oracle.ok()) return std::move(oracle.error());
    oracles.push_back(std::move(oracle.value()));
  }
  return oracles;
}

class Report {
 public:
  // Prints a verdict about `what`; `remark` follows what passed.
  int add(const std::string& what, const MaybeError& failure, const std::string& remark = "") {
    (failure ? failed_ : passed_)++;
    if (!failure) return print("PASS " + what + remark + "\n");
    if (!failure->call_stack.empty()) log_line(what + ":" + failure->call_stack);
    return print("FAIL " + what + ": " + failure->message + "\n");
  }
  int totals() const {
    const int printed = print("\npass=" + number_text(passed_) + " fail=" + number_text(failed_) +
                              " total=" + number_text(passed_ + failed_) + "\n");
    return failed_ > 0 ? kFailure : printed;
  }

 private:
  uint64_t passed_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace

int comply_command(const Command& command, const Options& options) {
  if (options.operands.empty()) return fail_with(usage_line(command));
  Result<Component, HostError> component = read_component(options.operands[0], options.limits);
  if (!component.ok()) return fail_with(component.error().message);
  Result<std::vector<Component>, HostError> oracles = read_oracles(options);
  if (!oracles.ok()) return fail_with(oracles.error().message);

  const Component& implementation = component.value();
  TimedBudget budget(options.limits);
  Report report;
  const MaybeError breach = check_basic_contract(implementation, budget);
  if (report.add(implementation.path, breach) != kSuccess) return kFailure;
  for (const Component& oracle : oracles.value()) {
    if (breach) break;
    const OracleOutcome outcome = run_oracle(implementation, oracle, budget);
    const int printed = report.add(implementation.path + " --with " + oracle.path, outcome.failure,
                                   std::string(" (") + outcome.checks + ")");
    if (printed != kSuccess) return kFailure;
  }
  return report.totals();
}

}  // namespace qip
