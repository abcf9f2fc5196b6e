// Every limit of this implementation, with its reason. A module beyond one of them is refused with
// LoadErrorClass::Limit before anything of that size is allocated.
#pragma once

#include <cstdint>

namespace qip {

// Where a number is shared by the browsers' engines (the WebAssembly JavaScript API's list of
// implementation limits), real toolchains already stay inside it.
inline constexpr uint64_t kMaxModuleBytes = uint64_t{1} << 30;  // the JS-API list; u32 offsets fit
inline constexpr uint32_t kMaxParameters = 1'000;               // the JS-API list
inline constexpr uint32_t kMaxResults = 1'000;                  // the JS-API list
inline constexpr uint32_t kMaxLocals = 50'000;             // the JS-API list; parameters included
inline constexpr uint64_t kMaxFunctionBytes = 7'654'321;   // the JS-API list
inline constexpr uint32_t kMaxTypes = 1'000'000;           // the JS-API list
inline constexpr uint32_t kMaxFunctions = 1'000'000;       // the JS-API list; imports included
inline constexpr uint32_t kMaxGlobals = 1'000'000;         // the JS-API list
inline constexpr uint32_t kMaxTables = 100'000;            // the JS-API list
inline constexpr uint32_t kMaxMemories = 1;                // WebAssembly 2.0
inline constexpr uint32_t kMaxImports = 1'000'000;         // the JS-API list
inline constexpr uint32_t kMaxExports = 1'000'000;         // the JS-API list
inline constexpr uint32_t kMaxSegments = 100'000;          // the JS-API list; per kind
inline constexpr uint32_t kMaxTableElements = 10'000'000;  // the JS-API list
inline constexpr uint32_t kMaxNameBytes = 100'000;         // the JS-API list

// Not on that list: the locals of all functions together. A local costs nothing in the file (a
// count), but a few bytes of work each; 20 million is 200 times what the largest known modules
// have.
inline constexpr uint64_t kMaxTotalLocals = 20'000'000;

// Not on that list: custom sections. Each is three bytes of file and some seventy bytes of Module;
// modules have a handful.
inline constexpr uint32_t kMaxCustomSections = 1'000'000;

// Not on that list: the operand stack of one function. Slots are addressed in 32-bit cells, 16
// bytes for a v128, so a million operands is 16 MB of frame: more than the default value stack.
inline constexpr uint32_t kMaxOperandHeight = 1'000'000;

}  // namespace qip
