// Detection: every contract, every piece of it missing once or of the wrong kind, and precedence.
#include "host/detection.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/test_modules.hpp"
#include "loader/loader.hpp"

namespace qip {
namespace {

using namespace qip::test;

Detection detect(const ModuleBuilder& builder) {
  const Result<Module, LoadError> module = decode(builder.bytes());
  EXPECT_TRUE(module.ok()) << module.error().message;
  return detect_contract(module.value());
}

// One export of a contract, and how to write it.
enum class Kind { None, Function, Global, Memory };
struct Piece {
  const char* name;
  Kind kind = Kind::Function;
  Bytes parameters{};
  Bytes results{kI32};
};

void add(ModuleBuilder& builder, const Piece& piece) {
  switch (piece.kind) {
    case Kind::None:
      break;
    case Kind::Function:
      builder.function(piece.name, piece.parameters, piece.results, unreachable());
      break;
    case Kind::Global:
      builder.global(piece.name, kI32, false, i32_const(0));
      break;
    case Kind::Memory:
      builder.memory(1, piece.name);
      break;
  }
}

ModuleBuilder module_of(const std::vector<Piece>& pieces) {
  ModuleBuilder builder;
  for (const Piece& piece : pieces) add(builder, piece);
  return builder;
}

std::vector<Piece> content_pieces(const char* entry = "render") {
  return {{"memory", Kind::Memory},
          {"input_ptr"},
          {"input_utf8_cap"},
          {entry, Kind::Function, {kI32}, {kI32}}};
}

std::vector<Piece> tile_pieces(const char* entry) {
  return {{entry, Kind::Function, {kF32, kF32}, {}}};
}

std::vector<Piece> interactive_pieces() {
  return {{"tick", Kind::Function, {kI64}, {kI64}},
          {"render", Kind::Function, {kI32}, {kI32}},
          {"render_width_px"},
          {"render_height_px"},
          {"memory", Kind::Memory},
          {"output_rgba8_srgb_bytes"}};
}

std::vector<Piece> form_pieces() {
  return {{"input_key_ptr"},    {"input_key_size"},    {"input_label_ptr"},
          {"input_label_size"}, {"error_message_ptr"}, {"error_message_size"}};
}

std::vector<Piece> both(std::vector<Piece> pieces, const std::vector<Piece>& more) {
  pieces.insert(pieces.end(), more.begin(), more.end());
  return pieces;
}

// Each piece missing once, and each once as `wrong` makes it: never `kind`.
template <class Change>
void expect_no_piece_can_be(const char* how, const std::vector<Piece>& pieces, ContractKind kind,
                            Change change) {
  for (size_t i = 0; i < pieces.size(); i++) {
    std::vector<Piece> changed = pieces;
    if (!change(changed[i])) continue;
    EXPECT_NE(detect(module_of(changed)).kind, kind) << pieces[i].name << " " << how;
  }
}
bool drop_piece(Piece& piece) {
  piece.kind = Kind::None;
  return true;
}

// --- Tile ----------------------------------------------------------------------------------------

TEST(Detection, TileByEitherName) {
  for (const char* name : {"tile_rgba32float_64x64", "tile_rgba_f32_64x64"}) {
    const Detection detection = detect(module_of(tile_pieces(name)));
    EXPECT_EQ(detection.kind, ContractKind::Tile);
    EXPECT_EQ(detection.reason, std::string("it exports ") + name);
  }
}

TEST(Detection, NewerTileNameIsPreferredInAnyOrder) {
  const std::vector<Piece> newer = tile_pieces("tile_rgba32float_64x64");
  const std::vector<Piece> older = tile_pieces("tile_rgba_f32_64x64");
  for (const std::vector<Piece>& pieces : {both(newer, older), both(older, newer)}) {
    EXPECT_EQ(detect(module_of(pieces)).reason, "it exports tile_rgba32float_64x64");
  }
}

TEST(Detection, TileMustBeAFunction) {
  for (const char* name : {"tile_rgba32float_64x64", "tile_rgba_f32_64x64"}) {
    for (const Kind kind : {Kind::Global, Kind::Memory, Kind::None}) {
      EXPECT_EQ(detect(module_of({{name, kind}})).kind, ContractKind::None);
    }
  }
  // The older name counts when the newer one is no function.
  const Piece global = {"tile_rgba32float_64x64", Kind::Global};
  EXPECT_EQ(detect(module_of(both({global}, tile_pieces("tile_rgba_f32_64x64")))).reason,
            "it exports tile_rgba_f32_64x64");
}

// --- Interactive ---------------------------------------------------------------------------------

TEST(Detection, Interactive) {
  const Detection detection = detect(module_of(interactive_pieces()));
  EXPECT_EQ(detection.kind, ContractKind::Interactive);
  EXPECT_EQ(detection.reason,
            "it exports tick(i64) -> i64, render(i32) -> i32, render_width_px() -> i32, "
            "render_height_px() -> i32, memory and output_rgba8_srgb_bytes");
}

TEST(Detection, InteractiveValueMayBeAGlobal) {
  std::vector<Piece> pieces = interactive_pieces();
  pieces.back().kind = Kind::Global;
  EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Interactive);
}

TEST(Detection, InteractiveNeedsEveryPiece) {
  expect_no_piece_can_be("missing", interactive_pieces(), ContractKind::Interactive, drop_piece);
}

TEST(Detection, InteractivePiecesHaveTheirKind) {
  expect_no_piece_can_be(
      "as a global", interactive_pieces(), ContractKind::Interactive, [](Piece& piece) {
        const bool is_value = piece.name == std::string("output_rgba8_srgb_bytes");
        piece.kind = Kind::Global;
        return !is_value;
      });
  expect_no_piece_can_be("as a memory", interactive_pieces(), ContractKind::Interactive,
                         [](Piece& piece) {
                           const bool is_memory = piece.kind == Kind::Memory;
                           piece.kind = Kind::Memory;
                           return !is_memory;
                         });
}

TEST(Detection, InteractiveFunctionsHaveTheirSignature) {
  const auto is_checked = [](const Piece& piece) {
    return piece.name != std::string("output_rgba8_srgb_bytes") && piece.kind == Kind::Function;
  };
  expect_no_piece_can_be("with another parameter", interactive_pieces(), ContractKind::Interactive,
                         [&](Piece& piece) {
                           piece.parameters = {kF32};
                           return is_checked(piece);
                         });
  expect_no_piece_can_be("with one parameter more", interactive_pieces(), ContractKind::Interactive,
                         [&](Piece& piece) {
                           piece.parameters.push_back(kI32);
                           return is_checked(piece);
                         });
  expect_no_piece_can_be("with another result", interactive_pieces(), ContractKind::Interactive,
                         [&](Piece& piece) {
                           piece.results = {kF32};
                           return is_checked(piece);
                         });
  expect_no_piece_can_be("without a result", interactive_pieces(), ContractKind::Interactive,
                         [&](Piece& piece) {
                           piece.results = {};
                           return is_checked(piece);
                         });
  expect_no_piece_can_be("with two results", interactive_pieces(), ContractKind::Interactive,
                         [&](Piece& piece) {
                           piece.results.push_back(kI32);
                           return is_checked(piece);
                         });
}

TEST(Detection, WhatLacksAPieceOfInteractiveMayStillBeContent) {
  std::vector<Piece> pieces = both(interactive_pieces(), {{"input_ptr"}, {"input_bytes_cap"}});
  EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Interactive);
  pieces[0].kind = Kind::None;  // tick
  EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Content);
}

