// The bodies of the handlers: how each form of operation reads its operands, applies a meaning and
// writes its result. The meanings themselves are in vm/semantics.hpp and vm/simd.hpp.
//
// A body is a class template over what it computes with a member
//   template <CodeOp op, Kind D, Kind A, Kind B, Kind C> static bool execute(Registers& r);
// that advances r.pc and returns true, or returns fail(...) and leaves r.pc where it was.
// Branching bodies have `test` instead and kFlow = Flow::Conditional, so that taken and not taken
// get dispatch tails of their own: merged tails cost up to 40 % (see README, "Design").
//
// Every address is a 32-bit sum widened to 64 bits before the offset is added, so it can be at most
// 2^33 and the comparison with the memory's size cannot wrap.
#pragma once

#include "loader/opcodes.hpp"
#include "vm/code_contents.hpp"
#include "vm/code_ops.hpp"
#include "vm/instance.hpp"
#include "vm/meanings.hpp"
#include "vm/registers.hpp"

namespace qip {

enum class Flow : uint8_t { Next, Conditional };

template <CodeOp op, Kind A = Kind::Slot, Kind B = Kind::Slot, Kind C = Kind::Slot>
inline constexpr uint32_t kCellBytes = cell_bytes(code_op_info(op), A, B, C);

// --- Memory access -------------------------------------------------------------------------------

template <class M>
QIP_INLINE bool in_bounds(const Registers& r, uint64_t address) {
#if defined(QIP_CHECKS_GUARD)
  (void)r;
  (void)address;
  return true;  // the pages beyond the memory are inaccessible: the access itself is the check
#else
  return __builtin_expect(address + sizeof(M) <= r.context->memory_size, 1);
#endif
}

template <class M>
QIP_INLINE M load_memory(const Registers& r, uint64_t address) {
  M value;
  __builtin_memcpy(&value, r.memory + address, sizeof value);
  return value;
}
template <class M>
QIP_INLINE void store_memory(const Registers& r, uint64_t address, M value) {
  __builtin_memcpy(r.memory + address, &value, sizeof value);
}

QIP_INLINE bool fail_bounds(Registers& r) {
  return fail(r, Trap::OutOfBoundsMemoryAccess);
}

// The static offset of a memory operation, 32 bits unsigned in field B.
QIP_INLINE uint64_t offset_b(const Registers& r) {
  return static_cast<uint32_t>(field<Field::B>(r));
}

template <Kind A, Kind B>
QIP_INLINE uint64_t indexed_address(const Registers& r) {
  const uint32_t sum = read<A, uint32_t, Field::A>(r) + read<B, uint32_t, Field::C>(r);
  return uint64_t{sum} + offset_b(r);
}
template <Kind A, Kind B>
QIP_INLINE uint64_t scaled_address(const Registers& r) {
  const uint32_t scaled = read<A, uint32_t, Field::A>(r) << (field<Field::E>(r) & 31);
  return uint64_t{scaled + read<B, uint32_t, Field::C>(r)} + offset_b(r);
}

// --- Plain opcodes -------------------------------------------------------------------------------

// Writes the value of a meaning, or leaves its trap.
template <Kind D, class T>
QIP_INLINE bool finish(Registers& r, T value, uint32_t bytes) {
  write<D, T, Field::D>(r, value);
  r.pc += bytes;
  return true;
}
template <Kind D, class T>
QIP_INLINE bool finish(Registers& r, Checked<T> checked, uint32_t bytes) {
  if (__builtin_expect(checked.trap != Trap::None, 0)) return fail(r, checked.trap);
  return finish<D>(r, checked.value, bytes);
}

template <Opcode opcode>
struct UnaryBody {
  template <CodeOp op, Kind D, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    return finish<D>(r, meaning<opcode>(read<A, Operand_t<opcode, 0>, Field::A>(r)),
                     kCellBytes<op>);
  }
};

