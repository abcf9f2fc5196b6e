// Registers: the interpreter's virtual machine registers, how they travel from handler to handler,
// and how an operation reads and writes its operands.
//
// Promises: with a tail-calling compiler every register stays in a machine register from one
// operation to the next, and no hot handler has a stack frame (`make frames` checks it).
// The three forms of dispatch, one source:
//   - Clang 19 with preserve_none and musttail: two integer and two float locals in registers
//   - GCC, or Clang without preserve_none: sibling calls, the six integer registers of the ABI
//   - QIP_DISPATCH_LOOP: handlers are plain calls from a loop (sanitizers, other compilers)
//
// A code cell, all offsets in bytes from pc:
//
//   0        8     10    12         16         20         24
//   | handler | d16 | a16 | b32     | c32      | e32      | more words ...
//   |<------ every cell ----------->|<- only in longer cells ->
//
// Slots are addressed by a signed byte offset from sp (-32,768 .. 32,767); larger frames reach
// their far slots through copies (vm/emitter.cpp).
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "vm/machine.hpp"
#include "vm/simd.hpp"
#include "vm/trap.hpp"

#if defined(__clang__) && !defined(QIP_DISPATCH_LOOP) && defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::musttail)
#define QIP_TAIL [[clang::musttail]] return
#endif
#if defined(__has_attribute)
#if __has_attribute(preserve_none) && (defined(__x86_64__) || defined(__aarch64__))
#define QIP_PRESERVE_NONE __attribute__((preserve_none))
#endif
#endif
#endif
#ifndef QIP_TAIL
#define QIP_TAIL return
#endif

// PROFILE=small has no locals in registers, nor have compilers that would spill them.
#if defined(QIP_PRESERVE_NONE) && !defined(QIP_PROFILE_SMALL)
#define QIP_HOT_INTEGERS 2
#define QIP_HOT_FLOATS 2
#else
#define QIP_HOT_INTEGERS 0
#if defined(QIP_PROFILE_SMALL) || defined(QIP_DISPATCH_LOOP)
#define QIP_HOT_FLOATS 0
#else
#define QIP_HOT_FLOATS 2
#endif
#endif
#ifndef QIP_PRESERVE_NONE
#define QIP_PRESERVE_NONE
#endif

#define QIP_INLINE [[gnu::always_inline]] inline

