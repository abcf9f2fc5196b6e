// A Gaussian blur: three box blurs of 2 * radius + 1 pixels each way, which is a standard deviation
// of sqrt(radius * (radius + 1)) pixels. Only the whole part of `radius` counts; 0 changes nothing.
// Alpha is blurred too, and colours count by it.
#include "rgba/gaussian_blur.h"