// --- Form ----------------------------------------------------------------------------------------

TEST(Detection, Form) {
  const Detection detection = detect(module_of(form_pieces()));
  EXPECT_EQ(detection.kind, ContractKind::Form);
  EXPECT_EQ(detection.reason,
            "it exports input_key_ptr, input_key_size, input_label_ptr, input_label_size, "
            "error_message_ptr and error_message_size");
}

TEST(Detection, FormValuesMayBeGlobals) {
  std::vector<Piece> pieces = form_pieces();
  for (Piece& piece : pieces) piece.kind = Kind::Global;
  EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Form);
}

TEST(Detection, FormNeedsEveryPieceAsAValue) {
  expect_no_piece_can_be("missing", form_pieces(), ContractKind::Form, drop_piece);
  expect_no_piece_can_be("as a memory", form_pieces(), ContractKind::Form, [](Piece& piece) {
    piece.kind = Kind::Memory;
    return true;
  });
}

// --- Content -------------------------------------------------------------------------------------

TEST(Detection, ContentByEitherEntryAndCapacity) {
  for (const char* entry : {"render", "run"}) {
    std::vector<Piece> pieces = content_pieces(entry);
    EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Content);
    EXPECT_EQ(detect(module_of(pieces)).reason, std::string("it exports ") + entry +
                                                    "(i32) -> i32 with input_ptr and "
                                                    "input_utf8_cap");
    pieces[2].name = "input_bytes_cap";
    EXPECT_EQ(detect(module_of(pieces)).reason, std::string("it exports ") + entry +
                                                    "(i32) -> i32 with input_ptr and "
                                                    "input_bytes_cap");
  }
}

