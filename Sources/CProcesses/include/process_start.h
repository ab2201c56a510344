// What the process found when it began, kept before any other code of ours runs.

#ifndef PROCESS_START_H
#define PROCESS_START_H

#include <stdbool.h>
#include <sys/types.h>

/// The number of arguments, the program's own name included.
int process_argument_count(void);

/// An argument by its place; the program's own name has place 0. Valid as long as the process lives.
const char *process_argument(int place);

/// Whether the process inherited a signal as ignored, as `nohup` and a shell's background jobs do it.
bool process_began_ignoring(int signal);

/// The niceness of this process when it began, which threads may have left since.
int process_began_with_niceness(void);

/// Whether signals that ask for an end do not end the process, from before `main` on, and wait for whoever
/// takes them. Only `run` and `worker` keep them; every other command ends by such a signal.
bool process_keeps_signals(void);

/// Waits for the next signal that is kept. Never returns a signal that was inherited as ignored.
int process_take_signal(void);

/// Whether a signal has come that nobody has taken.
bool process_was_signalled(int signal);

/// Starts a process, with no signal blocked and SIGPIPE as usual, with the niceness that this process began
/// with, and with no descriptor but its three streams.
///
/// `folder` may be null. A process that leads a group has its own number as that of the group.
/// Returns 0, or the system's number for the reason.
int process_spawn(
  pid_t *number, const char *executable, char *const arguments[], char *const environment[],
  const char *folder, const int streams[3], bool leads_group);

/// How many processors this process may run on, by its affinity; -1 where that cannot be told.
int process_usable_processors(void);

/// Makes a pipe that no other program inherits: its end to read from, then its end to write to. Returns 0, or
/// the system's number for the reason.
int process_pipe(int ends[2]);

#endif
