#include "jpeg.h"
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

void jpeg_encode(const uint8_t *rgb, size_t width, size_t height, int quality, uint8_t **bytes,
                 size_t *count) {
  struct jpeg_compress_struct info;
  struct jpeg_error_mgr errors;
  unsigned long size = 0;
  *bytes = NULL;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, bytes, &size);
  info.image_width = (JDIMENSION)width;
  info.image_height = (JDIMENSION)height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < height) {
    JSAMPROW row = (JSAMPROW)(rgb + (size_t)info.next_scanline * width * 3);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  *count = size;
}

void jpeg_free(uint8_t *bytes) { free(bytes); }
