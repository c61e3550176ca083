/* The process ends while a context with threads, tensors, an optimizer and a program is alive: no crash, no hang, no message.
 * usage: exit LIBRARY return|exit|dlclose|capture|thread */
#include <pthread.h>
#include <string.h>

#include "trainer.h"

static trainer t; /* still reachable at the end, so that a leak checker reports only what the library itself lost */

static void *train(void *path) {
    trainer_open(&t, path, RTLD_LOCAL);
    trainer_start(&t, 1);
    trainer_enqueue(&t);
    trainer_capture(&t);
    trainer_run(&t, 3);
    return NULL;
}

int main(int argc, char **argv) {
    const char *mode = argc > 2 ? argv[2] : "return";
    if (argc < 2) return 2;
    if (!strcmp(mode, "thread")) {
        /* The thread that made everything is gone when the process ends. */
        pthread_t thread;
        if (pthread_create(&thread, NULL, train, argv[1]) || pthread_join(thread, NULL)) return 1;
        return 0;
    }
    train(argv[1]);
    if (!strcmp(mode, "exit")) exit(0);
    if (!strcmp(mode, "dlclose") && dlclose(t.library)) return 1;
    if (!strcmp(mode, "capture")) {
        TRAINER_CHECK(&t, t.mpt_capture_begin(t.ctx));
        trainer_enqueue(&t);
    }
    return 0;
}
