// The "name" custom section. Source: specification, "Appendix/Custom Sections/Name Section".
#include <algorithm>

#include "loader/impl_limits.hpp"
#include "loader/module.hpp"
#include "loader/reader.hpp"

namespace qip {
namespace {

constexpr uint8_t kModuleName = 0;
constexpr uint8_t kFunctionNames = 1;

void read_function_names(Reader& reader, NameSection* names) {
  const uint32_t count = reader.count();
  for (uint32_t i = 0; i < count && !reader.failed(); i++) {
    const uint32_t index = reader.u32();
    const std::string_view name = reader.name(kMaxNameBytes);
    if (!reader.failed()) names->functions.emplace_back(index, std::string(name));
  }
}

}  // namespace

NameSection read_names(const Module& module) {
  NameSection names;
  for (const CustomSection& section : module.custom_sections) {
    if (section.name != "name") continue;
    Reader reader(module.bytes.data(), section.bytes.offset,
                  section.bytes.offset + section.bytes.size);
    while (!reader.at_end() && !reader.failed()) {  // ends: every turn consumes a subsection
      const uint8_t id = reader.byte();
      const uint32_t size = reader.u32();
      if (reader.failed() || size > reader.remaining()) break;
      Reader part(module.bytes.data(), reader.offset(), reader.offset() + size);
      if (id == kModuleName) names.module_name = std::string(part.name(kMaxNameBytes));
      if (id == kFunctionNames) read_function_names(part, &names);
      reader.skip(size);
    }
    break;
  }
  std::sort(names.functions.begin(), names.functions.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return names;
}

std::string_view NameSection::function_name(uint32_t function_index) const {
  const auto found =
      std::lower_bound(functions.begin(), functions.end(), function_index,
                       [](const auto& entry, uint32_t index) { return entry.first < index; });
  if (found == functions.end() || found->first != function_index) return {};
  return found->second;
}

}  // namespace qip
