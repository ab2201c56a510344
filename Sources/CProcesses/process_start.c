#define _GNU_SOURCE
#include "process_start.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int argument_count = 0;
static char **arguments = 0;
static unsigned long ignored = 0;
static bool keeps = false;
static int niceness = 0;
static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
enum { ending_count = sizeof endings / sizeof endings[0] };

static bool is_ignored(int number) {
  struct sigaction action;
  return sigaction(number, 0, &action) == 0 && !(action.sa_flags & SA_SIGINFO) &&
         action.sa_handler == SIG_IGN;
}

// Signals that have come and that nobody has taken, by their numbers, and how many these are in all.
static atomic_int waiting[64];
static sem_t arrivals;

static void arrived(int number) {
  int code = errno;
  atomic_fetch_add(&waiting[number], 1);
  sem_post(&arrivals);
  errno = code;
}

// The C library passes the arguments to what runs before `main`. Swift's `CommandLine` looks for them
// below the environment on the stack, where they are not found once a preloaded library has moved the
// environment to the heap.
static void begin(int count, char **values, char **environment) {
  (void)environment;
  argument_count = count;
  arguments = values;
  niceness = getpriority(PRIO_PROCESS, 0);
  // A descriptor that is closed would be given to the next file that is opened, and what is
  // said goes into that file.
  for (int file = 0; file <= 2; file++)
    if (fcntl(file, F_GETFD) < 0 && errno == EBADF) (void)open("/dev/null", file == 0 ? O_RDONLY : O_WRONLY);
  for (int i = 0; i < ending_count; i++)
    if (is_ignored(endings[i])) ignored |= 1ul << endings[i];
  // Whoever writes is told by the error of the call.
  signal(SIGPIPE, SIG_IGN);
  // With this one ignored, nobody could wait for a process of its own.
  signal(SIGCHLD, SIG_DFL);
  // Inherited from a process that held them back, nobody could end this one.
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < ending_count; i++) sigaddset(&set, endings[i]);
  if (count > 1 && (strcmp(values[1], "run") == 0 || strcmp(values[1], "worker") == 0)) {
    keeps = true;
    sem_init(&arrivals, 0, 0);
    struct sigaction action = {.sa_handler = arrived, .sa_flags = SA_RESTART};
    for (int i = 0; i < ending_count; i++)
      if (!process_began_ignoring(endings[i])) sigaction(endings[i], &action, 0);
  }
  sigprocmask(SIG_UNBLOCK, &set, 0);
}

// Before the constructors of all libraries: they take milliseconds in which a signal would end the process.
__attribute__((section(".preinit_array"), used))
static void (*const beginning)(int, char **, char **) = begin;

int process_argument_count(void) { return argument_count; }

const char *process_argument(int place) { return arguments[place]; }

bool process_began_ignoring(int number) { return number > 0 && number < 64 && (ignored >> number & 1); }

int process_began_with_niceness(void) { return niceness; }

bool process_keeps_signals(void) { return keeps; }

int process_take_signal(void) {
  while (true) {
    while (sem_wait(&arrivals) != 0) continue;
    for (int number = 1; number < 64; number++) {
      int count = atomic_load(&waiting[number]);
      if (count > 0 && atomic_compare_exchange_strong(&waiting[number], &count, count - 1)) return number;
    }
  }
}

bool process_was_signalled(int number) {
  return number > 0 && number < 64 && atomic_load(&waiting[number]) > 0;
}

int process_spawn(
  pid_t *number, const char *executable, char *const values[], char *const environment[], const char *folder,
  const int streams[3], bool leads_group) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int code = posix_spawn_file_actions_init(&actions);
  if (code) return code;
  code = posix_spawnattr_init(&attributes);
  if (code) {
    posix_spawn_file_actions_destroy(&actions);
    return code;
  }
  for (int place = 0; !code && place < 3; place++)
    code = posix_spawn_file_actions_adddup2(&actions, streams[place], place);
  if (!code) code = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (!code && folder) code = posix_spawn_file_actions_addchdir_np(&actions, folder);
  sigset_t set;
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  sigaddset(&set, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(
    &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (leads_group ? POSIX_SPAWN_SETPGROUP : 0));
  // Niceness is a thread's here, and a process inherits that of the thread that starts it. For
  // root, the dispatch library gives its threads priorities of its own; what the caller asked for
  // is what the process began with.
  int own = getpriority(PRIO_PROCESS, 0);
  bool differs = own != niceness && setpriority(PRIO_PROCESS, 0, niceness) == 0;
  if (!code) code = posix_spawnp(number, executable, &actions, &attributes, values, environment);
  if (differs) (void)setpriority(PRIO_PROCESS, 0, own);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return code;
}

int process_usable_processors(void) {
  // Larger sets are needed where the kernel knows more processors.
  for (int most = 1024; most <= 1 << 20; most *= 4) {
    cpu_set_t *set = CPU_ALLOC(most);
    if (!set) return -1;
    size_t size = CPU_ALLOC_SIZE(most);
    int code = sched_getaffinity(0, size, set), count = code == 0 ? CPU_COUNT_S(size, set) : -1;
    CPU_FREE(set);
    if (code == 0 || errno != EINVAL) return count;
  }
  return -1;
}

int process_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }
