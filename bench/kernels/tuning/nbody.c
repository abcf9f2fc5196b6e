// A gravitating cluster of bodies in f64: pairwise softened attraction, leapfrog steps.
// Measures: f64 multiply, add, divide and square root on structures in memory.
#include "../kernel.h"

enum { kBodies = 8, kSteps = 24000 };

struct Body {
  double x, y, z;
  double vx, vy, vz;
  double mass;
};
static struct Body bodies[kBodies];

static const double kStep = 0.001;
static const double kSoftening = 0.01;  // keeps close encounters finite

static double random_unit(u32* random) {  // in [-1, 1)
  return (double)(i32)next_random(random) / 2147483648.0;
}

static void place_bodies(void) {
  u32 random = 0xCAFE1234u;
  for (struct Body* b = bodies; b < bodies + kBodies; b++) {
    b->x = random_unit(&random) * 4;
    b->y = random_unit(&random) * 4;
    b->z = random_unit(&random) * 4;
    b->vx = random_unit(&random) / 2;
    b->vy = random_unit(&random) / 2;
    b->vz = random_unit(&random) / 2;
    b->mass = 1.5 + random_unit(&random);
  }
}

static void advance(double step) {
  for (struct Body* a = bodies; a < bodies + kBodies; a++) {
    for (struct Body* b = a + 1; b < bodies + kBodies; b++) {
      double dx = a->x - b->x;
      double dy = a->y - b->y;
      double dz = a->z - b->z;
      double distance2 = dx * dx + dy * dy + dz * dz + kSoftening;
      double pull = step / (distance2 * __builtin_sqrt(distance2));
      double pull_a = b->mass * pull;
      double pull_b = a->mass * pull;
      a->vx -= dx * pull_a;
      a->vy -= dy * pull_a;
      a->vz -= dz * pull_a;
      b->vx += dx * pull_b;
      b->vy += dy * pull_b;
      b->vz += dz * pull_b;
    }
  }
  for (struct Body* b = bodies; b < bodies + kBodies; b++) {
    b->x += b->vx * step;
    b->y += b->vy * step;
    b->z += b->vz * step;
  }
}

static double energy(void) {
  double sum = 0;
  for (const struct Body* a = bodies; a < bodies + kBodies; a++) {
    sum += a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz) / 2;
    for (const struct Body* b = a + 1; b < bodies + kBodies; b++) {
      double dx = a->x - b->x;
      double dy = a->y - b->y;
      double dz = a->z - b->z;
      sum -= a->mass * b->mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz + kSoftening);
    }
  }
  return sum;
}

i32 bench(i32 rounds) {
  u32 checksum = 0;
  place_bodies();
  for (i32 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < kSteps; i++) advance(kStep);
    union {
      double number;
      u64 bits;
    } result = {energy()};
    checksum = mix(mix(checksum, (u32)result.bits), (u32)(result.bits >> 32));
  }
  return (i32)checksum;
}
