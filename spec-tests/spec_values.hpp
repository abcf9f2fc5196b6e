// Values of the specification scripts: arguments read from their JSON form, results matched against
// the expected patterns (exact bits, NaN classes, null and non-null references, v128 lanes).
//
// Assumes: the JSON follows the format of wabt's `wast2json`; a field of another kind throws
// nlohmann::json::exception, which the runner reports as a failure of that command.
// The host object `externref n` is the reference n + 1, so that no object is null.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "loader/module.hpp"
#include "vm/value.hpp"

namespace qip {

// The bits of one argument. v128 lanes are packed with the lowest lane in the lowest bits.
Value parse_argument(const nlohmann::json& argument);

// True if `actual`, of the declared type `type`, is one of the values that `expected` describes.
bool matches(const nlohmann::json& expected, ValueType type, const Value& actual);

// For messages: "i32:5", "f32:0x7fc00000", "v128:0x<high><low>", "funcref:null".
std::string value_text(ValueType type, const Value& value);
// The same for an expectation.
std::string expectation_text(const nlohmann::json& expected);

}  // namespace qip
