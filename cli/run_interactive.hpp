// The part of `qip run` that shows an interactive component.
#pragma once

#include <optional>

#include "cli/commands.hpp"
#include "host/chain.hpp"
#include "host/error.hpp"
#include "host/image.hpp"
#include "host/pipeline.hpp"
#include "loader/result.hpp"

namespace qip {

// An option was given that only an interactive component can follow.
bool takes_frames(const Options& options);

// Writes the frames to where --frames and an output named .apng want them. Returns the last one if
// it is the output. Precondition: check_chain() found nothing, and the stage is Interactive.
Result<std::optional<Image>, HostError> run_interactive(const Options& options, const Stage& stage,
                                                        const PipelineInput& input);

}  // namespace qip