template <Opcode opcode>
struct BinaryBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    const auto a = read<A, Operand_t<opcode, 0>, Field::A>(r);
    const auto b = read<B, Operand_t<opcode, 1>, Field::B>(r);
    return finish<D>(r, meaning<opcode>(a, b), kCellBytes<op, A, B>);
  }
};

template <Opcode opcode>
struct TernaryBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind C>
  QIP_INLINE static bool execute(Registers& r) {
    const auto a = read<A, Operand_t<opcode, 0>, Field::A>(r);
    const auto b = read<B, Operand_t<opcode, 1>, Field::B>(r);
    const auto c = read<C, Operand_t<opcode, 2>, Field::C>(r);
    return finish<D>(r, meaning<opcode>(a, b, c), kCellBytes<op>);
  }
};

template <Opcode opcode>
struct LaneBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    const auto a = read<A, Operand_t<opcode, 0>, Field::A>(r);
    const auto lane = static_cast<uint32_t>(field<Field::C>(r));
    if constexpr (kOperandCount<opcode> == 1) {
      return finish<D>(r, meaning<opcode>(a, lane), kCellBytes<op>);
    } else {
      const auto b = read<B, Operand_t<opcode, 1>, Field::B>(r);
      return finish<D>(r, meaning<opcode>(a, lane, b), kCellBytes<op>);
    }
  }
};

struct ShuffleBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    const V128 a = read<A, V128, Field::A>(r);
    const V128 b = read<B, V128, Field::B>(r);
    const V128 lanes = load_cell<V128>(r.pc, 16);
    return finish<D>(r, i8x16_shuffle(a, b, lanes), kCellBytes<op>);
  }
};

// --- Branches ------------------------------------------------------------------------------------

template <Opcode compare>
struct CompareBranch {
  static constexpr Flow kFlow = Flow::Conditional;
  template <CodeOp, Kind, Kind A, Kind B, Kind>
  QIP_INLINE static bool test(Registers& r) {
    using T = Operand_t<compare, 0>;
    constexpr Field kFieldB = B == Kind::Immediate ? Field::C : Field::D;
    return meaning<compare>(read<A, T, Field::A>(r), read<B, T, kFieldB>(r)) != 0;
  }
};

template <Opcode and_op, bool any>
struct TestBranch {
  static constexpr Flow kFlow = Flow::Conditional;
  template <CodeOp, Kind, Kind A, Kind B, Kind>
  QIP_INLINE static bool test(Registers& r) {
    using T = Operand_t<and_op, 0>;
    constexpr Field kFieldB = B == Kind::Immediate ? Field::C : Field::D;
    return (meaning<and_op>(read<A, T, Field::A>(r), read<B, T, kFieldB>(r)) != 0) == any;
  }
};

template <Opcode compare, bool wanted>
struct FloatCompareBranch {
  static constexpr Flow kFlow = Flow::Conditional;
  template <CodeOp, Kind, Kind A, Kind B, Kind>
  QIP_INLINE static bool test(Registers& r) {
    using T = Operand_t<compare, 0>;
    constexpr Field kFieldB = B == Kind::Immediate ? Field::C : Field::D;
    return (meaning<compare>(read<A, T, Field::A>(r), read<B, T, kFieldB>(r)) != 0) == wanted;
  }
};

template <Opcode add, Opcode compare>
struct AddBranch {
  static constexpr Flow kFlow = Flow::Conditional;
  template <CodeOp, Kind, Kind A, Kind B, Kind C>
  QIP_INLINE static bool test(Registers& r) {
    using T = Operand_t<add, 0>;
    const T sum = meaning<add>(read<A, T, Field::A>(r), read<B, T, Field::C>(r));
    const T limit = read<C, T, Field::E>(r);
    write<A, T, Field::A>(r, sum);
    return meaning<compare>(sum, limit) != 0;
  }
};

