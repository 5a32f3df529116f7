/* Delays every read of a process, as a parallel file system does: LD_PRELOAD=slow.so SLOW_READ_NS=1000000.
   SLOW_READ_FILES=1 leaves out pipes and the like, which are on no file system. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void delay(int file) {
  static long nanoseconds = -1;
  static int files_only = 0;
  if (nanoseconds < 0) {
    const char *given = getenv("SLOW_READ_NS");
    files_only = getenv("SLOW_READ_FILES") != NULL;
    nanoseconds = given ? atol(given) : 0;
  }
  if (nanoseconds == 0) return;
  struct stat status;
  if (files_only && (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))) return;
  struct timespec pause = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  nanosleep(&pause, NULL);
}

#define NEXT(name) \
  static __typeof__(&name) next; \
  if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t read(int file, void *into, size_t size) {
  NEXT(read);
  delay(file);
  return next(file, into, size);
}

ssize_t pread(int file, void *into, size_t size, off_t at) {
  NEXT(pread);
  delay(file);
  return next(file, into, size, at);
}

ssize_t pread64(int file, void *into, size_t size, off64_t at) {
  NEXT(pread64);
  delay(file);
  return next(file, into, size, at);
}

ssize_t readv(int file, const struct iovec *into, int count) {
  NEXT(readv);
  delay(file);
  return next(file, into, count);
}

ssize_t preadv(int file, const struct iovec *into, int count, off_t at) {
  NEXT(preadv);
  delay(file);
  return next(file, into, count, at);
}
