// Content types: which MIME type a component expects and produces, and whether a chain fits.
//
// Promises: a declared type is one MIME type without parameters, trimmed and in lower case; a
// declaration that is not is an error, never ignored.
// Bounded: a type has at most kMostContentTypeBytes; nothing longer is copied out of a guest.
// Source of the syntax: RFC 6838, section 4.2 (restricted names), within RFC 9110 tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/component.hpp"
#include "host/error.hpp"
#include "loader/result.hpp"

namespace qip {

// Of a type or a subtype, and of both with the '/' between them.
inline constexpr size_t kMostContentTypeNameBytes = 127;
inline constexpr size_t kMostContentTypeBytes = 2 * kMostContentTypeNameBytes + 1;

// Empty: unspecified.
using ContentType = std::optional<std::string>;

// One MIME type, normalised: never empty on success. The error is a sentence.
Result<ContentType, std::string> parse_content_type(std::string_view text);

struct DeclaredTypes {
  ContentType input;
  ContentType output;
};
// Runs the value exports input_content_type_ptr and so on, and reads the bytes.
Result<DeclaredTypes, HostError> read_declared_types(ComponentInstance& instance);

enum class FirstStageTrust : uint8_t {
  Trust,  // an unspecified type becomes what the first component expects (qip run)
  None,   // it stays unspecified (a server, which knows the type of its files)
};

// The type that reaches a component, given what the chain has so far. The error tells both types,
// without the component's path.
Result<ContentType, std::string> accept_content_type(const ContentType& incoming,
                                                     const DeclaredTypes& declared, bool is_first,
                                                     FirstStageTrust trust);

// The type that leaves a component which `accepted` has reached. `keeps_type`: its output may be of
// the same type as its input where it does not say otherwise: it is text or raw bytes.
ContentType outgoing_content_type(const ContentType& accepted, const DeclaredTypes& declared,
                                  bool keeps_type);

}  // namespace qip