template <Opcode store, Opcode compare>
struct StoreAddBranch {
  static constexpr Flow kFlow = Flow::Conditional;
  static constexpr bool kMayTrap = true;
  template <CodeOp, Kind, Kind A, Kind, Kind>
  QIP_INLINE static bool check(Registers& r) {
    using M = Memory_t<store>;
    const uint32_t local = read<A, uint32_t, Field::A>(r);
    const uint64_t address = local + load_cell<uint32_t>(r.pc, 24);  // wraps at 32 bits
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    store_memory<M>(r, address, static_cast<M>(load_cell<uint32_t>(r.pc, 28)));
    return true;
  }
  template <CodeOp op, Kind D, Kind A, Kind B, Kind C>
  QIP_INLINE static bool test(Registers& r) {
    return AddBranch<Opcode::I32Add, compare>::template test<op, D, A, B, C>(r);
  }
};

// Unconditional jumps are conditional ones whose test is always true.
struct JumpBody {
  static constexpr Flow kFlow = Flow::Conditional;
  template <CodeOp, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool test(Registers&) {
    return true;
  }
};
template <class T>
struct MoveBranch {
  static constexpr Flow kFlow = Flow::Conditional;
  template <CodeOp, Kind D, Kind A, Kind, Kind>
  QIP_INLINE static bool test(Registers& r) {
    write<D, T, Field::D>(r, read<A, T, Field::A>(r));
    return true;
  }
};
struct ConstBranch {
  static constexpr Flow kFlow = Flow::Conditional;
  template <CodeOp, Kind D, Kind, Kind, Kind>
  QIP_INLINE static bool test(Registers& r) {
    write<D, uint32_t, Field::D>(r, static_cast<uint32_t>(field<Field::C>(r)));
    return true;
  }
};
struct AddJump {
  static constexpr Flow kFlow = Flow::Conditional;
  template <CodeOp, Kind D, Kind, Kind B, Kind>
  QIP_INLINE static bool test(Registers& r) {
    const uint32_t sum = read<D, uint32_t, Field::D>(r) + read<B, uint32_t, Field::C>(r);
    write<D, uint32_t, Field::D>(r, sum);
    return true;
  }
};

// Always polls: its targets may be loop heads of either kind.
template <bool add>
struct BranchTableBody {
  template <CodeOp, Kind, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    uint32_t index = read<A, uint32_t, Field::A>(r);
    if constexpr (add) index += static_cast<uint32_t>(field<Field::C>(r));
    const auto last = static_cast<uint32_t>(field<Field::B>(r));
    if (index > last) index = last;
    if (__builtin_expect(r.context->interrupted.load(std::memory_order_relaxed), 0)) {
      return fail(r, Trap::DeadlineExceeded);
    }
    r.pc += load_cell<int32_t>(r.pc, 24 + 4 * size_t{index});
    return true;
  }
};

// --- Moves and constants -------------------------------------------------------------------------

template <class T>
struct MoveBody {
  template <CodeOp op, Kind D, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    return finish<D>(r, read<A, T, Field::A>(r), kCellBytes<op>);
  }
};
template <class T>
struct ConstantBody {
  template <CodeOp op, Kind D, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    return finish<D>(r, read<Kind::Immediate, T, Field::B>(r), kCellBytes<op>);
  }
};
template <class T>
struct WideConstantBody {
  template <CodeOp op, Kind D, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    return finish<D>(r, load_cell<T>(r.pc, 16), kCellBytes<op>);
  }
};
struct MoveTwoBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind C>
  QIP_INLINE static bool execute(Registers& r) {
    write<D, uint64_t, Field::D>(r, read<A, uint64_t, Field::A>(r));
    const uint64_t second = [&] {
      if constexpr (B == Kind::Slot)
        return read_integer<B, uint64_t>(r, load_cell<int16_t>(r.pc, 14));
      else
        return read_integer<B, uint64_t>(r, 0);
    }();
    if constexpr (C == Kind::Slot) {
      __builtin_memcpy(slot_address(r, load_cell<int16_t>(r.pc, 12)), &second, 8);
    } else {
      write<C, uint64_t, Field::D>(r, second);
    }
    r.pc += kCellBytes<op>;
    return true;
  }
};
struct AddTwoBody {
  template <CodeOp op, Kind D, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    const uint32_t first =
        read<D, uint32_t, Field::D>(r) + static_cast<uint32_t>(field<Field::B>(r));
    const uint32_t second =
        read<A, uint32_t, Field::A>(r) + static_cast<uint32_t>(field<Field::C>(r));
    write<D, uint32_t, Field::D>(r, first);
    write<A, uint32_t, Field::A>(r, second);
    r.pc += kCellBytes<op>;
    return true;
  }
};

