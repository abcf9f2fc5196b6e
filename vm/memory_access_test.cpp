// Memory accesses at their edges: every width in every form of address that the translator knows,
// exactly inside and one beyond; sums that wrap at 32 bits and offsets that do not.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "vm/instance.hpp"
#include "vm/test_modules.hpp"

namespace qip {
namespace {

using namespace vm_test;
using enum Opcode;

// --- Memory accesses at their edges --------------------------------------------------------------

struct AccessForm {
  const char* name;
  // Pushes an address that is p0 + p1, wrapping at 32 bits.
  Bytes address;
};

const AccessForm kAccessForms[] = {
    {"computed", code(get(0), get(1), I32Sub, get(1), I32Add, get(1), I32Sub, get(1), I32Sub,
                      get(1), I32Add, get(1), I32Add, get(1), I32Add)},
    {"indexed", code(get(0), get(1), I32Add)},
    {"indexed the other way", code(get(1), get(0), I32Add)},
    {"scaled", code(get(1), i32(0), I32Shl, get(0), I32Add)},
    {"scaled the other way", code(get(0), get(1), i32(32), I32Shl, I32Add)},
    {"masked and scaled", code(get(1), i32(0xFFFFFFFF), I32And, i32(0), I32Shl, get(0), I32Add)},
};

uint32_t width_of(Opcode opcode) {
  // By the opcode's own name: the number in front of an extension, or the whole type.
  const std::string_view text = opcode_info(opcode).text;
  const size_t at =
      text.find("load") != std::string_view::npos ? text.find("load") + 4 : text.find("store") + 5;
  if (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    return static_cast<uint32_t>(std::stoi(std::string(text.substr(at)))) / 8;
  }
  return text[1] == '3' ? 4 : 8;
}

const Opcode kLoads[] = {I32Load,    I64Load,    F32Load,    F64Load,   I32Load8S,
                         I32Load8U,  I32Load16S, I32Load16U, I64Load8S, I64Load8U,
                         I64Load16S, I64Load16U, I64Load32S, I64Load32U};
const Opcode kStores[] = {I32Store,   I64Store,  F32Store,   F64Store,  I32Store8,
                          I32Store16, I64Store8, I64Store16, I64Store32};

struct Edge {
  uint32_t base, index;
};
// Around the end of one page, around zero, around 2^32.
std::vector<Edge> edges(uint32_t width, uint32_t offset) {
  std::vector<Edge> result;
  const uint32_t last = 0x10000 - width - offset;  // the last address that fits; wraps if none does
  for (const uint32_t address : {0u, last - 1, last, last + 1, 0xFFFFu, 0x10000u, 0x7FFFFFFFu,
                                 0x80000000u, 0xFFFFFFFFu, 0u - width, 0u - offset}) {
    for (const uint32_t index : {0u, 1u, address, 0x80000000u, 0xFFFFFFF0u}) {
      result.push_back({address - index, index});
    }
  }
  return result;
}

bool fits(Edge edge, uint32_t offset, uint32_t width) {
  const uint32_t address = edge.base + edge.index;
  return uint64_t{address} + offset + width <= 0x10000;
}

constexpr uint32_t kOffsets[] = {0, 1, 7, 0xFFF8, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF};

TEST(MemoryEdges, loads_of_every_width_and_form) {
  for (const Opcode opcode : kLoads) {
    const uint32_t width = width_of(opcode);
    const std::string signature = std::string("ii:") + opcode_info(opcode).result();
    ModuleBuilder module;
    module.memory(1);
    for (size_t form = 0; form < std::size(kAccessForms); form++) {
      for (size_t i = 0; i < std::size(kOffsets); i++) {
        module.function(std::to_string(form) + "_" + std::to_string(i), signature,
                        code(kAccessForms[form].address, access(opcode, kOffsets[i])));
      }
    }
    Guest guest(module);
    uint8_t* memory = guest.instance->memories[0]->base();
    for (uint32_t i = 0; i < 0x10000; i++) memory[i] = static_cast<uint8_t>(i * 7 + 1) & 0x7F;
    for (size_t form = 0; form < std::size(kAccessForms); form++) {
      for (size_t i = 0; i < std::size(kOffsets); i++) {
        for (const Edge edge : edges(width, kOffsets[i])) {
          Outcome expected = trapped(Trap::OutOfBoundsMemoryAccess);
          if (fits(edge, kOffsets[i], width)) {
            uint64_t bits = 0;
            memcpy(&bits, memory + (edge.base + edge.index) + kOffsets[i], width);
            expected = returned({Value{bits, 0}});  // no sign bit is set
          }
          ASSERT_EQ(guest.call(std::to_string(form) + "_" + std::to_string(i),
                               {i32_value(edge.base), i32_value(edge.index)}),
                    expected)
              << opcode_info(opcode).text << ' ' << kAccessForms[form].name << ' ' << edge.base
              << '+' << edge.index << '+' << kOffsets[i];
        }
      }
    }
  }
}

TEST(MemoryEdges, stores_of_every_width_and_form) {
  for (const Opcode opcode : kStores) {
    const uint32_t width = width_of(opcode);
    const char letter = opcode_info(opcode).operand(1);
    const std::string signature = std::string("ii") + letter + ":";
    ModuleBuilder module;
    module.memory(1);
    for (size_t form = 0; form < std::size(kAccessForms); form++) {
      for (size_t i = 0; i < std::size(kOffsets); i++) {
        module.function(std::to_string(form) + "_" + std::to_string(i), signature,
                        code(kAccessForms[form].address, get(2), access(opcode, kOffsets[i])));
      }
    }
    Guest guest(module);
    uint8_t* memory = guest.instance->memories[0]->base();
    const uint64_t bits = letter == 'i' || letter == 'f' ? 0x89ABCDEF : 0x89ABCDEF'76543210;
    for (size_t form = 0; form < std::size(kAccessForms); form++) {
      for (size_t i = 0; i < std::size(kOffsets); i++) {
        for (const Edge edge : edges(width, kOffsets[i])) {
          const bool ok = fits(edge, kOffsets[i], width);
          memset(memory, 0, 0x10000);
          ASSERT_EQ(guest.call(std::to_string(form) + "_" + std::to_string(i),
                               {i32_value(edge.base), i32_value(edge.index), Value{bits, 0}}),
                    ok ? returned({}) : trapped(Trap::OutOfBoundsMemoryAccess))
              << opcode_info(opcode).text << ' ' << kAccessForms[form].name << ' ' << edge.base
              << '+' << edge.index << '+' << kOffsets[i];
          // Exactly these bytes, and no other.
          std::vector<uint8_t> expected(0x10000, 0);
          if (ok) memcpy(expected.data() + (edge.base + edge.index) + kOffsets[i], &bits, width);
          ASSERT_EQ(memcmp(memory, expected.data(), 0x10000), 0);
        }
      }
    }
  }
}

TEST(MemoryEdges, constant_addresses) {
  for (const uint32_t address : {0u, 0xFFFCu, 0xFFFDu, 0x10000u, 0xFFFFFFFFu}) {
    for (const uint32_t offset : {0u, 1u, 0xFFFCu, 0xFFFFFFFFu}) {
      const bool ok = uint64_t{address} + offset + 4 <= 0x10000;
      const Outcome expected =
          ok ? returned({i32_value(0)}) : trapped(Trap::OutOfBoundsMemoryAccess);
      expect_everywhere(":i", code(i32(address), access(I32Load, offset)), {}, expected);
      expect_everywhere(":i", code(i32(address), i32(0), access(I32Store, offset), i32(0)), {},
                        expected);
      expect_everywhere(":i", code(i32(5), i32(address), access(I32Load, offset), I32And), {},
                        expected);
    }
  }
}

// [p] = [p] op v in one operation, where p and its offset lie at the edge.
TEST(MemoryEdges, modifications_in_place) {
  struct Modification {
    Opcode load, op, store;
    char letter;
    uint32_t width;
  };
  const Modification cases[] = {
      {I32Load, I32Add, I32Store, 'i', 4},   {I32Load, I32Sub, I32Store, 'i', 4},
      {I32Load, I32And, I32Store, 'i', 4},   {I32Load, I32Or, I32Store, 'i', 4},
      {I32Load, I32Xor, I32Store, 'i', 4},   {I32Load8U, I32Add, I32Store8, 'i', 1},
      {I32Load8U, I32Or, I32Store8, 'i', 1}, {I64Load, I64Add, I64Store, 'l', 8},
      {I64Load, I64Xor, I64Store, 'l', 8},   {I64Load, I64Or, I64Store, 'l', 8}};
  const auto apply = [](Opcode op, uint64_t a, uint64_t b) {
    switch (op) {
      case I32Add:
      case I64Add:
        return a + b;
      case I32Sub:
        return a - b;
      case I32And:
        return a & b;
      case I32Or:
      case I64Or:
        return a | b;
      default:
        return a ^ b;
    }
  };
  for (const Modification& one : cases) {
    for (const uint32_t offset : {0u, 5u}) {
      const std::string type(1, one.letter);
      ModuleBuilder module;
      module.memory(1);
      const Bytes constant = one.letter == 'i' ? i32(0xFFFFFFF1) : i64(0xFFFFFFFFFFFFFFF1);
      module.function("value", "i" + type + ":",
                      code(get(0), get(0), access(one.load, offset), get(1), one.op,
                           access(one.store, offset)));
      module.function("constant", "i" + type + ":",
                      code(get(0), get(0), access(one.load, offset), constant, one.op,
                           access(one.store, offset)));
      module.function("indexed", "i" + type + ":",
                      code(get(0), i32(16), I32Add, get(0), i32(16), I32Add,
                           access(one.load, offset), get(1), one.op, access(one.store, offset)));
      Guest guest(module);
      uint8_t* memory = guest.instance->memories[0]->base();
      for (const char* name : {"value", "constant", "indexed"}) {
        const uint32_t index = name[0] == 'i' ? 16 : 0;
        const uint64_t operand = name[0] == 'c' ? 0xFFFFFFFFFFFFFFF1 : 0x0102030405060709;
        const uint32_t last = 0x10000 - one.width - offset - index;
        for (const uint32_t address : {0u, 3u, last, last + 1, 0xFFFFFFFFu, 0u - index - offset}) {
          for (uint32_t i = 0; i < 64; i++) memory[i] = static_cast<uint8_t>(i * 11);
          for (uint32_t i = 0xFF00; i < 0x10000; i++) memory[i] = static_cast<uint8_t>(i * 13);
          std::vector<uint8_t> expected(memory, memory + 0x10000);
          const uint64_t effective = uint64_t{address + index} + offset;
          const bool ok = effective + one.width <= 0x10000;
          if (ok) {
            uint64_t old = 0;
            memcpy(&old, memory + effective, one.width);
            const uint64_t changed = apply(one.op, old, operand);
            memcpy(expected.data() + effective, &changed, one.width);
          }
          const Values arguments = {
              i32_value(address),
              one.letter == 'i' ? i32_value(static_cast<uint32_t>(operand)) : i64_value(operand)};
          ASSERT_EQ(guest.call(name, arguments),
                    ok ? returned({}) : trapped(Trap::OutOfBoundsMemoryAccess))
              << opcode_info(one.op).text << ' ' << name << ' ' << address;
          ASSERT_EQ(memcmp(memory, expected.data(), 0x10000), 0)
              << opcode_info(one.op).text << ' ' << name << ' ' << address;
        }
      }
    }
  }
}

// The order of the operands counts: [p] = [p] - v is one operation, [p] = v - [p] is not.
TEST(MemoryEdges, modifications_in_either_order) {
  for (const bool memory_first : {true, false}) {
    const Bytes load = code(get(0), access(F64Load, 8));
    const Bytes value = memory_first ? code(load, get(1), F64Sub) : code(get(1), load, F64Sub);
    ModuleBuilder module;
    module.memory(1);
    module.function("f", "id:", code(get(0), value, access(F64Store, 8)));
    Guest guest(module);
    const double before = 10;
    uint8_t* place = guest.instance->memories[0]->base() + 24;
    memcpy(place, &before, 8);
    EXPECT_EQ(guest.call("f", {i32_value(16), f64_value(3)}), returned({}));
    double after = 0;
    memcpy(&after, place, 8);
    EXPECT_EQ(after, memory_first ? 7 : -7);
  }
}

// A fill that runs into the end of memory: everything before the end is written, nothing wraps.
TEST(MemoryEdges, a_fill_loop_stops_exactly_at_the_end) {
  for (const bool bytes : {true, false}) {
    for (const uint32_t index : {0u, 8u}) {
      ModuleBuilder module;
      module.memory(1);
      const Bytes address = index == 0 ? get(0) : code(get(0), i32(index), I32Add);
      const uint32_t width = bytes ? 1 : 4;
      module.function("f", "ii:",
                      loop(code(address, i32(0x5A5A5A5A), access(bytes ? I32Store8 : I32Store),
                                get(0), i32(width), I32Add, tee(0), get(1), I32Ne, br_if(0))));
      Guest guest(module);
      const uint8_t* memory = guest.instance->memories[0]->base();
      const uint32_t begin = 0xFFF0 - index;
      EXPECT_EQ(guest.call("f", {i32_value(begin), i32_value(begin + 16)}), returned({}));
      for (uint32_t i = 0xFFE0; i < 0x10000; i++) EXPECT_EQ(memory[i], i < 0xFFF0 ? 0 : 0x5A);
      EXPECT_EQ(guest.call("f", {i32_value(begin), i32_value(begin + 20)}),
                trapped(Trap::OutOfBoundsMemoryAccess));
      // From below zero: the address wraps to the beginning of memory.
      EXPECT_EQ(guest.call("f", {i32_value(0u - index), i32_value(4 - index)}), returned({}));
      EXPECT_EQ(memory[0], 0x5A);
      EXPECT_EQ(memory[3], 0x5A);
      EXPECT_EQ(memory[4], 0);
    }
  }
}

TEST(MemoryEdges, bulk_instructions_check_both_ranges_first) {
  ModuleBuilder module;
  module.memory(1);
  module.passive_data({1, 2, 3, 4});
  module.function("fill", "iii:", code(get(0), get(1), get(2), memory_fill()));
  module.function("copy", "iii:", code(get(0), get(1), get(2), memory_copy()));
  module.function("init", "iii:", code(get(0), get(1), get(2), memory_init(0)));
  Guest guest(module);
  const auto call = [&guest](const char* name, uint32_t a, uint32_t b, uint32_t c) {
    return guest.call(name, {i32_value(a), i32_value(b), i32_value(c)}).trap;
  };
  constexpr auto kOut = Trap::OutOfBoundsMemoryAccess;
  EXPECT_EQ(call("fill", 0x10000, 1, 0), Trap::None);
  EXPECT_EQ(call("fill", 0x10001, 1, 0), kOut);
  EXPECT_EQ(call("fill", 0xFFFF, 1, 1), Trap::None);
  EXPECT_EQ(call("fill", 0xFFFF, 1, 2), kOut);
  EXPECT_EQ(call("fill", 0, 1, 0xFFFFFFFF), kOut);
  EXPECT_EQ(call("fill", 0xFFFFFFFF, 1, 0xFFFFFFFF), kOut);
  EXPECT_EQ(call("copy", 0x10000, 0x10000, 0), Trap::None);
  EXPECT_EQ(call("copy", 0x10001, 0, 0), kOut);
  EXPECT_EQ(call("copy", 0, 0x10001, 0), kOut);
  EXPECT_EQ(call("copy", 0, 1, 0x10000), kOut);
  EXPECT_EQ(call("copy", 1, 0, 0x10000), kOut);
  EXPECT_EQ(call("copy", 0, 0, 0x10000), Trap::None);
  EXPECT_EQ(call("init", 0x10000, 4, 0), Trap::None);
  EXPECT_EQ(call("init", 0, 5, 0), kOut);
  EXPECT_EQ(call("init", 0, 1, 4), kOut);
  EXPECT_EQ(call("init", 0xFFFD, 0, 4), kOut);
  EXPECT_EQ(call("init", 0xFFFC, 0, 4), Trap::None);
}

TEST(MemoryEdges, overlapping_copies_of_many_pieces_keep_every_byte) {
  ModuleBuilder module;
  module.memory(80);  // 5 MiB: several pieces
  module.function("copy", "iii:", code(get(0), get(1), get(2), memory_copy()));
  for (const int64_t distance : {1, -1, 1000, -1000, 1 << 20, -(1 << 20)}) {
    Guest guest(module);
    uint8_t* memory = guest.instance->memories[0]->base();
    const uint64_t size = guest.instance->memories[0]->size();
    std::vector<uint8_t> expected(size);
    for (uint64_t i = 0; i < size; i++) expected[i] = memory[i] = static_cast<uint8_t>(i * i >> 7);
    const uint32_t from = 1 << 20, length = 3 << 20;
    const auto to = static_cast<uint32_t>(int64_t{from} + distance);
    memmove(expected.data() + to, expected.data() + from, length);
    EXPECT_EQ(guest.call("copy", {i32_value(to), i32_value(from), i32_value(length)}).trap,
              Trap::None);
    EXPECT_EQ(memcmp(memory, expected.data(), size), 0) << distance;
  }
}

TEST(MemoryGrowth, is_seen_by_the_next_access_and_by_hot_loops) {
  const Bytes body = code(
      loop(code(get(1), i32(16), I32Shl, i32(65532), I32Add, get(1), access(I32Store), i32(1),
                memory_grow(), Drop, get(1), i32(1), I32Add, tee(1), get(0), I32LtU, br_if(0))),
      memory_size());
  EXPECT_EQ(run("i:i", body, {i32_value(30)}, "i"), returned({i32_value(31)}));
}

TEST(MemoryGrowth, gives_minus_one_where_it_cannot) {
  ModuleBuilder module;
  module.memory(1, 3);
  module.function("grow", "i:i", code(get(0), memory_grow()));
  module.function("size", ":i", memory_size());
  Guest guest(module);
  EXPECT_EQ(guest.call("grow", {i32_value(3)}), returned({i32_value(0xFFFFFFFF)}));
  EXPECT_EQ(guest.call("grow", {i32_value(0xFFFFFFFF)}), returned({i32_value(0xFFFFFFFF)}));
  EXPECT_EQ(guest.call("size"), returned({i32_value(1)}));
  EXPECT_EQ(guest.call("grow", {i32_value(2)}), returned({i32_value(1)}));
  EXPECT_EQ(guest.call("size"), returned({i32_value(3)}));
}

}  // namespace
}  // namespace qip
