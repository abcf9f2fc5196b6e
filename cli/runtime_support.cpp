// What the C++ library wants from a program that has no exceptions: memory or a clean end.
//
// Promises: when the system has no memory, or a library precondition is broken, the process ends at
// once with one line on stderr and exit code 1 or SIGABRT. Because these definitions come before
// the library's own, a static link leaves out the unwinder, the demangler, and the pool of memory
// that the library sets aside for exceptions whenever a program starts. Sanitizer builds keep the
// library's definitions: the sanitizers replace them themselves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define QIP_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define QIP_SANITIZED 1
#endif
#endif

#if !defined(QIP_SANITIZED)

#include <sched.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace {

void say(const char* text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;  // nobody is left to tell
}

[[noreturn]] void end_without_memory() {
  say("qip: out of memory\n");
  _exit(1);
}

// A mistake of this program, never of its input.
[[noreturn]] void end_with_mistake(const char* text) {
  say("qip: internal error: ");
  say(text);
  say("\n");
  abort();
}

void* allocate(size_t size) {
  void* memory = malloc(size == 0 ? 1 : size);
  if (memory == nullptr) end_without_memory();
  return memory;
}

void* allocate_aligned(size_t size, std::align_val_t alignment) {
  const size_t step = static_cast<size_t>(alignment);
  const size_t rounded = (size + step - 1) / step * step;
  void* memory = rounded < size ? nullptr : aligned_alloc(step, rounded == 0 ? step : rounded);
  if (memory == nullptr) end_without_memory();
  return memory;
}

}  // namespace

void* operator new(size_t size) {
  return allocate(size);
}
void* operator new[](size_t size) {
  return allocate(size);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return allocate_aligned(size, alignment);
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return allocate_aligned(size, alignment);
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return malloc(size == 0 ? 1 : size);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept {
  free(memory);
}
void operator delete[](void* memory) noexcept {
  free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  free(memory);
}

namespace std {

// A size beyond what the address space holds: the same as no memory.
void __throw_bad_alloc() {
  end_without_memory();
}
void __throw_bad_array_new_length() {
  end_without_memory();
}
void __throw_length_error(const char*) {
  end_without_memory();
}

void __throw_logic_error(const char* text) {
  end_with_mistake(text);
}
void __throw_invalid_argument(const char* text) {
  end_with_mistake(text);
}
void __throw_out_of_range(const char* text) {
  end_with_mistake(text);
}
void __throw_out_of_range_fmt(const char* text, ...) {
  end_with_mistake(text);
}
void __throw_runtime_error(const char* text) {
  end_with_mistake(text);
}
void __throw_bad_function_call() {
  end_with_mistake("empty function called");
}
void __throw_system_error(int) {
  end_with_mistake("system error");
}
#if !defined(_GLIBCXX_ASSERTIONS)  // else the library has declared it
[[noreturn]] void __glibcxx_assert_fail(const char*, int, const char*, const char*) noexcept;
#endif
void __glibcxx_assert_fail(const char*, int, const char*, const char* condition) noexcept {
  end_with_mistake(condition != nullptr ? condition : "library precondition");
}

#if !defined(__cpp_rtti)
// Asked only for objects that code with run-time type information made: there are none.
bool _Sp_make_shared_tag::_S_eq(const type_info&) noexcept {
  return false;
}
#endif

}  // namespace std

// A pure virtual function was called: the vtable of an abstract class needs the name.
extern "C" [[noreturn]] void __cxa_pure_virtual() {
  end_with_mistake("pure virtual call");
}

// Initialisation of local statics, as the Itanium C++ ABI (3.3.3) asks: byte 0 of the guard is set
// when it is done, byte 1 while one thread is at it. Initialisers here are short: others spin.
extern "C" int __cxa_guard_acquire(uint64_t* guard) {
  uint8_t* bytes = reinterpret_cast<uint8_t*>(guard);
  for (;;) {
    if (__atomic_load_n(&bytes[0], __ATOMIC_ACQUIRE) != 0) return 0;
    if (__atomic_exchange_n(&bytes[1], 1, __ATOMIC_ACQUIRE) == 0) break;
    sched_yield();
  }
  // It may have been finished between the two tests.
  if (__atomic_load_n(&bytes[0], __ATOMIC_ACQUIRE) == 0) return 1;
  __atomic_store_n(&bytes[1], 0, __ATOMIC_RELEASE);
  return 0;
}
extern "C" void __cxa_guard_release(uint64_t* guard) {
  uint8_t* bytes = reinterpret_cast<uint8_t*>(guard);
  __atomic_store_n(&bytes[0], 1, __ATOMIC_RELEASE);
  __atomic_store_n(&bytes[1], 0, __ATOMIC_RELEASE);
}
extern "C" void __cxa_guard_abort(uint64_t* guard) {
  __atomic_store_n(&reinterpret_cast<uint8_t*>(guard)[1], 0, __ATOMIC_RELEASE);
}

#endif  // !QIP_SANITIZED