// --- Selection -----------------------------------------------------------------------------------

template <class T>
struct SelectBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind C>
  QIP_INLINE static bool execute(Registers& r) {
    const T a = read<A, T, Field::A>(r);
    const T b = read<B, T, Field::B>(r);
    const bool condition = read<C, uint32_t, Field::C>(r) != 0;
    return finish<D>(r, condition ? a : b, kCellBytes<op>);
  }
};
template <Opcode compare, bool first>
struct SelectCompareBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using T = Operand_t<compare, 0>;
    const T a = read<A, T, Field::A>(r);
    const T b = read<B, T, Field::B>(r);
    const bool condition = (meaning<compare>(a, b) != 0) == first;
    return finish<D>(r, condition ? a : b, kCellBytes<op, A, B>);
  }
};

// --- Loads and stores ----------------------------------------------------------------------------

template <Opcode opcode>
struct LoadBody {
  template <CodeOp op, Kind D, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<opcode>;
    uint64_t address = offset_b(r);
    if constexpr (A != Kind::Immediate) address += read<A, uint32_t, Field::A>(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    return finish<D>(r, loaded<opcode>(load_memory<M>(r, address)), kCellBytes<op>);
  }
};
template <Opcode opcode>
struct LoadIndexedBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<opcode>;
    const uint64_t address = indexed_address<A, B>(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    return finish<D>(r, loaded<opcode>(load_memory<M>(r, address)), kCellBytes<op>);
  }
};
template <Opcode opcode>
struct LoadScaledBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<opcode>;
    const uint64_t address = scaled_address<A, B>(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    return finish<D>(r, loaded<opcode>(load_memory<M>(r, address)), kCellBytes<op>);
  }
};
template <Opcode opcode>
struct LoadTableBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<opcode>;
    const uint32_t masked =
        read<A, uint32_t, Field::A>(r) & static_cast<uint32_t>(field<Field::E>(r));
    const uint32_t scaled = masked << (load_cell<uint32_t>(r.pc, 24) & 31);
    const uint64_t address = uint64_t{scaled + read<B, uint32_t, Field::C>(r)} + offset_b(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    return finish<D>(r, loaded<opcode>(load_memory<M>(r, address)), kCellBytes<op>);
  }
};

template <Opcode opcode>
struct StoreBody {
  template <CodeOp op, Kind, Kind A, Kind B, Kind C>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<opcode>;
    uint64_t address = offset_b(r);
    if constexpr (A != Kind::Immediate) address += read<A, uint32_t, Field::A>(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    constexpr Field kValue = C == Kind::Immediate ? Field::C : Field::D;
    store_memory<M>(r, address, static_cast<M>(read<C, Stored_t<opcode>, kValue>(r)));
    r.pc += kCellBytes<op, A, B, C>;
    return true;
  }
};
template <Opcode opcode>
struct StoreIndexedBody {
  template <CodeOp op, Kind, Kind A, Kind B, Kind C>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<opcode>;
    const uint64_t address = indexed_address<A, B>(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    store_memory<M>(r, address, static_cast<M>(read<C, Stored_t<opcode>, Field::D>(r)));
    r.pc += kCellBytes<op>;
    return true;
  }
};
template <Opcode opcode>
struct StoreScaledBody {
  template <CodeOp op, Kind, Kind A, Kind B, Kind C>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<opcode>;
    const uint64_t address = scaled_address<A, B>(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    store_memory<M>(r, address, static_cast<M>(read<C, Stored_t<opcode>, Field::D>(r)));
    r.pc += kCellBytes<op>;
    return true;
  }
};

