// Stage: a component with its settings, one step of a chain.
#pragma once

#include <span>

#include "host/component.hpp"
#include "host/uniforms.hpp"

namespace qip {

struct Stage {
  Component component;
  Uniforms uniforms;
};

}  // namespace qip
