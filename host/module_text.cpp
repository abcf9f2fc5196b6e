#include "host/module_text.hpp"

#include <string_view>

#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

// The name under which a function is exported; empty if it is not.
std::string_view export_name_of(const Module& module, uint32_t function_index) {
  for (const Export& item : module.exports) {
    if (item.kind == ExternKind::Function && item.index == function_index) return item.name;
  }
  return {};
}

}  // namespace

std::string function_text(const Module& module, uint32_t index) {
  const NameSection names = read_names(module);
  std::string_view name = names.function_name(index);
  if (name.empty()) name = export_name_of(module, index);
  std::string text = "function " + number_text(index);
  // quoted() keeps quotation marks apart; direction overrides are left to escape_controls().
  if (!name.empty()) text += " " + escape_controls(quoted(name));
  return text;
}

std::string imports_text(const Module& module) {
  const Import& first = module.imports.front();
  std::string text = escape_controls(first.module + "." + first.name, kNameLimit) + " (" +
                     extern_kind_text(first.kind) + ")";
  if (module.imports.size() > 1) text += " and " + number_text(module.imports.size() - 1) + " more";
  return text;
}

}  // namespace qip