template <Opcode load, Opcode op2, bool reverse>
struct LoadOpBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<load>;
    using T = Operand_t<op2, 0>;
    const uint32_t sum = read<B, uint32_t, Field::C>(r) + static_cast<uint32_t>(field<Field::E>(r));
    const uint64_t address = uint64_t{sum} + offset_b(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    const T memory = static_cast<T>(load_memory<M>(r, address));
    const T a = read<A, T, Field::A>(r);
    return finish<D>(r, reverse ? meaning<op2>(memory, a) : meaning<op2>(a, memory),
                     kCellBytes<op>);
  }
};
template <Opcode load, Opcode op2>
struct ModifyBody {
  template <CodeOp op, Kind, Kind A, Kind, Kind C>
  QIP_INLINE static bool execute(Registers& r) {
    using M = Memory_t<load>;
    using T = Operand_t<op2, 0>;
    const uint32_t sum = read<A, uint32_t, Field::A>(r) + static_cast<uint32_t>(field<Field::C>(r));
    const uint64_t address = uint64_t{sum} + offset_b(r);
    if (!in_bounds<M>(r, address)) return fail_bounds(r);
    const T memory = static_cast<T>(load_memory<M>(r, address));
    const T c = read < C, T, C == Kind::Immediate ? Field::E : Field::D > (r);
    store_memory<M>(r, address, static_cast<M>(meaning<op2>(memory, c)));
    r.pc += kCellBytes<op>;
    return true;
  }
};

// --- Arithmetic pairs ----------------------------------------------------------------------------

template <Opcode first, Opcode second, bool reverse>
struct PairImmediateBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using T = Operand_t<first, 0>;
    const T inner = meaning<first>(read<A, T, Field::A>(r), static_cast<T>(field<Field::C>(r)));
    const T b = read<B, T, Field::B>(r);
    return finish<D>(r, reverse ? meaning<second>(b, inner) : meaning<second>(inner, b),
                     kCellBytes<op>);
  }
};
template <Opcode first, Opcode second>
struct PairThenImmediateBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using T = Operand_t<first, 0>;
    const T inner = meaning<first>(read<A, T, Field::A>(r), read<B, T, Field::B>(r));
    return finish<D>(r, meaning<second>(inner, static_cast<T>(field<Field::C>(r))), kCellBytes<op>);
  }
};
// The inner result of a float pair needs no canonical NaN: a NaN stays one through the outer
// operation, which makes it canonical.
template <Opcode first, Opcode second, bool reverse>
struct TripleBody {
  template <CodeOp op, Kind D, Kind A, Kind B, Kind C>
  QIP_INLINE static bool execute(Registers& r) {
    using T = Operand_t<first, 0>;
    const T inner = inner_meaning<first>(read<A, T, Field::A>(r), read<B, T, Field::B>(r));
    const T c = read<C, T, Field::C>(r);
    return finish<D>(r, reverse ? meaning<second>(c, inner) : meaning<second>(inner, c),
                     kCellBytes<op>);
  }
};

// --- Globals, memory size ------------------------------------------------------------------------

