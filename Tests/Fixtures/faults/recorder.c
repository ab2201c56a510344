// Loaded first, it notes what a program does to the files below RECORD_ROOT, in the order in which it is
// done, in the file RECORD_LOG: one header line for each call, and behind it the bytes that were written.
// Tests/EndToEndTests/FaultStorePowerTests.swift reads it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *root;
static int journal = -1;

__attribute__((constructor)) static void prepare(void) {
  root = getenv("RECORD_ROOT");
  const char *path = getenv("RECORD_LOG");
  int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  if (root && path) journal = next(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int isBelow(const char *path) { return root && !strncmp(path, root, strlen(root)); }

// The absolute path that a call means; its last part is not followed where it is a link.
static int absolute(int folder, const char *path, char *out) {
  if (path[0] == '/') return snprintf(out, PATH_MAX, "%s", path), 1;
  char place[PATH_MAX];
  if (folder == AT_FDCWD) {
    if (!getcwd(place, sizeof place)) return 0;
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t count = readlink(link, place, sizeof place - 1);
    if (count < 0) return 0;
    place[count] = 0;
  }
  return snprintf(out, PATH_MAX, "%s/%s", place, path) < PATH_MAX;
}

static void put(const char *head, const void *bytes, size_t count) {
  if (journal < 0) return;
  size_t length = strlen(head);
  char *whole = malloc(length + count);
  memcpy(whole, head, length);
  if (count) memcpy(whole + length, bytes, count);
  // One call, so that records of several processes do not mix.
  if (NEXT(write)(journal, whole, length + count) < 0) abort();
  free(whole);
}

// A change of names: what, inode, path, second path.
static void named(const char *what, int folder, const char *path, int otherFolder, const char *other) {
  char one[PATH_MAX], two[PATH_MAX] = "";
  if (journal < 0 || !absolute(folder, path, one) || (other && !absolute(otherFolder, other, two))) return;
  if (!isBelow(one) && !(other && isBelow(two))) return;
  struct stat status = {0};
  lstat(other ? two : one, &status);
  char head[3 * PATH_MAX];
  snprintf(head, sizeof head, "%s\t%lu\t0\t0\t%s\t%s\n", what, (unsigned long)status.st_ino, one, two);
  put(head, 0, 0);
}

// A change of what a descriptor leads to.
static void changed(const char *what, int file, off_t offset, const void *bytes, size_t count) {
  if (journal < 0 || file == journal) return;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  int isTalk = file == 2 && !strcmp(what, "write");
  if (!isBelow(path) && !isTalk) return;
  struct stat status;
  if (fstat(file, &status)) return;
  char head[2 * PATH_MAX];
  snprintf(
    head, sizeof head, "%s\t%lu\t%ld\t%zu\t%s\t\n", isTalk ? "say" : what, (unsigned long)status.st_ino,
    (long)offset, count, path);
  put(head, bytes, count);
}

static int opened(int file, int flags, int folder, const char *path) {
  if (file < 0 || journal < 0) return file;
  if (flags & O_CREAT) named("create", folder, path, 0, 0);
  if (flags & O_TRUNC) changed("truncate", file, 0, 0, 0);
  return file;
}

#define OPEN(name)                                                   \
  int name(const char *path, int flags, ...) {                       \
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    return opened(NEXT(name)(path, flags, mode), flags, AT_FDCWD, path); \
  }
OPEN(open)
OPEN(open64)
#define OPENAT(name)                                                 \
  int name(int folder, const char *path, int flags, ...) {           \
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    return opened(NEXT(name)(folder, path, flags, mode), flags, folder, path); \
  }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *bytes, size_t count) {
  // Where it will be written: at the end for files that are appended to.
  off_t offset = 0;
  if (journal >= 0 && file != journal) {
    struct stat status;
    int flags = fcntl(file, F_GETFL);
    const int isAtEnd = flags >= 0 && (flags & O_APPEND) && !fstat(file, &status);
    offset = isAtEnd ? status.st_size : lseek(file, 0, SEEK_CUR);
  }
  ssize_t done = NEXT(write)(file, bytes, count);
  if (done > 0) changed("write", file, offset < 0 ? 0 : offset, bytes, (size_t)done);
  return done;
}
#define PWRITE(name)                                                 \
  ssize_t name(int file, const void *bytes, size_t count, off_t offset) { \
    ssize_t done = NEXT(name)(file, bytes, count, offset);           \
    if (done > 0) changed("write", file, offset, bytes, (size_t)done); \
    return done;                                                     \
  }
PWRITE(pwrite)
PWRITE(pwrite64)
#define TRUNCATE(name)                                               \
  int name(int file, off_t length) {                                 \
    int code = NEXT(name)(file, length);                             \
    if (!code) changed("truncate", file, length, 0, 0);              \
    return code;                                                     \
  }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)
int fsync(int file) {
  int code = NEXT(fsync)(file);
  if (!code) changed("sync", file, 0, 0, 0);
  return code;
}
int fdatasync(int file) {
  int code = NEXT(fdatasync)(file);
  if (!code) changed("sync", file, 0, 0, 0);
  return code;
}
int mkdir(const char *path, mode_t mode) {
  int code = NEXT(mkdir)(path, mode);
  if (!code) named("mkdir", AT_FDCWD, path, 0, 0);
  return code;
}
int rename(const char *path, const char *other) {
  int code = NEXT(rename)(path, other);
  if (!code) named("rename", AT_FDCWD, path, AT_FDCWD, other);
  return code;
}
int link(const char *path, const char *other) {
  int code = NEXT(link)(path, other);
  if (!code) named("link", AT_FDCWD, path, AT_FDCWD, other);
  return code;
}
int unlink(const char *path) {
  int code = NEXT(unlink)(path);
  if (!code) named("remove", AT_FDCWD, path, 0, 0);
  return code;
}
int unlinkat(int folder, const char *path, int flags) {
  int code = NEXT(unlinkat)(folder, path, flags);
  if (!code) named("remove", folder, path, 0, 0);
  return code;
}
int rmdir(const char *path) {
  int code = NEXT(rmdir)(path);
  if (!code) named("remove", AT_FDCWD, path, 0, 0);
  return code;
}
