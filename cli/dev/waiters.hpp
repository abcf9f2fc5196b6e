// What a request may wait for in another thread. Each is told once; telling is the last use of it
// by the thread that tells.
#pragma once

#include <memory>

#include "host/site/response.hpp"

namespace qip {

struct MadeResponse {
  SharedResponse response;  // never null
  ResponseTrace trace;
};

class ResponseWaiter {
 public:
  virtual void on_response(std::shared_ptr<const MadeResponse> made) = 0;

 protected:
  ~ResponseWaiter() = default;
};

class FreshnessWaiter {
 public:
  // Every edit from before it began to wait has been taken in, as far as it could be.
  virtual void on_fresh() = 0;

 protected:
  ~FreshnessWaiter() = default;
};

}  // namespace qip
