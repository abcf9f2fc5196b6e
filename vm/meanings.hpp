// meaning<opcode>(operands...): the pure function of an opcode, picked by its row in opcodes.def,
// and the types that go with it. A row without a function of its name does not compile.
#pragma once

#include "loader/opcodes.hpp"
#include "vm/semantics.hpp"
#include "vm/simd.hpp"

namespace qip {

template <char letter>
struct TypeOfLetter;
template <>
struct TypeOfLetter<'i'> {
  using type = uint32_t;
};
template <>
struct TypeOfLetter<'l'> {
  using type = uint64_t;
};
template <>
struct TypeOfLetter<'f'> {
  using type = float;
};
template <>
struct TypeOfLetter<'d'> {
  using type = double;
};
template <>
struct TypeOfLetter<'v'> {
  using type = V128;
};

template <Opcode opcode>
inline constexpr size_t kOperandCount = opcode_info(opcode).operand_count();
// The type of the operand at `position`.
template <Opcode opcode, size_t position>
using Operand_t = typename TypeOfLetter<opcode_info(opcode).operand(position)>::type;
template <Opcode opcode>
using Result_t = typename TypeOfLetter<opcode_info(opcode).result()>::type;

template <Opcode opcode>
struct MeaningOf;

#define QIP_OWNER_0x00 Meaning::
#define QIP_OWNER_0xFC Meaning::
#define QIP_OWNER_0xFD
#define QIP_MEANING_OF(Name, identifier, prefix)                  \
  template <>                                                     \
  struct MeaningOf<Opcode::Name> {                                \
    template <class... Operands>                                  \
    [[gnu::always_inline]] static auto of(Operands... operands) { \
      return QIP_OWNER_##prefix identifier(operands...);          \
    }                                                             \
  };
#define QIP_MEANING_Simple(Name, identifier, prefix) QIP_MEANING_OF(Name, identifier, prefix)
#define QIP_MEANING_Lane(Name, identifier, prefix) QIP_MEANING_OF(Name, identifier, prefix)
#define QIP_MEANING_Special(...)
#define QIP_MEANING_Load(...)
#define QIP_MEANING_Store(...)
#define QIP_MEANING_Shuffle(...)
#define QIP_MEANING_LoadLane(...)
#define QIP_MEANING_StoreLane(...)
#define OP(Name, identifier, text, prefix, code, immediate, signature, kind, feature) \
  QIP_MEANING_##kind(Name, identifier, prefix)
#include "loader/opcodes.def"
#undef OP

template <Opcode opcode, class... Operands>
[[gnu::always_inline]] inline auto meaning(Operands... operands) {
  return MeaningOf<opcode>::of(operands...);
}

// The meaning as the inner operation of a pair: floats may skip making a NaN canonical.
template <Opcode opcode, class T>
[[gnu::always_inline]] inline T inner_meaning(T a, T b) {
  if constexpr (opcode == Opcode::F32Add)
    return Meaning::f32_add_raw(a, b);
  else if constexpr (opcode == Opcode::F32Sub)
    return Meaning::f32_sub_raw(a, b);
  else if constexpr (opcode == Opcode::F32Mul)
    return Meaning::f32_mul_raw(a, b);
  else if constexpr (opcode == Opcode::F64Add)
    return Meaning::f64_add_raw(a, b);
  else if constexpr (opcode == Opcode::F64Sub)
    return Meaning::f64_sub_raw(a, b);
  else if constexpr (opcode == Opcode::F64Mul)
    return Meaning::f64_mul_raw(a, b);
  else
    return meaning<opcode>(a, b);
}

// --- Loads and stores ----------------------------------------------------------------------------

// Memory: what is read or written. Value: what the guest sees.
template <Opcode opcode>
struct Access;
#define QIP_ACCESS(Name, Memory_, Value_) \
  template <>                             \
  struct Access<Opcode::Name> {           \
    using Memory = Memory_;               \
    using Value = Value_;                 \
  };
QIP_ACCESS(I32Load, uint32_t, uint32_t)
QIP_ACCESS(I32Load8S, int8_t, uint32_t)
QIP_ACCESS(I32Load8U, uint8_t, uint32_t)
QIP_ACCESS(I32Load16S, int16_t, uint32_t)
QIP_ACCESS(I32Load16U, uint16_t, uint32_t)
QIP_ACCESS(I64Load, uint64_t, uint64_t)
QIP_ACCESS(I64Load8S, int8_t, uint64_t)
QIP_ACCESS(I64Load8U, uint8_t, uint64_t)
QIP_ACCESS(I64Load16S, int16_t, uint64_t)
QIP_ACCESS(I64Load16U, uint16_t, uint64_t)
QIP_ACCESS(I64Load32S, int32_t, uint64_t)
QIP_ACCESS(I64Load32U, uint32_t, uint64_t)
QIP_ACCESS(F32Load, float, float)
QIP_ACCESS(F64Load, double, double)
QIP_ACCESS(V128Load, V128, V128)
QIP_ACCESS(V128Load8x8S, uint64_t, V128)
QIP_ACCESS(V128Load8x8U, uint64_t, V128)
QIP_ACCESS(V128Load16x4S, uint64_t, V128)
QIP_ACCESS(V128Load16x4U, uint64_t, V128)
QIP_ACCESS(V128Load32x2S, uint64_t, V128)
QIP_ACCESS(V128Load32x2U, uint64_t, V128)
QIP_ACCESS(V128Load8Splat, uint8_t, V128)
QIP_ACCESS(V128Load16Splat, uint16_t, V128)
QIP_ACCESS(V128Load32Splat, uint32_t, V128)
QIP_ACCESS(V128Load64Splat, uint64_t, V128)
QIP_ACCESS(V128Load32Zero, uint32_t, V128)
QIP_ACCESS(V128Load64Zero, uint64_t, V128)
QIP_ACCESS(I32Store, uint32_t, uint32_t)
QIP_ACCESS(I32Store8, uint8_t, uint32_t)
QIP_ACCESS(I32Store16, uint16_t, uint32_t)
QIP_ACCESS(I64Store, uint64_t, uint64_t)
QIP_ACCESS(I64Store8, uint8_t, uint64_t)
QIP_ACCESS(I64Store16, uint16_t, uint64_t)
QIP_ACCESS(I64Store32, uint32_t, uint64_t)
QIP_ACCESS(F32Store, float, float)
QIP_ACCESS(F64Store, double, double)
QIP_ACCESS(V128Store, V128, V128)
#undef QIP_ACCESS

template <Opcode opcode>
using Memory_t = typename Access<opcode>::Memory;
template <Opcode opcode>
using Stored_t = typename Access<opcode>::Value;

// What a load makes of the bytes it read.
template <Opcode opcode>
[[gnu::always_inline]] inline typename Access<opcode>::Value loaded(Memory_t<opcode> memory) {
  using Value = typename Access<opcode>::Value;
  if constexpr (opcode == Opcode::V128Load8x8S)
    return v128_load8x8_s(memory);
  else if constexpr (opcode == Opcode::V128Load8x8U)
    return v128_load8x8_u(memory);
  else if constexpr (opcode == Opcode::V128Load16x4S)
    return v128_load16x4_s(memory);
  else if constexpr (opcode == Opcode::V128Load16x4U)
    return v128_load16x4_u(memory);
  else if constexpr (opcode == Opcode::V128Load32x2S)
    return v128_load32x2_s(memory);
  else if constexpr (opcode == Opcode::V128Load32x2U)
    return v128_load32x2_u(memory);
  else if constexpr (opcode == Opcode::V128Load8Splat)
    return i8x16_splat(memory);
  else if constexpr (opcode == Opcode::V128Load16Splat)
    return i16x8_splat(memory);
  else if constexpr (opcode == Opcode::V128Load32Splat)
    return i32x4_splat(memory);
  else if constexpr (opcode == Opcode::V128Load64Splat)
    return i64x2_splat(memory);
  else if constexpr (opcode == Opcode::V128Load32Zero)
    return v128_load32_zero(memory);
  else if constexpr (opcode == Opcode::V128Load64Zero)
    return v128_load64_zero(memory);
  else
    return static_cast<Value>(memory);
}

}  // namespace qip
