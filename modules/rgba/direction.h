// The sine and cosine of an angle, the same on every machine: only additions, multiplications and
// roundings of 64-bit floats.
//
// Promises: within 1e-11 of the true values for angles to a billion degrees; exact at multiples of
// 90 degrees. Assumes that is_angle() allowed the angle, be it degrees or radians.
#pragma once

#include "component.h"

typedef struct {
  double sine, cosine;
} Direction;

static inline bool is_angle(float angle) {
  return angle >= -1e7f && angle <= 1e7f;  // false for NaN
}

static Direction direction_of_degrees(double degrees) {
  const double quarter = __builtin_rint(degrees / 90.0);
  // At most 45 degrees, as radians: the Taylor series is good to the last digits that matter.
  const double x = (degrees - quarter * 90.0) * 0.017453292519943295;
  const double xx = x * x;
  const double sine =
      x * (1 - xx / 6 * (1 - xx / 20 * (1 - xx / 42 * (1 - xx / 72 * (1 - xx / 110)))));
  const double cosine =
      1 - xx / 2 * (1 - xx / 12 * (1 - xx / 30 * (1 - xx / 56 * (1 - xx / 90 * (1 - xx / 132)))));
  switch ((int64_t)quarter & 3) {
    case 0:
      return (Direction){sine, cosine};
    case 1:
      return (Direction){cosine, -sine};
    case 2:
      return (Direction){-sine, -cosine};
    default:
      return (Direction){-cosine, sine};
  }
}
