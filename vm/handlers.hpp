// Handlers: one function per operation and combination of operand places, expanded from the bodies.
//
// A handler unpacks the registers into a local Registers, lets an always-inlined body work on it
// (so that the struct dissolves into machine registers), and tail-calls the next handler. Traps
// leave through a tail call to trap_exit: a hot handler makes no other call and has no stack frame.
// Only vm/handlers_NN.cpp include this file; each instantiates one part of all operations.
#pragma once

#include <utility>

#include "vm/bodies.hpp"
#include "vm/slow_ops.hpp"

namespace qip {

template <class Body>
constexpr bool is_conditional() {
  if constexpr (requires { Body::kFlow; }) return Body::kFlow == Flow::Conditional;
  return false;
}
template <class Body>
constexpr bool has_check() {
  return requires { Body::kMayTrap; };
}

// Taken and not taken, and taken to the marked loop, each with a dispatch of its own. The empty
// asm keeps the compiler from merging them again.
template <CodeOp op, class Body, Kind D, Kind A, Kind B, Kind C>
QIP_PRESERVE_NONE void branch_hot_handler(QIP_PARAMETERS) {
  QIP_UNPACK;
  if constexpr (has_check<Body>()) {
    if (!Body::template check<op, D, A, B, C>(r)) QIP_TAIL trap_exit(QIP_ARGUMENTS);
  }
  const int64_t target = field<Field::B>(r);
  if (Body::template test<op, D, A, B, C>(r)) {
    if (target == 0) {
      asm volatile("");
      if (__builtin_expect(r.context->interrupted.load(std::memory_order_relaxed), 0)) {
        QIP_TAIL interrupt_exit(QIP_ARGUMENTS);
      }
      r.pc = r.lp;
      QIP_DISPATCH(r);
    }
    asm volatile("");
    r.pc += target;
    QIP_DISPATCH(r);
  }
  r.pc += kCellBytes<op, A, B, C>;
  QIP_DISPATCH(r);
}

template <CodeOp op, class Body, Kind D, Kind A, Kind B, Kind C>
QIP_PRESERVE_NONE void hot_handler(QIP_PARAMETERS) {
  QIP_UNPACK;
  if (__builtin_expect(!(Body::template execute<op, D, A, B, C>(r)), 0)) {
    QIP_TAIL trap_exit(QIP_ARGUMENTS);
  }
  QIP_DISPATCH(r);
}

// Calls an ordinary function: has a stack frame, and may.
template <bool (*function)(Registers&)>
QIP_PRESERVE_NONE void slow_handler(QIP_PARAMETERS) {
  QIP_UNPACK;
  if (__builtin_expect(!function(r), 0)) {
    QIP_TAIL trap_exit(QIP_ARGUMENTS);
  }
  QIP_DISPATCH(r);
}

template <bool (*function)(Registers&)>
struct SlowBody {
  static constexpr bool kSlow = true;
  static constexpr Handler kHandler = slow_handler<function>;
};

// The body of each operation: for plain opcodes by their kind, otherwise as code_ops.def says.
template <Opcode opcode>
struct PlainBody {
  static auto pick() {
    constexpr Form form = code_op_info(code_op(opcode)).form;
    if constexpr (form == Form::Unary)
      return UnaryBody<opcode>{};
    else if constexpr (form == Form::Binary)
      return BinaryBody<opcode>{};
    else if constexpr (form == Form::Ternary)
      return TernaryBody<opcode>{};
    else if constexpr (form == Form::Lane)
      return LaneBody<opcode>{};
    else
      return ShuffleBody{};
  }
  using type = decltype(pick());
};
template <CodeOp op>
struct CodeOpBody {
  using type = typename PlainBody<static_cast<Opcode>(op)>::type;
};
#define CODE_OP(Name, Form, D, A, B, C, ...) \
  template <>                                \
  struct CodeOpBody<CodeOp::Name> {          \
    using type = __VA_ARGS__;                \
  };
#include "vm/code_ops.def"
#undef CODE_OP

// Types, because not every compiler takes the question whether a function is null for a constant.
struct NoHandler {};
template <Handler handler>
struct ThisHandler {};

// The handler for the `index`-th combination of places of the operation's row. None where two
// operands would need the same accumulator.
template <CodeOp op, class Body, size_t index>
constexpr auto handler_for() {
  if constexpr (requires { Body::kSlow; }) {
    return ThisHandler<Body::kHandler>{};
  } else {
    constexpr CodeOpInfo info = code_op_info(op);
    constexpr size_t kCountC = positions(info.c), kCountB = positions(info.b),
                     kCountA = positions(info.a);
    constexpr Kind C = place_at(info.c, index % kCountC);
    constexpr Kind B = place_at(info.b, index / kCountC % kCountB);
    constexpr Kind A = place_at(info.a, index / (kCountC * kCountB) % kCountA);
    constexpr Kind D = place_at(info.d, index / (kCountC * kCountB * kCountA));
    constexpr bool float_a = (info.a & kFloatFile) != 0, float_b = (info.b & kFloatFile) != 0,
                   float_c = (info.c & kFloatFile) != 0;
    constexpr bool in_a = A == Kind::Accumulator, in_b = B == Kind::Accumulator,
                   in_c = C == Kind::Accumulator;
    if constexpr ((in_a && in_b && float_a == float_b) || (in_a && in_c && float_a == float_c) ||
                  (in_b && in_c && float_b == float_c)) {
      return NoHandler{};
    } else if constexpr (is_conditional<Body>()) {
      return ThisHandler<branch_hot_handler<op, Body, D, A, B, C>>{};
    } else {
      return ThisHandler<hot_handler<op, Body, D, A, B, C>>{};
    }
  }
}

// The handlers of a part, each as its distance from the table's entry for it, 0 for none: half the
// bytes of pointers, and nothing for the loader to relocate. C++ has no constant for the distance
// of two functions, so the table is assembled, one entry after the other.
#define QIP_TABLE_SECTION ".pushsection .rodata.qip_handlers,\"a\"\n\t"

QIP_INLINE void table_entry(NoHandler) {
  asm volatile(QIP_TABLE_SECTION ".long 0\n\t.popsection");
}
template <Handler handler>
QIP_INLINE void table_entry(ThisHandler<handler>) {
  asm volatile(QIP_TABLE_SECTION ".long %c0 - .\n\t.popsection" ::"i"(handler));
}
// Operations that are never executed as such have no handlers.
template <CodeOp op, size_t... indices>
QIP_INLINE void table_entries(std::index_sequence<indices...>) {
  using Body = typename CodeOpBody<op>::type;
  (table_entry(handler_for<op, Body, indices>()), ...);
}
template <CodeOp op>
QIP_INLINE void table_entries() {
  if constexpr (code_op_info(op).form != Form::None) {
    table_entries<op>(std::make_index_sequence<handler_count(code_op_info(op))>{});
  }
}
template <size_t part, size_t... indices>
QIP_INLINE void part_entries(std::index_sequence<indices...>) {
  (table_entries<static_cast<CodeOp>(part_begin(part) + indices)>(), ...);
}

// One line per translation unit: defines the table of a part. The function around it is never
// called; the assembler checks that it found every entry.
#define QIP_HANDLER_PART(part)                                                               \
  extern "C" [[gnu::visibility("hidden")]] const int32_t qip_handlers_##part[];              \
  namespace {                                                                                \
  [[gnu::used]] void define_part() {                                                         \
    constexpr size_t kBytes = sizeof(int32_t) * part_handler_count(part);                    \
    asm volatile(QIP_TABLE_SECTION                                                           \
                 ".balign 4\n\t"                                                             \
                 ".globl qip_handlers_" #part "\n\t.hidden qip_handlers_" #part              \
                 "\nqip_handlers_" #part ":\n\t.popsection");                                \
    part_entries<part>(std::make_index_sequence<part_begin(part + 1) - part_begin(part)>{}); \
    asm volatile(QIP_TABLE_SECTION                                                           \
                 ".if . - qip_handlers_" #part                                               \
                 " - %c0\n\t"                                                                \
                 ".error \"handlers are missing\"\n\t.endif\n\t.popsection" ::"i"(kBytes));  \
  }                                                                                          \
  }                                                                                          \
  template <>                                                                                \
  const int32_t* handler_part<part>() {                                                      \
    return qip_handlers_##part;                                                              \
  }

}  // namespace qip
