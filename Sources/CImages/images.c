#include "images.h"
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>
#include <png.h>

static int too_large(size_t width, size_t height, char *message) {
  if (width > 0 && height > 0 && height <= CI_MOST_PIXELS / width) return 0;
  snprintf(message, CI_MESSAGE, "an image of %zu x %zu pixels", width, height);
  return 1;
}

// JPEG ------------------------------------------------------------------------------------------------------

typedef struct {
  struct jpeg_error_mgr manager;
  jmp_buf leave;
  char *message;
} jpeg_errors;

static void jpeg_fail(j_common_ptr info) {
  jpeg_errors *errors = (jpeg_errors *)info->err;
  char text[JMSG_LENGTH_MAX];
  errors->manager.format_message(info, text);
  snprintf(errors->message, CI_MESSAGE, "%s", text);
  longjmp(errors->leave, 1);
}

// A file that ends early is only warned of, and is damage. Of all other warnings the first is kept: such
// files decode, in the Python imaging library too.
static void jpeg_warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  jpeg_errors *errors = (jpeg_errors *)info->err;
  if (info->err->msg_code == JWRN_JPEG_EOF) jpeg_fail(info);
  if (*errors->message) return;
  char text[JMSG_LENGTH_MAX];
  errors->manager.format_message(info, text);
  snprintf(errors->message, CI_MESSAGE, "%s", text);
}

static int decode_jpeg(const uint8_t *bytes, size_t count, uint8_t **pixels, size_t *width, size_t *height,
                       char *message) {
  struct jpeg_decompress_struct info;
  jpeg_errors errors;
  uint8_t *volatile made = NULL;
  uint8_t *volatile row = NULL;
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = jpeg_fail;
  errors.manager.emit_message = jpeg_warn;
  errors.message = message;
  if (setjmp(errors.leave)) {
    jpeg_destroy_decompress(&info);
    free(made);
    free(row);
    return 1;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, bytes, count);
  jpeg_read_header(&info, TRUE);
  if (too_large(info.image_width, info.image_height, message)) {
    jpeg_destroy_decompress(&info);
    return 1;
  }
  const int is_cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  info.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&info);
  const size_t w = info.output_width, h = info.output_height;
  made = malloc(w * h * 3);
  if (is_cmyk) row = malloc(w * 4);
  if (!made || (is_cmyk && !row)) {
    snprintf(message, CI_MESSAGE, "no memory for %zu x %zu pixels", w, h);
    longjmp(errors.leave, 1);
  }
  while (info.output_scanline < h) {
    uint8_t *to = made + (size_t)info.output_scanline * w * 3;
    JSAMPROW target = is_cmyk ? row : to;
    jpeg_read_scanlines(&info, &target, 1);
    if (!is_cmyk) continue;
    for (size_t x = 0; x < w; x++) {
      // Inks are stored inverted: 255 is none. Adobe's marker says so, and files
      // without it mostly do the same.
      int ink[4];
      for (int c = 0; c < 4; c++) ink[c] = 255 - row[x * 4 + c];
      const int light = 255 - ink[3];
      for (int c = 0; c < 3; c++) {
        const int product = ink[c] * light + 128, value = light - ((product + (product >> 8)) >> 8);
        to[x * 3 + c] = (uint8_t)(value < 0 ? 0 : value);
      }
    }
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  free(row);
  *pixels = made;
  *width = w;
  *height = h;
  return 0;
}

// PNG -------------------------------------------------------------------------------------------------------

typedef struct {
  const uint8_t *bytes;
  size_t left;
} png_input;

static void png_take(png_structp png, png_bytep to, size_t count) {
  png_input *input = png_get_io_ptr(png);
  if (count > input->left) png_error(png, "the file ends early");
  memcpy(to, input->bytes, count);
  input->bytes += count;
  input->left -= count;
}

static void png_fail(png_structp png, png_const_charp text) {
  snprintf((char *)png_get_error_ptr(png), CI_MESSAGE, "%s", text);
  png_longjmp(png, 1);
}

// Of warnings only wrong checksums are kept: libpng warns of harmless colour profiles too.
static void png_note(png_structp png, png_const_charp text) {
  char *message = png_get_error_ptr(png);
  if (!*message && strstr(text, "CRC")) snprintf(message, CI_MESSAGE, "%s", text);
}

