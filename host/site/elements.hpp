// The elements of our own in a page: `<qip-form name>`, `<qip-play src>`, `<qip-edit src>`: finding
// them, and the script that a page with them needs.
//
// Promises: tags are found in any case and with attributes in any of HTML's three notations, not
// inside comments, nor inside script, style, textarea and title elements; one linear pass over the
// page; text that goes into the script cannot end it.
// Source: the HTML standard, section 13.2.5 (tokenization), as far as opening tags need it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loader/result.hpp"

namespace qip {

enum PageElement : uint8_t { kFormElement = 1, kPlayElement = 2, kEditElement = 4 };

struct PageElements {
  uint8_t kinds = 0;                    // of PageElement
  std::vector<std::string> form_names;  // sorted, each once, entities decoded
};

// Errors are sentences: `<qip-form> tag is missing required name attribute`,
// `<qip-form> name attribute must not be empty`.
Result<PageElements, std::string> find_page_elements(std::string_view page);

// The inline module script for these elements: it imports the classes from kScriptFolder, maps each
// form's name to the path of its component as `["<name>", "<path>"]`, and defines the elements as
// `customElements.define("qip-form", ...)`. Empty if there is none of them.
std::string element_script(const PageElements& elements);
// The script that reloads an open page when the server says so (development mode).
std::string_view reload_script();

// Puts `script` before the last `</body>` (any case), or at the end.
std::string inject_script(std::string_view page, std::string_view script);

// Fixed paths.
inline constexpr std::string_view kOwnFolder = "/_qip/";
inline constexpr std::string_view kFormsFolder = "/_qip/forms/";
inline constexpr std::string_view kReloadPath = "/_qip/reload";
inline constexpr std::string_view kComponentsFolder = "/components/";

// A file that the server has built in: served at kOwnFolder + name.
struct BuiltInScript {
  std::string_view name;  // "qip-form.js"
  std::string_view text;
  uint8_t needed_by;  // PageElement kinds
};
std::span<const BuiltInScript> built_in_scripts();

}  // namespace qip
