// A library to preload: makes the n-th call of a kind fail that is about a file of a store,
// whichever process makes it.
//
//   FAULT_COUNTER  a file of 8 bytes that all processes share: how many calls of the kind there were
//   FAULT_KIND     open, write, fsync, rename, fork or flock
//   FAULT_N        which call fails, from 1; 0 only counts
//   FAULT_ERRNO    with which number
//   FAULT_PATH     what the name of the file has to have in it

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_long *counter = 0;
static const char *kind = "", *part = "";
static long wanted = 0;
static int code = EIO;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_COUNTER");
  if (!path || !getenv("FAULT_KIND")) return;
  int (*plain)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
  int file = plain(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *place = mmap(0, sizeof(atomic_long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (place == MAP_FAILED) return;
  kind = getenv("FAULT_KIND");
  part = getenv("FAULT_PATH") ? getenv("FAULT_PATH") : "";
  wanted = atol(getenv("FAULT_N") ? getenv("FAULT_N") : "0");
  code = atoi(getenv("FAULT_ERRNO") ? getenv("FAULT_ERRNO") : "5");
  counter = place;
}

// Whether this call is the one that fails.
static int fails(const char *what, const char *path) {
  if (!counter || strcmp(kind, what) != 0 || !path || !strstr(path, part)) return 0;
  if (atomic_fetch_add(counter, 1) + 1 != wanted) return 0;
  errno = code;
  return 1;
}

static int fails_file(const char *what, int file) {
  if (!counter || strcmp(kind, what) != 0) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fails(what, path);
}

// The function of that name that this one stands before.
#define NEXT(name) static __typeof__(&name) next; if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define MODE(flags) mode_t mode = 0; \
  if ((flags) & (O_CREAT | __O_TMPFILE)) { \
    va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); \
  }

int open(const char *path, int flags, ...) {
  NEXT(open); MODE(flags); return fails("open", path) ? -1 : next(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  NEXT(open64); MODE(flags); return fails("open", path) ? -1 : next(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
  NEXT(openat); MODE(flags); return fails("open", path) ? -1 : next(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
  NEXT(openat64); MODE(flags); return fails("open", path) ? -1 : next(folder, path, flags, mode);
}
ssize_t write(int file, const void *bytes, size_t count) {
  NEXT(write); return fails_file("write", file) ? -1 : next(file, bytes, count);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t place) {
  NEXT(pwrite); return fails_file("write", file) ? -1 : next(file, bytes, count, place);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t place) {
  NEXT(pwrite64); return fails_file("write", file) ? -1 : next(file, bytes, count, place);
}
int fsync(int file) { NEXT(fsync); return fails_file("fsync", file) ? -1 : next(file); }
int fdatasync(int file) { NEXT(fdatasync); return fails_file("fsync", file) ? -1 : next(file); }
int rename(const char *from, const char *to) {
  NEXT(rename); return fails("rename", to) ? -1 : next(from, to);
}
int flock(int file, int operation) {
  NEXT(flock); return fails_file("flock", file) ? -1 : next(file, operation);
}
int posix_spawnp(
  pid_t *number, const char *file, const posix_spawn_file_actions_t *actions,
  const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
  NEXT(posix_spawnp);
  return fails("fork", part) ? code : next(number, file, actions, attributes, arguments, environment);
}
