// A block runs in passes. A filter with a halo needs what the filter before it makes of the tiles
// around, so it begins a pass; the filters without a halo behind it belong to the same pass, and
// take each tile over from memory to memory. The first pass reads the image's bytes and the last
// one writes them; between two passes lie strips of float pixels, a few bands high, because each
// pass follows the one before it at a short distance (host/tile_schedule.hpp). Workers take bands
// of all passes in the order of the schedule.
#include "host/tile_block.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "host/condition.hpp"
#include "host/text.hpp"
#include "host/tile.hpp"
#include "host/tile_schedule.hpp"
#include "host/timed_budget.hpp"
#include "vm/snapshot.hpp"

namespace qip {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kProgressInterval{100};

// Float pixels between two passes.
class Strip {
 public:
  Strip() = default;
  ~Strip() {
    if (pixels_ != nullptr) munmap(pixels_, bytes_);
  }
  Strip(Strip&& other) noexcept
      : pixels_(std::exchange(other.pixels_, nullptr)), bytes_(other.bytes_) {}
  Strip& operator=(Strip&&) = delete;

  // False: too large, or the system has no memory for it.
  bool allocate(uint64_t pixel_count) {
    const uint64_t bytes = pixel_count * kPixelFloatBytes;
    if (bytes > kMaxStripBytes) return false;
    void* mapping =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return false;
    madvise(mapping, bytes, MADV_HUGEPAGE);  // all of it will be touched
    pixels_ = static_cast<uint8_t*>(mapping);
    bytes_ = bytes;
    return true;
  }
  uint8_t* pixels() const { return pixels_; }

 private:
  uint8_t* pixels_ = nullptr;
  uint64_t bytes_ = 0;
};

// Some of the filters, over the whole image.
struct Pass {
  size_t first, end;  // stages; only the first one may have a halo
  Plane from, to;
};

struct Tiling {
  uint32_t across, down;  // tiles
  uint32_t rows_per_band;
  uint32_t bands() const { return (down + rows_per_band - 1) / rows_per_band; }
};

Tiling tiling_of(const Image& image, bool sequential) {
  const uint32_t across = (image.width + kTileSide - 1) / kTileSide;
  const uint32_t down = (image.height + kTileSide - 1) / kTileSide;
  // In strict order, where nothing begins anew with a band, small ones need the least memory.
  const uint32_t rows = sequential ? 1 : (kMinTilesPerBand + across - 1) / across;
  return {across, down, rows};
}

// What all workers of a block share.
struct Job {
  std::span<const Stage> stages;
  const RunLimits& limits;
  const TileBlockOptions& options;
  uint32_t width, height;
  Tiling tiling;
  std::vector<uint32_t> halos{};  // of each stage; empty: nobody has asked yet
  Outside outside = Outside::Zero;
};

// One filter of a worker.
struct Member {
  std::unique_ptr<ComponentInstance> instance;
  std::optional<TileStage> stage;
  std::unique_ptr<InstanceSnapshot> prepared;
  bool is_fresh = false;  // as it was after preparation
};

// Tells the user how far a block is, and what it took.
class Progress {
 public:
  Progress(const TileBlockOptions& options, uint64_t total) : options_(options), total_(total) {}

  void add_tile() {
    if (options_.on_progress == nullptr) return;
    const uint64_t done = done_.fetch_add(1, std::memory_order_relaxed) + 1;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    const Clock::time_point now = Clock::now();
    if (now - last_ < kProgressInterval) return;
    last_ = now;
    options_.on_progress(done, total_);
  }
  void add_times(const TileTimes& times) {
    if (options_.times == nullptr) return;
    const std::lock_guard lock(mutex_);
    options_.times->filters += times.filters;
    options_.times->total += times.total;
  }

