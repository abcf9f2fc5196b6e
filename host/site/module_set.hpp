// ModuleSet: the components of a site, compiled once for as long as their bytes stay the same.
//
// Promises: a set that is made from an earlier one takes over what has not changed, without
// compiling it again. Immutable once the site is loaded; then any number of threads may read it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "host/component.hpp"
#include "host/digest.hpp"
#include "host/error.hpp"
#include "host/limits.hpp"
#include "host/site/folder.hpp"
#include "loader/result.hpp"

namespace qip {

struct SiteModule {
  Component component;  // its path is "<folder>/<relative>"
  Xxh3Digest digest;    // of the file's bytes
};

class ModuleSet {
 public:
  // `previous` may be null; it is used during load() only.
  explicit ModuleSet(const RunLimits& limits, const ModuleSet* previous = nullptr)
      : limits_(limits), previous_(previous) {}

  // Reads, verifies and compiles one file, or takes it from the previous set.
  Result<SiteModule, HostError> load(const SiteFolder& folder, const std::string& relative);
  void forget_previous() { previous_ = nullptr; }

 private:
  struct Key {
    Xxh3Digest digest;
    uint64_t size;
    auto operator<=>(const Key&) const = default;
  };
  std::shared_ptr<const Code> find(const Key& key);

  RunLimits limits_;
  const ModuleSet* previous_;
  std::map<Key, std::shared_ptr<const Code>> codes_;
};

}  // namespace qip
