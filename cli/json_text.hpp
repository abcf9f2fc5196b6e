// JsonText: one JSON document, written from the outside in.
//
// Promises: valid JSON (RFC 8259) if begin and end calls pair up and every member of an object has
// a key; keys appear in the order of the calls. Assumes: text is valid UTF-8, as names of a
// validated module are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qip {

class JsonText {
 public:
  // What comes next belongs to this key. Keys are our own words: nothing in them is escaped.
  JsonText& key(std::string_view name);

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }

  void text(std::string_view value);
  void number(uint64_t value);
  void boolean(bool value) { literal(value ? "true" : "false"); }
  void null() { literal("null"); }

  // The document and a newline.
  std::string take();

 private:
  void separate();
  void begin(char bracket);
  void end(char bracket);
  void literal(std::string_view value);

  std::string document_;
  bool needs_comma_ = false;
};

}  // namespace qip
