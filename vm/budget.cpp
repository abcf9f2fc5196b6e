// The deadline is a POSIX timer per Budget whose signal goes to the thread that armed it. The timer
// stays from one deadline to the next while the thread is the same; arming it costs one system
// call.
//
// No signal of an earlier deadline can end a later run, for two reasons. Each is enough:
//   - The handler compares the clock with the deadline that holds now: a stale signal finds it in
//     the future and does nothing.
//   - The kernel cancels the timer before timer_settime() or timer_delete() returns, and delivers a
//     signal that is pending for the calling thread before that thread goes on.
// The second is also why the handler never meets a MachineState that is gone: the thread that armed
// the timer is the one that ends it (budget.hpp).
#include "vm/budget.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "vm/machine.hpp"

namespace qip {
namespace {

// Never an empty mapping: a stack of 0 bytes is a budget that fits no frame, not an error.
uint64_t mapped_bytes(const MachineState& machine) {
  return machine.stack_bytes == 0 ? 1 : machine.stack_bytes;
}

constexpr int64_t kNoDeadline = INT64_MAX;
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// An interruption and its end (forget_interrupt) may meet, from two threads. Each looks again after
// it has written, so that both flags agree whichever came last. Ends: it goes round only if an end
// came in between.
void raise_interrupt(MachineState& machine) {
  do {
    machine.interrupted.store(1);
    machine.stack_limit.store(0);
  } while (machine.interrupted.load() == 0);
}

// Opens the value stack to calls, unless there is an interruption.
void open_stack(MachineState& machine) {
  machine.stack_limit.store(full_stack_limit(machine));
  if (machine.interrupted.load() != 0) machine.stack_limit.store(0);
}

void forget_interrupt(MachineState& machine) {
  machine.interrupted.store(0);
  open_stack(machine);
}

// Async-signal-safe.
int64_t monotonic_now() {
  struct timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * kNanosecondsPerSecond + now.tv_nsec;
}

void on_deadline(int, siginfo_t* info, void*) {
  const int saved_errno = errno;
  MachineState& machine = *static_cast<MachineState*>(info->si_value.sival_ptr);
  if (monotonic_now() >= machine.deadline.load(std::memory_order_relaxed)) raise_interrupt(machine);
  errno = saved_errno;
}

// A century from now is no deadline, but a number that must not wrap.
int64_t from_now(std::chrono::nanoseconds duration) {
  const int64_t now = monotonic_now();
  return duration.count() < kNoDeadline - now ? now + duration.count() : kNoDeadline;
}

int deadline_signal() {
  return SIGRTMIN + 1;
}

// Once per process. SA_RESTART: reads and writes of the host are not disturbed.
bool install_handler() {
  struct sigaction action = {};
  action.sa_sigaction = on_deadline;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  return sigaction(deadline_signal(), &action, nullptr) == 0;
}

bool create_timer(MachineState& machine, pid_t thread) {
  static const bool installed = install_handler();
  if (!installed) return false;
  struct sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = deadline_signal();
  event.sigev_value.sival_ptr = &machine;
#if defined(sigev_notify_thread_id)
  event.sigev_notify_thread_id = thread;
#else
  event._sigev_un._tid = thread;
#endif
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return false;
  machine.timer = timer;
  machine.timer_thread = thread;
  return true;
}

void delete_timer(MachineState& machine) {
  if (machine.timer_thread != 0) timer_delete(static_cast<timer_t>(machine.timer));
  machine.timer_thread = 0;
  machine.timer_armed = false;
}

// From `when` on, and then every 10 ms: a signal that finds the deadline not yet over, or whose
// interruption is forgotten too early, is followed by another.
bool arm_timer(MachineState& machine, int64_t when) {
  struct itimerspec spec = {};
  spec.it_value.tv_sec = static_cast<time_t>(when / kNanosecondsPerSecond);
  spec.it_value.tv_nsec = static_cast<long>(when % kNanosecondsPerSecond);
  spec.it_interval.tv_nsec = 10'000'000;
  machine.timer_armed =
      timer_settime(static_cast<timer_t>(machine.timer), TIMER_ABSTIME, &spec, nullptr) == 0;
  return machine.timer_armed;
}

void disarm_timer(MachineState& machine) {
  if (!machine.timer_armed) return;
  const struct itimerspec never = {};
  timer_settime(static_cast<timer_t>(machine.timer), 0, &never, nullptr);
  machine.timer_armed = false;
}

// A timer rings in one thread only, and a process that was forked has none.
bool start_timer(MachineState& machine, int64_t when) {
  const auto thread = static_cast<pid_t>(syscall(SYS_gettid));
  if (machine.timer_thread == thread && arm_timer(machine, when)) return true;
  delete_timer(machine);
  return create_timer(machine, thread) && arm_timer(machine, when);
}

}  // namespace

Budget::Budget(const BudgetLimits& limits)
    : limits_(limits), machine_(std::make_unique<MachineState>()) {
  machine_->stack_bytes = limits.stack_bytes;
  machine_->fuel = limits.fuel.value_or(0);
}

Budget::~Budget() {
  delete_timer(*machine_);
  if (machine_->stack_base != nullptr) munmap(machine_->stack_base, mapped_bytes(*machine_));
}

void Budget::start_deadline(std::chrono::nanoseconds duration) {
  clear_deadline();
  if (duration.count() <= 0) {
    interrupt();
    return;
  }
  const int64_t when = from_now(duration);
  machine_->deadline.store(when, std::memory_order_relaxed);
  // A system without timers left: better no run than an endless one.
  if (!start_timer(*machine_, when)) interrupt();
}

// The timer goes on as it was armed: it rings at the old end, finds that the deadline lies in the
// future, and rings again every 10 ms.
void Budget::renew_deadline(std::chrono::nanoseconds duration) {
  if (!machine_->timer_armed) return interrupt();  // nothing would ring
  machine_->deadline.store(from_now(duration), std::memory_order_relaxed);
  if (interrupted()) forget_interrupt(*machine_);
}

void Budget::clear_deadline() {
  machine_->deadline.store(kNoDeadline, std::memory_order_relaxed);
  disarm_timer(*machine_);
  forget_interrupt(*machine_);
}

void Budget::refuel() {
  MachineState& machine = *machine_;
  machine.fuel = limits_.fuel.value_or(0);
  machine.trap = Trap::None;
  machine.trap_pc = machine.trap_sp = nullptr;
  machine.trap_instance = nullptr;
}

void Budget::interrupt() {
  raise_interrupt(*machine_);
}

bool Budget::interrupted() const {
  return machine_->interrupted.load(std::memory_order_relaxed) != 0;
}

uint64_t Budget::remaining_fuel() const {
  return limits_.fuel ? machine_->fuel : 0;
}

bool ensure_stack(MachineState& machine) {
  if (machine.stack_base != nullptr) return true;
  void* mapping = mmap(nullptr, mapped_bytes(machine), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return false;
  machine.stack_base = static_cast<char*>(mapping);
  machine.stack_top = machine.stack_base;
  open_stack(machine);  // an interruption that came before stays in force
  return true;
}

}  // namespace qip
