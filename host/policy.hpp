// check_policy(): what the user does not want to run is refused from the module's bytes alone.
//
// Promises: runs nothing; linear in the module; no recursion; a refusal names every reason at once:
// `Wasm module "<path>" rejected by policy: <reason>; <reason>`.
// Recursion is judged conservatively: a call through a table may reach every function of that type
// that an element segment or ref.func mentions.
#pragma once

#include "host/component.hpp"
#include "host/error.hpp"
#include "host/limits.hpp"

namespace qip {

MaybeError check_policy(const Component& component, const Policy& policy);

}  // namespace qip
