// decode() and validate(): any bytes become a validated module or one clear error.
//
// Promises: time and memory linear in the bytes; no recursion; limits in loader/impl_limits.hpp.
// One error is reported, with its class, byte offset and a sentence: what is malformed before what
// is invalid, and otherwise the first.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "loader/error.hpp"
#include "loader/module.hpp"
#include "loader/result.hpp"

namespace qip {

// Source: specification, "Binary Format". Takes the bytes over.
Result<Module, LoadError> decode(std::vector<uint8_t> bytes, FeatureSet features = kEverything);

// A Module that kept every validation rule. Only validate() can make one, so translating an
// unvalidated module does not compile.
class ValidatedModule {
 public:
  const Module& module() const { return module_; }

 private:
  explicit ValidatedModule(Module module) : module_(std::move(module)) {}
  friend Result<ValidatedModule, LoadError> validate(Module module);
  Module module_;
};

// Source: specification, "Validation" and its appendix algorithm. Uses module.features.
Result<ValidatedModule, LoadError> validate(Module module);

}  // namespace qip
