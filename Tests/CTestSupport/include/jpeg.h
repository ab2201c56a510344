// JPEG files for tests.
#pragma once
#include <stddef.h>
#include <stdint.h>

void jpeg_encode(const uint8_t *rgb, size_t width, size_t height, int quality, uint8_t **bytes,
                 size_t *count);
void jpeg_free(uint8_t *bytes);