TEST(Detection, ContentWithAPackedResult) {
  const Piece entry = {"render", Kind::Function, {kI32}, {kI64}};
  const std::vector<Piece> generator = {{"memory", Kind::Memory}, {"output_bytes_cap"}, entry};
  EXPECT_EQ(detect(module_of(generator)).reason, "it exports render(i32) -> i64 without an input");
  const std::vector<Piece> full = both(generator, {{"input_ptr"}, {"input_utf8_cap"}});
  EXPECT_EQ(detect(module_of(full)).reason,
            "it exports render(i32) -> i64 with input_ptr and input_utf8_cap");
}

TEST(Detection, NoneSaysWhatContentMisses) {
  const char* const expected[] = {
      "Wasm module must export memory", "Wasm module must export input_ptr as global or function",
      "Wasm module must export input_utf8_cap or input_bytes_cap as global or function",
      "Wasm module must export render(i32) -> i32 or run(i32) -> i32"};
  const std::vector<Piece> pieces = content_pieces();
  for (size_t i = 0; i < pieces.size(); i++) {
    std::vector<Piece> changed = pieces;
    changed[i].kind = Kind::None;
    const Detection detection = detect(module_of(changed));
    EXPECT_EQ(detection.kind, ContractKind::None) << pieces[i].name;
    EXPECT_EQ(detection.reason, expected[i]);
  }
  EXPECT_EQ(detect(ModuleBuilder()).reason,
            "Wasm module must export input_ptr as global or function");
}

// --- Precedence ----------------------------------------------------------------------------------

TEST(Detection, TileThenInteractiveThenFormThenContent) {
  const std::vector<Piece> content = {{"input_ptr"}, {"input_utf8_cap"}};  // and memory and render
  const std::vector<Piece> tile = tile_pieces("tile_rgba_f32_64x64");
  std::vector<Piece> pieces = both(both(both(content, form_pieces()), interactive_pieces()), tile);
  EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Tile);
  pieces.pop_back();
  EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Interactive);
  pieces.pop_back();  // output_rgba8_srgb_bytes
  EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Form);
  pieces[2].kind = Kind::None;  // input_key_ptr
  EXPECT_EQ(detect(module_of(pieces)).kind, ContractKind::Content);
}

TEST(Detection, KindsHaveNames) {
  EXPECT_STREQ(contract_kind_text(ContractKind::None), "none");
  EXPECT_STREQ(contract_kind_text(ContractKind::Content), "Content");
  EXPECT_STREQ(contract_kind_text(ContractKind::Tile), "Tile");
  EXPECT_STREQ(contract_kind_text(ContractKind::Interactive), "Interactive");
  EXPECT_STREQ(contract_kind_text(ContractKind::Form), "Form");
}

TEST(ExportedFunctionType, OnlyOfFunctions) {
  const Result<Module, LoadError> module =
      decode(module_of({{"f", Kind::Function, {kI64}, {}}, {"g", Kind::Global}}).bytes());
  ASSERT_TRUE(module.ok());
  ASSERT_NE(exported_function_type(module.value(), "f"), nullptr);
  EXPECT_EQ(*exported_function_type(module.value(), "f"), (FuncType{{ValueType::I64}, {}}));
  EXPECT_EQ(exported_function_type(module.value(), "g"), nullptr);
  EXPECT_EQ(exported_function_type(module.value(), "h"), nullptr);
}

}  // namespace
}  // namespace qip