// Of a header that has been read.
static size_t big_endian(const uint8_t *bytes) {
  return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}
static size_t png_known_width(const uint8_t *bytes) { return big_endian(bytes + 16); }
static size_t png_known_height(const uint8_t *bytes) { return big_endian(bytes + 20); }

static int decode_png(const uint8_t *bytes, size_t count, uint8_t **pixels, size_t *width, size_t *height,
                      char *message) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, png_fail, png_note);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  uint8_t *volatile made = NULL;
  png_bytep *volatile rows = NULL;
  png_input input = {bytes, count};
  volatile int is_whole = 0;
  if (!info) {
    if (png) png_destroy_read_struct(&png, NULL, NULL);
    snprintf(message, CI_MESSAGE, "no memory");
    return 1;
  }
  const int left = setjmp(png_jmpbuf(png));
  if (left && !is_whole) {
    png_destroy_read_struct(&png, &info, NULL);
    free(made);
    free(rows);
    return 1;
  }
  // All pixels were there, and what follows them is damaged or missing: the message is a warning.
  if (left) {
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    *pixels = made;
    *width = png_known_width(bytes);
    *height = png_known_height(bytes);
    return 0;
  }
  // A wrong checksum is noted and no error, as in the Python imaging library.
  png_set_crc_action(png, PNG_CRC_WARN_USE, PNG_CRC_WARN_DISCARD);
  png_set_read_fn(png, &input, png_take);
  png_read_info(png, info);
  const size_t w = png_get_image_width(png, info), h = png_get_image_height(png, info);
  if (too_large(w, h, message)) png_longjmp(png, 1);
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != w * 3) png_error(png, "an unusual kind of pixels");
  made = malloc(w * h * 3);
  rows = malloc(h * sizeof(png_bytep));
  if (!made || !rows) png_error(png, "no memory");
  for (size_t y = 0; y < h; y++) rows[y] = made + y * w * 3;
  png_read_image(png, rows);
  is_whole = 1;
  png_read_end(png, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  *pixels = made;
  *width = w;
  *height = h;
  return 0;
}

// A label map is data: a wrong checksum is damage here.
static int decode_values(const uint8_t *bytes, size_t count, uint8_t **values, size_t *width, size_t *height,
                         char *message) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, png_fail, png_note);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  uint8_t *volatile made = NULL;
  png_bytep *volatile rows = NULL;
  volatile int status = 1;
  png_input input = {bytes, count};
  if (!info) {
    if (png) png_destroy_read_struct(&png, NULL, NULL);
    snprintf(message, CI_MESSAGE, "no memory");
    return 1;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    free(made);
    free(rows);
    return status;
  }
  png_set_read_fn(png, &input, png_take);
  png_read_info(png, info);
  const size_t w = png_get_image_width(png, info), h = png_get_image_height(png, info);
  if (too_large(w, h, message)) png_longjmp(png, 1);
  const int kind = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
  if ((kind != PNG_COLOR_TYPE_GRAY && kind != PNG_COLOR_TYPE_PALETTE) || depth > 8) {
    static const char *const names[] = {
        "gray", "", "RGB", "palette", "gray with alpha", "", "RGB with alpha"};
    status = CI_FOREIGN;
    snprintf(message, CI_MESSAGE, "%s pixels of %d bits", kind >= 0 && kind <= 6 ? names[kind] : "unusual",
             depth);
    png_longjmp(png, 1);
  }
  png_set_packing(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != w) png_error(png, "an unusual kind of pixels");
  made = malloc(w * h);
  rows = malloc(h * sizeof(png_bytep));
  if (!made || !rows) png_error(png, "no memory");
  for (size_t y = 0; y < h; y++) rows[y] = made + y * w;
  png_read_image(png, rows);
  png_read_end(png, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  *values = made;
  *width = w;
  *height = h;
  return 0;
}

typedef struct {
  uint8_t *bytes;
  size_t count, room;
} png_output;

static void png_put(png_structp png, png_bytep from, size_t count) {
  png_output *output = png_get_io_ptr(png);
  if (output->room - output->count < count) {
    const size_t room = 2 * output->room + count;
    uint8_t *more = realloc(output->bytes, room);
    if (!more) png_error(png, "no memory");
    output->bytes = more;
    output->room = room;
  }
  memcpy(output->bytes + output->count, from, count);
  output->count += count;
}

