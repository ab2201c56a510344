// JPEG and PNG from memory, and resampling. Errors of the libraries, which leave by longjmp, end here.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { CI_MESSAGE = 200 };

// More pixels than this are not decoded: no photograph is larger, and a lie about the size must not allocate.
enum { CI_MOST_PIXELS = 178956970 };

enum { CI_FOREIGN = 2 };

// Decodes to red, green, blue, 8 bits each, rows from the top; the kind is told by the first bytes. Gray
// becomes three equal channels, CMYK is converted (inks inverted, whatever Adobe's marker says), alpha is
// dropped, 16 bits lose their lower 8. JPEG: accurate integer transform, smooth upsampling of colours; a file
// that ends early is an error, any other warning is not.
//
// Returns 0 and memory to free with ci_free, with the decoder's first warning as the message where there
// was one; CI_FOREIGN for bytes that are no JPEG or PNG, another value for a damaged one, and then a
// message without a full stop.
int ci_decode(const uint8_t *bytes, size_t count, uint8_t **pixels, size_t *width, size_t *height,
              char *message);
void ci_free(uint8_t *pixels);

// The values of a PNG as they are written: gray or palette, 1 to 8 bits, one byte a pixel, rows from the top;
// nothing is expanded, scaled or looked up. Returns 0 and memory to free with ci_free; CI_FOREIGN for another
// kind of file or of pixels, another value for a damaged file, and then a message without a full stop.
int ci_values(const uint8_t *bytes, size_t count, uint8_t **values, size_t *width, size_t *height,
              char *message);

// A PNG of pixels [height, width, channels] with 1 (gray) or 3 channels. Returns 0 and memory to free with
// ci_free, another value and a message where memory is short.
int ci_encode(const uint8_t *pixels, size_t width, size_t height, size_t channels, uint8_t **bytes,
              size_t *count, char *message);

typedef struct {
  size_t left, top, width, height;
} ci_box;

// The part `from` of the pixels, resampled to width x height, of which `window` is computed and written: out
// [window.height, window.width, 3]. The filter is as wide as the shrinking is strong, a triangle or a cubic;
// columns before rows, each rounded to 8 bits: what the Python imaging library calls bilinear and bicubic.
// `pixels` has rows of `stride` pixels. Returns 0, or 1 where memory is short.
int ci_resample(const uint8_t *pixels, size_t stride, ci_box from, size_t width, size_t height, ci_box window,
                int is_cubic, uint8_t *out);

// planes [3, height, width] from pixels [height, width, 3], beginning at (left, top) of
// rows of `stride` pixels.
void ci_planes(const uint8_t *pixels, size_t stride, size_t left, size_t top, size_t width, size_t height,
               uint8_t *planes);

// Brightness, contrast or saturation of planes [3, count] times `factor`, as the Python imaging library's
// ImageEnhance: each byte moves from what a factor of 0 makes of it (black, the mean gray, its own gray)
// through itself, cut off at 0 and 255, without rounding.
enum { CI_BRIGHTNESS = 0, CI_CONTRAST = 1, CI_SATURATION = 2 };
void ci_enhance(uint8_t *planes, size_t count, int kind, float factor);
