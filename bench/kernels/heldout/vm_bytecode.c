// A small stack machine, written as a loop around a switch, follows the Collatz sequences of many
// numbers and notes each that is longer than all before.
// Measures: the switch of an interpreter in an interpreter, where the next case is known late.
#include "../kernel.h"

enum { kNumbers = 2000, kStackSize = 16, kCallDepth = 8, kMemorySize = 512 };

enum Operation {
  kHalt,
  kPush,  // a byte
  kLoad,  // a variable
  kStore,
  kIncrement,  // a variable, a byte
  kDuplicate,
  kAdd,
  kMultiply,
  kAnd,
  kXor,
  kShiftLeft,
  kShiftRight,
  kLess,
  kEqual,
  kJump,  // an address
  kJumpIf,
  kJumpIfZero,
  kLoadMemory,
  kStoreMemory,  // pops the value, then the address
  kCall,         // an address
  kReturn,
};

enum Variable { kNumber, kLast, kValue, kSteps, kLongest, kChecksum, kVariables };

enum Address {
  kNextNumber = 0,
  kFollow = 15,
  kOdd = 41,
  kSequenceDone = 49,
  kNotLonger = 64,
  kAllDone = 82,
  kTriple = 83,
};

// clang-format off
static const u8 program[] = {
    // next_number: while number < last: value = number, steps = 0
    /*  0 */ kLoad, kNumber, kLoad, kLast, kLess,
    /*  5 */ kJumpIfZero, kAllDone,
    /*  7 */ kLoad, kNumber, kStore, kValue,
    /* 11 */ kPush, 0, kStore, kSteps,
    // follow: until value is 1: steps += 1, and if value is even, halve it
    /* 15 */ kLoad, kValue, kPush, 1, kEqual,
    /* 20 */ kJumpIf, kSequenceDone,
    /* 22 */ kIncrement, kSteps, 1,
    /* 25 */ kLoad, kValue, kPush, 1, kAnd,
    /* 30 */ kJumpIf, kOdd,
    /* 32 */ kLoad, kValue, kPush, 1, kShiftRight, kStore, kValue,
    /* 39 */ kJump, kFollow,
    // odd: value = triple(value)
    /* 41 */ kLoad, kValue, kCall, kTriple, kStore, kValue,
    /* 47 */ kJump, kFollow,
    // sequence_done: if longest < steps: longest = steps, memory[steps] = number
    /* 49 */ kLoad, kLongest, kLoad, kSteps, kLess,
    /* 54 */ kJumpIfZero, kNotLonger,
    /* 56 */ kLoad, kSteps, kDuplicate, kStore, kLongest,
    /* 61 */ kLoad, kNumber, kStoreMemory,
    // not_longer: checksum = checksum * 31 ^ steps ^ memory[steps], number += 1
    /* 64 */ kLoad, kChecksum, kPush, 31, kMultiply,
    /* 69 */ kLoad, kSteps, kDuplicate, kLoadMemory, kXor, kXor,
    /* 75 */ kStore, kChecksum,
    /* 77 */ kIncrement, kNumber, 1,
    /* 80 */ kJump, kNextNumber,
    // all_done
    /* 82 */ kHalt,
    // triple: the top of the stack times 3 plus 1
    /* 83 */ kDuplicate, kPush, 1, kShiftLeft, kAdd, kPush, 1, kAdd, kReturn,
};
// clang-format on

static u32 variables[kVariables];
static u32 memory[kMemorySize];

static void run(void) {
  u32 stack[kStackSize];
  const u8* returns[kCallDepth];
  u32* top = stack;  // the first free place
  const u8** last_return = returns;
  const u8* next = program;
  for (;;) {
    switch (*next++) {
      case kHalt:
        return;
      case kPush:
        *top++ = *next++;
        break;
      case kLoad:
        *top++ = variables[*next++];
        break;
      case kStore:
        variables[*next++] = *--top;
        break;
      case kIncrement:
        variables[next[0]] += next[1];
        next += 2;
        break;
      case kDuplicate:
        top[0] = top[-1];
        top++;
        break;
      case kAdd:
        top--;
        top[-1] += top[0];
        break;
      case kMultiply:
        top--;
        top[-1] *= top[0];
        break;
      case kAnd:
        top--;
        top[-1] &= top[0];
        break;
      case kXor:
        top--;
        top[-1] ^= top[0];
        break;
      case kShiftLeft:
        top--;
        top[-1] <<= top[0] & 31;
        break;
      case kShiftRight:
        top--;
        top[-1] >>= top[0] & 31;
        break;
      case kLess:
        top--;
        top[-1] = top[-1] < top[0];
        break;
      case kEqual:
        top--;
        top[-1] = top[-1] == top[0];
        break;
      case kJump:
        next = program + *next;
        break;
      case kJumpIf:
        next = *--top != 0 ? program + *next : next + 1;
        break;
      case kJumpIfZero:
        next = *--top == 0 ? program + *next : next + 1;
        break;
      case kLoadMemory:
        top[-1] = memory[top[-1] % kMemorySize];
        break;
      case kStoreMemory:
        top -= 2;
        memory[top[0] % kMemorySize] = top[1];
        break;
      case kCall:
        *last_return++ = next + 1;
        next = program + *next;
        break;
      case kReturn:
        next = *--last_return;
        break;
    }
  }
}

// Numbers below 100,000 stay below 2^32 on their way to 1, so every sequence ends.
i32 bench(i32 rounds) {
  for (u32 i = 0; i < kVariables; i++) variables[i] = 0;
  for (u32 i = 0; i < kMemorySize; i++) memory[i] = 0;
  for (i32 round = 0; round < rounds; round++) {
    variables[kNumber] = 1 + (variables[kChecksum] & 0xFFFF);
    variables[kLast] = variables[kNumber] + kNumbers;
    variables[kLongest] = 0;
    run();
  }
  return (i32)variables[kChecksum];
}