static void png_flush_nothing(png_structp png) { (void)png; }

int ci_encode(const uint8_t *pixels, size_t width, size_t height, size_t channels, uint8_t **bytes,
              size_t *count, char *message) {
  *message = 0;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, png_fail, png_note);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  png_output output = {NULL, 0, 0};
  if (!info) {
    if (png) png_destroy_write_struct(&png, NULL);
    snprintf(message, CI_MESSAGE, "no memory");
    return 1;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    free(output.bytes);
    return 1;
  }
  png_set_write_fn(png, &output, png_put, png_flush_nothing);
  png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8,
               channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (size_t y = 0; y < height; y++) png_write_row(png, pixels + y * width * channels);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  *bytes = output.bytes;
  *count = output.count;
  return 0;
}

// Both ------------------------------------------------------------------------------------------------------

static const char *foreign(const uint8_t *bytes, size_t count) {
  if (count >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4))
    return "WebP, which is not read here";
  if (count >= 6 && !memcmp(bytes, "GIF8", 4)) return "GIF, which is not read here";
  if (count >= 2 && !memcmp(bytes, "BM", 2)) return "BMP, which is not read here";
  if (count >= 4 && (!memcmp(bytes, "II*\0", 4) || !memcmp(bytes, "MM\0*", 4)))
    return "TIFF, which is not read here";
  if (count >= 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6')
    return "PNM, which is not read here";
  return count == 0 ? "an empty file" : "no image that is known";
}

int ci_decode(const uint8_t *bytes, size_t count, uint8_t **pixels, size_t *width, size_t *height,
              char *message) {
  static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  *message = 0;
  if (count >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF)
    return decode_jpeg(bytes, count, pixels, width, height, message);
  if (count >= 8 && !memcmp(bytes, png, 8)) return decode_png(bytes, count, pixels, width, height, message);
  snprintf(message, CI_MESSAGE, "%s", foreign(bytes, count));
  return CI_FOREIGN;
}

int ci_values(const uint8_t *bytes, size_t count, uint8_t **values, size_t *width, size_t *height,
              char *message) {
  static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  *message = 0;
  if (count >= 8 && !memcmp(bytes, png, 8))
    return decode_values(bytes, count, values, width, height, message);
  const int is_jpeg = count >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
  snprintf(message, CI_MESSAGE, "%s", is_jpeg ? "JPEG, whose values are not exact" : foreign(bytes, count));
  return CI_FOREIGN;
}

void ci_free(uint8_t *pixels) { free(pixels); }

// Resampling ------------------------------------------------------------------------------------------------

enum { FRACTION = 22 };

// Keys' cubic with a = -1/2.
static double cubic(double x) {
  x = fabs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
  return 0;
}

// How much each input position counts for some output positions.
typedef struct {
  // Of each output position: the first input position, and how many follow.
  size_t *first, *count;
  // `most` a position, in 2^-22.
  int32_t *share;
  size_t most;
} shares;

static void release(shares *s) {
  free(s->first);
  free(s->count);
  free(s->share);
}

// Of the output positions [from, from + number) of `out` for `in` input positions. Returns
// 0 where memory is short.
static int weigh(shares *s, size_t in, size_t out, size_t from, size_t number, int is_cubic) {
  const double scale = (double)in / (double)out, stretch = scale < 1 ? 1 : scale;
  const double reach = is_cubic ? 2 * stretch : stretch;
  s->most = (size_t)ceil(reach) * 2 + 1;
  s->share = calloc(number * s->most, sizeof(int32_t));
  s->first = malloc(number * sizeof(size_t));
  s->count = malloc(number * sizeof(size_t));
  double *weight = malloc(s->most * sizeof(double));
  if (!s->share || !weight || !s->first || !s->count) {
    free(weight);
    return 0;
  }
  for (size_t o = 0; o < number; o++) {
    const double centre = ((double)(from + o) + 0.5) * scale;
    long low = (long)(centre - reach + 0.5), high = (long)(centre + reach + 0.5);
    if (low < 0) low = 0;
    if (high > (long)in) high = (long)in;
    double total = 0;
    for (long i = low; i < high; i++) {
      const double distance = fabs(((double)i - centre + 0.5) / stretch);
      weight[i - low] = is_cubic ? cubic(distance) : distance < 1 ? 1 - distance : 0;
      total += weight[i - low];
    }
    s->first[o] = (size_t)low;
    s->count[o] = (size_t)(high - low);
    for (long i = 0; i < high - low; i++) {
      const double part = (total != 0 ? weight[i] / total : 0) * (1 << FRACTION);
      s->share[o * s->most + (size_t)i] = (int32_t)(part < 0 ? part - 0.5 : part + 0.5);
    }
  }
  free(weight);
  return 1;
}

