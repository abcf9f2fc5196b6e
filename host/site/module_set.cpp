// Components by the digest and size of their bytes. What is compiled is shared: a component that
// two folders or two generations have is compiled once.
#include "host/site/module_set.hpp"

#include <utility>

#include "host/policy.hpp"
#include "host/text.hpp"
#include "loader/impl_limits.hpp"

namespace qip {

Result<SiteModule, HostError> ModuleSet::load(const SiteFolder& folder,
                                              const std::string& relative) {
  const std::string path = escape_controls(folder.path_of(relative));
  Result<OpenedFile, std::string> opened = folder.open_file(relative);
  if (!opened.ok()) return file_error("Error reading file: " + opened.error());
  Result<std::vector<uint8_t>, std::string> bytes =
      read_whole(opened.value().file.number(), path, kMaxModuleBytes);
  if (!bytes.ok()) return file_error("Error reading file: " + bytes.error());

  Xxh3 digest;
  digest.update(bytes.value());
  const Key key{digest.digest(), bytes.value().size()};
  if (std::shared_ptr<const Code> code = find(key)) {
    Component component{path, std::move(code)};
    if (MaybeError failure = check_policy(component, limits_.policy)) return std::move(*failure);
    return SiteModule{std::move(component), key.digest};
  }

  Result<Component, HostError> component = load_component(path, std::move(bytes.value()), limits_);
  if (!component.ok()) return std::move(component.error());
  codes_.emplace(key, component.value().code);
  return SiteModule{std::move(component.value()), key.digest};
}

std::shared_ptr<const Code> ModuleSet::find(const Key& key) {
  const auto known = codes_.find(key);
  if (known != codes_.end()) return known->second;
  // Code that counts fuel is other code.
  if (previous_ == nullptr || previous_->limits_.fuel.has_value() != limits_.fuel.has_value()) {
    return nullptr;
  }
  const auto before = previous_->codes_.find(key);
  if (before == previous_->codes_.end()) return nullptr;
  codes_.insert(*before);
  return before->second;
}

}  // namespace qip
