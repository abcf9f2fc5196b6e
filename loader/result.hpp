// Result<T, E>: either a value or an error, never both, never neither.
//
// Promises: no exceptions, no hidden allocation beyond what T and E do themselves.
// Assumes: the caller tests ok() before value() or error(); asserted in debug builds, and the
// underlying std::get_if yields null (a clean fault) otherwise.
#pragma once

#include <cassert>
#include <utility>
#include <variant>

namespace qip {

template <class T, class E>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  E& error() {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }
  const E& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

}  // namespace qip