template <class T>
struct GlobalGetBody {
  template <CodeOp op, Kind D, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    const char* globals = reinterpret_cast<const char*>(r.context->own_globals);
    return finish<D>(r, load_cell<T>(globals, offset_b(r)), kCellBytes<op>);
  }
};
template <class T>
struct GlobalSetBody {
  template <CodeOp op, Kind, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    const T value = read<A, T, Field::A>(r);
    char* globals = reinterpret_cast<char*>(r.context->own_globals);
    __builtin_memcpy(globals + offset_b(r), &value, sizeof value);
    r.pc += kCellBytes<op>;
    return true;
  }
};
struct MemorySizeBody {
  template <CodeOp op, Kind D, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    return finish<D>(r, static_cast<uint32_t>(r.context->memory_size / kPageBytes), kCellBytes<op>);
  }
};

// --- Calls and returns ---------------------------------------------------------------------------

template <bool integers, bool floats>
QIP_INLINE void save_registers(const Registers& r) {
  if constexpr (integers) {
    __builtin_memcpy(r.sp + kHomeOffset, &r.r0, 8);
    __builtin_memcpy(r.sp + kHomeOffset + 8, &r.r1, 8);
  }
  if constexpr (floats) {
    __builtin_memcpy(r.sp + kHomeOffset + 16, &r.f0, 8);
    __builtin_memcpy(r.sp + kHomeOffset + 24, &r.f1, 8);
  }
}

template <bool integers, bool floats>
struct SaveBody {
  template <CodeOp op, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    save_registers<integers, floats>(r);
    r.pc += kCellBytes<op>;
    return true;
  }
};
template <bool integers, bool floats>
struct RestoreBody {
  template <CodeOp op, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    if constexpr (integers) {
      r.r0 = load_cell<uint64_t>(r.sp, kHomeOffset);
      r.r1 = load_cell<uint64_t>(r.sp, kHomeOffset + 8);
    }
    if constexpr (floats) {
      r.f0 = float_register(load_cell<double>(r.sp, kHomeOffset + 16));
      r.f1 = float_register(load_cell<double>(r.sp, kHomeOffset + 24));
    }
    r.pc += kCellBytes<op>;
    return true;
  }
};

// False if a frame of `bytes` at `frame` would leave the value stack, or the run was interrupted
// (an interruption sets the limit to 0). Nothing has been written yet.
QIP_INLINE bool frame_fits(const Registers& r, const char* frame, uint64_t bytes) {
  return __builtin_expect(reinterpret_cast<uintptr_t>(frame) + bytes <=
                              r.context->stack_limit.load(std::memory_order_relaxed),
                          1);
}
QIP_INLINE bool fail_stack(Registers& r) {
  const bool interrupted = r.context->interrupted.load(std::memory_order_relaxed) != 0;
  return fail(r, interrupted ? Trap::DeadlineExceeded : Trap::CallStackExhausted);
}

QIP_INLINE void enter_frame(Registers& r, char* callee, const char* return_pc, const char* entry) {
  __builtin_memcpy(callee, &return_pc, 8);
  __builtin_memcpy(callee + 8, &r.sp, 8);
  r.sp = callee;
  r.pc = entry;
}

template <int clear_count, bool integers, bool floats>
struct CallBody {
  template <CodeOp op, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    char* callee = r.sp + field<Field::B>(r);
    if (!frame_fits(r, callee, load_cell<uint32_t>(r.pc, 24))) return fail_stack(r);
    save_registers<integers, floats>(r);
    if constexpr (clear_count > 0) {
      char* locals = callee + field<Field::D>(r);
      const uint64_t zero = 0;
      for (int i = 0; i < clear_count; i++) __builtin_memcpy(locals + 8 * i, &zero, 8);
    }
    enter_frame(r, callee, r.pc + kCellBytes<op>, load_cell<const char*>(r.pc, 16));
    return true;
  }
};

