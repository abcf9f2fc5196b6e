// ScriptRunner: runs the commands of one converted specification script, in order, in a fresh Store
// with a fresh `spectest` host module.
//
// Promises: every command is run or reported; a command that fails does not stop the script.
// Bounded by: kInvokeDeadline per command (a hang is a failure) and the default budget otherwise.
// Source: the specification's script format ("Core specification, interpreter/README.md, Scripts")
// in the JSON form of wabt's `wast2json`.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loader/features.hpp"
#include "vm/instance.hpp"

namespace qip {

inline constexpr std::chrono::seconds kInvokeDeadline{20};

// Plain data, so that it can live in memory shared with the process that runs the script.
struct Tally {
  uint32_t passed = 0;  // assert_* commands that held
  uint32_t failed = 0;  // commands of any kind that did not do what the script says
  uint32_t text = 0;    // assert_malformed of text-format modules: not run
  uint32_t line = 0;    // of the command that runs now, or ran last
};

class ScriptRunner {
 public:
  // `folder` holds the modules that the commands name. `features` is the language version.
  // `foreign_features`: modules of assert_invalid may use features beyond that version, so that
  // they may be malformed as well.
  ScriptRunner(std::filesystem::path folder, std::string script_name, FeatureSet features,
               bool foreign_features, Tally& tally);

  // Prints one line per failure: `<script>:<line>: <command>: <what happened>`.
  void run(const nlohmann::json& script);

 private:
  using Exports = std::map<std::string, Extern>;

  // What came of loading or instantiating one module: exactly one member is set.
  struct LoadOutcome {
    std::shared_ptr<const Code> code;
    std::optional<LoadError> error;
  };
  struct InstantiateOutcome {
    Instance* instance = nullptr;
    std::optional<LoadError> load_error;
    std::optional<InstantiationError> error;
  };
  // `problem` is set if the action could not even be started.
  struct ActionOutcome {
    std::string problem;
    Trap trap = Trap::None;
    std::vector<ValueType> types;
    std::vector<Value> values;
  };
  // Each handler returns what went wrong, empty if nothing did.
  using Handler = std::string (ScriptRunner::*)(const nlohmann::json& command);
  static const std::map<std::string, Handler>& handlers();

  void add_spectest();
  void run_command(const nlohmann::json& command);

  LoadOutcome load(const std::string& filename);
  InstantiateOutcome instantiate_code(std::shared_ptr<const Code> code);
  InstantiateOutcome instantiate_file(const std::string& filename);
  bool find_import(const Import& import, Extern* result) const;
  void make_current(Instance* instance, const nlohmann::json& command, const char* name_key);
  Instance* find_instance(const nlohmann::json& object, const char* name_key) const;
  ActionOutcome perform(const nlohmann::json& action);
  ActionOutcome invoke_export(Instance& instance, const nlohmann::json& action);

  std::string run_module(const nlohmann::json& command);
  std::string run_module_definition(const nlohmann::json& command);
  std::string run_module_instance(const nlohmann::json& command);
  std::string run_register(const nlohmann::json& command);
  std::string run_action(const nlohmann::json& command);
  std::string run_assert_return(const nlohmann::json& command);
  std::string run_assert_trap(const nlohmann::json& command);
  std::string run_assert_malformed(const nlohmann::json& command);
  std::string run_assert_invalid(const nlohmann::json& command);
  std::string run_assert_unlinkable(const nlohmann::json& command);
  std::string run_assert_uninstantiable(const nlohmann::json& command);
  std::string expect_load_error(const nlohmann::json& command, LoadErrorClass expected);

  std::filesystem::path folder_;
  std::string script_name_;
  FeatureSet features_;
  bool foreign_features_;
  Tally& tally_;
  Store store_;
  Budget budget_;
  Exports spectest_;
  Instance* current_ = nullptr;
  std::map<std::string, Instance*> named_;
  std::map<std::string, Instance*> registered_;
  std::map<std::string, std::shared_ptr<const Code>> definitions_;
  std::shared_ptr<const Code> latest_definition_;
};

}  // namespace qip
