// The deadline is a POSIX timer per Budget whose signal goes to the thread that armed it: the
// handler therefore never runs beside that thread's own use of the Budget, and once
// timer_delete() or timer_settime() has returned no stale signal of it can arrive.
#include "vm/budget.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vm/machine.hpp"

namespace qip {
namespace {

// Never an empty mapping: a stack of 0 bytes is a budget that fits no frame, not an error.
uint64_t mapped_bytes(const MachineState& machine) {
  return machine.stack_bytes == 0 ? 1 : machine.stack_bytes;
}

void raise_interrupt(MachineState& machine) {
  machine.interrupted.store(1, std::memory_order_relaxed);
  machine.stack_limit.store(0, std::memory_order_relaxed);
}

void on_deadline(int, siginfo_t* info, void*) {
  raise_interrupt(*static_cast<MachineState*>(info->si_value.sival_ptr));
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

bool create_timer(MachineState& machine) {
  static const bool installed = install_handler();
  if (!installed) return false;
  struct sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = deadline_signal();
  event.sigev_value.sival_ptr = &machine;
#if defined(sigev_notify_thread_id)
  event.sigev_notify_thread_id = static_cast<pid_t>(syscall(SYS_gettid));
#else
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
#endif
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return false;
  machine.timer = timer;
  return true;
}

void set_timer(MachineState& machine, std::chrono::nanoseconds duration) {
  struct itimerspec spec = {};
  spec.it_value.tv_sec = static_cast<time_t>(duration.count() / 1'000'000'000);
  spec.it_value.tv_nsec = static_cast<long>(duration.count() % 1'000'000'000);
  // Again and again every 10 ms: an interruption is never lost to a race with its reset.
  if (duration.count() > 0) spec.it_interval.tv_nsec = 10'000'000;
  timer_settime(static_cast<timer_t>(machine.timer), 0, &spec, nullptr);
}

}  // namespace

Budget::Budget(const BudgetLimits& limits)
    : limits_(limits), machine_(std::make_unique<MachineState>()) {
  machine_->stack_bytes = limits.stack_bytes;
  machine_->fuel = limits.fuel.value_or(0);
}

Budget::~Budget() {
  if (machine_->timer_armed) timer_delete(static_cast<timer_t>(machine_->timer));
  if (machine_->stack_base != nullptr) munmap(machine_->stack_base, mapped_bytes(*machine_));
}

void Budget::start_deadline(std::chrono::nanoseconds duration) {
  clear_deadline();
  if (duration.count() <= 0) {
    interrupt();
    return;
  }
  // A system without timers left: better no run than an endless one.
  if (!create_timer(*machine_)) {
    interrupt();
    return;
  }
  machine_->timer_armed = true;
  set_timer(*machine_, duration);
}

void Budget::clear_deadline() {
  if (machine_->timer_armed) {
    timer_delete(static_cast<timer_t>(machine_->timer));
    machine_->timer_armed = false;
  }
  machine_->interrupted.store(0, std::memory_order_relaxed);
  machine_->stack_limit.store(full_stack_limit(*machine_), std::memory_order_relaxed);
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
  // An interruption that came before stays in force.
  if (machine.interrupted.load(std::memory_order_relaxed) == 0) {
    machine.stack_limit.store(full_stack_limit(machine), std::memory_order_relaxed);
  }
  return true;
}

}  // namespace qip
