// A repeatable stream of random choices: the same seed gives the same program everywhere.
'use strict';

// Source: mulberry32, public domain.
class Random {
  constructor(seed) { this.state = (seed ^ 0x9E3779B9) >>> 0; }
  word() {
    this.state = (this.state + 0x6D2B79F5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  below(n) { return this.word() % n; }
  chance(percent) { return this.below(100) < percent; }
  pick(list) { return list[this.below(list.length)]; }
  // The index of one of the weights, with that probability.
  weighted(weights) {
    let at = this.below(weights.reduce((a, b) => a + b, 0));
    for (let i = 0; ; ++i) {
      if (at < weights[i]) return i;
      at -= weights[i];
    }
  }
  bits(count) {
    let value = 0n;
    for (let i = 0; i < count; i += 32) value = (value << 32n) | BigInt(this.word());
    return BigInt.asUintN(count, value);
  }
}

module.exports = {Random};