static uint8_t clipped(int64_t sum) {
  const int64_t value = sum >> FRACTION;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

int ci_resample(const uint8_t *pixels, size_t stride, ci_box from, size_t width, size_t height, ci_box window,
                int is_cubic, uint8_t *out) {
  shares x_shares = {0}, y_shares = {0};
  uint8_t *middle = NULL;
  int is_short = !weigh(&x_shares, from.width, width, window.left, window.width, is_cubic) ||
                 !weigh(&y_shares, from.height, height, window.top, window.height, is_cubic);
  // Rows of the input that the window needs: those of its first output row up to those of its last.
  size_t first_row = 0, rows = 0;
  if (!is_short) {
    first_row = y_shares.first[0];
    rows = y_shares.first[window.height - 1] + y_shares.count[window.height - 1] - first_row;
    middle = malloc(window.width * rows * 3);
    is_short = !middle;
  }
  if (!is_short) {
    for (size_t y = 0; y < rows; y++) {
      const uint8_t *row = pixels + ((from.top + first_row + y) * stride + from.left) * 3;
      for (size_t x = 0; x < window.width; x++)
        for (size_t c = 0; c < 3; c++) {
          const int32_t *share = x_shares.share + x * x_shares.most;
          int64_t sum = 1 << (FRACTION - 1);
          for (size_t i = 0; i < x_shares.count[x]; i++)
            sum += (int64_t)row[(x_shares.first[x] + i) * 3 + c] * share[i];
          middle[(y * window.width + x) * 3 + c] = clipped(sum);
        }
    }
    const size_t line = window.width * 3;
    for (size_t y = 0; y < window.height; y++)
      for (size_t x = 0; x < line; x++) {
        const int32_t *share = y_shares.share + y * y_shares.most;
        int64_t sum = 1 << (FRACTION - 1);
        for (size_t i = 0; i < y_shares.count[y]; i++)
          sum += (int64_t)middle[(y_shares.first[y] - first_row + i) * line + x] * share[i];
        out[y * line + x] = clipped(sum);
      }
  }
  free(middle);
  release(&x_shares);
  release(&y_shares);
  return is_short;
}

void ci_planes(const uint8_t *pixels, size_t stride, size_t left, size_t top, size_t width, size_t height,
               uint8_t *planes) {
  for (size_t c = 0; c < 3; c++)
    for (size_t y = 0; y < height; y++)
      for (size_t x = 0; x < width; x++) *planes++ = pixels[((top + y) * stride + left + x) * 3 + c];
}

// BT.601 in integers.
static uint8_t gray(const uint8_t *planes, size_t count, size_t i) {
  const uint32_t sum = planes[i] * 19595u + planes[count + i] * 38470u + planes[2 * count + i] * 7471u;
  return (uint8_t)((sum + 0x8000u) >> 16);
}

static uint8_t moved(uint8_t from, uint8_t value, float factor) {
  const float sum = (float)from + factor * (float)(value - from);
  return (uint8_t)(sum <= 0 ? 0 : sum >= 255 ? 255 : sum);
}

void ci_enhance(uint8_t *planes, size_t count, int kind, float factor) {
  uint8_t level = 0;
  if (kind == CI_CONTRAST && count > 0) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += gray(planes, count, i);
    level = (uint8_t)((double)sum / (double)count + 0.5);
  }
  for (size_t i = 0; i < count; i++) {
    const uint8_t from = kind == CI_SATURATION ? gray(planes, count, i) : level;
    for (size_t c = 0; c < 3; c++) planes[c * count + i] = moved(from, planes[c * count + i], factor);
  }
}