 private:
  const TileBlockOptions& options_;
  const uint64_t total_;
  std::atomic<uint64_t> done_{0};
  std::mutex mutex_;  // of what follows
  Clock::time_point last_ = Clock::now();
};

// One thread's instances of all filters.
class Worker {
 public:
  explicit Worker(const Job& job)
      : job_(job), budget_(job.limits), pool_(job.stages.size()), members_(job.stages.size()) {}

  // Every filter gets its settings before the first one learns the size of the image.
  MaybeError prepare() {
    if (is_prepared_) return std::nullopt;
    is_prepared_ = true;
    start_clock();
    MaybeError failure;
    for (size_t i = 0; i < members_.size() && !failure; i++) failure = create(i);
    for (size_t i = 0; i < members_.size() && !failure; i++) failure = prepare(i);
    budget_.pause();
    return failure;
  }
  std::vector<uint32_t> halos() const {
    std::vector<uint32_t> halos;
    for (const Member& member : members_) halos.push_back(member.stage->halo());
    return halos;
  }

  MaybeError run_band(const Pass& pass, uint32_t band, Progress& progress) {
    const Clock::time_point start =
        job_.options.times != nullptr ? Clock::now() : Clock::time_point{};
    times_ = {};
    MaybeError failure = refresh(pass);
    start_clock();
    const uint32_t first_row = band * job_.tiling.rows_per_band;
    const uint32_t rows = std::min(job_.tiling.rows_per_band, job_.tiling.down - first_row);
    for (uint32_t row = first_row; row < first_row + rows && !failure; row++) {
      for (uint32_t column = 0; column < job_.tiling.across && !failure; column++) {
        failure = run_tile(pass, column * kTileSide, row * kTileSide);
        progress.add_tile();
      }
    }
    budget_.pause();
    if (job_.options.times != nullptr) times_.total = Clock::now() - start;
    progress.add_times(times_);
    return failure;
  }

 private:
  void start_clock() {
    budget_.restart();
    budget_.resume();
  }

  MaybeError create(size_t index) {
    Member& member = members_[index];
    const Stage& stage = job_.stages[index];
    member = Member{};
    Result<std::unique_ptr<ComponentInstance>, HostError> made = ComponentInstance::create(
        stage.component, budget_, {.store = std::make_shared<Store>(&pool_)});
    if (!made.ok()) return std::move(made.error());
    member.instance = std::move(made.value());
    if (MaybeError failure = apply_uniforms(*member.instance, stage.uniforms)) return failure;
    Result<TileStage, HostError> bound = TileStage::bind(*member.instance);
    if (!bound.ok()) return std::move(bound.error());
    member.stage = std::move(bound.value());
    return std::nullopt;
  }

  MaybeError prepare(size_t index) {
    Member& member = members_[index];
    if (MaybeError failure = member.stage->prepare(job_.width, job_.height)) return failure;
    if (!job_.halos.empty() && member.stage->halo() != job_.halos[index]) {
      return member.instance->error("calculate_halo_px() does not give the same number each time");
    }
    if (job_.tiling.bands() > 1 && !job_.options.sequential) {
      member.prepared = InstanceSnapshot::take(member.instance->instance());
    }
    member.is_fresh = true;
    return std::nullopt;
  }

  // A filter that cannot be put back is made anew: preparation gives the same every time.
  MaybeError refresh(const Pass& pass) {
    if (job_.options.sequential) return std::nullopt;
    for (size_t i = pass.first; i < pass.end; i++) {
      Member& member = members_[i];
      if (!member.is_fresh && (member.prepared == nullptr || !member.prepared->restore())) {
        start_clock();
        MaybeError failure = create(i);
        if (!failure) failure = prepare(i);
        budget_.pause();
        if (failure) return failure;
      }
      member.is_fresh = false;
    }
    return std::nullopt;
  }

