// FeatureSet: which language version a module is read under. Some modules that 2.0 calls invalid
// are valid later, so the set is a parameter of decode() and validate().
#pragma once

#include <cstdint>

namespace qip {

enum class Feature : uint32_t {
  Core = 1u << 0,  // WebAssembly 1.0 with mutable globals: always there
  SignExtension = 1u << 1,
  SaturatingConversion = 1u << 2,
  MultiValue = 1u << 3,
  BulkMemory = 1u << 4,
  ReferenceTypes = 1u << 5,
  Simd = 1u << 6,
  ExtendedConst = 1u << 7,  // add, sub, mul in constant expressions; global.get of any earlier
                            // immutable global
  WideFields = 1u << 8,  // the binary grammar of 3.0 where it widened fields to 64 bits: a memory
                         // offset or limit beyond 32 bits is invalid, in 2.0 it is malformed
};
// "core", "sign extension", "SIMD", ...: for messages.
const char* feature_text(Feature feature);

struct FeatureSet {
  uint32_t bits = 0;

  constexpr bool has(Feature feature) const { return (bits & static_cast<uint32_t>(feature)) != 0; }
  constexpr FeatureSet with(Feature feature) const {
    return FeatureSet{bits | static_cast<uint32_t>(feature)};
  }
};

// WebAssembly 2.0 with its fixed-width SIMD.
inline constexpr FeatureSet kWasm2 = FeatureSet{}
                                         .with(Feature::Core)
                                         .with(Feature::SignExtension)
                                         .with(Feature::SaturatingConversion)
                                         .with(Feature::MultiValue)
                                         .with(Feature::BulkMemory)
                                         .with(Feature::ReferenceTypes)
                                         .with(Feature::Simd);

// Everything this engine has: the default.
inline constexpr FeatureSet kEverything =
    kWasm2.with(Feature::ExtendedConst).with(Feature::WideFields);

}  // namespace qip
