// FormSession: the Form contract, a component that asks for one value after another.
//
// Promises: the exports are checked before anything is asked, in the order in which the contract
// lists them; every pointer, size and string that the component gives is checked at each use; text
// for people has its control characters escaped; the value is written as it is.
// Bounds: the component's memory. That a form comes to an end is its own affair: a caller that
// cannot ask a person bounds how often it answers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "host/component.hpp"
#include "host/error.hpp"
#include "loader/result.hpp"

namespace qip {

// What a form shows before it reads a line.
struct FormPrompt {
  std::string error;  // what was wrong with the last value, or empty
  std::string key;    // the value's stable name; empty: the form is complete
  std::string label;  // the value's name for people; the key if the form gives none

  bool is_complete() const { return key.empty(); }
};

class FormSession {
 public:
  // `instance` outlives the session. Precondition: its uniforms are set.
  static Result<FormSession, HostError> bind(ComponentInstance& instance);

  Result<FormPrompt, HostError> prompt();

  // How many bytes a value may have. Asked afresh for each value.
  Result<uint32_t, HostError> capacity();
  HostError too_long(uint64_t size, uint32_t capacity) const;

  // Gives a value to the form. Whether it was taken is told by the next prompt().
  MaybeError answer(std::string_view value);

  // What the form made of it all: UTF-8. A form that never asked is called once, with nothing.
  Result<std::string, HostError> output();

 private:
  FormSession(ComponentInstance& instance, FunctionInstance& entry, const char* entry_name)
      : instance_(&instance), entry_(&entry), entry_name_(entry_name) {}
  // The string that `<name>_ptr` and `<name>_size` describe.
  Result<std::string, HostError> text(std::string_view name);
  MaybeError call_entry(uint32_t size);

  ComponentInstance* instance_;
  FunctionInstance* entry_;
  const char* entry_name_;
  uint32_t output_size_ = 0;
  bool was_called_ = false;
};

}  // namespace qip
