// Uniforms: settings of a component that the user writes as `?key=value&...` or `-u key=value`.
//
// Promises: keys are applied in ascending byte order; the last value of a key wins; every mistake
// is found before the entry of any component runs.
// Source of the query syntax: application/x-www-form-urlencoded, as Go's url.ParseQuery reads it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "host/component.hpp"
#include "host/error.hpp"

namespace qip {

// Key and value, both decoded. std::map keeps the order of application.
using Uniforms = std::map<std::string, std::string, std::less<>>;

// Adds the pairs of `argument`, which begins with '?'. `command` is the word in messages ("run").
// The error is a sentence without a prefix; then `uniforms` is unchanged. Empty: done.
std::string add_uniform_query(std::string_view command, std::string_view argument,
                              Uniforms& uniforms);

// Adds `key=value` as it stands: nothing is decoded, the value may contain '='.
std::string add_uniform_pair(std::string_view pair, Uniforms& uniforms);

// Everything that can be wrong without running the component: the setter is not exported, has
// another signature, or the value does not parse.
MaybeError check_uniforms(const Component& component, const Uniforms& uniforms);

// Calls uniform_set_<key> for each. Precondition: check_uniforms() found nothing.
MaybeError apply_uniforms(ComponentInstance& instance, const Uniforms& uniforms);

// The value of a setter's parameter: i32, i64 decimal or 0x bits, f32, f64 as Go reads floats.
// Empty: it does not parse.
std::optional<Value> parse_uniform(ValueType type, std::string_view text);

}  // namespace qip
