// Content types: syntax, the declarations of a component, and the rules of composition. A type is
// compared byte by byte, which is right because every one of them is normalised first.
#include "host/content_type.hpp"

#include <utility>

#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool is_letter_or_digit(char lower) {
  return (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
}

// Source: RFC 6838, section 4.2: restricted-name. `name` is in lower case.
bool is_restricted_name(std::string_view name) {
  constexpr std::string_view kOthers = "!#$&-^_.+";
  if (name.empty() || name.size() > kMostContentTypeNameBytes) return false;
  if (!is_letter_or_digit(name[0])) return false;
  for (const char c : name) {
    if (!is_letter_or_digit(c) && kOthers.find(c) == std::string_view::npos) return false;
  }
  return true;
}

// What other places allow where a content type stands. The first that is found is named.
struct Forbidden {
  char character;
  const char* rule;
};
constexpr Forbidden kForbidden[] = {
    {',', "contain exactly one MIME type"}, {';', "not have parameters"}, {'*', "not be a range"}};

// The two exports of a declaration.
struct Declaration {
  const char* direction;
  const char* pointer;
  const char* size;
};
constexpr Declaration kInput = {"input", "input_content_type_ptr", "input_content_type_size"};
constexpr Declaration kOutput = {"output", "output_content_type_ptr", "output_content_type_size"};

MaybeError read_number(ComponentInstance& instance, const char* name, uint32_t& number) {
  Result<uint32_t, HostError> value = instance.read_value(name);
  if (!value.ok()) return std::move(value.error());
  number = value.value();
  return std::nullopt;
}

// A sentence that says what is wrong with the `size` bytes at `pointer`; empty: `type` has them.
std::string read_bytes(ComponentInstance& instance, const Declaration& declaration,
                       uint32_t pointer, uint32_t size, ContentType& type) {
  if (size == 0) {
    return std::string("module export ") + declaration.size + " must be non-empty when present";
  }
  std::optional<GuestBytes> bytes;
  if (instance.has_memory()) bytes = instance.memory().bytes(pointer, size);
  if (!bytes) {
    return std::string("failed to read ") + declaration.direction + " bytes from module memory";
  }
  const std::span<const uint8_t> text = bytes->get();
  Result<ContentType, std::string> parsed =
      parse_content_type({reinterpret_cast<const char*>(text.data()), text.size()});
  if (!parsed.ok()) return std::move(parsed.error());
  type = std::move(parsed.value());
  return "";
}

// The error is not yet one of metadata; see as_metadata_error().
MaybeError read_declared_type(ComponentInstance& instance, const Declaration& declaration,
                              ContentType& type) {
  const Module& module = instance.component().module();
  // By name alone: an export of another kind is a declaration gone wrong, too.
  if (find_export(module, declaration.pointer) == nullptr &&
      find_export(module, declaration.size) == nullptr) {
    return std::nullopt;
  }
  if (!has_value_export(module, declaration.pointer) ||
      !has_value_export(module, declaration.size)) {
    return instance.error(std::string("module must export both ") + declaration.pointer + " and " +
                          declaration.size + " together");
  }
  uint32_t pointer = 0, size = 0;
  if (MaybeError failure = read_number(instance, declaration.pointer, pointer)) return failure;
  if (MaybeError failure = read_number(instance, declaration.size, size)) return failure;
  const std::string wrong = read_bytes(instance, declaration, pointer, size, type);
  if (!wrong.empty()) return instance.error(wrong);
  return std::nullopt;
}

// Says behind the component's path what the error is about. Running out of time is no fault of the
// metadata.
HostError as_metadata_error(HostError error, const Component& component,
                            const Declaration& declaration) {
  if (error.error_class == HostErrorClass::Budget) return error;
  error.message.insert(component.path.size() + 2, std::string("invalid ") + declaration.direction +
                                                      " content type metadata: ");
  return error;
}

}  // namespace

Result<ContentType, std::string> parse_content_type(std::string_view text) {
  if (text.size() > kMostContentTypeBytes) {
    return "content type must not be longer than " + number_text(kMostContentTypeBytes) + " bytes";
  }
  text = trim(text);
  for (const Forbidden& item : kForbidden) {
    if (text.find(item.character) != std::string_view::npos) {
      return std::string("content type must ") + item.rule;
    }
  }
  std::string type(text);
  for (char& c : type) c = to_lower(c);
  const size_t slash = type.find('/');
  const bool has_both = slash != std::string::npos &&
                        is_restricted_name(std::string_view(type).substr(0, slash)) &&
                        is_restricted_name(std::string_view(type).substr(slash + 1));
  if (!has_both) return "content type must be type/subtype, not " + quoted(text);
  return ContentType(std::move(type));
}

Result<DeclaredTypes, HostError> read_declared_types(ComponentInstance& instance) {
  DeclaredTypes declared;
  for (const bool is_input : {true, false}) {
    const Declaration& declaration = is_input ? kInput : kOutput;
    ContentType& type = is_input ? declared.input : declared.output;
    if (MaybeError failure = read_declared_type(instance, declaration, type)) {
      return as_metadata_error(std::move(*failure), instance.component(), declaration);
    }
  }
  return declared;
}

Result<ContentType, std::string> accept_content_type(const ContentType& incoming,
                                                     const DeclaredTypes& declared, bool is_first,
                                                     FirstStageTrust trust) {
  if (!declared.input) return incoming;
  const std::string expects = "module expects " + quoted(*declared.input);
  if (!incoming) {
    if (is_first && trust == FirstStageTrust::Trust) return declared.input;
    return expects + " but pipeline content type is unspecified";
  }
  if (*incoming != *declared.input) return expects + ", got " + quoted(*incoming);
  return incoming;
}

ContentType outgoing_content_type(const ContentType& accepted, const DeclaredTypes& declared,
                                  bool keeps_type) {
  if (declared.output) return declared.output;
  return keeps_type ? accepted : ContentType();
}

}  // namespace qip