  MaybeError run_tile(const Pass& pass, uint32_t x, uint32_t y) {
    const TileStage* previous = nullptr;
    for (size_t i = pass.first; i < pass.end; i++) {
      TileStage& stage = *members_[i].stage;
      uint8_t* const buffer = stage.buffer().get().data();
      const int64_t halo = stage.halo();
      if (previous == nullptr) {
        load_square(pass.from, x - halo, y - halo, stage.span(), job_.outside, buffer);
      } else {
        hand_over_tile(previous->buffer().get().data(), previous->halo(), buffer, pass.from, x, y,
                       job_.outside);
      }
      if (MaybeError failure = call(stage, x, y)) {
        failure->message += " at tile (" + number_text(x) + ", " + number_text(y) + ")";
        return failure;
      }
      previous = &stage;
    }
    store_tile(previous->buffer().get().data(), previous->halo(), pass.to, x, y);
    return std::nullopt;
  }

  MaybeError call(TileStage& stage, uint32_t x, uint32_t y) {
    budget_.renew();
    const bool is_timed = job_.options.times != nullptr;
    const Clock::time_point start = is_timed ? Clock::now() : Clock::time_point{};
    MaybeError failure = stage.run(x, y);
    if (is_timed) times_.filters += Clock::now() - start;
    return failure;
  }

  const Job& job_;
  TimedBudget budget_;
  MemoryPool pool_;
  std::vector<Member> members_;
  TileTimes times_;
  bool is_prepared_ = false;
};

// The threads of a block.
class Threads {
 public:
  Threads(const Job& job, std::span<const Pass> passes, TileSchedule& schedule,
          std::span<const std::unique_ptr<Worker>> workers)
      : passes_(passes),
        schedule_(schedule),
        workers_(workers),
        progress_(job.options, uint64_t{job.tiling.across} * job.tiling.down * passes.size()) {}

  // The calling thread is one of them. Threads that the system refuses are done without.
  MaybeError run() {
    std::vector<pthread_t> helpers;
    for (size_t i = 1; i < workers_.size(); i++) {
      pthread_t helper;
      if (pthread_create(&helper, nullptr, work_in_thread, this) == 0) helpers.push_back(helper);
    }
    work();
    for (const pthread_t helper : helpers) pthread_join(helper, nullptr);
    return std::move(failure_);
  }

 private:
  static void* work_in_thread(void* threads) {
    static_cast<Threads*>(threads)->work();
    return nullptr;
  }

  // Items are given out in order, so all before one that failed are run by somebody, and the first
  // failure is the same on any number of threads.
  void work() {
    Worker& worker = *workers_[next_worker_.fetch_add(1, std::memory_order_relaxed)];
    for (;;) {
      const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
      if (index >= schedule_.items().size() || !wait_for(index)) return;
      const TileSchedule::Item item = schedule_.items()[index];
      MaybeError failure = worker.prepare();
      if (!failure) failure = worker.run_band(passes_[item.pass], item.band, progress_);
      end(index, std::move(failure));
    }
  }

  // False: something before this item has failed. Ends: it waits only for items before it, which
  // others have begun.
  bool wait_for(size_t index) {
    std::unique_lock lock(mutex_);
    while (index < failed_ && !schedule_.may_begin(schedule_.items()[index])) {
      changed_.wait(lock);
    }
    return index < failed_;
  }

  void end(size_t index, MaybeError failure) {
    const std::lock_guard lock(mutex_);
    if (!failure) {
      schedule_.end(schedule_.items()[index]);
    } else if (index < failed_) {
      failed_ = index;
      failure_ = std::move(failure);
    }
    changed_.notify_all();
  }

  const std::span<const Pass> passes_;
  TileSchedule& schedule_;
  const std::span<const std::unique_ptr<Worker>> workers_;
  Progress progress_;
  std::atomic<size_t> next_worker_{0};
  std::atomic<size_t> next_{0};
  std::mutex mutex_;  // of the schedule and what follows
  Condition changed_;
  size_t failed_ = SIZE_MAX;  // the first item that failed
  MaybeError failure_;        // of that item
};

class Block {
 public:
  Block(std::span<const Stage> stages, Image& image, const RunLimits& limits,
        const TileBlockOptions& options)
      : image_(image), job_{stages,      limits,       options,
                            image.width, image.height, tiling_of(image, options.sequential)} {}

