// Reading and compiling the modules that a command names.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/component.hpp"
#include "host/error.hpp"
#include "loader/result.hpp"

namespace qip {

// One file: read, decoded, validated, translated. The message is complete.
Result<Component, HostError> read_component(const std::string& path);

// All of them in order. `verbose` logs each digest and how long compiling took.
Result<std::vector<Component>, HostError> read_components(std::span<const char* const> paths,
                                                          bool verbose);

}  // namespace qip