namespace qip {

// A float or vector register. Scalars use the lowest lane, the others are unspecified.
typedef float FloatRegister __attribute__((vector_size(16)));

struct Registers {
  MachineState* context;
  uint64_t r0, r1;       // hot integer locals
  uint8_t* memory;       // base of the running instance's memory 0
  const char* pc;        // the current cell
  char* sp;              // the current frame
  uint64_t acc;          // integer accumulator
  const char* lp;        // first cell of the innermost marked loop
  FloatRegister facc;    // float and vector accumulator
  FloatRegister f0, f1;  // hot float locals
};

#if defined(QIP_DISPATCH_LOOP)
#define QIP_PARAMETERS ::qip::Registers& registers
#define QIP_ARGUMENTS registers
#define QIP_UNPACK ::qip::Registers& r = registers
#define QIP_DISPATCH(r) return
#elif QIP_HOT_INTEGERS == 2
#define QIP_PARAMETERS                                                                            \
  ::qip::MachineState *context, uint64_t r0, uint64_t r1, uint8_t *memory, const char *pc,        \
      char *sp, uint64_t acc, const char *lp, ::qip::FloatRegister facc, ::qip::FloatRegister f0, \
      ::qip::FloatRegister f1
#define QIP_ARGUMENTS r.context, r.r0, r.r1, r.memory, r.pc, r.sp, r.acc, r.lp, r.facc, r.f0, r.f1
#define QIP_UNPACK                                         \
  ::qip::Registers r {                                     \
    context, r0, r1, memory, pc, sp, acc, lp, facc, f0, f1 \
  }
#elif QIP_HOT_FLOATS == 2
#define QIP_PARAMETERS                                                                   \
  const char *pc, char *sp, uint8_t *memory, ::qip::MachineState *context, uint64_t acc, \
      const char *lp, ::qip::FloatRegister facc, ::qip::FloatRegister f0, ::qip::FloatRegister f1
#define QIP_ARGUMENTS r.pc, r.sp, r.memory, r.context, r.acc, r.lp, r.facc, r.f0, r.f1
#define QIP_UNPACK                                       \
  ::qip::Registers r {                                   \
    context, 0, 0, memory, pc, sp, acc, lp, facc, f0, f1 \
  }
#else
#define QIP_PARAMETERS                                                                   \
  const char *pc, char *sp, uint8_t *memory, ::qip::MachineState *context, uint64_t acc, \
      const char *lp, ::qip::FloatRegister facc
#define QIP_ARGUMENTS r.pc, r.sp, r.memory, r.context, r.acc, r.lp, r.facc
#define QIP_UNPACK                                           \
  ::qip::Registers r {                                       \
    context, 0, 0, memory, pc, sp, acc, lp, facc, facc, facc \
  }
#endif

using Handler = void(QIP_PRESERVE_NONE*)(QIP_PARAMETERS);

#ifndef QIP_DISPATCH
#define QIP_DISPATCH(r)                                    \
  do {                                                     \
    const ::qip::Handler next = ::qip::handler_at((r).pc); \
    QIP_TAIL next(QIP_ARGUMENTS);                          \
  } while (0)
#endif

QIP_INLINE Handler handler_at(const char* pc) {
  Handler handler;
  __builtin_memcpy(&handler, pc, sizeof handler);
  return handler;
}

// --- Fields of a cell ----------------------------------------------------------------------------

enum class Field : uint8_t { D, A, B, C, E };

template <class T>
QIP_INLINE T load_cell(const char* pc, size_t offset) {
  T value;
  __builtin_memcpy(&value, pc + offset, sizeof value);
  return value;
}

template <Field F>
QIP_INLINE int64_t field(const Registers& r) {
  if constexpr (F == Field::D) return load_cell<int16_t>(r.pc, 8);
  if constexpr (F == Field::A) return load_cell<int16_t>(r.pc, 10);
  if constexpr (F == Field::B) return load_cell<int32_t>(r.pc, 12);
  if constexpr (F == Field::C) return load_cell<int32_t>(r.pc, 16);
  if constexpr (F == Field::E) return load_cell<int32_t>(r.pc, 20);
}

// --- Operands ------------------------------------------------------------------------------------

// Where an operand lives. For float and vector operands the accumulator and the registers are the
// float ones.
enum class Kind : uint8_t { Slot, Immediate, Accumulator, Register0, Register1 };

// Plain base addressing: the processor forwards a store to a load of the same slot for free only
// if the address is a bare register (interpreter measurements in README, "Design").
QIP_INLINE char* slot_address(const Registers& r, int64_t offset) {
  char* address = r.sp + offset;
  asm("" : "+r"(address));
  return address;
}

template <class T>
QIP_INLINE T float_lane(const FloatRegister& x) {
  if constexpr (std::is_same_v<T, float>) {
    return x[0];
  } else {
    typedef double Doubles __attribute__((vector_size(16)));
    return reinterpret_cast<const Doubles&>(x)[0];
  }
}

// The upper lanes stay undefined on purpose: clearing them costs two instructions per float
// operation.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
template <class T>
QIP_INLINE FloatRegister float_register(T value) {
  typedef T Lanes __attribute__((vector_size(16)));
#if defined(QIP_DISPATCH_LOOP)
  Lanes lanes = {};
#else
  __attribute__((uninitialized)) Lanes lanes;
#endif
  lanes[0] = value;
  return (FloatRegister)lanes;
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

template <class T>
inline constexpr bool is_float = std::is_floating_point_v<T>;
template <class T>
inline constexpr bool is_vector = std::is_same_v<T, V128>;

template <Kind K, class T>
QIP_INLINE T read_integer(const Registers& r, int64_t field_value) {
  if constexpr (K == Kind::Slot) {
    return load_cell<T>(slot_address(r, field_value), 0);
  } else if constexpr (K == Kind::Immediate) {
    return static_cast<T>(field_value);
  } else if constexpr (K == Kind::Accumulator) {
    return static_cast<T>(r.acc);
  } else if constexpr (K == Kind::Register0) {
    return static_cast<T>(r.r0);
  } else {
    return static_cast<T>(r.r1);
  }
}

// The value of an operand of kind K whose field is F. A double immediate is the word at pc + 16.
template <Kind K, class T, Field F>
QIP_INLINE T read(const Registers& r) {
  if constexpr (is_vector<T>) {
    V128 value;
    if constexpr (K == Kind::Slot) {
      __builtin_memcpy(&value, r.sp + field<F>(r), 16);
    } else {
      __builtin_memcpy(&value, &r.facc, 16);
    }
    return value;
  } else if constexpr (is_float<T>) {
    if constexpr (K == Kind::Slot) {
      return load_cell<T>(r.sp + field<F>(r), 0);
    } else if constexpr (K == Kind::Immediate) {
      if constexpr (sizeof(T) == 8) return load_cell<double>(r.pc, 16);
      if constexpr (sizeof(T) == 4) {
        return __builtin_bit_cast(float, static_cast<int32_t>(field<F>(r)));
      }
    } else if constexpr (K == Kind::Accumulator) {
      return float_lane<T>(r.facc);
    } else if constexpr (K == Kind::Register0) {
      return float_lane<T>(r.f0);
    } else {
      return float_lane<T>(r.f1);
    }
  } else {
    if constexpr (K == Kind::Slot || K == Kind::Immediate) {
      return read_integer<K, T>(r, field<F>(r));
    } else {
      return read_integer<K, T>(r, 0);
    }
  }
}

template <Kind K, class T, Field F>
QIP_INLINE void write(Registers& r, T value) {
  static_assert(K != Kind::Immediate);
  if constexpr (is_vector<T>) {
    if constexpr (K == Kind::Slot) {
      __builtin_memcpy(r.sp + field<F>(r), &value, 16);
    } else {
      __builtin_memcpy(&r.facc, &value, 16);
    }
  } else if constexpr (is_float<T>) {
    if constexpr (K == Kind::Slot) {
      __builtin_memcpy(r.sp + field<F>(r), &value, sizeof(T));
    } else if constexpr (K == Kind::Accumulator) {
      r.facc = float_register(value);
    } else if constexpr (K == Kind::Register0) {
      r.f0 = float_register(value);
    } else {
      r.f1 = float_register(value);
    }
  } else {
    if constexpr (K == Kind::Slot) {
      __builtin_memcpy(slot_address(r, field<F>(r)), &value, sizeof(T));
    } else if constexpr (K == Kind::Accumulator) {
      r.acc = value;
    } else if constexpr (K == Kind::Register0) {
      r.r0 = value;
    } else {
      r.r1 = value;
    }
  }
}

// Leaves the reason where trap_exit finds it. Returns false: "did not complete".
QIP_INLINE bool fail(Registers& r, Trap trap) {
  r.context->trap = trap;
  return false;
}

// Ends the run: records pc and sp, and returns to invoke(). Cold. (vm/interpreter.cpp)
QIP_PRESERVE_NONE void trap_exit(QIP_PARAMETERS);
// Ends the run because it was interrupted. (vm/interpreter.cpp)
QIP_PRESERVE_NONE void interrupt_exit(QIP_PARAMETERS);

}  // namespace qip
