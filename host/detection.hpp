// detect_contract(): which contract a module keeps, from its exports alone.
//
// Promises: deterministic, runs nothing, and the only place that decides; every command asks it.
// The order of the tests: Tile, Interactive, Form, Content. A module that fits none is described by
// what is missing for Content, the most common wish.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "loader/module.hpp"

namespace qip {

enum class ContractKind : uint8_t { None, Content, Tile, Interactive, Form };

// "Content", "Tile", ...; "none".
const char* contract_kind_text(ContractKind kind);

struct Detection {
  ContractKind kind = ContractKind::None;
  // "it exports render(i32) -> i32 with input_ptr and input_utf8_cap"; for None what is missing:
  // "Wasm module must export ...".
  std::string reason;
};
Detection detect_contract(const Module& module);

// The type of an exported function; null if no function is exported by that name.
const FuncType* exported_function_type(const Module& module, std::string_view name);

// The tile entry that the module exports, or null: the newer name first.
const char* tile_entry(const Module& module);

}  // namespace qip
