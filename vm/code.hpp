// Code: a validated module translated for the interpreter. Immutable; any number of instances and
// threads share it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "loader/error.hpp"
#include "loader/loader.hpp"
#include "loader/result.hpp"

namespace qip {

struct TranslateOptions {
  // Insert fuel operations at loop heads and function entries (Budget's fuel needs them).
  bool fuel = false;
};

struct CodeContents;  // vm/code_contents.hpp: cells, for the vm only

class Code {
 public:
  explicit Code(std::unique_ptr<CodeContents> contents);
  ~Code();
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  const Module& module() const;
  const CodeContents& contents() const { return *contents_; }
  // Bytes of cells: for the linearity test and `inspect`.
  uint64_t size_bytes() const;

 private:
  std::unique_ptr<CodeContents> contents_;
};

// Linear in the bytes of the module, no recursion. Fails only on limits.
Result<std::shared_ptr<const Code>, LoadError> translate(ValidatedModule module,
                                                         TranslateOptions options = {});

}  // namespace qip
