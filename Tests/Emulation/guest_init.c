// First process of the emulated machine: runs /program with the arguments of /arguments (each ended by a zero
// byte) on the second serial line, tells its status on the first, and switches the machine off.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 63, ARGUMENT_BYTES_MAX = 16384, BOCHS_SHUTDOWN_PORT = 0x8900 };

static void power_off(void)
{
    if (iopl(3) == 0)
        for (const char *c = "Shutdown"; *c; c++) outb((unsigned char)*c, BOCHS_SHUTDOWN_PORT);
    for (;;) pause();
}

static int open_raw_line(const char *path)
{
    int line = open(path, O_RDWR | O_NOCTTY);
    struct termios settings;
    if (line < 0 || tcgetattr(line, &settings) != 0) return line;
    cfmakeraw(&settings);
    cfsetspeed(&settings, B115200);
    tcsetattr(line, TCSANOW, &settings);
    return line;
}

static void exec_program(int line)
{
    static char bytes[ARGUMENT_BYTES_MAX + 1];
    char *arguments[ARGUMENTS_MAX + 1] = {0};
    int file = open("/arguments", O_RDONLY);
    ssize_t length = file < 0 ? 0 : read(file, bytes, ARGUMENT_BYTES_MAX);
    int count = 0;
    for (char *next = bytes; next < bytes + length && count < ARGUMENTS_MAX; next += strlen(next) + 1)
        arguments[count++] = next;
    dup2(line, STDOUT_FILENO);
    dup2(line, STDERR_FILENO);
    execv("/program", arguments);
    _exit(127);
}

int main(void)
{
    mkdir("/dev", 0755);
    mkdir("/proc", 0755);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    mount("proc", "/proc", "proc", 0, NULL);
    int line = open_raw_line("/dev/ttyS1"), status = 127;
    if (line >= 0) {
        pid_t child = fork();
        if (child == 0) exec_program(line);
        int wait_status = 0;
        if (child > 0 && waitpid(child, &wait_status, 0) == child)
            status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
        tcdrain(line);
    }
    printf("\nguest program status %d\n", status);
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
    power_off();
}
