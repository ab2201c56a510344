#include "images.h"
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

static int too_large(size_t width, size_t height, char *message) {
  if (width > 0 && height > 0 && height <= CI_MOST_PIXELS / width) return 0;
  snprintf(message, CI_MESSAGE, "an image of %zu x %zu pixels", width, height);
  return 1;
}

// JPEG ------------------------------------------------------------------------------------------------------------------------------------

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

// A warning is damage: a file that ends early is only warned of.
static void jpeg_warn(j_common_ptr info, int level) {
  if (level < 0) jpeg_fail(info);
}

static int decode_jpeg(const uint8_t *bytes, size_t count, uint8_t **pixels, size_t *width, size_t *height, char *message) {
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
      // Adobe stores the inks inverted: 255 is none.
      const int inverted = info.saw_Adobe_marker;
      int ink[4];
      for (int c = 0; c < 4; c++) ink[c] = inverted ? 255 - row[x * 4 + c] : row[x * 4 + c];
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

// PNG -------------------------------------------------------------------------------------------------------------------------------------

typedef struct {
  const uint8_t *bytes;
  size_t left;
  char *message;
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

static void png_ignore(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static int decode_png(const uint8_t *bytes, size_t count, uint8_t **pixels, size_t *width, size_t *height, char *message) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, png_fail, png_ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  uint8_t *volatile made = NULL;
  png_bytep *volatile rows = NULL;
  png_input input = {bytes, count, message};
  if (!info) {
    if (png) png_destroy_read_struct(&png, NULL, NULL);
    snprintf(message, CI_MESSAGE, "no memory");
    return 1;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    free(made);
    free(rows);
    return 1;
  }
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
  png_read_end(png, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  *pixels = made;
  *width = w;
  *height = h;
  return 0;
}

// Both ------------------------------------------------------------------------------------------------------------------------------------

static const char *foreign(const uint8_t *bytes, size_t count) {
  if (count >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4)) return "WebP, which is not read here";
  if (count >= 6 && !memcmp(bytes, "GIF8", 4)) return "GIF, which is not read here";
  if (count >= 2 && !memcmp(bytes, "BM", 2)) return "BMP, which is not read here";
  if (count >= 4 && (!memcmp(bytes, "II*\0", 4) || !memcmp(bytes, "MM\0*", 4))) return "TIFF, which is not read here";
  if (count >= 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6') return "PNM, which is not read here";
  return count == 0 ? "an empty file" : "no image that is known";
}

int ci_decode(const uint8_t *bytes, size_t count, uint8_t **pixels, size_t *width, size_t *height, char *message) {
  static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  *message = 0;
  if (count >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF)
    return decode_jpeg(bytes, count, pixels, width, height, message);
  if (count >= 8 && !memcmp(bytes, png, 8)) return decode_png(bytes, count, pixels, width, height, message);
  snprintf(message, CI_MESSAGE, "%s", foreign(bytes, count));
  return 1;
}

void ci_free(uint8_t *pixels) { free(pixels); }

// Resampling ------------------------------------------------------------------------------------------------------------------------------

enum { FRACTION = 22 };

// Of each output position: the first input position and the shares of as many as `*most`, in 2^-22.
static int32_t *shares(size_t in, size_t out, size_t **first, size_t **count, size_t *most) {
  const double scale = (double)in / (double)out, reach = scale < 1 ? 1 : scale;
  *most = (size_t)ceil(reach) * 2 + 1;
  int32_t *share = calloc(out * *most, sizeof(int32_t));
  double *weight = malloc(*most * sizeof(double));
  *first = malloc(out * sizeof(size_t));
  *count = malloc(out * sizeof(size_t));
  if (!share || !weight || !*first || !*count) {
    free(share);
    free(weight);
    free(*first);
    free(*count);
    return NULL;
  }
  for (size_t o = 0; o < out; o++) {
    const double centre = ((double)o + 0.5) * scale;
    long low = (long)(centre - reach + 0.5), high = (long)(centre + reach + 0.5);
    if (low < 0) low = 0;
    if (high > (long)in) high = (long)in;
    double total = 0;
    for (long i = low; i < high; i++) {
      const double distance = fabs(((double)i - centre + 0.5) / reach);
      weight[i - low] = distance < 1 ? 1 - distance : 0;
      total += weight[i - low];
    }
    (*first)[o] = (size_t)low;
    (*count)[o] = (size_t)(high - low);
    for (long i = 0; i < high - low; i++)
      share[o * *most + (size_t)i] = (int32_t)(0.5 + (total != 0 ? weight[i] / total : 0) * (1 << FRACTION));
  }
  free(weight);
  return share;
}

static uint8_t clipped(int64_t sum) {
  const int64_t value = sum >> FRACTION;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

int ci_resample(const uint8_t *pixels, size_t stride, size_t left, size_t top, size_t width, size_t height, uint8_t *out,
                size_t out_width, size_t out_height) {
  size_t *first_x = NULL, *count_x = NULL, *first_y = NULL, *count_y = NULL, most_x, most_y;
  int32_t *share_x = shares(width, out_width, &first_x, &count_x, &most_x);
  int32_t *share_y = share_x ? shares(height, out_height, &first_y, &count_y, &most_y) : NULL;
  uint8_t *middle = malloc(out_width * height * 3);
  const int isShort = !share_x || !share_y || !middle;
  if (!isShort) {
    for (size_t y = 0; y < height; y++) {
      const uint8_t *row = pixels + ((top + y) * stride + left) * 3;
      for (size_t x = 0; x < out_width; x++)
        for (size_t c = 0; c < 3; c++) {
          int64_t sum = 1 << (FRACTION - 1);
          for (size_t i = 0; i < count_x[x]; i++) sum += (int64_t)row[(first_x[x] + i) * 3 + c] * share_x[x * most_x + i];
          middle[(y * out_width + x) * 3 + c] = clipped(sum);
        }
    }
    const size_t line = out_width * 3;
    for (size_t y = 0; y < out_height; y++)
      for (size_t x = 0; x < line; x++) {
        int64_t sum = 1 << (FRACTION - 1);
        for (size_t i = 0; i < count_y[y]; i++) sum += (int64_t)middle[(first_y[y] + i) * line + x] * share_y[y * most_y + i];
        out[y * line + x] = clipped(sum);
      }
  }
  free(middle);
  if (share_y) {
    free(share_y);
    free(first_y);
    free(count_y);
  }
  if (share_x) {
    free(share_x);
    free(first_x);
    free(count_x);
  }
  return isShort;
}

void ci_planes(const uint8_t *pixels, size_t stride, size_t left, size_t top, size_t width, size_t height, uint8_t *planes) {
  for (size_t c = 0; c < 3; c++)
    for (size_t y = 0; y < height; y++)
      for (size_t x = 0; x < width; x++) *planes++ = pixels[((top + y) * stride + left + x) * 3 + c];
}

// BT.601 in integers.
static uint8_t gray(const uint8_t *planes, size_t count, size_t i) {
  return (uint8_t)((planes[i] * 19595u + planes[count + i] * 38470u + planes[2 * count + i] * 7471u + 0x8000u) >> 16);
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