// The quick path: table element, same instance, same type. Everything else is for the slow
// operation behind it, which decides between the traps and the other kinds of callee.
struct CallIndirectBody {
  template <CodeOp op, Kind, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    const uint32_t index = read<A, uint32_t, Field::A>(r);
    const TableInstance* table = r.context->table0;
    if (index < table->elements.size()) {
      const auto* function =
          reinterpret_cast<const FunctionInstance*>(table->elements.data()[index]);
      if (function != nullptr && function->instance == r.context->instance &&
          function->canonical_type == static_cast<uint32_t>(field<Field::C>(r))) {
        char* callee = r.sp + field<Field::B>(r);
        if (!frame_fits(r, callee, function->frame_bytes)) return fail_stack(r);
        // Skips the slow operation that follows.
        enter_frame(r, callee, r.pc + kCellBytes<op> + kSlowCellBytes, function->entry);
        return true;
      }
    }
    r.pc += kCellBytes<op>;
    r.acc = index;
    return true;
  }
};

QIP_INLINE void leave_frame(Registers& r) {
  char* frame = r.sp;
  r.pc = load_cell<const char*>(frame, 0);
  r.sp = load_cell<char*>(frame, 8);
}
struct ReturnBody {
  template <CodeOp, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    leave_frame(r);
    return true;
  }
};
struct ReturnIntegerBody {
  template <CodeOp, Kind, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    r.acc = read < A, uint64_t, A == Kind::Immediate ? Field::B : Field::A > (r);
    leave_frame(r);
    return true;
  }
};
struct ReturnFloatBody {
  template <CodeOp, Kind, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    // Bits of either width: the low half of a double is the float.
    if constexpr (A != Kind::Accumulator) {
      r.facc = float_register(read<A, double, Field::A>(r));
    }
    leave_frame(r);
    return true;
  }
};
struct ReturnV128Body {
  template <CodeOp, Kind, Kind A, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    write<Kind::Accumulator, V128, Field::D>(r, read<A, V128, Field::A>(r));
    leave_frame(r);
    return true;
  }
};
template <Opcode opcode>
struct ReturnBinaryBody {
  template <CodeOp, Kind, Kind A, Kind B, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    using T = Operand_t<opcode, 0>;
    r.acc = meaning<opcode>(read<A, T, Field::A>(r), read<B, T, Field::B>(r));
    leave_frame(r);
    return true;
  }
};

// --- Loop heads, clearing, ends ------------------------------------------------------------------

struct SetLoopBody {
  template <CodeOp op, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    r.pc += kCellBytes<op>;
    r.lp = r.pc;
    return true;
  }
};
struct LoopCheckBody {
  template <CodeOp op, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    if (__builtin_expect(r.context->interrupted.load(std::memory_order_relaxed), 0)) {
      return fail(r, Trap::DeadlineExceeded);
    }
    r.pc += kCellBytes<op>;
    return true;
  }
};
struct FuelBody {
  template <CodeOp op, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    const uint64_t cost = offset_b(r);
    if (__builtin_expect(r.context->fuel < cost, 0)) {
      r.context->fuel = 0;
      return fail(r, Trap::FuelExhausted);
    }
    r.context->fuel -= cost;
    r.pc += kCellBytes<op>;
    return true;
  }
};
template <int count>
struct ClearBody {
  template <CodeOp op, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    char* from = r.sp + field<Field::A>(r);
    const uint64_t zero = 0;
    for (int i = 0; i < count; i++) __builtin_memcpy(from + 8 * i, &zero, 8);
    r.pc += kCellBytes<op>;
    return true;
  }
};
// Bounded by the frame, which the call has checked.
struct ClearManyBody {
  template <CodeOp op, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    char* from = r.sp + field<Field::A>(r);
    char* end = from + 8 * offset_b(r);
    for (; from != end; from += 8) {
      const uint64_t zero = 0;
      __builtin_memcpy(from, &zero, 8);
      asm volatile("" : : : "memory");  // keep it a loop: a call to memset would need a stack frame
    }
    r.pc += kCellBytes<op>;
    return true;
  }
};
struct UnreachableBody {
  template <CodeOp, Kind, Kind, Kind, Kind>
  QIP_INLINE static bool execute(Registers& r) {
    return fail(r, Trap::Unreachable);
  }
};

}  // namespace qip