  MaybeError run() {
    workers_.push_back(std::make_unique<Worker>(job_));
    if (MaybeError failure = workers_[0]->prepare()) return failure;
    job_.halos = workers_[0]->halos();
    if (std::ranges::any_of(job_.halos, [](uint32_t halo) { return halo > 0; })) {
      job_.outside = Outside::Nearest;
    }
    plan_passes();
    uint32_t threads = 1;
    if (!job_.options.sequential) threads = std::min(job_.options.threads, job_.tiling.bands());
    TileSchedule schedule(job_.tiling.bands(), reaches(), threads);
    MaybeError failure = connect(schedule);
    for (; failure && threads > 1; failure = connect(schedule)) {
      threads /= 2;  // fewer of them keep fewer bands
      schedule = TileSchedule(job_.tiling.bands(), reaches(), threads);
    }
    if (failure) return failure;
    while (workers_.size() < threads) workers_.push_back(std::make_unique<Worker>(job_));
    failure = Threads(job_, passes_, schedule, workers_).run();
    if (failure) return failure;
    if (!second_.empty()) image_.rgba.swap(second_);
    return std::nullopt;
  }

 private:
  void plan_passes() {
    for (size_t i = 0; i < job_.stages.size(); i++) {
      if (i == 0 || job_.halos[i] > 0) passes_.push_back({i, i, {}, {}});
      passes_.back().end = i + 1;
    }
  }

  // How many bands the halo of each pass is high.
  std::vector<uint32_t> reaches() const {
    const uint32_t band = job_.tiling.rows_per_band * kTileSide;
    std::vector<uint32_t> reaches;
    for (const Pass& pass : passes_) reaches.push_back((job_.halos[pass.first] + band - 1) / band);
    return reaches;
  }

  // Gives every pass what it reads and what it writes. A single pass with a halo cannot write where
  // it reads.
  MaybeError connect(const TileSchedule& schedule) {
    const Plane image = {image_.rgba.data(), job_.width, job_.height, job_.height, false};
    Plane from = image;
    strips_.clear();
    for (size_t i = 0; i < passes_.size(); i++) {
      Plane to = image;
      if (i + 1 < passes_.size()) {
        to.is_float = true;
        to.rows = std::min(job_.height, schedule.room(i) * job_.tiling.rows_per_band * kTileSide);
        Strip& strip = strips_.emplace_back();
        if (!strip.allocate(uint64_t{to.width} * to.rows)) return too_large(i);
        to.pixels = strip.pixels();
      } else if (i == 0 && job_.halos[0] > 0) {
        second_.resize(image_.rgba.size());
        to.pixels = second_.data();
      }
      passes_[i].from = from;
      passes_[i].to = to;
      from = to;
    }
    return std::nullopt;
  }

  MaybeError too_large(size_t pass) const {
    const std::string& path = job_.stages[passes_[pass].first].component.path;
    return HostError{HostErrorClass::Budget,
                     path + ": image of " + number_text(job_.width) + " x " +
                         number_text(job_.height) +
                         " pixels is too large for a filter with a halo behind another filter"};
  }

  Image& image_;
  Job job_;
  std::vector<Pass> passes_;
  std::vector<Strip> strips_;
  std::vector<uint8_t> second_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

MaybeError check_tile_stages(std::span<const Stage> stages) {
  for (const Stage& stage : stages) {
    if (MaybeError failure = check_sealed(stage.component)) return failure;
    if (MaybeError failure = check_tile(stage.component)) return failure;
    if (MaybeError failure = check_uniforms(stage.component, stage.uniforms)) return failure;
  }
  return std::nullopt;
}

MaybeError run_tile_block(std::span<const Stage> stages, Image& image, const RunLimits& limits,
                          const TileBlockOptions& options) {
  return Block(stages, image, limits, options).run();
}

}  // namespace qip
