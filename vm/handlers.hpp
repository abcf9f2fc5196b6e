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
struct ExitBody {
  static constexpr bool kSlow = true;
  static constexpr Handler kHandler = exit_handler;
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

// The handler for the `index`-th combination of places of the operation's row. Null where two
// operands would need the same accumulator.
template <CodeOp op, class Body, size_t index>
constexpr Handler handler_for() {
  if constexpr (requires { Body::kSlow; }) {
    return Body::kHandler;
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
      return nullptr;
    } else if constexpr (is_conditional<Body>()) {
      return branch_hot_handler<op, Body, D, A, B, C>;
    } else {
      return hot_handler<op, Body, D, A, B, C>;
    }
  }
}

// The handlers of one operation. Operations that are never executed as such have none.
template <CodeOp op, size_t... indices>
constexpr auto make_handlers(std::index_sequence<indices...>) {
  using Body = typename CodeOpBody<op>::type;
  return std::array<Handler, sizeof...(indices)>{handler_for<op, Body, indices>()...};
}
template <CodeOp op>
struct HandlerTable {
  static constexpr auto handlers =
      make_handlers<op>(std::make_index_sequence<handler_count(code_op_info(op))>{});
};
template <CodeOp op>
constexpr const Handler* handlers_of() {
  if constexpr (code_op_info(op).form == Form::None) {
    return nullptr;
  } else {
    return HandlerTable<op>::handlers.data();
  }
}

// Part `part` of kHandlerPartCount: operations [part_begin(part), part_begin(part + 1)).
template <size_t part, size_t... indices>
constexpr auto make_part(std::index_sequence<indices...>) {
  return std::array<const Handler*, sizeof...(indices)>{
      handlers_of<static_cast<CodeOp>(part_begin(part) + indices)>()...};
}
template <size_t part>
constexpr auto make_part() {
  return make_part<part>(std::make_index_sequence<part_begin(part + 1) - part_begin(part)>{});
}

// One line per translation unit: defines the tables of a part.
#define QIP_HANDLER_PART(part)                    \
  namespace {                                     \
  constexpr auto kPartTables = make_part<part>(); \
  }                                               \
  template <>                                     \
  const Handler* const* handler_part<part>() {    \
    return kPartTables.data();                    \
  }

}  // namespace qip
