// Meaning through the whole pipeline: control flow with values, pending reads, frames of every
// size, calls, vectors, conversions. Most bodies run in every Shape (vm/test_modules.hpp).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "vm/instance.hpp"
#include "vm/test_modules.hpp"

namespace qip {
namespace {

using namespace vm_test;
using enum Opcode;

constexpr uint64_t kMax64 = 0xFFFF'FFFF'FFFF'FFFF;

// --- Branches that carry values ------------------------------------------------------------------

TEST(BranchIf, leaves_its_value_on_the_stack_if_it_is_not_taken) {
  // (block (result i32) 10 (x) (br_if 0 (condition)) add)
  const Bytes values[] = {i32(20), get(1), code(get(1), i32(1), I32Mul),
                          code(get(1), get(1), I32And),
                          code(i32(0), access(I32Load), get(1), I32Or)};
  for (const Bytes& value : values) {
    const Bytes body = block(code(i32(10), value, get(0), br_if(0), I32Add), 'i');
    expect_everywhere("ii:i", body, {i32_value(0), i32_value(20)}, returned({i32_value(30)}));
    expect_everywhere("ii:i", body, {i32_value(1), i32_value(20)}, returned({i32_value(20)}));
  }
}

TEST(BranchIf, a_local_that_is_its_value_may_be_written_behind_it) {
  const Body body{"ii:i", "i", [](uint32_t x) {
                    return code(get(1), set(x),
                                block(code(i32(10), get(x), get(0), br_if(0), i32(99), set(x),
                                           I32Add, get(x), I32Add),
                                      'i'));
                  }};
  expect_everywhere(body, {i32_value(0), i32_value(20)}, returned({i32_value(129)}));
  expect_everywhere(body, {i32_value(7), i32_value(20)}, returned({i32_value(20)}));
}

// One path moves it to the target, the other computes on.
TEST(BranchIf, its_value_is_there_on_both_paths) {
  const Bytes computed = block(code(i32(10), get(1), get(1), I32Mul, get(0), br_if(0), get(1),
                                    get(1), I32Add, I32Sub, I32Add),
                               'i');
  expect_everywhere("ii:i", computed, {i32_value(0), i32_value(7)}, returned({i32_value(45)}));
  expect_everywhere("ii:i", computed, {i32_value(1), i32_value(7)}, returned({i32_value(49)}));
  const Bytes dropped = block(code(i32(10), get(1), block({}), get(0), br_if(0), Drop), 'i');
  expect_everywhere("ii:i", dropped, {i32_value(0), i32_value(7)}, returned({i32_value(10)}));
  expect_everywhere("ii:i", dropped, {i32_value(1), i32_value(7)}, returned({i32_value(7)}));
}

TEST(BranchIf, carries_many_values_past_others) {
  for (const uint32_t count : {1u, 2u, 3u, 4u, 5u, 9u}) {
    const std::string results(count, 'i');
    Bytes pushes;
    for (uint32_t i = 0; i < count; i++) append(&pushes, code(get(1), i32(i), I32Add));
    const Body body{"ii:" + results, "",
                    [&](uint32_t) {
                      // Type 1 is () -> results.
                      return block(
                          code(i64(1), i64(2), pushes, get(0), br_if(0),
                               repeated(count, code(Drop)), Drop, Drop, repeated(count, i32(5))),
                          BlockType::of(1));
                    },
                    [&](ModuleBuilder* module) { module->type(":" + results); }};
    Values taken, fallen(count, i32_value(5));
    for (uint32_t i = 0; i < count; i++) taken.push_back(i32_value(100 + i));
    expect_everywhere(body, {i32_value(1), i32_value(100)}, returned(taken));
    expect_everywhere(body, {i32_value(0), i32_value(100)}, returned(fallen));
  }
}

TEST(BranchIf, to_the_function_returns) {
  const Bytes body = code(get(1), get(0), br_if(0), i32(1), I32Add);
  EXPECT_EQ(run("ii:i", body, {i32_value(1), i32_value(5)}), returned({i32_value(5)}));
  EXPECT_EQ(run("ii:i", body, {i32_value(0), i32_value(5)}), returned({i32_value(6)}));
  // Several values that lie crosswise to the parameters.
  const Bytes swap =
      code(get(1), get(0), get(0), i32(1), I32And, br_if(0), Drop, Drop, i32(7), i32(8));
  EXPECT_EQ(run("ii:ii", swap, {i32_value(1), i32_value(5)}),
            returned({i32_value(5), i32_value(1)}));
  EXPECT_EQ(run("ii:ii", swap, {i32_value(2), i32_value(5)}),
            returned({i32_value(7), i32_value(8)}));
}

TEST(Branch, a_result_reaches_its_place_wherever_that_is) {
  // The results of the block come from a local, a constant, an increment, a value just made.
  const auto exits = [](const Bytes& value) {
    return code(i64(77), block(code(i64(1), value, br(0)), 'i'), get(0), I32Add, i64(1), Drop,
                I64ExtendI32U, I64Add);
  };
  const Values arguments = {i32_value(100)};
  expect_everywhere("i:l", exits(get(0)), arguments, returned({i64_value(277)}));
  expect_everywhere("i:l", exits(i32(5)), arguments, returned({i64_value(182)}));
  expect_everywhere("i:l", exits(code(get(0), i32(1), I32Add)), arguments,
                    returned({i64_value(278)}));
  expect_everywhere("i:l", exits(memory_size()), arguments, returned({i64_value(178)}));
  expect_everywhere("i:l", exits(code(get(0), I64ExtendI32U, I32WrapI64)), arguments,
                    returned({i64_value(277)}));
}

TEST(Branch, results_of_every_type_reach_their_place) {
  const std::pair<char, Value> cases[] = {{'i', i32_value(0x89ABCDEF)},
                                          {'l', i64_value(0x0123456789ABCDEF)},
                                          {'f', f32_value(1.5f)},
                                          {'d', f64_value(-2.25)},
                                          {'v', Value{0x0123456789ABCDEF, 0xFEDCBA9876543210}},
                                          {'e', i64_value(12345)}};
  for (const auto& [letter, value] : cases) {
    SCOPED_TRACE(letter);
    const std::string signature = std::string("i") + letter + letter + ':' + letter;
    // if (p) block result p1 by br, else p2 falls through.
    const Bytes body =
        code(i32(1), block(code(i32(3), get(1), get(0), br_if(0), Drop, Drop, get(2)), letter),
             set(1), Drop, get(1));
    const Value other{~value.low & (letter == 'i' || letter == 'f' ? 0x7FFF'FFFF : kMax64),
                      letter == 'v' ? 7u : 0u};
    expect_everywhere(signature, body, {i32_value(1), value, other}, returned({value}));
    expect_everywhere(signature, body, {i32_value(0), value, other}, returned({other}));
  }
}

TEST(BranchTable, goes_to_each_target_and_to_the_last_beyond) {
  const Body table{"i:i", "i", [](uint32_t local) {
                     return code(i32(30), set(local),
                                 block(code(block(code(block(code(get(0), br_table({0, 1, 2}, 1))),
                                                       i32(10), set(local), br(1))),
                                            i32(20), set(local), br(0))),
                                 get(local));
                   }};
  const uint32_t expected[] = {10, 20, 30, 20, 20};
  for (uint32_t i = 0; i < 4; i++) {
    expect_everywhere(table, {i32_value(i)}, returned({i32_value(expected[i])}));
  }
  expect_everywhere(table, {i32_value(0xFFFFFFFF)}, returned({i32_value(20)}));
}

// Every target takes a value, from different heights of the stack; one returns.
TEST(BranchTable, carries_a_value_to_each_target) {
  const Bytes body = code(
      block(code(i32(1000),
                 block(code(i32(2000), i32(3000),
                            block(code(i64(9), get(1), get(0), br_table({0, 1, 2, 3}, 0)), 'i'),
                            i32(1), I32Add, I32Add, I32Add),
                       'i'),
                 I32Add),
            'i'),
      i32(7), I32Add);
  const uint32_t expected[] = {1000 + 2000 + 3000 + 5 + 1 + 7, 1000 + 5 + 7, 5 + 7, 5};
  for (uint32_t i = 0; i < 4; i++) {
    EXPECT_EQ(run("ii:i", body, {i32_value(i), i32_value(5)}), returned({i32_value(expected[i])}))
        << i;
  }
  EXPECT_EQ(run("ii:i", body, {i32_value(4), i32_value(5)}), returned({i32_value(expected[0])}));
}

TEST(BranchTable, carries_a_value_within_a_body_of_any_shape) {
  const Bytes body = code(
      block(code(i32(1000), block(code(i64(9), get(1), get(0), br_table({0, 1}, 0)), 'i'), I32Add),
            'i'),
      i32(7), I32Add);
  for (const uint32_t i : {0u, 1u, 2u, 100u}) {
    expect_everywhere("ii:i", body, {i32_value(i), i32_value(5)},
                      returned({i32_value(i == 1 ? 12u : 1012u)}));
  }
}

TEST(BranchTable, carries_several_values_to_each_target) {
  // Type 1 is () -> (i32 i32 i32 i32 i32).
  const Body body{
      "iiiiii:i", "",
      [](uint32_t) {
        const Bytes fold = code(i32(3), I32Mul, I32Sub, i32(3), I32Mul, I32Sub, i32(3), I32Mul,
                                I32Sub, i32(3), I32Mul, I32Sub);
        return code(
            block(code(i64(1),
                       block(code(i64(2), get(1), get(2), i32(77), get(4), get(5), get(0), i32(3),
                                  I32Sub, br_table({0, 1}, 0)),
                             BlockType::of(1)),
                       fold, set(1), Drop, get(1), i32(1), I32Add, i32(0), i32(0), i32(0), i32(0)),
                  BlockType::of(1)),
            fold);
      },
      [](ModuleBuilder* module) { module->type(":iiiii"); }};
  // a - 3 (b - 3 (c - 3 (d - 3 e)))
  const auto fold = [](uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e) {
    return a - 3 * (b - 3 * (c - 3 * (d - 3 * e)));
  };
  const uint32_t folded = fold(1, 2, 77, 4, 5);
  const auto arguments = [](uint32_t index) {
    return Values{i32_value(index), i32_value(1), i32_value(2),
                  i32_value(3),     i32_value(4), i32_value(5)};
  };
  // The first round overwrites parameter 1, so only one round can be checked.
  for (const Shape& shape : kShapes) {
    if (shape.rounds > 1) continue;
    EXPECT_EQ(run_in_shape(body, shape, arguments(4)), returned({i32_value(folded)}));
    EXPECT_EQ(run_in_shape(body, shape, arguments(3)),
              returned({i32_value(fold(folded + 1, 0, 0, 0, 0))}));
    EXPECT_EQ(run_in_shape(body, shape, arguments(0)),
              returned({i32_value(fold(folded + 1, 0, 0, 0, 0))}));
  }
}

TEST(BranchTable, of_ten_thousand_targets) {
  std::vector<uint32_t> depths;
  for (uint32_t i = 0; i < 10'000; i++) depths.push_back(i % 3);
  const Bytes body = code(
      block(code(block(code(block(code(get(0), br_table(depths, 2))), i32(100), Opcode::Return)),
                 i32(200), Opcode::Return)),
      i32(300));
  for (const uint32_t i : {0u, 1u, 2u, 9'998u, 9'999u, 10'000u, 0xFFFFFFFFu}) {
    const uint32_t depth = i < 10'000 ? i % 3 : 2;
    EXPECT_EQ(run("i:i", body, {i32_value(i)}), returned({i32_value(100 * (depth + 1))})) << i;
  }
}

TEST(BranchTable, without_targets_goes_to_the_default) {
  const Bytes body = code(block(code(get(0), br_table({}, 0))), i32(4));
  expect_everywhere("i:i", body, {i32_value(0)}, returned({i32_value(4)}));
  expect_everywhere("i:i", body, {i32_value(9)}, returned({i32_value(4)}));
}

// --- Blocks with parameters ----------------------------------------------------------------------

TEST(Blocks, take_parameters_and_give_several_results) {
  const Body body{"ii:iii", "",
                  [](uint32_t) {
                    // Type 1: (i32 i32) -> (i32 i32 i32)
                    return code(get(0), get(1),
                                block(code(I32Sub, get(0), get(1)), BlockType::of(1)));
                  },
                  [](ModuleBuilder* module) { module->type("ii:iii"); }};
  expect_everywhere(body, {i32_value(50), i32_value(8)},
                    returned({i32_value(42), i32_value(50), i32_value(8)}));
}

TEST(Blocks, loops_take_parameters_on_every_round) {
  // Factorial: (loop (param n acc) (result acc))
  const Body body{"l:l", "l",
                  [](uint32_t local) {
                    return code(
                        get(0), i64(1),
                        loop(code(get(0), set(local), set(local), tee(0), get(local), I64Mul,
                                  set(local), get(0), i64(1), I64Sub, get(local), get(0), i64(1),
                                  I64GtU, br_if(0), set(local), Drop, get(local)),
                             BlockType::of(1)));
                  },
                  [](ModuleBuilder* module) { module->type("ll:l"); }};
  // The body changes its parameter, so only one round.
  for (const Shape& shape : kShapes) {
    if (shape.rounds > 1) continue;
    EXPECT_EQ(run_in_shape(body, shape, {i64_value(20)}),
              returned({i64_value(2'432'902'008'176'640'000)}))
        << shape.name;
  }
}

TEST(Blocks, a_loop_exchanges_its_parameters) {
  // (a, b) -> (b, a + b), n times, without locals for a and b.
  const Body body{"i:ll", "lli",
                  [](uint32_t local) {
                    const Bytes n = get(local + 2);
                    return code(
                        get(0), set(local + 2), i64(0), i64(1),
                        loop(code(set(local), set(local + 1), get(local), get(local + 1),
                                  get(local), I64Add, n, i32(1), I32Sub, tee(local + 2), br_if(0)),
                             BlockType::of(1)));
                  },
                  [](ModuleBuilder* module) { module->type("ll:ll"); }};
  expect_everywhere(body, {i32_value(50)},
                    returned({i64_value(12'586'269'025), i64_value(20'365'011'074)}));
}

TEST(Blocks, both_arms_of_an_if_see_its_parameters) {
  const Body body{"iid:id", "",
                  [](uint32_t) {
                    return code(get(1), get(2), get(0),
                                if_else(code(get(2), F64Add), code(Drop, Drop, i32(7), f64(8)),
                                        BlockType::of(1)));
                  },
                  [](ModuleBuilder* module) { module->type("id:id"); }};
  expect_everywhere(body, {i32_value(1), i32_value(5), f64_value(1.5)},
                    returned({i32_value(5), f64_value(3)}));
  expect_everywhere(body, {i32_value(0), i32_value(5), f64_value(1.5)},
                    returned({i32_value(7), f64_value(8)}));
}

TEST(Blocks, an_if_without_else_passes_its_parameters_through) {
  const Body body{"ii:i", "",
                  [](uint32_t) {
                    return code(get(1), get(0), if_then(code(i32(100), I32Add), BlockType::of(1)));
                  },
                  [](ModuleBuilder* module) { module->type("i:i"); }};
  expect_everywhere(body, {i32_value(0), i32_value(5)}, returned({i32_value(5)}));
  expect_everywhere(body, {i32_value(9), i32_value(5)}, returned({i32_value(105)}));
}

// A load before the `if` traps whichever way it goes, though only one arm uses its value.
TEST(Blocks, what_traps_before_an_if_is_not_moved_into_an_arm) {
  const Body body{"ii:i", "",
                  [](uint32_t) {
                    return code(
                        get(1), access(I32Load), get(0),
                        if_else(code(get(0), I32Add), code(Drop, i32(3)), BlockType::of(1)));
                  },
                  [](ModuleBuilder* module) { module->type("i:i"); }};
  expect_everywhere(body, {i32_value(0), i32_value(0)}, returned({i32_value(3)}));
  expect_everywhere(body, {i32_value(0), i32_value(0xFFFFFFFF)},
                    trapped(Trap::OutOfBoundsMemoryAccess));
  expect_everywhere(body, {i32_value(1), i32_value(0xFFFFFFFF)},
                    trapped(Trap::OutOfBoundsMemoryAccess));
}

TEST(Returns, any_permutation_of_parameters) {
  for (const char* order : {"01", "10", "00", "11", "210", "201", "120", "000", "012", "2222210"}) {
    SCOPED_TRACE(order);
    const std::string_view positions = order;
    Bytes body;
    Values expected;
    const Values arguments = {i64_value(11), i64_value(22), i64_value(33)};
    for (const char position : positions) {
      const auto index = static_cast<uint32_t>(position - '0');
      append(&body, get(index));
      expected.push_back(arguments[index]);
    }
    const std::string signature = "lll:" + std::string(positions.size(), 'l');
    expect_everywhere(signature, body, arguments, returned(expected));
    EXPECT_EQ(run(signature, code(body, Opcode::Return), arguments), returned(expected));
    EXPECT_EQ(run(signature, code(i64(1), body, br(0)), arguments), returned(expected));
  }
}

TEST(Returns, of_mixed_sizes_over_their_own_parameters) {
  const Values arguments = {Value{1, 2}, i32_value(3), Value{4, 5}, f64_value(6)};
  EXPECT_EQ(run("vivd:dviv", code(get(3), get(2), get(1), get(0)), arguments),
            returned({f64_value(6), Value{4, 5}, i32_value(3), Value{1, 2}}));
  EXPECT_EQ(run("vivd:vvvv", code(get(2), get(0), get(2), get(0)), arguments),
            returned({Value{4, 5}, Value{1, 2}, Value{4, 5}, Value{1, 2}}));
}

// --- Reads that wait for their use ---------------------------------------------------------------

TEST(PendingReads, keep_the_value_that_the_local_had) {
  const Body set_between{"i:i", "i", [](uint32_t x) {
                           return code(get(0), set(x), get(x), i32(100), set(x), get(x), I32Sub);
                         }};
  expect_everywhere(set_between, {i32_value(7)}, returned({i32_value(7u - 100u)}));
  const Body tee_between{"i:i", "i", [](uint32_t x) {
                           return code(get(0), set(x), get(x), i32(100), tee(x), I32Sub, get(x),
                                       I32Mul);
                         }};
  expect_everywhere(tee_between, {i32_value(7)}, returned({i32_value((7u - 100u) * 100u)}));
  const Body increment{"i:i", "i", [](uint32_t x) {  // x++ - ++x
                         return code(get(0), set(x), get(x), get(x), i32(1), I32Add, set(x), get(x),
                                     i32(1), I32Add, tee(x), I32Sub, get(x), I32Xor);
                       }};
  expect_everywhere(increment, {i32_value(7)}, returned({i32_value((7u - 9u) ^ 9u)}));
  const Body many{"i:i", "i", [](uint32_t x) {
                    return code(get(0), set(x), repeated(6, get(x)), get(x), i32(5), I32Mul, set(x),
                                repeated(5, code(I32Add)), get(x), I32Sub);
                  }};
  expect_everywhere(many, {i32_value(7)}, returned({i32_value(42u - 35u)}));
}

TEST(PendingReads, keep_their_value_in_every_type) {
  struct Case {
    char letter;
    Bytes other;
    Value first, second;
  };
  const Case cases[] = {{'i', i32(9), i32_value(3), i32_value(9)},
                        {'l', i64(9), i64_value(kMax64), i64_value(9)},
                        {'f', f32(2.5f), f32_value(1), f32_value(2.5f)},
                        {'d', f64(2.5), f64_value(1), f64_value(2.5)},
                        {'v', v128(8, 9), Value{1, 2}, Value{8, 9}}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.letter);
    const std::string type(1, one.letter);
    const Body body{type + ":" + type + type, type, [&one](uint32_t x) {
                      return code(get(0), set(x), get(x), one.other, set(x), get(x));
                    }};
    expect_everywhere(body, {one.first}, returned({one.first, one.second}));
  }
}

TEST(PendingReads, are_saved_at_calls_and_blocks) {
  const Body body{
      "i:i", "i",
      [](uint32_t x) {
        return code(get(0), set(x), get(x), block(code(i32(1), set(x))), get(x), call(1), set(x),
                    get(x), I32Sub, i32(10), get(x), loop(code(i32(2), set(x))), I32Add, get(x),
                    I32Add, I32Add);
      },
      [](ModuleBuilder* module) { module->function("", "i:i", code(get(0), i32(1000), I32Add)); }};
  // 7 - 1001 + (10 + 1001 + 2)
  expect_everywhere(body, {i32_value(7)}, returned({i32_value(7u - 1001u + 1013u)}));
}

TEST(PendingReads, exchange_two_locals) {
  const Body body{"ii:ii", "ii", [](uint32_t x) {
                    return code(get(0), set(x), get(1), set(x + 1),  //
                                get(x), get(x + 1), set(x), set(x + 1), get(x), get(x + 1));
                  }};
  expect_everywhere(body, {i32_value(1), i32_value(2)}, returned({i32_value(2), i32_value(1)}));
}

// --- Values that must not be computed at another place -------------------------------------------

TEST(Order, loads_see_memory_before_later_stores) {
  const auto body = [](const Bytes& use) {
    return code(i32(16), i32(5), access(I32Store), i32(16), access(I32Load), i32(16), i32(9),
                access(I32Store), use);
  };
  expect_everywhere("i:i", body(code(i32(1), I32Add)), {i32_value(3)}, returned({i32_value(6)}));
  expect_everywhere("i:i", body(code(get(0), I32Add)), {i32_value(3)}, returned({i32_value(8)}));
  expect_everywhere("i:i", body(code(get(0), I32Xor)), {i32_value(3)}, returned({i32_value(6)}));
}

TEST(Order, loads_see_memory_before_bulk_stores_calls_and_growth) {
  const Body call_between{"i:i", "",
                          [](uint32_t) {
                            return code(i32(16), i32(5), access(I32Store), i32(16), access(I32Load),
                                        call(1), get(0), I32Add);
                          },
                          [](ModuleBuilder* module) {
                            module->function("", ":", code(i32(16), i32(9), access(I32Store)));
                          }};
  expect_everywhere(call_between, {i32_value(3)}, returned({i32_value(8)}));
  expect_everywhere("i:i",
                    code(i32(16), i32(5), access(I32Store), get(0), access(I32Load, 13), i32(16),
                         i32(9), i32(4), memory_fill(), get(0), I32Add),
                    {i32_value(3)}, returned({i32_value(8)}));
}

TEST(Order, a_load_is_done_before_the_branch_behind_it) {
  const Body body{
      "ii:i", "i", [](uint32_t x) {
        return code(i32(3), set(x),
                    block(code(get(1), access(I32Load), get(0), br_if(0), get(0), I32Add, set(x))),
                    get(x));
      }};
  expect_everywhere(body, {i32_value(0), i32_value(0)}, returned({i32_value(0)}));
  expect_everywhere(body, {i32_value(1), i32_value(0)}, returned({i32_value(3)}));
  for (const uint32_t condition : {0u, 1u}) {
    expect_everywhere(body, {i32_value(condition), i32_value(0xFFFFFFFF)},
                      trapped(Trap::OutOfBoundsMemoryAccess));
  }
}

// (a * b & a + b) ^ c, where making c takes the place that a + b had.
TEST(Order, an_operand_is_read_before_its_place_is_taken) {
  const Bytes both = code(get(0), get(1), I32Mul, get(1), get(0), I32Add, I32And);
  const uint32_t value = (1000u * 77u) & (1000u + 77u);
  expect_everywhere("ii:i",
                    code(both, get(0), get(0), I32Mul, get(1), get(1), I32Mul, I32DivU, I32Xor),
                    {i32_value(1000), i32_value(77)},
                    returned({i32_value(value ^ (1000u * 1000u / (77u * 77u)))}));
  const Body call_between{
      "ii:i", "", [&both](uint32_t) { return code(both, call(1), get(0), I32Xor); },
      [](ModuleBuilder* module) {
        module->function("", ":", code(i64(kMax64), set(0), i64(5), set(1)), "ll");
      }};
  expect_everywhere(call_between, {i32_value(1000), i32_value(77)},
                    returned({i32_value(value ^ 1000u)}));
}

TEST(Order, the_first_trap_wins) {
  // A load out of bounds before a division by zero, and the other way round.
  const Bytes load_first = code(get(0), access(I32Load), i32(1), get(1), I32DivU, I32Add);
  const Bytes division_first = code(i32(1), get(1), I32DivU, get(0), access(I32Load), I32Add);
  const Values both = {i32_value(0xFFFFFFFF), i32_value(0)};
  expect_everywhere("ii:i", load_first, both, trapped(Trap::OutOfBoundsMemoryAccess));
  expect_everywhere("ii:i", division_first, both, trapped(Trap::IntegerDivideByZero));
  const Bytes conversion = code(get(0), access(I32Load), f32(1e20f), I32TruncF32S, I32Xor);
  expect_everywhere("i:i", conversion, {i32_value(0xFFFFFFFF)},
                    trapped(Trap::OutOfBoundsMemoryAccess));
  const Bytes unreachable = code(get(0), access(I32Load), Unreachable, I32Add);
  expect_everywhere("i:i", code(unreachable), {i32_value(0xFFFFFFFF)},
                    trapped(Trap::OutOfBoundsMemoryAccess));
}

TEST(Order, dropped_values_still_trap) {
  expect_everywhere("i:", code(get(0), access(I32Load), Drop), {i32_value(0xFFFFFFFF)},
                    trapped(Trap::OutOfBoundsMemoryAccess));
  expect_everywhere("i:", code(i32(1), get(0), I32DivS, Drop), {i32_value(0)},
                    trapped(Trap::IntegerDivideByZero));
  expect_everywhere("i:", code(get(0), i32(0xFFFFFFFF), I32DivS, Drop), {i32_value(0x80000000)},
                    trapped(Trap::IntegerOverflow));
  expect_everywhere("d:", code(get(0), I32TruncF64U, Drop), {f64_value(-1)},
                    trapped(Trap::IntegerOverflow));
  expect_everywhere("d:", code(get(0), I64TruncF64S, Drop), {f64_value(std::nan(""))},
                    trapped(Trap::InvalidConversionToInteger));
}

// --- Select --------------------------------------------------------------------------------------

TEST(Select, of_every_type) {
  const std::pair<char, std::pair<Value, Value>> cases[] = {
      {'i', {i32_value(1), i32_value(2)}}, {'l', {i64_value(kMax64), i64_value(2)}},
      {'f', {f32_value(1), f32_value(2)}}, {'d', {f64_value(1), f64_value(2)}},
      {'v', {Value{1, 2}, Value{3, 4}}},   {'e', {i64_value(5), i64_value(6)}}};
  for (const auto& [letter, values] : cases) {
    SCOPED_TRACE(letter);
    const std::string signature = std::string(2, letter) + "i:" + letter;
    const Bytes typed = code(SelectTyped, Bytes{1, type_byte(letter)});
    for (const bool untyped : {true, false}) {
      if (untyped && letter == 'e') continue;
      const Bytes body = code(get(0), get(1), get(2), untyped ? code(Opcode::Select) : typed);
      for (const uint32_t condition : {0u, 1u, 2u, 0x80000000u}) {
        expect_everywhere(signature, body, {values.first, values.second, i32_value(condition)},
                          returned({condition != 0 ? values.first : values.second}));
      }
    }
  }
}

TEST(Select, looks_at_the_low_half_of_its_condition_only) {
  expect_everywhere("l:i", code(i32(1), i32(2), get(0), I32WrapI64, Opcode::Select),
                    {i64_value(0xFFFFFFFF'00000000)}, returned({i32_value(2)}));
}

// (a op b) ? x : y where x and y are a and b in either order, locals and constants.
TEST(Select, minimum_and_maximum_in_every_spelling) {
  struct Comparison {
    Opcode opcode;
    std::function<bool(uint32_t, uint32_t)> holds;
  };
  const Comparison comparisons[] = {
      {I32LtS,
       [](uint32_t a, uint32_t b) { return static_cast<int32_t>(a) < static_cast<int32_t>(b); }},
      {I32LtU, [](uint32_t a, uint32_t b) { return a < b; }},
      {I32GtS,
       [](uint32_t a, uint32_t b) { return static_cast<int32_t>(a) > static_cast<int32_t>(b); }},
      {I32GtU, [](uint32_t a, uint32_t b) { return a > b; }},
      {I32LeS,
       [](uint32_t a, uint32_t b) { return static_cast<int32_t>(a) <= static_cast<int32_t>(b); }},
      {I32GeU, [](uint32_t a, uint32_t b) { return a >= b; }},
      {I32Eq, [](uint32_t a, uint32_t b) { return a == b; }}};
  const uint32_t numbers[] = {0, 5, 0xFFFFFFFF, 0x80000000};
  for (const Comparison& comparison : comparisons) {
    for (const uint32_t a : numbers) {
      for (const uint32_t b : numbers) {
        const bool holds = comparison.holds(a, b);
        for (const bool same : {true, false}) {
          const uint32_t expected = holds == same ? a : b;
          const Bytes locals = code(same ? get(0) : get(1), same ? get(1) : get(0), get(0), get(1),
                                    comparison.opcode, Opcode::Select);
          EXPECT_EQ(run("ii:i", locals, {i32_value(a), i32_value(b)}),
                    returned({i32_value(expected)}));
          const Bytes constant = code(same ? get(0) : i32(b), same ? i32(b) : get(0), get(0),
                                      i32(b), comparison.opcode, Opcode::Select);
          EXPECT_EQ(run("i:i", constant, {i32_value(a)}), returned({i32_value(expected)}));
          const Bytes turned = code(same ? i32(b) : get(0), same ? get(0) : i32(b), i32(b), get(0),
                                    comparison.opcode, Opcode::Select);
          const bool turned_holds = comparison.holds(b, a);
          EXPECT_EQ(run("i:i", turned, {i32_value(a)}),
                    returned({i32_value(turned_holds == same ? b : a)}));
        }
      }
    }
  }
}

TEST(Select, of_a_float_comparison_knows_nan_and_signed_zero) {
  const double kNan = std::numeric_limits<double>::quiet_NaN();
  const double numbers[] = {0.0, -0.0, 1.5, -2.5, kNan, std::numeric_limits<double>::infinity()};
  for (const Opcode opcode : {F64Lt, F64Gt, F64Le, F64Ge, F64Eq, F64Ne}) {
    for (const double a : numbers) {
      for (const double b : numbers) {
        const bool holds = opcode == F64Lt   ? a < b
                           : opcode == F64Gt ? a > b
                           : opcode == F64Le ? a <= b
                           : opcode == F64Ge ? a >= b
                           : opcode == F64Eq ? a == b
                                             : a != b;
        const Values arguments = {f64_value(a), f64_value(b)};
        EXPECT_EQ(
            run("dd:d", code(get(0), get(1), get(0), get(1), opcode, Opcode::Select), arguments),
            returned({f64_value(holds ? a : b)}));
        EXPECT_EQ(
            run("dd:d", code(get(1), get(0), get(0), get(1), opcode, Opcode::Select), arguments),
            returned({f64_value(holds ? b : a)}));
        EXPECT_EQ(
            run("dd:d", code(get(0), f64(b), get(0), f64(b), opcode, Opcode::Select), arguments),
            returned({f64_value(holds ? a : b)}));
        // Branches on a comparison and on its opposite.
        EXPECT_EQ(
            run("dd:i",
                code(block(code(get(0), get(1), opcode, br_if(0), i32(0), Opcode::Return)), i32(1)),
                arguments),
            returned({i32_value(holds)}));
        EXPECT_EQ(
            run("dd:i",
                code(block(code(get(0), get(1), opcode, I32Eqz, br_if(0), i32(1), Opcode::Return)),
                     i32(0)),
                arguments),
            returned({i32_value(holds)}));
        EXPECT_EQ(
            run("dd:i", code(get(0), f64(b), opcode, if_else(i32(1), i32(0), 'i')), arguments),
            returned({i32_value(holds)}));
      }
    }
  }
}

// The comparison of one pair chooses between another.
TEST(Select, does_not_confuse_the_pair_that_it_compares_with_the_pair_that_it_chooses_from) {
  const Bytes body = code(get(2), get(1), get(0), get(1), I32LtS, Opcode::Select);
  expect_everywhere("iii:i", body, {i32_value(1), i32_value(2), i32_value(3)},
                    returned({i32_value(3)}));
  expect_everywhere("iii:i", body, {i32_value(2), i32_value(1), i32_value(3)},
                    returned({i32_value(1)}));
  // The local changes between comparison and choice.
  const Body changed{"ii:i", "ii", [](uint32_t x) {
                       return code(get(0), set(x), get(1), set(x + 1), get(x), get(x + 1), I32LtS,
                                   set(0), i32(50), set(x), get(x), get(x + 1), get(0),
                                   Opcode::Select);
                     }};
  EXPECT_EQ(run_in_shape(changed, kShapes[0], {i32_value(1), i32_value(2)}),
            returned({i32_value(50)}));
}

// --- Large frames --------------------------------------------------------------------------------

TEST(LargeFrames, a_thousand_operands_and_more) {
  for (const uint32_t count : {1'000u, 5'000u, 100'000u}) {
    const Bytes body = code(repeated(count, get(0)), repeated(count - 1, code(I64Add)));
    EXPECT_EQ(run("l:l", body, {i64_value(3)}), returned({i64_value(3 * uint64_t{count})}))
        << count;
  }
}

TEST(LargeFrames, each_of_five_thousand_locals_is_its_own) {
  for (const char letter : std::string_view("ilfdv")) {
    SCOPED_TRACE(letter);
    constexpr uint32_t kCount = 5'000;
    Bytes fill, sum;
    const auto number = [letter](uint32_t i) {
      switch (letter) {
        case 'i':
          return i32(i);
        case 'l':
          return i64(i);
        case 'f':
          return f32(static_cast<float>(i));
        case 'd':
          return f64(i);
        default:
          return v128(i, 2 * i);
      }
    };
    const Opcode add = letter == 'i'   ? I32Add
                       : letter == 'l' ? I64Add
                       : letter == 'f' ? F32Add
                       : letter == 'd' ? F64Add
                                       : I64x2Add;
    for (uint32_t i = 0; i < kCount; i++) append(&fill, code(number(i), set(i)));
    append(&sum, number(0));
    for (uint32_t i = 0; i < kCount; i += 97) append(&sum, code(get(i), add));
    uint64_t expected = 0;
    for (uint32_t i = 0; i < kCount; i += 97) expected += i;
    ModuleBuilder module;
    module.function_with_groups("f", module.type(std::string(":") + letter), code(fill, sum),
                                {{kCount, type_of(letter)}});
    const Value value = letter == 'i'   ? i32_value(static_cast<uint32_t>(expected))
                        : letter == 'l' ? i64_value(expected)
                        : letter == 'f' ? f32_value(static_cast<float>(expected))
                        : letter == 'd' ? f64_value(static_cast<double>(expected))
                                        : Value{expected, 2 * expected};
    EXPECT_EQ(Guest(module).call("f"), returned({value}));
  }
}

TEST(LargeFrames, begin_as_zeros_even_over_the_remains_of_others) {
  ModuleBuilder module;
  Bytes dirty;
  for (uint32_t i = 0; i < 300; i++) append(&dirty, code(i64(kMax64), set(i)));
  module.function_with_groups("", module.type(":"), dirty, {{300, ValueType::I64}});
  for (uint32_t count = 1; count <= 12; count++) {
    Bytes body = i64(0);
    for (uint32_t i = 0; i < count; i++) append(&body, code(get(i), I64Or));
    module.function("", ":l", body, std::string(count, 'l'));
  }
  module.table('r', 20);
  module.active_elements(0, 0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const uint32_t type = module.type(":l");
  for (uint32_t count = 1; count <= 12; count++) {
    module.function("direct" + std::to_string(count), ":l", code(call(0), call(count)));
    module.function("indirect" + std::to_string(count), ":l",
                    code(call(0), i32(count), call_indirect(type)));
    module.export_function("invoked" + std::to_string(count), count);
  }
  module.export_function("dirty", 0);
  Guest guest(module);
  for (uint32_t count = 1; count <= 12; count++) {
    const std::string number = std::to_string(count);
    EXPECT_EQ(guest.call("direct" + number), returned({i64_value(0)})) << count;
    EXPECT_EQ(guest.call("indirect" + number), returned({i64_value(0)})) << count;
    EXPECT_EQ(guest.call("dirty"), returned({}));
    EXPECT_EQ(guest.call("invoked" + number), returned({i64_value(0)})) << count;
  }
}

// Every kind of operation with operands and results in far slots; run_in_shape puts them there.
TEST(LargeFrames, every_kind_of_operation_reaches_its_operands) {
  const Body bodies[] = {
      {"ii:i", "iii",
       [](uint32_t x) {  // unary, binary, pairs, triples
         return code(get(0), set(x), get(1), set(x + 1), get(x), I32Clz, get(x + 1), I32Add,
                     set(x + 2), get(x), get(x + 1), I32Mul, get(x + 2), I32Add, get(x), i32(3),
                     I32Shl, get(x + 1), I32Xor, I32Sub, get(x), get(x + 1), I32And, get(x + 2),
                     I32Or, I32Add);
       }},
      {"ii:i", "iii",
       [](uint32_t x) {  // memory accesses of all forms
         return code(get(0), i32(0xFF), I32And, set(x), get(1), i32(0xFF), I32And, set(x + 1),
                     get(x), get(x + 1), access(I32Store, 64), get(x), get(x + 1), I32Add, get(x),
                     access(I32Store, 512), get(x), i32(2), I32Shl, get(x + 1), I32Add, get(x + 1),
                     access(I32Store, 2048), get(x), get(x), access(I32Load, 64), i32(9), I32Add,
                     access(I32Store, 64), get(x), get(x), access(I32Load, 64), get(x + 1), I32Xor,
                     access(I32Store, 64), get(x), access(I32Load, 64), get(x), get(x + 1), I32Add,
                     access(I32Load, 512), I32Add, get(x), i32(2), I32Shl, get(x + 1), I32Add,
                     access(I32Load, 2048), I32Add, get(x), i32(15), I32And, i32(1), I32Shl,
                     get(x + 1), I32Add, access(I32Load16U, 512), I32Xor, tee(x + 2), get(x + 2),
                     I32Add);
       }},
      {"ii:i", "iil",
       [](uint32_t x) {  // branches and selections
         return code(get(0), set(x), get(1), set(x + 1), i32(0),
                     block(code(get(x), get(x + 1), I32LtS, br_if(0), i32(1), set(x))), get(x),
                     I32Add, block(code(get(x), get(x + 1), I32And, br_if(0), i32(7), set(x + 1))),
                     get(x + 1), I32Add, get(x), get(x + 1), get(x), get(x + 1), I32LtS,
                     Opcode::Select, I32Add, get(x), get(x + 1), get(x), i32(1), I32And,
                     Opcode::Select, I32Add, block(code(get(x), br_table({0, 0}, 0))), get(x),
                     I64ExtendI32U, set(x + 2), get(x + 2), i64(5), I64Add, I32WrapI64, I32Add);
       }},
      {"ii:i", "iidd",
       [](uint32_t x) {  // floats
         return code(get(0), set(x), get(1), F64ConvertI32S, set(x + 2), get(x), F64ConvertI32S,
                     set(x + 3), get(x + 2), get(x + 3), F64Mul, get(x + 2), F64Add, get(x + 3),
                     F64Sqrt, F64Abs, F64Add, get(x + 2), F64Neg, get(x + 3), F64Max, F64Sub,
                     I32TruncSatF64S, get(x + 2), get(x + 3), F64Lt, I32Add, get(x + 2), f64(2.5),
                     F64Gt, I32Add, get(x + 2), get(x + 3), get(x), Opcode::Select, I32TruncSatF64S,
                     I32Add);
       }},
      {"ii:i", "iivv",
       [](uint32_t x) {  // vectors
         return code(
             get(0), I32x4Splat, set(x + 2), get(1), I8x16Splat, set(x + 3), get(x + 2), get(x + 3),
             I32x4Add, get(x + 2), get(x + 3), get(x + 2), V128Bitselect, V128Xor, get(x + 3),
             code(I8x16Shuffle, Bytes{0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31}),
             i32(5), lane(I32x4ReplaceLane, 2), tee(x + 3), get(x + 2), I32x4LtS, V128AnyTrue,
             get(x + 3), lane(I32x4ExtractLane, 3), I32Add, i32(32), get(x + 3),
             access(V128Store, 16), i32(32), access(V128Load, 18), lane(I16x8ExtractLaneU, 1),
             I32Add, i32(32), get(x + 2), lane_access(V128Load16Lane, 16, 3),
             lane(I16x8ExtractLaneS, 3), I32Add, i32(8), get(x + 3),
             lane_access(V128Store8Lane, 0, 9), i32(8), access(I32Load8U), I32Add);
       }},
      {"ii:i", "iii",
       [](uint32_t x) {  // bulk operations, size and growth
         return code(get(0), set(x), get(1), i32(7), I32And, set(x + 1), i32(100), get(x),
                     get(x + 1), memory_fill(), i32(200), i32(100), get(x + 1), memory_copy(),
                     i32(200), access(I32Load), i32(0), memory_grow(), I32Add, memory_size(),
                     I32Add, set(x + 2), get(x + 2));
       }},
      {"ii:i", "iii",
       [](uint32_t x) {  // globals, own and through calls
         return code(get(0), set(x), get(x), global_set(0), get(1), I64ExtendI32U, global_set(1),
                     global_get(1), I32WrapI64, set(x + 1), global_get(0), get(x + 1), I32Add,
                     get(x), get(x + 1), call(1), I32Add, get(x), get(x + 1), i32(0),
                     call_indirect(1), I32Sub, get(x), call(2), I32Xor, I32Xor);
       },
       [](ModuleBuilder* module) {
         module->global("", 'i', true, i32(0));
         module->global("", 'l', true, i64(0));
         module->function("", "ii:i", code(get(0), get(1), I32Sub));  // type 1
         module->function("", "i:ii", code(get(0), i32(3), get(0), I32Add));
         module->table('r', 1);
         module->active_elements(0, 0, {1});
       }},
      {"ii:i", "iirr",
       [](uint32_t x) {  // references and tables
         return code(with(RefFunc, 1), set(x + 2), ref_null('r'), set(x + 3), i32(1), get(x + 2),
                     with(TableSet, 0), i32(1), with(TableGet, 0), RefIsNull, get(x + 3), RefIsNull,
                     i32(1), I32Shl, I32Add, set(x), i32(0), get(x + 2), i32(2), with(TableFill, 0),
                     get(0), i32(1), call_indirect(1), get(x), I32Add, with(TableSize, 0), I32Add,
                     get(x + 2), i32(0), with(TableGrow, 0), I32Add);
       },
       [](ModuleBuilder* module) {
         module->function("", "i:i", code(get(0), i32(5), I32Mul));  // type 1
         module->table('r', 3);
         module->declare({1});
       }},
  };
  const Values inputs[] = {{i32_value(3), i32_value(200)},
                           {i32_value(0x80000000), i32_value(5)},
                           {i32_value(100), i32_value(0xFFFFFFFF)}};
  for (size_t i = 0; i < std::size(bodies); i++) {
    SCOPED_TRACE(i);
    for (const Values& arguments : inputs) {
      const Outcome plain = run_in_shape(bodies[i], kShapes[0], arguments);
      EXPECT_EQ(plain.trap, Trap::None);
      expect_everywhere(bodies[i], arguments, plain);
    }
  }
}

// --- Calls ---------------------------------------------------------------------------------------

// The value of a local, read so often that it pays to keep the local in a register across calls.
Bytes hot_i32(uint32_t local) {
  return code(get(local), repeated(16, code(get(local), I32Xor)));
}
Bytes hot_i64(uint32_t local) {
  return code(get(local), repeated(16, code(get(local), I64Xor)));
}
Bytes hot_f64(uint32_t local) {
  return code(get(local), repeated(16, code(get(local), F64Max)));
}

TEST(Calls, hot_locals_of_both_files_survive_every_kind_of_call) {
  const auto body = [](const Bytes& the_call) {
    return Body{"i:lid", "idl",
                [the_call](uint32_t x) {
                  return code(
                      i32(0), set(x), f64(0), set(x + 1), i64(0), set(x + 2),
                      loop(code(hot_i64(x + 2), hot_i32(x), the_call, I64ExtendI32U, I64Add,
                                set(x + 2), hot_f64(x + 1), f64(0.25), F64Add, set(x + 1),
                                hot_i32(x), i32(1), I32Add, tee(x), get(0), I32LtU, br_if(0))),
                      get(x + 2), get(x), get(x + 1));
                },
                [](ModuleBuilder* module) {
                  // Uses hot locals of its own: three times its argument.
                  module->function(
                      "", "i:i",
                      code(loop(code(get(1), get(0), I32Add, set(1), get(2), f64(1), F64Add, set(2),
                                     get(3), i32(1), I32Add, tee(3), i32(3), I32LtU, br_if(0))),
                           get(1)),
                      "idi");  // type 1
                  module->table('r', 2);
                  module->table('r', 1);
                  module->active_elements(0, 1, {1});
                  module->active_elements(1, 0, {1});
                }};
  };
  const Outcome expected =
      returned({i64_value(3ull * (99 * 100 / 2)), i32_value(100), f64_value(25)});
  expect_everywhere(body(call(1)), {i32_value(100)}, expected);
  expect_everywhere(body(code(i32(1), call_indirect(1))), {i32_value(100)}, expected);
  expect_everywhere(body(code(i32(0), call_indirect(1, 1))), {i32_value(100)}, expected);
}

TEST(Calls, hot_locals_of_one_file_survive_them_too) {
  const auto clobber = [](ModuleBuilder* module) {
    module->function("", ":",
                     code(loop(code(get(1), f64(3), F64Add, set(1), get(0), i32(1), I32Add, tee(0),
                                    i32(5), I32LtU, br_if(0)))),
                     "id");
  };
  const Body integers{"i:i", "i",
                      [](uint32_t x) {
                        return code(i32(0), set(x),
                                    loop(code(call(1), hot_i32(x), i32(1), I32Add, tee(x), get(0),
                                              I32LtU, br_if(0))),
                                    hot_i32(x));
                      },
                      clobber};
  expect_everywhere(integers, {i32_value(10)}, returned({i32_value(10)}));
  const Body floats{"d:d", "d",
                    [](uint32_t x) {
                      return code(f64(0), set(x),
                                  loop(code(call(1), hot_f64(x), f64(1), F64Add, tee(x), get(0),
                                            F64Lt, br_if(0))),
                                  hot_f64(x));
                    },
                    clobber};
  expect_everywhere(floats, {f64_value(10)}, returned({f64_value(10)}));
}

// Temporaries of both files, the callee makes some of its own.
TEST(Calls, values_that_wait_are_not_disturbed) {
  const Body body{"iid:i", "",
                  [](uint32_t) {
                    return code(get(0), get(1), I32Mul, get(2), get(2), F64Mul, call(1),
                                I32TruncSatF64S, I32Add);
                  },
                  [](ModuleBuilder* module) {
                    module->function(
                        "", ":",
                        code(i32(8), i32(0), access(I32Load), i32(4), access(I32Load), I32Mul,
                             i32(3), I32Sub, access(I32Store), i32(24), i32(0), access(F64Load),
                             i32(16), access(F64Load), F64Sub, F64Sqrt, access(F64Store)));
                  }};
  expect_everywhere(body, {i32_value(6), i32_value(7), f64_value(3)}, returned({i32_value(51)}));
}

TEST(Calls, recursion_keeps_every_frame_apart) {
  // Ackermann, and a sum that is added up on the way back.
  ModuleBuilder module;
  module.function(
      "ackermann", "ii:i",
      code(get(0), I32Eqz,
           if_else(
               code(get(1), i32(1), I32Add),
               code(get(0), i32(1), I32Sub, get(1), I32Eqz,
                    if_else(i32(1), code(get(0), get(1), i32(1), I32Sub, call(0)), 'i'), call(0)),
               'i')));
  module.function(
      "sum", "l:l",
      code(get(0), I64Eqz,
           if_else(i64(0), code(get(0), get(0), i64(1), I64Sub, call(1), I64Add), 'l')));
  Guest guest(module);
  EXPECT_EQ(guest.call("ackermann", {i32_value(2), i32_value(9)}), returned({i32_value(21)}));
  EXPECT_EQ(guest.call("ackermann", {i32_value(3), i32_value(5)}), returned({i32_value(253)}));
  EXPECT_EQ(guest.call("sum", {i64_value(50'000)}), returned({i64_value(1'250'025'000)}));
}

TEST(Calls, results_that_outnumber_arguments_and_the_other_way_round) {
  for (uint32_t parameters = 0; parameters <= 7; parameters++) {
    for (uint32_t results = 0; results <= 7; results++) {
      ModuleBuilder module;
      Bytes callee, arguments, fold;
      for (uint32_t i = 0; i < results; i++) {
        append(&callee, parameters > 0 ? code(get(i % parameters), i64(i), I64Add) : i64(i));
      }
      for (uint32_t i = 0; i < parameters; i++) append(&arguments, i64(100 * (i + 1)));
      for (uint32_t i = 0; i < results; i++) append(&fold, code(I64Add));
      module.function("", std::string(parameters, 'l') + ":" + std::string(results, 'l'), callee);
      module.function("f", ":l", code(i64(1'000'000), arguments, call(0), fold));
      uint64_t expected = 1'000'000;
      for (uint32_t i = 0; i < results; i++) {
        expected += i + (parameters > 0 ? 100 * (i % parameters + 1) : 0);
      }
      EXPECT_EQ(Guest(module).call("f"), returned({i64_value(expected)}))
          << parameters << " -> " << results;
    }
  }
}

TEST(Calls, indirect_ones_trap_in_every_table) {
  for (const uint32_t table : {0u, 1u}) {
    ModuleBuilder module;
    const uint32_t wanted = module.type("i:i");
    module.function("", "i:i", code(get(0), i32(1), I32Add));
    module.function("", "l:l", get(0));
    module.table('r', 4);
    module.table('r', 4);
    module.active_elements(table, 0, {0, 1});
    // What the other table has at these places must not matter.
    module.active_elements(1 - table, 0, {module.function("", "i:i", i32(1000)), 2, 2, 2});
    // The index is a parameter, a value just made, a constant.
    module.function("f", "i:i", code(i32(41), get(0), call_indirect(wanted, table)));
    module.function("g", "i:i",
                    code(i32(41), get(0), i32(1), I32Mul, call_indirect(wanted, table)));
    module.function("c0", "i:i", code(i32(41), i32(0), call_indirect(wanted, table)));
    module.function("c1", "i:i", code(i32(41), i32(1), call_indirect(wanted, table)));
    module.function("c9", "i:i", code(i32(41), i32(9), call_indirect(wanted, table)));
    Guest guest(module);
    for (const char* name : {"f", "g"}) {
      EXPECT_EQ(guest.call(name, {i32_value(0)}), returned({i32_value(42)}));
      EXPECT_EQ(guest.call(name, {i32_value(1)}), trapped(Trap::IndirectCallTypeMismatch));
      EXPECT_EQ(guest.call(name, {i32_value(2)}), trapped(Trap::UninitializedElement));
      EXPECT_EQ(guest.call(name, {i32_value(4)}), trapped(Trap::UndefinedElement));
      EXPECT_EQ(guest.call(name, {i32_value(0xFFFFFFFF)}), trapped(Trap::UndefinedElement));
    }
    EXPECT_EQ(guest.call("c0", {i32_value(0)}), returned({i32_value(42)}));
    EXPECT_EQ(guest.call("c1", {i32_value(0)}), trapped(Trap::IndirectCallTypeMismatch));
    EXPECT_EQ(guest.call("c9", {i32_value(0)}), trapped(Trap::UndefinedElement));
  }
}

// The index lies where the callee's frame will begin.
TEST(Calls, an_indirect_call_reads_its_index_before_the_frame_covers_it) {
  const Body body{"ii:i", "i",
                  [](uint32_t x) {
                    return code(get(0), get(1), I32Add, get(0), get(1), I32Sub, get(1), get(0),
                                I32Xor, get(0), get(0), I32Sub, tee(x), call_indirect(1));
                  },
                  [](ModuleBuilder* module) {
                    module->function("", "iii:i",
                                     code(get(0), get(1), I32Mul, get(2), I32Add));  // type 1
                    module->table('r', 1);
                    module->active_elements(0, 0, {1});
                  }};
  expect_everywhere(body, {i32_value(12), i32_value(5)},
                    returned({i32_value(17u * 7u + (12u ^ 5u))}));
}

// --- Vectors -------------------------------------------------------------------------------------

TEST(Vectors, travel_through_locals_temporaries_parameters_results_and_globals) {
  const Body body{"vi:vv", "vv",
                  [](uint32_t x) {
                    return code(get(0), set(x), get(x), global_set(0), get(x), v128(1, 2), I64x2Add,
                                tee(x + 1), get(1), I32x4Splat, call(1), global_get(0), get(x),
                                I64x2Sub, V128Or, set(x), get(x), get(x + 1));
                  },
                  [](ModuleBuilder* module) {
                    module->global("", 'v', true, v128(0, 0));
                    module->function("", "vv:v", code(get(1), get(0), I64x2Add));
                  }};
  const Value first{0x10, 0x20};
  expect_everywhere(body, {first, i32_value(3)},
                    returned({Value{0x11 + 0x0000'0003'0000'0003, 0x22 + 0x0000'0003'0000'0003},
                              Value{0x11, 0x22}}));
}

TEST(Vectors, cross_blocks_branches_and_tables) {
  const Bytes body =
      code(block(code(v128(5, 6), get(1), get(0), br_table({0, 1}, 0)), 'v'), v128(1, 1), I64x2Add);
  EXPECT_EQ(run("iv:v", body, {i32_value(0), Value{7, 8}}), returned({Value{8, 9}}));
  EXPECT_EQ(run("iv:v", body, {i32_value(1), Value{7, 8}}), returned({Value{7, 8}}));
}

// --- Code that is never reached ------------------------------------------------------------------

TEST(UnreachableCode, is_skipped_whatever_it_contains) {
  const Bytes nonsense = code(
      I32Add, Drop, F64Sqrt, Drop, Opcode::Select, Drop, block(code(br(0), I64Mul, Drop)),
      loop(code(i32(0), br_if(0))), i32(1), if_else(code(i32(0), br(1)), code(Unreachable)),
      br_table({0, 1}, 0), lane(I32x4ExtractLane, 1), access(I32Store8, 300), v128(1, 2),
      code(I8x16Shuffle, Bytes(16)), Drop, call(0), call_indirect(0), f32(1), f64(1), i64(kMax64),
      Drop, Drop, Drop, memory_copy(), with(TableInit, 0, 0), code(SelectTyped, Bytes{1, 0x7F}),
      ref_null('e'), Drop, Drop, lane_access(V128Load8Lane, 3, 15));
  for (const Bytes& way_out :
       {br(0), code(Unreachable), code(Opcode::Return), code(i32(0), br_table({}, 0))}) {
    ModuleBuilder module;
    module.memory(1);
    module.table('r', 1);
    module.passive_elements({});
    const bool returns = way_out == code(Opcode::Return);
    const bool traps = way_out == code(Unreachable);
    module.function("f", ":i",
                    code(block(code(i32(7), way_out, nonsense, Drop), 'i'), i32(1), I32Add));
    // The way out of the block carries 7; the call inside the nonsense is of this very function.
    const Outcome outcome = Guest(module).call("f");
    EXPECT_EQ(outcome,
              traps ? trapped(Trap::Unreachable) : returned({i32_value(returns ? 7u : 8u)}));
  }
}

TEST(UnreachableCode, ends_at_the_else_and_the_end_of_its_block) {
  const Bytes body =
      code(get(0), if_else(code(i32(5), br(0), Drop, Drop, I32Add, if_else({}, {})), i32(6), 'i'),
           get(0), if_else(i32(50), code(i32(60), br(0), F32Neg, Drop), 'i'), I32Add);
  expect_everywhere("i:i", body, {i32_value(1)}, returned({i32_value(55)}));
  expect_everywhere("i:i", body, {i32_value(0)}, returned({i32_value(66)}));
}

TEST(UnreachableCode, a_block_that_cannot_be_left_makes_what_follows_unreachable) {
  const Bytes body =
      code(get(0), if_then(code(i32(3), Opcode::Return)),
           block(code(block(code(Unreachable)), i32(1), Drop)), i32(4), set(0), get(0));
  EXPECT_EQ(run("i:i", body, {i32_value(1)}), returned({i32_value(3)}));
  EXPECT_EQ(run("i:i", body, {i32_value(0)}), trapped(Trap::Unreachable));
}

// --- Deep nesting --------------------------------------------------------------------------------

TEST(DeepNesting, of_a_hundred_thousand_blocks_loops_and_ifs) {
  constexpr uint32_t kDepth = 100'000;
  const Bytes end = code(End);
  const Bytes kOpen[] = {code(Block, Bytes{0x40}), code(Loop, Bytes{0x40}),
                         code(get(0), If, Bytes{0x40})};
  for (const Bytes& open : kOpen) {
    Bytes body = repeated(kDepth, open);
    append(&body, code(get(1), i32(1), I32Add, set(1), br(kDepth - 1)));
    if (open[0] == kOpen[1][0]) {
      // A branch to a loop would never end: leave them one by one instead.
      body = repeated(kDepth, open);
      append(&body, code(get(1), i32(1), I32Add, set(1)));
    }
    append(&body, repeated(kDepth, end));
    EXPECT_EQ(run("i:i", code(body, get(1)), {i32_value(1)}, "i"), returned({i32_value(1)}));
  }
}

TEST(DeepNesting, every_level_can_be_left) {
  constexpr uint32_t kDepth = 3'000;
  // Level k adds 1 when it is left by falling; a branch by n skips n levels.
  std::vector<uint32_t> depths;
  for (uint32_t i = 0; i < kDepth; i++) depths.push_back(i);
  Bytes body = repeated(kDepth, code(Block, Bytes{0x40}));
  append(&body, code(get(0), br_table(depths, kDepth - 1)));
  append(&body, repeated(kDepth, code(End, get(1), i32(1), I32Add, set(1))));
  for (const uint32_t n : {0u, 1u, 1'500u, kDepth - 1, kDepth}) {
    const uint32_t skipped = std::min(n, kDepth - 1);
    EXPECT_EQ(run("i:i", code(body, get(1)), {i32_value(n)}, "i"),
              returned({i32_value(kDepth - skipped)}));
  }
}

TEST(DeepNesting, of_expressions) {
  constexpr uint32_t kDepth = 100'000;
  // 1 - (2 - (3 - ...)) by pushing all of them first.
  Bytes body;
  uint32_t expected = 0;
  for (uint32_t i = 0; i < kDepth; i++) append(&body, code(get(0), i32(i), I32Add));
  append(&body, repeated(kDepth - 1, code(I32Sub)));
  for (uint32_t i = kDepth; i > 0; i--) expected = (i - 1 + 10) - expected;
  EXPECT_EQ(run("i:i", body, {i32_value(10)}), returned({i32_value(expected)}));
}

// --- Conversions ---------------------------------------------------------------------------------

struct Conversion {
  Opcode opcode;
  const char* signature;
  Value argument;
  Outcome expected;
};

TEST(Conversions, are_exact_at_their_edges) {
  constexpr auto kOverflow = Trap::IntegerOverflow;
  const auto d = [](double value) { return f64_value(value); };
  const Conversion cases[] = {
      {I32TruncF64S, "d:i", d(2147483647.9), returned({i32_value(0x7FFFFFFF)})},
      {I32TruncF64S, "d:i", d(2147483648.0), trapped(kOverflow)},
      {I32TruncF64S, "d:i", d(-2147483648.9), returned({i32_value(0x80000000)})},
      {I32TruncF64S, "d:i", d(-2147483649.0), trapped(kOverflow)},
      {I32TruncF64U, "d:i", d(4294967295.9), returned({i32_value(0xFFFFFFFF)})},
      {I32TruncF64U, "d:i", d(-0.9), returned({i32_value(0)})},
      {I32TruncF64U, "d:i", d(-1.0), trapped(kOverflow)},
      {I64TruncF64U, "d:l", d(18446744073709549568.0), returned({i64_value(0xFFFFFFFFFFFFF800)})},
      {I64TruncF64U, "d:l", d(18446744073709551616.0), trapped(kOverflow)},
      {I64TruncF64S, "d:l", d(9223372036854775808.0), trapped(kOverflow)},
      {I32TruncSatF64S, "d:i", d(1e30), returned({i32_value(0x7FFFFFFF)})},
      {I32TruncSatF64U, "d:i", d(-5), returned({i32_value(0)})},
      {I64TruncSatF64S, "d:l", d(std::nan("")), returned({i64_value(0)})},
      {F64ConvertI64U, "l:d", i64_value(kMax64), returned({d(18446744073709551616.0)})},
      {F64ConvertI64S, "l:d", i64_value(kMax64), returned({d(-1)})},
      {F32ConvertI64U, "l:f", i64_value(0x8000008000000001),
       returned({f32_value(9223373136366403584.0f)})},
      {F32DemoteF64, "d:f", d(1e300),
       returned({f32_value(std::numeric_limits<float>::infinity())})},
      {F64PromoteF32, "f:d", f32_value(1.5f), returned({d(1.5)})},
      {I64ExtendI32S, "i:l", i32_value(0x80000000), returned({i64_value(0xFFFFFFFF80000000)})},
      {I64ExtendI32U, "i:l", i32_value(0x80000000), returned({i64_value(0x80000000)})},
      {I32Extend8S, "i:i", i32_value(0x1280), returned({i32_value(0xFFFFFF80)})},
      {I64Extend32S, "l:l", i64_value(0x1'80000000), returned({i64_value(0xFFFFFFFF80000000)})},
      {I32WrapI64, "l:i", i64_value(0xFFFFFFFF'00000001), returned({i32_value(1)})},
      {I32ReinterpretF32, "f:i", i32_value(0x7FA00001), returned({i32_value(0x7FA00001)})},
      {F32ReinterpretI32, "i:f", i32_value(0xFFA00001), returned({i32_value(0xFFA00001)})},
      {I64ReinterpretF64, "d:l", i64_value(0x7FF4000000000001),
       returned({i64_value(0x7FF4000000000001)})},
  };
  for (const Conversion& one : cases) {
    SCOPED_TRACE(opcode_info(one.opcode).text);
    expect_everywhere(one.signature, code(get(0), one.opcode), {one.argument}, one.expected);
  }
}

// Fused float operations canonicalize like single ones.
TEST(Floats, nan_is_canonical_behind_every_fused_operation) {
  const Value nan = i64_value(0xFFF4'0000'0000'1234);
  const Value canonical = i64_value(0x7FF8'0000'0000'0000);
  const Bytes bodies[] = {
      code(get(0), get(1), F64Mul, get(1), F64Add),
      code(get(1), get(0), get(1), F64Mul, F64Sub),
      code(get(1), get(1), F64Add, get(0), F64Add),
      code(get(0), get(1), F64Sub, get(1), F64Mul),
      code(get(1), i32(0), get(0), access(F64Store), i32(0), access(F64Load), F64Add),
      code(i32(0), get(0), access(F64Store), i32(0), access(F64Load), get(1), F64Sub),
      code(get(0), F64Sqrt),
      code(get(0), get(1), F64Min),
      code(get(0), F64Nearest),
      code(get(0), F32DemoteF64, F64PromoteF32)};
  for (const Bytes& body : bodies) {
    expect_everywhere("dd:d", body, {nan, f64_value(1)}, returned({canonical}));
  }
  // Moves and sign operations keep every bit.
  expect_everywhere("dd:d", code(get(0), F64Neg), {nan, f64_value(1)},
                    returned({i64_value(0x7FF4'0000'0000'1234)}));
  expect_everywhere("dd:d", code(get(0), get(1), get(0), get(1), F64Lt, Opcode::Select), {nan, nan},
                    returned({nan}));
}

}  // namespace
}  // namespace qip
