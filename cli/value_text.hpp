// WebAssembly values as text, both ways, for `qip call`. What format_value() prints,
// parse_value() reads back to the same bits.
#pragma once

#include <string>
#include <string_view>

#include "loader/module.hpp"
#include "loader/result.hpp"
#include "vm/value.hpp"

namespace qip {

// i32, i64: optional sign and decimal digits from the signed minimum to the unsigned maximum, or 0x
// and hexadecimal digits. f32, f64: as strtod, and nan:0x<payload>. v128: <shape>:<lane>,... or 0x
// and up to 32 digits. funcref: null. externref: null or a number. The error is a sentence.
Result<Value, std::string> parse_value(ValueType type, std::string_view text);

// i32, i64: signed decimal. f32, f64: the shortest decimal that reads back. v128: i32x4 in
// hexadecimal. funcref: null or "funcref".
std::string format_value(ValueType type, const Value& value);

}  // namespace qip
