// The components that a command names: `path.wasm`, `path.wasm#sha256=HEX`, and the settings that
// follow one, `?key=value&...` and `-u key=value`.
//
// Promises: a pinned module is verified before anything of it is decoded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "host/chain.hpp"
#include "host/component.hpp"
#include "host/error.hpp"
#include "loader/result.hpp"

namespace qip {

// As the command line has it.
struct ComponentArgument {
  std::string module;  // with its pin
  Uniforms uniforms;
};

// The chain among the operands. The error is complete.
Result<std::vector<ComponentArgument>, std::string> component_arguments(const Command& command,
                                                                        const Options& options);

struct ModuleFile {
  std::string path;  // without a pin
  std::vector<uint8_t> bytes;
};
// Reads a module and verifies its pin.
Result<ModuleFile, HostError> read_module(const std::string& module);

// One file: read, verified, decoded, validated, translated.
Result<Component, HostError> read_component(const std::string& module, const RunLimits& limits);

// All of a chain in order, each read and then compiled. `verbose` logs each digest and how long
// compiling took.
Result<std::vector<Stage>, HostError> read_stages(std::vector<ComponentArgument> arguments,
                                                  const Options& options);

// The same from modules that have been read, one per argument.
Result<std::vector<Stage>, HostError> compile_stages(std::vector<ComponentArgument> arguments,
                                                     std::vector<ModuleFile> files,
                                                     const Options& options);

}  // namespace qip
